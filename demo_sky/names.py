"""
The name resolver: names to positions, in the shape of SANTA's replies.

SANTA is MAST's front to several resolvers; this one knows the objects of `data/named_objects.csv`
and, as TIC numbers, the stars of the simulated field.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from demo_sky.sky.catalogue import star_by_number

# SANTA's order: without a choice, the first that knows the name answers.
RESOLVERS = ("TIC", "KEPLER", "K2", "DADS", "EXO", "SIMBAD", "SIMBADCFA", "NED")

# What SANTA says of how long it took, milliseconds; of the order of real replies.
_RESOLVER_TIME_MS = {"TIC": 2, "SIMBAD": 294, "SIMBADCFA": 290, "NED": 1165}

_TABLE = Path(__file__).parent / "data" / "named_objects.csv"

_TIC_SEARCH_RADIUS = "0.000333"

# Real and simulated numbers have up to 13 digits.
_NUMBERED = re.compile(r"tic(\d{1,15})", re.ASCII)

_OPTIONAL_NUMBERS = (
    ("radius", "radius"),
    ("major_axis", "majorAxis"),
    ("minor_axis", "minorAxis"),
    ("position_angle", "positionAngle"),
)


@dataclass(frozen=True, slots=True)
class NamedObject:
    """
    What one resolver knows about one object.

    Attributes
    ----------
    names : tuple of str
        Spellings that find it.
    resolver : str
        One of `RESOLVERS`.
    reply : dict
        The entry of SANTA's reply, without the search string.
    """

    names: tuple[str, ...]
    resolver: str
    reply: dict[str, Any]


def normalise(name: str) -> str:
    """
    Reduce a name to what is compared: no capitals, blanks or hyphens.

    Parameters
    ----------
    name : str
        As typed.

    Returns
    -------
    key : str
        Equal for all spellings of a name.
    """
    return re.sub(r"[\s\-]+", "", name.casefold())


def _reply(row: dict[str, str]) -> dict[str, Any]:
    reply: dict[str, Any] = {
        "resolver": row["resolver"],
        "cached": False,
        "resolverTime": _RESOLVER_TIME_MS[row["resolver"]],
        "searchRadius": float(row["search_radius"]),
        "canonicalName": row["canonical_name"],
        "ra": float(row["ra"]),
        "decl": float(row["decl"]),
    }
    for column, key in _OPTIONAL_NUMBERS:
        if row.get(column):
            reply[key] = float(row[column])
    if row.get("object_type"):
        reply["objectType"] = row["object_type"]
    return reply


@lru_cache(maxsize=1)
def named_objects() -> tuple[NamedObject, ...]:
    """
    Read the table of objects.

    Returns
    -------
    objects : tuple of NamedObject
        Several for an object that several resolvers know.
    """
    with _TABLE.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(line for line in lines if not line.startswith("#"))
        return tuple(
            NamedObject(tuple(row["names"].split("|")), row["resolver"], _reply(row))
            for row in rows
        )


@lru_cache(maxsize=1)
def _by_key() -> dict[str, list[NamedObject]]:
    by_key: dict[str, list[NamedObject]] = {}
    for known in sorted(named_objects(), key=lambda known: RESOLVERS.index(known.resolver)):
        for key in {normalise(name) for name in known.names}:
            by_key.setdefault(key, []).append(known)
    return by_key


def _field_star(key: str) -> list[NamedObject]:
    """Look a star of the simulated field up by its number, which no real star has."""
    match = _NUMBERED.fullmatch(key)
    if match is None:
        return []
    stars = star_by_number(int(match[1]))
    if len(stars) == 0:
        return []
    name = f"TIC {stars.tic[0]}"
    row = {
        "resolver": "TIC",
        "search_radius": _TIC_SEARCH_RADIUS,
        "canonical_name": name,
        "ra": str(stars.ra[0]),
        "decl": str(stars.dec[0]),
    }
    return [NamedObject((name,), "TIC", _reply(row))]


def resolve(
    names: Sequence[str], *, resolvers: Sequence[str] = (), resolve_all: bool = False
) -> dict[str, Any]:
    """
    Answer a query as SANTA does.

    Parameters
    ----------
    names : sequence of str
        What to look up.
    resolvers : sequence of str, optional
        Ask only these, in any spelling; none means all.
    resolve_all : bool, optional
        Give the answers of all resolvers. Without it, and without a choice of resolvers, each name
        gets the answer of the first resolver that knows it.

    Returns
    -------
    reply : dict
        ``resolvedCoordinate``: a list of matches, by name and then in SANTA's order of resolvers;
        names that nobody knows are left out. ``searchString`` is the name in lower case.
    """
    chosen = {name.upper() for name in resolvers}
    entries = []
    for name in names:
        key = normalise(name)
        matches = [
            known
            for known in _by_key().get(key) or _field_star(key)
            if resolve_all or not chosen or known.resolver in chosen
        ]
        if not resolve_all and not chosen:
            matches = matches[:1]
        entries += [{"searchString": name.lower(), **known.reply} for known in matches]
    return {"resolvedCoordinate": entries, "status": ""}
