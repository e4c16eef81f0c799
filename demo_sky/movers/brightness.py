"""How bright a small body is: distances, phase, and rotation."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from demo_sky.movers.bodies import Body
from demo_sky.movers.ephemeris import Ephemeris

FloatArray = np.ndarray[Any, np.dtype[np.float64]]

# V - Tmag of sunlight: V = 4.81 and G = 4.67 of the Sun (Willmer 2018, ApJS 236, 47; Casagrande &
# VandenBerg 2018, MNRAS 479, L102), and T = G - 0.43 at its BP - RP = 0.82 (Stassun et al. 2019,
# AJ 158, 138, equation 1). Asteroids are a little redder, comets a little bluer.
V_MINUS_TMAG = 0.57

# Mean of the light curve of an asteroid, per turn: the second harmonic is that of a long body seen
# twice a turn from its broad side; the first makes the two humps unequal, the third skews them.
# Strengths relative to the second, phases in turns of their own.
_HARMONICS = ((1, 0.15, 0.10), (2, 1.0, 0.0), (3, 0.12, 0.35), (4, 0.10, 0.0))

_HOURS_PER_DAY = 24.0
_SECONDS_PER_DAY = 86400.0


def v_magnitude(body: Body, places: Ephemeris) -> FloatArray:
    """
    Compute a body's V magnitude, without rotation.

    Parameters
    ----------
    body : Body
    places : Ephemeris
        Of n times.

    Returns
    -------
    v : ndarray of shape (n,)
        Of a comet the total magnitude.

    References
    ----------
    .. [1] Bowell et al. 1989, Asteroids II, 524: the H, G system with its simple phase functions.
    """
    at_earth = body.h_mag + 5.0 * np.log10(places.earth_distance)
    if body.kind == "comet":
        return np.asarray(at_earth + body.slope * np.log10(places.sun_distance))
    # Their functions are defined to 120 degrees; a body that TESS sees stays below 40, mostly.
    half = np.tan(np.deg2rad(np.minimum(places.phase_deg, 150.0)) / 2.0)
    broad, narrow = np.exp(-1.87 * half**1.22), np.exp(-3.33 * half**0.63)
    dimming = (1.0 - body.slope) * narrow + body.slope * broad
    return np.asarray(at_earth + 5.0 * np.log10(places.sun_distance) - 2.5 * np.log10(dimming))


def tess_magnitude(body: Body, places: Ephemeris) -> FloatArray:
    """
    Compute a body's TESS magnitude, without rotation: it reflects sunlight unchanged.

    Parameters
    ----------
    body : Body
    places : Ephemeris
        Of n times.

    Returns
    -------
    tmag : ndarray of shape (n,)
    """
    return v_magnitude(body, places) - V_MINUS_TMAG


def _wave(phase: FloatArray, turns: float) -> FloatArray:
    """Sum the harmonics, averaged over an exposure of so many turns."""
    total = np.zeros_like(phase)
    for n, strength, shift in _HARMONICS:
        smeared = strength * np.sinc(n * turns)
        total += smeared * np.cos(2.0 * np.pi * (n * phase - shift))
    return total


def rotation(body: Body, time_btjd: FloatArray, exposure_s: float) -> FloatArray:
    """
    Give the change of a body's light as it rotates, averaged over each exposure.

    Its two humps a turn differ, so that the true period can be told from half of it.

    Parameters
    ----------
    body : Body
    time_btjd : ndarray of shape (n,)
        Mid-exposure times at the body, BTJD: light time taken off.
    exposure_s : float
        Seconds.

    Returns
    -------
    flux : ndarray of shape (n,)
        Relative to the mean; 1 for a body without a known period.
    """
    time = np.asarray(time_btjd, dtype=float)
    if body.rotation_period_h is None:
        return np.ones_like(time)
    period_d = body.rotation_period_h / _HOURS_PER_DAY
    whole_turn = _wave(np.linspace(0.0, 1.0, 721), 0.0)
    # Nothing is known of where a body's long axis points: its name decides.
    start = zlib.crc32(body.label.encode("utf-8")) / 2**32
    wave = _wave(time / period_d + start, exposure_s / _SECONDS_PER_DAY / period_d)
    # Flux 1 + a (...) reaches from the faintest to the brightest by the amplitude in magnitudes.
    ratio = 10.0 ** (0.4 * body.amplitude_mag)
    low, high = float(whole_turn.min()), float(whole_turn.max())
    height = (ratio - 1.0) / (high - ratio * low)
    return np.asarray(1.0 + height * wave)
