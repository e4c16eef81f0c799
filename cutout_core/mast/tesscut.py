"""TESSCut: cutouts from the full-frame images of TESS, a movie of some 27 days per sector."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from itertools import chain
from typing import TYPE_CHECKING, Any

from cutout_core.archive import CutoutArchive
from cutout_core.errors import InputWarning, InvalidQueryError, NoResultsWarning
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
from cutout_core.mast.tesscut_requests import (
    MAX_PIXELS,
    PIXEL_SCALE_ARCSEC,
    Sector,
    SectorsLike,
    check_size,
    find_sectors,
    plan_cutouts,
    read_sectors,
)
from cutout_core.size import SizeLike, parse_size
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

_NO_SECTOR = "Coordinates are not in any TESS sector."


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
