"""
What was typed into the target box -> a position or a name.

Positions are read with regular expressions, so that parsing needs no astropy; only galactic
coordinates, which are rare, load it when they come. Text that could mean two things is refused
with a sentence that says what would be accepted.
"""

import re
import unicodedata
from dataclasses import dataclass

from cutout_core.errors import TargetError

# The longest designation in SIMBAD has some 60 characters; more is a pasted paragraph.
MAX_LENGTH = 200

# TIC numbers have at most 11 digits, EPIC and KIC 9; a few more are let through.
_MAX_ID_DIGITS = 12

_EXAMPLES = (
    'a name such as "Pi Mensae", a number such as "TIC 261136679", or RA and Dec such as '
    '"84.2912 -80.4691" or "05:37:09.9 -80:28:08.8"'
)


@dataclass(frozen=True, slots=True)
class SkyPosition:
    """
    A position on the sky.

    Attributes
    ----------
    ra, dec : float
        ICRS right ascension (0 to 360) and declination, in degrees.
    text : str
        What was typed, without surplus blanks.
    """

    ra: float
    dec: float
    text: str


@dataclass(frozen=True, slots=True)
class ObjectName:
    """
    A name that a resolver has to look up.

    Attributes
    ----------
    name : str
        The name to ask for. Numbers of the TESS, Kepler and K2 input catalogues are written as
        MAST writes them ("TIC 261136679"); other names are as typed.
    text : str
        What was typed, without surplus blanks.
    """

    name: str
    text: str


def parse_target(text: str) -> SkyPosition | ObjectName:
    """
    Read what was typed into the target box.

    A position may be decimal degrees in any usual separator, sexagesimal (RA in hours unless it
    is marked as degrees) with colons, letters, degree signs or blanks, a bare designation like
    "J012345.6+012345", or galactic longitude and latitude marked as such ("l=280 b=-30",
    "gal 280 -30"). RA comes before Dec unless both are labelled. Everything else is a name.

    Parameters
    ----------
    text : str

    Returns
    -------
    target : SkyPosition or ObjectName

    Raises
    ------
    TargetError
        If the text is empty, too long, holds control characters, or is a position that is
        incomplete, out of range or ambiguous.
    """
    shown = clean_text(text)
    plain = shown.translate(_TYPOGRAPHY).lower()
    for read in (_read_catalogue_number, _read_galactic, _read_designation, _read_position):
        target = read(plain, shown)
        if target is not None:
            return target
    if not any(c.isalpha() for c in shown):
        msg = f"{quoted(shown)} is neither a position nor a name. Type {_EXAMPLES}."
        raise TargetError(msg)
    return ObjectName(shown, shown)


def format_position(ra: float, dec: float) -> tuple[str, str]:
    """
    Write a position the two ways astronomers read it.

    Parameters
    ----------
    ra, dec : float
        In degrees. RA may be any finite number; it is brought into 0 to 360.

    Returns
    -------
    decimal : str
        Degrees to five places (0.04 arcsec), such as ``84.29120 -80.46912``.
    sexagesimal : str
        Such as ``05h37m09.9s -80°28'08.8"``.
    """
    # Rounding happens once, on whole tenths, so that 59.96 s becomes the next minute and never
    # "60.0 s"; the same for RA just below 360 degrees.
    tenths_s = round(ra % 360.0 / 15.0 * 36_000) % (24 * 36_000)
    tenths_arcsec = round(abs(dec) * 36_000)
    sign = "-" if dec < 0 and tenths_arcsec else "+"
    hours, minutes, seconds = _sexagesimal(tenths_s)
    degrees, arcmin, arcsec = _sexagesimal(tenths_arcsec)
    ra_steps = round(ra % 360.0 * 1e5) % 36_000_000
    return (
        f"{ra_steps / 1e5:.5f} {round(dec, 5) + 0.0:+.5f}",
        f"{hours:02d}h{minutes:02d}m{seconds:04.1f}s "
        f"{sign}{degrees:02d}°{arcmin:02d}'{arcsec:04.1f}\"",
    )


def quoted(text: str, limit: int = 60) -> str:
    """Put a text from outside in quotation marks: shortened, and without control characters."""
    printable = "".join(c if c.isprintable() else "\ufffd" for c in text[: limit + 1])
    return f'"{printable[:limit]}…"' if len(text) > limit else f'"{printable}"'


def _sexagesimal(tenths: int) -> tuple[int, int, float]:
    whole, rest = divmod(tenths, 36_000)
    minutes, seconds = divmod(rest, 600)
    return whole, minutes, seconds / 10


_TYPOGRAPHY = str.maketrans(
    {
        **dict.fromkeys("‐‑‒–—−﹣", "-"),
        "﹢": "+",
        **dict.fromkeys("º˚ᵒ", "°"),
        **dict.fromkeys("′’‘ʹʼ´`", "'"),
        **dict.fromkeys("″”“ʺ", '"'),
        **dict.fromkeys("ʰ", "h"),
        **dict.fromkeys("ᵐ", "m"),
        **dict.fromkeys("ˢ", "s"),
        **dict.fromkeys("ᵈ", "d"),
        # The full-width forms of East Asian keyboards lie at a fixed distance from ASCII.
        **{chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F)},
        "，": ",",
        "、": ",",
    }
)

_BLANK_CONTROLS = "\t\n\r"


def clean_text(text: str, examples: str = _EXAMPLES) -> str:
    """
    Trim and squeeze blanks, drop invisible format characters, refuse what cannot be typed.

    Parameters
    ----------
    text : str
        What was typed.
    examples : str, optional
        What to type instead, for the message.

    Returns
    -------
    text : str
        At least one visible character, in one line.

    Raises
    ------
    TargetError
        If the text is empty, too long, or holds control characters.
    """
    stripped = text.strip()
    if len(stripped) > MAX_LENGTH:
        msg = (
            f"The target has {len(stripped)} characters; at most {MAX_LENGTH} are read. "
            f"Type {examples}."
        )
        raise TargetError(msg)
    # Format characters (zero-width blanks, direction marks) come along when text is copied from
    # web pages; nobody sees or means them.
    visible = "".join(c for c in stripped if unicodedata.category(c) != "Cf")
    for char in visible:
        if unicodedata.category(char) in {"Cc", "Cs"} and char not in _BLANK_CONTROLS:
            msg = (
                f"The target holds a control character (U+{ord(char):04X}). "
                "Type it again instead of pasting it."
            )
            raise TargetError(msg)
    squeezed = " ".join(visible.split())
    if not squeezed:
        msg = f"The target is empty. Type {examples}."
        raise TargetError(msg)
    return squeezed


_CATALOGUE = re.compile(
    r"(?P<catalogue>tic|kic|epic)(?P<rest>(?:[\s_\-:#.=]*(?:id|no|number))?[\s_\-:#.=]*"
    r"(?P<number>[0-9][0-9 ,.'_]*)?)"
)
# Plain digits or groups of three; ".01" is the number of a planet candidate of that star.
_ID_NUMBER = re.compile(r"([0-9]+|[0-9]{1,3}(?:[ ,.'_][0-9]{3})+)(?:\.[0-9]{2})?")


def _read_catalogue_number(plain: str, shown: str) -> ObjectName | None:
    match = _CATALOGUE.fullmatch(plain)
    if match is None:
        return None
    catalogue = match["catalogue"].upper()
    example = f'Type one number, such as "{catalogue} 261136679".'
    if match["number"] is None:
        msg = f"{quoted(shown)} lacks its {catalogue} number. {example}"
        raise TargetError(msg)
    number = _ID_NUMBER.fullmatch(match["number"].strip(" ,.'_"))
    digits = re.sub(r"[^0-9]", "", number[1]).lstrip("0") if number else ""
    if not digits or len(digits) > _MAX_ID_DIGITS:
        msg = f"{quoted(shown)} does not hold a {catalogue} number. {example}"
        raise TargetError(msg)
    return ObjectName(f"{catalogue} {digits}", shown)


@dataclass(frozen=True, slots=True)
class _Angle:
    """A number with its unit, "h", "d" or "" where none was given; `text` is for messages."""

    value: float
    unit: str
    is_sexagesimal: bool
    text: str


_NUMBER = r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+"
_DECIMAL = re.compile(rf"([+-]?) ?({_NUMBER})(E[+-][0-9]{{1,2}})? ?([hd]?)")
_SEXAGESIMAL = re.compile(
    r"([+-]?) ?([0-9]{1,3}) ?([:hd ]) ?([0-9]{1,2}(?:\.[0-9]*)?)"
    r"(?: ?[:m ] ?(?:([0-9]{1,2}(?:\.[0-9]*)?) ?s?)?)? ?"
)

_UNIT_WORDS = {
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("°", "d", "deg", "degs", "degree", "degrees"), "d"),
    **dict.fromkeys(("'", "m", "min", "mins", "minute", "minutes", "arcmin"), "m"),
    **dict.fromkeys(("''", '"', "s", "sec", "secs", "second", "seconds", "arcsec"), "s"),
}
_WORD = re.compile(r"[a-z]+|°|''|'|\"")
# An exponent needs its sign: "1E0657-56" is a name, the Bullet Cluster.
_EXPONENT = re.compile(r"(?<=[0-9.])e(?=[+-][0-9]{1,2}(?![0-9.]))")

_FRAME = re.compile(r"\(?\b(?:icrs|fk5|j2000(?:\.0)?)(?![\w.]|\s*[+-]\d)\)?[:,]?")
_OLD_FRAME = re.compile(r"\(?\b(?:fk4|b1950(?:\.0)?)(?![\w.]|\s*[+-]\d)\)?[:,]?")

_RA_LABEL = (
    r"\"?(?<![a-z])(?:right ascension|r\.a\.|ra(?:j2000|_?icrs|_?deg)?|alpha|α)(?![a-z.])\"?"
)
_DEC_LABEL = (
    r"\"?(?<![a-z])(?:declination|decl?\.|decl?(?:_?deg)?|de(?:j2000|_?icrs)|delta|δ)(?![a-z.])\"?"
)
_EQUALS = r" ?[:=]? ?"
_BETWEEN = r"[\s,;&|/]*"


def _labelled(first: str, second: str) -> re.Pattern[str]:
    return re.compile(rf"{_BETWEEN}{first}{_EQUALS}(.+?){_BETWEEN}{second}{_EQUALS}(.+?){_BETWEEN}")


_RA_THEN_DEC = _labelled(_RA_LABEL, _DEC_LABEL)
_DEC_THEN_RA = _labelled(_DEC_LABEL, _RA_LABEL)
_BOTH_LABELS_FIRST = re.compile(rf"{_RA_LABEL}{_BETWEEN}{_DEC_LABEL}{_EQUALS}(.+)")
_ONE_LABEL = re.compile(rf"(?:{_RA_LABEL}|{_DEC_LABEL}){_EQUALS}(.+)")


def _read_position(plain: str, shown: str) -> SkyPosition | None:
    body, n_old = _OLD_FRAME.subn(" ", plain)
    body = _squeezed(_FRAME.sub(" ", body))
    pair = _labelled_pair(body) or _unlabelled_pair(body, shown)
    if pair is None:
        return None
    ra, dec = (_read_angle(text) for text in pair)
    if ra is None or dec is None:
        _reject_or_pass(body, shown)
        return None
    if n_old:
        msg = (
            f"{quoted(shown)} is a position of equinox B1950, which is not converted here. "
            "Give it for J2000 (ICRS)."
        )
        raise TargetError(msg)
    return SkyPosition(_right_ascension(ra, dec), _declination(dec, ra), shown)


def _squeezed(text: str) -> str:
    return " ".join(re.sub(r"[()\[\]{}<>]", " ", text).split())


def _labelled_pair(body: str) -> tuple[str, str] | None:
    """Return the texts behind "RA" and "Dec", in this order, if both are angles."""
    for pattern, order in ((_RA_THEN_DEC, (1, 2)), (_DEC_THEN_RA, (2, 1))):
        match = pattern.fullmatch(body)
        if match:
            ra, dec = (_canonical(match[group]) for group in order)
            if ra and dec:
                return ra, dec
    return None


def _unlabelled_pair(body: str, shown: str) -> tuple[str, str] | None:
    """Split a text without labels in two; `None` if it does not look like a position at all."""
    for pattern in (_BOTH_LABELS_FIRST, _ONE_LABEL):
        match = pattern.fullmatch(body)
        if match and _canonical(match[1]) is not None:
            body = match[1]
            break
    canonical = _canonical(body)
    if canonical is None:
        return None
    pair = _split_pair(canonical)
    if pair is None:
        _refuse_lone_number(canonical, shown)
        _reject_or_pass(body, shown)
    return pair


def _refuse_lone_number(canonical: str, shown: str) -> None:
    if canonical.isdigit() and not any(c.isalpha() for c in shown):
        msg = (
            f"{quoted(shown)} is a lone number. Did you mean "
            f'"TIC {canonical.lstrip("0") or 0}"? A position needs two numbers, RA and Dec.'
        )
        raise TargetError(msg)
    if " " not in canonical and _read_angle(canonical) is not None:
        msg = (
            f"{quoted(shown)} is one coordinate; a position needs two, RA and Dec, as in "
            '"84.2912 -80.4691".'
        )
        raise TargetError(msg)


def _reject_or_pass(body: str, shown: str) -> None:
    """
    Refuse numbers that make no position, but let names pass that only resemble one.

    "1H 0707-495" and "2S 0114+650" are X-ray sources: one letter that looks like a unit does
    not make a position.
    """
    words = _WORD.findall(body)
    if len(words) == 1 and words[0].isalpha():
        return
    msg = (
        f"{quoted(shown)} cannot be read as RA and Dec. Type two decimal numbers such as "
        '"84.2912 -80.4691", or hours and degrees such as "05:37:09.9 -80:28:08.8" or '
        '"05h37m09.9s -80d28m08.8s".'
    )
    raise TargetError(msg)


def _canonical(body: str) -> str | None:
    """
    Write every unit as h, d, m or s; `None` if there is anything that no position holds.

    Letters have to follow a digit: "M 31" is not 31 minutes.
    """
    text = _EXPONENT.sub("E", body)
    for word in set(_WORD.findall(text)):
        if word not in _UNIT_WORDS:
            return None
    text = _WORD.sub(lambda m: _UNIT_WORDS[m[0]], text)
    if not re.fullmatch(r"[0-9+\-.,;:|/&hdmsE ]+", text) or not re.match(r"[+-]? ?\.?[0-9]", text):
        return None
    return text


_DECIMAL_COMMA = re.compile(r"([+-]?[0-9]+),([0-9]{3,})[\s;|/]+([+-]?[0-9]+),([0-9]{3,})")


def _split_pair(text: str) -> tuple[str, str] | None:
    """Find where RA ends and Dec begins in a canonical text."""
    comma = _DECIMAL_COMMA.fullmatch(text)
    if comma:
        return f"{comma[1]}.{comma[2]}", f"{comma[3]}.{comma[4]}"
    parts = [part.strip() for part in re.split(r"[,;|/&]", text.strip(" ,;|/&"))]
    if len(parts) == 2:
        return parts[0], parts[1]
    if len(parts) > 2:
        # A table cell per number: "05,37,09.9,-80,28,08.8".
        if any(" " in part for part in parts):
            return None
        text = " ".join(parts)
    return _split_at_sign(text) if re.search(r"(?<!E)(?<!^)[+-]", text) else _split_unsigned(text)


def _split_at_sign(text: str) -> tuple[str, str] | None:
    signs = [m.start() for m in re.finditer(r"(?<!E)[+-]", text) if m.start() > 0]
    if len(signs) != 1:
        return None
    first, second = text[: signs[0]].strip(), text[signs[0] :]
    # "120-30" may be half of anything; with a decimal point or a unit it is meant.
    if text[signs[0] - 1] != " " and first.isdigit() and second[1:].isdigit():
        return None
    return first, second


def _split_unsigned(text: str) -> tuple[str, str] | None:
    starts = [m.start() for m in re.finditer(r"[0-9.]+ ?[hd]", text)]
    if len(starts) == 2 and starts[0] == 0:
        return text[: starts[1]].strip(), text[starts[1] :]
    if len(starts) == 1:
        first, _, second = text.rpartition(" ")
        # In "05h37m 10" the last number may be seconds of RA as well as Dec.
        return (first, second) if first.endswith("s") or "." in first else None
    fields = re.sub(r" ?: ?", ":", text).split()
    half = len(fields) // 2
    if len(fields) not in {2, 4, 6} or (":" in text and half != 1):
        return None
    return " ".join(fields[:half]), " ".join(fields[half:])


def _read_angle(text: str) -> _Angle | None:
    match = _DECIMAL.fullmatch(text)
    if match:
        value = float(match[2] + (match[3] or ""))
        return _Angle(-value if match[1] == "-" else value, match[4], False, text)
    match = _SEXAGESIMAL.fullmatch(text)
    if match is None or (match[5] and "." in match[4]):
        return None
    minutes, seconds = float(match[4]), float(match[5] or 0)
    for name, part in (("minutes", minutes), ("seconds", seconds)):
        if part >= 60:
            msg = f"{quoted(text)} has {part:g} {name}; they run from 0 to below 60."
            raise TargetError(msg)
    value = (int(match[2]) * 3600 + minutes * 60 + seconds) / 3600
    unit = match[3] if match[3] in "hd" else ""
    return _Angle(-value if match[1] == "-" else value, unit, True, text)


def _right_ascension(ra: _Angle, dec: _Angle) -> float:
    """Return RA in degrees: hours where it is marked so, or sexagesimal without a mark."""
    if not ra.unit and not ra.is_sexagesimal and dec.is_sexagesimal:
        msg = (
            f"RA {quoted(ra.text)} may be hours or degrees. Write it like Dec "
            f'("05:37:09.9 -80:28:08.8"), or with its unit ("{ra.text.strip()}d").'
        )
        raise TargetError(msg)
    if ra.unit == "h" or (ra.is_sexagesimal and not ra.unit):
        limit, unit, scale = 24.0, "hours", 15.0
    else:
        limit, unit, scale = 360.0, "degrees", 1.0
    if not 0.0 <= ra.value <= limit:
        side = "below 0" if ra.value < 0 else f"above {limit:g}"
        msg = f"RA {ra.text.strip()} is {side} {unit}. {_range_advice(ra, dec, unit)}"
        raise TargetError(msg)
    return ra.value * scale % 360.0


def _range_advice(ra: _Angle, dec: _Angle, unit: str) -> str:
    if abs(dec.value) > 90 and abs(ra.value) <= 90:
        return "Are the two swapped? RA comes first, then Dec."
    if unit == "hours":
        return 'For RA in degrees write "84d17m28s" or "84.2912".'
    if -360.0 < ra.value < 0:
        return f"Did you mean {ra.value + 360:g}?"
    packed = re.fullmatch(r"[0-9]{6}(?:\.[0-9]*)?", ra.text)
    if packed and re.fullmatch(r"[+-]?[0-9]{6}(?:\.[0-9]*)?", dec.text):
        sign = "" if dec.text[0] in "+-" else "+"
        return f'Did you mean "J{ra.text}{sign}{dec.text}"?'
    return 'RA runs from 0 to 360 and Dec from -90 to +90, as in "84.2912 -80.4691".'


def _declination(dec: _Angle, ra: _Angle) -> float:
    if dec.unit == "h":
        msg = f"Dec {dec.text.strip()} is in hours. Give Dec in degrees, from -90 to +90."
        raise TargetError(msg)
    if not abs(dec.value) <= 90:
        swapped = "RA comes first, then Dec: are they swapped? " if abs(ra.value) <= 90 else ""
        msg = f"Dec {dec.text.strip()} is beyond 90 degrees. {swapped}Dec runs from -90 to +90."
        raise TargetError(msg)
    return dec.value


_DESIGNATION = re.compile(
    r"j ?([0-9]{2})([0-9]{2})([0-9]{2}(?:\.[0-9]*)?) ?([+-]) ?"
    r"([0-9]{2})([0-9]{2})([0-9]{2}(?:\.[0-9]*)?)"
)
_COARSE_DESIGNATION = re.compile(r"j ?[0-9]{4,5}(?:\.[0-9]*)? ?[+-] ?[0-9]{2,6}(?:\.[0-9]*)?")


def _read_designation(plain: str, shown: str) -> SkyPosition | None:
    """Read the bare position of an IAU designation, such as J053709.9-802808.8."""
    match = _DESIGNATION.fullmatch(plain)
    if match:
        hours, minutes, seconds, sign, degrees, arcmin, arcsec = match.groups()
        ra = _read_angle(f"{hours}h{minutes}m{seconds}s")
        dec = _read_angle(f"{sign}{degrees}d{arcmin}m{arcsec}s")
        if ra is not None and dec is not None:
            return SkyPosition(_right_ascension(ra, dec), _declination(dec, ra), shown)
    if _COARSE_DESIGNATION.fullmatch(plain):
        msg = (
            f"{quoted(shown)} gives the position to the arcminute only. Type the full name with "
            'its catalogue, such as "PSR J0437-4715", or seconds, such as "J053709.9-802808".'
        )
        raise TargetError(msg)
    return None


_GALACTIC = re.compile(r"gal(?:actic)?\.?\b(?: coord(?:inate)?s?)?[\s:=]*(?P<rest>.+)")
_GALACTIC_BEHIND = re.compile(r"(?P<rest>.+?)[\s,;(]*gal(?:actic)?\.?\)?")
_L_AND_B = re.compile(
    rf"{_BETWEEN}(?:g?lon|l|ℓ){_EQUALS}([0-9.+-].*?){_BETWEEN}"
    rf"(?<![a-z])(?:g?lat|b){_EQUALS}([0-9.+-].*?){_BETWEEN}"
)


def _read_galactic(plain: str, shown: str) -> SkyPosition | None:
    marked = _GALACTIC.fullmatch(plain) or _GALACTIC_BEHIND.fullmatch(plain)
    body = _squeezed(marked["rest"] if marked else plain)
    labelled = _L_AND_B.fullmatch(body)
    if not (labelled or marked):
        return None
    texts = labelled.groups() if labelled else _split_pair(_canonical(body) or "")
    lon, lat = (_read_angle(_canonical(text) or "") for text in texts or ("", ""))
    return _galactic_position(lon, lat, shown) if lon and lat else None


def _galactic_position(lon: _Angle, lat: _Angle, shown: str) -> SkyPosition:
    if "h" in (lon.unit, lat.unit) or not (0 <= lon.value <= 360 and abs(lat.value) <= 90):
        msg = (
            f"{quoted(shown)} is not a galactic position: l runs from 0 to 360 degrees and b "
            'from -90 to +90, as in "l=292.53 b=-29.79".'
        )
        raise TargetError(msg)
    from astropy.coordinates import SkyCoord

    icrs = SkyCoord(l=lon.value, b=lat.value, unit="deg", frame="galactic").icrs
    return SkyPosition(float(icrs.ra.deg), float(icrs.dec.deg), shown)
