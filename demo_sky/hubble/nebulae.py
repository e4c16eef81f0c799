"""
Glowing gas: the pillars of M16, the ring of M57, the wings of NGC 6302, the Crab, 30 Doradus.

Each is a recipe that says, at places on the object's plane, how bright its emission lines are
(erg/s/cm2 per square arcsec), how much light of other kinds there is, and how much dust in front.
Brightnesses are of the order of those observed (ESO/Strasbourg catalogue of planetary nebulae,
Acker et al. 1992, for M57 and NGC 6302: H-beta 8e-11 and 3e-11 erg/s/cm2 in all).

Options: star and kelvin (V magnitude and temperature of the star in the middle).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from demo_sky.hubble.objects import DeepObject
from demo_sky.hubble.projection import Grid, Window
from demo_sky.hubble.sources import Camera
from demo_sky.hubble.spectra import LINES, extinction
from demo_sky.hubble.texture import clouds, filaments, swell

FloatArray = np.ndarray[Any, np.dtype[np.float64]]
Float32Array = np.ndarray[Any, np.dtype[np.float32]]

# Light that is not in lines is brighter towards the red as frequency^-0.5: the Crab's synchrotron
# radiation (Veron-Cetty & Woltjer 1993, A&A 270, 370); near enough for scattered starlight, too.
_CONTINUUM_SLOPE = 0.5
_V_UM = 0.55

Recipe = Callable[[DeepObject, FloatArray, FloatArray], "Glow"]


@dataclass(frozen=True, slots=True)
class Glow:
    """
    What a nebula sends from some places.

    Attributes
    ----------
    lines : dict of str to ndarray
        By name of the line (`spectra.LINES`), erg/s/cm2 per square arcsec.
    continuum : ndarray or float
        Flux per frequency at V in units of AB magnitude 0, per square arcsec.
    dust : ndarray or float
        A_V in front.
    """

    lines: Mapping[str, FloatArray | Float32Array]
    continuum: FloatArray | Float32Array | float = 0.0
    dust: FloatArray | Float32Array | float = 0.0


def draw_nebula(nebula: DeepObject, camera: Camera, window: Window) -> FloatArray:
    """
    Draw a nebula.

    Parameters
    ----------
    nebula : DeepObject
    camera : Camera
    window : Window

    Returns
    -------
    light : ndarray of shape (ny, nx)
        Image units.
    """
    glow = _glow(nebula, camera.grid, window)
    band = camera.bandpass
    slope = (band.pivot / _V_UM) ** _CONTINUUM_SLOPE
    light = np.zeros((window.ny, window.nx))
    light += glow.continuum * (slope * band.counts_per_maggy)
    counts = band.line_counts(1.0)
    for name, brightness in glow.lines.items():
        if band.holds(LINES[name]):
            light += brightness * counts
    light *= 10.0 ** (-0.4 * extinction(band) * np.asarray(glow.dust))
    return np.asarray(light * camera.grid.scale**2)


@lru_cache(maxsize=2)
def _glow(nebula: DeepObject, grid: Grid, window: Window) -> Glow:
    """Follow a recipe; the filters of a mosaic share what it gives."""
    east, north = grid.in_frame(window, nebula.frame)
    glow = RECIPES[nebula.kind](nebula, east, north)
    # At 1e-14 erg/s/cm2 single precision is far from its end.
    return Glow(
        {name: np.asarray(line, dtype=np.float32) for name, line in glow.lines.items()},
        np.asarray(glow.continuum, dtype=np.float32),
        np.asarray(glow.dust, dtype=np.float32),
    )


def _step(values: FloatArray, width: float) -> FloatArray:
    """Go from 0 to 1 where values go from negative to positive."""
    return 0.5 * (1.0 + np.tanh(values / width))


def _bump(values: FloatArray, width: float) -> FloatArray:
    return np.exp(-((values / width) ** 2))


def _oval(nebula: DeepObject, long: FloatArray, short: FloatArray) -> FloatArray:
    """Distance from the centre, 1 on the ellipse of the nebula's size."""
    return np.hypot(long, short / nebula.ratio) / nebula.size


def _ring(nebula: DeepObject, east: FloatArray, north: FloatArray) -> Glow:
    """M57: shells of ions, the lowly ionised ones outside, and a faint halo of petals."""
    long, short = nebula.along_axes(east, north)
    rough = clouds(10 * nebula.number, 70.0, long, short).astype(float)
    oval = _oval(nebula, long, short) + 0.05 * rough
    angle = np.arctan2(short, long)
    rays = clouds(10 * nebula.number + 3, 40.0, 12.0 * angle, 9.0 * oval).astype(float)
    inner, shell, rim = _bump(oval - 0.35, 0.35), _bump(oval - 0.72, 0.20), _bump(oval - 0.93, 0.09)
    rim = rim * np.exp(0.7 * rough + 0.5 * rays)
    shell = shell * np.exp(0.35 * rough + 0.25 * rays)
    halo = 0.03 * _bump(oval - 1.5, 0.4) * np.exp(0.8 * rays)
    bright = 2.2e-13
    return Glow(
        {
            "[O III] 5007": bright * (shell + 0.25 * inner + 0.3 * rim + halo),
            "H-alpha": 0.35 * bright * (0.8 * shell + rim + halo),
            "[N II] 6583": 0.6 * bright * (rim + 0.12 * shell + 1.5 * halo),
            "[S II] 6725": 0.07 * bright * rim,
            "[O I] 6300": 0.05 * bright * rim,
            "[O II] 3727": 0.5 * bright * (rim + 0.2 * shell),
            "H-beta": 0.11 * bright * (0.8 * shell + rim + halo),
            "He II 4686": 0.05 * bright * inner,
            "[S III] 9532": 0.1 * bright * shell,
            "Pa-beta": 0.02 * bright * (shell + rim),
        }
    )


def _wings(nebula: DeepObject, east: FloatArray, north: FloatArray) -> Glow:
    """NGC 6302: two lobes with bright, torn walls, and a dark waist."""
    long, short = nebula.along_axes(east, north)
    rough = clouds(10 * nebula.number, 80.0, long, short).astype(float)
    away = np.hypot(long, short) + 0.5
    angle = np.arctan2(short, np.abs(long) * np.sign(long))
    rays = clouds(10 * nebula.number + 3, 30.0, 14.0 * angle, 7.0 * np.log(away)).astype(float)
    width = (4.0 + 0.62 * np.abs(long) ** 0.93) * (1.0 + 0.16 * rough)
    edge = np.abs(short) / width
    lobe = _step(1.0 - edge + 0.1 * rays, 0.10)
    fade = np.exp(-away / (0.30 * nebula.size)) + 0.03 * _step(nebula.size - away, 8.0)
    wall = lobe * _bump(edge - 0.82, 0.22) * fade * np.exp(0.9 * rays + 0.5 * rough)
    inside = lobe * fade * np.exp(0.7 * rays)
    core = _bump(away, 6.0)
    waist = 4.5 * _bump(long + 1.5 * rough, 4.0) * _bump(short, 28.0)
    bright = 6e-13
    return Glow(
        {
            "H-alpha": bright * (0.30 * inside + 0.45 * wall + core),
            "[N II] 6583": bright * (0.15 * inside + 1.3 * wall + 0.8 * core),
            "[O III] 5007": bright * (0.55 * inside + 0.15 * wall + 1.8 * core),
            "[S II] 6725": 0.25 * bright * wall,
            "[O I] 6300": 0.1 * bright * wall,
            "[O II] 3727": bright * (0.2 * inside + 0.25 * wall),
            "He II 4686": bright * (0.10 * inside + 0.5 * core),
            "H-beta": bright * (0.10 * inside + 0.12 * wall + 0.3 * core),
            "[S III] 9532": 0.15 * bright * (inside + wall),
            "Pa-beta": 0.04 * bright * (inside + wall + 2.0 * core),
            "[Fe II] 1.644": 0.05 * bright * wall * _step(np.abs(long) - 12.0, 6.0),
        },
        dust=waist + 0.8 * np.maximum(rough, 0.0),
    )


def _remnant(nebula: DeepObject, east: FloatArray, north: FloatArray) -> Glow:
    """M1: a cage of filaments around the glow of fast electrons."""
    long, short = nebula.along_axes(east, north)
    rough = clouds(10 * nebula.number, 260.0, long, short).astype(float)
    oval = _oval(nebula, long, short)
    inside = _step(1.0 - oval + 0.14 * rough, 0.05)
    bend = 14.0 * swell(10 * nebula.number + 2, 300.0, long, short)
    threads = np.zeros_like(long)
    for step, (size, weight) in enumerate(((420.0, 1.0), (230.0, 0.8), (120.0, 0.45))):
        seed = 10 * nebula.number + 4 + step
        threads += weight * filaments(seed, size, long + bend, short - bend)
    threads = threads * inside * np.exp(0.8 * rough)
    skin = _bump(oval - 0.97 - 0.12 * rough, 0.06)
    glow = np.exp(-((oval / 0.62) ** 2)) * np.exp(0.25 * rough) * inside
    area = math.pi * 0.62**2 * nebula.size**2 * nebula.ratio
    bright = 3.5e-14
    return Glow(
        {
            "[O III] 5007": bright * (threads + 0.25 * skin),
            "H-alpha": 0.5 * bright * threads,
            "[N II] 6583": 0.8 * bright * threads,
            "[S II] 6725": 0.9 * bright * threads**1.3,
            "[O I] 6300": 0.3 * bright * threads**1.6,
            "[O II] 3727": bright * threads,
            "[S III] 9532": 0.8 * bright * threads,
            "[Fe II] 1.644": 0.3 * bright * threads**1.3,
        },
        continuum=10.0 ** (-0.4 * nebula.magnitude) / area * glow,
        # A_V = 1.6 in front of the Crab (Miller 1973, ApJ 180, L83).
        dust=1.6,
    )


# Pillars of M16: tip (east, north), foot, half widths at tip and foot, arcsec.
_PILLARS = (
    ((-2.0, 52.0), (38.0, -42.0), 6.5, 19.0),
    ((-28.0, 14.0), (6.0, -62.0), 4.5, 12.0),
    ((-46.0, -24.0), (-14.0, -86.0), 4.0, 11.0),
)
# Direction to the stars that light them, from north towards west, degrees.
_LIGHT_FROM_DEG = 35.0


def _pillars(nebula: DeepObject, east: FloatArray, north: FloatArray) -> Glow:
    """M16: columns of dust with bright rims against glowing gas."""
    rough = clouds(10 * nebula.number, 90.0, east, north).astype(float)
    fine = clouds(10 * nebula.number + 3, 24.0, east, north).astype(float)
    depth = _depth_of_pillars(east, north, rough, fine)
    within = _step(depth, 1.2)
    towards = math.radians(_LIGHT_FROM_DEG)
    upward = north * math.cos(towards) - east * math.sin(towards)
    lit = _step(upward + 45.0, 45.0)
    rim = _bump(depth + 0.6, 1.5) * np.exp(0.4 * fine) * (0.35 + 0.65 * lit)
    haze = _bump(depth + 4.0, 5.0) * _step(-depth, 2.0) * lit
    open_sky = (1.0 - 0.9 * within) * np.exp(0.3 * rough)
    bright = 4e-14
    return Glow(
        {
            "H-alpha": bright * (0.8 * open_sky + 1.6 * rim + 0.5 * haze),
            "[N II] 6583": bright * (0.2 * open_sky + 0.8 * rim),
            "[S II] 6725": bright * (0.12 * open_sky + 1.1 * rim + 0.08 * haze),
            "[O III] 5007": bright * (open_sky * (0.25 + 0.75 * lit) + 0.1 * haze),
            "[O II] 3727": 0.6 * bright * (open_sky + rim),
            "H-beta": 0.2 * bright * (open_sky + rim),
            "[S III] 9532": 0.3 * bright * (open_sky + rim),
            "Pa-beta": 0.06 * bright * (open_sky + 1.5 * rim),
            "[Fe II] 1.644": 0.03 * bright * rim,
        },
        continuum=1.5e-10 * (0.5 * open_sky + rim + haze + 0.5 * within),
        dust=2.5 + 2.0 * within + 0.5 * np.maximum(rough, 0.0),
    )


def _depth_of_pillars(
    east: FloatArray, north: FloatArray, rough: FloatArray, fine: FloatArray
) -> FloatArray:
    """Say how deep inside a column of dust a place is, arcsec; negative outside."""
    depth = np.full_like(east, -np.inf)
    for tip, foot, tip_half, foot_half in _PILLARS:
        length = math.dist(tip, foot)
        step_east, step_north = (tip[0] - foot[0]) / length, (tip[1] - foot[1]) / length
        from_east, from_north = east - foot[0], north - foot[1]
        along = from_east * step_east + from_north * step_north
        aside = np.abs(from_east * step_north - from_north * step_east + 5.0 * rough + 1.6 * fine)
        part = np.clip(along / length, 0.0, 1.0)
        half = foot_half + (tip_half - foot_half) * part + 2.5 * rough
        beyond = np.maximum(along - length + 3.0 * fine, 0.0)
        depth = np.maximum(depth, half - np.hypot(aside, beyond))
    # They stand on a bank of dust.
    bank = -70.0 - (north - 0.5 * east) + 22.0 * rough + 3.0 * fine
    return np.maximum(depth, bank * 0.6)


def _starburst(nebula: DeepObject, east: FloatArray, north: FloatArray) -> Glow:
    """30 Doradus: bubbles blown by its stars, walls of filaments, dust."""
    long, short = nebula.along_axes(east, north)
    rough = clouds(10 * nebula.number, 330.0, long, short).astype(float)
    away = np.hypot(long, short / nebula.ratio)
    bend = 20.0 * swell(10 * nebula.number + 2, 300.0, long, short)
    walls = filaments(10 * nebula.number + 4, 520.0, long + bend, short - bend).astype(float)
    walls += 0.6 * filaments(10 * nebula.number + 5, 240.0, long - bend, short + bend)
    walls = walls**1.6
    bubble = _step(away / nebula.size - 0.22 + 0.12 * rough, 0.06)
    fade = 1.0 / (1.0 + (away / (1.1 * nebula.size)) ** 2)
    diffuse = fade * np.exp(0.75 * rough) * (0.35 + 0.65 * bubble)
    wall = walls * fade * (0.25 + 0.75 * bubble) * np.exp(0.6 * rough)
    bright = 1.6e-13
    return Glow(
        {
            "H-alpha": bright * (0.5 * diffuse + wall),
            "[N II] 6583": 0.15 * bright * (0.4 * diffuse + wall),
            "[O III] 5007": bright * (0.9 * diffuse + 0.9 * wall),
            "[S II] 6725": 0.2 * bright * wall,
            "[O II] 3727": 0.5 * bright * (diffuse + wall),
            "H-beta": 0.3 * bright * (0.5 * diffuse + wall),
            "[S III] 9532": 0.3 * bright * (0.5 * diffuse + wall),
            "Pa-beta": 0.05 * bright * (0.5 * diffuse + wall),
        },
        continuum=2e-10 * diffuse,
        dust=0.8 + 1.2 * np.maximum(rough - 0.3, 0.0),
    )


RECIPES: dict[str, Recipe] = {
    "pillars": _pillars,
    "remnant": _remnant,
    "ring": _ring,
    "starburst": _starburst,
    "wings": _wings,
}
