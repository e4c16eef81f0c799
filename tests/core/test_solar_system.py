import pytest

from cutout_core.errors import TargetError
from cutout_core.solar_system import Body, find_body, is_solar_system_name, read_body_name


@pytest.mark.parametrize(
    "text",
    ["Ceres", "ceres", " CERES ", "1 Ceres", "(1) Ceres", "(1)Ceres"],
)
def test_known_body_is_found_under_every_spelling(text):
    assert find_body(text) == Body("Ceres", "1 Ceres", "dwarf planet")


@pytest.mark.parametrize(
    ("text", "name", "label", "kind"),
    [
        ("Eleonora", "Eleonora", "354 Eleonora", "asteroid"),
        ("433 Eros", "Eros", "433 Eros", "asteroid"),
        ("C/2020 F3", "C/2020 F3", "C/2020 F3 (NEOWISE)", "comet"),
        ("C/2020 F3 NEOWISE", "C/2020 F3", "C/2020 F3 (NEOWISE)", "comet"),
        ("c/2020f3 (neowise)", "C/2020 F3", "C/2020 F3 (NEOWISE)", "comet"),
        ("67P", "67P", "67P/Churyumov-Gerasimenko", "comet"),
        ("Halley", "1P", "1P/Halley", "comet"),
        ("Oumuamua", "1I", "1I/'Oumuamua", "interstellar object"),
        ("’Oumuamua", "1I", "1I/'Oumuamua", "interstellar object"),
        # Two comets of the table are called NEOWISE; the bright one is meant.
        ("NEOWISE", "C/2020 F3", "C/2020 F3 (NEOWISE)", "comet"),
        ("Šteins", "Steins", "2867 Steins", "asteroid"),
        ("Mars", "Mars", "Mars", "planet"),
    ],
)
def test_name_to_ask_for_is_one_that_horizons_knows(text, name, label, kind):
    assert find_body(text) == Body(name, label, kind)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("C/2031 A1", "comet"),
        ("C/2031 A1 (Someone)", "comet"),
        ("P/2010 A2", "comet"),
        ("P/2013 R3-A", "comet"),
        ("D/1993 F2", "comet"),
        ("73P", "comet"),
        ("73P-C", "comet"),
        ("73P/Schwassmann-Wachmann 3", "comet"),
        ("A/2017 U1", "interstellar object"),
        ("9I/Nobody", "interstellar object"),
        ("2024 YR4", "asteroid"),
        ("1998 KY26", "asteroid"),
        ("2015BZ509", "asteroid"),
        ("(99942) 2004 MN4", "asteroid"),
        ("12345 Nobody", "asteroid"),
        ("(12345) Nobody", "asteroid"),
    ],
)
def test_designation_of_an_unknown_body_is_known_by_its_form(text, kind):
    body = find_body(text)

    assert body is not None
    assert body.kind == kind
    assert is_solar_system_name(text)


@pytest.mark.parametrize(
    "text",
    [
        "Pi Mensae",
        "47 Tuc",
        "47 Tucanae",
        "61 Cygni",
        "30 Doradus",
        "55 Cnc e",
        "3C 273",
        "4U 1700-37",
        "2MASS J1234",
        "M104",
        "M 31",
        "NGC 1300",
        "HD 2685",
        "TIC 261136679",
        "WASP-18",
        "P Cygni",
        "C 14",
        "1RXS J1708",
        "84.29 -80.47",
        "2024 II1",
        "",
    ],
)
def test_stars_and_galaxies_are_no_bodies(text):
    assert find_body(text) is None
    assert not is_solar_system_name(text)


@pytest.mark.parametrize(
    ("text", "mt_type"),
    [
        ("Jupiter", "majorbody"),
        ("Titan", "majorbody"),
        ("Pluto", "majorbody"),
        ("Ceres", "smallbody"),
        ("2024 YR4", "smallbody"),
        ("67P", "smallbody"),
    ],
)
def test_type_is_one_of_tesscut_s(text, mt_type):
    body = find_body(text)

    assert body is not None
    assert body.mt_type == mt_type


def test_name_of_a_body_is_passed_on_as_typed():
    assert read_body_name("  C/2020  F3 (NEOWISE)\n") == "C/2020 F3 (NEOWISE)"
    assert read_body_name("1") == "1"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("  ", 'target is empty. Type the name of an asteroid or comet, such as "Ceres"'),
        ("a\0b", "control character"),
        ("x" * 201, "201 characters; at most 200 are read. Type the name of an asteroid"),
    ],
)
def test_text_that_is_no_name_is_refused(text, words):
    with pytest.raises(TargetError, match=words):
        read_body_name(text)
