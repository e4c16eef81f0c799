"""How the light of a star varies, averaged over an exposure, and the table of planted truth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from demo_sky.sky.light_curves import flare_mean, periodic_mean
from demo_sky.sky.signals import Signal

if TYPE_CHECKING:
    from demo_sky.sky.catalogue import Stars

FloatArray = np.ndarray[Any, np.dtype[np.float64]]

# TESS's first science exposure: epochs are told as the first one after it.
FIRST_LIGHT_BTJD = 1325.29

# Two modes of a delta Scuti star, multiplied after averaging over this long, are true to 1e-4.
_SHORT_EXPOSURE_S = 200.0


def relative_flux(
    signals: Sequence[Signal], time_btjd: FloatArray, exposure_s: float
) -> FloatArray:
    """
    Give a star's light over its catalogue brightness, averaged over each exposure.

    Parameters
    ----------
    signals : sequence of Signal
        All causes of variability of one star; none for a quiet star.
    time_btjd : ndarray of shape (n,)
        Mid-exposure times, BTJD. NaN is allowed.
    exposure_s : float
        Length of the exposures in seconds, above 0.

    Returns
    -------
    flux : ndarray of shape (n,)
        1 outside transits and eclipses and between flares; pulsations and spots have a mean of 1.
        NaN where a periodic star's time is NaN.

    Raises
    ------
    ValueError
        If the exposure is not positive.
    """
    if not exposure_s > 0.0:
        msg = f"exposure_s must be positive, got {exposure_s!r}"
        raise ValueError(msg)
    time = np.asarray(time_btjd, dtype=float)
    if len(signals) < 2:
        return _product(signals, time, exposure_s)
    # The mean of a product is not the product of the means: multiply over short parts.
    parts = math.ceil(exposure_s / _SHORT_EXPOSURE_S)
    length = exposure_s / parts
    flux = np.zeros_like(time)
    for part in range(parts):
        offset = (part + 0.5) * length - exposure_s / 2.0
        flux += _product(signals, time + offset / 86400.0, length)
    return flux / parts


def _product(signals: Sequence[Signal], time: FloatArray, exposure_s: float) -> FloatArray:
    flux = np.ones_like(time)
    for signal in signals:
        average = flare_mean if signal.kind == "flares" else periodic_mean
        flux *= average(signal, time, exposure_s)
    return flux


def first_epoch(signal: Signal) -> float:
    """Give the first epoch of a periodic signal after TESS's first light, in BTJD."""
    cycles = math.ceil((FIRST_LIGHT_BTJD - signal.epoch_btjd) / signal.period_d)
    return signal.epoch_btjd + cycles * signal.period_d


_SIGNAL_NUMBERS = (
    "period_d",
    "depth_ppm",
    "duration_h",
    "depth2_ppm",
    "amplitude_mag",
    "rise_fraction",
    "flares_per_d",
    "flare_peak",
)
_QUIET_TRUTH: dict[str, Any] = {
    "kind": "quiet",
    "signal": None,
    "epoch_btjd": None,
    **dict.fromkeys(_SIGNAL_NUMBERS),
    "source": None,
}


def _signal_truth(signal: Signal) -> dict[str, Any]:
    return {
        "kind": signal.kind,
        "signal": signal.name,
        "epoch_btjd": first_epoch(signal) if signal.period_d > 0.0 else None,
        **{name: getattr(signal, name) or None for name in _SIGNAL_NUMBERS},
        "source": signal.source,
    }


def truth(stars: Stars) -> list[dict[str, Any]]:
    """
    Tell what was planted: one row a signal, and one row for each quiet star.

    Parameters
    ----------
    stars : Stars
        Of `demo_sky.sky.catalogue`.

    Returns
    -------
    rows : list of dict
        In the order of `stars`, ready for JSON: tic, name, ra, dec, tmag, teff, radius, simulated;
        kind (``"quiet"`` if nothing varies), signal, epoch_btjd (the first after TESS's first
        light), period_d, depth_ppm, duration_h, depth2_ppm, amplitude_mag, rise_fraction,
        flares_per_d, flare_peak, source. What does not apply or is not known is None.
    """
    rows = []
    for index in range(len(stars)):
        star = {
            "tic": int(stars.tic[index]),
            "name": stars.name(index),
            "ra": float(stars.ra[index]),
            "dec": float(stars.dec[index]),
            "tmag": float(stars.tmag[index]),
            "teff": _known(stars.teff[index]),
            "radius": _known(stars.radius[index]),
            "simulated": bool(stars.simulated[index]),
        }
        told = [_signal_truth(signal) for signal in stars.signals(index)] or [_QUIET_TRUTH]
        rows += [{**star, **signal} for signal in told]
    return rows


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
