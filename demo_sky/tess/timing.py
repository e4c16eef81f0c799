"""
When TESS exposed: the cadences of a sector, their barycentric times and quality flags.

Start, end, number of images, gaps and flag counts come from `data/sectors.csv` (measured for
sectors 1 to 68, extrapolated by pattern to 98; the file says how). Nothing is drawn at random but
by a generator seeded with the sector's number.

Times are BTJD: barycentric Julian date in TDB minus 2457000. The barycentric correction is the
Earth's: TESS's own orbit, up to 60 Earth radii wide, would change it by 1.3 s at most.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from astropy.coordinates import get_body_barycentric
from astropy.time import Time

from demo_sky.tess.geometry import (
    FIRST_COLUMN,
    FIRST_ROW,
    LAST_COLUMN,
    LAST_ROW,
    FloatArray,
    pixel_to_sky,
)

IntArray = np.ndarray[Any, np.dtype[np.int32]]

BTJD_ZERO = 2457000
_DAY_S = 86400.0
# Speed of light in km per day.
_LIGHT_KM_PER_DAY = 299792.458 * _DAY_S

# Of each 2-s frame 1.98 s collect light, and the on-board cosmic-ray mitigation keeps 8 of 10
# frames: DEADC 0.792 and EXPOSURE 0.0165 d in the headers of real 1800-s FFIs.
LIVE_FRACTION = 0.792

# Real names hold the spacecraft's configuration number here ("0120"): there is none.
_CONFIGURATION = "0000"
_FFI_NAME_LENGTH = 38

# Sector 1's real quality flags: a momentum dump every 2.5 days at most; some touch two FFIs.
_SHORTEST_DUMP_SPACING_D = 2.5

# An orbit lasts 13.7 days; sectors 97 and 98 have four of them.
_ORBIT_D = 13.7

_DATA = Path(__file__).parent.parent / "data" / "sectors.csv"

_ATTITUDE_TWEAK, _COARSE_POINT, _EARTH_POINT = 1, 3, 4
_DUMP, _MANUAL_EXCLUDE, _STRAY_LIGHT, _BAD_CALIBRATION = 6, 8, 12, 15


@dataclass(frozen=True, slots=True)
class SectorRecord:
    """
    What the table says about one sector.

    Attributes
    ----------
    sector : int
    cadence_s : int
        Step between FFIs, seconds.
    n_ffi : int
        Number of FFIs of each CCD.
    first_start_utc, last_stop_utc : str
        As camera 1, CCD 1 has them in DATE-OBS and DATE-END: with the barycentric correction.
    largest_gap_h : float
        Longest step from one FFI to the next, hours.
    n_gaps : int
        Number of steps longer than the cadence.
    n_flagged : int
        FFIs with any quality bit.
    flag_counts : dict of int to int
        Quality bit (counted from 1) to number of FFIs that have it.
    """

    sector: int
    cadence_s: int
    n_ffi: int
    first_start_utc: str
    last_stop_utc: str
    largest_gap_h: float
    n_gaps: int
    n_flagged: int
    flag_counts: dict[int, int]


@dataclass(frozen=True, slots=True)
class Cadences:
    """
    All FFIs of one CCD in one sector. The arrays are shared between callers: read-only.

    Attributes
    ----------
    sector, camera, ccd : int
    time : ndarray of shape (n_cadences,)
        Middle of each exposure, BTJD (TDB, with barycentric correction for the CCD's centre).
    barycorr : ndarray of shape (n_cadences,)
        That correction, days: what was added to the spacecraft's time.
    spacecraft_time : ndarray of shape (n_cadences,)
        Middle of each exposure without it: the same for all cameras.
    quality : int32 ndarray of shape (n_cadences,)
        Bits as in TESS's QUALITY column (bit n, counted from 1, is worth 2**(n - 1)).
    orbit : int32 ndarray of shape (n_cadences,)
        Orbit within the sector, from 0.
    ffi_names : bytes ndarray of shape (n_cadences,), dtype S38
        FFI file names, cut to 38 characters as TESSCut cuts them.
    exposure_s : float
        Length of a cadence, seconds: light is collected (with pauses) from start to stop.
    live_s : float
        Seconds of it that count, after dead time and cosmic-ray mitigation.
    start, stop : float
        Start of the first and stop of the last exposure, BTJD with barycentric correction.
    """

    sector: int
    camera: int
    ccd: int
    time: FloatArray
    barycorr: FloatArray
    spacecraft_time: FloatArray
    quality: IntArray
    orbit: IntArray
    ffi_names: np.ndarray[Any, np.dtype[np.bytes_]]
    exposure_s: float
    live_s: float
    start: float
    stop: float


@dataclass(frozen=True, slots=True)
class _Clock:
    """What all CCDs share in a sector."""

    spacecraft_time: FloatArray
    quality: IntArray
    orbit: IntArray
    stamps: np.ndarray[Any, np.dtype[np.uint8]]  # (n_cadences, 13): YYYYDDDHHMMSS as ASCII
    step_d: float


@lru_cache(maxsize=1)
def sector_records() -> dict[int, SectorRecord]:
    """
    Read the table of sectors.

    Returns
    -------
    records : dict of int to SectorRecord
        By sector, 1 to `geometry.LAST_SECTOR`.
    """
    with _DATA.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    records = {}
    for row in rows:
        pairs = (pair.split(":") for pair in row["flags"].split())
        records[int(row["sector"])] = SectorRecord(
            sector=int(row["sector"]),
            cadence_s=int(row["cadence_s"]),
            n_ffi=int(row["n_ffi"]),
            first_start_utc=row["first_start_utc"],
            last_stop_utc=row["last_stop_utc"],
            largest_gap_h=float(row["largest_gap_h"]),
            n_gaps=int(row["n_gaps"]),
            n_flagged=int(row["n_flagged"]),
            flag_counts={int(bit): int(count) for bit, count in pairs},
        )
    return records


def utc_to_btjd(utc: str) -> float:
    """
    Convert a UTC date to TDB days since JD 2457000, without barycentric correction.

    Parameters
    ----------
    utc : str
        ISO date and time.

    Returns
    -------
    btjd : float
        Days.
    """
    tdb = Time(utc, scale="utc").tdb
    return float((tdb.jd1 - BTJD_ZERO) + tdb.jd2)


def btjd_to_utc(btjd: float) -> str:
    """
    Convert TDB days since JD 2457000 to a UTC date with milliseconds, as FITS headers have it.

    Parameters
    ----------
    btjd : float
        Days.

    Returns
    -------
    utc : str
        Such as ``2020-12-18T05:36:36.123Z``.
    """
    return f"{Time(BTJD_ZERO, btjd, format='jd', scale='tdb').utc.isot}Z"


def barycentric_correction(ra: float, dec: float, btjd: FloatArray) -> FloatArray:
    """
    Compute the light time from the Earth to the solar system's barycentre along a direction.

    Parameters
    ----------
    ra, dec : float
        Direction of the source, ICRS, degrees.
    btjd : ndarray of shape (n,)
        Times, BTJD.

    Returns
    -------
    correction : ndarray of shape (n,)
        Days to add to the time at which light arrives at the Earth (Roemer delay; the Einstein
        term is in TDB, Shapiro's is below 0.1 ms).
    """
    ra, dec = np.deg2rad(ra), np.deg2rad(dec)
    direction = np.array([np.cos(ra) * np.cos(dec), np.sin(ra) * np.cos(dec), np.sin(dec)])
    # astropy's built-in ephemeris: no download.
    earth = get_body_barycentric("earth", Time(BTJD_ZERO, btjd, format="jd", scale="tdb"))
    return np.asarray(direction @ earth.xyz.to_value("km") / _LIGHT_KM_PER_DAY)


def _ccd_centre(sector: int, camera: int, ccd: int) -> tuple[float, float]:
    column, row = (FIRST_COLUMN + LAST_COLUMN) / 2.0, (FIRST_ROW + LAST_ROW) / 2.0
    ra, dec = pixel_to_sky(sector, camera, ccd, column, row)
    return float(ra), float(dec)


def _gap_steps(record: SectorRecord, n_missing: int) -> list[int]:
    """Share the missing cadences out among the gaps, the longest first."""
    longest = round(record.largest_gap_h * 3600.0 / record.cadence_s) - 1
    n_others = record.n_gaps - 1
    if n_others == 0:
        return [n_missing]
    left = n_missing - longest
    others = []
    for n_after in range(n_others - 1, -1, -1):
        others.append(min(longest, left - n_after))
        left -= others[-1]
    # What rounding leaves over (a step or two) goes into the longest.
    return [longest + left, *others]


def _gap_fractions(n_gaps: int) -> list[float]:
    """Tell where the gaps lie, as fractions of all cadences: the longest in the middle."""
    n_right = (n_gaps - 1) // 2
    n_left = n_gaps - 1 - n_right
    left = [0.5 * (i + 1) / (n_left + 1) for i in range(n_left)]
    right = [0.5 + 0.5 * (i + 1) / (n_right + 1) for i in range(n_right)]
    return [0.5, *left, *right]


def _steps(record: SectorRecord, n_missing: int) -> FloatArray:
    """Give each cadence its number, counting those that fell into gaps."""
    lengths = np.ones(record.n_ffi)
    lengths[0] = 0
    fractions = _gap_fractions(record.n_gaps)
    for fraction, missing in zip(fractions, _gap_steps(record, n_missing), strict=True):
        lengths[round(fraction * record.n_ffi)] += missing
    return np.cumsum(lengths)


def _nearest_first(distance: FloatArray) -> np.ndarray[Any, np.dtype[np.intp]]:
    return np.argsort(distance, kind="stable")


def _flag(
    quality: IntArray, bit: int, count: int, overlap: int, order: np.ndarray[Any, Any]
) -> None:
    """Set a bit on the first `count` cadences in `order`, `overlap` of them flagged already."""
    flagged = quality[order] != 0
    chosen = np.concatenate([order[flagged][:overlap], order[~flagged][: count - overlap]])
    quality[chosen] |= 1 << (bit - 1)


def _dump_cadences(
    count: int, n_cadences: int, n_in_spacing: float
) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Spread momentum dumps evenly; flags left over go to their neighbours, later dumps first."""
    n_dumps = max(1, min(count, int(n_cadences / n_in_spacing)))
    firsts = ((np.arange(n_dumps) + 0.5) / n_dumps * n_cadences).astype(np.intp)
    lengths = count // n_dumps + (np.arange(n_dumps) >= n_dumps - count % n_dumps)
    spans = [first + np.arange(length) for first, length in zip(firsts, lengths, strict=True)]
    return np.concatenate(spans)


def _quality(record: SectorRecord, days: FloatArray, orbit: IntArray) -> IntArray:
    """
    Flag cadences so that each bit's count, and the number of flagged cadences, is the table's.

    Stray light and bad calibration gather at the ends of the orbits, where the Earth is near; the
    other flags at the beginnings of orbits; momentum dumps are spread out.
    """
    rng = np.random.default_rng(record.sector)
    quality = np.zeros(record.n_ffi, dtype=np.int32)
    counts = dict(record.flag_counts)
    first = np.array([days[orbit == i][0] for i in range(orbit[-1] + 1)])[orbit]
    last = np.array([days[orbit == i][-1] for i in range(orbit[-1] + 1)])[orbit]
    glow = rng.uniform(0.3, 1.0, size=(2, orbit[-1] + 1))
    from_ends = np.minimum((days - first) / glow[0, orbit], (last - days) / glow[1, orbit])
    orders = {
        _STRAY_LIGHT: _nearest_first(from_ends),
        _BAD_CALIBRATION: _nearest_first(from_ends),
    }
    from_start = _nearest_first(days - first)

    if _DUMP in counts:
        n_in_spacing = _SHORTEST_DUMP_SPACING_D * _DAY_S / record.cadence_s
        dumps = _dump_cadences(counts[_DUMP], record.n_ffi, n_in_spacing)
        quality[dumps] |= 1 << (_DUMP - 1)
    others = sorted((b for b in counts if b != _DUMP), key=lambda b: counts[b], reverse=True)
    overlap = sum(counts.values()) - record.n_flagged
    for i, bit in enumerate(others):
        # Later, rarer flags take as much of the overlap as they can.
        here = max(0, overlap - sum(counts[b] for b in others[i + 1 :]))
        _flag(quality, bit, counts[bit], here, orders.get(bit, from_start))
        overlap -= here
    return quality


def _stamps(start_utc_s: FloatArray) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Write UTC times (Unix seconds) as YYYYDDDHHMMSS in ASCII, shape (n, 13)."""
    moments = np.round(start_utc_s).astype("datetime64[s]")
    days = moments.astype("datetime64[D]")
    years = days.astype("datetime64[Y]")
    year = years.astype(int) + 1970
    day_of_year = (days - years.astype("datetime64[D]")).astype(int) + 1
    second = (moments - days).astype(int)
    clock = second // 3600 * 10000 + second // 60 % 60 * 100 + second % 60
    digits = [
        part // 10**power % 10
        for part, length in ((year, 4), (day_of_year, 3), (clock, 6))
        for power in range(length - 1, -1, -1)
    ]
    return (np.stack(digits, axis=-1) + ord("0")).astype(np.uint8)


@lru_cache(maxsize=16)
def _clock(sector: int) -> _Clock:
    record = sector_records()[sector]
    edges = np.array([utc_to_btjd(record.first_start_utc), utc_to_btjd(record.last_stop_utc)])
    # The table's dates carry camera 1, CCD 1's barycentric correction.
    edges = edges - barycentric_correction(*_ccd_centre(sector, 1, 1), edges)
    n_steps = round((edges[1] - edges[0]) * _DAY_S / record.cadence_s)
    step_d = (edges[1] - edges[0]) / n_steps
    start = edges[0] + step_d * _steps(record, n_steps - record.n_ffi)
    middle = start + step_d / 2.0

    n_orbits = max(2, round((edges[1] - edges[0]) / _ORBIT_D))
    splits = [round(i / n_orbits * record.n_ffi) for i in range(1, n_orbits)]
    orbit = np.zeros(record.n_ffi, dtype=np.int32)
    orbit[splits] = 1
    orbit = np.cumsum(orbit, dtype=np.int32)

    utc = Time(BTJD_ZERO, edges[0], format="jd", scale="tdb").utc
    stamps = _stamps(utc.unix + (start - edges[0]) * _DAY_S)
    quality = _quality(record, middle, orbit)
    for array in (middle, quality, orbit):
        array.flags.writeable = False
    return _Clock(middle, quality, orbit, stamps, step_d)


@lru_cache(maxsize=16)
def cadences(sector: int, camera: int, ccd: int) -> Cadences:
    """
    List the FFIs of one CCD in one sector.

    Parameters
    ----------
    sector, camera, ccd : int
        Sector 1 to `geometry.LAST_SECTOR`; camera and CCD 1 to 4.

    Returns
    -------
    cadences : Cadences
        In the order of time. The same object for the same question: its arrays are read-only.

    Raises
    ------
    KeyError
        If the sector is not in the table.
    """
    record = sector_records()[sector]
    clock = _clock(sector)
    middle = clock.spacecraft_time
    # The correction is as smooth as the Earth's orbit: a polynomial through 33 computed values is
    # true to 1e-10 d, and 50 times faster than the ephemeris for each cadence.
    nodes = np.linspace(middle[0], middle[-1], 33)
    curve = np.polynomial.Chebyshev.fit(
        nodes, barycentric_correction(*_ccd_centre(sector, camera, ccd), nodes), deg=10
    )
    barycorr = curve(middle)
    time = middle + barycorr

    names = np.empty((record.n_ffi, _FFI_NAME_LENGTH), dtype=np.uint8)
    names[:, :4] = np.frombuffer(b"tess", dtype=np.uint8)
    names[:, 4:17] = clock.stamps
    tail = f"-s{sector:04d}-{camera}-{ccd}-{_CONFIGURATION}-s_ffi"
    names[:, 17:] = np.frombuffer(tail.encode("ascii"), dtype=np.uint8)
    ffi_names = names.view(f"S{_FFI_NAME_LENGTH}")[:, 0]
    for array in (barycorr, time, ffi_names):
        array.flags.writeable = False
    return Cadences(
        sector=sector,
        camera=camera,
        ccd=ccd,
        time=time,
        barycorr=barycorr,
        spacecraft_time=middle,
        quality=clock.quality,
        orbit=clock.orbit,
        ffi_names=ffi_names,
        exposure_s=float(record.cadence_s),
        live_s=record.cadence_s * LIVE_FRACTION,
        start=float(time[0] - clock.step_d / 2.0),
        stop=float(time[-1] + clock.step_d / 2.0),
    )
