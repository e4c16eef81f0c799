"""
Clouds: random patterns without a smallest or largest piece, for gas, dust and star formation.

A pattern is a periodic square of noise with a power-law spectrum, made once, and looked up where
it is needed; two lookups at sizes that do not fit together hide the period.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from demo_sky.sky.draws import SKY_SEED

FloatArray = np.ndarray[Any, np.dtype[np.float64]]
Float32Array = np.ndarray[Any, np.dtype[np.float32]]

_SIDE = 1024
_STREAM = 111
# Power of interstellar gas falls with wave number as k^-2.8 to k^-3 in images (Kolmogorov's
# spectrum, seen through its depth): Elmegreen & Scalo 2004, ARA&A 42, 211, section 2.
_SPECTRUM = -3.0

# Threads come from a smoother pattern.
_SMOOTH_SPECTRUM = -4.0

# The fine lookup: its size over the coarse one's, its turn, its weight (what the spectrum has at
# those lengths). It holds no pieces larger than a 16th of its period: those would show how often it
# repeats.
_FINE, _FINE_TURN, _FINE_WEIGHT = 0.0719, (0.8, 0.6), 0.09
_FINE_CUT = 16.0 / _SIDE


@lru_cache(maxsize=16)
def _pattern(seed: int, spectrum: float, cut: float) -> Float32Array:
    """Make a square of noise of mean 0 and standard deviation 1, without wave numbers below cut."""
    draws = np.random.Generator(np.random.Philox(np.random.SeedSequence([SKY_SEED, _STREAM, seed])))
    waves = np.fft.rfft2(draws.standard_normal((_SIDE, _SIDE)))
    k = np.hypot(np.fft.rfftfreq(_SIDE)[None, :], np.fft.fftfreq(_SIDE)[:, None])
    k[k <= cut] = np.inf
    noise = np.fft.irfft2(waves * k ** (spectrum / 2.0), s=(_SIDE, _SIDE))
    return np.asarray(noise / noise.std(), dtype=np.float32)


def _look_up(pattern: Float32Array, x: FloatArray, y: FloatArray) -> Float32Array:
    # 0.2 s to import: not at our own import.
    from scipy.ndimage import map_coordinates

    return np.asarray(
        map_coordinates(pattern, [y, x], order=1, mode="grid-wrap", output=np.float32)
    )


def clouds(seed: int, size: float, x: FloatArray, y: FloatArray) -> Float32Array:
    """
    Look up a pattern.

    Parameters
    ----------
    seed : int
        Which one.
    size : float
        Length after which it repeats, in units of x and y: its largest pieces are a third of that.
    x, y : ndarray
        Places.

    Returns
    -------
    values : float32 ndarray
        Of mean about 0 and standard deviation about 1.
    """
    scale = _SIDE / size
    coarse = _look_up(_pattern(seed, _SPECTRUM, 0.0), x * scale, y * scale)
    scale /= _FINE
    c, s = _FINE_TURN
    fine = _pattern(seed + 1, _SPECTRUM, _FINE_CUT)
    coarse += _FINE_WEIGHT * _look_up(fine, (c * x - s * y) * scale, (s * x + c * y) * scale)
    return coarse


def swell(seed: int, size: float, x: FloatArray, y: FloatArray) -> Float32Array:
    """
    Look up a pattern without fine pieces, to bend others with.

    Parameters
    ----------
    seed, size, x, y
        As of `clouds`.

    Returns
    -------
    values : float32 ndarray
        Of mean about 0 and standard deviation about 1.
    """
    scale = _SIDE / size
    return _look_up(_pattern(seed, 1.5 * _SMOOTH_SPECTRUM, 0.0), x * scale, y * scale)


def filaments(seed: int, size: float, x: FloatArray, y: FloatArray) -> Float32Array:
    """
    Look up a pattern of bright threads: where smooth noise goes through zero.

    Parameters
    ----------
    seed, size, x, y
        As of `clouds`.

    Returns
    -------
    values : float32 ndarray
        1 on a thread, falling to 0.
    """
    scale = _SIDE / size
    ridge = _look_up(_pattern(seed, _SMOOTH_SPECTRUM, 2.5 / _SIDE), x * scale, y * scale)
    np.abs(ridge, out=ridge)
    ridge *= -9.0
    return np.asarray(np.exp(ridge, out=ridge))
