"""Which CCDs a small body crosses, and on which pixels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np

from demo_sky.movers.bodies import Body
from demo_sky.movers.ephemeris import Ephemeris, sector_ephemeris, sector_nodes
from demo_sky.tess.geometry import LAST_SECTOR, is_on_image, sky_to_pixel
from demo_sky.tess.timing import cadences

FloatArray = np.ndarray[Any, np.dtype[np.float64]]
IndexArray = np.ndarray[Any, np.dtype[np.intp]]


@dataclass(frozen=True, slots=True)
class Passage:
    """
    A body's way over one CCD in one sector.

    Attributes
    ----------
    sector, camera, ccd : int
    cadences : ndarray of shape (n,)
        Indices of the cadences in which the body's centre is on the FFI, collateral pixels
        included, as in TESSCut's footprints. Not always without gaps: a body may turn back.
    column, row : ndarray of shape (n,)
        FFI pixel of the centre in the middle of the exposure, counted from 1.
    column_per_day, row_per_day : ndarray of shape (n,)
        Its motion, pixels.
    """

    sector: int
    camera: int
    ccd: int
    cadences: IndexArray
    column: FloatArray
    row: FloatArray
    column_per_day: FloatArray
    row_per_day: FloatArray


def _pixels(sector: int, camera: int, ccd: int, places: Ephemeris) -> tuple[FloatArray, FloatArray]:
    return sky_to_pixel(sector, camera, ccd, places.ra, places.dec)


def passages_in_sector(body: Body, sector: int) -> list[Passage]:
    """
    Follow a body through the CCDs of one sector.

    Parameters
    ----------
    body : Body
    sector : int
        1 to `geometry.LAST_SECTOR`.

    Returns
    -------
    passages : list of Passage
        By camera and CCD; empty if no FFI holds the body.
    """
    nodes = sector_nodes(body, sector)
    # The projection ends 25 degrees from a camera's axis, 8 beyond its farthest corner.
    near = [c for c in (1, 2, 3, 4) if np.isfinite(_pixels(sector, c, 1, nodes)[0]).any()]
    if not near:
        return []
    places = sector_ephemeris(body, sector)
    time = cadences(sector, 1, 1).spacecraft_time
    passages = []
    for camera, ccd in product(near, (1, 2, 3, 4)):
        column, row = _pixels(sector, camera, ccd, places)
        (inside,) = np.nonzero(is_on_image(column, row))
        if inside.size:
            # Over all cadences: the body may be on the CCD in a single one.
            speeds = np.gradient(column, time), np.gradient(row, time)
            passages.append(
                Passage(
                    sector, camera, ccd, inside, *(each[inside] for each in (column, row, *speeds))
                )
            )
    return passages


@lru_cache(maxsize=256)
def find_ccds(body: Body) -> tuple[tuple[int, int, int], ...]:
    """
    List the CCDs that a body crosses in all sectors.

    Parameters
    ----------
    body : Body

    Returns
    -------
    ccds : tuple of (sector, camera, ccd)
        Ascending.
    """
    return tuple(
        (passage.sector, passage.camera, passage.ccd)
        for sector in range(1, LAST_SECTOR + 1)
        for passage in passages_in_sector(body, sector)
    )
