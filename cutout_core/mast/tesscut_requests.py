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
from cutout_core.target import quoted

# What projects that use TESSCut report as its limit for one cutout; astrocut, the program behind
# it, has the same number (max_pixels).
MAX_PIXELS = 10_000

# Side of a pixel as TESSCut's own interface counts it (radius in units of px).
PIXEL_SCALE_ARCSEC = 21.0

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
    reply = session.get(f"{_API}/sector", query, expect="json").json or {}
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
    return [_request(session, ra, dec, size, sector) for sector in sorted(set(sectors))]


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


def _request(
    session: MastSession, ra: float, dec: float, size: CutoutSize, sector: int
) -> CutoutRequest:
    path = f"{_API}/astrocut"
    query: tuple[tuple[str, QueryValue], ...] = (
        *size.as_query().items(),
        ("sector", sector),
        ("ra", float(ra)),
        ("dec", float(dec)),
    )
    return CutoutRequest(path, query, f"sector {sector}", sector, session.url_for(path, query))


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
