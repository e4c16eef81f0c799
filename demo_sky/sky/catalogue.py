"""
The stars of the simulated sky: the same for everybody, drawn tile by tile, real targets included.

The sky is cut into tiles of about a quarter of a square degree: bands of declination, each cut in
equal steps of right ascension. A tile's stars follow from its number alone, so that any cone can be
made by itself, and a star's number tells its tile and its place there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from demo_sky.sky.draws import Stream, generator
from demo_sky.sky.population import draw_kinds, draw_stars, simulated_signals
from demo_sky.sky.signals import QUIET, Signal
from demo_sky.sky.star_counts import stars_per_square_degree
from demo_sky.sky.targets import FIRST_OWN_NUMBER, NUMBERS_PER_TILE, Target, targets

FloatArray = np.ndarray[Any, np.dtype[np.float64]]
LongArray = np.ndarray[Any, np.dtype[np.int64]]
ShortArray = np.ndarray[Any, np.dtype[np.int16]]
BoolArray = np.ndarray[Any, np.dtype[np.bool_]]

# Real stars brighter than this are few and known: none is made up. Fainter than the other limit,
# light is unresolved (`star_counts.unresolved_light`): a pixel of the Milky Way holds several.
BRIGHTEST_TMAG = 6.0
FAINTEST_TMAG = 17.0

# A simulated star so near would be taken for the real one.
CLEAR_AROUND_TARGETS_ARCSEC = 30.0

_BAND_DEG = 0.5
_N_BANDS = 360


@dataclass(frozen=True, slots=True)
class Stars:
    """
    Stars, as arrays of equal length.

    Attributes
    ----------
    tic : int64 ndarray of shape (n,)
        TIC numbers of real stars; 13-digit numbers of the simulated field.
    ra, dec : ndarray of shape (n,)
        ICRS, degrees, 0 <= ra < 360. Nothing moves.
    tmag : ndarray of shape (n,)
        TESS magnitude.
    teff, radius : ndarray of shape (n,)
        K and solar radii. NaN where not known of a real star.
    code : int16 ndarray of shape (n,)
        How a simulated star varies (`signals.CODES`), 0 if it does not; for real ones -1 minus
        their index in `targets()`.
    """

    tic: LongArray
    ra: FloatArray
    dec: FloatArray
    tmag: FloatArray
    teff: FloatArray
    radius: FloatArray
    code: ShortArray

    def __len__(self) -> int:
        return len(self.tic)

    @property
    def simulated(self) -> BoolArray:
        """Which stars are drawn rather than real, shape (n,)."""
        return np.asarray(self.code >= 0)

    @property
    def varies(self) -> BoolArray:
        """Which stars have signals, shape (n,)."""
        return np.asarray(self.code != QUIET)

    def target(self, index: int) -> Target | None:
        """Give the real star at an index; None for a simulated one."""
        code = int(self.code[index])
        return targets()[-1 - code] if code < 0 else None

    def name(self, index: int) -> str:
        """Give a star's name; a simulated one says what it is."""
        target = self.target(index)
        return target.name if target else f"Simulated star {self.tic[index]}"

    def signals(self, index: int) -> tuple[Signal, ...]:
        """Give all causes of a star's variability: none for a quiet one."""
        target = self.target(index)
        if target:
            return target.signals
        radius = float(self.radius[index])
        return simulated_signals(int(self.tic[index]), int(self.code[index]), radius)

    def take(self, chosen: BoolArray | np.ndarray[Any, np.dtype[np.intp]]) -> Stars:
        """Choose stars by a mask or by indices."""
        return Stars(*(getattr(self, name)[chosen] for name in self.__slots__))


def _joined(parts: list[Stars]) -> Stars:
    return Stars(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in Stars.__slots__)
    )


def _unit_vectors(ra: FloatArray | float, dec: FloatArray | float) -> FloatArray:
    """Turn degrees into unit vectors of shape (..., 3)."""
    ra, dec = np.deg2rad(ra), np.deg2rad(dec)
    return np.stack([np.cos(ra) * np.cos(dec), np.sin(ra) * np.cos(dec), np.sin(dec)], axis=-1)


def _within(ra: FloatArray, dec: FloatArray, centre: FloatArray, radius_deg: float) -> BoolArray:
    """Tell which positions are at most a radius from a direction, true to 0.01 arcsec."""
    apart = _unit_vectors(ra, dec) - centre
    limit = (2.0 * math.sin(math.radians(radius_deg) / 2.0)) ** 2
    return np.asarray(np.einsum("ij,ij->i", apart, apart) <= limit)


@lru_cache(maxsize=1)
def real_stars() -> Stars:
    """Give all real stars of the simulated sky, in the order of `targets()`."""
    known = targets()
    return Stars(
        tic=np.array([target.tic for target in known], dtype=np.int64),
        ra=np.array([target.ra for target in known]),
        dec=np.array([target.dec for target in known]),
        tmag=np.array([target.tmag for target in known]),
        teff=np.array([target.teff for target in known]),
        radius=np.array([target.radius for target in known]),
        code=-1 - np.arange(len(known), dtype=np.int16),
    )


@lru_cache(maxsize=1)
def _tiles_before_band() -> LongArray:
    """Count the tiles south of each band, shape (bands + 1,)."""
    middle = -90.0 + _BAND_DEG * (np.arange(_N_BANDS) + 0.5)
    per_band = np.round(360.0 / _BAND_DEG * np.cos(np.deg2rad(middle))).astype(np.int64)
    return np.concatenate([[0], np.cumsum(np.maximum(per_band, 1))])


def _tile_edges(tile: int) -> tuple[float, float, float, float]:
    """Give a tile's limits: west and east in RA, south and north in Dec, degrees."""
    before = _tiles_before_band()
    band = int(np.searchsorted(before, tile, side="right")) - 1
    width = 360.0 / float(before[band + 1] - before[band])
    west = (tile - int(before[band])) * width
    south = -90.0 + _BAND_DEG * band
    return west, west + width, south, south + _BAND_DEG


def _draw_magnitudes(chance: FloatArray, tmag: FloatArray, counts: FloatArray) -> FloatArray:
    """Invert the counts; sorted, for the places are independent of them."""
    return np.sort(np.interp(counts[0] + chance * (counts[-1] - counts[0]), counts, tmag))


@lru_cache(maxsize=128)
def _tile(tile: int) -> Stars:
    """Draw the stars of a tile, brightest first. Their index is their place among those drawn."""
    west, east, south, north = _tile_edges(tile)
    low, high = math.sin(math.radians(south)), math.sin(math.radians(north))
    area = math.degrees(high - low) * (east - west)
    tmag_nodes = np.linspace(BRIGHTEST_TMAG, FAINTEST_TMAG, 45)
    middle = (west + east) / 2.0, (south + north) / 2.0
    counts = stars_per_square_degree(tmag_nodes, *middle) * area
    draws = generator(Stream.TILE, tile)
    n_stars = int(counts[-1] - counts[0] + draws.random())
    u = draws.random((7, n_stars))
    tmag = _draw_magnitudes(u[0], tmag_nodes, counts)
    teff, radius = draw_stars(u[3:6], tmag)
    stars = Stars(
        tic=FIRST_OWN_NUMBER + (tile + 1) * NUMBERS_PER_TILE + np.arange(n_stars, dtype=np.int64),
        ra=west + u[1] * (east - west),
        dec=np.rad2deg(np.arcsin(low + u[2] * (high - low))),
        tmag=tmag,
        teff=teff,
        radius=radius,
        code=draw_kinds(u[6], tmag, teff, radius),
    )
    clear = _clear_of_targets(stars, *middle)
    return stars if clear.all() else stars.take(clear)


def _clear_of_targets(stars: Stars, ra: float, dec: float) -> BoolArray:
    """Tell which stars of a tile, given by its middle, are away from all real stars."""
    real = real_stars()
    # Half a tile's diagonal is 0.36 degrees, more at the poles only, where tiles are thirds.
    near = real.take(_within(real.ra, real.dec, _unit_vectors(ra, dec), 1.0))
    clear = np.ones(len(stars), dtype=bool)
    for centre in _unit_vectors(near.ra, near.dec):
        clear &= ~_within(stars.ra, stars.dec, centre, CLEAR_AROUND_TARGETS_ARCSEC / 3600.0)
    return clear


def _tiles_in_cone(ra: float, dec: float, radius_deg: float) -> Iterator[int]:
    """Give the numbers of the tiles that a cone may touch, each once."""
    before = _tiles_before_band()
    first = max(math.floor((dec - radius_deg + 90.0) / _BAND_DEG), 0)
    last = min(math.floor((dec + radius_deg + 90.0) / _BAND_DEG), _N_BANDS - 1)
    if abs(dec) + radius_deg < 90.0:
        # The circle's widest reach in RA, where it touches a meridian.
        sine = math.sin(math.radians(radius_deg)) / math.cos(math.radians(dec))
        reach = math.degrees(math.asin(sine))
    else:
        reach = 180.0
    for band in range(first, last + 1):
        n_tiles = int(before[band + 1] - before[band])
        west = math.floor((ra - reach) / 360.0 * n_tiles)
        east = math.floor((ra + reach) / 360.0 * n_tiles)
        for step in range(min(east - west + 1, n_tiles)):
            yield int(before[band]) + (west + step) % n_tiles


def stars_in_cone(
    ra: float, dec: float, radius_deg: float, faintest_tmag: float = FAINTEST_TMAG
) -> Stars:
    """
    List the stars in a circle on the sky.

    Parameters
    ----------
    ra, dec : float
        Centre, ICRS, degrees.
    radius_deg : float
        Radius, degrees; 0 or more.
    faintest_tmag : float, optional
        Leave fainter stars out. None fainter than `FAINTEST_TMAG` is drawn.

    Returns
    -------
    stars : Stars
        Brightest first, stars of equal magnitude by number; of length 0 if there are none.

    Raises
    ------
    ValueError
        If the circle is not on the sky.
    """
    if not (math.isfinite(ra) and -90.0 <= dec <= 90.0):
        msg = f"ra and dec must be finite degrees with -90 <= dec <= 90, got {ra!r}, {dec!r}"
        raise ValueError(msg)
    if not 0.0 <= radius_deg <= 180.0:
        msg = f"radius_deg must be between 0 and 180, got {radius_deg!r}"
        raise ValueError(msg)
    centre = _unit_vectors(ra, dec)
    parts = []
    for part in [real_stars(), *(_tile(n) for n in _tiles_in_cone(ra, dec, radius_deg))]:
        bright = part.take(part.tmag <= faintest_tmag)
        parts.append(bright.take(_within(bright.ra, bright.dec, centre, radius_deg)))
    found = _joined(parts)
    return found.take(np.lexsort([found.tic, found.tmag]))


def star_by_number(tic: int) -> Stars:
    """
    Look a star up by its number.

    Parameters
    ----------
    tic : int
        TIC number of a real star, or a simulated star's number.

    Returns
    -------
    stars : Stars
        That star alone; of length 0 if there is none of that number.
    """
    number = int(tic)
    real = real_stars()
    tile, _ = divmod(number - FIRST_OWN_NUMBER, NUMBERS_PER_TILE)
    if np.any(real.tic == number) or not 0 < tile <= int(_tiles_before_band()[-1]):
        return real.take(real.tic == number)
    stars = _tile(tile - 1)
    return stars.take(stars.tic == number)
