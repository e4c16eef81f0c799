"""
The simulated pixels: what each one counts in each cadence, background and noise included.

A pixel's value follows from its place on the CCD and its cadence alone. Whatever cutout contains
it, and in whatever blocks it is read, it is the same to the last bit.
"""

from __future__ import annotations

from functools import lru_cache
from statistics import NormalDist
from typing import Any

import numpy as np
from astropy.wcs import WCS

from demo_sky.sky.draws import Stream, seed_sequence
from demo_sky.sky.variability import relative_flux
from demo_sky.tess.disturbances import pointing_offsets, stray_light
from demo_sky.tess.geometry import Window, collected
from demo_sky.tess.star_images import CELL, bright_stars, cell_image, variable_stars
from demo_sky.tess.timing import Cadences

FloatArray = np.ndarray[Any, np.dtype[np.float64]]
PixelArray = np.ndarray[Any, np.dtype[np.float32]]
WordArray = np.ndarray[Any, np.dtype[np.uint64]]

# Electrons of read-out noise in each 2-s frame: 10 (TESS Instrument Handbook v0.1, 4.2: 7 to 11;
# READNOIA 10.2 in a real TESSCut file of sector 1). A frame collects for 1.98 s (INT_TIME there).
READ_NOISE = 10.0
FRAME_S = 1.98

# Light curves of fainter variables drown: 1 % of Tmag 16 is 0.6 electron/s.
_FAINTEST_VARIABLE_TMAG = 16.0

_FFI_COLUMNS = 2136
# A step of the generator's counter gives four words of 64 bits, a word two normal deviates.
_DEVIATES_PER_STEP = 8
# Values computed at once and kept for the next block: small blocks would be slow, one by one.
_VALUES_AHEAD = 2**19
_FEWEST_AHEAD = 64
# Steps set aside for each pixel: 32,768 cadences, three times the longest sector's.
_STEPS_PER_PIXEL = 4096


@lru_cache(maxsize=1)
def _half_deviates() -> PixelArray:
    """
    Tabulate the normal distribution at 65,536 equal steps of probability, over sqrt(2).

    The sum of two entries is a normal deviate good to 5.8 sigma that costs two look-ups, is the
    same on every machine, and uses up the same number of random bits each time.
    """
    normal = NormalDist(sigma=0.5**0.5)
    lower = [normal.inv_cdf((i + 0.5) / 65536.0) for i in range(32768)]
    return np.array([*lower, *(-x for x in reversed(lower))], dtype=np.float32)


class Exposure:
    """
    One window of a CCD through all cadences of a sector.

    Parameters
    ----------
    window : Window
        The pixels.
    wcs : astropy.wcs.WCS
        The window's WCS. Stars are not placed by it but by the exact projection it is fitted to,
        which does not change from one window to the next.
    cadences : Cadences
        Of the window's CCD.
    """

    def __init__(self, window: Window, wcs: WCS, cadences: Cadences) -> None:
        self.window = window
        self.wcs = wcs
        self.cadences = cadences
        self._collected = collected(window)
        self._image, self._slope_x, self._slope_y = _steady_images(window)
        self._offsets = pointing_offsets(cadences).astype(np.float32)
        stray = stray_light(cadences)
        self._stray_level = stray.level.astype(np.float32)
        self._stray_pattern = stray.pattern(window).astype(np.float32)
        self._variables = self._light_curves()
        n_ahead = max(_FEWEST_AHEAD, _VALUES_AHEAD // (window.nx * window.ny))
        self._n_ahead = n_ahead // _DEVIATES_PER_STEP * _DEVIATES_PER_STEP
        self._ahead: tuple[int, PixelArray, PixelArray] | None = None

    def _light_curves(self) -> list[tuple[slice, slice, PixelArray, PixelArray]]:
        """Give rows, columns, mean light and relative change of each star that varies."""
        exposures = self.cadences
        found = []
        for stars, index, patch in variable_stars(self.window, _FAINTEST_VARIABLE_TMAG):
            cropped = patch.crop(self.window)
            if cropped:
                flux = relative_flux(stars.signals(index), exposures.time, exposures.exposure_s)
                change = (flux - 1.0).astype(np.float32)
                found.append((*cropped[:2], cropped[2].astype(np.float32), change))
        return found

    def read(self, first: int, last: int) -> tuple[PixelArray, PixelArray]:
        """
        Read out a block of cadences.

        Parameters
        ----------
        first, last : int
            From `first` up to, not including, `last`; counted from 0.

        Returns
        -------
        flux, flux_err : float32 ndarray of shape (last - first, ny, nx)
            Electron/s, sky background and stray light included; standard deviation of the noise.
            NaN off the science pixels of the CCD.

        Raises
        ------
        IndexError
            If the block is not within the cadences.
        """
        n_cadences = len(self.cadences.time)
        if not 0 <= first <= last <= n_cadences:
            msg = f"cadences {first} to {last} are not within 0 to {n_cadences}"
            raise IndexError(msg)
        shape = last - first, self.window.ny, self.window.nx
        flux, flux_err = np.empty(shape, np.float32), np.empty(shape, np.float32)
        for start in range(first // self._n_ahead * self._n_ahead, last, self._n_ahead):
            ahead, ahead_err = self._block(start)
            inside = slice(max(first - start, 0), min(last - start, len(ahead)))
            at = slice(max(start - first, 0), max(start - first, 0) + inside.stop - inside.start)
            flux[at], flux_err[at] = ahead[inside], ahead_err[inside]
        return flux, flux_err

    def _block(self, start: int) -> tuple[PixelArray, PixelArray]:
        """Compute the values ahead, from a multiple of their number, unless they are at hand."""
        if self._ahead is None or self._ahead[0] != start:
            last = min(start + self._n_ahead, len(self.cadences.time))
            self._ahead = (start, *self._expose(start, last))
        return self._ahead[1:]

    def _expose(self, first: int, last: int) -> tuple[PixelArray, PixelArray]:
        """Give light and noise, and how large the noise is, each of shape (n, ny, nx)."""
        live_s = self.cadences.live_s
        # Photon noise of what was collected, and one read-out of each frame.
        read_variance = READ_NOISE**2 * (live_s / FRAME_S) / live_s**2
        flux = self._signal(first, last)
        flux_err = np.maximum(flux, np.float32(0.0))
        flux_err *= np.float32(1.0 / live_s)
        flux_err += np.float32(read_variance)
        np.sqrt(flux_err, out=flux_err)
        flux += flux_err * self._deviates(first, last)
        flux[:, ~self._collected] = np.nan
        flux_err[:, ~self._collected] = np.nan
        return flux, flux_err

    def _signal(self, first: int, last: int) -> PixelArray:
        """
        Give the light without noise, shape (n, ny, nx).

        Sums are made one by one in a fixed order: a matrix product would be faster, but its
        rounding depends on the shape.
        """
        level = self._stray_level[first:last, None, None]
        signal = np.asarray(level * self._stray_pattern)
        signal += self._image
        for offsets, slope in zip(self._offsets, (self._slope_x, self._slope_y), strict=True):
            signal += offsets[first:last, None, None] * slope
        for rows, columns, light, change in self._variables:
            part = change[first:last, None, None]
            if part.any():
                signal[:, rows, columns] += part * light
        return signal

    def _deviates(self, first: int, last: int) -> PixelArray:
        """Draw the standard normal deviates of each pixel and cadence, shape (n, ny, nx)."""
        window = self.window
        generator = np.random.Philox(
            seed_sequence(Stream.NOISE, window.sector, window.camera, window.ccd)
        )
        first_step = first // _DEVIATES_PER_STEP
        n_steps = -(-last // _DEVIATES_PER_STEP) - first_step
        words: WordArray = np.zeros((window.ny, window.nx, 4 * n_steps), dtype="<u8")
        position = 0
        for y, x in zip(*np.nonzero(self._collected), strict=True):
            pixel = (window.row + int(y) - 1) * _FFI_COLUMNS + window.column + int(x) - 1
            start = pixel * _STEPS_PER_PIXEL + first_step
            generator.advance(start - position)
            words[y, x] = generator.random_raw(4 * n_steps)
            position = start + n_steps
        table = _half_deviates()
        halves = words.view("<u2")
        deviates = table[halves[..., 0::2]]
        deviates += table[halves[..., 1::2]]
        skip = first - first_step * _DEVIATES_PER_STEP
        return np.moveaxis(deviates[..., skip : skip + last - first], -1, 0)


def _steady_images(window: Window) -> PixelArray:
    """Put the steady light of a window together from cells and bright stars, shape (3, ny, nx)."""
    ccd = window.sector, window.camera, window.ccd
    light = np.zeros((3, window.ny, window.nx))
    on_ccd = collected(window)
    rows, columns = np.flatnonzero(on_ccd.any(axis=1)), np.flatnonzero(on_ccd.any(axis=0))
    if len(rows) == 0:
        return light.astype(np.float32)
    # FFI pixels of the cells' first corners that hold science pixels of the window.
    x0, x1 = window.column + int(columns[0]), window.column + int(columns[-1])
    y0, y1 = window.row + int(rows[0]), window.row + int(rows[-1])
    patches = [
        cell_image(*ccd, column, row)
        for row in range((y0 - 1) // CELL * CELL + 1, y1 + 1, CELL)
        for column in range((x0 - 1) // CELL * CELL + 1, x1 + 1, CELL)
    ]
    patches += [patch for _, patch in bright_stars(window)]
    for patch in patches:
        cropped = patch.crop(window)
        if cropped:
            in_rows, in_columns, part = cropped
            light[:, in_rows, in_columns] += part
    return light.astype(np.float32)
