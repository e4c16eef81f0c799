"""
Brightness -> grey levels: which values are black and white, and what happens between them.

The curves are astropy's. A `Scaling` is chosen once, by a rule or by hand, and applied to one
image or to several that are to be compared.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from cutout_core.errors import InvalidQueryError

Image: TypeAlias = npt.NDArray[np.floating[Any]]

#: Curves from black to white, as Zcut's image service names them.
STRETCHES = ("asinh", "linear", "log", "sinh", "sqrt")

#: Rules that find black and white from the pixels.
CUTS = ("percentile", "minmax", "zscale", "symmetric")

#: Colour maps worth offering; every name that matplotlib knows is accepted.
COLOUR_MAPS = ("gray", "viridis", "cividis", "magma", "inferno", "cubehelix", "afmhot", "coolwarm")

#: Share of the pixels left below black and above white, in per cent, as Zcut has it by default.
PERCENTILES = (0.5, 99.5)

# Percentiles of a regular sample of so many pixels are those of the whole within 0.3 per cent of
# the ranks, and cost a twentieth.
_SAMPLE = 40_000

# The scale of the automatic picture, in standard deviations of the sky: black lies this far below
# it; the curve is linear up to about `_SOFT` of them and logarithmic above. White is where few
# pixels are brighter, but not nearer than `_LEAST_RANGE`, so that noise alone does not fill the
# range, and for the sake of stars halfway (in magnitudes) to the brightest pixel, up to `_FAR`.
_BLACK_BELOW_SKY = 2.0
_SOFT = 3.0
_LEAST_RANGE = 25.0
_FAR = 300.0
_WHITE_PERCENTILE = 99.8


@dataclass(frozen=True, slots=True)
class Scaling:
    """
    How brightness becomes grey.

    Attributes
    ----------
    low, high : float
        Brightness that is black and white.
    stretch : str
        One of `STRETCHES`.
    softness : float or None
        Parameter of the asinh curve: the share of the range up to which it is about linear.
        `None` is astropy's 0.1.
    """

    low: float
    high: float
    stretch: str = "asinh"
    softness: float | None = None


def find_limits(
    data: Image,
    cuts: str = "percentile",
    *,
    percentiles: tuple[float, float] = PERCENTILES,
) -> tuple[float, float]:
    """
    Find which brightness is to be black and which white.

    Parameters
    ----------
    data : ndarray of shape (ny, nx)
        Brightness. NaN and infinite pixels do not count.
    cuts : {"percentile", "minmax", "zscale", "symmetric"}, optional
        Shares of the pixels; faintest and brightest pixel; IRAF's zscale, made for faint
        detail in a field of sky; or the same distance on both sides of zero, for noise and
        differences.
    percentiles : tuple of float, optional
        Lower and upper percentile for "percentile", 0 to 100. For "symmetric" the upper one says
        which share of the absolute values is inside.

    Returns
    -------
    low, high : float
        ``low < high``. (0, 1) if no pixel counts; for equal pixels `high` is the next number.

    Raises
    ------
    InvalidQueryError
        If the rule is not known, or the percentiles are not two rising numbers from 0 to 100.
    """
    return _limits_of_values(_valid(data), cuts, percentiles)


def shared_limits(
    images: Sequence[Image],
    cuts: str = "percentile",
    *,
    percentiles: tuple[float, float] = PERCENTILES,
) -> tuple[float, float]:
    """
    Find the limits that serve several images together, so that equal grey is equal brightness.

    Parameters
    ----------
    images : sequence of ndarray
        Brightness, in one unit. They may differ in shape; each counts with its pixels.
    cuts, percentiles : optional
        As for `find_limits`.

    Returns
    -------
    low, high : float
        As from `find_limits`.

    Raises
    ------
    InvalidQueryError
        As for `find_limits`.
    """
    values = [_valid(image) for image in images]
    together = np.concatenate(values) if values else np.empty(0, dtype=np.float32)
    return _limits_of_values(together, cuts, percentiles)


def _valid(data: Image) -> Image:
    """Give the finite pixels as a flat array, without a copy where all are."""
    finite = np.isfinite(data)
    return data.ravel() if finite.all() else data[finite]


def _limits_of_values(
    values: Image, cuts: str, percentiles: tuple[float, float]
) -> tuple[float, float]:
    if cuts not in CUTS:
        msg = f'There are no cuts called "{_quoted(cuts)}". Take {_listed(CUTS)}.'
        raise InvalidQueryError(msg)
    lower, upper = check_percentiles(percentiles)
    if not values.size:
        return 0.0, 1.0
    if cuts == "minmax":
        low, high = float(values.min()), float(values.max())
    elif cuts == "zscale":
        from astropy.visualization import ZScaleInterval

        low, high = (float(v) for v in ZScaleInterval().get_limits(values))
    elif cuts == "symmetric":
        high = float(np.percentile(np.abs(values), upper))
        low = -high
    else:
        low, high = (float(v) for v in np.percentile(values, (lower, upper)))
    return low, _above(low, high)


def _above(low: float, high: float) -> float:
    """Give `high`, or where it is no higher than `low` the next float32 above that."""
    return high if high > low else float(np.nextafter(np.float32(low), np.float32(np.inf)))


def check_percentiles(percentiles: Sequence[float]) -> tuple[float, float]:
    """
    Make sure that two numbers are percentiles in rising order.

    Parameters
    ----------
    percentiles : sequence of two floats

    Returns
    -------
    lower, upper : float
        The same numbers.

    Raises
    ------
    InvalidQueryError
        If they are not.
    """
    try:
        lower, upper = (float(value) for value in percentiles)
    except (TypeError, ValueError):
        lower = upper = math.nan
    if not 0 <= lower < upper <= 100:
        msg = (
            f"The percentiles {_quoted(percentiles)} cannot be used. Give two rising numbers "
            "from 0 to 100, such as (0.5, 99.5)."
        )
        raise InvalidQueryError(msg)
    return lower, upper


def check_stretch(stretch: str) -> str:
    """
    Give the name of a stretch in small letters.

    Parameters
    ----------
    stretch : str
        In any letters.

    Returns
    -------
    stretch : str
        One of `STRETCHES`.

    Raises
    ------
    InvalidQueryError
        If there is no such stretch.
    """
    name = stretch.lower() if isinstance(stretch, str) else ""
    if name not in STRETCHES:
        msg = f'There is no stretch called "{_quoted(stretch)}". Take {_listed(STRETCHES)}.'
        raise InvalidQueryError(msg)
    return name


def make_scaling(
    data: Image | Sequence[Image],
    *,
    stretch: str = "asinh",
    cuts: str = "percentile",
    percentiles: tuple[float, float] = PERCENTILES,
    values: tuple[float, float] | None = None,
) -> Scaling:
    """
    Choose a scaling by hand, as Zcut's image service does it.

    Parameters
    ----------
    data : ndarray of shape (ny, nx), or a sequence of such
        Brightness; several images share the limits.
    stretch : str, optional
        One of `STRETCHES`.
    cuts, percentiles : optional
        As for `find_limits`.
    values : tuple of float, optional
        Black and white themselves; `cuts` then does not count.

    Returns
    -------
    scaling : Scaling
        Checked.

    Raises
    ------
    InvalidQueryError
        If anything of it cannot be used; the message says what can.
    """
    name = check_stretch(stretch)
    if values is not None:
        low, high = check_values(values)
    elif isinstance(data, np.ndarray):
        low, high = find_limits(data, cuts, percentiles=percentiles)
    else:
        low, high = shared_limits(data, cuts, percentiles=percentiles)
    return Scaling(low, high, name)


def check_values(values: Sequence[float]) -> tuple[float, float]:
    """
    Make sure that two numbers can be black and white.

    Parameters
    ----------
    values : sequence of two floats

    Returns
    -------
    low, high : float
        The same numbers.

    Raises
    ------
    InvalidQueryError
        If they are not two rising finite numbers.
    """
    try:
        low, high = (float(value) for value in values)
    except (TypeError, ValueError):
        low = high = math.nan
    if not -math.inf < low < high < math.inf:
        msg = (
            f"The values {_quoted(values)} cannot be black and white. Give two rising numbers, "
            "such as (0, 1)."
        )
        raise InvalidQueryError(msg)
    return low, high


def automatic_scaling(data: Image | Sequence[Image]) -> Scaling:
    """
    Choose a scaling that shows a faint galaxy and a bright star alike.

    The sky and its noise are measured from the fainter half of the pixels, which stars and
    galaxies hardly touch. The curve is asinh: linear through the noise, so that a galaxy of a few
    standard deviations stands out, logarithmic above it, so that a star keeps its profile.

    Parameters
    ----------
    data : ndarray of shape (ny, nx), or a sequence of such
        Brightness. Several images share the scaling. NaN pixels do not count.

    Returns
    -------
    scaling : Scaling
        From 0 to 1 if no pixel counts.

    References
    ----------
    .. [1] Lupton, Gunn and Szalay 1999, AJ 118, 1406, for asinh instead of the logarithm.
    """
    images = [data] if isinstance(data, np.ndarray) else list(data)
    samples = [_sample(image) for image in images]
    # Sorted once: numpy's sort is faster than its selection of a single rank.
    values = np.sort(np.concatenate([_valid(sample) for sample in samples] or [np.empty(0)]))
    if not values.size:
        return Scaling(0.0, 1.0)
    sky, sigma = _sky_of_sorted(values)
    faintest, brightest = float(values[0]), float(values[-1])
    if not sigma > 0:
        # No noise: an empty model image, or one pixel.
        return Scaling(faintest, _above(faintest, brightest))
    low = sky - _BLACK_BELOW_SKY * sigma
    high = _rank(values, _WHITE_PERCENTILE / 100)
    if _is_noise(samples, sigma):
        halfway = min(_FAR, math.sqrt(_LEAST_RANGE * max(0.0, brightest - sky) / sigma))
        high = max(high, sky + max(_LEAST_RANGE, halfway) * sigma)
    high = _above(low, high)
    softness = min(1.0, max(0.001, _SOFT * sigma / (high - low)))
    return Scaling(low, high, "asinh", softness)


def _sample(data: Image) -> Image:
    """Give the pixels of a regular grid, at most about `_SAMPLE` of them."""
    step = max(1, math.isqrt(data.size // _SAMPLE))
    return data[::step, ::step]


def _is_noise(samples: Sequence[Image], sigma: float) -> bool:
    """Tell whether the fainter half of the pixels differs by noise, not by a nebula's slopes."""
    # At a distance of 3 pixels the noise of drizzled mosaics is no longer correlated.
    steps = [np.abs(sample[:, 3:] - sample[:, :-3]) for sample in samples]
    finite = np.concatenate([_valid(step) for step in steps])
    if not finite.size:
        return False
    return _rank(np.sort(finite), 0.5) / 0.6745 / math.sqrt(2) > 0.5 * sigma


def sky_level(values: Image) -> tuple[float, float]:
    """
    Measure the sky and its noise where stars and galaxies cover less than half of the pixels.

    Parameters
    ----------
    values : ndarray
        Brightness, of any shape. NaN does not count.

    Returns
    -------
    sky, sigma : float
        Median, and standard deviation that the pixels fainter than the median have about it, if
        they are noise (their median distance is 0.6745 of it). NaN if no pixel counts.
    """
    finite = np.sort(_valid(values))
    return _sky_of_sorted(finite) if finite.size else (math.nan, math.nan)


def _sky_of_sorted(values: Image) -> tuple[float, float]:
    sky = _rank(values, 0.5)
    below = values[: np.searchsorted(values, sky)]
    return sky, (sky - _rank(below, 0.5)) / 0.6745 if below.size else 0.0


def _rank(values: Image, share: float) -> float:
    """Give the value below which a share of sorted values lies, as `np.quantile` does."""
    place = share * (values.size - 1)
    low = int(place)
    first, second = float(values[low]), float(values[min(low + 1, values.size - 1)])
    return first + (second - first) * (place - low)


def to_unit(data: Image, scaling: Scaling) -> npt.NDArray[np.float32]:
    """
    Apply a scaling: black becomes 0 and white 1.

    Parameters
    ----------
    data : ndarray of shape (ny, nx)
        Brightness.
    scaling : Scaling

    Returns
    -------
    unit : float32 ndarray of shape (ny, nx)
        0 to 1; NaN stays NaN.
    """
    # In this order nothing overflows for limits far apart, and float32 keeps its digits for
    # limits close together on a high background.
    unit = (np.asarray(data, dtype=np.float32) - np.float32(scaling.low)).astype(np.float32)
    unit *= np.float32(1 / max(scaling.high - scaling.low, 1e-37))
    np.clip(unit, 0, 1, out=unit)
    if scaling.stretch != "linear":
        curve(scaling.stretch, scaling.softness)(unit, clip=False, out=unit)
    return unit


@functools.lru_cache(maxsize=256)
def curve(stretch: str, softness: float | None = None) -> Any:
    """
    Give astropy's object for a curve.

    Parameters
    ----------
    stretch : str
        One of `STRETCHES`.
    softness : float, optional
        Parameter of "asinh", see `Scaling`.

    Returns
    -------
    curve : `~astropy.visualization.BaseStretch`
    """
    from astropy import visualization

    if stretch == "asinh" and softness is not None:
        return visualization.AsinhStretch(softness)
    return {
        "asinh": visualization.AsinhStretch,
        "linear": visualization.LinearStretch,
        "log": visualization.LogStretch,
        "sinh": visualization.SinhStretch,
        "sqrt": visualization.SqrtStretch,
    }[stretch]()


def to_levels(
    data: Image, scaling: Scaling, *, invert: bool = False, lowest: Literal[0, 1] = 0
) -> npt.NDArray[np.uint8]:
    """
    Turn brightness into grey levels.

    Parameters
    ----------
    data : ndarray of shape (ny, nx)
        Brightness.
    scaling : Scaling
    invert : bool, optional
        Whether bright is black.
    lowest : {0, 1}, optional
        The level of black. With 1, level 0 is left to pixels without data, inverted or not; with
        0 they are black, or white in an inverted picture, as in Zcut's own pictures.

    Returns
    -------
    levels : uint8 ndarray of shape (ny, nx)
        In the order of the rows of `data`.
    """
    unit = to_unit(data, scaling)
    empty = np.isnan(unit)
    any_empty = bool(empty.any())
    if any_empty:
        unit[empty] = 0
    if lowest:
        # Half a level more, so that rounding down rounds to the nearest.
        unit *= np.float32(254)
        unit += np.float32(0.5)
    else:
        unit *= np.float32(255)
    levels = unit.astype(np.uint8)
    if invert:
        np.subtract(255 - lowest, levels, out=levels)
    if lowest:
        levels += np.uint8(1)
        if any_empty:
            levels[empty] = 0
    return levels


@functools.lru_cache(maxsize=64)
def _colour_table(name: str) -> npt.NDArray[np.uint8]:
    import matplotlib

    table = matplotlib.colormaps[name](np.arange(256) / 255, bytes=True)[:, :3]
    table = np.ascontiguousarray(table)
    table.flags.writeable = False
    return table


def colour_table(name: str = "gray") -> npt.NDArray[np.uint8]:
    """
    Give the colours of the 256 grey levels.

    Parameters
    ----------
    name : str, optional
        Colour map by matplotlib's name, such as "viridis"; "_r" at the end turns it round.

    Returns
    -------
    table : uint8 ndarray of shape (256, 3)
        Red, green, blue; read-only.

    Raises
    ------
    InvalidQueryError
        If matplotlib has no colour map of this name.
    """
    if name == "gray":
        # The default needs no matplotlib.
        return np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    try:
        return _colour_table(name)
    except (KeyError, TypeError) as exc:
        msg = (
            f'There is no colour map called "{_quoted(name)}". Take one of matplotlib\'s, such as '
            f"{_listed(COLOUR_MAPS)}."
        )
        raise InvalidQueryError(msg) from exc


def _quoted(value: object) -> str:
    return str(value)[:60]


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
