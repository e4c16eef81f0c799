"""
The pixels around a small body: the star field of the fixed cutouts, and the body moving across it.

The window follows the body in whole pixels. A pixel's starlight and noise are those of the same FFI
pixel in any fixed cutout, to the last bit; the body's light and photon noise come on top.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from demo_sky.movers.bodies import Body
from demo_sky.movers.brightness import rotation, tess_magnitude
from demo_sky.movers.ephemeris import Ephemeris, sector_ephemeris
from demo_sky.movers.passages import Passage
from demo_sky.sky.draws import Stream, generator
from demo_sky.tess.disturbances import pointing_offsets
from demo_sky.tess.geometry import Window, local_wcs
from demo_sky.tess.pixels import Exposure
from demo_sky.tess.star_images import (
    FULL_WELL_RATE,
    PSF,
    REACH,
    bleed,
    bleed_reach,
    electron_rate,
    light_along,
    widening,
)
from demo_sky.tess.timing import Cadences, cadences

FloatArray = np.ndarray[Any, np.dtype[np.float64]]
IndexArray = np.ndarray[Any, np.dtype[np.intp]]
PixelArray = np.ndarray[Any, np.dtype[np.float32]]

# The star field is read in blocks of cadences, each a rectangle that holds all its windows and so
# many pixels more: fewer blocks cost less overhead, smaller ones fewer unused pixels.
_SPARE_PIXELS = 40

# A body that moves farther than this within an exposure is painted as that many more points.
_STEP_PIXELS = 0.5
_MOST_STEPS = 64

# Assumed: a comet's light is a coma with brightness falling as 1 / distance, out to about here.
_COMA_KM = 50_000.0
_COMA_PARTS = 5
_WIDEST_COMA_PIXELS = 12.0
_KM_PER_AU = 149597870.7
_PIXEL_RADIAN = math.radians(21.0 / 3600.0)

# A centred image has 42 % of its light in one pixel: fainter bodies do not saturate.
_SATURATING_RATE = FULL_WELL_RATE / 0.45

_SECONDS_PER_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Track:
    """
    The windows of a moving cutout, one a cadence.

    Attributes
    ----------
    nx, ny : int
        Columns and rows of each.
    column, row : int ndarray of shape (n,)
        FFI pixel, counted from 1, of each window's first (lower left) pixel.
    target_x, target_y : ndarray of shape (n,)
        The body's place in it, in pixels; (0, 0) is the centre of the first pixel.
    target_ra, target_dec : ndarray of shape (n,)
        ICRS, degrees.
    """

    nx: int
    ny: int
    column: IndexArray
    row: IndexArray
    target_x: FloatArray
    target_y: FloatArray
    target_ra: FloatArray
    target_dec: FloatArray


def follow(body: Body, passage: Passage, nx: int, ny: int) -> Track:
    """
    Choose the windows around a moving body.

    They are astrocut's (`cutout_processing._get_bounds`): from the rounded lower limit, counting
    pixel centres from 0. So in an odd window the body is up to a pixel right of and above the
    middle of the middle pixel, in an even one up to half a pixel to either side of the centre.

    Parameters
    ----------
    body : Body
    passage : Passage
    nx, ny : int
        Columns and rows.

    Returns
    -------
    track : Track
        One window for each cadence of the passage; it may hang over the CCD's edge.
    """
    places = sector_ephemeris(body, passage.sector)
    left = np.rint(passage.column - 1.0 - nx / 2.0).astype(np.intp)
    bottom = np.rint(passage.row - 1.0 - ny / 2.0).astype(np.intp)
    return Track(
        nx=nx,
        ny=ny,
        column=left + 1,
        row=bottom + 1,
        target_x=passage.column - 1.0 - left,
        target_y=passage.row - 1.0 - bottom,
        target_ra=places.ra[passage.cadences],
        target_dec=places.dec[passage.cadences],
    )


class MovingExposure:
    """
    The windows of a track, read out cadence by cadence.

    Parameters
    ----------
    body : Body
    passage : Passage
    track : Track
        Of `follow`.
    """

    def __init__(self, body: Body, passage: Passage, track: Track) -> None:
        self._passage = passage
        self._track = track
        self._cadences = cadences(passage.sector, passage.camera, passage.ccd)
        places = _take(sector_ephemeris(body, passage.sector), passage.cadences)
        self._rate = _body_rate(body, places, self._cadences, passage.cadences)
        self._coma_pixels = _coma_pixels(body, places)
        offsets = pointing_offsets(self._cadences)[:, passage.cadences]
        self._x, self._y = passage.column + offsets[0], passage.row + offsets[1]
        self._noise = generator(
            Stream.NOISE,
            passage.sector,
            passage.camera,
            passage.ccd,
            zlib.crc32(body.label.encode("utf-8")),
        )
        self._n_drawn = 0
        self._blocks = _blocks(passage, track)
        self._field: tuple[int, Exposure] | None = None

    def read(self, first: int, last: int) -> tuple[PixelArray, PixelArray]:
        """
        Read out a block of windows. Blocks must be asked for in order, each once.

        Parameters
        ----------
        first, last : int
            Rows of the track, from `first` up to, not including, `last`.

        Returns
        -------
        flux, flux_err : float32 ndarray of shape (last - first, ny, nx)
            Electron/s with background and noise, and its standard deviation; NaN off the science
            pixels of the CCD.

        Raises
        ------
        ValueError
            If `first` is not where the last block ended.
        """
        if first != self._n_drawn:
            msg = f"the next block starts at {self._n_drawn}, not at {first}"
            raise ValueError(msg)
        flux, flux_err = self._star_field(first, last)
        light = self._body_light(first, last)
        # The photon noise of the body alone, drawn anew: variances add.
        variance = light / self._cadences.live_s
        flux += (light + np.sqrt(variance) * self._deviates(first, last)).astype(np.float32)
        flux_err = np.sqrt(flux_err**2 + variance.astype(np.float32))
        self._n_drawn = last
        return flux, flux_err

    def _star_field(self, first: int, last: int) -> tuple[PixelArray, PixelArray]:
        track = self._track
        shape = last - first, track.ny, track.nx
        flux, flux_err = np.empty(shape, np.float32), np.empty(shape, np.float32)
        for start, stop in self._blocks:
            if stop <= first or start >= last:
                continue
            field = self._open_field(start, stop)
            chosen = slice(max(start, first), min(stop, last))
            n_rows = chosen.stop - chosen.start
            cadence = int(self._passage.cadences[chosen.start])
            whole = field.read(cadence, cadence + n_rows)
            rows = track.row[chosen] - field.window.row
            columns = track.column[chosen] - field.window.column
            for target, values in zip((flux, flux_err), whole, strict=True):
                views = sliding_window_view(values, (track.ny, track.nx), axis=(1, 2))
                target[chosen.start - first : chosen.stop - first] = views[
                    np.arange(n_rows), rows, columns
                ]
        return flux, flux_err

    def _open_field(self, start: int, stop: int) -> Exposure:
        """Give the star field around the windows of a block; the last one is kept."""
        if self._field is None or self._field[0] != start:
            columns, rows = self._track.column[start:stop], self._track.row[start:stop]
            window = Window(
                self._passage.sector,
                self._passage.camera,
                self._passage.ccd,
                int(columns.min()),
                int(rows.min()),
                int(np.ptp(columns)) + self._track.nx,
                int(np.ptp(rows)) + self._track.ny,
            )
            self._field = start, Exposure(window, local_wcs(window), self._cadences)
        return self._field[1]

    def _body_light(self, first: int, last: int) -> FloatArray:
        """Paint the body, electron/s, shape (n, ny, nx)."""
        rate = self._rate[first:last]
        saturates = bool(np.any(rate > _SATURATING_RATE))
        # Charge runs up and down from pixels outside the window too.
        spare = bleed_reach(float(rate.max())) if saturates else 0
        track = self._track
        first_x = track.column[first:last].astype(float)
        first_y = track.row[first:last].astype(float) - spare
        n_rows = track.ny + 2 * spare
        light = np.zeros((last - first, n_rows, track.nx))
        x, y = self._x[first:last], self._y[first:last]
        width = widening(self._passage.camera, self._passage.ccd, x, y)
        coma = self._coma_pixels[first:last]
        steps = self._steps_in_exposure(first, last)
        for dx, dy in steps:
            for share, sigma in PSF:
                for part in _coma_parts(coma):
                    spread = np.hypot(sigma * width, part)
                    in_x, _ = light_along(x + dx, spread, first_x, track.nx)
                    in_y, _ = light_along(y + dy, spread, first_y, n_rows)
                    light += share * in_y[:, :, None] * in_x[:, None, :]
        n_parts = len(steps) * len(_coma_parts(coma))
        light *= (rate / n_parts)[:, None, None]
        if saturates:
            light = np.stack([bleed(image) for image in light])[:, spare : spare + track.ny]
        return light

    def _steps_in_exposure(self, first: int, last: int) -> list[tuple[FloatArray, FloatArray]]:
        """Give the places of a trailed image relative to its middle, evenly spaced in time."""
        exposure_d = self._cadences.exposure_s / _SECONDS_PER_DAY
        along_x = self._passage.column_per_day[first:last] * exposure_d
        along_y = self._passage.row_per_day[first:last] * exposure_d
        # The same for all blocks, so that blocks can be cut anywhere.
        speed = np.hypot(self._passage.column_per_day, self._passage.row_per_day)
        longest = float(speed.max()) * exposure_d
        n_steps = min(max(1, math.ceil(longest / _STEP_PIXELS)), _MOST_STEPS)
        moments = (np.arange(n_steps) + 0.5) / n_steps - 0.5
        return [(moment * along_x, moment * along_y) for moment in moments]

    def _deviates(self, first: int, last: int) -> FloatArray:
        """
        Draw standard normal deviates for the body's photon noise, shape (n, ny, nx).

        They belong to the pixels around the body, whatever the window; farther out they are 0.
        """
        size = 2 * REACH + 1
        drawn = self._noise.standard_normal((last - first, size, size))
        track = self._track
        result = np.zeros((last - first, track.ny, track.nx))
        left = np.rint(self._passage.column[first:last]).astype(np.intp) - REACH
        bottom = np.rint(self._passage.row[first:last]).astype(np.intp) - REACH
        in_x, in_y = left - track.column[first:last], bottom - track.row[first:last]
        # The patch is drawn around the rounded place, the window around another rounding of it:
        # there are at most four ways in which one lies on the other.
        for x, y in sorted(set(zip(in_x.tolist(), in_y.tolist(), strict=True))):
            chosen = (in_x == x) & (in_y == y)
            columns = slice(max(x, 0), min(x + size, track.nx))
            rows = slice(max(y, 0), min(y + size, track.ny))
            part = drawn[:, rows.start - y : rows.stop - y, columns.start - x : columns.stop - x]
            result[chosen, rows, columns] = part[chosen]
        return result


def _take(places: Ephemeris, chosen: IndexArray) -> Ephemeris:
    return Ephemeris(*(getattr(places, name)[chosen] for name in Ephemeris.__slots__))


def _body_rate(
    body: Body, places: Ephemeris, exposures: Cadences, chosen: IndexArray
) -> FloatArray:
    """Give the body's light in electron/s in each chosen cadence, rotation included."""
    time = exposures.spacecraft_time[chosen] - places.light_time_d
    turning = rotation(body, time, exposures.exposure_s)
    return np.asarray(electron_rate(tess_magnitude(body, places)) * turning)


def _coma_pixels(body: Body, places: Ephemeris) -> FloatArray:
    """Give the extent of a comet's coma in pixels; 0 for asteroids."""
    if body.kind != "comet":
        return np.zeros_like(places.earth_distance)
    angle = _COMA_KM / (places.earth_distance * _KM_PER_AU)
    return np.asarray(np.minimum(angle / _PIXEL_RADIAN, _WIDEST_COMA_PIXELS))


def _coma_parts(extent: FloatArray) -> list[FloatArray]:
    """
    Break a coma up into Gaussians of equal light, given by their widths.

    A mixture with equal light at all widths from 0 on falls off exactly as 1 / distance, for the
    integral of exp(-r^2 / 2 s^2) / s^2 over s is sqrt(pi / 2) / r.
    """
    if not extent.any():
        return [extent]
    return [extent * (i + 0.5) / _COMA_PARTS for i in range(_COMA_PARTS)]


def _blocks(passage: Passage, track: Track) -> list[tuple[int, int]]:
    """Cut a track into runs of neighbouring cadences whose windows lie close together."""
    blocks = []
    start, n_rows = 0, len(passage.cadences)
    while start < n_rows:
        # Cadences missing in between would be read for nothing.
        far = np.zeros(n_rows - start, dtype=bool)
        far[1:] = np.diff(passage.cadences[start:]) != 1
        for corner in (track.column[start:], track.row[start:]):
            spread = np.maximum.accumulate(corner) - np.minimum.accumulate(corner)
            far |= spread > _SPARE_PIXELS
        stop = start + int(np.argmax(far)) if far.any() else n_rows
        blocks.append((start, stop))
        start = stop
    return blocks
