"""
Drawing: everything small is a sum of elliptical Gaussians, for those are convolved by addition.

A Gaussian is drawn in a square of pixels around it whose size follows from the Gaussian alone, and
its value in a pixel from the pixel's number: so a pixel of a mosaic has the same value in every
cutout that holds it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from demo_sky.hubble.projection import Window

FloatArray = np.ndarray[Any, np.dtype[np.float64]]
LongArray = np.ndarray[Any, np.dtype[np.int64]]
BoolArray = np.ndarray[Any, np.dtype[np.bool_]]

# A Gaussian ends where it falls below the floor, at the latest here: 4e-5 of its flux is outside.
_LAST_SIGMA = 4.5

# Half sizes of the squares that are drawn together; larger ones are drawn one by one.
_HALF_SIZES = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 26)
# Long, thin Gaussians (spikes of stars) are drawn in pieces of so many pixels along them, if that
# takes this much less than a square around the whole.
_PIECE = 12.0
_MUCH_LESS = 3.0
# Pixels in the arrays of one step: 8 MB each.
_STEP_PIXELS = 2**20


@dataclass(frozen=True, slots=True)
class Gaussians:
    """
    Elliptical Gaussians in pixels, as arrays of equal length.

    Attributes
    ----------
    x, y : ndarray of shape (n,)
        Centres, pixels counted from 0.
    flux : ndarray of shape (n,)
        Integral, in units of the image.
    xx, xy, yy : ndarray of shape (n,)
        Covariances, square pixels.
    """

    x: FloatArray
    y: FloatArray
    flux: FloatArray
    xx: FloatArray
    xy: FloatArray
    yy: FloatArray

    def __len__(self) -> int:
        return len(self.x)

    def take(self, chosen: Any) -> Gaussians:
        """Choose by a mask or by indices."""
        return Gaussians(*(getattr(self, name)[chosen] for name in self.__slots__))

    @staticmethod
    def of(*columns: FloatArray) -> Gaussians:
        """Gather arrays that broadcast against each other, in the order of the attributes."""
        return Gaussians(*(np.ravel(each) for each in np.broadcast_arrays(*columns)))


def joined(parts: list[Gaussians]) -> Gaussians:
    """
    Put Gaussians in one list, in order.

    Parameters
    ----------
    parts : list of Gaussians

    Returns
    -------
    gaussians : Gaussians
    """
    if not parts:
        return Gaussians(*(np.empty(0) for _ in Gaussians.__slots__))
    return Gaussians(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in Gaussians.__slots__)
    )


def paint(
    canvas: FloatArray,
    window: Window,
    gaussians: Gaussians,
    floor: float,
    longest: float = math.inf,
) -> None:
    """
    Add Gaussians to an image, sampled at the centres of its pixels.

    Parameters
    ----------
    canvas : ndarray of shape (ny, nx)
        Changed in place.
    window : Window
        Which pixels it is.
    gaussians : Gaussians
        None may be much narrower than half a pixel: the sum of samples is then not the flux.
    floor : float
        Values below it (sign apart) need not be drawn.
    longest : float, optional
        No Gaussian is drawn further from its centre than this, pixels.
    """
    determinant = gaussians.xx * gaussians.yy - gaussians.xy**2
    peak = gaussians.flux / (2.0 * math.pi * np.sqrt(determinant))
    with np.errstate(divide="ignore"):
        reach = np.sqrt(np.clip(2.0 * np.log(np.abs(peak) / floor), 0.0, _LAST_SIGMA**2))
    extent = np.minimum(reach * np.sqrt(np.maximum(gaussians.xx, gaussians.yy)), longest)
    streak = _is_streak(gaussians, determinant, extent)
    _paint_each(canvas, window, gaussians.take(~streak), peak[~streak], extent[~streak])
    if streak.any():
        pieces = _pieces(gaussians.take(streak), reach[streak], extent[streak])
        owner = np.flatnonzero(streak)[pieces.owner]
        _paint_streaks(canvas, window, gaussians.take(owner), peak[owner], pieces)


def _paint_each(
    canvas: FloatArray,
    window: Window,
    gaussians: Gaussians,
    peak: FloatArray,
    extent: FloatArray,
) -> None:
    """Draw each Gaussian in one square."""
    half = _half_sizes(extent)
    column, row = np.rint(gaussians.x), np.rint(gaussians.y)
    seen = _touching(window, column, row, half)
    if seen.any():
        terms = _terms(gaussians.take(seen), peak[seen], column[seen], row[seen])
        corners = np.stack([column[seen] - window.x, row[seen] - window.y]).astype(np.int64)
        _paint_squares(canvas, terms, corners, half[seen].astype(np.int64))


def _touching(window: Window, column: FloatArray, row: FloatArray, half: FloatArray) -> BoolArray:
    """Tell which squares have pixels in a window."""
    return np.asarray(
        (half > 0.0)
        & (column + half >= window.x)
        & (column - half < window.x + window.nx)
        & (row + half >= window.y)
        & (row - half < window.y + window.ny)
    )


def _terms(
    gaussians: Gaussians, peak: FloatArray, column: FloatArray, row: FloatArray
) -> FloatArray:
    """Give what `_values` needs for squares around pixels (column, row), shape (6, n)."""
    inverse = 1.0 / (gaussians.xx * gaussians.yy - gaussians.xy**2)
    return np.stack(
        [
            column - gaussians.x,
            row - gaussians.y,
            -0.5 * gaussians.yy * inverse,
            gaussians.xy * inverse,
            -0.5 * gaussians.xx * inverse,
            peak,
        ]
    )


def _half_sizes(reach: FloatArray) -> FloatArray:
    """Round up to one of the sizes that are drawn together, or to a whole pixel; 0 stays 0."""
    sizes = np.array([0.0, *_HALF_SIZES, np.inf])
    rounded = sizes[np.searchsorted(sizes, reach)]
    return np.where(np.isinf(rounded), np.ceil(reach), rounded)


def _paint_squares(
    canvas: FloatArray, terms: FloatArray, centres: LongArray, half: LongArray
) -> None:
    """Draw all squares, those of like size together. terms: see `_values`."""
    size_class = np.searchsorted(_HALF_SIZES, half)
    upright = terms[3] == 0.0
    for number, size in enumerate(_HALF_SIZES):
        per_step = _STEP_PIXELS // (2 * size + 1) ** 2
        for is_upright in (True, False):
            (members,) = np.nonzero((size_class == number) & (upright == is_upright))
            for start in range(0, len(members), per_step):
                chosen = members[start : start + per_step]
                _paint_alike(canvas, terms[:, chosen], centres[:, chosen], size)
    for index in np.flatnonzero(size_class == len(_HALF_SIZES)):
        _paint_large(canvas, terms[:, index], centres[:, index], int(half[index]))


def _values(terms: FloatArray, dx: FloatArray, dy: FloatArray) -> FloatArray:
    """Evaluate. terms: offsets x, y; factors of dx dx, dx dy, dy dy; peak; each (n, 1, 1) or ()."""
    dx, dy = dx + terms[0], dy + terms[1]
    if not terms[3].any():
        # A product of a function of x and one of y: few exponentials.
        along_x, along_y = np.exp(terms[2] * dx * dx), np.exp(terms[4] * dy * dy)
        return np.asarray(along_x * (along_y * terms[5]))
    exponent = (terms[2] * dx + terms[3] * dy) * dx + (terms[4] * dy) * dy
    np.exp(exponent, out=exponent)
    exponent *= terms[5]
    return np.asarray(exponent)


def _paint_alike(
    canvas: FloatArray,
    terms: FloatArray,
    centres: LongArray,
    half: int,
    limits: FloatArray | None = None,
) -> None:
    """Draw squares of one size. limits: of streaks, direction and middle of the piece, (3, n)."""
    ny, nx = canvas.shape
    steps = np.arange(-half, half + 1, dtype=float)
    values = _values(terms[:, :, None, None], steps[None, None, :], steps[None, :, None])
    if limits is not None:
        along_x = limits[0][:, None] * (steps + terms[0][:, None])
        along_y = limits[1][:, None] * (steps + terms[1][:, None])
        along = along_x[:, None, :] + along_y[:, :, None] - limits[2][:, None, None]
        values *= (along >= -_PIECE / 2.0) & (along < _PIECE / 2.0)
    columns = centres[0][:, None] + np.arange(-half, half + 1)
    rows = centres[1][:, None] + np.arange(-half, half + 1)
    outside_x, outside_y = (columns < 0) | (columns >= nx), (rows < 0) | (rows >= ny)
    if outside_x.any() or outside_y.any():
        values *= ~outside_x[:, None, :]
        values *= ~outside_y[:, :, None]
        np.clip(columns, 0, nx - 1, out=columns)
        np.clip(rows, 0, ny - 1, out=rows)
    places = rows[:, :, None] * nx + columns[:, None, :]
    np.add.at(canvas.reshape(-1), places.reshape(-1), values.reshape(-1))


def _paint_large(canvas: FloatArray, terms: FloatArray, centre: LongArray, half: int) -> None:
    """Draw one square, only where it is on the canvas."""
    ny, nx = canvas.shape
    x, y = int(centre[0]), int(centre[1])
    left, right = max(0, x - half), min(nx, x + half + 1)
    low, high = max(0, y - half), min(ny, y + half + 1)
    dx = np.arange(left - x, right - x, dtype=float)
    dy = np.arange(low - y, high - y, dtype=float)[:, None]
    canvas[low:high, left:right] += _values(terms, dx, dy)


# --- Streaks --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Pieces of streaks: whose, their middles (pixels), squares, direction, limits along it."""

    owner: LongArray
    x: FloatArray
    y: FloatArray
    half: FloatArray
    cosine: FloatArray
    sine: FloatArray
    middle: FloatArray


def _is_streak(gaussians: Gaussians, determinant: FloatArray, extent: FloatArray) -> BoolArray:
    """Tell which Gaussians are worth cutting."""
    trace = gaussians.xx + gaussians.yy
    short = trace / 2.0 - np.sqrt(np.maximum(trace**2 / 4.0 - determinant, 0.0))
    across = _LAST_SIGMA * np.sqrt(np.maximum(short, 0.0)) + _PIECE
    return np.asarray(extent > _MUCH_LESS * across)


def _pieces(streaks: Gaussians, reach: FloatArray, extent: FloatArray) -> _Pieces:
    """Cut streaks: pieces are numbered from each one's centre, so that all cutouts cut alike."""
    trace = streaks.xx + streaks.yy
    spread = np.sqrt((streaks.xx - streaks.yy) ** 2 / 4.0 + streaks.xy**2)
    angle = 0.5 * np.arctan2(2.0 * streaks.xy, streaks.xx - streaks.yy)
    across = reach * np.sqrt(np.maximum(trace / 2.0 - spread, 0.0))
    along = np.minimum(reach * np.sqrt(trace / 2.0 + spread), extent)
    count = np.ceil(along / _PIECE).astype(np.int64)
    owner = np.repeat(np.arange(len(streaks)), 2 * count + 1)
    first = np.repeat(np.cumsum(2 * count + 1) - (2 * count + 1), 2 * count + 1)
    middle = np.asarray((np.arange(len(owner)) - first - count[owner]) * _PIECE, dtype=float)
    cosine, sine = np.cos(angle[owner]), np.sin(angle[owner])
    return _Pieces(
        owner,
        streaks.x[owner] + middle * cosine,
        streaks.y[owner] + middle * sine,
        _half_sizes(np.hypot(_PIECE / 2.0, across[owner]) + 1.0),
        cosine,
        sine,
        middle,
    )


def _paint_streaks(
    canvas: FloatArray, window: Window, owners: Gaussians, peak: FloatArray, pieces: _Pieces
) -> None:
    """Draw pieces of streaks: a pixel gets its share from the one piece that it is beside."""
    column, row = np.rint(pieces.x), np.rint(pieces.y)
    for half in np.unique(pieces.half):
        chosen = np.flatnonzero(_touching(window, column, row, pieces.half) & (pieces.half == half))
        size = int(half)
        per_step = max(1, _STEP_PIXELS // (2 * size + 1) ** 2)
        for start in range(0, len(chosen), per_step):
            some = chosen[start : start + per_step]
            terms = _terms(owners.take(some), peak[some], column[some], row[some])
            limits = np.stack([pieces.cosine[some], pieces.sine[some], pieces.middle[some]])
            centres = np.stack([column[some] - window.x, row[some] - window.y]).astype(np.int64)
            _paint_alike(canvas, terms, centres, size, limits)
