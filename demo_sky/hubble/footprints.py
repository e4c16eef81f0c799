"""Where mosaics have data: exposures as rectangles on a tangent plane."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from demo_sky.hubble.projection import Frame, Grid, Window, unit_vectors

FloatArray = np.ndarray[Any, np.dtype[np.float64]]
BoolArray = np.ndarray[Any, np.dtype[np.bool_]]

# Within so many degrees of its own tangent point a plane's distances are true to a part in 1000.
_FLAT_DEG = 2.0

_STRIP = 256


@dataclass(frozen=True, slots=True)
class Exposure:
    """
    One exposure: a rectangle with an equal time in it, perhaps with a gap across its middle.

    Attributes
    ----------
    east, north : float
        Centre on the mosaic's tangent plane, arcsec.
    angle : float
        Of the detector's y axis, degrees from the plane's north to its east.
    half_width, half_height : float
        Along the detector's x and y, arcsec.
    half_gap : float
        Half height of the gap, arcsec; 0 for none.
    seconds : float
        Exposure time.
    """

    east: float
    north: float
    angle: float
    half_width: float
    half_height: float
    half_gap: float
    seconds: float

    @property
    def reach(self) -> float:
        """Distance of the corners from the centre, arcsec."""
        return math.hypot(self.half_width, self.half_height)

    def axes(self, east: Any, north: Any) -> tuple[Any, Any]:
        """Turn places on the plane to the detector's axes, arcsec from its centre."""
        c, s = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        east, north = east - self.east, north - self.north
        # With y to the north, x is to the west.
        return -c * east + s * north, s * east + c * north

    def corners(self) -> FloatArray:
        """Give the corners on the plane, (east, north) in arcsec, shape (4, 2)."""
        c, s = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        u = self.half_width * np.array([-1.0, 1.0, 1.0, -1.0])
        v = self.half_height * np.array([-1.0, -1.0, 1.0, 1.0])
        return np.stack([self.east - c * u + s * v, self.north + s * u + c * v], axis=-1)


class Footprint:
    """
    All exposures of one mosaic.

    Parameters
    ----------
    frame : Frame
        The mosaic's tangent point.
    exposures : tuple of Exposure
    """

    def __init__(self, frame: Frame, exposures: tuple[Exposure, ...]) -> None:
        self.frame = frame
        self.exposures = exposures

    @cached_property
    def _centres(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        east = np.array([each.east for each in self.exposures])
        north = np.array([each.north for each in self.exposures])
        return east, north, np.array([each.reach for each in self.exposures])

    def box(self) -> tuple[float, float, float, float]:
        """
        Give the smallest upright rectangle around all exposures.

        Returns
        -------
        west, east, south, north : float
            East and north coordinates on the plane, arcsec.
        """
        corners = np.concatenate([each.corners() for each in self.exposures])
        (low_east, low_north), (high_east, high_north) = corners.min(axis=0), corners.max(axis=0)
        return float(low_east), float(high_east), float(low_north), float(high_north)

    def seconds(self, grid: Grid, window: Window) -> FloatArray:
        """
        Add up exposure times.

        Parameters
        ----------
        grid : Grid
            Of the mosaic, on this footprint's tangent plane.
        window : Window

        Returns
        -------
        seconds : ndarray of shape (ny, nx)
            0 where there is no exposure, and beyond the mosaic's edge.
        """
        total = np.zeros((window.ny, window.nx))
        x = window.x + np.arange(window.nx, dtype=float)
        y = window.y + np.arange(window.ny, dtype=float)
        for exposure in self._touching(grid, window):
            total += _inside(exposure, grid, x, y) * exposure.seconds
        total[:, (x < 0) | (x >= grid.nx)] = 0.0
        total[(y < 0) | (y >= grid.ny)] = 0.0
        return total

    def covers(self, grid: Grid, window: Window) -> bool:
        """
        Tell whether a piece of the mosaic has any data.

        Parameters
        ----------
        grid : Grid
            Of the mosaic, on this footprint's tangent plane.
        window : Window

        Returns
        -------
        covers : bool
        """
        # Large windows are looked at in strips.
        for y in range(0, window.ny, _STRIP):
            strip = Window(window.x, window.y + y, window.nx, min(_STRIP, window.ny - y))
            if self.seconds(grid, strip).any():
                return True
        return False

    def _touching(self, grid: Grid, window: Window) -> list[Exposure]:
        east, north = grid.plane(*window.middle)
        reach = math.hypot(window.nx, window.ny) / 2.0 * grid.scale
        centre_east, centre_north, own_reach = self._centres
        distance = np.hypot(centre_east - east, centre_north - north)
        return [self.exposures[i] for i in np.flatnonzero(distance <= reach + own_reach)]

    def distance_deg(self, ra: float, dec: float) -> float:
        """
        Measure how far a position is from the nearest exposure.

        Parameters
        ----------
        ra, dec : float
            Degrees.

        Returns
        -------
        distance : float
            Degrees; 0 inside. Beyond a few degrees: to the circle around all exposures.
        """
        target = unit_vectors(ra, dec)
        east, north, reach = self._centres
        vectors = self.frame.vectors(east, north)
        vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
        chord = np.minimum(np.linalg.norm(vectors - target, axis=-1) / 2.0, 1.0)
        apart = np.rad2deg(2.0 * np.arcsin(chord))
        if float(apart.min()) > _FLAT_DEG:
            return max(0.0, float((apart - reach / 3600.0).min()))
        place = self.frame.project(target)
        gaps = []
        for exposure in self.exposures:
            u, v = exposure.axes(*place)
            beyond = math.hypot(
                max(abs(float(u)) - exposure.half_width, 0.0),
                max(abs(float(v)) - exposure.half_height, 0.0),
            )
            gaps.append(beyond / 3600.0)
        return min(gaps)


def _inside(exposure: Exposure, grid: Grid, x: FloatArray, y: FloatArray) -> BoolArray:
    """Tell which pixels an exposure covers, shape (ny, nx)."""
    # On the detector's axes, too, the pixels' coordinates are sums of a term in x and one in y.
    origin_u, origin_v = exposure.axes(*grid.plane(0.0, 0.0))
    step_u, step_v = exposure.axes(*grid.plane(np.array([1.0, 0.0]), np.array([0.0, 1.0])))
    u = (origin_u + x * (step_u[0] - origin_u)) + (y * (step_u[1] - origin_u))[:, None]
    v = (origin_v + x * (step_v[0] - origin_v)) + (y * (step_v[1] - origin_v))[:, None]
    inside = (np.abs(u) < exposure.half_width) & (np.abs(v) < exposure.half_height)
    if exposure.half_gap:
        inside &= np.abs(v) > exposure.half_gap
    return np.asarray(inside)
