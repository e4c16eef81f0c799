"""What kinds of stars fill the simulated field, and how they vary."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from demo_sky.sky.draws import Stream, generator
from demo_sky.sky.light_curves import ECLIPSE_RADIUS_RATIO, IMPACT_PARAMETER, transit_flux
from demo_sky.sky.signals import CODES, KINDS, QUIET, Kind, Signal
from demo_sky.sky.variability import FIRST_LIGHT_BTJD

FloatArray = np.ndarray[Any, np.dtype[np.float64]]

# Temperature against radius of dwarfs: Pecaut & Mamajek 2013 (ApJS 208, 9; EEM table 2024), M5 to
# B9.
_DWARF_TEFF = (
    3060, 3210, 3430, 3660, 3850, 4090, 4440, 4870, 5100, 5290, 5480, 5770, 5930, 6180, 6550, 6820,
    7220, 7760, 8100, 8840, 9700, 10700,
)  # fmt: skip
_DWARF_RADIUS = (
    0.196, 0.274, 0.361, 0.501, 0.588, 0.630, 0.701, 0.755, 0.783, 0.813, 0.914, 1.012, 1.100,
    1.221, 1.473, 1.622, 1.728, 1.750, 1.785, 2.117, 2.193, 2.490,
)  # fmt: skip

# Assumed: a field limited by brightness is mostly F to K dwarfs, and giants are a good third of the
# bright stars and few of the faint ones.
_TEFF_CHANCE = (0.0, 0.03, 0.10, 0.35, 0.60, 0.80, 0.92, 0.98, 1.0)
_TEFF_DRAWN = (3100.0, 3700.0, 4300.0, 5200.0, 5800.0, 6300.0, 7200.0, 8500.0, 10500.0)
_GIANT_TMAG, _GIANT_FRACTION = (6.0, 9.0, 13.0, 17.0), (0.45, 0.35, 0.15, 0.05)


def draw_stars(draws: FloatArray, tmag: FloatArray) -> tuple[FloatArray, FloatArray]:
    """
    Draw temperatures and radii that fit together.

    Parameters
    ----------
    draws : ndarray of shape (3, n)
        Uniform in 0 to 1.
    tmag : ndarray of shape (n,)
        TESS magnitudes.

    Returns
    -------
    teff, radius : ndarray of shape (n,)
        K and solar radii.
    """
    teff = np.interp(draws[1], _TEFF_CHANCE, _TEFF_DRAWN)
    # Up to 0.15 dex above the main sequence: stars grow with age.
    radius = np.interp(teff, _DWARF_TEFF, _DWARF_RADIUS) * 10.0 ** (0.15 * draws[2])
    giant = draws[0] < np.interp(tmag, _GIANT_TMAG, _GIANT_FRACTION)
    teff = np.where(giant, 4200.0 + 1100.0 * draws[1], teff)
    radius = np.where(giant, 10.0 ** (0.7 + 0.7 * draws[2]), radius)
    return teff, radius


# Giants are larger than this; the fractions below are for dwarfs where they say so.
_GIANT_RADIUS = 4.0


def draw_kinds(
    chance: FloatArray, tmag: FloatArray, teff: FloatArray, radius: FloatArray
) -> np.ndarray[Any, np.dtype[np.int16]]:
    """
    Choose which simulated stars vary, and how.

    Fractions: 1.2 % of Kepler's stars eclipse, a quarter of them in contact (Kirk et al. 2016, AJ
    151, 68); 30 % of stars in the instability strip pulsate as delta Scuti stars at TESS's
    precision (Murphy et al. 2019, MNRAS 485, 2380: up to half); rotation of a quarter of Kepler's
    cool dwarfs is seen (McQuillan et al. 2014, ApJS 211, 24), taken lower as TESS sees less; of M
    dwarfs, one in four flares (Guenther et al. 2020, AJ 159, 60). Transits (0.8 % of dwarfs), RR
    Lyrae stars and Cepheids are planted more often than the sky has them, to have some to find.
    Stars so faint that TESS could not tell stay quiet.

    Parameters
    ----------
    chance : ndarray of shape (n,)
        Uniform in 0 to 1.
    tmag, teff, radius : ndarray of shape (n,)
        TESS magnitude, temperature in K, radius in solar radii.

    Returns
    -------
    codes : int16 ndarray of shape (n,)
        `QUIET`, or one of `CODES`.
    """
    dwarf = radius < _GIANT_RADIUS
    fractions = [
        (0.008, dwarf & (tmag < 14.0)),
        (0.009, dwarf & (tmag < 16.0)),
        (0.003, dwarf & (teff > 4500.0) & (teff < 7500.0) & (tmag < 16.0)),
        (0.0004, (teff > 6000.0) & (teff < 7300.0) & (tmag < 16.0)),
        (0.0006, ~dwarf & (teff > 4700.0) & (tmag < 15.0)),
        (0.30, dwarf & (teff > 6900.0) & (teff < 8600.0) & (tmag < 15.0)),
        (0.12, dwarf & (teff < 5800.0) & (tmag < 14.5)),
        (0.25, dwarf & (teff < 3900.0) & (tmag < 15.0)),
    ]
    codes = np.zeros(len(chance), dtype=np.int16)
    reached = np.zeros(len(chance))
    for kind, (fraction, able) in zip(KINDS, fractions, strict=True):
        upper = reached + fraction * able
        codes[(chance >= reached) & (chance < upper)] = CODES[kind]
        reached = upper
    return codes


_DRAWN = "drawn for the simulated sky"
_EARTH_RADII_PER_SUN = 109.1
_DAY_HOURS = 24.0


def _log_uniform(chance: float, low: float, high: float) -> float:
    return float(low * (high / low) ** chance)


def _duration_h(period_d: float, radius: float, ratio: float) -> float:
    """Give first to last contact on a circular orbit around a star of mass = radius, in hours."""
    # Kepler's third law in solar units: a = 4.21 R_sun (M P^2)^(1/3), P in days.
    axis = 4.21 * (radius * period_d**2) ** (1.0 / 3.0) / radius
    chord = math.sqrt((1.0 + ratio) ** 2 - IMPACT_PARAMETER**2)
    return period_d * _DAY_HOURS / math.pi * math.asin(min(chord / axis, 1.0))


def _draw_transit(u: FloatArray, radius: float) -> dict[str, float]:
    period = _log_uniform(u[0], 0.7, 20.0)
    # Half the planets are larger than Neptune: small ones are lost in most stars' noise.
    planet = _log_uniform(u[2], 2.0, 16.0) / _EARTH_RADII_PER_SUN
    ratio = min(planet / radius, 0.3)
    depth = 1.0 - float(transit_flux(IMPACT_PARAMETER, ratio)[0])
    duration = _duration_h(period, radius, ratio)
    return {"period_d": period, "depth_ppm": depth * 1e6, "duration_h": duration}


def _draw_eclipse(u: FloatArray, radius: float) -> dict[str, float]:
    period = _log_uniform(u[0], 0.8, 15.0)
    depth = _log_uniform(u[2], 0.02, 0.5)
    duration = _duration_h(period, radius, ECLIPSE_RADIUS_RATIO)
    return {
        "period_d": period,
        "depth_ppm": depth * 1e6,
        "depth2_ppm": depth * float(u[3]) * 1e6,
        "duration_h": duration,
    }


def _draw_contact(u: FloatArray, radius: float) -> dict[str, float]:
    depth = _log_uniform(u[2], 0.05, 0.5)
    depths = {"depth_ppm": depth * 1e6, "depth2_ppm": depth * (0.75 + 0.25 * float(u[3])) * 1e6}
    return {"period_d": _log_uniform(u[0], 0.25, 0.6), **depths}


def _draw_rr_lyrae(u: FloatArray, radius: float) -> dict[str, float]:
    period = 0.4 + 0.35 * float(u[0])
    # Long periods have small amplitudes (Bailey's diagram).
    amplitude = 0.75 - 0.5 * float(u[0]) + 0.1 * float(u[2])
    return {"period_d": period, "amplitude_mag": amplitude, "rise_fraction": 0.13 + 0.08 * u[3]}


def _draw_cepheid(u: FloatArray, radius: float) -> dict[str, float]:
    amplitude, rise = 0.25 + 0.35 * u[2], 0.25 + 0.2 * u[3]
    period = _log_uniform(u[0], 2.0, 12.0)
    return {"period_d": period, "amplitude_mag": amplitude, "rise_fraction": rise}


def _draw_delta_scuti(u: FloatArray, radius: float) -> dict[str, float]:
    amplitude = _log_uniform(u[2], 0.001, 0.05)
    period = _log_uniform(u[0], 0.03, 0.2)
    return {"period_d": period, "amplitude_mag": amplitude, "rise_fraction": 0.45}


def _draw_spots(u: FloatArray, radius: float) -> dict[str, float]:
    amplitude = _log_uniform(u[2], 0.002, 0.04)
    return {"period_d": _log_uniform(u[0], 0.5, 20.0), "amplitude_mag": amplitude}


def _draw_flares(u: FloatArray, radius: float) -> dict[str, float]:
    peak = _log_uniform(u[3], 0.02, 0.5)
    return {"flares_per_d": _log_uniform(u[2], 0.2, 4.0), "flare_peak": peak}


_DRAWS: dict[Kind, Callable[[FloatArray, float], dict[str, float]]] = {
    "transit": _draw_transit,
    "eclipse": _draw_eclipse,
    "contact": _draw_contact,
    "rr_lyrae": _draw_rr_lyrae,
    "cepheid": _draw_cepheid,
    "delta_scuti": _draw_delta_scuti,
    "spots": _draw_spots,
    "flares": _draw_flares,
}


@lru_cache(maxsize=4096)
def simulated_signals(tic: int, code: int, radius: float) -> tuple[Signal, ...]:
    """
    Draw the signals of a simulated star; its number decides them all.

    Parameters
    ----------
    tic : int
        The star's number.
    code : int
        Of `draw_kinds`.
    radius : float
        In solar radii.

    Returns
    -------
    signals : tuple of Signal
        Empty for a quiet star; flaring stars rotate, delta Scuti stars have up to three modes.
    """
    if code == QUIET:
        return ()
    draws = generator(Stream.SIGNAL, tic)
    kind = KINDS[code - 1]
    signals = [_draw_signal(kind, draws, tic, radius)]
    if kind == "flares":
        signals.append(_draw_signal("spots", draws, tic, radius))
    if kind == "delta_scuti":
        signals += [_draw_signal(kind, draws, tic, radius) for _ in range(int(draws.random() * 3))]
    return tuple(signals)


def _draw_signal(kind: Kind, draws: np.random.Generator, tic: int, radius: float) -> Signal:
    u = draws.random(4)
    values = {key: float(value) for key, value in _DRAWS[kind](u, radius).items()}
    if "period_d" in values:
        values["epoch_btjd"] = FIRST_LIGHT_BTJD + float(u[1]) * values["period_d"]
    return Signal(kind=kind, name=f"simulated {tic}", seed=tic, source=_DRAWN, **values)
