"""How many stars the sky has per square degree, by magnitude and galactic position."""

from __future__ import annotations

from typing import Any

import numpy as np

FloatArray = np.ndarray[Any, np.dtype[np.float64]]

# ICRS to galactic axes: rotation matrix of the Hipparcos Catalogue (ESA SP-1200, volume 1, 1.5.3).
_TO_GALACTIC = np.array(
    [
        [-0.0548755604, -0.8734370902, -0.4838350155],
        [+0.4941094279, -0.4448296300, +0.7469822445],
        [-0.8676661490, -0.1980763734, +0.4559837762],
    ]
)

# T = V - 0.75: TESS's magnitude is close to Ic (Ricker et al. 2015, JATIS 1, 014003), and V - Ic is
# 0.71 for a G2 dwarf, 0.92 for a K2 dwarf (Pecaut & Mamajek 2013, ApJS 208, 9).
_V_MINUS_T = 0.75

# The disc's counts go as a negative power of sin|b|, which has no end at the plane. The floors end
# it, and stand for dust, too: at magnitude 11.25 the plane has 150 stars per square degree and the
# pole 20, in Tycho-2 150 and 25 (Hog et al. 2000, A&A 355, L27, figure 1).
_LATITUDE_FLOOR = 0.18
_LEAST_SINE = 0.12

# The model leaves giants out, and is for high latitudes. These factors give the mean of the whole
# sky the counts of Tycho-2 and UCAC4 (hnsky.org/star_count.htm: 0.40 stars per square degree to
# magnitude 7, 9.3 to 10, 178 to 13, 955 to 15, 2155 to 16), magnitude 12 taken as T = 11.25 and 13
# and fainter as T = 12.5 and fainter, for UCAC4's own band lies between V and R.
_FACTOR_TMAG = (5.25, 7.25, 9.25, 11.25, 12.5, 13.5, 14.5, 15.5)
_FACTORS = (0.83, 1.16, 1.5, 1.9, 1.6, 1.42, 1.32, 1.28)

_MAGNITUDES = np.arange(4.0, 24.01, 0.25)


def galactic_direction(ra: FloatArray | float, dec: FloatArray | float) -> FloatArray:
    """
    Turn ICRS positions into unit vectors on galactic axes.

    Parameters
    ----------
    ra, dec : float or ndarray
        Degrees.

    Returns
    -------
    direction : ndarray of shape (..., 3)
        (cos b cos l, cos b sin l, sin b).
    """
    ra, dec = np.deg2rad(ra), np.deg2rad(dec)
    icrs = np.stack([np.cos(ra) * np.cos(dec), np.sin(ra) * np.cos(dec), np.sin(dec)], axis=-1)
    return np.asarray(icrs @ _TO_GALACTIC.T)


def stars_per_square_degree(
    tmag: FloatArray | float, ra: FloatArray | float, dec: FloatArray | float
) -> FloatArray:
    """
    Count the stars brighter than a magnitude.

    Parameters
    ----------
    tmag : float or ndarray
        TESS magnitude, 4 to 24.
    ra, dec : float or ndarray
        ICRS, degrees; broadcast against `tmag`.

    Returns
    -------
    density : ndarray
        Stars brighter than `tmag` per square degree.

    References
    ----------
    .. [1] Bahcall & Soneira 1980, ApJS 44, 73, appendix B: integral counts in V of a disc and a
       halo, good to 15 % at b = 20 degrees and more off the plane.
    """
    v = np.asarray(tmag, dtype=float) + _V_MINUS_T
    direction = galactic_direction(ra, dec)
    toward_centre = direction[..., 0]
    sine = np.sqrt(direction[..., 2] ** 2 + _LATITUDE_FLOOR**2) / np.hypot(1.0, _LATITUDE_FLOOR)

    mu = np.clip(0.0075 * (v - 12.0) + 0.03, 0.03, 0.09)
    gamma = np.clip(0.04 * (12.0 - v) + 0.36, 0.04, 0.36)
    disc = 925.0 * 10.0 ** (0.035 * (v - 15.75)) / (1.0 + 10.0 ** (-0.132 * (v - 15.75))) ** 3.0
    disc = disc / np.maximum(sine - mu * toward_centre, _LEAST_SINE) ** (3.0 - 5.0 * gamma)

    halo = 1050.0 * 10.0 ** (0.087 * (v - 17.5)) / (1.0 + 10.0 ** (-0.180 * (v - 17.5))) ** 2.5
    # Off the centre only: toward it the halo's counts grow without end.
    halo = halo / np.maximum(1.0 - toward_centre, 0.05) ** (1.45 - 0.20 * toward_centre)
    factor = np.interp(v - _V_MINUS_T, _FACTOR_TMAG, _FACTORS)
    return np.asarray(factor * (disc + np.minimum(halo, disc)))


def unresolved_light(
    faintest_tmag: float, ra: FloatArray | float, dec: FloatArray | float
) -> FloatArray:
    """
    Add up the light of all stars fainter than a magnitude.

    Parameters
    ----------
    faintest_tmag : float
        Stars up to this magnitude are drawn one by one.
    ra, dec : float or ndarray
        ICRS, degrees.

    Returns
    -------
    light : ndarray
        Per square degree, in units of a star of magnitude 0.
    """
    tmag = np.concatenate([[faintest_tmag], _MAGNITUDES[faintest_tmag < _MAGNITUDES]])
    ra, dec = np.asarray(ra, dtype=float)[..., None], np.asarray(dec, dtype=float)[..., None]
    counts = np.diff(stars_per_square_degree(tmag, ra, dec), axis=-1)
    middle = (tmag[1:] + tmag[:-1]) / 2.0
    return np.asarray(np.sum(counts * 10.0 ** (-0.4 * middle), axis=-1))
