"""
What fills the sky everywhere: galaxies down to magnitude 28.5 and stars fainter than TESS's.

Both are drawn tile by tile, each tile from its own numbers, as `demo_sky.sky.catalogue` draws the
brighter stars: so whoever looks at a place sees the same sky, whatever the service, filter or
pixel scale.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Any

import numpy as np

from demo_sky.hubble.bandpasses import bandpasses
from demo_sky.hubble.projection import unit_vectors
from demo_sky.hubble.spectra import (
    INTERMEDIATE,
    OLD,
    REDSHIFTS,
    STARBURST,
    YOUNG,
    galaxy_colours,
)
from demo_sky.sky.catalogue import FAINTEST_TMAG
from demo_sky.sky.draws import SKY_SEED
from demo_sky.sky.star_counts import galactic_direction, stars_per_square_degree

FloatArray = np.ndarray[Any, np.dtype[np.float64]]
IntArray = np.ndarray[Any, np.dtype[np.intp]]

# Magnitudes of galaxies and stars are AB in this band, if nothing else is said.
REFERENCE = ("ACS", "WFC", "F814W")

# Galaxies brighter than magnitude m per square degree, as a logarithm: 18 to 20 as SDSS's in i
# (Yasuda et al. 2001, AJ 122, 1104), 22.5 and 24 as VVDS's (Le Fevre et al. 2005, A&A 439, 845),
# with the slope of 0.34 per magnitude that McCracken et al. 2001 (A&A 376, 756) and Metcalfe et al.
# 2001 (MNRAS 323, 795) find between 20 and 25; at 28.5 they go on towards a little less than the
# 8042 objects to 29.0 in the Ultra Deep Field's 12 square arcmin (Coe et al. 2006, AJ 132, 926).
_COUNT_MAG = (15.0, 16.0, 18.0, 20.0, 22.5, 24.0, 25.0, 26.5, 28.5)
_COUNT_LOG = (0.55, 1.15, 2.25, 3.30, 4.18, 4.68, 5.00, 5.48, 6.05)
_BRIGHTEST, _BRIGHT_LIMIT, _FAINTEST = 15.0, 22.0, 28.5

# Types and redshifts by magnitude: Benitez 2000 (ApJ 536, 571), table 1, from the HDF-N.
# Early: fraction 0.35 exp(-0.147 (m - 20)); spiral: 0.50 exp(-0.450 (m - 20)); the rest irregular.
_EARLY, _SPIRAL, _IRREGULAR = range(3)
_FRACTIONS = ((0.35, 0.147), (0.50, 0.450))
_REDSHIFT_ALPHA = np.array([2.46, 1.81, 0.91])
_REDSHIFT_ZERO = np.array([0.431, 0.390, 0.063])
_REDSHIFT_SLOPE = np.array([0.091, 0.0636, 0.123])
# The table starts at magnitude 20; brighter galaxies are near.
_REDSHIFT_LEAST = 0.02

# Half-light radii in kpc of 5e10 solar masses, by redshift and mass: van der Wel et al. 2014
# (ApJ 788, 28): 8.9 (1+z)^-0.75 M^0.22 of late, 5.6 (1+z)^-1.48 M^0.75 of early types, with a
# scatter of 0.18 dex. Below 2e10 solar masses early types shrink no further.
_SIZES = np.array([[5.6, -1.48, 0.75], [8.9, -0.75, 0.22], [8.9, -0.75, 0.22]])
_SIZE_SCATTER_DEX = 0.18
_LEAST_EARLY_KPC = 1.0
# Solar masses per solar luminosity in V today, by population; less by 1 + z at redshift z.
_MASS_TO_LIGHT = np.array([3.0, 1.6, 0.7, 0.25])
_SUN_V_AB = 4.81
_PIVOT_MASS = 5e10

# Flat universe with H0 = 70 km/s/Mpc and 30 % matter.
_HUBBLE_MPC = 299792.458 / 70.0
_MATTER = 0.3

# Thickness of discs seen edge-on; bulges are rounder.
_DISC_THICKNESS = 0.18

# Dust of the Milky Way: A_V = 0.15 / sin|b| (de Vaucouleurs's cosecant law), at most as at b = 2.
_DUST_POLE_MAG = 0.15
_LEAST_SINE = 0.035

# Field stars between the catalogue's faintest and this; the counts are known to 24.
_FAINTEST_STAR = 26.0
_LAST_COUNT_MAG = 24.0
# A star's magnitude in F814W (AB) minus its TESS magnitude: close to AB minus Vega in I.
TMAG_TO_AB = 0.43
# Half of the faint stars are cool dwarfs, the others of disc and halo near the turn-off: assumed.
_COOL_SHARE = 0.6


class _Stream(IntEnum):
    """First key of a generator, apart from `demo_sky.sky.draws.Stream`'s."""

    BRIGHT_GALAXIES = 101
    FAINT_GALAXIES = 102
    FAINT_STARS = 103


@dataclass(frozen=True, slots=True)
class Galaxies:
    """
    Galaxies, as arrays of equal length.

    Attributes
    ----------
    direction : ndarray of shape (n, 3)
        Unit vectors.
    magnitude : ndarray of shape (n,)
        Total, AB in F814W, dimmed by the Milky Way's dust.
    redshift : ndarray of shape (n,)
    bulge_share : ndarray of shape (n,)
        Share of the light in F814W in a spheroid; the rest is in a disc.
    bulge_kind, disc_kind : int ndarray of shape (n,)
        Stellar populations (`spectra`).
    bulge_radius, disc_radius : ndarray of shape (n,)
        Half-light radii along the long axis, arcsec.
    bulge_ratio, disc_ratio : ndarray of shape (n,)
        Short over long axis.
    angle : ndarray of shape (n,)
        Of the long axis, degrees from north to east.
    arms : ndarray of shape (n,)
        Share of the disc's light that is in knots along spiral arms, 0 if it has none.
    seed : int ndarray of shape (n,)
        For what else is drawn of a galaxy.
    dust : ndarray of shape (n,)
        A_V of the Milky Way in front.
    """

    direction: FloatArray
    magnitude: FloatArray
    redshift: FloatArray
    bulge_share: FloatArray
    bulge_kind: IntArray
    disc_kind: IntArray
    bulge_radius: FloatArray
    disc_radius: FloatArray
    bulge_ratio: FloatArray
    disc_ratio: FloatArray
    angle: FloatArray
    arms: FloatArray
    seed: IntArray
    dust: FloatArray

    def __len__(self) -> int:
        return len(self.magnitude)

    def take(self, chosen: Any) -> Galaxies:
        """Choose by a mask or by indices."""
        return Galaxies(*(getattr(self, name)[chosen] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class PointSources:
    """
    Stars, as arrays of equal length.

    Attributes
    ----------
    direction : ndarray of shape (n, 3)
        Unit vectors.
    magnitude : ndarray of shape (n,)
        AB in F814W.
    kelvin : ndarray of shape (n,)
        Temperature of a black body of the star's colour.
    """

    direction: FloatArray
    magnitude: FloatArray
    kelvin: FloatArray

    def __len__(self) -> int:
        return len(self.magnitude)

    def take(self, chosen: Any) -> PointSources:
        """Choose by a mask or by indices."""
        return PointSources(*(getattr(self, name)[chosen] for name in self.__slots__))


def joined_galaxies(parts: list[Galaxies]) -> Galaxies:
    """Put galaxies in one list, in order."""
    return Galaxies(
        *(np.concatenate([getattr(p, name) for p in parts]) for name in Galaxies.__slots__)
    )


def joined_stars(parts: list[PointSources]) -> PointSources:
    """Put stars in one list, in order."""
    return PointSources(
        *(np.concatenate([getattr(p, name) for p in parts]) for name in PointSources.__slots__)
    )


# --- Tiles ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tile:
    """A piece of sky: band of declination, place in it, limits in degrees."""

    band: int
    column: int
    west: float
    east: float
    south: float
    north: float

    @property
    def area(self) -> float:
        """Square degrees."""
        low, high = math.sin(math.radians(self.south)), math.sin(math.radians(self.north))
        return math.degrees(high - low) * (self.east - self.west)

    @property
    def centre(self) -> tuple[float, float]:
        """RA and Dec."""
        return (self.west + self.east) / 2.0, (self.south + self.north) / 2.0

    def directions(self, draws: FloatArray) -> FloatArray:
        """Spread points evenly. draws: uniform, shape (2, n)."""
        low, high = math.sin(math.radians(self.south)), math.sin(math.radians(self.north))
        dec = np.rad2deg(np.arcsin(low + draws[1] * (high - low)))
        return unit_vectors(self.west + draws[0] * (self.east - self.west), dec)


def _tiles(size: float, ra: float, dec: float, radius: float) -> Iterator[Tile]:
    """Give all tiles (of about `size` degrees) that a circle may touch, in their order."""
    n_bands = round(180.0 / size)
    first = max(0, math.floor((dec - radius + 90.0) / size))
    last = min(n_bands - 1, math.floor((dec + radius + 90.0) / size))
    for band in range(first, last + 1):
        south, north = -90.0 + band * size, -90.0 + (band + 1) * size
        count = max(1, round(360.0 / size * math.cos(math.radians((south + north) / 2.0))))
        for column in _columns(count, ra, dec, radius):
            width = 360.0 / count
            yield Tile(band, column, column * width, (column + 1) * width, south, north)


def _columns(count: int, ra: float, dec: float, radius: float) -> list[int]:
    """Give the columns of a band of `count` tiles that a circle may touch."""
    # A circle reaches so far in right ascension, unless it holds a pole.
    sine = math.sin(math.radians(min(radius, 90.0))) / max(math.cos(math.radians(dec)), 1e-12)
    if abs(dec) + radius >= 90.0 or sine >= 1.0:
        return list(range(count))
    reach = math.degrees(math.asin(sine))
    first = math.floor((ra - reach) * count / 360.0)
    last = math.floor((ra + reach) * count / 360.0)
    return sorted({column % count for column in range(first, last + 1)})


def _generator(stream: _Stream, tile: Tile) -> np.random.Generator:
    seed = np.random.SeedSequence([SKY_SEED, int(stream), tile.band, tile.column])
    return np.random.Generator(np.random.Philox(seed))


def _near(directions: FloatArray, ra: float, dec: float, radius: float) -> Any:
    return directions @ unit_vectors(ra, dec) >= math.cos(math.radians(radius))


# --- Galaxies -------------------------------------------------------------------------------------

_BRIGHT_TILE, _FAINT_TILE = 0.1, 0.02
# No galaxy of the field is drawn further from its centre than this, arcsec.
BRIGHT_REACH, FAINT_REACH = 60.0, 10.0


def galaxies_near(ra: float, dec: float, radius: float) -> tuple[Galaxies, Galaxies]:
    """
    List the galaxies whose light may fall into a circle.

    Parameters
    ----------
    ra, dec : float
        Centre, degrees.
    radius : float
        Degrees.

    Returns
    -------
    bright, faint : Galaxies
        Always in the same order.
    """
    found = []
    for size, reach, draw in (
        (_BRIGHT_TILE, BRIGHT_REACH, _bright_tile),
        (_FAINT_TILE, FAINT_REACH, _faint_tile),
    ):
        limit = radius + reach / 3600.0
        parts = [draw(tile) for tile in _tiles(size, ra, dec, limit)]
        all_of_them = joined_galaxies(parts)
        found.append(all_of_them.take(_near(all_of_them.direction, ra, dec, limit)))
    return found[0], found[1]


@lru_cache(maxsize=64)
def _bright_tile(tile: Tile) -> Galaxies:
    return _draw_galaxies(_Stream.BRIGHT_GALAXIES, tile, _BRIGHTEST, _BRIGHT_LIMIT)


@lru_cache(maxsize=1024)
def _faint_tile(tile: Tile) -> Galaxies:
    return _draw_galaxies(_Stream.FAINT_GALAXIES, tile, _BRIGHT_LIMIT, _FAINTEST)


def galaxy_counts(magnitude: FloatArray | float) -> FloatArray:
    """
    Count galaxies.

    Parameters
    ----------
    magnitude : float or ndarray
        AB in F814W, 15 to 28.5.

    Returns
    -------
    density : ndarray
        Brighter ones per square degree.
    """
    return np.asarray(10.0 ** np.interp(magnitude, _COUNT_MAG, _COUNT_LOG))


def _draw_galaxies(stream: _Stream, tile: Tile, brightest: float, faintest: float) -> Galaxies:
    draws = _generator(stream, tile)
    nodes = np.linspace(brightest, faintest, 61)
    counts = galaxy_counts(nodes) * tile.area
    n = int(draws.poisson(counts[-1] - counts[0]))
    u = draws.random((9, n))
    magnitude = np.interp(counts[0] + u[0] * (counts[-1] - counts[0]), counts, nodes)
    kind = _draw_types(u[1], magnitude)
    redshift = _draw_redshifts(draws, magnitude, kind)
    dust = np.full(n, milky_way_dust(*tile.centre))
    galaxies = _shape_galaxies(u[4:], draws.standard_normal(n), magnitude, kind, redshift)
    return Galaxies(
        direction=tile.directions(u[2:4]),
        # Extinction in F814W is 0.6 of that in V.
        magnitude=magnitude + 0.6 * dust,
        redshift=redshift,
        seed=(u[8] * 2**31).astype(np.intp),
        dust=dust,
        **galaxies,
        arms=_arm_shares(magnitude, kind, galaxies),
    )


def _arm_shares(magnitude: FloatArray, kind: IntArray, shape: dict[str, Any]) -> FloatArray:
    """Say which discs show arms or clumps: bright ones that are not seen edge-on."""
    visible = (magnitude < _BRIGHT_LIMIT) & (shape["disc_radius"] > 0.25) & (kind != _EARLY)
    return np.where(visible & (shape["disc_ratio"] > 0.3), 0.3, 0.0)


def milky_way_dust(ra: float, dec: float) -> float:
    """
    Say how much the Milky Way dims galaxies.

    Parameters
    ----------
    ra, dec : float
        Degrees.

    Returns
    -------
    extinction : float
        A_V in magnitudes.
    """
    sine = abs(float(galactic_direction(ra, dec)[2]))
    return _DUST_POLE_MAG / max(sine, _LEAST_SINE)


def _draw_types(chance: FloatArray, magnitude: FloatArray) -> IntArray:
    fainter = np.maximum(magnitude - 20.0, 0.0)
    (early, early_fall), (spiral, spiral_fall) = _FRACTIONS
    early_share = early * np.exp(-early_fall * fainter)
    spiral_share = spiral * np.exp(-spiral_fall * fainter)
    return np.where(
        chance < early_share,
        _EARLY,
        np.where(chance < early_share + spiral_share, _SPIRAL, _IRREGULAR),
    )


def _draw_redshifts(
    draws: np.random.Generator, magnitude: FloatArray, kind: IntArray
) -> FloatArray:
    """Draw from p(z) ~ z^a exp(-(z/z_m)^a): (z/z_m)^a is distributed as gamma((a + 1)/a)."""
    alpha = _REDSHIFT_ALPHA[kind]
    typical = _REDSHIFT_ZERO[kind] + _REDSHIFT_SLOPE[kind] * (magnitude - 20.0)
    typical = np.maximum(typical, 0.05 + 0.02 * (magnitude - 15.0))
    redshift = typical * draws.standard_gamma((alpha + 1.0) / alpha) ** (1.0 / alpha)
    return np.asarray(np.clip(redshift, _REDSHIFT_LEAST, REDSHIFTS[-1]))


def _shape_galaxies(
    u: FloatArray,
    scatter: FloatArray,
    magnitude: FloatArray,
    kind: IntArray,
    redshift: FloatArray,
) -> dict[str, Any]:
    """Draw populations, sizes and inclinations. u: uniform, shape (4 or more, n)."""
    disc_kind = np.where(
        kind == _SPIRAL,
        np.where(u[0] < 0.5, INTERMEDIATE, YOUNG),
        np.where(u[0] < 0.5, YOUNG, STARBURST),
    )
    disc_kind = np.where(kind == _EARLY, OLD, disc_kind)
    bulge_share = np.choose(kind, [0.75 + 0.25 * u[1], 0.05 + 0.35 * u[1], 0.0 * u[1]])
    radius = _radii(magnitude, kind, disc_kind, redshift) * 10.0 ** (_SIZE_SCATTER_DEX * scatter)
    cosine = u[2]
    disc_ratio = np.sqrt(cosine**2 * (1.0 - _DISC_THICKNESS**2) + _DISC_THICKNESS**2)
    early_ratio = 0.55 + 0.45 * cosine
    return {
        "bulge_share": bulge_share,
        "bulge_kind": np.full(len(kind), OLD),
        "disc_kind": disc_kind,
        "bulge_radius": np.where(kind == _EARLY, radius, 0.3 * radius),
        "disc_radius": radius,
        "bulge_ratio": np.where(kind == _EARLY, early_ratio, np.sqrt(disc_ratio)),
        "disc_ratio": np.where(kind == _EARLY, early_ratio, disc_ratio),
        "angle": 180.0 * u[3],
    }


def _radii(
    magnitude: FloatArray, kind: IntArray, disc_kind: IntArray, redshift: FloatArray
) -> FloatArray:
    """Give half-light radii in arcsec, from mass and redshift."""
    comoving = np.interp(redshift, REDSHIFTS, _comoving_mpc())
    modulus = 5.0 * np.log10(comoving * (1.0 + redshift) * 1e5)
    colour = galaxy_colours(bandpasses()[REFERENCE], disc_kind, redshift)
    # The flux is per observed frequency: a source's own frequencies are denser by 1 + z.
    absolute_v = magnitude - modulus - colour + 2.5 * np.log10(1.0 + redshift)
    luminosity = 10.0 ** (-0.4 * (absolute_v - _SUN_V_AB))
    mass = luminosity * _MASS_TO_LIGHT[disc_kind] / (1.0 + redshift)
    size, fall, slope = _SIZES[kind].T
    kpc = size * (1.0 + redshift) ** fall * (mass / _PIVOT_MASS) ** slope
    kpc = np.where(kind == _EARLY, np.maximum(kpc, _LEAST_EARLY_KPC / (1.0 + redshift)), kpc)
    arcsec_per_kpc = (1.0 + redshift) / comoving / 1e3 / math.pi * 180.0 * 3600.0
    return np.asarray(np.clip(kpc * arcsec_per_kpc, 0.03, 8.0))


@lru_cache(maxsize=1)
def _comoving_mpc() -> FloatArray:
    """Comoving distances at `REDSHIFTS`."""
    rate = 1.0 / np.sqrt(_MATTER * (1.0 + REDSHIFTS) ** 3 + 1.0 - _MATTER)
    steps = (rate[1:] + rate[:-1]) / 2.0 * np.diff(REDSHIFTS)
    return _HUBBLE_MPC * np.concatenate([[0.0], np.cumsum(steps)])


# --- Stars ----------------------------------------------------------------------------------------

_STAR_TILE = 0.05
STAR_REACH = 15.0


def faint_stars_near(ra: float, dec: float, radius: float) -> PointSources:
    """
    List the field's stars too faint for TESS's catalogue whose light may fall into a circle.

    Parameters
    ----------
    ra, dec : float
        Centre, degrees.
    radius : float
        Degrees.

    Returns
    -------
    stars : PointSources
        Always in the same order.
    """
    limit = radius + STAR_REACH / 3600.0
    stars = joined_stars([_star_tile(tile) for tile in _tiles(_STAR_TILE, ra, dec, limit)])
    return stars.take(_near(stars.direction, ra, dec, limit))


@lru_cache(maxsize=256)
def _star_tile(tile: Tile) -> PointSources:
    draws = _generator(_Stream.FAINT_STARS, tile)
    nodes = np.linspace(FAINTEST_TMAG, _LAST_COUNT_MAG, 29)
    density = stars_per_square_degree(nodes, *tile.centre)
    # Beyond the counts the last magnitude's number goes on.
    nodes = np.append(nodes, _FAINTEST_STAR)
    slope = (density[-1] - density[-5]) / (nodes[-2] - nodes[-6])
    density = np.append(density, density[-1] + slope * (_FAINTEST_STAR - _LAST_COUNT_MAG))
    counts = density * tile.area
    n = int(draws.poisson(counts[-1] - counts[0]))
    u = draws.random((5, n))
    tmag = np.interp(counts[0] + u[0] * (counts[-1] - counts[0]), counts, nodes)
    cool = u[3] < _COOL_SHARE
    kelvin = np.where(cool, 3000.0 + 1100.0 * u[4], 4200.0 + 2100.0 * u[4])
    return PointSources(tile.directions(u[1:3]), tmag + TMAG_TO_AB, kelvin)
