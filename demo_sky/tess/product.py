"""
Target pixel files as TESSCut sends them (astrocut 0.11.1), but labelled as simulated.

The header cards, their order, and the columns are those of the contract (57 / 281 / 82 cards). The
table is written in blocks of rows that are deflated as they come; the header of the table, whose
checksum covers all rows, is put in front at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from astropy.io import fits
from astropy.io.fits.card import UNDEFINED
from astropy.wcs import WCS

from demo_sky import __version__
from demo_sky.tess.geometry import Window, collected, local_wcs, wcs_offset_deg
from demo_sky.tess.pixels import READ_NOISE
from demo_sky.tess.timing import BTJD_ZERO, Cadences, btjd_to_utc, cadences
from demo_sky.zipstream import Packer, ZipStream

Float32Array = np.ndarray[Any, np.dtype[np.float32]]
CardValue = str | int | float | bool | object
Cards = list[tuple[str, CardValue, str]]

ORIGIN = "Skystamp demo sky"
# lightkurve takes a file for a TESS target pixel file if this contains "targetpixel".
CREATOR = "demo_sky TargetPixelFile"

_FITS_BLOCK = 2880
_BLOCK_BYTES = 2**21

# Number 0 of FFIINDEX, in BTJD: makes the real 4697 of sector 1 and 19080 of sector 12.
_FFI_INDEX_ZERO = 1227.4583

_FRAME_S = 2.0
_SECONDS_PER_DAY = 86400.0
# Columns of the table with one value per pixel, and all 12.
_PIXEL_COLUMNS = ("RAW_CNTS", "FLUX", "FLUX_ERR", "FLUX_BKG", "FLUX_BKG_ERR")


class PixelSource(Protocol):
    """What gives the light of a window, cadence by cadence."""

    def read(self, first: int, last: int) -> tuple[Float32Array, Float32Array]:
        """Give flux and its error of cadences first to last - 1, (n, ny, nx), electron/s."""


@dataclass(frozen=True, slots=True)
class Cutout:
    """
    One file to make.

    Attributes
    ----------
    window : Window
        Its pixels.
    ra, dec : float
        The position asked for, ICRS, degrees: RA_OBJ and DEC_OBJ.
    """

    window: Window
    ra: float
    dec: float

    @property
    def file_name(self) -> str:
        """Name of the member in the zip, in the form that TESSCut has had since 2019."""
        w = self.window
        sector = f"tess-s{w.sector:04d}-{w.camera}-{w.ccd}"
        return f"{sector}_{self.ra:.6f}_{self.dec:.6f}_{w.nx}x{w.ny}_astrocut.fits"


def stream_archive(
    cutouts: Iterable[Cutout], open_pixels: Callable[[Window, WCS, Cadences], PixelSource]
) -> Generator[bytes, None, None]:
    """
    Make target pixel files and send them as one zip archive.

    Parameters
    ----------
    cutouts : iterable of Cutout
        One member each, in this order.
    open_pixels : callable
        Gives the pixels of a window with its WCS and cadences: ``pixels.Exposure``.

    Yields
    ------
    chunk : bytes
        Often empty: a file leaves only when it is complete, but whoever sends can stop in between.
    """
    archive = ZipStream()
    for cutout in cutouts:
        with Packer(cutout.file_name) as packer:
            for _ in write_tpf(packer, cutout, open_pixels):
                yield b""
            yield from archive.add(packer)
    yield from archive.close()


def write_tpf(
    packer: Packer,
    cutout: Cutout,
    open_pixels: Callable[[Window, WCS, Cadences], PixelSource],
) -> Iterator[None]:
    """
    Write one target pixel file.

    Parameters
    ----------
    packer : Packer
        Takes the file; finished when the iterator ends.
    cutout : Cutout
        What to write.
    open_pixels : callable
        Gives the pixels of a window with its WCS and cadences.

    Yields
    ------
    None
        After each block of rows, so that the caller can stop.
    """
    window = cutout.window
    wcs = local_wcs(window)
    exposures = cadences(window.sector, window.camera, window.ccd)
    pixels = open_pixels(window, wcs, exposures)
    n_rows = len(exposures.time)
    n_in_block = rows_in_block(window.nx * window.ny, n_rows)
    table = _empty_table(n_in_block, window.nx * window.ny)
    data_sum = 0
    for first in range(0, n_rows, n_in_block):
        last = min(first + n_in_block, n_rows)
        rows = table[: last - first]
        _fill_rows(rows, exposures, first, last, pixels)
        data = rows.view(np.uint8)
        packer.write(data.data)
        data_sum = ones_sum(data, data_sum)
        yield None
    packer.write(padding(n_rows * table.dtype.itemsize))

    shared = shared_cards(cutout, exposures)
    aperture = collected(window).astype(">i4")
    packer.write(hdu_header(_aperture_cards(cutout, wcs, shared), ones_sum(bytes_of(aperture))))
    packer.write(aperture.tobytes() + padding(aperture.nbytes))
    pixels_cards = _pixels_cards(cutout, wcs, exposures, table.dtype.itemsize, shared)
    packer.finish(hdu_header(_primary_cards(shared), 0) + hdu_header(pixels_cards, data_sum))


def rows_in_block(n_pixels: int, n_rows: int) -> int:
    """Choose an even number of rows: two rows are a multiple of FITS's 4-byte checksum words."""
    in_block = max(1, _BLOCK_BYTES // (66 + 20 * n_pixels) // 2) * 2
    return min(in_block, n_rows + n_rows % 2)


def _empty_table(n_rows: int, n_pixels: int) -> np.ndarray[Any, Any]:
    """Give rows as they are in the file, with the columns filled in that never change."""
    table = np.zeros(
        n_rows,
        dtype=[
            ("TIME", ">f8"),
            ("TIMECORR", ">f4"),
            ("CADENCENO", ">i4"),
            ("RAW_CNTS", ">i4", (n_pixels,)),
            ("FLUX", ">f4", (n_pixels,)),
            ("FLUX_ERR", ">f4", (n_pixels,)),
            ("FLUX_BKG", ">f4", (n_pixels,)),
            ("FLUX_BKG_ERR", ">f4", (n_pixels,)),
            ("QUALITY", ">i4"),
            ("POS_CORR1", ">f4"),
            ("POS_CORR2", ">f4"),
            ("FFI_FILE", "S38"),
        ],
    )
    # TESSCut gives no raw counts: -1 is the column's null value.
    table["RAW_CNTS"] = -1
    return table


def _fill_rows(
    rows: np.ndarray[Any, Any], exposures: Cadences, first: int, last: int, pixels: PixelSource
) -> None:
    flux, flux_err = pixels.read(first, last)
    rows["TIME"] = exposures.time[first:last]
    rows["TIMECORR"] = exposures.barycorr[first:last]
    rows["FLUX"] = flux.reshape(last - first, -1)
    rows["FLUX_ERR"] = flux_err.reshape(last - first, -1)
    rows["QUALITY"] = exposures.quality[first:last]
    rows["FFI_FILE"] = exposures.ffi_names[first:last]


def bytes_of(array: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """View an array as its bytes, without a copy if it is contiguous."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def padding(length: int) -> bytes:
    """Give the zeros that fill data of this length up to whole FITS blocks."""
    return bytes(-length % _FITS_BLOCK)


def ones_sum(data: np.ndarray[Any, np.dtype[np.uint8]], start: int = 0) -> int:
    """Add 32-bit words in ones' complement, as FITS checksums do; zeros fill the last word."""
    whole = len(data) // 4 * 4
    total = start + int(data[:whole].view(">u4").sum(dtype=np.uint64))
    total += int.from_bytes(data[whole:].tobytes().ljust(4, b"\0"), "big")
    while total >> 32:
        total = (total & 0xFFFFFFFF) + (total >> 32)
    return total


def _encode_checksum(value: int) -> bytes:
    """Write a 32-bit sum's complement as 16 letters and digits (FITS standard 4.0, appendix J)."""
    punctuation = (*range(0x3A, 0x41), *range(0x5B, 0x61))
    letters = np.empty((4, 4), dtype=np.uint8)
    for i, byte in enumerate((~value & 0xFFFFFFFF).to_bytes(4, "big")):
        quotient, remainder = divmod(byte, 4)
        column = [quotient + remainder + 0x30, *[quotient + 0x30] * 3]
        for pair in (0, 2):
            while column[pair] in punctuation or column[pair + 1] in punctuation:
                column[pair] += 1
                column[pair + 1] -= 1
        letters[:, i] = column
    # The value starts one byte before a word's edge.
    return np.roll(letters.reshape(-1), 1).tobytes()


def hdu_header(cards: Cards, data_sum: int) -> bytes:
    """Write header blocks, with CHECKSUM and DATASUM filled in."""
    header = fits.Header([fits.Card(*card) for card in cards])
    header["DATASUM"] = str(data_sum)
    text = bytearray(header.tostring().encode("ascii"))
    value = text.index(b"CHECKSUM= '") + len(b"CHECKSUM= '")
    total = ones_sum(np.frombuffer(bytes(text), dtype=np.uint8), data_sum)
    text[value : value + 16] = _encode_checksum(total)
    return bytes(text)


def shared_cards(cutout: Cutout, exposures: Cadences) -> Cards:
    """Give the cards that all three HDUs end with, from ORIGIN on."""
    window = cutout.window
    end_utc = btjd_to_utc(exposures.stop)
    # Same cutout, same bytes: the file is dated by its data, not by the clock.
    written = end_utc[:19]
    step_d = exposures.exposure_s / _SECONDS_PER_DAY
    return [
        ("ORIGIN", ORIGIN, "institution responsible for creating this file"),
        ("DATE", end_utc[:10], "FFI cube creation date"),
        ("TSTART", exposures.start, "observation start time in TJD of first FFI"),
        ("TSTOP", exposures.stop, "observation stop time in TJD of last FFI"),
        ("DATE-OBS", btjd_to_utc(exposures.start), "TSTART as UTC calendar date of first FFI"),
        ("DATE-END", end_utc, "TSTOP as UTC calendar date of last FFI"),
        ("CREATOR", CREATOR, "software used to produce this file"),
        ("PROCVER", __version__, "software version"),
        ("FILEVER", "1.0", "file format version"),
        ("TIMVERSN", "OGIP/93-003", "OGIP memo number for file format"),
        ("TELESCOP", "TESS", "telescope"),
        ("INSTRUME", "TESS Photometer", "detector type"),
        ("DATA_REL", 0, "data release version number"),
        ("ASTATE", True, "archive state F indicates single orbit processi"),
        ("SCCONFIG", 0, "spacecraft configuration ID"),
        ("RADESYS", "ICRS", "reference frame of celestial coordinates"),
        ("EQUINOX", 2000.0, "equinox of celestial coordinate system"),
        ("CRMITEN", True, "spacecraft cosmic ray mitigation enabled"),
        ("CRBLKSZ", 10, "[exposures] s/c cosmic ray mitigation block siz"),
        (
            "FFIINDEX",
            int((exposures.start - _FFI_INDEX_ZERO) / step_d),
            "number of FFI cadence interval of first FFI",
        ),
        ("CRSPOC", False, "SPOC cosmic ray cleaning enabled"),
        ("CAMERA", window.camera, "Camera number"),
        ("CCD", window.ccd, "CCD chip number"),
        ("SECTOR", window.sector, "Observing sector"),
        ("FFI_TYPE", "SPOC", "the FFI type used to make the cutouts"),
        ("RA_OBJ", cutout.ra, "[deg] right ascension"),
        ("DEC_OBJ", cutout.dec, "[deg] declination"),
        ("TIMEREF", "SOLARSYSTEM", "barycentric correction applied to times"),
        ("TASSIGN", "SPACECRAFT", "where time is assigned"),
        ("TIMESYS", "TDB", "time system is Barycentric Dynamical Time (TDB)"),
        ("BJDREFI", BTJD_ZERO, "integer part of BTJD reference date"),
        ("BJDREFF", 0.0, "fraction of the day in BTJD reference date"),
        ("TIMEUNIT", "d", "time unit for TIME, TSTART and TSTOP"),
        ("TELAPSE", exposures.stop - exposures.start, "[d] TSTOP - TSTART"),
        # TESSCut knows a position, not a star: what follows is empty in its files too.
        ("OBJECT", "", "string version of target id"),
        ("TCID", 0, "unique tess target identifier"),
        ("PXTABLE", 0, "pixel table id"),
        ("PMRA", 0.0, "[mas/yr] RA proper motion"),
        ("PMDEC", 0.0, "[mas/yr] Dec proper motion"),
        ("PMTOTAL", 0.0, "[mas/yr] total proper motion"),
        ("TESSMAG", 0.0, "[mag] TESS magnitude"),
        ("TEFF", 0.0, "[K] Effective temperature"),
        ("LOGG", 0.0, "[cm/s2] log10 surface gravity"),
        ("MH", 0.0, "[log10([M/H])] metallicity"),
        ("RADIUS", 0.0, "[solar radii] stellar radius"),
        ("TICVER", 0, "TICVER"),
        ("TICID", UNDEFINED, "unique tess target identifier"),
        ("CHECKSUM", "0" * 16, f"HDU checksum updated {written}"),
        ("DATASUM", "0", f"data unit checksum updated {written}"),
    ]


def _primary_cards(shared: Cards) -> Cards:
    return [
        ("SIMPLE", True, "conforms to FITS standards"),
        ("BITPIX", 8, "array data type"),
        ("NAXIS", 0, "number of array dimensions"),
        ("EXTEND", True, "file contains extensions"),
        ("SIMDATA", True, "file is based on simulated data"),
        ("NEXTEND", 2, "number of standard extensions"),
        ("EXTNAME", "PRIMARY", "name of extension"),
        ("EXTVER", 1, "extension version number (not format version)"),
        *shared,
    ]


def _extension_cards(shared: Cards) -> Cards:
    """Give the copy of the primary header that ends an extension's header."""
    return [
        ("SIMDATA", True, "file is based on simulated data"),
        ("EXTVER", 1, "extension version number (not format version)"),
        *shared,
    ]


def _pixels_cards(
    cutout: Cutout, wcs: WCS, exposures: Cadences, row_bytes: int, shared: Cards
) -> Cards:
    window = cutout.window
    n_pixels = window.nx * window.ny
    cards: Cards = [
        ("XTENSION", "BINTABLE", "binary table extension"),
        ("BITPIX", 8, "array data type"),
        ("NAXIS", 2, "number of array dimensions"),
        ("NAXIS1", row_bytes, "length of dimension 1"),
        ("NAXIS2", len(exposures.time), "length of dimension 2"),
        ("PCOUNT", 0, "number of group parameters"),
        ("GCOUNT", 1, "number of groups"),
        ("TFIELDS", 12, "number of table fields"),
        *_column_cards(1, "TIME", "D", f"BJD - {BTJD_ZERO}, days", "D14.7"),
        *_column_cards(2, "TIMECORR", "E", "d", "E14.7"),
        *_column_cards(3, "CADENCENO", "J", None, "I10"),
    ]
    for number, name in enumerate(_PIXEL_COLUMNS, start=4):
        counts = name == "RAW_CNTS"
        cards += _column_cards(
            number,
            name,
            f"{n_pixels}{'J' if counts else 'E'}",
            "count" if counts else "e-/s",
            "I8" if counts else "E14.7",
            null=-1 if counts else None,
        )
        cards.append(
            (f"TDIM{number}", f"({window.nx}, {window.ny})", "multi-dimensional array spec")
        )
        cards += _column_wcs_cards(number, window, wcs)
    return [
        *cards,
        *_column_cards(9, "QUALITY", "J", None, "B16.16"),
        *_column_cards(10, "POS_CORR1", "E", "pixel", "E14.7"),
        *_column_cards(11, "POS_CORR2", "E", "pixel", "E14.7"),
        *_column_cards(12, "FFI_FILE", "38A", "pixel", None),
        ("EXTNAME", "PIXELS", "name of extension"),
        ("INHERIT", True, "inherit the primary header"),
        *exposure_cards(exposures),
        *_extension_cards(shared),
    ]


def _column_cards(
    number: int,
    name: str,
    form: str,
    unit: str | None,
    display: str | None,
    null: int | None = None,
) -> Cards:
    cards: Cards = [
        (f"TTYPE{number}", name, "column name"),
        (f"TFORM{number}", form, "column format"),
    ]
    if unit is not None:
        cards.append((f"TUNIT{number}", unit, "unit"))
    if null is not None:
        cards.append((f"TNULL{number}", null, "null value"))
    if display is not None:
        cards.append((f"TDISP{number}", display, "display format"))
    return cards


def _column_wcs_cards(number: int, window: Window, wcs: WCS) -> Cards:
    """Give celestial and detector coordinates of an image column, 27 cards."""
    n, fit = number, wcs.wcs
    element = "Coordinate transformation matrix element"
    return [
        (f"WCAX{n}", 2, "number of WCS axes"),
        (f"1CTYP{n}", "RA---TAN", "right ascension coordinate type"),
        (f"2CTYP{n}", "DEC--TAN", "declination coordinate type"),
        (f"1CRPX{n}", float(fit.crpix[0]), "[pixel] reference pixel along image axis 1"),
        (f"2CRPX{n}", float(fit.crpix[1]), "[pixel] reference pixel along image axis 2"),
        (f"1CRVL{n}", float(fit.crval[0]), "[deg] right ascension at reference pixel"),
        (f"2CRVL{n}", float(fit.crval[1]), "[deg] declination at reference pixel"),
        (f"1CUNI{n}", "deg", "physical unit in column dimension"),
        (f"2CUNI{n}", "deg", "physical unit in row dimension"),
        (f"1CDLT{n}", 1.0, "[deg] pixel scale in RA dimension"),
        (f"2CDLT{n}", 1.0, "[deg] pixel scale in DEC dimension"),
        (f"11PC{n}", float(fit.pc[0, 0]), element),
        (f"12PC{n}", float(fit.pc[0, 1]), element),
        (f"21PC{n}", float(fit.pc[1, 0]), element),
        (f"22PC{n}", float(fit.pc[1, 1]), element),
        (f"WCSN{n}P", "PHYSICAL", "table column WCS name"),
        (f"WCAX{n}P", 2, "table column physical WCS dimensions"),
        (f"1CTY{n}P", "RAWX", "table column physical WCS axis 1 type, CCD col"),
        (f"2CTY{n}P", "RAWY", "table column physical WCS axis 2 type, CCD row"),
        (f"1CUN{n}P", "PIXEL", "table column physical WCS axis 1 unit"),
        (f"2CUN{n}P", "PIXEL", "table column physical WCS axis 2 unit"),
        (f"1CRV{n}P", window.column, "table column physical WCS ax 1 ref value"),
        (f"2CRV{n}P", window.row, "table column physical WCS ax 2 ref value"),
        (f"1CDL{n}P", 1.0, "table column physical WCS a1 step"),
        (f"2CDL{n}P", 1.0, "table column physical WCS a2 step"),
        (f"1CRP{n}P", 1, "table column physical WCS a1 reference"),
        (f"2CRP{n}P", 1, "table column physical WCS a2 reference"),
    ]


def exposure_cards(exposures: Cadences) -> Cards:
    """Give the cards about exposures and electronics; what is not simulated is undefined or 0."""
    live_d = exposures.live_s / _SECONDS_PER_DAY
    n_frames = round(exposures.exposure_s / _FRAME_S)
    reference = exposures.ffi_names[len(exposures.ffi_names) // 2].decode("ascii") + "c.fits"
    return [
        ("BACKAPP", 0, "background is subtracted"),
        ("CDPP0_5", UNDEFINED, "RMS CDPP on 0.5-hr time scales"),
        ("CDPP1_0", UNDEFINED, "RMS CDPP on 1.0-hr time scales"),
        ("CDPP2_0", UNDEFINED, "RMS CDPP on 2.0-hr time scales"),
        ("CROWDSAP", UNDEFINED, "Ratio of target flux to total flux in op. ap."),
        ("DEADAPP", 1, "deadtime applied"),
        ("DEADC", exposures.live_s / exposures.exposure_s, "deadtime correction"),
        ("EXPOSURE", live_d, "[d] time on source"),
        ("FLFRCSAP", UNDEFINED, "Frac. of target flux w/in the op. aperture"),
        ("FRAMETIM", _FRAME_S, "[s] frame time [INT_TIME + READTIME]"),
        ("FXDOFF", 0, "compression fixed offset"),
        *[(f"GAIN{x}", UNDEFINED, f"[electrons/count] CCD output {x} gain") for x in "ABCD"],
        ("INT_TIME", 1.98, "[s] photon accumulation time per frame"),
        ("LIVETIME", live_d, "[d] TELAPSE multiplied by DEADC"),
        *[(f"MEANBLC{x}", 0, f"[count] FSW mean black level CCD output {x}") for x in "ABCD"],
        # Cosmic-ray mitigation drops 2 frames of 10.
        ("NREADOUT", round(n_frames * 0.8), "number of read per cadence"),
        ("NUM_FRM", n_frames, "number of frames per time stamp"),
        *[(f"READNOI{x}", READ_NOISE, f"[electrons] read noise CCD output {x}") for x in "ABCD"],
        ("READTIME", 0.02, "[s] readout time per frame"),
        ("TIERRELA", 1.16e-05, "[d] relative time error"),
        ("TIMEDEL", exposures.exposure_s / _SECONDS_PER_DAY, "[d] time resolution of data"),
        ("TIMEPIXR", 0.5, "bin time beginning=0 middle=0.5 end=1"),
        ("TMOFST11", UNDEFINED, "(s) readout delay for camera 1 and ccd 1"),
        ("VIGNAPP", 1, "vignetting or collimator correction applied"),
        ("WCS_FFI", reference, "FFI used for cutout W"),
    ]


def _aperture_cards(cutout: Cutout, wcs: WCS, shared: Cards) -> Cards:
    window, fit = cutout.window, wcs.wcs
    offset = wcs_offset_deg(window, wcs)
    element = "Coordinate transformation matrix element"
    return [
        ("XTENSION", "IMAGE", "Image extension"),
        ("BITPIX", 32, "array data type"),
        ("NAXIS", 2, "number of array dimensions"),
        ("NAXIS1", window.nx, ""),
        ("NAXIS2", window.ny, ""),
        ("PCOUNT", 0, "number of parameters"),
        ("GCOUNT", 1, "number of groups"),
        ("EXTNAME", "APERTURE", "name of extension"),
        ("WCSAXES", 2, "Number of coordinate axes"),
        ("CRPIX1", float(fit.crpix[0]), "Pixel coordinate of reference point"),
        ("CRPIX2", float(fit.crpix[1]), "Pixel coordinate of reference point"),
        ("PC1_1", float(fit.pc[0, 0]), element),
        ("PC1_2", float(fit.pc[0, 1]), element),
        ("PC2_1", float(fit.pc[1, 0]), element),
        ("PC2_2", float(fit.pc[1, 1]), element),
        ("CDELT1", 1.0, "[deg] Coordinate increment at reference point"),
        ("CDELT2", 1.0, "[deg] Coordinate increment at reference point"),
        ("CUNIT1", "deg", "Units of coordinate increment and value"),
        ("CUNIT2", "deg", "Units of coordinate increment and value"),
        ("CTYPE1", "RA---TAN", "Right ascension, gnomonic projection"),
        ("CTYPE2", "DEC--TAN", "Declination, gnomonic projection"),
        ("CRVAL1", float(fit.crval[0]), "[deg] Coordinate value at reference point"),
        ("CRVAL2", float(fit.crval[1]), "[deg] Coordinate value at reference point"),
        ("LONPOLE", 180.0, "[deg] Native longitude of celestial pole"),
        ("LATPOLE", float(fit.crval[1]), "[deg] Native latitude of celestial pole"),
        ("MJDREF", 0.0, "[d] MJD of fiducial time"),
        ("RADESYS", "ICRS", "Equatorial coordinate system"),
        ("NPIXMISS", UNDEFINED, "Number of op. aperture pixels not collected"),
        ("NPIXSAP", UNDEFINED, "Number of pixels in optimal aperture"),
        ("WCS_MSEP", offset, "[deg] Max offset between cutout WCS and FFI WCS"),
        ("WCS_SIG", offset, "[deg] Error measurement of cutout WCS fit"),
        ("INHERIT", True, "inherit the primary header"),
        # RADESYS is there already, in the WCS.
        *[card for card in _extension_cards(shared) if card[0] != "RADESYS"],
    ]
