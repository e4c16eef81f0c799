"""
How stars look on TESS's CCDs: pixel-integrated images, bleeding, and the diffuse sky under them.

Images are made for fixed squares of the CCD ("cells"), and bright stars one by one, so a pixel gets
the same light, to the last bit, in whatever cutout it is asked for; neighbouring cutouts share the
work. Each image comes with its slopes: how it changes when the stars move along columns and rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from demo_sky.sky.catalogue import FAINTEST_TMAG, Stars, real_stars, star_by_number, stars_in_cone
from demo_sky.sky.star_counts import unresolved_light
from demo_sky.tess.geometry import (
    FIRST_COLUMN,
    FIRST_ROW,
    LAST_COLUMN,
    LAST_ROW,
    Window,
    pixel_to_sky,
    sky_to_pixel,
)

FloatArray = np.ndarray[Any, np.dtype[np.float64]]

# TESS magnitude of 1 electron/s (TESS Instrument Handbook v0.1, Vanderspek et al. 2018, 6.1).
ZERO_POINT_TMAG = 20.44

# Full well of 204,000 electrons in a frame of 1.98 s, as a rate. The handbook says about 200,000;
# pi Men's saturated pixels show 101,000 to 105,000 electron/s in a real TESSCut file of sector 1.
FULL_WELL_RATE = 103_000.0

# Share of the light and width (sigma in pixels) of two round Gaussians, on the optical axis. On the
# detector this is 1.6 pixels wide at half height, 92 % of the light is inside 4 x 4 pixels (90 %:
# Ricker et al. 2015, JATIS 1, 014003, figure 7), and a centred star of Tmag 6.6 fills its pixel
# (about 6.8: TESS Instrument Handbook).
PSF = ((0.83, 0.62), (0.17, 1.80))

# Assumed: off-axis images are wider by this much at a camera's corner, where TESS's are stretched.
_CORNER_WIDENING = 0.35
_CORNER_PIXELS = math.hypot(2048.0, 2048.0)

# Brighter stars are painted one by one and may bleed.
BRIGHT_TMAG = 7.0

# Half-width of a star's image: six sigma and more of the wide component, 1e-8 of the light.
REACH = 12
# Variable light outside the central 15 x 15 pixels is left out: 0.1 % of it.
VARIABLE_REACH = 7

CELL = 32

# OpenBLAS starts threads for products of more than 2**18 terms; with many requests at once they
# wait for each other a hundred times longer than they compute.
_STARS_AT_ONCE = 2**18 // (2 * CELL) ** 2

# Upper limit of the pixel scale, to be sure to ask for enough sky (20 to 22 arcsec).
_PIXEL_DEG = 22.5 / 3600.0

# Area of a pixel for diffuse light: 21.1 arcsec squared (Sullivan et al. 2015, table 1).
_PIXEL_ARCSEC2 = 21.1**2
_PIXEL_DEG2 = _PIXEL_ARCSEC2 / 3600.0**2

_OBLIQUITY_DEG = 23.4392911  # IAU 1976, J2000


@dataclass(frozen=True, slots=True)
class Patch:
    """
    Light on a rectangle of FFI pixels.

    Attributes
    ----------
    column, row : int
        FFI pixel, counted from 1, of the first (lower left) pixel.
    light : ndarray of shape (..., ny, nx)
        Electron/s.
    """

    column: int
    row: int
    light: FloatArray

    def crop(self, window: Window) -> tuple[slice, slice, FloatArray] | None:
        """
        Cut out what falls into a window.

        Returns
        -------
        rows, columns : slice
            Of the window's arrays.
        light : ndarray of shape (..., len(rows), len(columns))
            None instead of all three if nothing falls into the window.
        """
        ny, nx = self.light.shape[-2:]
        left, bottom = self.column - window.column, self.row - window.row
        x0, x1 = max(left, 0), min(left + nx, window.nx)
        y0, y1 = max(bottom, 0), min(bottom + ny, window.ny)
        if x0 >= x1 or y0 >= y1:
            return None
        light = self.light[..., y0 - bottom : y1 - bottom, x0 - left : x1 - left]
        return slice(y0, y1), slice(x0, x1), light


def electron_rate(tmag: FloatArray | float) -> FloatArray:
    """Convert TESS magnitudes to electron/s."""
    return np.asarray(10.0 ** (-0.4 * (np.asarray(tmag, dtype=float) - ZERO_POINT_TMAG)))


@lru_cache(maxsize=16)
def _optical_axis(camera: int, ccd: int) -> tuple[float, float]:
    """Find the FFI pixel of a CCD under the camera's axis: the middle of its four CCDs."""
    column, row = (FIRST_COLUMN + LAST_COLUMN) / 2.0, (FIRST_ROW + LAST_ROW) / 2.0
    # The focal plane is the same in all sectors.
    centres = np.deg2rad([pixel_to_sky(1, camera, other, column, row) for other in (1, 2, 3, 4)])
    ra, dec = centres[:, 0], centres[:, 1]
    middle = np.mean([np.cos(ra) * np.cos(dec), np.sin(ra) * np.cos(dec), np.sin(dec)], axis=1)
    axis_ra = math.degrees(math.atan2(middle[1], middle[0]))
    axis_dec = math.degrees(math.atan2(middle[2], math.hypot(middle[0], middle[1])))
    axis_column, axis_row = sky_to_pixel(1, camera, ccd, axis_ra, axis_dec)
    return float(axis_column), float(axis_row)


def widening(camera: int, ccd: int, column: FloatArray, row: FloatArray) -> FloatArray:
    """Tell how much wider than on the axis the images are."""
    axis_column, axis_row = _optical_axis(camera, ccd)
    square = ((column - axis_column) ** 2 + (row - axis_row) ** 2) / _CORNER_PIXELS**2
    return np.asarray(1.0 + _CORNER_WIDENING * square)


def light_along(
    position: FloatArray, sigma: FloatArray, first: FloatArray, n_pixels: int
) -> tuple[FloatArray, FloatArray]:
    """
    Share a Gaussian's light out among pixels along one axis.

    Returns
    -------
    share, slope : ndarray of shape (n_stars, n_pixels)
        Light per pixel, and its change per pixel of movement.
    """
    # 0.1 s to import: not at our own import.
    from scipy.special import erf

    edges = first[:, None] - 0.5 + np.arange(n_pixels + 1) - position[:, None]
    u = edges / sigma[:, None]
    share = 0.5 * np.diff(erf(u * math.sqrt(0.5)), axis=1)
    height = np.exp(-0.5 * u * u) / (math.sqrt(2.0 * math.pi) * sigma[:, None])
    return share, -np.diff(height, axis=1)


@lru_cache(maxsize=512)
def cell_image(sector: int, camera: int, ccd: int, column: int, row: int) -> Patch:
    """
    Paint a cell: all steady light but that of bright stars.

    Parameters
    ----------
    sector, camera, ccd : int
        Which CCD.
    column, row : int
        First pixel of the cell, FFI pixels from 1; 1 plus a multiple of `CELL`.

    Returns
    -------
    patch : Patch
        Light of shape (3, CELL, CELL): image with the diffuse sky, slope along columns, slope
        along rows (electron/s per pixel). Stars up to `REACH` pixels outside shine in. Stars that
        vary are there at their catalogue brightness. Shared: read-only.
    """
    middle = (CELL - 1) / 2.0
    ra, dec = pixel_to_sky(sector, camera, ccd, column + middle, row + middle)
    radius = math.sqrt(2.0) * (CELL / 2.0 + REACH) * _PIXEL_DEG
    stars = stars_in_cone(float(ra), float(dec), radius)
    stars = stars.take(stars.tmag >= BRIGHT_TMAG)
    x, y = sky_to_pixel(sector, camera, ccd, stars.ra, stars.dec)
    near = (np.abs(x - column - middle) < middle + REACH) & (
        np.abs(y - row - middle) < middle + REACH
    )
    x, y, rate = x[near], y[near], electron_rate(stars.tmag[near])
    width = widening(camera, ccd, x, y)

    blocks = np.zeros((2 * CELL, 2 * CELL))
    for share, sigma in PSF:
        in_x, slope_x = light_along(x, sigma * width, np.full(len(x), column), CELL)
        in_y, slope_y = light_along(y, sigma * width, np.full(len(y), row), CELL)
        # Products of shape (2 CELL, n) x (n, 2 CELL) give image and both slopes as their blocks.
        rows = np.concatenate([in_y, slope_y], axis=1) * (share * rate)[:, None]
        columns = np.concatenate([in_x, slope_x], axis=1)
        for start in range(0, len(x), _STARS_AT_ONCE):
            part = slice(start, start + _STARS_AT_ONCE)
            blocks += rows[part].T @ columns[part]
    light = np.stack([blocks[:CELL, :CELL], blocks[:CELL, CELL:], blocks[CELL:, :CELL]])
    light[0] += _diffuse_sky(sector, camera, ccd, column, row)
    light.flags.writeable = False
    return Patch(column, row, light)


def _diffuse_sky(sector: int, camera: int, ccd: int, column: int, row: int) -> FloatArray:
    """Interpolate zodiacal and unresolved starlight between the corners of a cell."""
    columns = np.array([column - 0.5, column + CELL - 0.5])
    rows = np.array([row - 0.5, row + CELL - 0.5])
    ra, dec = pixel_to_sky(sector, camera, ccd, columns[None, :], rows[:, None])
    starlight = unresolved_light(FAINTEST_TMAG, ra, dec) * _PIXEL_DEG2
    corners = zodiacal_light(ra, dec) + starlight * electron_rate(0.0)
    up = (np.arange(CELL) + 0.5) / CELL
    weights = np.stack([1.0 - up, up], axis=1)
    return np.asarray(weights @ corners @ weights.T)


def zodiacal_light(ra: FloatArray | float, dec: FloatArray | float) -> FloatArray:
    """
    Give the zodiacal light of TESS's anti-solar half of the sky.

    Parameters
    ----------
    ra, dec : float or ndarray
        ICRS, degrees.

    Returns
    -------
    light : ndarray
        Electron/s in a pixel: 47 at the ecliptic poles, 135 on the ecliptic.

    References
    ----------
    .. [1] Sullivan et al. 2015, ApJ 809, 77, equation 3 and the text around it: surface brightness
       V = 23.345 - 1.148 ((beta - 90) / 90)^2 per square arcsec, 2.56e-3 photons per s, cm2 and
       square arcsec at V = 22.8; effective area 69 cm2.
    """
    ra, dec = np.deg2rad(ra), np.deg2rad(dec)
    tilt = math.radians(_OBLIQUITY_DEG)
    sine = np.sin(dec) * math.cos(tilt) - np.cos(dec) * np.sin(ra) * math.sin(tilt)
    latitude = np.rad2deg(np.arcsin(np.clip(np.abs(sine), 0.0, 1.0)))
    v = 23.345 - 1.148 * ((latitude - 90.0) / 90.0) ** 2
    return np.asarray(2.56e-3 * 10.0 ** (-0.4 * (v - 22.8)) * 69.0 * _PIXEL_ARCSEC2)


def bleed(rate: FloatArray) -> FloatArray:
    """
    Let the charge above the full well run along the columns.

    Half of a column's excess goes up, half down, and fills each pixel to the brim before it goes
    on: the column's sum stays. Other stars' light in those pixels is not counted in.

    Parameters
    ----------
    rate : ndarray of shape (ny, nx)
        One star's light, electron/s; rows enough above and below to take the charge.

    Returns
    -------
    rate : ndarray of shape (ny, nx)
        At most `FULL_WELL_RATE`.
    """
    excess = np.clip(rate - FULL_WELL_RATE, 0.0, None).sum(axis=0)
    kept = np.minimum(rate, FULL_WELL_RATE)
    middle = np.argmax(rate, axis=0)
    rows = np.arange(rate.shape[0])[:, None]
    for beyond in (rows > middle, rows < middle):
        room = np.where(beyond, FULL_WELL_RATE - kept, 0.0)
        outward = room if rows[-1, 0] in rows[beyond[:, 0]] else room[::-1]
        before = np.cumsum(outward, axis=0) - outward
        filled = np.clip(excess / 2.0 - before, 0.0, outward)
        kept = kept + (filled if outward is room else filled[::-1])
    return np.asarray(kept)


def _star_light(
    position: tuple[float, float], rate: float, width: float, first: tuple[int, int], shape: Any
) -> FloatArray:
    """Paint one star, with bleeding, on shape (ny, nx)."""
    ny, nx = shape
    light = np.zeros((ny, nx))
    for share, sigma in PSF:
        spread = np.array([sigma * width])
        in_x, _ = light_along(np.array([position[0]]), spread, np.array([first[0]]), nx)
        in_y, _ = light_along(np.array([position[1]]), spread, np.array([first[1]]), ny)
        light += share * rate * in_y.T * in_x
    return bleed(light)


@lru_cache(maxsize=128)
def bright_star_image(sector: int, camera: int, ccd: int, tic: int) -> Patch:
    """
    Paint one bright star, bleeding if it saturates.

    Parameters
    ----------
    sector, camera, ccd : int
        Which CCD.
    tic : int
        The star's number.

    Returns
    -------
    patch : Patch
        Light of shape (3, ny, nx): image, slope along columns, slope along rows. Shared: read-only.
    """
    star = star_by_number(tic)
    x, y = (float(a[0]) for a in sky_to_pixel(sector, camera, ccd, star.ra, star.dec))
    rate = float(electron_rate(star.tmag)[0])
    half_height = bleed_reach(rate)
    first = round(x) - REACH, round(y) - half_height
    shape = 2 * half_height + 1, 2 * REACH + 1
    width = float(widening(camera, ccd, np.array(x), np.array(y)))

    def moved(dx: float, dy: float) -> FloatArray:
        return _star_light((x + dx, y + dy), rate, width, first, shape)

    # A saturated star has no slope in closed form: difference over a tenth of a pixel.
    step = 0.05
    slope_x = (moved(step, 0.0) - moved(-step, 0.0)) / (2.0 * step)
    slope_y = (moved(0.0, step) - moved(0.0, -step)) / (2.0 * step)
    light = np.stack([moved(0.0, 0.0), slope_x, slope_y])
    light.flags.writeable = False
    return Patch(first[0], first[1], light)


def bleed_reach(rate: float) -> int:
    """Give rows enough for bleeding: a column has less than 60 % of its star's light."""
    return REACH + 2 + math.ceil(0.3 * rate / FULL_WELL_RATE)


def _window_stars(window: Window, reach: int, faintest_tmag: float) -> Stars:
    """List the stars in a circle around a window and some pixels more, brightest first."""
    x, y = window.column + (window.nx - 1) / 2.0, window.row + (window.ny - 1) / 2.0
    ra, dec = pixel_to_sky(window.sector, window.camera, window.ccd, x, y)
    radius = (math.hypot(window.nx, window.ny) / 2.0 + math.sqrt(2.0) * reach) * _PIXEL_DEG
    return stars_in_cone(float(ra), float(dec), radius, faintest_tmag)


def bright_stars(window: Window) -> list[tuple[int, Patch]]:
    """
    Paint the bright stars whose light or bleeding reaches a window.

    Parameters
    ----------
    window : Window
        Pixels of one CCD.

    Returns
    -------
    stars : list of (tic, Patch)
        Ascending by number.
    """
    ccd = window.sector, window.camera, window.ccd
    # Simulated stars end at Tmag 6, so they bleed by a few pixels; a real one may come from afar.
    reach = bleed_reach(float(electron_rate(6.0)))
    field = _window_stars(window, reach, BRIGHT_TMAG)
    real = real_stars()
    numbers = [*field.tic[field.simulated], *real.tic[real.tmag < BRIGHT_TMAG]]
    bright = []
    for tic in sorted(int(number) for number in numbers):
        star = star_by_number(tic)
        x, y = (float(a[0]) for a in sky_to_pixel(*ccd, star.ra, star.dec))
        if star.tmag[0] >= BRIGHT_TMAG or not (math.isfinite(x) and math.isfinite(y)):
            continue
        reach = bleed_reach(float(electron_rate(star.tmag)[0])) + 1
        in_x = window.column - REACH - 1 < x < window.column + window.nx + REACH + 1
        if in_x and window.row - reach < y < window.row + window.ny + reach:
            bright.append((tic, bright_star_image(*ccd, tic)))
    return bright


def variable_stars(window: Window, faintest_tmag: float) -> list[tuple[Stars, int, Patch]]:
    """
    Paint the stars that vary, each by itself at its catalogue brightness.

    Parameters
    ----------
    window : Window
        Pixels of one CCD.
    faintest_tmag : float
        Leave fainter ones out.

    Returns
    -------
    stars : list of (Stars, index, Patch)
        Those with light in the window, ascending by number; light of shape (ny, nx).
    """
    stars = _window_stars(window, VARIABLE_REACH + 1, faintest_tmag)
    stars = stars.take(stars.varies & (stars.tmag >= BRIGHT_TMAG))
    stars = stars.take(np.argsort(stars.tic))
    ccd = window.sector, window.camera, window.ccd
    x, y = sky_to_pixel(*ccd, stars.ra, stars.dec)
    # The last bits of a projection depend on how many stars are projected at once.
    x, y = np.round(x, 6), np.round(y, 6)
    first_x, first_y = np.round(x) - VARIABLE_REACH, np.round(y) - VARIABLE_REACH
    width = widening(window.camera, window.ccd, x, y)
    size = 2 * VARIABLE_REACH + 1
    light = np.zeros((len(stars), size, size))
    for share, sigma in PSF:
        in_x, _ = light_along(x, sigma * width, first_x, size)
        in_y, _ = light_along(y, sigma * width, first_y, size)
        light += share * in_y[:, :, None] * in_x[:, None, :]
    light *= electron_rate(stars.tmag)[:, None, None]
    found = []
    for index in range(len(stars)):
        patch = Patch(int(first_x[index]), int(first_y[index]), light[index])
        if patch.crop(window):
            found.append((stars, index, patch))
    for tic, patch in bright_stars(window):
        star = star_by_number(tic)
        if star.varies[0]:
            # Bleeding is that of the mean light: the sum over the column varies as it should.
            found.append((star, 0, Patch(patch.column, patch.row, patch.light[0])))
    return found
