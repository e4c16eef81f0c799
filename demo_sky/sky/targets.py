"""Real stars of the simulated sky: published positions, magnitudes and ephemerides."""

from __future__ import annotations

import csv
import math
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from demo_sky.sky.signals import KINDS, Signal

_TABLE = Path(__file__).parents[1] / "data" / "targets.csv"

# Numbers of the TIC end near 2e9, with 10 digits. Whatever has no such number starts here, so it
# cannot be taken for one: first listed stars whose number was not found, then the simulated field.
FIRST_OWN_NUMBER = 10**12
NUMBERS_PER_TILE = 100_000

_STAR_COLUMNS = (
    "tic",
    "ra_deg",
    "dec_deg",
    "pm_ra_mas_yr",
    "pm_dec_mas_yr",
    "tmag",
    "teff_k",
    "radius_rsun",
)


@dataclass(frozen=True, slots=True)
class Target:
    """
    A real star.

    Attributes
    ----------
    name : str
        The star's usual name.
    tic : int
        TIC number; from `FIRST_OWN_NUMBER` on if it was not found in public material.
    ra, dec : float
        ICRS, degrees; epoch J2015.5 for planet hosts, J2000 for the others.
    pm_ra, pm_dec : float
        Proper motion in mas per year, `pm_ra` times cos(dec); NaN if not known.
    tmag : float
        TESS magnitude outside eclipses, mean of a pulsation.
    teff, radius : float
        K and solar radii; NaN if not known.
    signals : tuple of Signal
        Every planet, eclipse, pulsation, rotation and flaring of the star.
    """

    name: str
    tic: int
    ra: float
    dec: float
    pm_ra: float
    pm_dec: float
    tmag: float
    teff: float
    radius: float
    signals: tuple[Signal, ...]


def _number(text: str, missing: float) -> float:
    return float(text) if text else missing


def _read_signal(row: dict[str, str], tic: int) -> Signal:
    if row["kind"] not in KINDS:
        msg = f"kind must be one of {', '.join(KINDS)}, got {row['kind']!r}"
        raise ValueError(msg)
    values = {
        name: _number(row[name], 0.0)
        for name in (
            "period_d",
            "epoch_btjd",
            "depth_ppm",
            "duration_h",
            "depth2_ppm",
            "amplitude_mag",
            "rise_fraction",
            "flares_per_d",
            "flare_peak",
        )
    }
    return Signal(kind=row["kind"], name=row["signal"], seed=tic, source=row["source"], **values)


def _read_star(rows: list[dict[str, str]]) -> Target:
    first = rows[0]
    for row in rows[1:]:
        if any(row[column] != first[column] for column in _STAR_COLUMNS):
            msg = f"rows of {first['star']} disagree about the star itself"
            raise ValueError(msg)
    # A checksum of the name: the number stays when rows are added to the table.
    own_number = FIRST_OWN_NUMBER + zlib.crc32(first["star"].encode()) % NUMBERS_PER_TILE
    tic = int(first["tic"]) if first["tic"] else own_number
    return Target(
        name=first["star"],
        tic=tic,
        ra=float(first["ra_deg"]),
        dec=float(first["dec_deg"]),
        pm_ra=_number(first["pm_ra_mas_yr"], math.nan),
        pm_dec=_number(first["pm_dec_mas_yr"], math.nan),
        tmag=float(first["tmag"]),
        teff=_number(first["teff_k"], math.nan),
        radius=_number(first["radius_rsun"], math.nan),
        signals=tuple(_read_signal(row, tic) for row in rows),
    )


def read_targets(table: Path) -> tuple[Target, ...]:
    """
    Read a table of real stars.

    Parameters
    ----------
    table : Path
        CSV with one row a signal; lines that start with # are comments. Several signals of one
        star repeat the star's columns.

    Returns
    -------
    targets : tuple of Target
        One a star, in the table's order.

    Raises
    ------
    ValueError
        If a kind is not known, or rows of one star disagree about it.
    """
    lines = [line for line in table.read_text("utf-8").splitlines() if not line.startswith("#")]
    by_star: dict[str, list[dict[str, str]]] = {}
    for row in csv.DictReader(lines):
        by_star.setdefault(row["star"], []).append(row)
    return tuple(_read_star(rows) for rows in by_star.values())


@lru_cache(maxsize=1)
def targets() -> tuple[Target, ...]:
    """Give all real stars of the simulated sky."""
    return read_targets(_TABLE)
