"""
Where a small body stands in TESS's sky: astrometric positions, seen from the centre of the Earth.

TESS itself is 17 to 59 Earth radii away from it. Seen from there, a body at 1 au is up to 8.6
arcmin aside, at 2 au up to 4.3, at 30 au 0.3: real cutouts follow the body along a path that is so
much different (25, 12 and 1 pixel), and leave a CCD up to that much earlier or later. Like the
stars of the simulated sky, bodies are shown without aberration.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import erfa  # type: ignore[import-untyped]
import numpy as np

from demo_sky.movers.bodies import Body
from demo_sky.movers.orbit import Orbit, orbit
from demo_sky.tess.geometry import LAST_SECTOR
from demo_sky.tess.timing import BTJD_ZERO, cadences, sector_records, utc_to_btjd

FloatArray = np.ndarray[Any, np.dtype[np.float64]]

# Light takes this long for 1 au: 149597870.7 km at 299792.458 km/s.
LIGHT_DAY_PER_AU = 149597870.7 / 299792.458 / 86400.0

_JD_ZERO = 2400000.5

# The light of a body 100 au away is half a day old.
_MARGIN_D = 2.0

# Chebyshev nodes in a sector (up to 56 days). The Earth's swing around the centre of mass with the
# Moon takes 27 days, so two points a day are far more than enough.
_NODES_PER_DAY = 2


@dataclass(frozen=True, slots=True)
class Ephemeris:
    """
    A body at n times. The arrays are shared between callers: read-only.

    Attributes
    ----------
    ra, dec : ndarray of shape (n,)
        Astrometric position (light time, no aberration), ICRS, degrees, 0 <= ra < 360.
    sun_distance, earth_distance : ndarray of shape (n,)
        au, when the light left the body.
    phase_deg : ndarray of shape (n,)
        Angle Sun - body - Earth, degrees.
    """

    ra: FloatArray
    dec: FloatArray
    sun_distance: FloatArray
    earth_distance: FloatArray
    phase_deg: FloatArray

    @property
    def light_time_d(self) -> FloatArray:
        """How old the light is, days, shape (n,)."""
        return self.earth_distance * LIGHT_DAY_PER_AU


@dataclass(frozen=True, slots=True)
class _Observer:
    """Earth and Sun at n times: positions in au and the Sun's velocity in au/day, (n, 3) each."""

    jd: FloatArray
    earth: FloatArray
    sun: FloatArray
    sun_velocity: FloatArray


def _observer(jd: FloatArray) -> _Observer:
    # ERFA's Earth is good to 11 km (SOFA's epv00).
    heliocentric, barycentric = erfa.epv00(_JD_ZERO, jd - _JD_ZERO)
    return _Observer(
        jd=jd,
        earth=barycentric["p"],
        sun=barycentric["p"] - heliocentric["p"],
        sun_velocity=barycentric["v"] - heliocentric["v"],
    )


@lru_cache(maxsize=1)
def _span() -> tuple[float, float]:
    """Give the Julian dates that all sectors lie between."""
    records = sector_records()
    first = utc_to_btjd(records[1].first_start_utc)
    last = utc_to_btjd(records[LAST_SECTOR].last_stop_utc)
    return BTJD_ZERO + first - _MARGIN_D, BTJD_ZERO + last + _MARGIN_D


def _look(way: Orbit, observer: _Observer) -> tuple[FloatArray, FloatArray]:
    """
    Look at a body from the Earth.

    Returns
    -------
    from_sun, from_earth : ndarray of shape (n, 3)
        au; the body at the moment its light left it.
    """
    light_time = np.zeros(len(observer.jd))
    # Each round gains a factor of v / c: the third is exact to a metre.
    for _ in range(3):
        from_sun = way.position(observer.jd - light_time)
        # The Sun is where it was then: 16 m/s, but the body moves with it.
        sun = observer.sun - observer.sun_velocity * light_time[:, None]
        from_earth = from_sun + sun - observer.earth
        light_time = np.linalg.norm(from_earth, axis=1) * LIGHT_DAY_PER_AU
    return from_sun, from_earth


def _ephemeris(from_sun: FloatArray, from_earth: FloatArray) -> Ephemeris:
    sun_distance = np.linalg.norm(from_sun, axis=1)
    earth_distance = np.linalg.norm(from_earth, axis=1)
    cosine = np.einsum("ij,ij->i", from_sun, from_earth) / (sun_distance * earth_distance)
    result = Ephemeris(
        ra=np.rad2deg(np.arctan2(from_earth[:, 1], from_earth[:, 0])) % 360.0,
        dec=np.rad2deg(np.arcsin(from_earth[:, 2] / earth_distance)),
        sun_distance=sun_distance,
        earth_distance=earth_distance,
        phase_deg=np.rad2deg(np.arccos(np.clip(cosine, -1.0, 1.0))),
    )
    for name in Ephemeris.__slots__:
        getattr(result, name).flags.writeable = False
    return result


def ephemeris(body: Body, time_btjd: FloatArray) -> Ephemeris:
    """
    Compute where a body appears.

    Parameters
    ----------
    body : Body
    time_btjd : ndarray of shape (n,)
        When its light arrives at the Earth: TDB days since JD 2457000, without barycentric
        correction. Within TESS's sectors 1 to `geometry.LAST_SECTOR`, or two days around them.

    Returns
    -------
    ephemeris : Ephemeris

    Raises
    ------
    ValueError
        If a time is outside the sectors.
    """
    observer = _observer(BTJD_ZERO + np.asarray(time_btjd, dtype=float))
    return _ephemeris(*_look(orbit(body, *_span()), observer))


@lru_cache(maxsize=LAST_SECTOR)
def _sector_nodes(sector: int) -> tuple[float, float, _Observer]:
    """Give a sector's first and last mid-exposure, and the Earth at Chebyshev nodes between."""
    record = sector_records()[sector]
    first, last = utc_to_btjd(record.first_start_utc), utc_to_btjd(record.last_stop_utc)
    n_nodes = int((last - first) * _NODES_PER_DAY)
    nodes = np.polynomial.chebyshev.chebpts1(n_nodes)
    # The table's dates are barycentric, up to 8.4 min from the spacecraft's.
    first, last = first - 0.01, last + 0.01
    middle, half = BTJD_ZERO + (first + last) / 2.0, (last - first) / 2.0
    return first, last, _observer(middle + half * nodes)


def sector_nodes(body: Body, sector: int) -> Ephemeris:
    """
    Compute where a body appears twice a day, roughly, through a sector.

    Parameters
    ----------
    body : Body
    sector : int

    Returns
    -------
    ephemeris : Ephemeris
        In the order of time; the first and the last are hours from the sector's ends.
    """
    _, _, observer = _sector_nodes(sector)
    return _ephemeris(*_look(orbit(body, *_span()), observer))


@lru_cache(maxsize=32)
def sector_ephemeris(body: Body, sector: int) -> Ephemeris:
    """
    Compute where a body appears in the middle of each exposure of a sector.

    The Earth's position takes 100 times longer to compute than all else, so the body's path is a
    polynomial through some fifty computed places; it is true to a thousandth of an arcsec.

    Parameters
    ----------
    body : Body
    sector : int

    Returns
    -------
    ephemeris : Ephemeris
        One entry a cadence; the same object for the same question.
    """
    first, last, observer = _sector_nodes(sector)
    from_sun, from_earth = _look(orbit(body, *_span()), observer)
    n_nodes = len(observer.jd)
    nodes = np.polynomial.chebyshev.chebpts1(n_nodes)
    # At these nodes Chebyshev polynomials are orthogonal: coefficients are plain sums.
    terms = np.polynomial.chebyshev.chebvander(nodes, n_nodes - 1)
    coefficients = 2.0 / n_nodes * terms.T @ np.hstack([from_sun, from_earth])
    coefficients[0] /= 2.0
    time = cadences(sector, 1, 1).spacecraft_time
    scaled = (2.0 * time - first - last) / (last - first)
    values = np.polynomial.chebyshev.chebval(scaled, coefficients)
    return _ephemeris(values[:3].T, values[3:].T)
