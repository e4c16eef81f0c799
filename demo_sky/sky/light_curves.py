"""
Folded light curves of periodic signals, and flares.

A periodic signal is kept as the running integral of its folded light curve, so that the mean over
an exposure is exact whatever the exposure, with two look-ups a cadence and no sub-sampling.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from demo_sky.sky.draws import Stream, generator
from demo_sky.sky.signals import Kind, Signal

FloatArray = np.ndarray[Any, np.dtype[np.float64]]

# Quadratic limb darkening of a Sun-like star in TESS's band (Claret 2017, A&A 600, A30: u1 about
# 0.3 and u2 about 0.25 at 5800 K, log g 4.5), used for all stars.
LIMB_DARKENING = (0.30, 0.25)

# Planets cross at this distance from the centre of the disc, in stellar radii: the published
# tables give depth and duration only, which leave it open.
IMPACT_PARAMETER = 0.3
# Detached eclipses take the shape of a dark star of this relative size, scaled to the depth.
ECLIPSE_RADIUS_RATIO = 0.8

_SECONDS_PER_DAY = 86400.0
_MINUTES_PER_DAY = 1440.0


def transit_flux(
    separation: FloatArray | float,
    radius_ratio: float,
    limb_darkening: tuple[float, float] = LIMB_DARKENING,
) -> FloatArray:
    """
    Give the light of a limb-darkened star with a dark disc in front of it.

    The star's brightness is integrated over rings, weighted by the part of each ring that the disc
    hides; Gauss-Chebyshev nodes suit the square-root ends of that weight. Good to 2e-6 for planets,
    2e-5 for discs nearly as large as the star.

    Parameters
    ----------
    separation : ndarray of shape (n,)
        Distance of the disc's centre from the star's, in stellar radii.
    radius_ratio : float
        Radius of the disc over that of the star, below 1.
    limb_darkening : (float, float), optional
        Coefficients u1, u2 of the quadratic law.

    Returns
    -------
    flux : ndarray of shape (n,)
        1 where the disc is off the star.

    References
    ----------
    .. [1] Mandel & Agol 2002, ApJ 580, L171: the problem and its closed form.
    """
    u1, u2 = limb_darkening
    z = np.atleast_1d(np.asarray(separation, dtype=float))[:, None]
    k = radius_ratio
    inner = np.clip(np.abs(z - k), 0.0, 1.0)
    outer = np.clip(z + k, 0.0, 1.0)
    nodes = 96
    angle = (np.arange(nodes) + 0.5) * np.pi / nodes
    # Shape (n, nodes): radius of the ring, and its share of the integral.
    radius = (outer + inner) / 2.0 + (outer - inner) / 2.0 * np.cos(angle)
    step = (outer - inner) / 2.0 * np.sin(angle) * np.pi / nodes
    with np.errstate(divide="ignore", invalid="ignore"):
        cosine = (radius**2 + z**2 - k**2) / (2.0 * radius * z)
    # z = 0: the disc hides whole rings, and there is nothing between inner and outer.
    hidden = np.arccos(np.clip(np.nan_to_num(cosine, nan=1.0), -1.0, 1.0)) / np.pi
    blocked = np.sum(2.0 * radius * hidden * step * _limb(radius, u1, u2), axis=1)
    whole = np.clip(k - z[:, 0], 0.0, 1.0)
    blocked += _limb_integral(whole, u1, u2)
    total = 1.0 - u1 / 3.0 - u2 / 6.0
    return np.asarray(1.0 - np.where(z[:, 0] < 1.0 + k, blocked, 0.0) / total)


def _limb(radius: FloatArray, u1: float, u2: float) -> FloatArray:
    """Give the brightness of the star's disc at a radius, 1 in the centre."""
    dark = 1.0 - np.sqrt(np.clip(1.0 - radius**2, 0.0, None))
    return np.asarray(1.0 - u1 * dark - u2 * dark**2)


def _limb_integral(radius: FloatArray, u1: float, u2: float) -> FloatArray:
    """Integrate 2 r I(r) from the centre to a radius, in closed form."""
    mu = np.sqrt(1.0 - radius**2)
    # With mu as variable: 2 r dr = -2 mu dmu, I = 1 - u1 (1 - mu) - u2 (1 - mu)^2.
    constant, linear, square = 1.0 - u1 - u2, u1 + 2.0 * u2, -u2
    return np.asarray(
        constant * (1.0 - mu**2) + linear * 2.0 / 3.0 * (1.0 - mu**3) + square / 2.0 * (1.0 - mu**4)
    )


def _radius_ratio(depth: float) -> float:
    """Find the radius ratio whose depth in mid-transit is the given one."""
    ratio = math.sqrt(depth)
    for _ in range(30):
        reached = 1.0 - float(transit_flux(IMPACT_PARAMETER, ratio)[0])
        if abs(reached / depth - 1.0) < 1e-9:
            break
        ratio *= math.sqrt(depth / reached)
    return ratio


@lru_cache(maxsize=64)
def _dip(ratio: float) -> tuple[FloatArray, FloatArray]:
    """
    Give a transit from first to last contact (-1 to 1), as loss of light that is 1 at its centre.

    The path is taken as straight and uniform, so first to last contact is exactly the duration.
    """
    time = np.linspace(-1.0, 1.0, 513)
    reach = (1.0 + ratio) ** 2 - IMPACT_PARAMETER**2
    loss = 1.0 - transit_flux(np.sqrt(IMPACT_PARAMETER**2 + reach * time**2), ratio)
    return time, loss / loss[256]


def _half_width(signal: Signal) -> float:
    """Give half the duration in phase; at most a quarter, so that eclipses stay apart."""
    return min(signal.duration_h / 24.0 / signal.period_d / 2.0, 0.25)


def _transit_curve(signal: Signal) -> tuple[FloatArray, FloatArray]:
    depth = signal.depth_ppm * 1e-6
    time, loss = _dip(_radius_ratio(depth))
    return time * _half_width(signal), 1.0 - depth * loss


def _eclipse_curve(signal: Signal) -> tuple[FloatArray, FloatArray]:
    """Give two eclipses, half a period apart (a circular orbit)."""
    time, loss = _dip(ECLIPSE_RADIUS_RATIO)
    phase = time * _half_width(signal)
    primary = 1.0 - signal.depth_ppm * 1e-6 * loss
    secondary = 1.0 - signal.depth2_ppm * 1e-6 * loss
    return np.concatenate([phase, phase + 0.5]), np.concatenate([primary, secondary])


def _cycle() -> FloatArray:
    return np.linspace(0.0, 1.0, 1025)[:-1]


def _contact_curve(signal: Signal) -> tuple[FloatArray, FloatArray]:
    """
    Give a contact binary as a cosine series whose minima have the given depths.

    The first term makes the minima differ, the second is the double wave; a fourth of a fifth of
    the second sharpens the minima without denting the maxima (series of this kind describe
    contact binaries: Rucinski 1993, PASP 105, 1433).
    """
    depth, depth2 = signal.depth_ppm * 1e-6, signal.depth2_ppm * 1e-6
    a1, a2 = -(depth - depth2) / 2.0, -(depth + depth2) / 4.0
    a4 = a2 / 5.0
    turn = 2.0 * np.pi * _cycle()
    flux = 1.0 + a2 - a4 + a1 * np.cos(turn) + a2 * np.cos(2.0 * turn) + a4 * np.cos(4.0 * turn)
    return _cycle(), flux


# Harmonics kept of the saw-tooth: sharp for RR Lyrae stars, soft for the others.
_HARMONICS: dict[Kind, int] = {"rr_lyrae": 8, "cepheid": 5, "delta_scuti": 3}


def _pulsation_curve(signal: Signal) -> tuple[FloatArray, FloatArray]:
    """
    Give a pulsation as a saw-tooth in magnitudes, with a truncated Fourier series.

    A triangle with the star's own rise time has harmonics falling as n^-2; the slightly flatter
    n^-1.75 gives R21 = 0.49 and R31 = 0.25 at RR Lyrae's rise fraction of 0.19 and R21 = 0.37 at
    delta Cephei's 0.29. Measured ones are 0.4 to 0.5 and 0.3 for RRab stars (Simon & Teays 1982,
    ApJ 261, 586), 0.42 for delta Cephei (arXiv:2606.29543). The mean flux is 1.
    """
    rise = signal.rise_fraction
    n = np.arange(1, _HARMONICS[signal.kind] + 1)[:, None]
    coefficients = (1.0 - np.exp(-2j * np.pi * n * (1.0 - rise))) / n**1.75
    bright = np.sum((coefficients * np.exp(2j * np.pi * n * _cycle())).real, axis=0)
    bright = np.roll(bright, -int(np.argmax(bright)))
    bright *= signal.amplitude_mag / np.ptp(bright)
    flux = 10.0 ** (0.4 * bright)
    return _cycle(), flux / flux.mean()


def _spot_curve(signal: Signal) -> tuple[FloatArray, FloatArray]:
    """Give two dark spots, 0.4 of a turn apart, foreshortened and hidden behind the limb."""
    turn = 2.0 * np.pi * _cycle()
    dark = np.clip(np.cos(turn), 0.0, None) + 0.5 * np.clip(np.cos(turn - 0.8 * np.pi), 0.0, None)
    dark = np.roll(dark, -int(np.argmax(dark)))
    flux = 10.0 ** (-0.4 * signal.amplitude_mag * dark / np.ptp(dark))
    return _cycle(), flux / flux.mean()


_CURVES: dict[Kind, Callable[[Signal], tuple[FloatArray, FloatArray]]] = {
    "transit": _transit_curve,
    "eclipse": _eclipse_curve,
    "contact": _contact_curve,
    "rr_lyrae": _pulsation_curve,
    "cepheid": _pulsation_curve,
    "delta_scuti": _pulsation_curve,
    "spots": _spot_curve,
}


@lru_cache(maxsize=512)
def _integral(signal: Signal) -> tuple[FloatArray, FloatArray]:
    """
    Integrate a folded light curve from phase 0.

    Returns
    -------
    phase, integral : ndarray of shape (m,)
        From 0 to exactly 1, ascending.
    """
    phase, flux = _CURVES[signal.kind](signal)
    if signal.kind in ("transit", "eclipse"):
        # The light is constant between the dips: their rims are the neighbouring nodes.
        phase, flux = np.append(phase, phase[0] + 1.0), np.append(flux, flux[0])
    else:
        phase, flux = np.append(phase, 1.0), np.append(flux, flux[0])
    running = np.concatenate([[0.0], np.cumsum(np.diff(phase) * (flux[1:] + flux[:-1]) / 2.0)])
    # The nodes start before phase 0: cut there, and close the circle.
    whole = float(running[-1])
    at_zero = float(np.interp(0.0, phase, running))
    inside = (phase > 0.0) & (phase < 1.0)
    beyond = (phase <= 0.0) & (phase > -1.0)
    nodes = np.concatenate([phase[inside], phase[beyond] + 1.0])
    values = np.concatenate([running[inside] - at_zero, running[beyond] - at_zero + whole])
    order = np.argsort(nodes, kind="stable")
    nodes, values = nodes[order], values[order]
    keep = (nodes > 0.0) & (nodes < 1.0)
    return (
        np.concatenate([[0.0], nodes[keep], [1.0]]),
        np.concatenate([[0.0], values[keep], [whole]]),
    )


def periodic_mean(signal: Signal, time_btjd: FloatArray, exposure_s: float) -> FloatArray:
    """
    Average a periodic signal over exposures.

    Parameters
    ----------
    signal : Signal
        Any kind but flares.
    time_btjd : ndarray of shape (n,)
        Mid-exposure, BTJD.
    exposure_s : float
        Seconds.

    Returns
    -------
    flux : ndarray of shape (n,)
        Relative to the star's catalogue brightness; NaN where the time is NaN.
    """
    nodes, integral = _integral(signal)
    phase = (time_btjd - signal.epoch_btjd) / signal.period_d
    phase = phase - np.floor(phase)
    half = exposure_s / _SECONDS_PER_DAY / signal.period_d / 2.0
    start, stop = phase - half, phase + half
    turns_start, turns_stop = np.floor(start), np.floor(stop)
    area = np.interp(stop - turns_stop, nodes, integral)
    area -= np.interp(start - turns_start, nodes, integral)
    area += (turns_stop - turns_start) * integral[-1]
    return np.asarray(area / (2.0 * half))


@lru_cache(maxsize=1)
def _flare_integral() -> tuple[FloatArray, FloatArray]:
    """
    Integrate the white-light flare template over time in units of its width at half height.

    References
    ----------
    .. [1] Davenport et al. 2014, ApJ 797, 122, equations 1 and 4.
    """
    rise = np.linspace(-1.0, 0.0, 200)
    decay = np.linspace(0.0, 20.0, 4000)[1:]
    height = np.concatenate(
        [
            1.0 + 1.941 * rise - 0.175 * rise**2 - 2.246 * rise**3 - 1.125 * rise**4,
            0.6890 * np.exp(-1.600 * decay) + 0.3030 * np.exp(-0.2783 * decay),
        ]
    )
    time = np.concatenate([rise, decay])
    area = np.cumsum(np.diff(time) * (height[1:] + height[:-1]) / 2.0)
    return time, np.concatenate([[0.0], area])


_SMALLEST_FLARE = 0.0006
_FLARE_REACH_D = 0.5


@lru_cache(maxsize=4096)
def flares_of_day(signal: Signal, day: int) -> tuple[tuple[float, float, float], ...]:
    """
    Draw the flares whose peaks fall on one day.

    Heights follow a power law N(> a) ~ 1/a from 0.06 % up to `flare_peak`, as the flares of AU Mic
    do between 0.06 % and 1.5 % (Martioli et al. 2021); larger ones last longer.

    Parameters
    ----------
    signal : Signal
        Of kind ``"flares"``.
    day : int
        Whole part of BTJD.

    Returns
    -------
    flares : tuple of (peak_btjd, height, width_d)
        Height relative to the star's light; width at half height.
    """
    draws = generator(Stream.FLARES, signal.seed, day)
    # Inverting the Poisson law by hand keeps the draws free of numpy's own algorithm.
    chance, count = draws.random(), 0
    term = math.exp(-signal.flares_per_d)
    while chance > term and count < 100:
        chance -= term
        count += 1
        term *= signal.flares_per_d / count
    largest = max(signal.flare_peak, _SMALLEST_FLARE)
    flares = []
    for when, size, length in draws.random((count, 3)):
        height = _SMALLEST_FLARE / (1.0 - size * (1.0 - _SMALLEST_FLARE / largest))
        minutes = (2.0 + 4.0 * length) * (height / 0.01) ** 0.3
        flares.append((day + float(when), float(height), float(minutes) / _MINUTES_PER_DAY))
    return tuple(sorted(flares))


def flare_mean(signal: Signal, time_btjd: FloatArray, exposure_s: float) -> FloatArray:
    """
    Average a star's flares over exposures.

    Parameters
    ----------
    signal : Signal
        Of kind ``"flares"``.
    time_btjd : ndarray of shape (n,)
        Mid-exposure, BTJD.
    exposure_s : float
        Seconds.

    Returns
    -------
    flux : ndarray of shape (n,)
        1 between flares and where the time is NaN.
    """
    flux = np.ones_like(time_btjd)
    half = exposure_s / _SECONDS_PER_DAY / 2.0
    finite = np.flatnonzero(np.isfinite(time_btjd))
    if finite.size == 0:
        return flux
    time = time_btjd[finite]
    first, last = float(time.min()) - _FLARE_REACH_D, float(time.max()) + _FLARE_REACH_D
    template_time, template_area = _flare_integral()
    for day in range(math.floor(first), math.floor(last) + 1):
        for peak, height, width in flares_of_day(signal, day):
            near = np.abs(time - peak) < _FLARE_REACH_D
            offset = (time[near] - peak) / width
            reach = half / width
            area = np.interp(offset + reach, template_time, template_area)
            area -= np.interp(offset - reach, template_time, template_area)
            flux[finite[near]] += height * area / (2.0 * reach)
    return flux
