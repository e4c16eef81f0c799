"""
Point sources: how mirror, detector and drizzling (or the air) spread their light.

Hubble's diffraction pattern is that of a 2.4-m mirror with a central obscuration of 0.33, as a sum
of Gaussians in units of wavelength over diameter, fitted to the enclosed light and to the profile
after a blur of 0.45 of that unit (0.8 % of the light at worst). Three per cent of the light is in
the spikes of the four vanes that hold the secondary.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from demo_sky.hubble.bandpasses import Bandpass
from demo_sky.hubble.projection import ARCSEC

FloatArray = np.ndarray[Any, np.dtype[np.float64]]

_MIRROR_UM = 2.4e6

# Standard deviations in wavelength / diameter, and shares of the light.
_ROUND = ((0.2728, 0.4386), (0.9935, 0.4593), (4.3148, 0.0620), (22.93, 0.0101))
# Each spike line (there are two, crossed): standard deviation along it, share of the light.
_SPIKES = ((6.0, 0.0060), (20.0, 0.0050), (60.0, 0.0040))
_SPIKE_WIDTH = 0.3
# For extended sources the fine structure of the wings does not show.
_WINGS_TOGETHER = 2

# The vanes are at 45 degrees to the detectors' axes.
_SPIKE_ANGLES = (45.0, 135.0)

# Air: a narrow and a wide Gaussian, together like a Moffat function of beta = 3.5.
_AIR = ((1.0, 0.80), (2.0, 0.20))
# FWHM of that sum over the narrow one's standard deviation.
_AIR_FWHM = 2.425


@dataclass(frozen=True, slots=True)
class PointSpread:
    """
    A point source as Gaussians.

    Attributes
    ----------
    weight : ndarray of shape (k,)
        Shares of the light; they sum to 1.
    variance_long, variance_short : ndarray of shape (k,)
        Along the two axes of each, square arcsec.
    angle : ndarray of shape (k,)
        Direction of the long axis, degrees from the image's x axis to its y axis.
    """

    weight: FloatArray
    variance_long: FloatArray
    variance_short: FloatArray
    angle: FloatArray

    def covariances(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Give xx, xy and yy, square arcsec, shape (k,) each."""
        c, s = np.cos(np.deg2rad(self.angle)), np.sin(np.deg2rad(self.angle))
        long, short = self.variance_long, self.variance_short
        return (
            c * c * long + s * s * short,
            c * s * (long - short),
            s * s * long + c * c * short,
        )

    def enclosed(self, radius: float) -> float:
        """
        Say how much of the light is within a circle.

        Parameters
        ----------
        radius : float
            Arcsec.

        Returns
        -------
        share : float
            0 to 1.
        """
        angle = np.linspace(0.0, math.pi, 721)[:-1]
        inverse = (
            np.cos(angle)[:, None] ** 2 / self.variance_long
            + np.sin(angle)[:, None] ** 2 / self.variance_short
        )
        # The integral over the radius of an elliptical Gaussian, direction by direction.
        norm = np.sqrt(self.variance_long * self.variance_short)
        inside = (1.0 - np.exp(-0.5 * radius**2 * inverse)) / (inverse * norm)
        return float(np.sum(self.weight * inside.mean(axis=0)))


@lru_cache(maxsize=512)
def point_spread(bandpass: Bandpass, pixel: float, roll: float = 0.0) -> PointSpread:
    """
    Give the image of a star, integrated over the mosaic's pixels.

    Parameters
    ----------
    bandpass : Bandpass
    pixel : float
        Pixel size of the mosaic, arcsec.
    roll : float, optional
        Direction of the detector's x axis on the image, degrees.

    Returns
    -------
    spread : PointSpread
    """
    own_pixel = pixel**2 / 12.0
    if not bandpass.is_hubble:
        return _air(bandpass, own_pixel)
    unit = bandpass.pivot / _MIRROR_UM / ARCSEC
    blur = _blur(bandpass) + own_pixel
    parts = [(share, (s * unit) ** 2 + blur, (s * unit) ** 2 + blur, 0.0) for s, share in _ROUND]
    parts += [
        (share, (s * unit) ** 2 + blur, (_SPIKE_WIDTH * unit) ** 2 + blur, angle + roll)
        for angle in _SPIKE_ANGLES
        for s, share in _SPIKES
    ]
    return PointSpread(*(np.array(column) for column in zip(*parts, strict=True)))


@lru_cache(maxsize=512)
def soft_spread(bandpass: Bandpass, pixel: float) -> PointSpread:
    """
    Give the image of a star with few, round parts: what extended sources are blurred with.

    Parameters
    ----------
    bandpass : Bandpass
    pixel : float
        Pixel size of the mosaic, arcsec.

    Returns
    -------
    spread : PointSpread
    """
    own_pixel = pixel**2 / 12.0
    if not bandpass.is_hubble:
        return _air(bandpass, own_pixel)
    unit = bandpass.pivot / _MIRROR_UM / ARCSEC
    blur = _blur(bandpass) + own_pixel
    shares = [share for _, share in _ROUND[:_WINGS_TOGETHER]]
    parts = [((s * unit) ** 2 + blur, share) for s, share in _ROUND[:_WINGS_TOGETHER]]
    parts.append(((_ROUND[_WINGS_TOGETHER][0] * unit) ** 2 + blur, 1.0 - sum(shares)))
    return _round_parts(parts)


def _blur(bandpass: Bandpass) -> float:
    """Variance that the detector's pixels add, square arcsec: once as such, once when drizzled."""
    camera = bandpass.camera
    return camera.diffusion**2 + 2.0 * camera.pixel**2 / 12.0


def _air(bandpass: Bandpass, own_pixel: float) -> PointSpread:
    sigma = bandpass.seeing / _AIR_FWHM
    return _round_parts([((sigma * s) ** 2 + own_pixel, share) for s, share in _AIR])


def _round_parts(parts: list[tuple[float, float]]) -> PointSpread:
    variance, weight = (np.array(column) for column in zip(*parts, strict=True))
    return PointSpread(weight, variance, variance, np.zeros(len(parts)))
