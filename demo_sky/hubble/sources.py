"""Galaxies and stars as Gaussians in the pixels of a mosaic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from demo_sky.hubble.bandpasses import Bandpass, bandpasses
from demo_sky.hubble.field import REFERENCE, Galaxies, PointSources
from demo_sky.hubble.painter import Gaussians, joined
from demo_sky.hubble.profiles import Profile, mixture
from demo_sky.hubble.projection import Grid
from demo_sky.hubble.psf import PointSpread, point_spread, soft_spread
from demo_sky.hubble.spectra import STARBURST, extinction, galaxy_colours, star_colours

FloatArray = np.ndarray[Any, np.dtype[np.float64]]

# Of a galaxy with arms: knots along them, how tightly they are wound and how far off they stray.
_KNOTS = 60
_PITCH_DEG = (14.0, 28.0)
_STRAY_RAD = 0.16
# Where a disc's knots are, in half-light radii, and how large they are.
_KNOT_RADII = (0.25, 2.2)
_KNOT_SIZE = 0.06
_KNOT_FLUX_SCATTER = 0.7
# Step to the north that finds which way it is, in radians.
_NUDGE = 1e-6
# Extinction in the reference band per magnitude in V, that the magnitudes already hold.
_REFERENCE_EXTINCTION = 0.6


@dataclass(frozen=True, slots=True)
class Camera:
    """
    What turns sources into an image.

    Attributes
    ----------
    grid : Grid
    bandpass : Bandpass
    roll : float
        Angle of the detector's y axis, degrees from north to east.
    """

    grid: Grid
    bandpass: Bandpass
    roll: float

    def counts(self, magnitude: FloatArray) -> FloatArray:
        """Convert AB magnitudes in this band to image units."""
        return np.asarray(10.0 ** (0.4 * (self.bandpass.zero_point - magnitude)))

    def star_image(self) -> PointSpread:
        """Give the image of a star, spikes and all."""
        # East is to the left: angles from north to east run like those from x to y.
        return point_spread(self.bandpass, self.grid.scale, self.roll + self.grid.turn)

    def north(self, direction: FloatArray) -> FloatArray:
        """
        Find which way north is at places on the image.

        Parameters
        ----------
        direction : ndarray of shape (n, 3)
            Unit vectors.

        Returns
        -------
        angle : ndarray of shape (n,)
            From the image's x to its y, radians.
        """
        x, y, z = direction.T
        across = np.maximum(np.hypot(x, y), 1e-12)
        up = np.stack([-z * x / across, -z * y / across, across], axis=-1)
        x0, y0 = self.grid.pixels(direction)
        x1, y1 = self.grid.pixels(direction + _NUDGE * up)
        return np.arctan2(y1 - y0, x1 - x0)


# --- Stars ----------------------------------------------------------------------------------------


def star_magnitudes(stars: PointSources, bandpass: Bandpass) -> FloatArray:
    """
    Give magnitudes of stars.

    Parameters
    ----------
    stars : PointSources
    bandpass : Bandpass

    Returns
    -------
    magnitudes : ndarray of shape (n,)
        AB.
    """
    return stars.magnitude + star_colours(bandpass, bandpasses()[REFERENCE], stars.kelvin)


def star_gaussians(stars: PointSources, camera: Camera) -> Gaussians:
    """
    Turn stars into Gaussians.

    Parameters
    ----------
    stars : PointSources
    camera : Camera

    Returns
    -------
    gaussians : Gaussians
        Star by star.
    """
    x, y = camera.grid.pixels(stars.direction)
    return point_gaussians(x, y, camera.counts(star_magnitudes(stars, camera.bandpass)), camera)


def point_gaussians(x: FloatArray, y: FloatArray, counts: FloatArray, camera: Camera) -> Gaussians:
    """
    Turn points into Gaussians.

    Parameters
    ----------
    x, y : ndarray of shape (n,)
        Pixels.
    counts : ndarray of shape (n,)
        Fluxes in image units.
    camera : Camera

    Returns
    -------
    gaussians : Gaussians
        Point by point.
    """
    spread = camera.star_image()
    xx, xy, yy = (each / camera.grid.scale**2 for each in spread.covariances())
    flux = counts[:, None] * spread.weight
    return Gaussians.of(x[:, None], y[:, None], flux, xx, xy, yy)


# --- Galaxies -------------------------------------------------------------------------------------


def galaxy_fluxes(galaxies: Galaxies, bandpass: Bandpass) -> tuple[FloatArray, ...]:
    """
    Give the fluxes of galaxies' parts.

    Parameters
    ----------
    galaxies : Galaxies
    bandpass : Bandpass

    Returns
    -------
    bulge, disc, knots : ndarray of shape (n,)
        In units of a source of AB magnitude 0.
    """
    reference = bandpasses()[REFERENCE]
    dust = galaxies.dust * (extinction(bandpass) - _REFERENCE_EXTINCTION)
    disc_share = 1.0 - galaxies.bulge_share
    parts = (
        (galaxies.bulge_kind, galaxies.bulge_share),
        (galaxies.disc_kind, disc_share * (1.0 - galaxies.arms)),
        (np.full(len(galaxies), STARBURST), disc_share * galaxies.arms),
    )
    fluxes = []
    for kind, share in parts:
        colour = galaxy_colours(bandpass, kind, galaxies.redshift)
        colour = colour - galaxy_colours(reference, kind, galaxies.redshift)
        fluxes.append(share * 10.0 ** (-0.4 * (galaxies.magnitude + colour + dust)))
    return tuple(fluxes)


def galaxy_gaussians(galaxies: Galaxies, camera: Camera) -> Gaussians:
    """
    Turn galaxies into Gaussians.

    Parameters
    ----------
    galaxies : Galaxies
    camera : Camera

    Returns
    -------
    gaussians : Gaussians
        First all bulges, then all discs, then all knots.
    """
    bulge, disc, knots = (
        flux * camera.bandpass.counts_per_maggy for flux in galaxy_fluxes(galaxies, camera.bandpass)
    )
    x, y = camera.grid.pixels(galaxies.direction)
    angle = camera.north(galaxies.direction) + np.deg2rad(galaxies.angle)
    spheroids = Shapes(x, y, angle, galaxies.bulge_radius, galaxies.bulge_ratio)
    discs = Shapes(x, y, angle, galaxies.disc_radius, galaxies.disc_ratio)
    return joined(
        [
            profile_gaussians(Profile.SPHEROID, spheroids, bulge, camera),
            profile_gaussians(Profile.DISC, discs, disc, camera),
            _knot_gaussians(galaxies, discs, knots, camera),
        ]
    )


@dataclass(frozen=True, slots=True)
class Shapes:
    """
    Ellipses in an image, as arrays of equal length.

    Attributes
    ----------
    x, y : ndarray of shape (n,)
        Centres, pixels.
    angle : ndarray of shape (n,)
        Of the long axis, from the image's x to its y, radians.
    radius : ndarray of shape (n,)
        Half-light radius along the long axis, arcsec.
    ratio : ndarray of shape (n,)
        Short over long axis.
    """

    x: FloatArray
    y: FloatArray
    angle: FloatArray
    radius: FloatArray
    ratio: FloatArray

    def take(self, chosen: Any) -> Shapes:
        """Choose by a mask or by indices."""
        return Shapes(*(getattr(self, name)[chosen] for name in self.__slots__))


def profile_gaussians(
    profile: Profile, shapes: Shapes, counts: FloatArray, camera: Camera
) -> Gaussians:
    """
    Turn ellipses with a light profile into Gaussians.

    Parameters
    ----------
    profile : Profile
    shapes : Shapes
    counts : ndarray of shape (n,)
        Fluxes in image units; those without any are left out.
    camera : Camera

    Returns
    -------
    gaussians : Gaussians
        First those that the image resolves well.
    """
    spread = soft_spread(camera.bandpass, camera.grid.scale)
    resolved = shapes.radius > 2.0 * math.sqrt(float(spread.variance_long[0]))
    parts = []
    for fine in (True, False):
        chosen = np.flatnonzero((resolved == fine) & (counts > 0.0))
        some = shapes.take(chosen)
        weight, variance = mixture(profile, fine=fine)
        long = (variance * some.radius[:, None] ** 2)[:, :, None]
        short = long * some.ratio[:, None, None] ** 2
        c, s = np.cos(some.angle)[:, None, None], np.sin(some.angle)[:, None, None]
        per_pixel = camera.grid.scale**-2
        flux = counts[chosen][:, None, None] * weight[:, None] * spread.weight
        parts.append(
            Gaussians.of(
                some.x[:, None, None],
                some.y[:, None, None],
                flux,
                (c * c * long + s * s * short + spread.variance_long) * per_pixel,
                c * s * (long - short) * per_pixel,
                (s * s * long + c * c * short + spread.variance_long) * per_pixel,
            )
        )
    return joined(parts)


def _knot_gaussians(
    galaxies: Galaxies, discs: Shapes, counts: FloatArray, camera: Camera
) -> Gaussians:
    """Turn what star formation shows in discs, along arms or here and there, into Gaussians."""
    spread = soft_spread(camera.bandpass, camera.grid.scale)
    per_pixel = camera.grid.scale**-2
    parts = []
    for i in np.flatnonzero(counts > 0.0):
        along, across, share = _draw_knots(int(galaxies.seed[i]), float(galaxies.bulge_share[i]))
        radius, c, s = discs.radius[i] / camera.grid.scale, *_direction(float(discs.angle[i]))
        across = across * discs.ratio[i]
        variance = ((_KNOT_SIZE * discs.radius[i]) ** 2 + spread.variance_long) * per_pixel
        parts.append(
            Gaussians.of(
                (discs.x[i] + radius * (c * along - s * across))[:, None],
                (discs.y[i] + radius * (s * along + c * across))[:, None],
                counts[i] * share[:, None] * spread.weight,
                variance,
                np.zeros(1),
                variance,
            )
        )
    return joined(parts)


def _direction(angle: float) -> tuple[float, float]:
    return math.cos(angle), math.sin(angle)


def _draw_knots(seed: int, bulge_share: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Draw places in the disc, in half-light radii, and shares of the knots' light."""
    draws = np.random.Generator(np.random.Philox(seed))
    u = draws.random((3, _KNOTS))
    start, tightness, hand = draws.random(3)
    low, high = _KNOT_RADII
    radius = low + (high - low) * u[0]
    if bulge_share > 0.0:
        pitch = math.radians(_PITCH_DEG[0] + (_PITCH_DEG[1] - _PITCH_DEG[0]) * tightness)
        winding = math.copysign(1.0 / math.tan(pitch), hand - 0.5)
        angle = 2.0 * math.pi * start + winding * np.log(radius)
        angle += math.pi * (u[1] < 0.5) + _STRAY_RAD * draws.standard_normal(_KNOTS)
    else:
        angle = 2.0 * math.pi * u[1]
    share = np.exp(_KNOT_FLUX_SCATTER * draws.standard_normal(_KNOTS) - 1.2 * radius)
    return radius * np.cos(angle), radius * np.sin(angle), share / share.sum()
