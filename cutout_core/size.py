"""What was asked for as the size of a cutout -> a checked size in pixels or degrees."""

import math
import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from cutout_core.errors import LimitError, SizeError
from cutout_core.target import quoted

if TYPE_CHECKING:
    from astropy.units import Quantity
    from numpy.typing import NDArray

SizeLike: TypeAlias = "float | Sequence[Any] | NDArray[Any] | Quantity"

# Beyond these a size is a slip of the pen, whatever the service: half the sky, and ten times the
# side of the largest mosaic image that MAST cuts from. TESSCut's own limit is far below them.
MAX_DEGREES = 180.0
MAX_PIXELS_A_SIDE = 100_000

_ACCEPTED = (
    "Give one number or (ny, nx) in pixels, such as 11 or (5, 7), or an angle with its unit, "
    "such as 5 * u.arcmin."
)


@dataclass(frozen=True, slots=True)
class CutoutSize:
    """
    The size of a cutout, in ``(ny, nx)`` order.

    Attributes
    ----------
    ny, nx : int or float
        Rows and columns, in `unit`. Whole numbers of pixels stay `int`, because the services are
        sent "5" for 5 and "5.0" for 5.0.
    unit : {"px", "deg"}
    """

    ny: float
    nx: float
    unit: Literal["px", "deg"]

    def as_query(self) -> dict[str, str | int | float]:
        """
        Return the size as MAST's services take it, with x the columns and y the rows.

        Returns
        -------
        query : dict
            ``x``, ``y`` and ``units`` ("px", or "d" for degrees), in astroquery's order.
        """
        return {"x": self.nx, "y": self.ny, "units": "px" if self.unit == "px" else "d"}

    def in_pixels(self, scale_arcsec: float) -> tuple[int, int]:
        """
        Tell how many pixels the cutout has.

        Parts of a pixel count as a whole one, as far as the pixel scale is known: TESSCut's
        cutout of 5 arcmin has 15 x 15 pixels of about 21 arcsec.

        Parameters
        ----------
        scale_arcsec : float
            Side of a pixel, in arcsec.

        Returns
        -------
        ny, nx : int
            At least 1.
        """
        scale = 1.0 if self.unit == "px" else 3600.0 / scale_arcsec
        # The margin swallows the rounding of 35 arcmin -> degrees -> pixels.
        ny, nx = (max(1, math.ceil(side * scale - 1e-9)) for side in (self.ny, self.nx))
        return ny, nx


def parse_size(size: SizeLike) -> CutoutSize:
    """
    Read a cutout size as astroquery takes it.

    Parameters
    ----------
    size : number, array-like or `~astropy.units.Quantity`
        One number for a square cutout, or two in ``(ny, nx)`` order: plain numbers are pixels;
        quantities are pixels or angles.

    Returns
    -------
    size : CutoutSize
        Angles in degrees.

    Raises
    ------
    SizeError
        If it is not one or two numbers, if a side is not a finite number above zero, or if its
        unit is neither pixels nor an angle.
    LimitError
        If it is larger than any cutout of any service.
    """
    ny, nx = _sides(size)
    (y, y_unit), (x, x_unit) = _value(ny), _value(nx)
    if y_unit != x_unit:
        msg = f"The size {_shown(size)} mixes pixels and angles. {_ACCEPTED}"
        raise SizeError(msg)
    for side in (y, x):
        _check_side(side, y_unit)
    return CutoutSize(y, x, y_unit)


def _sides(size: SizeLike) -> tuple[Any, Any]:
    if isinstance(size, str | bytes) or (not _is_scalar(size) and not _is_sequence(size)):
        msg = f"The size {_shown(size)} is not a number. {_ACCEPTED}"
        raise SizeError(msg)
    sides = [size] if _is_scalar(size) else list(size)  # type: ignore[arg-type]
    if len(sides) == 1:
        sides *= 2
    if len(sides) != 2:
        msg = f"The size {_shown(size)} has {len(sides)} numbers; it takes one or two. {_ACCEPTED}"
        raise SizeError(msg)
    return sides[0], sides[1]


def _is_scalar(size: Any) -> bool:
    # numpy scalars and 0-d arrays, and scalar Quantities, have a shape of no axes.
    return isinstance(size, numbers.Real) or getattr(size, "shape", None) == ()


def _is_sequence(size: Any) -> bool:
    return isinstance(size, Sequence) or len(getattr(size, "shape", ())) == 1


def _value(side: Any) -> tuple[float, Literal["px", "deg"]]:
    """Return one side as a plain number, whole numbers as `int`, with its unit."""
    unit = getattr(side, "unit", None)
    if unit is None:
        return _plain_number(side), "px"
    if str(unit) == "pix":
        return _plain_number(side.value), "px"
    if unit.physical_type == "angle":
        return float(side.to_value("deg")), "deg"
    msg = f"The size {_shown(side)} is neither in pixels nor an angle. {_ACCEPTED}"
    raise SizeError(msg)


def _plain_number(value: Any) -> float:
    number = value.item() if getattr(value, "shape", None) == () else value
    if isinstance(number, bool) or not isinstance(number, numbers.Real):
        msg = f"The size {_shown(value)} is not a number. {_ACCEPTED}"
        raise SizeError(msg)
    if isinstance(number, numbers.Integral):
        return int(number)
    # A float32 is sent as it prints, 5.1, not as its nearest double, 5.099999904632568.
    return float(str(value)) if type(value).__name__ == "float32" else float(number)


def _check_side(side: float, unit: Literal["px", "deg"]) -> None:
    name, most = ("pixels", MAX_PIXELS_A_SIDE) if unit == "px" else ("degrees", MAX_DEGREES)
    if not 0 < side < math.inf:
        shown = f"{max(side, -1e12):g}"
        msg = f"A cutout of {shown} {name} cannot be made: a side must be a number above zero."
        raise SizeError(msg)
    if side > most:
        shown = f"{side:g}" if side < 1e12 else "more than 1e12"
        msg = (
            f"A cutout of {shown} {name} is larger than any service makes ({most:g} {name} at "
            "most). Cutouts are a few arcminutes wide."
        )
        raise LimitError(msg)


def _shown(size: Any) -> str:
    return quoted(size) if isinstance(size, str) else quoted(repr(size)).strip('"')
