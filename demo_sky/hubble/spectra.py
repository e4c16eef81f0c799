"""
Colours: galaxies by type and redshift, stars by temperature, reddening by dust, lines of nebulae.

All as AB magnitudes or as factors of a flux per frequency, averaged over a bandpass.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from demo_sky.hubble.bandpasses import Bandpass, bandpasses

FloatArray = np.ndarray[Any, np.dtype[np.float64]]

# Types of stellar population, the rows of the templates below.
OLD, INTERMEDIATE, YOUNG, STARBURST = range(4)

# Rest-frame AB magnitudes relative to V, by wavelength in micrometres, made to have the colours of
# E, Sbc and Scd galaxies (Coleman, Wu & Weedman 1980, ApJS 43, 393; B - V of Fukugita et al. 1995,
# PASP 107, 945: 0.96, 0.55, 0.40; V - K of Mannucci et al. 2001, MNRAS 326, 745: 3.2, 2.9, 2.3) and
# of a starburst with little dust (Kinney et al. 1996, ApJ 467, 38); beyond 3 micrometres after
# Polletta et al. 2007 (ApJ 663, 81), with dust features at 8. Rounded to 0.05.
_TEMPLATE_UM = (
    0.0912, 0.1216, 0.15, 0.20, 0.28, 0.33, 0.36, 0.39, 0.41, 0.44, 0.55, 0.65, 0.80, 1.0, 1.25,
    1.65, 2.2, 3.55, 4.5, 5.75, 8.0,
)  # fmt: skip
_TEMPLATES = (
    (8.0, 7.0, 6.5, 6.0, 4.3, 3.0, 2.3, 2.0, 1.2, 0.87, 0.0, -0.33, -0.70, -1.00, -1.38,
     -1.62, -1.35, -0.50, 0.00, 0.35, 0.80),
    (4.2, 3.4, 3.2, 3.1, 2.3, 1.65, 1.36, 1.15, 0.65, 0.46, 0.0, -0.22, -0.47, -0.66, -0.92,
     -1.20, -1.05, -0.45, -0.10, -0.30, -1.20),
    (2.4, 1.8, 1.6, 1.6, 1.35, 1.10, 1.00, 0.85, 0.45, 0.31, 0.0, -0.15, -0.30, -0.38, -0.48,
     -0.58, -0.45, 0.25, 0.50, 0.20, -0.60),
    (1.3, 0.7, 0.55, 0.55, 0.55, 0.52, 0.50, 0.42, 0.27, 0.18, 0.0, -0.05, -0.10, -0.12, -0.12,
     -0.12, 0.05, 0.70, 0.95, 0.70, 0.10),
)  # fmt: skip
# Hydrogen lets nothing shorter through.
_LYMAN_LIMIT, _LYMAN_ALPHA = 0.0912, 0.1216
_OPAQUE_MAG = 20.0

# Old populations have today's colours up to the first redshift, and those of the next type from so
# much more on (assumed; passive evolution from a formation at redshift 4 is about so fast).
_OLD_UNTIL, _AGEING = 0.6, 2.0

REDSHIFTS = np.linspace(0.0, 8.0, 321)

# hc/k in micrometre kelvin.
_SECOND_RADIATION_CONSTANT = 14387.77

# A(lambda)/A(V): Cardelli, Clayton & Mathis 1989 (ApJ 345, 245), table 3 (R_V = 3.1), the bump at
# 0.22 included.
_EXTINCTION_UM = (0.15, 0.20, 0.22, 0.25, 0.30, 0.365, 0.44, 0.55, 0.70, 0.90, 1.25, 1.65, 2.2, 8.0)
_EXTINCTION = (2.66, 2.84, 3.18, 2.30, 1.80, 1.57, 1.34, 1.00, 0.75, 0.48, 0.28, 0.19, 0.11, 0.02)

# Emission lines of nebulae, micrometres. H-alpha is with [N II] 6548 and 6583 beside it.
LINES = {
    "[O II] 3727": 0.3727,
    "He II 4686": 0.4686,
    "H-beta": 0.4861,
    "[O III] 5007": 0.5007,
    "[O I] 6300": 0.6300,
    "H-alpha": 0.6563,
    "[N II] 6583": 0.6583,
    "[S II] 6725": 0.6725,
    "[S III] 9532": 0.9532,
    "Pa-beta": 1.2818,
    "[Fe II] 1.644": 1.6440,
}


def _samples(bandpass: Bandpass) -> FloatArray:
    """Give wavelengths across a bandpass, micrometres, shape (9,)."""
    steps = (np.arange(9) - 4.0) / 9.0
    return np.asarray(bandpass.pivot + bandpass.width * steps)


@lru_cache(maxsize=256)
def _galaxy_table(key: tuple[str, str, str]) -> FloatArray:
    """AB magnitude in a band minus rest-frame V (without distance), shape (types, redshifts)."""
    observed = _samples(bandpasses()[key])
    rest = observed / (1.0 + REDSHIFTS[:, None])
    opacity = np.where(
        rest < _LYMAN_ALPHA, 0.0036 * (observed / _LYMAN_ALPHA) ** 3.46, 0.0
    )  # Madau 1995, ApJ 441, 18, equation 15: Lyman alpha only.
    forest = np.exp(-opacity) * np.where(rest < _LYMAN_LIMIT, 10.0 ** (-0.4 * _OPAQUE_MAG), 1.0)
    light = np.empty((len(_TEMPLATES), len(REDSHIFTS)))
    for kind, template in enumerate(_TEMPLATES):
        magnitude = np.interp(np.log(rest), np.log(_TEMPLATE_UM), template)
        light[kind] = np.mean(10.0 ** (-0.4 * magnitude) * forest, axis=1)
    # Stars of galaxies that are old today were younger then.
    younger = np.clip((REDSHIFTS - _OLD_UNTIL) / _AGEING, 0.0, 1.0)
    light[OLD] = (1.0 - younger) * light[OLD] + younger * light[INTERMEDIATE]
    return np.asarray(-2.5 * np.log10(light))


def galaxy_colours(
    bandpass: Bandpass, kind: np.ndarray[Any, np.dtype[np.intp]] | int, redshift: FloatArray | float
) -> FloatArray:
    """
    Give magnitudes of galaxies relative to their rest-frame V.

    Parameters
    ----------
    bandpass : Bandpass
    kind : int or int ndarray of shape (n,)
        `OLD`, `INTERMEDIATE`, `YOUNG` or `STARBURST`.
    redshift : float or ndarray of shape (n,)
        0 to 8.

    Returns
    -------
    colours : ndarray of shape (n,)
        AB magnitude in the band minus that at rest-frame V, both as flux per observed frequency.
    """
    table = _galaxy_table(bandpass.key)
    place = np.clip(np.asarray(redshift) / REDSHIFTS[1], 0.0, len(REDSHIFTS) - 1.001)
    low = place.astype(np.intp)
    part = place - low
    return np.asarray(table[kind, low] * (1.0 - part) + table[kind, low + 1] * part)


def star_colours(bandpass: Bandpass, reference: Bandpass, kelvin: FloatArray) -> FloatArray:
    """
    Give colours of black bodies.

    Parameters
    ----------
    bandpass, reference : Bandpass
    kelvin : ndarray of shape (n,)
        Temperatures.

    Returns
    -------
    colours : ndarray of shape (n,)
        AB magnitude in the band minus that in the reference band.
    """
    return _black_body(bandpass, kelvin) - _black_body(reference, kelvin)


def _black_body(bandpass: Bandpass, kelvin: FloatArray) -> FloatArray:
    um = _samples(bandpass)
    exponent = np.minimum(_SECOND_RADIATION_CONSTANT / (um * np.asarray(kelvin)[..., None]), 700.0)
    return np.asarray(-2.5 * np.log10(np.mean(um**-3.0 / np.expm1(exponent), axis=-1)))


def extinction(bandpass: Bandpass) -> float:
    """
    Say how much dust dims light in a band.

    Parameters
    ----------
    bandpass : Bandpass

    Returns
    -------
    ratio : float
        Magnitudes per magnitude in V.
    """
    return float(np.interp(bandpass.pivot, _EXTINCTION_UM, _EXTINCTION))
