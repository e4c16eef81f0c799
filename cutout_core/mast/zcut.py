"""Zcut: cutouts from deep-field surveys, an image per filter."""

from __future__ import annotations

import math
import os
import re
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from cutout_core.archive import CutoutArchive
from cutout_core.errors import (
    InputWarning,
    InvalidQueryError,
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
    "CUTOUT_FORMATS",
    "STRETCHES",
    "CutoutRequest",
    "PictureOptions",
    "Zcut",
    "ZcutClass",
    "fetch_cutout",
    "find_surveys",
    "picture_options",
    "plan_cutouts",
    "read_format",
    "read_surveys",
]

CutoutFormat: TypeAlias = Literal["fits", "jpg", "png"]
SurveysLike: TypeAlias = "str | Iterable[str]"

#: What Zcut makes: data, or pictures that it has drawn itself.
CUTOUT_FORMATS: tuple[CutoutFormat, ...] = ("fits", "jpg", "png")

#: Curves from black to white that its pictures can have.
STRETCHES = ("asinh", "linear", "log", "sinh", "sqrt")

_API = "zcut/api/v0.1"

_NO_SURVEY = "Coordinates are not in an available deep field survey."

# Such as candels_gn_30mas and 3dhst_goods-n.
_SURVEY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,99}")

_IMAGE_PARAMETERS = ("stretch", "minmax_percent", "minmax_value", "invert")


def find_surveys(
    session: MastSession, ra: float, dec: float, *, radius_deg: float = 0.0
) -> list[str]:
    """
    Ask which deep-field surveys have images of a position.

    Parameters
    ----------
    session : MastSession
    ra, dec : float
        ICRS, in degrees.
    radius_deg : float, optional
        Find every survey that a circle of this radius touches.

    Returns
    -------
    surveys : list of str
        Such as "candels_gn_30mas", in MAST's order; empty if there are none.

    Raises
    ------
    ServiceError
        If MAST cannot be asked or sends something else.
    """
    query = (("ra", float(ra)), ("dec", float(dec)), ("radius", float(radius_deg)))
    reply = session.get(f"{_API}/survey", query, expect="json").json or {}
    surveys = reply.get("surveys", [] if "msg" in reply else None)
    if not isinstance(surveys, list) or not all(isinstance(name, str) for name in surveys):
        msg = (
            "MAST sent a list of surveys of an unknown form. This is not your fault. "
            "Try again later."
        )
        raise UnexpectedReplyError(msg)
    return surveys


@dataclass(frozen=True, slots=True)
class PictureOptions:
    """
    How Zcut is to draw its pictures; `None` leaves a choice to the service.

    Attributes
    ----------
    stretch : str or None
        One of `STRETCHES`; the service's own choice is asinh.
    minmax_percent : tuple of float or None
        Percentiles that become black and white; the service's own choice is (0.5, 99.5).
    minmax_value : tuple of float or None
        Brightness that becomes black and white. The service looks at `minmax_percent` first.
    invert : bool or None
        Whether bright becomes black.
    """

    stretch: str | None = None
    minmax_percent: tuple[float, float] | None = None
    minmax_value: tuple[float, float] | None = None
    invert: bool | None = None

    def as_query(self) -> tuple[tuple[str, str], ...]:
        """Return the parameters that are set, as astroquery writes them: "[0.5, 99.5]"."""
        pairs = (("minmax_percent", self.minmax_percent), ("minmax_value", self.minmax_value))
        texts = [("stretch", self.stretch)]
        texts += [(key, None if pair is None else str(list(pair))) for key, pair in pairs]
        texts += [("invert", None if self.invert is None else str(self.invert))]
        return tuple((key, text) for key, text in texts if text is not None)


def picture_options(
    *,
    stretch: Any = None,
    minmax_percent: Any = None,
    minmax_value: Any = None,
    invert: Any = None,
) -> PictureOptions:
    """
    Check what is asked of Zcut's pictures.

    Parameters
    ----------
    stretch : str, optional
        One of `STRETCHES`.
    minmax_percent : two numbers, optional
        Rising percentiles from 0 to 100.
    minmax_value : two numbers, optional
        Rising brightness.
    invert : bool, optional

    Returns
    -------
    options : PictureOptions

    Raises
    ------
    InvalidQueryError
        If one of them cannot be used; the message says what can.
    """
    if stretch is not None and stretch not in STRETCHES:
        msg = (
            f"The stretch {_shown(stretch)} is not one that Zcut knows. Take "
            f"{', '.join(STRETCHES[:-1])} or {STRETCHES[-1]}."
        )
        raise InvalidQueryError(msg)
    percent = None if minmax_percent is None else _rising("minmax_percent", minmax_percent, 0, 100)
    value = None if minmax_value is None else _rising("minmax_value", minmax_value)
    # numpy's booleans are not Python's.
    if invert is not None and type(invert).__name__ not in {"bool", "bool_"}:
        msg = f"invert is True or False, not {_shown(invert)}."
        raise InvalidQueryError(msg)
    return PictureOptions(stretch, percent, value, None if invert is None else bool(invert))


def _rising(
    name: str, pair: Any, least: float = -math.inf, most: float = math.inf
) -> tuple[float, float]:
    """Read two rising numbers; whole ones stay whole, because the service is sent their text."""
    try:
        numbers = [_plain(number) for number in pair]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != 2 or not least <= numbers[0] < numbers[1] <= most:
        limits = f" from {least:g} to {most:g}, such as [0.5, 99.5]" if most < math.inf else ""
        example = limits or ", such as [0, 1]"
        msg = f"{name} is two rising numbers{example}, not {_shown(pair)}."
        raise InvalidQueryError(msg)
    return numbers[0], numbers[1]


def _plain(number: Any) -> float:
    value = number.item() if hasattr(number, "item") else number
    if isinstance(value, str | bytes | bool) or not math.isfinite(value):
        raise ValueError
    return value if isinstance(value, int) else float(value)


def _shown(value: Any) -> str:
    return quoted(str(value))


def read_format(cutout_format: Any) -> CutoutFormat:
    """
    Check the format of a call.

    Parameters
    ----------
    cutout_format : str

    Returns
    -------
    cutout_format : {"fits", "jpg", "png"}

    Raises
    ------
    InvalidQueryError
        If Zcut does not make it.
    """
    for known in CUTOUT_FORMATS:
        if cutout_format == known:
            return known
    msg = f"Zcut makes no cutouts of the format {_shown(cutout_format)}. Take fits, jpg or png."
    raise InvalidQueryError(msg)


def read_surveys(survey: SurveysLike | None) -> list[str] | None:
    """
    Read the surveys of a call.

    Parameters
    ----------
    survey : str, iterable of str, or None

    Returns
    -------
    surveys : list of str, or None
        In the given order, each once; `None` means all.

    Raises
    ------
    InvalidQueryError
        If one is not the name of a survey, or if the list is empty.
    """
    if survey is None:
        return None
    names = [survey] if isinstance(survey, str) or not isinstance(survey, Iterable) else survey
    surveys = list(dict.fromkeys(_read_survey(name) for name in names))
    if not surveys:
        msg = "The list of surveys is empty. Name one at least, or leave it out for all."
        raise InvalidQueryError(msg)
    return surveys


def _read_survey(name: Any) -> str:
    if not isinstance(name, str) or not _SURVEY_NAME.fullmatch(name):
        msg = (
            f"The survey {_shown(name)} is not a name such as candels_gn_30mas. "
            "Zcut.get_surveys lists those of a position."
        )
        raise InvalidQueryError(msg)
    return name


def plan_cutouts(
    session: MastSession,
    ra: float,
    dec: float,
    size: CutoutSize,
    surveys: Iterable[str] | None,
    *,
    cutout_format: CutoutFormat | None = None,
    options: PictureOptions | None = None,
) -> list[CutoutRequest]:
    """
    Say which requests get the cutouts around a position: one per survey.

    Parameters
    ----------
    session : MastSession
        Asked for the surveys if none are given.
    ra, dec : float
        ICRS, in degrees.
    size : CutoutSize
    surveys : iterable of str, or None
        `None` for all that cover the position.
    cutout_format : {"fits", "jpg", "png"}, optional
        `None` leaves it to the service, which makes FITS files.
    options : PictureOptions, optional
        For jpg and png.

    Returns
    -------
    requests : list of CutoutRequest
        In the order of the surveys; empty if none covers the position.

    Raises
    ------
    ServiceError
        If MAST cannot be asked for the surveys.
    """
    if surveys is None:
        surveys = find_surveys(session, ra, dec)
    form = () if cutout_format is None else (("cutout_format", cutout_format),)
    drawn = () if options is None else options.as_query()
    return [
        _request(session, ra, dec, size, survey, (*form, *drawn))
        for survey in dict.fromkeys(surveys)
    ]


def _request(
    session: MastSession,
    ra: float,
    dec: float,
    size: CutoutSize,
    survey: str,
    others: tuple[tuple[str, str], ...],
) -> CutoutRequest:
    path = f"{_API}/astrocut"
    sides = size.as_query()
    query: tuple[tuple[str, QueryValue], ...] = (
        ("ra", float(ra)),
        ("dec", float(dec)),
        *((key, sides[key]) for key in ("y", "x", "units")),
        ("survey", survey),
        *others,
    )
    url = session.url_for(path, query)
    return CutoutRequest(path, query, f"survey {survey}", None, url, survey=survey)


class ZcutClass(CutoutService):
    """
    Zcut in the manner of `astroquery.mast.Zcut`.

    Parameters
    ----------
    session : MastSession, optional
        See `CutoutService`.
    """

    def get_surveys(
        self,
        coordinates: CoordinatesLike | None = None,
        *,
        radius: RadiusLike = "0d",
        object_name: str | None = None,
        resolver: str | None = None,
        objectname: str | None = None,
    ) -> list[str]:
        """
        List the deep-field surveys that have images of a position.

        Parameters
        ----------
        coordinates : SkyCoord, frame or str, optional
            The position. Either this or `object_name` has to be given.
        radius : float, str or `~astropy.units.Quantity`, optional
            Find every survey that a circle of this radius touches. A plain number is in degrees.
        object_name : str, optional
            The name of a star or galaxy.
        resolver : str, optional
            Who is to look the name up; see `resolve_name`.
        objectname : optional
            Older spelling of `object_name`.

        Returns
        -------
        surveys : list of str
            Empty if there are none.

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
            If the list is empty.
        """
        name = _older_spellings(object_name, objectname)
        radius_deg = read_radius_deg(radius)
        ra, dec = locate(self.session, coordinates, name, resolver)
        surveys = find_surveys(self.session, ra, dec, radius_deg=radius_deg)
        if not surveys:
            warnings.warn(_NO_SURVEY, NoResultsWarning, stacklevel=2)
        return surveys

    def get_cutouts(
        self,
        coordinates: CoordinatesLike | None = None,
        *,
        size: SizeLike = 5,
        survey: SurveysLike | None = None,
        object_name: str | None = None,
        resolver: str | None = None,
        objectname: str | None = None,
        units: Any = None,
    ) -> list[HDUList]:
        """
        Fetch images around a position into memory.

        Surveys are fetched at the same time, one request each. One that fails does not lose the
        others.

        Parameters
        ----------
        coordinates : SkyCoord, frame or str, optional
            The centre. Either this or `object_name` has to be given.
        size : number, (ny, nx) or `~astropy.units.Quantity`, optional
            In pixels, or an angle. Default: 5 pixels.
        survey : str or several, optional
            Default: all that cover the position.
        object_name : str, optional
            The name of a star or galaxy.
        resolver : str, optional
            Who is to look the name up; see `resolve_name`.
        objectname, units : optional
            Older spellings: `objectname` is `object_name`, `units` is ignored.

        Returns
        -------
        cutouts : list of `~astropy.io.fits.HDUList`
            One per survey: PRIMARY, and a CUTOUT for each filter.

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
            If there is nothing at the position, or in one of the given surveys.
        CutoutWarning
            If a survey failed and others did not.
        """
        name = _older_spellings(object_name, objectname, units)
        surveys, checked = read_surveys(survey), parse_size(size)
        ra, dec = locate(self.session, coordinates, name, resolver)
        requests = plan_cutouts(self.session, ra, dec, checked, surveys)
        return self._fetched(requests, open_hdus, surveys)

    def download_cutouts(
        self,
        coordinates: CoordinatesLike | None = None,
        *,
        size: SizeLike = 5,
        survey: SurveysLike | None = None,
        cutout_format: str = "fits",
        path: str | os.PathLike[str] = ".",
        inflate: bool = True,
        verbose: bool = False,
        object_name: str | None = None,
        resolver: str | None = None,
        objectname: str | None = None,
        units: Any = None,
        **img_params: Any,
    ) -> Table:
        """
        Fetch images around a position into a folder.

        Parameters
        ----------
        coordinates, size, survey, object_name, resolver : optional
            As in `get_cutouts`.
        cutout_format : {"fits", "jpg", "png"}, optional
            Data, or pictures that the service draws.
        path : str or path-like, optional
            The folder; made if it is not there. Files of the same name are replaced.
        inflate : bool, optional
            Whether to take the files out of the zip archives that they come in. If not, the
            archives are kept, one per survey.
        verbose : bool, optional
            Whether to say on standard output what is written.
        objectname, units : optional
            As in `get_cutouts`.
        **img_params : optional
            For jpg and png: ``stretch``, ``minmax_percent``, ``minmax_value`` and ``invert``; see
            `picture_options`.

        Returns
        -------
        manifest : `~astropy.table.Table`
            Column "Local Path": the files, in the order of the surveys.

        Raises
        ------
        CutoutError
            As `get_cutouts`, or if a file cannot be written.

        Warns
        -----
        InputWarning
            If a parameter is not known or has no effect.
        NoResultsWarning, CutoutWarning
            As `get_cutouts`.
        """
        from astropy.table import Table

        name = _older_spellings(object_name, objectname, units)
        form = read_format(cutout_format)
        options = _checked_parameters(form, img_params)
        surveys, checked = read_surveys(survey), parse_size(size)
        ra, dec = locate(self.session, coordinates, name, resolver)
        requests = plan_cutouts(
            self.session, ra, dec, checked, surveys, cutout_format=form, options=options
        )
        folder = DownloadFolder(path, "zcut", n_requests=len(requests), verbose=verbose)
        save = folder.save_members if inflate else folder.save_archive
        return Table({"Local Path": self._fetched(requests, save, surveys)}, dtype=[str])

    def _fetched(
        self,
        requests: list[CutoutRequest],
        receive: Callable[[CutoutRequest, CutoutArchive], list[Any]],
        surveys: list[str] | None,
    ) -> list[Any]:
        if not requests:
            warnings.warn(_NO_SURVEY, NoResultsWarning, stacklevel=3)
            return []
        found = fetch_all(self.session, requests, receive, nothing_is_news=surveys is not None)
        return list(chain.from_iterable(found))


Zcut = ZcutClass()


def _checked_parameters(cutout_format: CutoutFormat, parameters: dict[str, Any]) -> PictureOptions:
    """Check the parameters for pictures, and warn of those that would do nothing."""
    for name in parameters:
        if name not in _IMAGE_PARAMETERS:
            msg = (
                f'Zcut has no parameter "{name[:60]}"; it is ignored. For jpg and png there are '
                f"{', '.join(_IMAGE_PARAMETERS[:-1])} and {_IMAGE_PARAMETERS[-1]}."
            )
            warnings.warn(msg, InputWarning, stacklevel=3)
    known = {name: parameters[name] for name in _IMAGE_PARAMETERS if name in parameters}
    options = picture_options(**known)
    if cutout_format == "fits" and options != PictureOptions():
        msg = f"{', '.join(known)} is for jpg and png only; it is ignored for FITS files."
        warnings.warn(msg, InputWarning, stacklevel=3)
        return PictureOptions()
    if options.minmax_percent is not None and options.minmax_value is not None:
        msg = "Zcut ignores minmax_value where minmax_percent is given."
        warnings.warn(msg, InputWarning, stacklevel=3)
    return options


def _older_spellings(
    object_name: str | None, objectname: str | None, units: Any = None
) -> str | None:
    """Warn of arguments that are out of use, and return the name under either spelling."""
    ignored(units, name="units", reason="give size as a Quantity instead.")
    return renamed(object_name, objectname, new_name="object_name", old_name="objectname")
