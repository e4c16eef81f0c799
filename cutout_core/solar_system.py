"""
Names of bodies that move: which text means one, and what to ask MAST for.

MAST's name resolver knows things that stay where they are. Asteroids, comets, planets and moons are
looked up by JPL Horizons, behind TESSCut's requests for moving targets.
"""

import csv
import functools
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from cutout_core.target import clean_text

_TABLE = Path(__file__).parent / "data" / "solar_system.csv"

_EXAMPLES = 'the name of an asteroid or comet, such as "Ceres", "433 Eros" or "C/2020 F3"'

# In Horizons planets and moons are major bodies. So is Pluto, with its moons.
_MAJOR_KINDS = {"planet", "moon"}
_MAJOR_NAMES = {"Pluto"}

# Two letters and a subscript: the half-month of the discovery, and its place in it (Minor Planet
# Center, "New- And Old-Style Minor Planet Designations"). There is no half-month I or Z.
_PROVISIONAL = r"\d{4} ?[A-HJ-Y][A-HJ-Z]\d{0,3}"
_COMET_ORBIT = r"\d{4} ?[A-HJ-Y][A-HJ-Z]?\d{1,3}(?:-[A-Z]{1,2})?"
_PATTERNS = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("interstellar object", rf"\d{{1,2}}I(?:/.+)?|[AI]/{_COMET_ORBIT}(?: .+)?"),
        ("comet", rf"[CPDX]/{_COMET_ORBIT}(?: .+)?|\d{{1,3}}[PD](?:-[A-Z]{{1,2}})?(?:/.+)?"),
        ("asteroid", rf"{_PROVISIONAL}|(?:\(\d{{1,7}}\)|\d{{1,7}}) ?{_PROVISIONAL}"),
    )
)
# "433 Eros", but neither "47 Tuc" nor "61 Cygni", a star's number in its constellation.
_NUMBER_AND_NAME = re.compile(r"(?:\((\d{1,7})\) ?|(\d{1,7}) )([^\W\d_][^\W\d_'’\- ]{3,})")
_CONSTELLATIONS = """
    andromedae antliae apodis aquarii aquilae arae arietis aurigae bootis caeli camelopardalis
    cancri canum canis capricorni carinae cassiopeiae centauri cephei ceti chamaeleontis circini
    columbae comae coronae corvi crateris crucis cygni delphini doradus draconis equulei eridani
    fornacis geminorum gruis herculis horologii hydrae hydri indi lacertae leonis leporis librae
    lupi lyncis lyrae mensae microscopii monocerotis muscae normae octantis ophiuchi orionis pavonis
    pegasi persei phoenicis pictoris piscium piscis puppis pyxidis reticuli sagittae sagittarii
    scorpii sculptoris scuti serpentis sextantis tauri telescopii trianguli tucanae ursae velorum
    virginis volantis vulpeculae
    """


@dataclass(frozen=True, slots=True)
class Body:
    """
    A body of the Solar System, as far as its name tells.

    Attributes
    ----------
    name : str
        What to ask MAST for, as JPL Horizons understands it: "Eros", "67P", "C/2020 F3".
    label : str
        What to call it: "433 Eros", "67P/Churyumov-Gerasimenko", "C/2020 F3 (NEOWISE)".
    kind : str
        "asteroid", "comet", "dwarf planet", "planet", "moon" or "interstellar object".
    """

    name: str
    label: str
    kind: str

    @property
    def mt_type(self) -> str:
        """What TESSCut calls the type of a moving target: "majorbody" or "smallbody"."""
        is_major = self.kind in _MAJOR_KINDS or self.name in _MAJOR_NAMES
        return "majorbody" if is_major else "smallbody"


def read_body_name(text: str) -> str:
    """
    Read what was typed as the name of a moving target.

    Parameters
    ----------
    text : str

    Returns
    -------
    name : str
        Without surplus blanks, else as typed: what JPL Horizons makes of it only MAST can tell.

    Raises
    ------
    TargetError
        If it is empty, too long, or holds control characters.
    """
    return clean_text(text, _EXAMPLES)


def find_body(text: str) -> Body | None:
    """
    Tell which body of the Solar System a text means, if it is one.

    Known names count, with or without their number, and what has the form of a comet's or
    asteroid's designation. It is a hint for names that no resolver of stars knows, no proof: a few
    stars and galaxies have such names, too.

    Parameters
    ----------
    text : str

    Returns
    -------
    body : Body or None
        `None` if the text does not look like one.
    """
    name = " ".join(text.split())
    return known_bodies().get(_key(name)) or _by_form(name)


def is_solar_system_name(text: str) -> bool:
    """
    Tell whether a text looks like the name of an asteroid, comet, planet or moon.

    Parameters
    ----------
    text : str

    Returns
    -------
    is_one : bool
        See `find_body`.
    """
    return find_body(text) is not None


@functools.cache
def known_bodies() -> Mapping[str, Body]:
    """
    Return the bodies of the table by all spellings of their names.

    Returns
    -------
    bodies : mapping of str to Body
        Keys have neither capitals, accents, blanks nor signs. Of bodies of the same name the
        earlier in the table counts.
    """
    found: dict[str, Body] = {}
    lines = _TABLE.read_text(encoding="utf-8").splitlines()
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        body = _body(row["kind"], row["designation"], row["name"])
        spellings = {row["name"], body.name, body.label, f"{row['designation']} {row['name']}"}
        for key in sorted(_key(spelling) for spelling in spellings):
            found.setdefault(key, body)
    return MappingProxyType(found)


def _body(kind: str, designation: str, name: str) -> Body:
    if not designation:
        return Body(name, name, kind)
    if designation.isdigit():
        return Body(name, f"{designation} {name}", kind)
    # The name alone is often several comets': a discoverer's, or a survey's.
    label = f"{designation} ({name})" if "/" in designation else f"{designation}/{name}"
    return Body(designation, label, kind)


def _by_form(name: str) -> Body | None:
    plain = name.replace("’", "'")
    for kind, pattern in _PATTERNS:
        if pattern.fullmatch(plain):
            return Body(plain, plain, kind)
    match = _NUMBER_AND_NAME.fullmatch(plain)
    if match is None or match[3].casefold() in _CONSTELLATIONS.split():
        return None
    return Body(match[3], f"{match[1] or match[2]} {match[3]}", "asteroid")


def _key(name: str) -> str:
    """Reduce a name to what is compared."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    return re.sub(r"[^a-z0-9]", "", plain.casefold())
