"""How much of each pixel lies in a circle: exact areas, for many circles at once."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
IndexArray: TypeAlias = npt.NDArray[np.intp]

_NOTHING = 1e-12


def circle_overlaps(
    x: FloatArray, y: FloatArray, radius: float
) -> tuple[FloatArray, IndexArray, IndexArray]:
    """
    Give the share of each pixel that lies in a circle.

    Parameters
    ----------
    x, y : ndarray of shape (n,)
        Middles of n circles of equal size, in pixels: (0, 0) is the centre of the first pixel.
    radius : float
        In pixels.

    Returns
    -------
    share : float64 ndarray of shape (n, k, k)
        0 to 1, for squares of k x k pixels that hold the circles; each adds up to pi radius².
    column, row : int ndarray of shape (n,)
        The pixel of `share[:, 0, 0]`, which may be negative: axis 1 is the row.
    """
    # A circle touches up to ceil(2 r) + 1 pixels in a row.
    k = int(np.ceil(2 * radius)) + 1
    column, row = (np.floor(v - radius + 0.5).astype(np.intp) for v in (x, y))
    edges = np.arange(k + 1) - 0.5
    # Shapes (n, 1, k + 1) and (n, k + 1, 1): corners of the pixels, seen from the circle's middle.
    right = (column - x)[:, None, None] + edges
    upper = (row - y)[:, None, None] + edges[:, None]
    below = _area_below_and_left(right, upper, radius)
    share = np.diff(np.diff(below, axis=1), axis=2)
    # Differences of areas leave 1e-16 where there is nothing.
    share[share < _NOTHING] = 0.0
    return np.minimum(share, 1.0, out=share), column, row


def _area_below_and_left(x: FloatArray, y: FloatArray, radius: float) -> FloatArray:
    """
    Give the part of a circle around (0, 0) that lies left of x and below y.

    It is the integral over u from -r to x of what stands between the lower half of the circle and
    y: the half chord s(u), and min(y, s(u)) above the middle (subtracted if y is negative).
    """
    x, y = np.clip(x, -radius, radius), np.clip(y, -radius, radius)
    height = np.abs(y)
    # Beyond this half chord a line at that height runs outside of the circle.
    chord = np.sqrt(radius**2 - height**2)
    inner = _half_area_left(np.minimum(x, -chord), radius)
    inner = inner + height * (np.clip(x, -chord, chord) + chord)
    inner += _half_area_left(np.maximum(x, chord), radius) - _half_area_left(chord, radius)
    return np.asarray(_half_area_left(x, radius) + np.sign(y) * inner)


def _half_area_left(x: FloatArray, radius: float) -> FloatArray:
    """Give the part of the upper half of a circle that lies left of x: the integral of s(u)."""
    chord = np.sqrt(np.maximum(radius**2 - x**2, 0.0))
    angle = np.arcsin(np.clip(x / radius, -1.0, 1.0))
    return np.asarray((x * chord + radius**2 * angle) / 2 + np.pi * radius**2 / 4)
