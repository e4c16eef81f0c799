"""
HAPCut: cutouts from all Hubble Advanced Products at a position, a file per image.

The service swaps the sides of a cutout: asked for x=3, y=2 it makes an image of 3 rows and 2
columns. The library sends what astroquery sends and gives what comes, so that scripts see what
they are used to. Whoever wants the size that a person asked for, as the dashboard does, plans with
`visitor_size`, takes shapes from the data, and hears from `swap_note` if the service has stopped.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import chain
from typing import TYPE_CHECKING, Any

from cutout_core.archive import CutoutArchive
from cutout_core.mast.arguments import CoordinatesLike, ignored, locate, renamed
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

if TYPE_CHECKING:
    from astropy.io.fits import HDUList
    from astropy.table import Table

__all__ = [
    "CutoutRequest",
    "Hapcut",
    "HapcutClass",
    "fetch_cutout",
    "plan_cutouts",
    "swap_note",
    "visitor_size",
]

_API = "hapcut/api/v0.1"

# Sizes in degrees become whole pixels, rounded in either direction.
_ROUNDING_PX = 2


def visitor_size(size: CutoutSize) -> CutoutSize:
    """
    Give the size to ask for so that the image has the size that was meant.

    Parameters
    ----------
    size : CutoutSize
        What a person asked for.

    Returns
    -------
    size : CutoutSize
        With its sides swapped, because HAPCut swaps them again.
    """
    return CutoutSize(size.nx, size.ny, size.unit)


def swap_note(meant: CutoutSize, shape: tuple[int, int], scale_arcsec: float) -> str | None:
    """
    Notice if HAPCut does not swap the sides of its cutouts any more.

    Parameters
    ----------
    meant : CutoutSize
        What a person asked for; `visitor_size` of it was sent.
    shape : tuple of int
        Size (ny, nx) of the image that came.
    scale_arcsec : float
        Side of its pixels, in arcsec.

    Returns
    -------
    note : str or None
        A sentence for the reader if height and width came the wrong way round. `None` if they
        are as meant, and where it cannot be told: the sides are about equal, or the image was
        cut short.
    """
    ny, nx = meant.in_pixels(scale_arcsec)
    if abs(ny - nx) <= 2 * _ROUNDING_PX and meant.unit == "deg":
        return None
    slack = _ROUNDING_PX if meant.unit == "deg" else 0
    as_meant = abs(shape[0] - ny) <= slack and abs(shape[1] - nx) <= slack
    turned = abs(shape[0] - nx) <= slack and abs(shape[1] - ny) <= slack
    if as_meant or not turned:
        return None
    return (
        f"The image is {shape[1]} wide and {shape[0]} high, and not {nx} wide and {ny} high as "
        "asked for. HAPCut used to swap the two, and seems to have stopped: Skystamp still "
        "allows for it. Swap width and height until it is corrected, and please report it."
    )


def plan_cutouts(
    session: MastSession, ra: float, dec: float, size: CutoutSize
) -> list[CutoutRequest]:
    """
    Say which requests get the cutouts around a position: a single one, for all images.

    Parameters
    ----------
    session : MastSession
    ra, dec : float
        ICRS, in degrees.
    size : CutoutSize
        Sent as it is; see `visitor_size`.

    Returns
    -------
    requests : list of CutoutRequest
        One.
    """
    path = f"{_API}/astrocut"
    query: tuple[tuple[str, QueryValue], ...] = (
        ("ra", float(ra)),
        ("dec", float(dec)),
        *size.as_query().items(),
    )
    return [CutoutRequest(path, query, "Hubble images", None, session.url_for(path, query))]


class HapcutClass(CutoutService):
    """
    HAPCut in the manner of `astroquery.mast.Hapcut`.

    Parameters
    ----------
    session : MastSession, optional
        See `CutoutService`.
    """

    def get_cutouts(
        self,
        coordinates: CoordinatesLike | None = None,
        *,
        size: SizeLike = 5,
        object_name: str | None = None,
        resolver: str | None = None,
        objectname: str | None = None,
        units: Any = None,
    ) -> list[HDUList]:
        """
        Fetch all Hubble images around a position into memory.

        Parameters
        ----------
        coordinates : SkyCoord, frame or str, optional
            The centre. Either this or `object_name` has to be given.
        size : number, (ny, nx) or `~astropy.units.Quantity`, optional
            In pixels, or an angle. Default: 5 pixels. The service swaps ny and nx.
        object_name : str, optional
            The name of a star or galaxy.
        resolver : str, optional
            Who is to look the name up; see `resolve_name`.
        objectname, units : optional
            Older spellings: `objectname` is `object_name`, `units` is ignored.

        Returns
        -------
        cutouts : list of `~astropy.io.fits.HDUList`
            One per image: PRIMARY, SCI, WHT.

        Raises
        ------
        InvalidQueryError
            If the call cannot be understood (`SizeError`, `LimitError`: the size).
        ResolverError
            If the name is not known.
        ServiceError, ProductError
            If the request failed.

        Warns
        -----
        NoResultsWarning
            If Hubble has no images there.
        """
        name = _older_spellings(object_name, objectname, units)
        checked = parse_size(size)
        ra, dec = locate(self.session, coordinates, name, resolver)
        return self._fetched(plan_cutouts(self.session, ra, dec, checked), open_hdus)

    def download_cutouts(
        self,
        coordinates: CoordinatesLike | None = None,
        *,
        size: SizeLike = 5,
        path: str | os.PathLike[str] = ".",
        inflate: bool = True,
        verbose: bool = False,
        object_name: str | None = None,
        resolver: str | None = None,
        objectname: str | None = None,
        units: Any = None,
    ) -> Table:
        """
        Fetch all Hubble images around a position into a folder.

        Parameters
        ----------
        coordinates, size, object_name, resolver, objectname, units : optional
            As in `get_cutouts`.
        path : str or path-like, optional
            The folder; made if it is not there. Files of the same name are replaced.
        inflate : bool, optional
            Whether to take the files out of the zip archive that they come in.
        verbose : bool, optional
            Whether to say on standard output what is written.

        Returns
        -------
        manifest : `~astropy.table.Table`
            Column "Local Path": the files, in MAST's order.

        Raises
        ------
        CutoutError
            As `get_cutouts`, or if a file cannot be written.

        Warns
        -----
        NoResultsWarning
            As `get_cutouts`.
        """
        from astropy.table import Table

        name = _older_spellings(object_name, objectname, units)
        checked = parse_size(size)
        ra, dec = locate(self.session, coordinates, name, resolver)
        requests = plan_cutouts(self.session, ra, dec, checked)
        folder = DownloadFolder(path, "hapcut", n_requests=len(requests), verbose=verbose)
        save = folder.save_members if inflate else folder.save_archive
        return Table({"Local Path": self._fetched(requests, save)}, dtype=[str])

    def _fetched(
        self,
        requests: list[CutoutRequest],
        receive: Callable[[CutoutRequest, CutoutArchive], list[Any]],
    ) -> list[Any]:
        found = fetch_all(self.session, requests, receive, nothing_is_news=True)
        return list(chain.from_iterable(found))


Hapcut = HapcutClass()


def _older_spellings(
    object_name: str | None, objectname: str | None, units: Any = None
) -> str | None:
    """Warn of arguments that are out of use, and return the name under either spelling."""
    ignored(units, name="units", reason="give size as a Quantity instead.")
    return renamed(object_name, objectname, new_name="object_name", old_name="objectname")
