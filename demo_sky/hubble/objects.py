"""The table of objects that are where the real ones are, and what all kinds of them need."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from demo_sky.hubble.projection import Frame, Grid, Window
from demo_sky.sky.draws import SKY_SEED

FloatArray = np.ndarray[Any, np.dtype[np.float64]]

_TABLE = Path(__file__).parent.parent / "data" / "deep_objects.csv"
_STREAM = 121

# Beyond so many sizes an object has no light.
_REACH = {
    "spiral": 7.0,
    "spheroid": 12.0,
    "pillars": 2.5,
    "ring": 2.5,
    "wings": 1.4,
    "remnant": 1.3,
    "starburst": 4.0,
    "globular": 30.0,
    "galaxies": 6.0,
}


@dataclass(frozen=True, slots=True)
class DeepObject:
    """
    One object.

    Attributes
    ----------
    number : int
        Its place in the table: seed of what is made up.
    name, kind : str
    frame : Frame
        Its centre.
    angle : float
        Of the long axis, degrees from north to east.
    ratio : float
        Short over long axis.
    size : float
        Arcsec; see the table.
    magnitude : float
        V, total.
    redshift : float
    options : mapping of str to float
    """

    number: int
    name: str
    kind: str
    frame: Frame
    angle: float
    ratio: float
    size: float
    magnitude: float
    redshift: float
    options: Mapping[str, float]

    def __hash__(self) -> int:
        return self.number

    @property
    def reach(self) -> float:
        """Beyond this distance from the centre there is nothing, arcsec."""
        return max(
            _REACH[self.kind] * self.size,
            6.0 * self.options.get("bulge_radius", 0.0),
        )

    def along_axes(self, east: FloatArray, north: FloatArray) -> tuple[FloatArray, FloatArray]:
        """
        Turn places to the object's axes.

        Parameters
        ----------
        east, north : ndarray
            Arcsec from the centre.

        Returns
        -------
        long, short : ndarray
            Along the long axis, and a right angle to it (from north to east) further.
        """
        c, s = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        return s * east + c * north, c * east - s * north

    def from_axes(self, long: FloatArray, short: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Turn places on the object's axes to east and north, arcsec."""
        c, s = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        return s * long + c * short, c * long - s * short

    def generator(self, *keys: int) -> np.random.Generator:
        """Give a generator for a detail of this object; keys are not negative."""
        seed = np.random.SeedSequence([SKY_SEED, _STREAM, self.number, *keys])
        return np.random.Generator(np.random.Philox(seed))


@lru_cache(maxsize=1)
def deep_objects() -> tuple[DeepObject, ...]:
    """
    Read the table.

    Returns
    -------
    objects : tuple of DeepObject
    """
    with _TABLE.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(line for line in lines if not line.startswith("#"))
        return tuple(
            DeepObject(
                number=number,
                name=row["name"],
                kind=row["kind"],
                frame=Frame(float(row["ra"]), float(row["dec"])),
                angle=float(row["angle"]),
                ratio=float(row["ratio"]),
                size=float(row["size"]),
                magnitude=float(row["magnitude"]),
                redshift=float(row["redshift"]),
                options=MappingProxyType(_options(row["options"])),
            )
            for number, row in enumerate(rows)
        )


def _options(text: str) -> dict[str, float]:
    pairs = (each.split("=") for each in text.split(";") if each)
    return {name: float(value) for name, value in pairs}


def objects_near(direction: FloatArray, radius: float) -> list[DeepObject]:
    """
    List the objects whose light may fall into a circle.

    Parameters
    ----------
    direction : ndarray of shape (3,)
        Unit vector to its centre.
    radius : float
        Degrees.

    Returns
    -------
    objects : list of DeepObject
    """
    found = []
    for each in deep_objects():
        cosine = float(np.clip(each.frame.axes[2] @ direction, -1.0, 1.0))
        if math.degrees(math.acos(cosine)) <= radius + each.reach / 3600.0:
            found.append(each)
    return found


# --- Points drawn at random -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Points:
    """
    Points on an object's plane.

    Attributes
    ----------
    east, north : ndarray of shape (n,)
        Arcsec.
    draws : ndarray of shape (4, n)
        Uniform in 0 to 1, for what else is drawn of a point.
    """

    east: FloatArray
    north: FloatArray
    draws: FloatArray


def scatter(
    about: DeepObject,
    key: int,
    camera_grid: Grid,
    window: Window,
    margin: float,
    cell: float,
    density: Callable[[FloatArray, FloatArray], FloatArray],
) -> Points:
    """
    Spread points over an object's plane as a density says, cell by cell.

    Parameters
    ----------
    about : DeepObject
    key : int
        Tells populations of an object apart.
    camera_grid : Grid
    window : Window
        Where they are needed.
    margin : float
        How far around the window, arcsec.
    cell : float
        Size of the cells, arcsec: the density should not vary much faster.
    density : callable
        Gives points per square arcsec at places east and north.

    Returns
    -------
    points : Points
        Those of all cells that touch the window and its margin, always in the same order.
    """
    columns, rows = _cells(about, camera_grid, window, margin, cell)
    parts = [_cell_points(about, key, i, j, cell, density) for i in columns for j in rows]
    if not parts:
        return Points(np.empty(0), np.empty(0), np.empty((4, 0)))
    return Points(
        np.concatenate([part.east for part in parts]),
        np.concatenate([part.north for part in parts]),
        np.concatenate([part.draws for part in parts], axis=1),
    )


def _cells(
    about: DeepObject, grid: Grid, window: Window, margin: float, cell: float
) -> tuple[range, range]:
    """Give columns and rows of the cells around a window."""
    x = np.array([window.x, window.x + window.nx, window.x, window.x + window.nx], dtype=float)
    y = np.array([window.y, window.y, window.y + window.ny, window.y + window.ny], dtype=float)
    east, north = about.frame.project(grid.frame.vectors(*grid.plane(x, y)))
    ranges = []
    for values in (east, north):
        low = max(float(values.min()) - margin, -about.reach)
        high = min(float(values.max()) + margin, about.reach)
        ranges.append(range(math.floor(low / cell), math.floor(high / cell) + 1))
    return ranges[0], ranges[1]


# Keeps the cells' numbers positive.
_CELL_ZERO = 2**20
# Where a cell's density is probed, in cells, and how much higher it may be elsewhere in the cell.
_PROBES = (np.arange(5) + 0.5) / 5.0
_HEADROOM = 1.4


def _cell_points(
    about: DeepObject,
    key: int,
    column: int,
    row: int,
    cell: float,
    density: Callable[[FloatArray, FloatArray], FloatArray],
) -> Points:
    probe_east, probe_north = np.meshgrid((column + _PROBES) * cell, (row + _PROBES) * cell)
    most = float(density(probe_east, probe_north).max()) * _HEADROOM
    draws = about.generator(key, column + _CELL_ZERO, row + _CELL_ZERO)
    count = int(draws.poisson(most * cell**2)) if most > 0.0 else 0
    u = draws.random((7, count))
    east, north = (column + u[0]) * cell, (row + u[1]) * cell
    kept = u[2] * most < density(east, north)
    return Points(east[kept], north[kept], u[3:, kept])
