import contextlib
import time

import pytest
from astropy.coordinates import SkyCoord
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cutout_core.errors import TargetError
from cutout_core.target import ObjectName, SkyPosition, format_position, parse_target, quoted

# Pi Mensae, in the numbers of the issue and of every form below: 05h37m09.9s is
# 5 + 37/60 + 9.9/3600 h = 84.29125 deg; 80d28m08.8s is 80.469111... deg.
RA, DEC = 84.29125, -(80 + 28 / 60 + 8.8 / 3600)

DECIMAL = [
    "84.29125 -80.469111111111",
    "84.29125,-80.469111111111",
    "84.29125, -80.469111111111",
    "84.29125; -80.469111111111",
    "84.29125\t-80.469111111111",
    "84.29125\n-80.469111111111",
    "84.29125/-80.469111111111",
    "84.29125 | -80.469111111111",
    "84.29125-80.469111111111",
    "(84.29125, -80.469111111111)",
    "[84.29125 -80.469111111111]",
    "84.29125° -80.469111111111°",
    "84.29125d -80.469111111111d",
    "84.29125 deg, -80.469111111111 deg",
    "84.29125 degrees -80.469111111111 degrees",
    "84.29125 −80.469111111111",
    "84.29125 –80.469111111111",
    "84,29125 -80,469111111111",
    "84,29125; -80,469111111111",
    "8.429125e+01 -80.469111111111",
    "８４．２９１２５　－８０．４６９１１１１１１１１１",
    "5.6194166666666667h -80.469111111111",
    "RA=84.29125 Dec=-80.469111111111",
    "ra: 84.29125, dec: -80.469111111111",
    "RA 84.29125 DEC -80.469111111111",
    "R.A. = 84.29125, Decl. = -80.469111111111",
    "RA_deg=84.29125; Dec_deg=-80.469111111111",
    "ra=84.29125&dec=-80.469111111111",
    "Dec=-80.469111111111 RA=84.29125",
    "RA Dec 84.29125 -80.469111111111",
    "α=84.29125 δ=-80.469111111111",
    '{"ra": 84.29125, "dec": -80.469111111111}',
    "84.29125 -80.469111111111 J2000",
    "ICRS 84.29125 -80.469111111111",
    "RA(J2000)=84.29125 Dec(J2000)=-80.469111111111",
    "  84.29125   -80.469111111111 ",
    "\u200b84.29125\u00a0-80.469111111111\ufeff",
]

SEXAGESIMAL = [
    "05:37:09.9 -80:28:08.8",
    "05:37:09.9, -80:28:08.8",
    "05:37:09.9-80:28:08.8",
    "05 : 37 : 09.9  -80 : 28 : 08.8",
    "05 37 09.9 -80 28 08.8",
    "5 37 9.9 -80 28 8.8",
    "05 37 09.9, -80 28 08.8",
    "05,37,09.9,-80,28,08.8",
    "05h37m09.9s -80d28m08.8s",
    "05h37m09.9s-80d28m08.8s",
    "5h 37m 9.9s, -80d 28m 8.8s",
    "5 h 37 m 9.9 s -80 d 28 m 8.8 s",
    "05H37M09.9S -80D28M08.8S",
    "05h37m09.9s -80°28'08.8\"",
    "05h37m09.9s −80°28′08.8″",
    "05h37m09.9s −80° 28’ 08.8”",
    "05h37m09.9s -80°28'08.8''",
    "5ʰ37ᵐ9.9ˢ -80°28'08.8\"",
    "5 hours 37 min 9.9 sec -80 deg 28 arcmin 8.8 arcsec",
    "84d17m28.5s -80d28m08.8s",
    "84°17'28.5\" -80°28'08.8\"",
    "RA: 05:37:09.9, Dec: -80:28:08.8",
    "RA 05 37 09.9 DEC -80 28 08.8",
    "05 37 09.9 -80 28 08.8 (J2000)",
    "J2000 05:37:09.9 -80:28:08.8",
    "05:37:09.9 -80d28m08.8s",
    "05h37m09.9s -80.469111111111",
    "05 37 09.9 -80.469111111111",
    "J053709.9-802808.8",
    "j 053709.9 -802808.8",
    "J053709.9−802808.8",
]


@pytest.mark.parametrize("text", DECIMAL + SEXAGESIMAL)
def test_position_is_read_in_every_usual_form(text):
    target = parse_target(text)

    assert isinstance(target, SkyPosition)
    assert target.ra == pytest.approx(RA, abs=1e-9)
    assert target.dec == pytest.approx(DEC, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "ra", "dec"),
    [
        ("10 40", 10.0, 40.0),
        ("10 +40", 10.0, 40.0),
        ("0 0", 0.0, 0.0),
        ("360 0", 0.0, 0.0),
        ("24:00:00 +00:00:00", 0.0, 0.0),
        ("00:00:00 -00:00:36", 0.0, -0.01),
        ("0 0 0 -0 0 36", 0.0, -0.01),
        ("12 30 -45 30", 187.5, -45.5),
        ("12 30.5 -45 30.5", 187.625, -(45 + 30.5 / 60)),
        ("12:30 10.5", 187.5, 10.5),
        ("12 30 00 45 30 00", 187.5, 45.5),
        ("12h30m 45d30m", 187.5, 45.5),
        ("12h 45d", 180.0, 45.0),
        ("5.5h -10", 82.5, -10.0),
        ("J123000+453000", 187.5, 45.5),
        (".5 -.5", 0.5, -0.5),
        ("1.5e+02 -1e-05", 150.0, -1e-5),
    ],
)
def test_position_has_the_value_of_its_digits(text, ra, dec):
    target = parse_target(text)

    assert isinstance(target, SkyPosition)
    assert (target.ra, target.dec) == pytest.approx((ra, dec), abs=1e-12)


def test_full_double_precision_is_kept():
    target = parse_target("84.2911951861308 -80.46912070924")

    assert target == SkyPosition(
        84.2911951861308, -80.46912070924, "84.2911951861308 -80.46912070924"
    )


@pytest.mark.parametrize(
    "text",
    [
        "l=292.53 b=-29.79",
        "l 292.53, b -29.79",
        "l=292.53° b=−29.79°",
        "GLON 292.53 GLAT -29.79",
        "gal 292.53 -29.79",
        "Galactic: 292.53, -29.79",
        "galactic l=292.53 b=-29.79",
        "292.53 -29.79 gal",
        "292.53 -29.79 (Galactic)",
        "292d31m48s -29d47m24s galactic",
    ],
)
def test_galactic_coordinates_are_converted_where_they_are_marked(text):
    expected = SkyCoord(l=292.53, b=-29.79, unit="deg", frame="galactic").icrs

    target = parse_target(text)

    assert isinstance(target, SkyPosition)
    assert (target.ra, target.dec) == pytest.approx((expected.ra.deg, expected.dec.deg), abs=1e-9)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("TIC 261136679", "TIC 261136679"),
        ("tic261136679", "TIC 261136679"),
        ("TIC-261136679", "TIC 261136679"),
        ("Tic_261136679", "TIC 261136679"),
        ("TIC: 261136679", "TIC 261136679"),
        ("TIC#261136679", "TIC 261136679"),
        ("TIC ID 261136679", "TIC 261136679"),
        ("ticid261136679", "TIC 261136679"),
        ("TIC   261136679", "TIC 261136679"),
        ("TIC 261,136,679", "TIC 261136679"),
        ("TIC 261 136 679", "TIC 261136679"),
        ("TIC 261.136.679", "TIC 261136679"),
        ("TIC 261136679.01", "TIC 261136679"),
        ("TIC 0000012345", "TIC 12345"),
        ("kic8462852", "KIC 8462852"),
        ("EPIC-201367065", "EPIC 201367065"),
    ],
)
def test_number_of_an_input_catalogue_is_written_as_mast_writes_it(text, name):
    target = parse_target(text)

    assert isinstance(target, ObjectName)
    assert target.name == name


@pytest.mark.parametrize(
    "name",
    [
        "Pi Mensae",
        "M 31",
        "M104",
        "M 1-67",
        "HD 209458",
        "55 Cnc",
        "47 Tuc",
        "30 Dor",
        "3C 273",
        "2MASS J05370988-8028089",
        "PSR J0437-4715",
        "1RXS J053709.9-802808",
        "1E0657-56",
        "1E 2259+586",
        "1H 0707-495",
        "2S 0114+650",
        "4U 1820-30",
        "G120.5-30.2",
        "G 9-38",
        "L 98-59",
        "L 1551",
        "[KK98] 77",
        "Barnard's Star",
        "alpha Cen",
        "delta Cep",
        "Galactic Center",
        "RA Sgr",
        "S5 0716+71",
        "TOI-700",
        "TICO 5",
        "C/2020 F3 (NEOWISE)",
        "étoile de Barnard",
        "織女一",
        "J2000",
        "5 m",
    ],
)
def test_name_that_resembles_a_position_or_a_number_stays_a_name(name):
    assert parse_target(name) == ObjectName(name, name)


def test_blanks_of_a_name_are_squeezed_and_nothing_else():
    assert parse_target("  Pi \t  Mensae\u200b ") == ObjectName("Pi Mensae", "Pi Mensae")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("", r"empty.*Pi Mensae.*84\.2912 -80\.4691", id="empty"),
        pytest.param(" \u200b\n", "empty", id="blank"),
        pytest.param("x" * 201, "201 characters; at most 200", id="too long"),
        pytest.param("Pi\x00Mensae", r"control character \(U\+0000\)", id="NUL"),
        pytest.param("Pi\x1b[31mMensae", r"control character \(U\+001B\)", id="escape"),
        pytest.param("Pi\ud800", r"control character \(U\+D800\)", id="surrogate"),
        pytest.param("261136679", 'lone number.*"TIC 261136679"', id="lone number"),
        pytest.param("84.29", "one coordinate; a position needs two", id="lone decimal"),
        pytest.param("RA 84.29", "one coordinate; a position needs two", id="lone RA"),
        pytest.param("dec 10", "one coordinate; a position needs two", id="lone Dec"),
        pytest.param("05h37m", "one coordinate; a position needs two", id="lone hours"),
        pytest.param("05:37:09", "one coordinate; a position needs two", id="lone colons"),
        pytest.param("400 10", "RA 400 is above 360 degrees", id="RA above 360"),
        pytest.param("-5 10", r"RA -5 is below 0 degrees. Did you mean 355\?", id="RA below 0"),
        pytest.param("10 95", "Dec 95 is beyond 90 degrees. .*swapped", id="Dec above 90"),
        pytest.param("100 -95", "Dec -95 is beyond 90 degrees. Dec runs", id="Dec below -90"),
        pytest.param("-80.4 284.2", "below 0 degrees. Are the two swapped", id="swapped"),
        pytest.param("05:60:00 10:00:00", '"05:60:00" has 60 minutes', id="minutes of RA"),
        pytest.param("05:00:60 10:00:00", '"05:00:60" has 60 seconds', id="seconds of RA"),
        pytest.param("05h00m00s 10d61m00s", "has 61 minutes", id="minutes of Dec"),
        pytest.param("J012360.0+012345", "has 60 seconds", id="seconds of a designation"),
        pytest.param("25:00:00 10:00:00", "above 24 hours.*84d17m28s", id="RA above 24 h"),
        pytest.param("-05:00:00 10:00:00", "below 0 hours", id="negative hours"),
        pytest.param("10d -95d", "Dec -95d is beyond 90", id="Dec with unit"),
        pytest.param("05h37m09s 10h20m10s", "Dec 10h20m10s is in hours", id="Dec in hours"),
        pytest.param("84.29 -80:28:08", 'RA "84.29" may be hours or degrees', id="mixed forms"),
        pytest.param("84.29 -80 28 08", 'RA "84.29" may be hours or degrees', id="1 and 3"),
        pytest.param("053709.9 -802808.8", 'mean "J053709.9-802808.8"', id="packed"),
        pytest.param("053709.9 802808.8", r'mean "J053709.9\+802808.8"', id="packed north"),
        pytest.param("J0437-4715", "to the arcminute only.*PSR J0437-4715", id="coarse J"),
        pytest.param("1 2 3", "cannot be read as RA and Dec", id="three numbers"),
        pytest.param("1 2 3 4 5", "cannot be read as RA and Dec", id="five numbers"),
        pytest.param("1 2 3 4 5 6 7", "cannot be read as RA and Dec", id="seven numbers"),
        pytest.param("84,29 -80,46", "cannot be read as RA and Dec", id="comma or decimal comma"),
        pytest.param("120-30", "cannot be read as RA and Dec", id="glued integers"),
        pytest.param("1-2-3", "cannot be read as RA and Dec", id="date-like"),
        pytest.param("05:37.5:09 10:00:00", "cannot be read as RA and Dec", id="fraction inside"),
        pytest.param("05h37m 10", "cannot be read as RA and Dec", id="seconds or Dec"),
        pytest.param("05h37m09s08 10", "cannot be read as RA and Dec", id="too many parts"),
        pytest.param("84.29 -80.46 B1950", "equinox B1950", id="old equinox"),
        pytest.param("l=400 b=10", "not a galactic position: l runs", id="l above 360"),
        pytest.param("gal 10 95", "not a galactic position", id="b above 90"),
        pytest.param("gal 5h10m 20d", "not a galactic position", id="l in hours"),
        pytest.param("TIC", "lacks its TIC number", id="TIC alone"),
        pytest.param("EPIC #", "lacks its EPIC number", id="EPIC alone"),
        pytest.param("TIC 1 2", "does not hold a TIC number", id="two numbers"),
        pytest.param("TIC 0", "does not hold a TIC number", id="TIC zero"),
        pytest.param("TIC 1234567890123", "does not hold a TIC number", id="TIC too long"),
        pytest.param("!?", "neither a position nor a name", id="punctuation"),
        pytest.param("🔭", "neither a position nor a name", id="emoji"),
    ],
)
def test_unusable_text_is_refused_with_what_would_be_accepted(text, words):
    with pytest.raises(TargetError, match=words):
        parse_target(text)


def test_message_quotes_long_and_strange_text_safely():
    assert quoted("a\x07b") == '"a\ufffdb"'
    assert quoted("x" * 60) == '"' + "x" * 60 + '"'
    assert quoted("x" * 61) == '"' + "x" * 60 + '…"'


right_ascensions = st.tuples(
    st.integers(0, 23), st.integers(0, 59), st.floats(0, 59.999).map(lambda s: round(s, 3))
)
declinations = st.tuples(
    st.sampled_from("+-"),
    st.integers(0, 89),
    st.integers(0, 59),
    st.floats(0, 59.99).map(lambda s: round(s, 2)),
)


@pytest.mark.parametrize(
    ("template", "unit"),
    [
        ("{0}h{1}m{2}s {3}{4}d{5}m{6}s", None),
        ("{0:02d}h{1:02d}m{2:06.3f}s {3}{4:02d}d{5:02d}m{6:05.2f}s", None),
        ("{0}:{1}:{2} {3}{4}:{5}:{6}", ("hourangle", "deg")),
        ("{0} {1} {2} {3}{4} {5} {6}", ("hourangle", "deg")),
        ("{0}d{1}m{2}s {3}{4}d{5}m{6}s", None),
        ("{0}°{1}'{2}\" {3}{4}°{5}'{6}\"", "deg"),
        ("{0}h{1}m {3}{4}d{5}m", None),
        ("{0}:{1} {3}{4}:{5}", ("hourangle", "deg")),
    ],
)
@settings(max_examples=40, deadline=None)
@given(ra=right_ascensions, dec=declinations)
def test_sexagesimal_agrees_with_astropy(template, unit, ra, dec):
    text = template.format(*ra, *dec)
    expected = SkyCoord(text, unit=unit) if unit else SkyCoord(text)

    target = parse_target(text)

    assert isinstance(target, SkyPosition)
    assert target.ra == pytest.approx(expected.ra.deg, abs=1e-9)
    assert target.dec == pytest.approx(expected.dec.deg, abs=1e-9)


@settings(max_examples=100, deadline=None)
@given(
    ra=st.floats(0, 359.999999),
    dec=st.floats(-90, 90),
    separator=st.sampled_from([" ", ", ", ","]),
)
def test_decimal_degrees_agree_with_astropy(ra, dec, separator):
    text = f"{ra:.9f}{separator}{dec:.9f}"
    expected = SkyCoord(text.replace(",", " "), unit="deg")

    target = parse_target(text)

    assert isinstance(target, SkyPosition)
    assert (target.ra, target.dec) == (expected.ra.deg, expected.dec.deg)


fragments = st.sampled_from(
    [
        *"0123456789",
        *"+-−.,;:/|&°'\"hmsdeJGlb= \t()",
        "ra",
        "dec",
        "tic",
        "gal",
        "1e5",
        "J2000",
        "''",
    ]
)


@settings(max_examples=600, deadline=None)
@given(st.one_of(st.text(max_size=220), st.lists(fragments, max_size=40).map("".join)))
@example("1e999 1e999")
@example("9" * 200)
@example("1" * 99 + " " + "1" * 99)
@example("ra" * 100)
def test_any_text_is_a_position_or_a_name_or_a_target_error(text):
    try:
        target = parse_target(text)
    except TargetError as exc:
        assert str(exc).isprintable()  # noqa: PT017 - it may raise or not
        return
    if isinstance(target, SkyPosition):
        assert 0 <= target.ra < 360
        assert -90 <= target.dec <= 90
    else:
        assert target.name == " ".join(target.name.split()) != ""
        target.name.encode()


@pytest.mark.parametrize(
    "text",
    ["ra " * 66, "1 " * 100, "l=1" * 66, "1:" * 100, "gal " * 50, "1h" * 100, "ra 1 dec " * 22],
)
def test_hostile_text_does_not_keep_the_parser_busy(text):
    start = time.process_time()

    with contextlib.suppress(TargetError):
        parse_target(text)

    assert time.process_time() - start < 0.25


@pytest.mark.parametrize(
    ("ra", "dec", "decimal", "sexagesimal"),
    [
        (84.2911951861308, -80.46912070924, "84.29120 -80.46912", "05h37m09.9s -80°28'08.8\""),
        (210.802429, 54.34875, "210.80243 +54.34875", "14h03m12.6s +54°20'55.5\""),
        (0.0, 0.0, "0.00000 +0.00000", "00h00m00.0s +00°00'00.0\""),
        # Rounding carries over into minutes, hours, and past 24 h; there is no "-0".
        (14.9999999, -0.99999999, "15.00000 -1.00000", "01h00m00.0s -01°00'00.0\""),
        (359.9999999, -1e-9, "0.00000 +0.00000", "00h00m00.0s +00°00'00.0\""),
        (-15.0, 90.0, "345.00000 +90.00000", "23h00m00.0s +90°00'00.0\""),
    ],
)
def test_position_is_written_in_both_notations(ra, dec, decimal, sexagesimal):
    assert format_position(ra, dec) == (decimal, sexagesimal)


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 360, exclude_max=True), st.floats(-90, 90))
def test_what_is_written_can_be_read_again(ra, dec):
    decimal, sexagesimal = (parse_target(text) for text in format_position(ra, dec))

    for target, tolerance_ra, tolerance_dec in (
        (decimal, 0.5e-5, 0.5e-5),
        (sexagesimal, 0.75 / 3600, 0.05 / 3600),
    ):
        assert isinstance(target, SkyPosition)
        assert abs((target.ra - ra + 180) % 360 - 180) <= tolerance_ra * 1.001
        assert abs(target.dec - dec) <= tolerance_dec * 1.001
