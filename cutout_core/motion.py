"""How bright a moving target was and how fast it went, in words."""

import math

import numpy as np

from cutout_core.lightcurve import LightCurve
from cutout_core.mast.resolver import separation_arcsec

# Magnitude in TESS's light of a source that gives one electron per second: Vanderspek et al. 2018,
# TESS Instrument Handbook v0.1, section 6.1.
ZERO_POINT_TMAG = 20.44


def speed_arcsec_per_h(curve: LightCurve) -> float:
    """
    Measure how fast a target moved across the sky.

    Parameters
    ----------
    curve : LightCurve
        With a track.

    Returns
    -------
    speed : float
        Median over steps of about an hour, in arcsec per hour; NaN if there is no such step.
    """
    if curve.track is None:
        return math.nan
    known = np.flatnonzero(np.isfinite(curve.time) & np.isfinite(curve.track.ra))
    step = max(1, round(3600 / curve.cadence_s))
    speeds = [
        separation_arcsec(
            curve.track.ra[i], curve.track.dec[i], curve.track.ra[j], curve.track.dec[j]
        )
        / ((curve.time[j] - curve.time[i]) * 24)
        for i, j in zip(known[:-step:step], known[step::step], strict=False)
        if curve.time[j] > curve.time[i]
    ]
    return float(np.median(speeds)) if speeds else math.nan


def describe_motion(curve: LightCurve) -> str:
    """
    Say how bright a moving target was and how fast it went.

    Parameters
    ----------
    curve : LightCurve
        With a track.

    Returns
    -------
    words : str
        Such as "Tmag 7.9 on average; it moved 28 arcsec per hour, 1.3 pixels."; "" if neither is
        known.
    """
    parts = []
    if curve.median_flux > 0:
        tmag = ZERO_POINT_TMAG - 2.5 * math.log10(curve.median_flux)
        parts.append(f"Tmag {tmag:.1f} on average")
    speed = speed_arcsec_per_h(curve)
    if math.isfinite(speed):
        parts.append(f"it moved {speed:.3g} arcsec per hour, {speed / 21:.1f} pixels")
    return "; ".join(parts) + "." if parts else ""
