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
    MOVING_TYPES,
    PIXEL_SCALE_ARCSEC,
    MovingSectors,
    Sector,
    SectorsLike,
    check_size,
    find_moving_sectors,
    find_sectors,
    plan_cutouts,
    plan_moving_cutouts,
    read_mt_type,
    read_sectors,
)
from cutout_core.size import CutoutSize, SizeLike, parse_size
from cutout_core.solar_system import read_body_name
from cutout_core.target import quoted

if TYPE_CHECKING:
    from astropy.io.fits import HDUList
    from astropy.table import Table

__all__ = [
    "MAX_PIXELS",
    "MOVING_TYPES",
    "PIXEL_SCALE_ARCSEC",
    "CutoutRequest",
    "MovingSectors",
    "Sector",
    "Tesscut",
    "TesscutClass",
    "check_size",
    "fetch_cutout",
    "find_moving_sectors",
    "find_sectors",
    "plan_cutouts",
    "plan_moving_cutouts",
    "read_mt_type",
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
        List the sectors, cameras and CCDs of TESS that see a position or a moving target.

        Parameters
        ----------
        coordinates : SkyCoord, frame or str, optional
            The position. Either this or `object_name` has to be given.
        radius : float, str or `~astropy.units.Quantity`, optional
            Find every CCD that a circle of this radius touches. A plain number is in degrees. It
            does not count for moving targets.
        object_name : str, optional
            The name of a star or galaxy, such as "M104" or "TIC 141914082", or of a moving target.
        moving_target : bool, optional
            Whether `object_name` is that of an asteroid, comet or planet, as JPL Horizons
            understands it: "Ceres", "C/2020 F3".
        mt_type : str, optional
            Type of the moving target, "majorbody" or "smallbody". Default: MAST looks among the
            major bodies first.
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

        _warn_of_type_without_use(mt_type, moving_target=moving_target)
        name = _older_spellings(object_name, objectname, product)
        radius_deg, nothing = read_radius_deg(radius), _NO_SECTOR
        if moving_target:
            body = _moving_name(coordinates, name, resolver)
            moving = find_moving_sectors(self.session, body, mt_type)
            found, nothing = moving.sectors, _why_none(moving, body)
        else:
            ra, dec = locate(self.session, coordinates, name, resolver)
            found = find_sectors(self.session, ra, dec, radius_deg=radius_deg)
        if not found:
            warnings.warn(nothing, NoResultsWarning, stacklevel=2)
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
        Fetch target pixel files around a position or a moving target into memory.

        Sectors are fetched at the same time, one request each. One that fails does not lose the
        others.

        Parameters
        ----------
        coordinates : SkyCoord, frame or str, optional
            The centre. Either this or `object_name` has to be given.
        size : number, (ny, nx) or `~astropy.units.Quantity`, optional
            In pixels, or an angle. Default: 5 pixels.
        sector : int, str or several, optional
            Default: all that the cutout touches, or that have seen the moving target.
        object_name : str, optional
            The name of a star or galaxy, such as "M104" or "TIC 141914082", or of a moving target.
        moving_target : bool, optional
            Whether `object_name` is that of an asteroid, comet or planet, as JPL Horizons
            understands it: "Ceres", "C/2020 F3".
        mt_type : str, optional
            Type of the moving target, "majorbody" or "smallbody". Default: MAST looks among the
            major bodies first.
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
        _warn_of_type_without_use(mt_type, moving_target=moving_target)
        name = _older_spellings(object_name, objectname, product, units)
        sectors, checked = read_sectors(sector), check_size(parse_size(size))
        if moving_target:
            plan = self._planned_moving(
                _moving_name(coordinates, name, resolver), checked, sectors, mt_type
            )
        else:
            ra, dec = locate(self.session, coordinates, name, resolver)
            plan = plan_cutouts(self.session, ra, dec, checked, sectors), _NO_SECTOR
        return self._fetched(*plan, open_hdus, sectors)

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
        Fetch target pixel files around a position or a moving target into a folder.

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

        _warn_of_type_without_use(mt_type, moving_target=moving_target)
        name = _older_spellings(object_name, objectname, product, units)
        sectors, checked = read_sectors(sector), check_size(parse_size(size))
        if moving_target:
            plan = self._planned_moving(
                _moving_name(coordinates, name, resolver), checked, sectors, mt_type
            )
        else:
            ra, dec = locate(self.session, coordinates, name, resolver)
            plan = plan_cutouts(self.session, ra, dec, checked, sectors), _NO_SECTOR
        folder = DownloadFolder(path, "tesscut", n_requests=len(plan[0]), verbose=verbose)
        save = folder.save_members if inflate else folder.save_archive
        return Table({"Local Path": self._fetched(*plan, save, sectors)}, dtype=[str])

    def _planned_moving(
        self, name: str, size: CutoutSize, sectors: list[int] | None, mt_type: str | None
    ) -> tuple[list[CutoutRequest], str]:
        """Give the requests, and why there are none if there are none."""
        nothing = ""
        if sectors is None:
            found = find_moving_sectors(self.session, name, mt_type)
            sectors = [entry.sector for entry in found.sectors]
            nothing = _why_none(found, name)
        return plan_moving_cutouts(self.session, name, size, sectors, mt_type), nothing

    def _fetched(
        self,
        requests: list[CutoutRequest],
        nothing: str,
        receive: Callable[[CutoutRequest, CutoutArchive], list[Any]],
        sectors: list[int] | None,
    ) -> list[Any]:
        if not requests:
            warnings.warn(nothing, NoResultsWarning, stacklevel=3)
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


def _moving_name(
    coordinates: CoordinatesLike | None, name: str | None, resolver: str | None
) -> str:
    """Return the name of the moving target that a call means."""
    if coordinates is not None:
        msg = (
            "Only one of moving_target and coordinates may be specified. Leave coordinates out: a "
            "moving target is found by its name."
        )
        raise InvalidQueryError(msg)
    if not name:
        msg = (
            'A moving target needs object_name, such as object_name="Ceres": the name or number '
            "of an asteroid or comet, as JPL Horizons understands it."
        )
        raise InvalidQueryError(msg)
    if not isinstance(name, str):
        msg = f'object_name is a text such as "Ceres", not {name!r}.'
        raise InvalidQueryError(msg)
    if resolver:
        msg = "The resolver is for fixed targets only; it is ignored."
        warnings.warn(msg, InputWarning, stacklevel=3)
    return read_body_name(name)


def _why_none(found: MovingSectors, name: str) -> str:
    if found.message:
        return found.message
    return f"No sector of TESS has {quoted(name)}, or JPL Horizons does not know the name."


def _warn_of_type_without_use(mt_type: str | None, *, moving_target: bool) -> None:
    if mt_type is not None and not moving_target:
        msg = "mt_type is for moving targets only; it is ignored."
        warnings.warn(msg, InputWarning, stacklevel=3)
