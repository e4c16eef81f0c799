"""
Which requests TESSCut takes, and what its lists of sectors say.

One request asks for one sector: one for several takes MAST longer than its gateway waits.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from cutout_core.errors import InvalidQueryError, LimitError, UnexpectedReplyError
from cutout_core.mast.cutouts import CutoutRequest
from cutout_core.mast.session import MastSession, QueryValue
from cutout_core.size import CutoutSize
from cutout_core.solar_system import read_body_name
from cutout_core.target import quoted

# What projects that use TESSCut report as its limit for one cutout; astrocut, the program behind
# it, has the same number (max_pixels).
MAX_PIXELS = 10_000

# Side of a pixel as TESSCut's own interface counts it (radius in units of px).
PIXEL_SCALE_ARCSEC = 21.0

#: Types of moving targets, as astroquery documents them.
MOVING_TYPES = ("majorbody", "smallbody")

_API = "tesscut/api/v0.1"

SectorsLike: TypeAlias = "int | str | Iterable[int | str]"


@dataclass(frozen=True, slots=True)
class Sector:
    """
    One CCD of one sector that sees a position.

    Attributes
    ----------
    name : str
        As MAST writes it: "tess-s0033-4-1".
    sector : int
        Numbers above 1000 are special data sets, such as comet 3I/ATLAS in 1751.
    camera, ccd : int
        1 to 4.
    """

    name: str
    sector: int
    camera: int
    ccd: int


def find_sectors(
    session: MastSession, ra: float, dec: float, *, radius_deg: float = 0.0
) -> list[Sector]:
    """
    Ask which sectors, cameras and CCDs of TESS see a position.

    Parameters
    ----------
    session : MastSession
    ra, dec : float
        ICRS, in degrees.
    radius_deg : float, optional
        Find every CCD that a circle of this radius touches.

    Returns
    -------
    sectors : list of Sector
        Ascending; empty if there are none.

    Raises
    ------
    ServiceError
        If MAST cannot be asked or sends something else.
    """
    query = (("ra", float(ra)), ("dec", float(dec)), ("radius", float(radius_deg)))
    return _sectors(session.get(f"{_API}/sector", query, expect="json").json)


@dataclass(frozen=True, slots=True)
class MovingSectors:
    """
    Where TESS has seen a moving target.

    Attributes
    ----------
    sectors : list of Sector
        Ascending; several of one sector if the target crossed from CCD to CCD.
    message : str
        Why there are none, in the service's words; "" if it says nothing.
    """

    sectors: list[Sector]
    message: str = ""


def find_moving_sectors(
    session: MastSession, name: str, mt_type: str | None = None
) -> MovingSectors:
    """
    Ask which sectors, cameras and CCDs of TESS have seen an asteroid, comet or planet.

    MAST takes its path from JPL Horizons, which takes some seconds.

    Parameters
    ----------
    session : MastSession
    name : str
        Name or number, as JPL Horizons understands it: "Ceres", "C/2020 F3".
    mt_type : str, optional
        See `read_mt_type`.

    Returns
    -------
    found : MovingSectors

    Raises
    ------
    InvalidQueryError
        If there is no such type, or the name is none.
    ServiceError
        If MAST cannot be asked or sends something else.
    """
    query = _moving_query(name, mt_type)
    reply = session.get(f"{_API}/moving_target/sector", query, expect="json").json
    message = (reply or {}).get("msg")
    found = _sectors(reply)
    return MovingSectors(found, " ".join(message.split()) if isinstance(message, str) else "")


def read_mt_type(mt_type: str | None) -> str | None:
    """
    Read the type of a moving target.

    Parameters
    ----------
    mt_type : str or None
        "majorbody" for planets and moons, "smallbody" for asteroids and comets, in any case. The
        spellings "major_body" and "small_body", which astroquery's tests have, are passed on.

    Returns
    -------
    mt_type : str or None
        `None` where it is `None` or empty: MAST then looks among the major bodies first.

    Raises
    ------
    InvalidQueryError
        If it is something else.
    """
    if not mt_type:
        return None
    name = mt_type.strip().lower() if isinstance(mt_type, str) else ""
    if name.replace("_", "") not in MOVING_TYPES:
        msg = (
            f"There is no type {quoted(str(mt_type))} of moving targets. Write "
            f"{' or '.join(quoted(known) for known in MOVING_TYPES)}, or leave it out for both."
        )
        raise InvalidQueryError(msg)
    return name


def _moving_query(name: str, mt_type: str | None) -> tuple[tuple[str, QueryValue], ...]:
    checked, query = read_mt_type(mt_type), (("obj_id", read_body_name(name)),)
    return (*query, ("obj_type", checked)) if checked else query


def _sectors(reply: dict[str, Any] | None) -> list[Sector]:
    """Read a list of sectors, and put it in order."""
    reply = reply or {}
    if not ("results" in reply or "msg" in reply):
        raise UnexpectedReplyError(_UNKNOWN_FORM)
    entries = reply.get("results") or []
    try:
        found = [
            Sector(str(e["sectorName"]), int(e["sector"]), int(e["camera"]), int(e["ccd"]))
            for e in entries
        ]
    except (KeyError, TypeError, ValueError) as exc:
        raise UnexpectedReplyError(_UNKNOWN_FORM) from exc
    return sorted(found, key=lambda entry: (entry.sector, entry.camera, entry.ccd))


_UNKNOWN_FORM = (
    "MAST sent a list of sectors of an unknown form. This is not your fault. Try again later."
)


def check_size(size: CutoutSize) -> CutoutSize:
    """
    Refuse a size that TESSCut refuses.

    Parameters
    ----------
    size : CutoutSize

    Returns
    -------
    size : CutoutSize
        The same.

    Raises
    ------
    LimitError
        If the cutout has more than `MAX_PIXELS`.
    """
    ny, nx = size.in_pixels(PIXEL_SCALE_ARCSEC)
    if ny * nx > MAX_PIXELS:
        side = math.isqrt(MAX_PIXELS)
        msg = (
            f"A cutout of {ny} x {nx} TESS pixels has {ny * nx:,} of them; TESSCut makes at most "
            f"{MAX_PIXELS:,}, such as {side} x {side} "
            f"({side * PIXEL_SCALE_ARCSEC / 60:.0f} arcmin a side)."
        )
        raise LimitError(msg)
    return size


def plan_cutouts(
    session: MastSession,
    ra: float,
    dec: float,
    size: CutoutSize,
    sectors: Iterable[int] | None,
) -> list[CutoutRequest]:
    """
    Say which requests get the cutouts around a position: one per sector.

    One request for several sectors takes MAST longer than its gateway waits (astroquery issue
    2447).

    Parameters
    ----------
    session : MastSession
        Asked for the sectors if none are given.
    ra, dec : float
        ICRS, in degrees.
    size : CutoutSize
    sectors : iterable of int, or None
        `None` for all that the cutout touches.

    Returns
    -------
    requests : list of CutoutRequest
        In ascending order of the sectors, each once; empty if TESS has not been there.

    Raises
    ------
    LimitError
        If the cutout is larger than TESSCut makes.
    ServiceError
        If MAST cannot be asked for the sectors.
    """
    check_size(size)
    if sectors is None:
        # The service cuts from every CCD that the cutout touches, the centre on it or not.
        found = find_sectors(session, ra, dec, radius_deg=_half_diagonal_deg(size))
        sectors = [entry.sector for entry in found]
    place = (("ra", float(ra)), ("dec", float(dec)))
    return _requests(session, "astrocut", size, sectors, place)


def plan_moving_cutouts(
    session: MastSession,
    name: str,
    size: CutoutSize,
    sectors: Iterable[int] | None,
    mt_type: str | None = None,
) -> list[CutoutRequest]:
    """
    Say which requests get the cutouts that follow a moving target: one per sector.

    Parameters
    ----------
    session : MastSession
        Asked for the sectors if none are given.
    name : str
        Name or number, as JPL Horizons understands it.
    size : CutoutSize
    sectors : iterable of int, or None
        `None` for all that have seen the target.
    mt_type : str, optional
        See `read_mt_type`.

    Returns
    -------
    requests : list of CutoutRequest
        In ascending order of the sectors, each once; empty if TESS has not seen the target.

    Raises
    ------
    InvalidQueryError
        If there is no such type, or the name is none (`LimitError`: the cutout is larger than
        TESSCut makes).
    ServiceError
        If MAST cannot be asked for the sectors.
    """
    check_size(size)
    target = _moving_query(name, mt_type)
    if sectors is None:
        sectors = [entry.sector for entry in find_moving_sectors(session, name, mt_type).sectors]
    return _requests(session, "moving_target/astrocut", size, sectors, target)


def read_sectors(sectors: SectorsLike | None) -> list[int] | None:
    """
    Read the sectors of a call.

    Parameters
    ----------
    sectors : int, str, iterable of them, or None

    Returns
    -------
    sectors : list of int, or None
        Ascending, each once; `None` means all.

    Raises
    ------
    InvalidQueryError
        If one is not a whole number above zero, or if the list is empty.
    """
    if sectors is None:
        return None
    if isinstance(sectors, str) or not isinstance(sectors, Iterable):
        sectors = [sectors]
    numbers = sorted({_read_sector(sector) for sector in sectors})
    if not numbers:
        msg = "The list of sectors is empty. Name one at least, or leave it out for all."
        raise InvalidQueryError(msg)
    return numbers


def _requests(
    session: MastSession,
    endpoint: str,
    size: CutoutSize,
    sectors: Iterable[int],
    target: tuple[tuple[str, QueryValue], ...],
) -> list[CutoutRequest]:
    """Make a request for each sector, in ascending order."""
    path, requests = f"{_API}/{endpoint}", []
    for sector in sorted(set(sectors)):
        query = (*size.as_query().items(), ("sector", sector), *target)
        url = session.url_for(path, query)
        requests.append(CutoutRequest(path, query, f"sector {sector}", sector, url))
    return requests


def _half_diagonal_deg(size: CutoutSize) -> float:
    scale = PIXEL_SCALE_ARCSEC / 3600 if size.unit == "px" else 1.0
    return math.hypot(size.ny, size.nx) / 2 * scale


def _read_sector(sector: Any) -> int:
    try:
        if isinstance(sector, bool):
            raise TypeError
        number = int(sector) if isinstance(sector, str) else operator.index(sector)
    except (TypeError, ValueError) as exc:
        msg = f"The sector {quoted(str(sector))} is not a whole number such as 33."
        raise InvalidQueryError(msg) from exc
    if not 1 <= number <= 9999:
        msg = f"There is no sector {number}; they are counted from 1. Leave it out for all."
        raise InvalidQueryError(msg)
    return number
