"""
The pixels of the mosaics: what is on the sky, seen through a bandpass, with the noise of its time.

A pixel has one value, whatever cutout it is in: its light follows from its place, its noise from
the mosaic's name and its number.
"""

from __future__ import annotations

import hashlib
import math
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from demo_sky.hubble import field, galaxies, star_clusters
from demo_sky.hubble.field import PointSources
from demo_sky.hubble.mosaics import Mosaic
from demo_sky.hubble.nebulae import draw_nebula
from demo_sky.hubble.objects import DeepObject, objects_near
from demo_sky.hubble.painter import Gaussians, paint
from demo_sky.hubble.projection import Grid, Window, positions, unit_vectors
from demo_sky.hubble.sources import Camera, galaxy_gaussians, star_gaussians
from demo_sky.sky.catalogue import stars_in_cone

FloatArray = np.ndarray[Any, np.dtype[np.float64]]
Float32Array = np.ndarray[Any, np.dtype[np.float32]]

# Pixels of one step of drawing, each way: what is held at a time is a few images of this size.
_STEP = 1024

# What is kept of the images made last.
_SHELF_BYTES = 128 * 2**20

# Light below this share of a pixel's noise is not drawn.
_FLOOR = 0.02

# Stars of TESS's catalogue are drawn up to so far from their centres, arcsec.
_STAR_REACH = 60.0
# In the crowd of a globular cluster: their floor over the usual one, their reach in arcsec.
_CROWD_FLOOR = 20.0
_CROWD_REACH = 4.0
# A star of unknown temperature.
_USUAL_KELVIN = 5000.0

# Noise is drawn in squares of so many pixels.
_BLOCK = 128
# Keeps their numbers positive.
_BLOCK_ZERO = 2**32
# Drizzling gives this share of a pixel's noise to each neighbour, along rows and along columns: the
# noise of large areas stays what it is, that of single pixels falls to 0.53 of it (Casertano et
# al. 2000, AJ 120, 2747, section 2.5: 0.4 to 0.7 for usual choices).
_NEIGHBOUR = 0.15


@dataclass(frozen=True, slots=True)
class Pixels:
    """
    A piece of a mosaic.

    Attributes
    ----------
    science : float32 ndarray of shape (ny, nx)
        e-/s (Hubble) or units of the zero point; 0 (deep fields) or NaN (HAP) without data.
    weight : float32 ndarray of shape (ny, nx)
        Exposure time, s; 0 without data. 1 inside an image that is not Hubble's.
    """

    science: Float32Array
    weight: Float32Array

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return self.science.nbytes + self.weight.nbytes


class _Shelf:
    """Keeps what was made last, up to a number of bytes: a class asks for the same again."""

    def __init__(self, most_bytes: int) -> None:
        self._free = most_bytes
        self._largest = most_bytes // 8
        self._kept: OrderedDict[tuple[str, Window], Pixels] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, Window]) -> Pixels | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: tuple[str, Window], pixels: Pixels) -> None:
        with self._lock:
            if key in self._kept or pixels.size > self._largest:
                return
            self._kept[key] = pixels
            self._free -= pixels.size
            while self._free < 0:
                self._free += self._kept.popitem(last=False)[1].size


_shelf = _Shelf(_SHELF_BYTES)


def read(mosaic: Mosaic, window: Window) -> Pixels:
    """
    Make a piece of a mosaic, or take it from the shelf.

    Parameters
    ----------
    mosaic : Mosaic
    window : Window
        May hang over the edge.

    Returns
    -------
    pixels : Pixels
    """
    key = (mosaic.file_name, window)
    pixels = _shelf.get(key)
    if pixels is None:
        pixels = _make(mosaic, window)
        _shelf.put(key, pixels)
    return pixels


def _make(mosaic: Mosaic, window: Window) -> Pixels:
    science = np.full((window.ny, window.nx), mosaic.blank, dtype=np.float32)
    weight = np.zeros((window.ny, window.nx), dtype=np.float32)
    for part in _parts(window):
        seconds = mosaic.footprint.seconds(mosaic.grid, part)
        if not seconds.any():
            continue
        place = (
            slice(part.y - window.y, part.y - window.y + part.ny),
            slice(part.x - window.x, part.x - window.x + part.nx),
        )
        light = draw_sky(mosaic, part)
        add_noise(mosaic, part, light, seconds)
        light[seconds == 0.0] = mosaic.blank
        science[place] = light
        weight[place] = seconds
    # They are shared between replies.
    science.flags.writeable = weight.flags.writeable = False
    return Pixels(science, weight)


def _parts(window: Window) -> Iterator[Window]:
    for y in range(0, window.ny, _STEP):
        for x in range(0, window.nx, _STEP):
            yield Window(
                window.x + x,
                window.y + y,
                min(_STEP, window.nx - x),
                min(_STEP, window.ny - y),
            )


def draw_sky(mosaic: Mosaic, window: Window) -> FloatArray:
    """
    Draw what is on the sky, without noise.

    Parameters
    ----------
    mosaic : Mosaic
    window : Window

    Returns
    -------
    light : ndarray of shape (ny, nx)
        In image units, everywhere: also where the mosaic has no data.
    """
    camera = Camera(mosaic.grid, mosaic.bandpass, mosaic.roll)
    floor = _FLOOR * mosaic.typical_noise()
    light = np.zeros((window.ny, window.nx))
    ra, dec, radius = _cone(mosaic.grid, window)
    scale = mosaic.grid.scale
    bright, faint = field.galaxies_near(ra, dec, radius)
    for population, reach in ((bright, field.BRIGHT_REACH), (faint, field.FAINT_REACH)):
        paint(light, window, galaxy_gaussians(population, camera), floor, reach / scale)
    for stars, reach in (
        (field.faint_stars_near(ra, dec, radius), field.STAR_REACH),
        (catalogue_stars(ra, dec, radius), _STAR_REACH),
    ):
        paint(light, window, star_gaussians(stars, camera), floor, reach / scale)
    for each in objects_near(unit_vectors(ra, dec), radius):
        _draw_object(light, each, camera, window, floor)
    return light


def _draw_object(
    light: FloatArray, each: DeepObject, camera: Camera, window: Window, floor: float
) -> None:
    """Add one of the known objects."""
    parts: list[Gaussians] = []
    if each.kind == "spiral":
        light += galaxies.draw_spiral(each, camera, window)
        parts = galaxies.cluster_gaussians(each, camera, window)
    elif each.kind == "spheroid":
        parts = [galaxies.spheroid_gaussians(each, camera)]
    elif each.kind == "globular":
        parts = [star_clusters.globular_gaussians(each, camera, window)]
    elif each.kind == "galaxies":
        parts = star_clusters.member_gaussians(each, camera)
    else:
        light += draw_nebula(each, camera, window)
        parts = [star_clusters.central_star(each, camera)]
    if each.kind == "starburst":
        parts += star_clusters.young_gaussians(each, camera, window)
    longest = math.inf
    if each.kind == "globular":
        # Among so many stars, less of each one's wings is seen.
        floor *= _CROWD_FLOOR
        longest = _CROWD_REACH / camera.grid.scale
    for part in parts:
        paint(light, window, part, floor, longest)


def catalogue_stars(ra: float, dec: float, radius: float) -> PointSources:
    """
    List the stars of TESS's catalogue whose light may fall into a circle.

    Parameters
    ----------
    ra, dec : float
        Centre, degrees.
    radius : float
        Degrees.

    Returns
    -------
    stars : PointSources
    """
    stars = stars_in_cone(ra, dec, radius + _STAR_REACH / 3600.0)
    return PointSources(
        unit_vectors(stars.ra, stars.dec),
        stars.tmag + field.TMAG_TO_AB,
        np.where(np.isfinite(stars.teff), stars.teff, _USUAL_KELVIN),
    )


def _cone(grid: Grid, window: Window) -> tuple[float, float, float]:
    """Give centre and radius, in degrees, of a circle around a window."""
    x, y = window.middle
    centre = grid.frame.vectors(*grid.plane(x, y))
    ra, dec = positions(centre)
    corner = grid.frame.vectors(*grid.plane(window.x - 0.5, window.y - 0.5))
    cosine = corner @ centre / np.linalg.norm(corner) / np.linalg.norm(centre)
    # Pixels far from the tangent point are a little smaller on the sky: never larger.
    diagonal = math.hypot(window.nx, window.ny) / 2.0 * grid.scale / 3600.0
    radius = max(math.degrees(math.acos(min(1.0, float(cosine)))), diagonal)
    return float(ra), float(dec), radius


# --- Noise ----------------------------------------------------------------------------------------


def add_noise(mosaic: Mosaic, window: Window, light: FloatArray, seconds: FloatArray) -> None:
    """
    Add the noise of sky, sources, dark current and reading.

    Parameters
    ----------
    mosaic : Mosaic
    window : Window
    light : ndarray of shape (ny, nx)
        Changed in place.
    seconds : ndarray of shape (ny, nx)
        Exposure time; without any, nothing is added.
    """
    if not mosaic.bandpass.is_hubble:
        light += mosaic.noise() * white_noise(mosaic.file_name, window)
        return
    variance = (np.maximum(light, 0.0) + mosaic.background()) / np.maximum(seconds, 1.0)
    noise = white_noise(mosaic.file_name, window.grown(1)).astype(float)
    noise = _NEIGHBOUR * (noise[:, :-2] + noise[:, 2:]) + (1 - 2 * _NEIGHBOUR) * noise[:, 1:-1]
    noise = _NEIGHBOUR * (noise[:-2] + noise[2:]) + (1 - 2 * _NEIGHBOUR) * noise[1:-1]
    noise *= np.sqrt(variance, out=variance)
    light += noise


def white_noise(name: str, window: Window) -> Float32Array:
    """
    Give each pixel of a mosaic its own normal deviate.

    Parameters
    ----------
    name : str
        The mosaic's.
    window : Window

    Returns
    -------
    noise : float32 ndarray of shape (ny, nx)
        Of mean 0 and standard deviation 1.
    """
    noise = np.empty((window.ny, window.nx), dtype=np.float32)
    for row in range(window.y // _BLOCK, (window.y + window.ny - 1) // _BLOCK + 1):
        for column in range(window.x // _BLOCK, (window.x + window.nx - 1) // _BLOCK + 1):
            block = _noise_block(name, row, column)
            into_y, from_y = _overlap(row, window.y, window.ny)
            into_x, from_x = _overlap(column, window.x, window.nx)
            noise[into_y, into_x] = block[from_y, from_x]
    return noise


def _overlap(number: int, start: int, length: int) -> tuple[slice, slice]:
    """Say which pixels of a window, and which of a block, are the same."""
    first = number * _BLOCK
    low, high = max(first, start), min(first + _BLOCK, start + length)
    return slice(low - start, high - start), slice(low - first, high - first)


@lru_cache(maxsize=256)
def _noise_block(name: str, row: int, column: int) -> Float32Array:
    key = np.frombuffer(hashlib.blake2b(name.encode(), digest_size=16).digest(), dtype=np.uint64)
    counter = [0, 0, row + _BLOCK_ZERO, column + _BLOCK_ZERO]
    draws = np.random.Generator(np.random.Philox(key=key, counter=counter))
    return draws.standard_normal((_BLOCK, _BLOCK), dtype=np.float32)
