"""
Pixels, tangent planes and the sky, for whole arrays at once.

All mosaics are gnomonic (TAN), and so are the frames in which sources are laid out. Between two
such planes a map is a ratio of linear functions: exact, and a few additions per pixel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from astropy.wcs import WCS

FloatArray = np.ndarray[Any, np.dtype[np.float64]]

ARCSEC = math.pi / 180.0 / 3600.0


def unit_vectors(ra: FloatArray | float, dec: FloatArray | float) -> FloatArray:
    """
    Turn positions into unit vectors.

    Parameters
    ----------
    ra, dec : float or ndarray
        Degrees.

    Returns
    -------
    vectors : ndarray of shape (..., 3)
    """
    ra, dec = np.deg2rad(ra), np.deg2rad(dec)
    return np.stack([np.cos(ra) * np.cos(dec), np.sin(ra) * np.cos(dec), np.sin(dec)], axis=-1)


def positions(vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
    """
    Turn vectors of any length into positions.

    Parameters
    ----------
    vectors : ndarray of shape (..., 3)

    Returns
    -------
    ra, dec : ndarray
        Degrees, 0 <= ra < 360.
    """
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    return np.rad2deg(np.arctan2(y, x)) % 360.0, np.rad2deg(np.arctan2(z, np.hypot(x, y)))


@dataclass(frozen=True)
class Frame:
    """
    A plane that touches the sky in one point.

    Attributes
    ----------
    ra, dec : float
        Where, ICRS, degrees.
    """

    ra: float
    dec: float

    @cached_property
    def axes(self) -> FloatArray:
        """Unit vectors to the east, to the north and to the point itself, shape (3, 3), by rows."""
        ra, dec = math.radians(self.ra), math.radians(self.dec)
        return np.array(
            [
                [-math.sin(ra), math.cos(ra), 0.0],
                [-math.sin(dec) * math.cos(ra), -math.sin(dec) * math.sin(ra), math.cos(dec)],
                [math.cos(dec) * math.cos(ra), math.cos(dec) * math.sin(ra), math.sin(dec)],
            ]
        )

    def project(self, vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
        """
        Project directions onto the plane.

        Parameters
        ----------
        vectors : ndarray of shape (..., 3)

        Returns
        -------
        east, north : ndarray
            Arcsec. NaN for directions 90 degrees and more away.
        """
        along = vectors @ self.axes.T
        with np.errstate(divide="ignore", invalid="ignore"):
            depth = np.where(along[..., 2] > 0.0, along[..., 2], np.nan) * ARCSEC
            return along[..., 0] / depth, along[..., 1] / depth

    def vectors(self, east: FloatArray | float, north: FloatArray | float) -> FloatArray:
        """
        Give the directions (not of unit length) to places on the plane.

        Parameters
        ----------
        east, north : float or ndarray
            Arcsec.

        Returns
        -------
        vectors : ndarray of shape (..., 3)
        """
        east, north = np.broadcast_arrays(east, north)
        plane = np.stack([east * ARCSEC, north * ARCSEC, np.ones(east.shape)], axis=-1)
        return np.asarray(plane @ self.axes)


@dataclass(frozen=True)
class Grid:
    """
    The pixels of a mosaic.

    Attributes
    ----------
    frame : Frame
        Its tangent point (CRVAL).
    x0, y0 : float
        Pixel of the tangent point, counted from 0 (CRPIX - 1).
    scale : float
        Pixel size, arcsec.
    nx, ny : int
        Columns and rows.
    turn : float
        Angle from up to north, counter-clockwise, degrees.
    """

    frame: Frame
    x0: float
    y0: float
    scale: float
    nx: int
    ny: int
    turn: float = 0.0

    @cached_property
    def to_plane(self) -> FloatArray:
        """Pixel steps (x, y) to arcsec (east, north), shape (2, 2)."""
        c, s = math.cos(math.radians(self.turn)), math.sin(math.radians(self.turn))
        return self.scale * np.array([[-c, -s], [-s, c]])

    @cached_property
    def to_pixels(self) -> FloatArray:
        """Arcsec (east, north) to pixel steps (x, y), shape (2, 2)."""
        return np.asarray(np.linalg.inv(self.to_plane))

    def pixels(self, vectors: FloatArray) -> tuple[FloatArray, FloatArray]:
        """
        Find the pixels of directions.

        Parameters
        ----------
        vectors : ndarray of shape (..., 3)

        Returns
        -------
        x, y : ndarray
            Counted from 0; NaN for the far side of the sky.
        """
        east, north = self.frame.project(vectors)
        m = self.to_pixels
        return (
            self.x0 + m[0, 0] * east + m[0, 1] * north,
            self.y0 + m[1, 0] * east + m[1, 1] * north,
        )

    def plane(self, x: FloatArray | float, y: FloatArray | float) -> tuple[FloatArray, FloatArray]:
        """
        Find the places of pixels on the mosaic's own tangent plane.

        Parameters
        ----------
        x, y : float or ndarray
            Counted from 0.

        Returns
        -------
        east, north : ndarray
            Arcsec.
        """
        m = self.to_plane
        dx, dy = np.asarray(x - self.x0), np.asarray(y - self.y0)
        return m[0, 0] * dx + m[0, 1] * dy, m[1, 0] * dx + m[1, 1] * dy

    def in_frame(self, window: Window, frame: Frame) -> tuple[FloatArray, FloatArray]:
        """
        Find the places of a window's pixels on another tangent plane.

        Parameters
        ----------
        window : Window
        frame : Frame

        Returns
        -------
        east, north : ndarray of shape (ny, nx)
            Arcsec.
        """
        step = np.eye(3)
        step[:2, :2] = self.to_plane * ARCSEC
        m = frame.axes @ self.frame.axes.T @ step
        dx = window.x + np.arange(window.nx) - self.x0
        dy = (window.y + np.arange(window.ny) - self.y0)[:, None]
        depth = (m[2, 0] * dx + m[2, 2] + m[2, 1] * dy) * ARCSEC
        east = (m[0, 0] * dx + m[0, 2] + m[0, 1] * dy) / depth
        return east, (m[1, 0] * dx + m[1, 2] + m[1, 1] * dy) / depth

    def wcs(self) -> WCS:
        """
        Give the mosaic's WCS.

        Returns
        -------
        wcs : astropy.wcs.WCS
        """
        wcs = WCS(naxis=2)
        wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
        wcs.wcs.cunit = ["deg", "deg"]
        wcs.wcs.crval = [self.frame.ra, self.frame.dec]
        wcs.wcs.crpix = [self.x0 + 1.0, self.y0 + 1.0]
        wcs.wcs.pc = self.to_plane / 3600.0
        wcs.wcs.cdelt = [1.0, 1.0]
        wcs.wcs.set()
        return wcs


@dataclass(frozen=True, slots=True)
class Window:
    """
    A rectangle of a mosaic's pixels, perhaps hanging over its edge.

    Attributes
    ----------
    x, y : int
        First column and row, counted from 0.
    nx, ny : int
        Columns and rows.
    """

    x: int
    y: int
    nx: int
    ny: int

    def grown(self, margin: int) -> Window:
        """Give the window with as many more pixels on each side."""
        return Window(self.x - margin, self.y - margin, self.nx + 2 * margin, self.ny + 2 * margin)

    @property
    def middle(self) -> tuple[float, float]:
        """Its centre, in pixels counted from 0."""
        return self.x + (self.nx - 1) / 2.0, self.y + (self.ny - 1) / 2.0


def cutout_window(grid: Grid, ra: float, dec: float, width: float, height: float) -> Window:
    """
    Choose the pixels of a cutout as astrocut does: from round(c - size/2) to round(c + size/2).

    Parameters
    ----------
    grid : Grid
        Of the mosaic.
    ra, dec : float
        Position, degrees.
    width, height : float
        Size in pixels, along x and along y; need not be whole.

    Returns
    -------
    window : Window
        At least one pixel each way. Far from the mosaic for a position there.

    Raises
    ------
    ValueError
        If the position is on the other side of the sky.
    """
    x, y = (float(v) for v in grid.pixels(unit_vectors(ra, dec)))
    if not (math.isfinite(x) and math.isfinite(y)):
        msg = f"the position {ra!r}, {dec!r} is not on the mosaic's side of the sky"
        raise ValueError(msg)
    (x_low, x_high), (y_low, y_high) = _limits(x, width), _limits(y, height)
    return Window(x_low, y_low, x_high - x_low, y_high - y_low)


def _limits(centre: float, size: float) -> tuple[int, int]:
    # Python's round, like numpy's, takes halves to the even number.
    low, high = round(centre - size / 2.0), round(centre + size / 2.0)
    return (low, high) if high > low else (math.floor(centre), math.floor(centre) + 1)
