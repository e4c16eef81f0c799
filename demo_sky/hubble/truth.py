"""What was planted in the simulated Hubble sky, for tests and for classes that check their work."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from demo_sky.hubble import field
from demo_sky.hubble.bandpasses import bandpasses
from demo_sky.hubble.field import Galaxies, PointSources
from demo_sky.hubble.objects import objects_near
from demo_sky.hubble.pixels import catalogue_stars
from demo_sky.hubble.projection import Frame, positions, unit_vectors
from demo_sky.hubble.sources import galaxy_fluxes, star_magnitudes


def truth(ra: float, dec: float, size_deg: float) -> list[dict[str, Any]]:
    """
    List what the field has in a square: galaxies, stars, and the names of known objects.

    Parameters
    ----------
    ra, dec : float
        Centre, degrees.
    size_deg : float
        Width and height, degrees.

    Returns
    -------
    sources : list of dict
        ``kind`` (galaxy, star or object), ``ra``, ``dec``; of galaxies and stars ``magnitudes``
        (AB, by "INSTRUMENT/DETECTOR/FILTER"); of galaxies also ``redshift``, ``bulge_share``,
        ``radius_arcsec``, ``axis_ratio`` and ``angle``; of objects ``name``. The single stars of
        known objects are not listed. Brightest first in F814W, objects before all.
    """
    radius = size_deg / math.sqrt(2.0)
    bright, faint = field.galaxies_near(ra, dec, radius)
    galaxies = field.joined_galaxies([bright, faint])
    stars = field.joined_stars(
        [catalogue_stars(ra, dec, radius), field.faint_stars_near(ra, dec, radius)]
    )
    frame = Frame(ra, dec)
    found = _galaxy_entries(galaxies.take(_within(frame, galaxies.direction, size_deg)))
    found += _star_entries(stars.take(_within(frame, stars.direction, size_deg)))
    found.sort(key=lambda each: float(each["magnitudes"]["ACS/WFC/F814W"]))
    objects = objects_near(unit_vectors(ra, dec), radius)
    return [
        {"kind": "object", "name": o.name, "ra": o.frame.ra, "dec": o.frame.dec} for o in objects
    ] + found


def _within(frame: Frame, directions: Any, size_deg: float) -> Any:
    east, north = frame.project(directions)
    half = size_deg * 3600.0 / 2.0
    return (np.abs(east) <= half) & (np.abs(north) <= half)


def _magnitudes(by_band: dict[str, Any], index: int) -> dict[str, float]:
    return {name: round(float(values[index]), 4) for name, values in by_band.items()}


def _galaxy_entries(galaxies: Galaxies) -> list[dict[str, Any]]:
    by_band = {
        "/".join(key): -2.5 * np.log10(sum(galaxy_fluxes(galaxies, band)))
        for key, band in bandpasses().items()
    }
    ra, dec = positions(galaxies.direction)
    return [
        {
            "kind": "galaxy",
            "ra": float(ra[i]),
            "dec": float(dec[i]),
            "magnitudes": _magnitudes(by_band, i),
            "redshift": float(galaxies.redshift[i]),
            "bulge_share": float(galaxies.bulge_share[i]),
            "radius_arcsec": float(galaxies.disc_radius[i]),
            "axis_ratio": float(galaxies.disc_ratio[i]),
            "angle": float(galaxies.angle[i]),
        }
        for i in range(len(galaxies))
    ]


def _star_entries(stars: PointSources) -> list[dict[str, Any]]:
    by_band = {"/".join(key): star_magnitudes(stars, band) for key, band in bandpasses().items()}
    ra, dec = positions(stars.direction)
    return [
        {
            "kind": "star",
            "ra": float(ra[i]),
            "dec": float(dec[i]),
            "magnitudes": _magnitudes(by_band, i),
        }
        for i in range(len(stars))
    ]
