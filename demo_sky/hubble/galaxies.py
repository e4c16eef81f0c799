"""
Large galaxies: discs with bulge, arms, bar, dust, star clusters and glowing gas.

Options of spirals: arms (how many), pitch (degrees), hand (1 or -1: which way they wind), phase
(radians: where they start), bulge (share of the light), bulge_radius (arcsec), bulge_ratio, bar
(half length, arcsec), ring (radius of a ring of dust, arcsec), dust (A_V of its lanes), clusters
and globulars (how many), young (share of the disc's light in V that is young stars').
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from demo_sky.hubble.bandpasses import Bandpass
from demo_sky.hubble.objects import DeepObject, Points, scatter
from demo_sky.hubble.painter import Gaussians
from demo_sky.hubble.profiles import Profile
from demo_sky.hubble.projection import Grid, Window
from demo_sky.hubble.sources import Camera, Shapes, point_gaussians, profile_gaussians
from demo_sky.hubble.spectra import (
    INTERMEDIATE,
    LINES,
    OLD,
    STARBURST,
    extinction,
    galaxy_colours,
)
from demo_sky.hubble.texture import clouds

FloatArray = np.ndarray[Any, np.dtype[np.float64]]
Float32Array = np.ndarray[Any, np.dtype[np.float32]]

# Shares of a disc's light in V: young stars along the arms, the rest old stars everywhere.
_YOUNG_SHARE = 0.35
# H-alpha (with [N II]) in erg/s/cm2 per unit of V-band flux of young stars: an equivalent width of
# some 100 Angstrom (3.6e-9 erg/s/cm2/Angstrom is magnitude 0 at V).
_H_ALPHA_PER_MAGGY = 100.0 * 3.6e-9
# The other lines, relative to H-alpha with [N II] (H II regions: Kewley et al. 2006, MNRAS 372,
# 961, typical).
_LINE_RATIOS = {"[O III] 5007": 0.25, "[S II] 6725": 0.2, "[O II] 3727": 0.5, "H-beta": 0.25}
_LINE_RATIOS |= {"Pa-beta": 0.05}

# Share of the stars that is behind the dust, and of the bulge on the near and the far side.
_BEHIND = 0.7
_NEAR, _FAR = 0.9, 0.15

# Half width of a ring of dust, in its radius: with its thickness, as it looks when seen edge-on.
_RING_WIDTH = 0.2

# Sersic index 2 for bulges: b = 3.67, integral over the plane 2 pi n b^-2n Gamma(2n) R_e^2 of
# exp(-b (R/R_e)^(1/2)).
_BULGE_B = 3.672
_BULGE_INTEGRAL = 2.0 * math.pi * 2.0 * _BULGE_B**-4.0 * 6.0
# Closer than this the profile is flat: pixels sample it at their centres.
_BULGE_CORE_ARCSEC = 0.05

# Star clusters: numbers fall as luminosity^-2 (Whitmore et al. 1999, AJ 118, 1551), over this range
# of V magnitudes below the galaxy's own.
_CLUSTER_RANGE = (9.5, 16.5)
_GLOBULAR_RANGE = (11.0, 15.5)
# How far from a window its clusters may be, arcsec.
_CLUSTER_MARGIN = 8.0
_CLUSTER_CELL = 8.0


@dataclass(frozen=True, slots=True)
class _Maps:
    """Brightness in V (units of magnitude 0 per square arcsec) of parts of a galaxy, and dust."""

    bulge: Float32Array
    old: Float32Array
    young: Float32Array
    gas: Float32Array
    dust: Float32Array
    bulge_behind: Float32Array


def draw_spiral(galaxy: DeepObject, camera: Camera, window: Window) -> FloatArray:
    """
    Draw the smooth light of a spiral galaxy.

    Parameters
    ----------
    galaxy : DeepObject
    camera : Camera
    window : Window

    Returns
    -------
    light : ndarray of shape (ny, nx)
        Image units.
    """
    maps = _maps(galaxy, camera.grid, window)
    band = camera.bandpass
    dimming = 10.0 ** (-0.4 * extinction(band) * maps.dust)
    through = 1.0 - _BEHIND + _BEHIND * dimming
    light = maps.bulge * (1.0 - maps.bulge_behind * (1.0 - dimming)) * _colour(band, OLD)
    light += maps.old * through * _colour(band, INTERMEDIATE)
    light += maps.young * through * _colour(band, STARBURST)
    light *= band.counts_per_maggy
    light += maps.gas * through * (_H_ALPHA_PER_MAGGY * gas_counts(band))
    return np.asarray(light * camera.grid.scale**2, dtype=float)


def gas_counts(band: Bandpass) -> float:
    """
    Say what gas with the usual ratios of lines gives in a band.

    Parameters
    ----------
    band : Bandpass

    Returns
    -------
    counts : float
        Image units per erg/s/cm2 of H-alpha with [N II].
    """
    flux = 1.0 if band.holds(LINES["H-alpha"]) or band.holds(LINES["[N II] 6583"]) else 0.0
    flux += sum(share for name, share in _LINE_RATIOS.items() if band.holds(LINES[name]))
    return band.line_counts(flux)


def _colour(band: Bandpass, kind: int) -> float:
    return float(10.0 ** (-0.4 * galaxy_colours(band, kind, 0.0)))


@lru_cache(maxsize=3)
def _maps(galaxy: DeepObject, grid: Grid, window: Window) -> _Maps:
    east, north = grid.in_frame(window, galaxy.frame)
    return _structure(galaxy, east, north)


def _structure(galaxy: DeepObject, east: FloatArray, north: FloatArray) -> _Maps:
    """Say what a galaxy has at places on its plane of the sky, arcsec."""
    long, short = galaxy.along_axes(east, north)
    across = short / galaxy.ratio
    radius = np.hypot(long, across)
    options = galaxy.options
    bulge_share, bar = options.get("bulge", 0.0), options.get("bar", 0.0)
    flux = 10.0 ** (-0.4 * galaxy.magnitude)
    disc = np.exp(-radius / galaxy.size)
    disc *= flux * (1.0 - bulge_share) / (2.0 * math.pi * galaxy.size**2 * galaxy.ratio)

    rough = clouds(10 * galaxy.number, 6.0 * galaxy.size, long, across)
    arms, lanes = _arms(galaxy, long, across, radius, rough)
    grown = arms * _ramp(radius, max(bar, 0.35 * galaxy.size))
    # Arms and lanes fill about a fifth of the disc: their mean is brought back to 1.
    patchy = np.exp(1.6 * rough)
    share = options.get("young", _YOUNG_SHARE)
    young = disc * (share * 2.6) * grown * patchy
    old = disc * (1.0 - share) * (0.85 + 0.5 * grown)
    if bar:
        old = old + _bar(galaxy, long, across, flux)
    dust = options.get("dust", 1.2) * lanes * np.exp(0.9 * rough)
    if options.get("ring"):
        width = _RING_WIDTH * options["ring"]
        dust = dust + 3.0 * np.exp(-(((radius - options["ring"]) / width) ** 2) + 0.5 * rough)
    clumps = clouds(10 * galaxy.number + 4, 0.25 * galaxy.size, long, across)
    gas = young * np.clip(np.exp(1.2 * rough + 2.4 * clumps) - 1.5, 0.0, 8.0)
    near = _NEAR * _side(short, galaxy) + _FAR * (1.0 - _side(short, galaxy))
    bulge = _bulge(galaxy, long, short, flux * bulge_share)
    return _Maps(*(np.asarray(m, dtype=np.float32) for m in (bulge, old, young, gas, dust, near)))


def _ramp(radius: FloatArray, start: float) -> FloatArray:
    return radius**2 / (radius**2 + start**2)


def _side(short: FloatArray, galaxy: DeepObject) -> FloatArray:
    """Tell the near side of an inclined disc (0 to 1): the one to the right of the long axis."""
    return 0.5 * (1.0 + np.tanh(short / (galaxy.size * galaxy.ratio * 0.3)))


def _arms(
    galaxy: DeepObject,
    long: FloatArray,
    across: FloatArray,
    radius: FloatArray,
    rough: Float32Array,
) -> tuple[FloatArray, FloatArray]:
    """Give the arms (0 to 1) and, inside of each, its lane of dust (0 to 1)."""
    options = galaxy.options
    count, hand = options["arms"], options["hand"]
    winding = hand / math.tan(math.radians(options["pitch"]))
    start = options.get("bar", 0.0) or galaxy.size
    turn = np.arctan2(across, long) - winding * np.log(np.maximum(radius, 1.0) / start)
    phase = count * (turn - options["phase"]) + 0.55 * rough
    arms = np.exp(3.0 * (np.cos(phase) - 1.0))
    lanes = np.exp(9.0 * (np.cos(phase + 0.55 * hand) - 1.0))
    # Between the arms, too, there are spurs.
    lanes += 0.25 * np.maximum(rough, 0.0)
    lanes *= _ramp(radius, 0.2 * galaxy.size) * np.exp(-radius / (3.0 * galaxy.size))
    return arms, lanes


def _bar(galaxy: DeepObject, long: FloatArray, across: FloatArray, flux: float) -> FloatArray:
    """Give the light of a bar along the long axis: a tenth of the galaxy's."""
    half = galaxy.options["bar"]
    shape = np.exp(-((np.abs(long) / half) ** 3) - (across / (0.17 * half)) ** 2)
    return shape * (0.1 * flux / (half**2 * 0.17 * math.pi * galaxy.ratio))


def _bulge(
    galaxy: DeepObject, long: FloatArray, short: FloatArray, flux: float
) -> FloatArray | float:
    if flux == 0.0:
        return np.zeros_like(long)
    ratio = galaxy.options.get("bulge_ratio", math.sqrt(galaxy.ratio))
    size = galaxy.options["bulge_radius"]
    radius = np.sqrt(long**2 + (short / ratio) ** 2 + _BULGE_CORE_ARCSEC**2)
    integral = _BULGE_INTEGRAL * size**2 * ratio
    return np.asarray(flux / integral * np.exp(-_BULGE_B * np.sqrt(radius / size)))


# --- Clusters -------------------------------------------------------------------------------------


def cluster_gaussians(galaxy: DeepObject, camera: Camera, window: Window) -> list[Gaussians]:
    """
    Give the star clusters of a spiral galaxy.

    Parameters
    ----------
    galaxy : DeepObject
    camera : Camera
    window : Window

    Returns
    -------
    gaussians : list of Gaussians
        Young ones, then globular ones.
    """
    total = 2.0 * math.pi * galaxy.size**2 * galaxy.ratio
    young, globular = galaxy.options.get("clusters", 0.0), galaxy.options.get("globulars", 0.0)
    share = galaxy.options.get("young", _YOUNG_SHARE)

    def young_density(east: FloatArray, north: FloatArray) -> FloatArray:
        maps = _structure(galaxy, east, north)
        brightest = 10.0 ** (-0.4 * galaxy.magnitude) * (1.0 - galaxy.options.get("bulge", 0.0))
        return np.asarray(maps.young * (young / brightest / share), dtype=float)

    def globular_density(east: FloatArray, north: FloatArray) -> FloatArray:
        radius = np.hypot(east, north)
        return np.asarray(globular / (total / galaxy.ratio) * np.exp(-radius / galaxy.size))

    found = []
    for key, count, density, limits, kind in (
        (1, young, young_density, _CLUSTER_RANGE, STARBURST),
        (2, globular, globular_density, _GLOBULAR_RANGE, OLD),
    ):
        if count:
            points = scatter(
                galaxy, key, camera.grid, window, _CLUSTER_MARGIN, _CLUSTER_CELL, density
            )
            found.append(_clusters(galaxy, points, camera, limits, kind))
    return found


def _clusters(
    galaxy: DeepObject, points: Points, camera: Camera, limits: tuple[float, float], kind: int
) -> Gaussians:
    """Give magnitudes of a luminosity function of slope -2 to points."""
    bright, faint = (10.0 ** (-0.4 * limit) for limit in limits)
    luminosity = 1.0 / (1.0 / bright + points.draws[0] * (1.0 / faint - 1.0 / bright))
    reddening = 0.8 * points.draws[1] ** 2 * extinction(camera.bandpass)
    magnitude = galaxy.magnitude - 2.5 * np.log10(luminosity) + reddening
    magnitude += float(galaxy_colours(camera.bandpass, kind, 0.0))
    x, y = camera.grid.pixels(galaxy.frame.vectors(points.east, points.north))
    return point_gaussians(x, y, camera.counts(magnitude), camera)


def spheroid_gaussians(galaxy: DeepObject, camera: Camera) -> Gaussians:
    """
    Give a galaxy that is but a spheroid of old stars.

    Parameters
    ----------
    galaxy : DeepObject
    camera : Camera

    Returns
    -------
    gaussians : Gaussians
    """
    centre = galaxy.frame.axes[2:]
    x, y = camera.grid.pixels(centre)
    shape = Shapes(
        x,
        y,
        camera.north(centre) + math.radians(galaxy.angle),
        np.array([galaxy.size]),
        np.array([galaxy.ratio]),
    )
    magnitude = galaxy.magnitude + galaxy_colours(camera.bandpass, OLD, np.array([galaxy.redshift]))
    return profile_gaussians(Profile.SPHEROID, shape, camera.counts(magnitude), camera)
