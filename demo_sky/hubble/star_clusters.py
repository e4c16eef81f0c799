"""
Crowds: a globular cluster, the stars of 30 Doradus, clusters of galaxies.

Options: tidal (radius, arcsec) and modulus (distance, magnitudes) of a globular cluster; clusters
(number of young stars per square arcmin near the middle); members (of a cluster of galaxies);
star and kelvin (V magnitude and temperature of a star in the middle of a nebula).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from demo_sky.hubble.bandpasses import bandpasses
from demo_sky.hubble.field import REFERENCE, PointSources
from demo_sky.hubble.objects import DeepObject, Points, scatter
from demo_sky.hubble.painter import Gaussians, joined
from demo_sky.hubble.profiles import Profile
from demo_sky.hubble.projection import Window
from demo_sky.hubble.psf import soft_spread
from demo_sky.hubble.sources import Camera, Shapes, profile_gaussians, star_gaussians
from demo_sky.hubble.spectra import OLD, YOUNG, galaxy_colours, star_colours

FloatArray = np.ndarray[Any, np.dtype[np.float64]]

# V magnitudes are taken as AB in this band.
_V = ("ACS", "WFC", "F555W")

# Stars of a globular cluster: share brighter than an absolute V magnitude, and temperature there,
# after 47 Tuc's colour-magnitude diagram (turn-off at M_V = 4.2; Sarajedini et al. 2007, AJ 133,
# 1658) and luminosity function (De Marchi & Paresce 1995, A&A 304, 202); rounded.
_GLOBULAR_V = (-1.7, -0.4, 1.0, 2.6, 3.4, 3.8, 4.3, 5.2, 6.2, 7.8, 9.8)
_GLOBULAR_SHARE = (0.0, 0.0015, 0.005, 0.012, 0.022, 0.034, 0.062, 0.14, 0.26, 0.50, 1.0)
_GLOBULAR_KELVIN = (3600, 4250, 4700, 4950, 5050, 5700, 6050, 5900, 5400, 4500, 3700)
# Red clump: share, absolute magnitude, temperature; blue stragglers: share.
_CLUMP_SHARE, _CLUMP_V, _CLUMP_KELVIN = 0.004, 0.75, 5150.0
_STRAGGLER_SHARE = 0.0008
# Stars per square arcsec in the middle, down to M_V = 9.8: of the order of 47 Tuc's.
_GLOBULAR_DENSITY = 9.0
_GLOBULAR_CELL = 5.0

# Young stars: V magnitudes and share brighter; the field of the Large Magellanic Cloud around.
_YOUNG_V = (11.5, 14.0, 16.0, 18.0, 20.0, 22.0, 24.5)
_YOUNG_SHARE = (0.0, 0.004, 0.02, 0.07, 0.20, 0.48, 1.0)
_YOUNG_CORE = 4.0
_LMC_DENSITY = 0.25
_YOUNG_CELL = 4.0

_MARGIN = 15.0

# Members of a cluster of galaxies: magnitudes below the brightest, as a Schechter function of slope
# -1 does it roughly; sizes by magnitude.
_MEMBER_RANGE = (1.6, 7.0)
_MEMBER_SIZE, _MEMBER_SLOPE = 1.3, 0.13
# Giant arcs: distance from the centre in core radii, length in degrees, magnitudes below the
# brightest galaxy, redshift of what is lensed.
_ARCS = ((1.1, 38.0, 4.6), (1.5, 24.0, 5.2), (1.9, 16.0, 5.6), (0.8, 20.0, 6.0))
_ARC_REDSHIFT = 2.0
_ARC_WIDTH_ARCSEC = 0.12
_ARC_STEP_ARCSEC = 0.35


def _stars(
    about: DeepObject, points: Points, v: FloatArray, kelvin: FloatArray, camera: Camera
) -> Gaussians:
    """Turn points with V magnitudes and temperatures into Gaussians."""
    known = bandpasses()
    reference = v - star_colours(known[_V], known[REFERENCE], kelvin)
    directions = about.frame.vectors(points.east, points.north)
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    return star_gaussians(PointSources(directions, reference, kelvin), camera)


def globular_gaussians(cluster: DeepObject, camera: Camera, window: Window) -> Gaussians:
    """
    Give the stars of a globular cluster: King's profile, an old population.

    Parameters
    ----------
    cluster : DeepObject
    camera : Camera
    window : Window

    Returns
    -------
    gaussians : Gaussians
    """
    edge = 1.0 / math.sqrt(1.0 + (cluster.options["tidal"] / cluster.size) ** 2)

    def density(east: FloatArray, north: FloatArray) -> FloatArray:
        shape = 1.0 / np.sqrt(1.0 + (east**2 + north**2) / cluster.size**2)
        return _GLOBULAR_DENSITY * np.maximum(shape - edge, 0.0) ** 2

    points = scatter(cluster, 1, camera.grid, window, _MARGIN, _GLOBULAR_CELL, density)
    u = points.draws
    absolute = np.interp(u[0], _GLOBULAR_SHARE, _GLOBULAR_V)
    kelvin = np.interp(absolute, _GLOBULAR_V, _GLOBULAR_KELVIN)
    clump = u[1] < _CLUMP_SHARE
    absolute = np.where(clump, _CLUMP_V + 0.1 * u[2], absolute)
    kelvin = np.where(clump, _CLUMP_KELVIN + 150.0 * u[3], kelvin)
    straggler = u[1] > 1.0 - _STRAGGLER_SHARE
    absolute = np.where(straggler, 1.8 + 2.0 * u[2], absolute)
    kelvin = np.where(straggler, 6600.0 + 2000.0 * u[3], kelvin)
    return _stars(cluster, points, absolute + cluster.options["modulus"], kelvin, camera)


def young_gaussians(region: DeepObject, camera: Camera, window: Window) -> list[Gaussians]:
    """
    Give the stars of a starburst: a dense young cluster, and an older field.

    Parameters
    ----------
    region : DeepObject
    camera : Camera
    window : Window

    Returns
    -------
    gaussians : list of Gaussians
    """
    central = region.options["clusters"] / 3600.0

    def young_density(east: FloatArray, north: FloatArray) -> FloatArray:
        squared = (east**2 + north**2) / _YOUNG_CORE**2
        return central * (1.0 / (1.0 + squared) + 0.03 / (1.0 + squared / 100.0))

    def old_density(east: FloatArray, north: FloatArray) -> FloatArray:
        return np.full(np.shape(east + north), _LMC_DENSITY)

    found = []
    for key, density in ((1, young_density), (2, old_density)):
        points = scatter(region, key, camera.grid, window, _MARGIN, _YOUNG_CELL, density)
        u = points.draws
        if key == 1:
            v = np.interp(u[0], _YOUNG_SHARE, _YOUNG_V)
            kelvin = np.interp(v, (11.5, 15.0, 19.0, 24.5), (38000.0, 28000.0, 11000.0, 6500.0))
        else:
            # A steep luminosity function; giants are red, the rest are near the turn-off.
            v = 25.0 + np.log10(np.maximum(u[0], 1e-7)) / 0.32
            kelvin = np.where(v < 21.0, 4300.0 + 900.0 * u[1], 5500.0 + 2500.0 * u[1])
        found.append(_stars(region, points, v + 0.9 * u[2] ** 2, kelvin, camera))
    return found


def central_star(nebula: DeepObject, camera: Camera) -> Gaussians:
    """
    Give the star in the middle of a nebula.

    Parameters
    ----------
    nebula : DeepObject
        With the options star and kelvin, or there is none.
    camera : Camera

    Returns
    -------
    gaussians : Gaussians
    """
    if "star" not in nebula.options:
        return joined([])
    here = Points(np.zeros(1), np.zeros(1), np.zeros((4, 1)))
    v, kelvin = np.array([nebula.options["star"]]), np.array([nebula.options["kelvin"]])
    return _stars(nebula, here, v, kelvin, camera)


# --- Clusters of galaxies -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Members:
    """Galaxies of a cluster: places (arcsec), V magnitudes, half-light radii, ratios, angles."""

    east: FloatArray
    north: FloatArray
    magnitude: FloatArray
    radius: FloatArray
    ratio: FloatArray
    angle: FloatArray


@lru_cache(maxsize=32)
def _members(cluster: DeepObject) -> _Members:
    """Draw members: the brightest in the middle, its size that of the cluster's core."""
    draws = cluster.generator(1)
    count = int(cluster.options["members"])
    u = draws.random((5, count))
    # Surface density 1 / (1 + (r/r_c)^2), out to where 95 % of the draws end.
    radius = cluster.size * np.sqrt(np.expm1(u[0] * math.log(1.0 + 5.0**2)))
    long, short = (
        radius * np.cos(2.0 * math.pi * u[1]),
        radius * np.sin(2.0 * math.pi * u[1]) * cluster.ratio,
    )
    east, north = cluster.from_axes(long, short)
    low, high = _MEMBER_RANGE
    below = low + (high - low) * u[2] ** 0.6
    size = _MEMBER_SIZE * 10.0 ** (-_MEMBER_SLOPE * (below - low))
    return _Members(
        np.append(0.0, east),
        np.append(0.0, north),
        cluster.magnitude + np.append(0.0, below),
        np.append(cluster.size / 3.0, size),
        np.append(cluster.ratio, 0.4 + 0.6 * u[3]),
        np.append(cluster.angle, 180.0 * u[4]),
    )


def member_gaussians(cluster: DeepObject, camera: Camera) -> list[Gaussians]:
    """
    Give the members of a cluster of galaxies, and the arcs of what is behind it.

    Parameters
    ----------
    cluster : DeepObject
    camera : Camera

    Returns
    -------
    gaussians : list of Gaussians
    """
    members = _members(cluster)
    directions = _unit(cluster.frame.vectors(members.east, members.north))
    x, y = camera.grid.pixels(directions)
    angle = camera.north(directions) + np.deg2rad(members.angle)
    colour = galaxy_colours(camera.bandpass, OLD, np.full(len(x), cluster.redshift))
    counts = camera.counts(members.magnitude + colour)
    shapes = Shapes(x, y, angle, members.radius, members.ratio)
    return [profile_gaussians(Profile.SPHEROID, shapes, counts, camera), _arcs(cluster, camera)]


def _arcs(cluster: DeepObject, camera: Camera) -> Gaussians:
    """Draw arcs as chains of Gaussians."""
    spread = soft_spread(camera.bandpass, camera.grid.scale)
    colour = float(galaxy_colours(camera.bandpass, YOUNG, _ARC_REDSHIFT))
    per_pixel = camera.grid.scale**-2
    variance = ((_ARC_WIDTH_ARCSEC**2) + spread.variance_long) * per_pixel
    start = cluster.generator(2).random(len(_ARCS)) * 2.0 * math.pi
    parts = []
    for number, (distance, length, below) in enumerate(_ARCS):
        radius = distance * cluster.size * 0.8
        half = math.radians(length) / 2.0
        n = max(3, round(2.0 * half * radius / _ARC_STEP_ARCSEC))
        along = np.linspace(-half, half, n)
        angle = start[number] + along
        lumps = np.exp(0.8 * cluster.generator(3, number).standard_normal(n))
        lumps *= np.cos(0.5 * math.pi * along / half * 0.95)
        directions = _unit(
            cluster.frame.vectors(radius * np.sin(angle), radius * np.cos(angle) * 0.93)
        )
        x, y = camera.grid.pixels(directions)
        counts = camera.counts(np.array(cluster.magnitude + below + colour))
        flux = counts * (lumps / lumps.sum())[:, None] * spread.weight
        parts.append(Gaussians.of(x[:, None], y[:, None], flux, variance, np.zeros(1), variance))
    return joined(parts)


def _unit(vectors: FloatArray) -> FloatArray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))
