"""
The sky cells of Hubble's multi-visit mosaics: a fixed grid of pixels for the whole sky.

Rings of projection cells, 4 degrees apart, each with its own tangent point and 4.2 x 4.2 degrees
of 0.04-arcsec pixels, cut into 21 x 21 overlapping sky cells. Numbers are those of drizzlepac's
grid definition (`allsky_cells.fits`, `cell_utils.py`), with which the names agree: the brief's
position is in p2007x09y05.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from demo_sky.hubble.projection import Frame, Grid, unit_vectors

# Projection cells in the rings at declinations -90, -86, ... -2; the north is the mirror image.
_SOUTHERN_RINGS = (
    1, 9, 15, 21, 27, 33, 39, 45, 50, 55, 60, 64, 68, 72, 76, 79, 82, 84, 86, 88, 89, 89, 90,
)  # fmt: skip
_RINGS = _SOUTHERN_RINGS + _SOUTHERN_RINGS[::-1]
_RING_STEP_DEG = 4.0
# The poles' tangent points are a hair off.
_POLE_DEC = 89.999999999997

FINE_ARCSEC = 0.04
COARSE_FACTOR = 3
_PROJECTION_PIXELS = 450287
_CELLS_PER_SIDE = 21
_OVERLAP = 256
_CELL_STEP = int(_PROJECTION_PIXELS / _CELLS_PER_SIDE + 0.5)


@dataclass(frozen=True, slots=True)
class SkyCell:
    """
    One sky cell.

    Attributes
    ----------
    projection : int
        Number of its projection cell, 0 to 2643.
    x, y : int
        Column and row in that, from 1.
    """

    projection: int
    x: int
    y: int

    @property
    def name(self) -> str:
        """As in file names: p2007x09y05."""
        return f"p{self.projection:04d}x{self.x:02d}y{self.y:02d}"

    def grid(self, *, coarse: bool = False) -> Grid:
        """
        Give the cell's pixels.

        Parameters
        ----------
        coarse : bool, optional
            0.12 instead of 0.04 arcsec.

        Returns
        -------
        grid : Grid
            Its reference pixel is far outside.
        """
        factor = COARSE_FACTOR if coarse else 1
        # CRPIX, which counts from 1, is what is divided.
        middle = _PROJECTION_PIXELS / 2.0 + 0.5
        crpix_x = (middle - (self.x - 1) * _CELL_STEP) / factor
        crpix_y = (middle - (self.y - 1) * _CELL_STEP) / factor
        size = (_CELL_STEP + 2 * _OVERLAP) // factor
        frame = projection_frame(self.projection)
        return Grid(frame, crpix_x - 1.0, crpix_y - 1.0, FINE_ARCSEC * factor, size, size)


@lru_cache(maxsize=1)
def _ring_starts() -> tuple[int, ...]:
    return tuple(int(start) for start in np.concatenate([[0], np.cumsum(_RINGS)]))


@lru_cache(maxsize=256)
def projection_frame(projection: int) -> Frame:
    """
    Find the tangent point of a projection cell.

    Parameters
    ----------
    projection : int

    Returns
    -------
    frame : Frame
    """
    starts = _ring_starts()
    ring = int(np.searchsorted(starts, projection, side="right")) - 1
    dec = -90.0 + _RING_STEP_DEG * ring
    ra = (projection - starts[ring]) * 360.0 / _RINGS[ring]
    return Frame(ra, float(np.clip(dec, -_POLE_DEC, _POLE_DEC)))


def nearest_projection(ra: float, dec: float) -> int:
    """
    Find the projection cell whose tangent point is nearest.

    Parameters
    ----------
    ra, dec : float
        Degrees.

    Returns
    -------
    projection : int
    """
    starts = _ring_starts()
    middle = round((dec + 90.0) / _RING_STEP_DEG)
    target = unit_vectors(ra, dec)
    candidates = []
    for ring in range(max(0, middle - 1), min(len(_RINGS), middle + 2)):
        count = _RINGS[ring]
        place = round(ra * count / 360.0)
        candidates += [starts[ring] + (place + step) % count for step in (-1, 0, 1)]
    return max(candidates, key=lambda each: float(projection_frame(each).axes[2] @ target))


def cells_touching(
    projection: int, west: float, east: float, south: float, north: float
) -> Iterator[SkyCell]:
    """
    Give the sky cells that a rectangle overlaps.

    Parameters
    ----------
    projection : int
        Projection cell.
    west, east, south, north : float
        Limits on its plane: east and north coordinates, arcsec.

    Yields
    ------
    cell : SkyCell
        By column, then by row.
    """
    corner = SkyCell(projection, 1, 1).grid()
    left, right = corner.x0 - east / FINE_ARCSEC, corner.x0 - west / FINE_ARCSEC
    low, high = corner.y0 + south / FINE_ARCSEC, corner.y0 + north / FINE_ARCSEC
    for x in _places(left, right):
        for y in _places(low, high):
            yield SkyCell(projection, x, y)


def _places(low: float, high: float) -> range:
    """Give the columns (or rows) of cells that pixels low to high touch, from 1."""
    first = int((low - _CELL_STEP - 2 * _OVERLAP) // _CELL_STEP) + 1
    last = int(high // _CELL_STEP)
    return range(max(0, first) + 1, min(_CELLS_PER_SIDE - 1, last) + 2)


def cropped(grid: Grid, west: float, east: float, south: float, north: float) -> Grid:
    """
    Cut a cell's grid down to a rectangle, by whole coarse pixels.

    Parameters
    ----------
    grid : Grid
        Fine or coarse.
    west, east, south, north : float
        Limits on its plane, arcsec.

    Returns
    -------
    grid : Grid
        Fine and coarse ones cut alike cover the same sky.
    """
    step = round(COARSE_FACTOR * FINE_ARCSEC / grid.scale)
    left, right = _crop(grid.x0 - east / grid.scale, grid.x0 - west / grid.scale, grid.nx, step)
    low, high = _crop(grid.y0 + south / grid.scale, grid.y0 + north / grid.scale, grid.ny, step)
    return replace(grid, x0=grid.x0 - left, y0=grid.y0 - low, nx=right - left, ny=high - low)


def _crop(low: float, high: float, size: int, step: int) -> tuple[int, int]:
    start = max(0, int(low // step)) * step
    stop = min(size // step, int(high // step) + 1) * step
    return min(start, stop), stop
