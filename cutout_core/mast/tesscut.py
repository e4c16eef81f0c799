"""TESSCut: cutouts from the full-frame images of TESS, a movie of some 27 days per sector."""

from __future__ import annotations

import math
import operator
import os
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

from cutout_core.archive import CutoutArchive
from cutout_core.errors import (
    InputWarning,
    InvalidQueryError,
    LimitError,
    NoResultsWarning,
    UnexpectedReplyError,
)
from cutout_core.mast.arguments import (
    CoordinatesLike,
    RadiusLike,
    ignored,
    locate,
    read_radius_deg,
    renamed,
)
from cutout_core.mast.cutouts import (
    CutoutRequest,
    CutoutService,
    DownloadFolder,
    fetch_all,
    fetch_cutout,
    open_hdus,
)
from cutout_core.mast.session import MastSession, QueryValue
from cutout_core.size import CutoutSize, SizeLike, parse_size
from cutout_core.target import quoted

if TYPE_CHECKING:
    from astropy.io.fits import HDUList
    from astropy.table import Table

__all__ = [
    "MAX_PIXELS",
    "PIXEL_SCALE_ARCSEC",
    "CutoutRequest",
    "Sector",
    "Tesscut",
    "TesscutClass",
    "check_size",
    "fetch_cutout",
    "find_sectors",
    "plan_cutouts",
    "read_sectors",
]

# What projects that use TESSCut report as its limit for one cutout; astrocut, the program behind
# it, has the same number (max_pixels).
MAX_PIXELS = 10_000

# Side of a pixel as TESSCut's own interface counts it (radius in units of px).
PIXEL_SCALE_ARCSEC = 21.0

_API = "tesscut/api/v0.1"

_NO_SECTOR = "Coordinates are not in any TESS sector."

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


class TesscutClass(CutoutService):
    """
    TESSCut in the manner of `astroquery.mast.Tesscut`.

    Parameters
    ----------
    session : MastSession, optional
        See `CutoutService`.
    """

    def get_sectors(
        self,
        *,
        coordinates: CoordinatesLike | None = None,
        radius: RadiusLike = 0.0,
        object_name: str | None = None,
        moving_target: bool = False,
        mt_type: str | None = None,
        resolver: str | None = None,
        product: str | None = None,
        objectname: str | None = None,
    ) -> Table:
        """
        List the sectors, cameras and CCDs of TESS that see a position.

        Parameters
        ----------
        coordinates : SkyCoord, frame or str, optional
            The position. Either this or `object_name` has to be given.
        radius : float, str or `~astropy.units.Quantity`, optional
            Find every CCD that a circle of this radius touches. A plain number is in degrees.
        object_name : str, optional
            The name of a star or galaxy, such as "M104" or "TIC 141914082".
        moving_target, mt_type : optional
            For asteroids and comets; this version handles fixed targets only.
        resolver : str, optional
            Who is to look the name up; see `resolve_name`.
        product, objectname : optional
            Older spellings: "SPOC" is the only product, `objectname` is `object_name`.

        Returns
        -------
        sectors : `~astropy.table.Table`
            Columns sectorName (str), sector, camera, ccd (int64). Empty if there are none.

        Raises
        ------
        InvalidQueryError
            If the call cannot be understood.
        ResolverError
            If the name is not known.
        ServiceError
            If MAST cannot be asked.

        Warns
        -----
        NoResultsWarning
            If the table is empty.
        """
        from astropy.table import Table

        _check_fixed(moving_target=moving_target, mt_type=mt_type)
        name = _older_spellings(object_name, objectname, product)
        radius_deg = read_radius_deg(radius)
        ra, dec = locate(self.session, coordinates, name, resolver)
        found = find_sectors(self.session, ra, dec, radius_deg=radius_deg)
        if not found:
            warnings.warn(_NO_SECTOR, NoResultsWarning, stacklevel=2)
        return Table(
            {
                "sectorName": [s.name for s in found],
                "sector": [s.sector for s in found],
                "camera": [s.camera for s in found],
                "ccd": [s.ccd for s in found],
            },
            dtype=[str, "int64", "int64", "int64"],
        )

    def get_cutouts(
        self,
        *,
        coordinates: CoordinatesLike | None = None,
        size: SizeLike = 5,
        sector: SectorsLike | None = None,
        object_name: str | None = None,
        moving_target: bool = False,
        mt_type: str | None = None,
        resolver: str | None = None,
        product: str | None = None,
        objectname: str | None = None,
        units: str | None = None,
    ) -> list[HDUList]:
        """
        Fetch target pixel files around a position into memory.

        Sectors are fetched at the same time, one request each. One that fails does not lose the
        others.

        Parameters
        ----------
        coordinates : SkyCoord, frame or str, optional
            The centre. Either this or `object_name` has to be given.
        size : number, (ny, nx) or `~astropy.units.Quantity`, optional
            In pixels, or an angle. Default: 5 pixels.
        sector : int, str or several, optional
            Default: all that the cutout touches.
        object_name : str, optional
            The name of a star or galaxy, such as "M104" or "TIC 141914082".
        moving_target, mt_type : optional
            For asteroids and comets; this version handles fixed targets only.
        resolver : str, optional
            Who is to look the name up; see `resolve_name`.
        product, objectname, units : optional
            Older spellings: "SPOC" is the only product, `objectname` is `object_name`, `units`
            is ignored.

        Returns
        -------
        cutouts : list of `~astropy.io.fits.HDUList`
            In ascending order of the sectors; several for a sector whose CCDs meet there.

        Raises
        ------
        InvalidQueryError
            If the call cannot be understood (`SizeError`, `LimitError`: the size).
        ResolverError
            If the name is not known.
        ServiceError, ProductError
            If every request failed: why the first did.

        Warns
        -----
        NoResultsWarning
            If there is nothing at the position, or in one of the given sectors.
        CutoutWarning
            If a sector failed and others did not.
        """
        _check_fixed(moving_target=moving_target, mt_type=mt_type)
        name = _older_spellings(object_name, objectname, product, units)
        sectors, checked = read_sectors(sector), check_size(parse_size(size))
        ra, dec = locate(self.session, coordinates, name, resolver)
        requests = plan_cutouts(self.session, ra, dec, checked, sectors)
        return self._fetched(requests, open_hdus, sectors)

    def download_cutouts(
        self,
        *,
        coordinates: CoordinatesLike | None = None,
        size: SizeLike = 5,
        sector: SectorsLike | None = None,
        path: str | os.PathLike[str] = ".",
        inflate: bool = True,
        object_name: str | None = None,
        moving_target: bool = False,
        mt_type: str | None = None,
        resolver: str | None = None,
        verbose: bool = False,
        product: str | None = None,
        objectname: str | None = None,
        units: str | None = None,
    ) -> Table:
        """
        Fetch target pixel files around a position into a folder.

        Parameters
        ----------
        coordinates, size, sector, object_name, moving_target, mt_type, resolver : optional
            As in `get_cutouts`.
        path : str or path-like, optional
            The folder; made if it is not there. Files of the same name are replaced.
        inflate : bool, optional
            Whether to take the files out of the zip archives that they come in. If not, the
            archives are kept, one per sector: ``tesscut_<YYYYMMDDhhmmss>.zip`` for a single one,
            with ``_s0033`` and so on in the name for several.
        verbose : bool, optional
            Whether to say on standard output what is written.
        product, objectname, units : optional
            As in `get_cutouts`.

        Returns
        -------
        manifest : `~astropy.table.Table`
            Column "Local Path": the files, in ascending order of the sectors.

        Raises
        ------
        CutoutError
            As `get_cutouts`, or if a file cannot be written.

        Warns
        -----
        NoResultsWarning, CutoutWarning
            As `get_cutouts`.
        """
        from astropy.table import Table

        _check_fixed(moving_target=moving_target, mt_type=mt_type)
        name = _older_spellings(object_name, objectname, product, units)
        sectors, checked = read_sectors(sector), check_size(parse_size(size))
        ra, dec = locate(self.session, coordinates, name, resolver)
        requests = plan_cutouts(self.session, ra, dec, checked, sectors)
        folder = DownloadFolder(path, "tesscut", n_requests=len(requests), verbose=verbose)
        save = folder.save_members if inflate else folder.save_archive
        return Table({"Local Path": self._fetched(requests, save, sectors)}, dtype=[str])

    def _fetched(
        self,
        requests: list[CutoutRequest],
        receive: Callable[[CutoutRequest, CutoutArchive], list[Any]],
        sectors: list[int] | None,
    ) -> list[Any]:
        if not requests:
            warnings.warn(_NO_SECTOR, NoResultsWarning, stacklevel=3)
            return []
        found = fetch_all(self.session, requests, receive, nothing_is_news=sectors is not None)
        return list(chain.from_iterable(found))


Tesscut = TesscutClass()


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


def _older_spellings(
    object_name: str | None,
    objectname: str | None,
    product: str | None,
    units: str | None = None,
) -> str | None:
    """Warn of arguments that are out of use, and return the name under either spelling."""
    if product is not None and str(product).upper() == "TICA":
        msg = (
            "TESSCut makes no cutouts from TICA images any more: they ended in August 2025. "
            "Single TICA full-frame images are at https://archive.stsci.edu/hlsp/tica; cutouts "
            "from SPOC images are what you get without product."
        )
        raise InvalidQueryError(msg)
    if product is not None and str(product).upper() != "SPOC":
        msg = f"Input product must be SPOC, not {quoted(str(product))}. Leave it out."
        raise InvalidQueryError(msg)
    ignored(product, name="product", reason="all cutouts are made from SPOC images.")
    ignored(units, name="units", reason="give size as a Quantity instead.")
    return renamed(object_name, objectname, new_name="object_name", old_name="objectname")


def _check_fixed(*, moving_target: bool, mt_type: str | None) -> None:
    if moving_target:
        msg = (
            "This version of Skystamp handles fixed targets only. For an asteroid or comet use "
            "https://mast.stsci.edu/tesscut, or a later version."
        )
        raise InvalidQueryError(msg)
    if mt_type is not None:
        msg = "mt_type is for moving targets only; it is ignored."
        warnings.warn(msg, InputWarning, stacklevel=3)
