"""
What is known about TESS's sectors before anything is fetched.

When each was observed, how many images it has, on which pixel of which CCD a position falls
(tess-point), and how many bytes a cutout will have.
"""

import csv
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cutout_core.errors import InvalidQueryError

_TABLE = Path(__file__).parent / "data" / "tess_sectors.csv"

# Science pixels in a full-frame image, 1-based: 44 columns of virtual pixels come before them.
# TESS Instrument Handbook, section 4.1; tess-point's limits are half a pixel further out.
_FIRST_COLUMN, _LAST_COLUMN = 45, 2092
_FIRST_ROW, _LAST_ROW = 1, 2048

#: A position within this many pixels of the edge of a CCD is near the edge: tess-point may be a
#: pixel off, and a cutout of 21 x 21 pixels loses a part.
EDGE_PX = 10

# Bytes of a target pixel file by astrocut 0.11: a row has TIME, TIMECORR, CADENCENO, QUALITY,
# two POS_CORR and a name of 38 characters, and for each pixel five numbers of 4 bytes. Headers of
# 57, 281 and 82 cards fill 2, 8 and 3 blocks.
_BLOCK = 2880
_ROW_BYTES = 8 + 4 + 4 + 4 + 4 + 4 + 38
_PIXEL_BYTES = 5 * 4
_HEADER_BYTES = (2 + 8 + 3) * _BLOCK

# Compressed over plain size of the one member of a real reply of TESSCut: 260,671 over 766,080
# (astroquery's test data). Files written with realistic noise give 0.29 to 0.35.
_DEFLATE_RATIO = 0.34


@dataclass(frozen=True, slots=True)
class SectorFacts:
    """
    One row of the table of sectors.

    Attributes
    ----------
    sector : int
    start, end : date
        UTC days of the first and the last image.
    n_images : int
        Full-frame images per CCD, good or not.
    cadence_s : int
        Time from one image to the next, in s.
    is_scheduled : bool
        Whether dates and number come from the schedule, and not from the images.
    """

    sector: int
    start: date
    end: date
    n_images: int
    cadence_s: int
    is_scheduled: bool


@dataclass(frozen=True, slots=True)
class PredictedPixel:
    """
    Where a position falls in a sector.

    Attributes
    ----------
    camera, ccd : int
    column, row : float
        In the full-frame image with its collateral pixels: (1, 1) is the centre of its first
        pixel. Good to about a pixel: velocity aberration is left out.
    edge : bool
        Whether it is within `EDGE_PX` pixels of the edge of the CCD.
    """

    camera: int
    ccd: int
    column: float
    row: float
    edge: bool


@functools.cache
def sector_table() -> Mapping[int, SectorFacts]:
    """Return the facts of every sector in the table, by its number."""
    lines = [line for line in _TABLE.read_text().splitlines() if not line.startswith("#")]
    table = {
        int(row["sector"]): SectorFacts(
            sector=int(row["sector"]),
            start=date.fromisoformat(row["start"]),
            end=date.fromisoformat(row["end"]),
            n_images=int(row["n_images"]),
            cadence_s=int(row["cadence_s"]),
            is_scheduled=row["source"] == "scheduled",
        )
        for row in csv.DictReader(lines)
    }
    return MappingProxyType(table)


def sector_dates(sector: int) -> tuple[date, date] | None:
    """
    Tell when a sector was observed.

    Parameters
    ----------
    sector : int

    Returns
    -------
    dates : (date, date) or None
        UTC days of its first and last image. `None` for a sector that is not in the table, such
        as the special pointings above 1000.
    """
    facts = sector_table().get(sector)
    return (facts.start, facts.end) if facts else None


def cadence_s(sector: int) -> int:
    """
    Give the time from one full-frame image to the next.

    Parameters
    ----------
    sector : int

    Returns
    -------
    cadence_s : int
        1800 up to sector 26, 600 up to sector 55, and 200 s since then.
    """
    return 1800 if sector <= 26 else 600 if sector <= 55 else 200


def expected_cadences(sector: int) -> int:
    """
    Give the number of cadences that a cutout of a sector will have.

    Parameters
    ----------
    sector : int

    Returns
    -------
    n_cadences : int
        Number of full-frame images. It is measured up to sector 68, and good to some per cent
        beyond; for a sector that is not in the table it is that of 26 days.
    """
    facts = sector_table().get(sector)
    return facts.n_images if facts else round(26 * 86400 / cadence_s(sector))


def predicted_bytes(ny: int, nx: int, n_cadences: int, *, compressed: bool = True) -> int:
    """
    Predict how large a target pixel file will be.

    Parameters
    ----------
    ny, nx : int
        Size of the cutout in pixels.
    n_cadences : int
    compressed : bool, optional
        In the zip archive as TESSCut sends it, or the plain file.

    Returns
    -------
    n_bytes : int
        Exact for the plain file if astrocut 0.11 writes it; good to some 15 % for the archive.
    """
    table = n_cadences * (_ROW_BYTES + _PIXEL_BYTES * ny * nx)
    image = 4 * ny * nx
    plain = _HEADER_BYTES + sum(-(-size // _BLOCK) * _BLOCK for size in (table, image))
    return round(plain * _DEFLATE_RATIO) if compressed else plain


def predict_pixels(ra: float, dec: float) -> dict[int, list[PredictedPixel]]:
    """
    Predict in which sectors TESS sees a position, and on which pixel.

    Parameters
    ----------
    ra, dec : float
        ICRS position in degrees.

    Returns
    -------
    pixels : dict
        Sector number -> list of `PredictedPixel`, ascending, for all sectors that tess-point
        knows: past ones and scheduled ones. Several of one sector where the fields of two cameras
        overlap. Empty where TESS never looks.

    Raises
    ------
    InvalidQueryError
        If the declination is not from -90 to 90, or a number is NaN.

    References
    ----------
    .. [1] Burke et al. 2020, TESS-Point, Astrophysics Source Code Library, ascl:2003.001.
    """
    if not (-90 <= dec <= 90 and abs(ra) <= 360):
        msg = f"RA {ra}, Dec {dec} is no position: RA goes from 0 to 360, Dec from -90 to 90."
        raise InvalidQueryError(msg)
    # Half a second to import: scipy's optimizers come with it.
    from tess_stars2px import tess_stars2px_function_entry

    found = tess_stars2px_function_entry(0, ra % 360, dec, scInfo=_pointings())
    sectors, cameras, ccds, columns, rows = found[3:8]
    pixels: dict[int, list[PredictedPixel]] = {}
    for sector, camera, ccd, column, row in zip(sectors, cameras, ccds, columns, rows, strict=True):
        if sector > 0:  # it answers with a sector of -1 where there is none
            pixel = _predicted(int(camera), int(ccd), float(column), float(row))
            pixels.setdefault(int(sector), []).append(pixel)
    return dict(sorted(pixels.items()))


@functools.cache
def _pointings() -> Any:
    """Give tess-point's model of all sectors; it is only read."""
    from tess_stars2px import TESS_Spacecraft_Pointing_Data

    return TESS_Spacecraft_Pointing_Data()


def _predicted(camera: int, ccd: int, column: float, row: float) -> PredictedPixel:
    distance = min(column - _FIRST_COLUMN, _LAST_COLUMN - column, row - _FIRST_ROW, _LAST_ROW - row)
    return PredictedPixel(camera, ccd, column, row, edge=distance < EDGE_PX)
