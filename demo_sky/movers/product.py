"""
Target pixel files of moving targets, as TESSCut sends them, but labelled as simulated.

TESSCut merges them from fixed cutouts with astrocut's `center_on_path`: 54 / 150 / 97 cards, four
more columns, no position in the header, no WCS of the columns, and an APERTURE as large as the FFI.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from demo_sky.movers.bodies import Body
from demo_sky.movers.ffi_wcs import (
    LINEAR_AND_UP,
    REFERENCE_COLUMN,
    REFERENCE_ROW,
    SIP_ORDER,
    SQUARE_AND_UP,
    ffi_wcs,
)
from demo_sky.movers.passages import Passage
from demo_sky.movers.pixels import MovingExposure, Track, follow
from demo_sky.tess.geometry import FFI_COLUMNS, FFI_ROWS, Window
from demo_sky.tess.product import (
    Cards,
    Cutout,
    bytes_of,
    exposure_cards,
    hdu_header,
    ones_sum,
    padding,
    rows_in_block,
    shared_cards,
)
from demo_sky.tess.timing import Cadences, btjd_to_utc, cadences
from demo_sky.zipstream import Packer, ZipStream

# MJD of BTJD 0.
_MJD_OF_BTJD = 56999.5
_SECONDS_PER_DAY = 86400.0

# What differs from one fixed cutout to the next is lost when astrocut merges them; FFI_TYPE came
# into TESSCut's files later than the brief's 54 cards.
_NOT_IN_MERGED = ("RA_OBJ", "DEC_OBJ", "FFI_TYPE")

# Name, format (of n pixels), unit, display format of the columns.
_COLUMNS: tuple[tuple[str, str, str | None, str | None], ...] = (
    ("TIME", "D", "BJD - 2457000, days", "D14.7"),
    ("TIMECORR", "E", "d", "E14.7"),
    ("CADENCENO", "J", None, "I10"),
    ("RAW_CNTS", "{n}J", "count", "I8"),
    ("FLUX", "{n}E", "e-/s", "E14.7"),
    ("FLUX_ERR", "{n}E", "e-/s", "E14.7"),
    ("FLUX_BKG", "{n}E", "e-/s", "E14.7"),
    ("FLUX_BKG_ERR", "{n}E", "e-/s", "E14.7"),
    ("QUALITY", "J", None, "B16.16"),
    ("POS_CORR1", "E", "pixel", "E14.7"),
    ("POS_CORR2", "E", "pixel", "E14.7"),
    ("FFI_FILE", "38A", "pixel", None),
    ("TGT_X", "D", None, None),
    ("TGT_Y", "D", None, None),
    ("TGT_RA", "D", None, None),
    ("TGT_DEC", "D", None, None),
)

_ELEMENT = "Coordinate transformation matrix element"


@dataclass(frozen=True, slots=True)
class MovingCutout:
    """
    One file to make.

    Attributes
    ----------
    body : Body
    passage : Passage
        The CCD it crosses.
    nx, ny : int
        Columns and rows of the window.
    asked_for : str
        The name in the request: OBJECT, and the beginning of the file's name.
    """

    body: Body
    passage: Passage
    nx: int
    ny: int
    asked_for: str

    @property
    def file_name(self) -> str:
        """Name of the member in the zip: astrocut's; what MAST makes of it is not known."""
        passage = self.passage
        time = cadences(passage.sector, passage.camera, passage.ccd).time
        span = f"{time[passage.cadences[0]]}-{time[passage.cadences[-1]]}"
        target = re.sub(r"[^A-Za-z0-9().'-]", "_", self.asked_for.replace("/", "-"))
        return f"{target}_{span}_{self.nx}-x-{self.ny}_astrocut.fits"


def stream_archive(cutouts: Iterable[MovingCutout]) -> Generator[bytes, None, None]:
    """
    Make target pixel files and send them as one zip archive.

    Parameters
    ----------
    cutouts : iterable of MovingCutout
        One member each, in this order.

    Yields
    ------
    chunk : bytes
        Often empty: a file leaves only when it is complete, but whoever sends can stop in between.
    """
    archive = ZipStream()
    for cutout in cutouts:
        with Packer(cutout.file_name) as packer:
            for _ in write_tpf(packer, cutout):
                yield b""
            yield from archive.add(packer)
    yield from archive.close()


def write_tpf(packer: Packer, cutout: MovingCutout) -> Iterator[None]:
    """
    Write one target pixel file.

    Parameters
    ----------
    packer : Packer
        Takes the file; finished when the iterator ends.
    cutout : MovingCutout
        What to write.

    Yields
    ------
    None
        After each block of rows, so that the caller can stop.
    """
    passage = cutout.passage
    exposures = cadences(passage.sector, passage.camera, passage.ccd)
    track = follow(cutout.body, passage, cutout.nx, cutout.ny)
    pixels = MovingExposure(cutout.body, passage, track)
    n_rows = len(passage.cadences)
    n_in_block = rows_in_block(cutout.nx * cutout.ny, n_rows)
    table = _empty_table(n_in_block, cutout.nx * cutout.ny)
    data_sum = 0
    for first in range(0, n_rows, n_in_block):
        last = min(first + n_in_block, n_rows)
        rows = table[: last - first]
        _fill_rows(rows, exposures, passage, track, first, last, pixels)
        data = rows.view(np.uint8)
        packer.write(data.data)
        data_sum = ones_sum(data, data_sum)
        yield None
    packer.write(padding(n_rows * table.dtype.itemsize))

    shared = [card for card in _cards_of_ccd(passage, exposures) if card[0] not in _NOT_IN_MERGED]
    mask = _crossed_pixels(passage, cutout.nx, cutout.ny)
    packer.write(hdu_header(_aperture_cards(passage, exposures), int(mask.sum())))
    for rows_of_mask in np.array_split(mask, 16):
        packer.write(bytes_of(rows_of_mask.astype(">i4")).data)
    packer.write(padding(4 * mask.size))
    pixels_cards = _pixels_cards(cutout, n_rows, table.dtype.itemsize, exposures, shared)
    packer.finish(
        hdu_header(_primary_cards(cutout, exposures, shared), 0)
        + hdu_header(pixels_cards, data_sum)
    )


def _empty_table(n_rows: int, n_pixels: int) -> np.ndarray[Any, Any]:
    """Give rows as they are in the file, with the columns filled in that never change."""
    types = {"D": ">f8", "E": ">f4", "J": ">i4"}
    fields: list[Any] = []
    for name, form, _, _ in _COLUMNS:
        if form == "38A":
            fields.append((name, "S38"))
        elif form.startswith("{n}"):
            fields.append((name, types[form[-1]], (n_pixels,)))
        else:
            fields.append((name, types[form]))
    table = np.zeros(n_rows, dtype=fields)
    # TESSCut gives no raw counts: -1 is the column's null value.
    table["RAW_CNTS"] = -1
    return table


def _fill_rows(
    rows: np.ndarray[Any, Any],
    exposures: Cadences,
    passage: Passage,
    track: Track,
    first: int,
    last: int,
    pixels: MovingExposure,
) -> None:
    flux, flux_err = pixels.read(first, last)
    chosen = passage.cadences[first:last]
    rows["TIME"] = exposures.time[chosen]
    rows["TIMECORR"] = exposures.barycorr[chosen]
    rows["FLUX"] = flux.reshape(last - first, -1)
    rows["FLUX_ERR"] = flux_err.reshape(last - first, -1)
    rows["QUALITY"] = exposures.quality[chosen]
    rows["FFI_FILE"] = exposures.ffi_names[chosen]
    rows["TGT_X"] = track.target_x[first:last]
    rows["TGT_Y"] = track.target_y[first:last]
    rows["TGT_RA"] = track.target_ra[first:last]
    rows["TGT_DEC"] = track.target_dec[first:last]


def _crossed_pixels(passage: Passage, nx: int, ny: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """
    Mark the windows on the FFI as astrocut does: transposed, columns counted along the rows.

    Returns
    -------
    mask : bool ndarray of shape (FFI_ROWS, FFI_COLUMNS)
        Entry [c, r] is True if column c and row r, counted from 0, were in a window; columns beyond
        `FFI_ROWS` are lost.
    """
    mask = np.zeros((FFI_ROWS, FFI_COLUMNS), dtype=bool)
    x, y = passage.column - 1.0, passage.row - 1.0
    limits = np.stack([x - nx / 2.0, x + nx / 2.0, y - ny / 2.0, y + ny / 2.0], axis=-1)
    for left, right, bottom, top in np.unique(np.clip(limits, 0.0, None).astype(np.intp), axis=0):
        mask[left:right, bottom:top] = True
    return mask


def _cards_of_ccd(passage: Passage, exposures: Cadences) -> Cards:
    """Give the cards that a fixed cutout of the CCD has in all its HDUs."""
    anywhere = Window(passage.sector, passage.camera, passage.ccd, 1, 1, 1, 1)
    return shared_cards(Cutout(anywhere, 0.0, 0.0), exposures)


def _with(cards: Cards, **changes: object) -> Cards:
    """Change values of cards, keeping order and comments."""
    return [(key, changes.get(key, value), comment) for key, value, comment in cards]


def _primary_cards(cutout: MovingCutout, exposures: Cadences, shared: Cards) -> Cards:
    time = exposures.time[cutout.passage.cadences]
    moving = _with(shared, TSTART=float(time[0]), TSTOP=float(time[-1]), OBJECT=cutout.asked_for)
    return [
        ("SIMPLE", True, "conforms to FITS standards"),
        ("BITPIX", 8, "array data type"),
        ("NAXIS", 0, "number of array dimensions"),
        ("EXTEND", True, "file contains extensions"),
        ("SIMDATA", True, "file is based on simulated data"),
        ("NEXTEND", 2, "number of standard extensions"),
        ("EXTNAME", "PRIMARY", "name of extension"),
        ("EXTVER", 1, "extension version number (not format version)"),
        *[
            (key, value, "Moving target object name/identifier" if key == "OBJECT" else comment)
            for key, value, comment in moving
        ],
    ]


def _pixels_cards(
    cutout: MovingCutout, n_rows: int, row_bytes: int, exposures: Cadences, shared: Cards
) -> Cards:
    cards: Cards = [
        ("XTENSION", "BINTABLE", "binary table extension"),
        ("BITPIX", 8, "array data type"),
        ("NAXIS", 2, "number of array dimensions"),
        ("NAXIS1", row_bytes, "length of dimension 1"),
        ("NAXIS2", n_rows, "length of dimension 2"),
        ("PCOUNT", 0, "number of group parameters"),
        ("GCOUNT", 1, "number of groups"),
        ("TFIELDS", len(_COLUMNS), "number of table fields"),
    ]
    for number, (name, form, _, _) in enumerate(_COLUMNS, start=1):
        cards.append((f"TTYPE{number}", name, "column name"))
        cards.append((f"TFORM{number}", form.format(n=cutout.nx * cutout.ny), "column format"))
        if form.startswith("{n}"):
            shape = f"({cutout.nx},{cutout.ny})"
            cards.append((f"TDIM{number}", shape, "multi-dimensional array spec"))
    for number, (_, _, unit, display) in enumerate(_COLUMNS, start=1):
        if display is not None:
            cards.append((f"TDISP{number}", display, "display format"))
        if unit is not None:
            cards.append((f"TUNIT{number}", unit, "unit"))
    return [
        *cards,
        ("TNULL4", -1, "null value"),
        ("EXTNAME", "PIXELS", "name of extension"),
        ("INHERIT", True, "inherit the primary header"),
        # Lost with the WCS of the columns, for its name.
        *[card for card in exposure_cards(exposures) if card[0] != "WCS_FFI"],
        ("SIMDATA", True, "file is based on simulated data"),
        ("EXTVER", 1, "extension version number (not format version)"),
        *shared,
    ]


def _aperture_cards(passage: Passage, exposures: Cadences) -> Cards:
    """Give the WCS of the whole FFI with the times of the one in the middle, as in SPOC's FFIs."""
    wcs = ffi_wcs(passage.sector, passage.camera, passage.ccd)
    written = btjd_to_utc(exposures.stop)[:19]
    cards: Cards = [
        ("XTENSION", "IMAGE", "Image extension"),
        ("BITPIX", 32, "array data type"),
        ("NAXIS", 2, "number of array dimensions"),
        ("NAXIS1", FFI_COLUMNS, ""),
        ("NAXIS2", FFI_ROWS, ""),
        ("PCOUNT", 0, "number of parameters"),
        ("GCOUNT", 1, "number of groups"),
        ("EXTNAME", "APERTURE", ""),
        ("WCSAXES", 2, "Number of coordinate axes"),
        ("CRPIX1", REFERENCE_COLUMN, "Pixel coordinate of reference point"),
        ("CRPIX2", REFERENCE_ROW, "Pixel coordinate of reference point"),
        ("PC1_1", float(wcs.matrix[0, 0]), _ELEMENT),
        ("PC1_2", float(wcs.matrix[0, 1]), _ELEMENT),
        ("PC2_1", float(wcs.matrix[1, 0]), _ELEMENT),
        ("PC2_2", float(wcs.matrix[1, 1]), _ELEMENT),
        ("CDELT1", 1.0, "[deg] Coordinate increment at reference point"),
        ("CDELT2", 1.0, "[deg] Coordinate increment at reference point"),
        ("CUNIT1", "deg", "Units of coordinate increment and value"),
        ("CUNIT2", "deg", "Units of coordinate increment and value"),
        ("CTYPE1", "RA---TAN-SIP", "TAN (gnomonic) projection + SIP distortions"),
        ("CTYPE2", "DEC--TAN-SIP", "TAN (gnomonic) projection + SIP distortions"),
        ("CRVAL1", wcs.ra, "[deg] Coordinate value at reference point"),
        ("CRVAL2", wcs.dec, "[deg] Coordinate value at reference point"),
        ("LONPOLE", 180.0, "[deg] Native longitude of celestial pole"),
        ("LATPOLE", wcs.dec, "[deg] Native latitude of celestial pole"),
        *_time_cards(exposures),
        ("RADESYS", "ICRS", "Equatorial coordinate system"),
    ]
    for names, coefficients, powers, way in (
        (("A", "B"), wcs.forward, SQUARE_AND_UP, "detector to sky"),
        (("AP", "BP"), wcs.backward, LINEAR_AND_UP, "sky to detector"),
    ):
        for axis, (name, row) in enumerate(zip(names, coefficients, strict=True)):
            comment = f"SIP polynomial order, axis {axis}, {way}"
            cards.append((f"{name}_ORDER", SIP_ORDER, comment))
            for (p, q), value in zip(powers, row, strict=True):
                cards.append((f"{name}_{p}_{q}", float(value), "SIP distortion coefficient"))
    return [
        *cards,
        ("INHERIT", True, ""),
        ("CHECKSUM", "0" * 16, f"HDU checksum updated {written}"),
        ("DATASUM", "0", f"data unit checksum updated {written}"),
    ]


def _time_cards(exposures: Cadences) -> Cards:
    """Give the times of the reference FFI."""
    middle = len(exposures.time) // 2
    step_d = exposures.exposure_s / _SECONDS_PER_DAY
    start = float(exposures.time[middle]) - step_d / 2.0
    stop = start + step_d
    return [
        ("TIMESYS", "TDB", "Time scale"),
        ("TIMEUNIT", "d", "Time units"),
        ("MJDREF", 0.0, "[d] MJD of fiducial time"),
        ("DATE-OBS", btjd_to_utc(start), "ISO-8601 time of observation"),
        ("MJD-OBS", start + _MJD_OF_BTJD, "[d] MJD of observation"),
        ("TSTART", start, "[d] Time elapsed since fiducial time at start"),
        ("DATE-END", btjd_to_utc(stop), "ISO-8601 time at end of observation"),
        ("MJD-END", stop + _MJD_OF_BTJD, "[d] MJD at end of observation"),
        ("TSTOP", stop, "[d] Time elapsed since fiducial time at end"),
        ("TELAPSE", step_d, "[d] Elapsed time (start to stop)"),
        ("TIMEDEL", step_d, "[d] Time resolution"),
        ("TIMEPIXR", 0.5, "Reference position of timestamp in binned data"),
    ]
