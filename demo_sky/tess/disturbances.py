"""What disturbs TESS's images in time: pointing that wanders, and stray light of Earth and Moon."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from demo_sky.sky.draws import Stream, generator
from demo_sky.tess.geometry import FIRST_COLUMN, FIRST_ROW, LAST_COLUMN, LAST_ROW, Window
from demo_sky.tess.timing import Cadences

FloatArray = np.ndarray[Any, np.dtype[np.float64]]

# QUALITY bits 6 and 12, counted from 1 (mast-api 2.8): momentum dump, stray light.
_MOMENTUM_DUMP, _STRAY_LIGHT = 1 << 5, 1 << 11

# Sizes in pixels, chosen to add up to 0.01 to 0.05 pixel rms: TESS's pointing is stable to about
# 0.05 pixel outside dumps (Data Release Notes of sectors 4 and later). What is left in an exposure
# of the jitter within it; wander over hours to days; drift between momentum dumps, when the wheels
# speed up; kick in a dump's own exposure; settling when an orbit starts, as the optics warm.
_WHITE, _WANDER, _DRIFT, _KICK, _SETTLING = 0.003, 0.008, 0.02, 0.06, 0.03
_SETTLING_D = 1.2


def _since(days: FloatArray, starts: FloatArray) -> FloatArray:
    """Give the days since the latest start."""
    return np.asarray(days - starts[np.searchsorted(starts, days, side="right") - 1])


@lru_cache(maxsize=16)
def _offsets(sector: int, camera: int, key: tuple[bytes, bytes, bytes]) -> FloatArray:
    days = np.frombuffer(key[0])
    quality = np.frombuffer(key[1], dtype=np.int32)
    orbit = np.frombuffer(key[2], dtype=np.int32)
    draws = generator(Stream.POINTING, sector, camera)
    orbit_starts = days[np.flatnonzero(np.diff(orbit, prepend=-1))]
    dumping = (quality & _MOMENTUM_DUMP) != 0
    dumps = days[np.flatnonzero(dumping & ~np.roll(dumping, 1))]
    resets = np.union1d(orbit_starts, dumps)
    interval = np.searchsorted(resets, days, side="right") - 1
    length = np.diff(np.append(resets, days[-1] + 0.1))[interval]
    settling = np.exp(-_since(days, orbit_starts) / _SETTLING_D)

    offsets = np.empty((2, len(days)))
    for axis in range(2):
        slopes = draws.uniform(-1.0, 1.0, len(resets))[interval]
        offset = _DRIFT * slopes * (_since(days, resets) / length - 0.5) * 2.0
        for period in (0.31, 0.9, 2.7):
            phase = 2.0 * np.pi * (days / period + draws.random())
            offset += _WANDER * draws.uniform(0.4, 1.0) * np.sin(phase)
        offset += _SETTLING * draws.uniform(-1.0, 1.0) * settling
        offset += _KICK * dumping * draws.uniform(-1.0, 1.0, len(days))
        offset += _WHITE * draws.standard_normal(len(days))
        offsets[axis] = offset
    offsets.flags.writeable = False
    return offsets


def pointing_offsets(cadences: Cadences) -> FloatArray:
    """
    Tell how far the stars are from their mean places.

    Parameters
    ----------
    cadences : Cadences
        Of one CCD.

    Returns
    -------
    offsets : ndarray of shape (2, n_cadences)
        Pixels along columns and rows; the same for all CCDs of a camera in a sector. Read-only.
    """
    return _offsets(
        cadences.sector,
        cadences.camera,
        (
            cadences.spacecraft_time.tobytes(),
            cadences.quality.tobytes(),
            cadences.orbit.tobytes(),
        ),
    )


@dataclass(frozen=True, slots=True)
class StrayLight:
    """
    Light of the Earth and the Moon on one CCD.

    Attributes
    ----------
    level : ndarray of shape (n_cadences,)
        In the middle of the CCD, electron/s in a pixel.
    slope_x, slope_y : float
        Relative change from the middle of the CCD to its right and upper edge.
    """

    level: FloatArray
    slope_x: float
    slope_y: float

    def pattern(self, window: Window) -> FloatArray:
        """Give the light over a window relative to the middle of the CCD, shape (ny, nx)."""
        middle_x, middle_y = (FIRST_COLUMN + LAST_COLUMN) / 2.0, (FIRST_ROW + LAST_ROW) / 2.0
        x = (window.column + np.arange(window.nx) - middle_x) / (LAST_COLUMN - middle_x)
        y = (window.row + np.arange(window.ny) - middle_y) / (LAST_ROW - middle_y)
        return np.asarray(1.0 + self.slope_x * x[None, :] + self.slope_y * y[:, None])


# Levels in electron/s in a pixel. A real TESSCut file of sector 1 (107.27 -70.0) has 117 in its
# darkest pixels where zodiacal light gives 50: a floor of some tens. TESS sees the Earth near
# perigee, at the ends of its orbits, and then up to thousands (TESS Instrument Handbook v0.1, 7.3).
_FLOOR = (15.0, 60.0)
_ORBIT_END = (20.0, 250.0)
_FLAGGED = (150.0, 1500.0)
_GLOW_D = 2.0
_SMOOTHING_D = 0.1


def stray_light(cadences: Cadences) -> StrayLight:
    """
    Make the stray light of one CCD in one sector.

    It rises toward the beginning and end of each orbit, and is strongest where the quality flags
    say so.

    Parameters
    ----------
    cadences : Cadences
        Of that CCD.

    Returns
    -------
    stray_light : StrayLight
    """
    camera = generator(Stream.STRAY_LIGHT, cadences.sector, cadences.camera)
    days, orbit = cadences.spacecraft_time, cadences.orbit
    level = np.full(len(days), camera.uniform(*_FLOOR))
    glow = camera.uniform(*_FLAGGED) * _smooth(
        (cadences.quality & _STRAY_LIGHT) != 0, cadences.exposure_s
    )
    for number in range(int(orbit[-1]) + 1):
        # Bright ends are rare, so the height is drawn in its logarithm.
        heights = np.exp(camera.uniform(math.log(_ORBIT_END[0]), math.log(_ORBIT_END[1]), 2))
        scales = camera.uniform(0.2, 0.9, 2)
        inside = days[orbit == number]
        ends = inside - inside[0], inside[-1] - inside
        for height, scale, away in zip(heights, scales, ends, strict=True):
            level[orbit == number] += height * np.exp(-away / scale)
        level[orbit == number] += glow[orbit == number] * np.exp(-np.minimum(*ends) / _GLOW_D)
    tilt = generator(Stream.STRAY_LIGHT, cadences.sector, cadences.camera, cadences.ccd)
    slopes = tilt.uniform(-0.35, 0.35, 2)
    return StrayLight(level, float(slopes[0]), float(slopes[1]))


def _smooth(mask: np.ndarray[Any, np.dtype[np.bool_]], exposure_s: float) -> FloatArray:
    """Blur a mask in time: light does not come in steps."""
    half = max(1, round(3.0 * _SMOOTHING_D * 86400.0 / exposure_s))
    steps = np.arange(-half, half + 1)
    kernel = np.exp(-0.5 * (steps * exposure_s / 86400.0 / _SMOOTHING_D) ** 2)
    padded = np.pad(mask.astype(float), half, mode="edge")
    return np.convolve(padded, kernel / kernel.sum(), mode="valid")
