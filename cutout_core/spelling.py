"""Names that a misspelt one may have meant, from tables of well-known ones."""

import csv
import difflib
import functools
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from cutout_core.solar_system import known_bodies

_TABLE = Path(__file__).parent / "data" / "example_names.csv"

# Share of the letters that two names have in common, in order: "Pi Mensea" and "Pi Mensae" have
# 0.88, "Vega" and "Vela" 0.75.
_ALIKE = 0.76

_NUMBER = re.compile(r"(?:tic|kic|epic|gaia|toi|koi|2mass|hip|tyc|ic|ngc|m|hd|gj|sdss)[\d.+\-j]+")


@functools.cache
def example_names() -> Mapping[str, str]:
    """
    Return well-known names of stars, nebulae and galaxies.

    Returns
    -------
    names : mapping of str to str
        Name -> what it is, in words.
    """
    lines = _TABLE.read_text(encoding="utf-8").splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    return MappingProxyType({row["name"]: row["about"] for row in rows})


def similar_names(text: str, n: int = 3) -> tuple[str, ...]:
    """
    Find well-known names that are spelled like a text.

    Parameters
    ----------
    text : str
        A name that nobody knows.
    n : int, optional
        How many to give at most.

    Returns
    -------
    names : tuple of str
        The most alike first. Empty if nothing is alike, and for catalogue numbers: a number next
        to a mistyped one is another star.
    """
    key = _key(text)
    if _NUMBER.fullmatch(key):
        return ()
    found = difflib.get_close_matches(key, _by_key(), n, _ALIKE)
    return tuple(dict.fromkeys(_by_key()[match] for match in found))


@functools.cache
def _by_key() -> dict[str, str]:
    names = {_key(name): name for name in example_names()}
    for body in known_bodies().values():
        name = body.name if body.kind != "comet" else body.label
        names.setdefault(_key(name), name)
    return names


def _key(text: str) -> str:
    return re.sub(r"[\s'’_]+", "", text.casefold())
