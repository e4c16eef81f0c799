"""What a call in astroquery's manner may say -> checked values."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from cutout_core.errors import InputWarning, InvalidQueryError, TargetError
from cutout_core.mast.resolver import resolve_name
from cutout_core.mast.session import MastSession
from cutout_core.target import ObjectName, SkyPosition, parse_target, quoted

if TYPE_CHECKING:
    from astropy.coordinates import Angle, BaseCoordinateFrame, SkyCoord
    from astropy.units import Quantity

CoordinatesLike: TypeAlias = "SkyCoord | BaseCoordinateFrame | str"
RadiusLike: TypeAlias = "float | str | Quantity | Angle"
ArgumentT = TypeVar("ArgumentT")

# Frames from a deprecation warning up to the user's line: this module's two functions, the
# service's function for its older spellings, its public method.
_USER_LINE = 5


def locate(
    session: MastSession,
    coordinates: CoordinatesLike | None,
    object_name: str | None,
    resolver: str | None,
) -> tuple[float, float]:
    """
    Find the position that a call means.

    Parameters
    ----------
    session : MastSession
        Where a name is looked up.
    coordinates : SkyCoord, frame or str, or None
        A text is read as `read_coordinates` says.
    object_name : str or None
        Exactly one of the two has to be given.
    resolver : str or None
        See `resolve_name`.

    Returns
    -------
    ra, dec : float
        ICRS, in degrees.

    Raises
    ------
    InvalidQueryError
        If none or both are given, or if what is given cannot be used.
    ResolverError
        If the name is not known.
    """
    if coordinates is not None and object_name:
        msg = "Only one of object_name and coordinates may be specified. Leave one of them out."
        raise InvalidQueryError(msg)
    if object_name:
        match = resolve_name(session, _name_to_ask(object_name), resolver=resolver)
        return match.ra, match.dec
    if coordinates is None:
        msg = (
            'One of object_name and coordinates must be specified, such as object_name="TIC '
            '261136679" or coordinates="84.2912 -80.4691".'
        )
        raise InvalidQueryError(msg)
    if resolver:
        msg = "The resolver is used for object names only; it is ignored for coordinates."
        warnings.warn(msg, InputWarning, stacklevel=3)
    return read_coordinates(coordinates)


def read_coordinates(coordinates: CoordinatesLike) -> tuple[float, float]:
    """
    Return the ICRS position of an astropy coordinate or of a text.

    A text that astropy understands by itself means what astropy says. Where it misses the units,
    the rules of `parse_target` hold: decimal numbers are degrees, as in astroquery, and
    sexagesimal RA is hours. (astroquery takes "05:37:09" for degrees, which nobody means.)

    Parameters
    ----------
    coordinates : SkyCoord, frame or str
        One position, in any frame.

    Returns
    -------
    ra, dec : float
        In degrees.

    Raises
    ------
    InvalidQueryError
        If it is not one position on the sky.
    """
    if isinstance(coordinates, str):
        return _read_text(coordinates)
    from astropy.coordinates import BaseCoordinateFrame, SkyCoord

    if not isinstance(coordinates, BaseCoordinateFrame | SkyCoord):
        msg = (
            f"coordinates are a SkyCoord or a text, not {type(coordinates).__name__}. "
            'Write SkyCoord(84.2912, -80.4691, unit="deg") or "84.2912 -80.4691".'
        )
        raise InvalidQueryError(msg)
    return _icrs_degrees(coordinates)


def read_radius_deg(radius: RadiusLike) -> float:
    """
    Return a search radius in degrees.

    Parameters
    ----------
    radius : float, str, `~astropy.units.Quantity` or `~astropy.coordinates.Angle`
        A plain number is in degrees; a text is what Angle reads, such as "2m" or "2 arcmin".

    Returns
    -------
    radius_deg : float

    Raises
    ------
    InvalidQueryError
        If it is not an angle from 0 to 180 degrees.
    """
    from astropy.coordinates import Angle

    try:
        degrees = float(Angle(radius, "deg").to_value("deg"))
    except (ValueError, TypeError) as exc:
        msg = (
            f'The radius {quoted(str(radius))} is not an angle. Write 0.2 (degrees) or "2 arcmin".'
        )
        raise InvalidQueryError(msg) from exc
    if not 0 <= degrees <= 180:
        msg = f"The radius is {degrees:g} degrees; it has to be between 0 and 180."
        raise InvalidQueryError(msg)
    return degrees


def renamed(
    new: ArgumentT | None, old: ArgumentT | None, *, new_name: str, old_name: str
) -> ArgumentT | None:
    """Take the value of an argument from its older spelling, with a deprecation warning."""
    if old is None:
        return new
    if new is not None:
        msg = f"{old_name} is the older spelling of {new_name}. Give only {new_name}."
        raise InvalidQueryError(msg)
    _warn_deprecated(f'"{old_name}" was renamed; write "{new_name}" instead.')
    return old


def ignored(value: Any, *, name: str, reason: str) -> None:
    """Say that an argument of older versions does nothing, if it was given."""
    if value is not None:
        _warn_deprecated(f'"{name}" is ignored and will be removed: {reason}')


def _warn_deprecated(message: str) -> None:
    from astropy.utils.exceptions import AstropyDeprecationWarning

    # The category of astroquery's own warnings, so that the same filters catch both.
    warnings.warn(message, AstropyDeprecationWarning, stacklevel=_USER_LINE)


def _name_to_ask(object_name: str) -> str:
    if not isinstance(object_name, str):
        msg = f'object_name is a text such as "TIC 261136679", not {object_name!r}.'
        raise InvalidQueryError(msg)
    target = parse_target(object_name)
    return target.name if isinstance(target, ObjectName) else target.text


def _read_text(text: str) -> tuple[float, float]:
    from astropy.coordinates import SkyCoord

    try:
        return _icrs_degrees(SkyCoord(text, frame="icrs"))
    except (ValueError, TypeError):
        pass  # Mostly for want of units, which parse_target has rules for.
    try:
        target = parse_target(text)
    except TargetError as exc:
        msg = f"The coordinates cannot be used. {exc}"
        raise InvalidQueryError(msg) from exc
    if not isinstance(target, SkyPosition):
        msg = (
            f"The coordinates {quoted(target.text)} are not a position. "
            f"If it is a name, write object_name={quoted(target.text)}."
        )
        raise InvalidQueryError(msg)
    return target.ra, target.dec


def _icrs_degrees(coordinates: Any) -> tuple[float, float]:
    from astropy.coordinates import ConvertError, SkyCoord

    try:
        icrs = SkyCoord(coordinates).icrs
        positions = list(zip(icrs.ra.deg.flat, icrs.dec.deg.flat, strict=True))
    except (ConvertError, ValueError, AttributeError) as exc:
        msg = f"The coordinates cannot be turned into RA and Dec: {exc}"
        raise InvalidQueryError(msg) from exc
    if len(positions) != 1:
        msg = f"The coordinates hold {len(positions)} positions; ask for one at a time."
        raise InvalidQueryError(msg)
    ra, dec = (float(angle) for angle in positions[0])
    if not (math.isfinite(ra) and math.isfinite(dec)):
        msg = f"The coordinates are not a position: RA {ra}, Dec {dec}."
        raise InvalidQueryError(msg)
    return ra, dec
