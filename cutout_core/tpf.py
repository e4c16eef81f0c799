"""
Bytes of a TESS target pixel file -> plain values.

astropy parses the header cards; the columns are taken straight from the bytes, by the offsets that
the TFORM cards give, because a copy through astropy's record arrays costs ten times as much.
"""

import math
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
from astropy.io import fits
from astropy.wcs import WCS, NoConvergence
from astropy.wcs.utils import proj_plane_pixel_scales

from cutout_core.errors import ProductError
from cutout_core.fits_file import (
    Hdu,
    card_integer,
    card_number,
    card_text,
    file_label,
    split_hdus,
)

FloatArray: TypeAlias = npt.NDArray[np.float64]
PixelCube: TypeAlias = npt.NDArray[np.float32]
_ScalarT = TypeVar("_ScalarT", bound=np.generic)

# Bytes per element of the binary table formats, FITS Standard 4.0, Table 18. Bits (X) are packed.
_WIDTHS = {"L": 1, "B": 1, "I": 2, "J": 4, "K": 8, "A": 1, "E": 4, "D": 8, "C": 8, "M": 16}
_WIDTHS |= {"P": 8, "Q": 16}
_DTYPES = {"I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8"}

# Geometry of a TESS full-frame image with its collateral pixels: TESS Instrument Handbook, 4.1.
_FFI_COLUMNS = 2136
_FFI_ROWS = 2078

#: Mean scale of TESS's pixels in arcsec; it varies by some per cent over the field.
PIXEL_SCALE_ARCSEC = 21.0
# A cutout's WCS whose scale is off by more than this is no WCS: it comes from a fit to too few
# points, as in cutouts of one pixel.
_SCALE_TOLERANCE = 0.25

# Share of a cadence in which the detector collects light that is kept: 1.98 s of every 2 s, and
# 8 of 10 exposures after the on-board cosmic-ray mitigation (keyword DEADC of the files).
_DUTY_CYCLE = 0.792

# Of full-frame images: to sector 26, 27 to 55, and from 56 on.
_CADENCES_S = (1800.0, 600.0, 200.0)

# Names of all ages: tess-s0001-4-3_107.27_-70.0_5x5_astrocut.fits (2018),
# tess-s0009-4-1_107.186960_-70.509190_15x15_astrocut.fits, and ..._5-x-5_astrocut.fits.
_FILE_NAME = re.compile(
    r"tess-s(?P<sector>\d{4,})-(?P<camera>\d)-(?P<ccd>\d)"
    r"(?:_(?P<ra>-?\d+(?:\.\d+)?)_(?P<dec>-?\d+(?:\.\d+)?)_)?"
)
_FFI_NAME = re.compile(r"-s(?P<sector>\d{4,})-(?P<camera>\d)-(?P<ccd>\d)-")

_WCS_CARD = re.compile(
    r"WCSAXES|NAXIS[12]|(CRPIX|CDELT|CUNIT|CTYPE|CRVAL)[12]|(PC|CD)[12]_[12]"
    r"|LONPOLE|LATPOLE|RADESYS|EQUINOX"
)
_SIP_CARD = re.compile(r"(A|B|AP|BP)_(ORDER|\d_\d)")


@dataclass(frozen=True, slots=True, eq=False)
class TargetPixelFile:
    """
    One target pixel file: a small movie of the sky, as plain values.

    All arrays are read-only, so that they can be shared between visitors. Axis order is
    ``(n_cadences, ny, nx)``; row 0 is the bottom row, and pixel (0, 0) the first FITS pixel.

    Attributes
    ----------
    time : float64 ndarray of shape (n_cadences,)
        Middle of the exposure, BTJD (BJD - 2457000) in TDB. NaN where the file has none.
    flux, flux_err : float32 ndarray of shape (n_cadences, ny, nx)
        Calibrated flux and its error, in electron/s. NaN: not collected. In TESSCut's files the
        sky background is still inside.
    flux_bkg : float32 ndarray of shape (n_cadences, ny, nx)
        Background in electron/s that the pipeline modelled. TESSCut writes zeros: then this is a
        view of a single zero, and `has_background` is `False`.
    quality : int32 ndarray of shape (n_cadences,)
        QUALITY bits, see `cutout_core.quality`.
    timecorr : float32 ndarray of shape (n_cadences,)
        Barycentric correction in days that is inside `time`; NaN where the file has none.
    cadence_number : int32 ndarray of shape (n_cadences,)
        CADENCENO column; all 0 in TESSCut's files since 2019.
    empty_frames : bool ndarray of shape (n_cadences,)
        `True` where every collected pixel that has a value is exactly zero. Such frames come with
        QUALITY 0.
    aperture : bool ndarray of shape (ny, nx)
        `True` where the detector collected light: `False` beyond its edge. In the file of a moving
        target, where it did so in any frame.
    sector, camera, ccd : int
        Where TESS observed it.
    ra, dec : float
        Centre that was asked for, ICRS degrees. NaN if the file gives none (moving targets).
    cadence_s, exposure_s : float
        Time from one cadence to the next, and time on source within it, in s.
    wcs : WCS or None
        Celestial WCS of the cutout, pixel (0, 0) the first one. `None` where the file has none
        that could be true, of which `notes` says why, and for moving targets.
    column, row : int or None
        1-based column and row of pixel (0, 0) in the full-frame image, collateral pixels counted.
        `None` where the file does not say (files by astrocut 1.x, moving targets), or what it says
        is impossible.
    has_background : bool
        Whether `flux_bkg` holds anything.
    simulated : bool
        Whether the header says so (SIMDATA).
    object_name, origin, creator : str
        Header keywords OBJECT, ORIGIN, and CREATOR with PROCVER; "" where absent.
    notes : tuple of str
        Sentences for the reader on what is missing or doubtful in this file.
    target_x, target_y : float64 ndarray of shape (n_cadences,) or None
        For a moving target, whose window jumps with it: its place in each frame in pixels, (0, 0)
        the centre of the first pixel. `None` for a fixed one.
    target_ra, target_dec : float64 ndarray of shape (n_cadences,) or None
        Its ICRS position as seen from TESS, in degrees. `None` for a fixed target.
    ffi_wcs : WCS or None
        For a moving target the celestial WCS of the whole CCD, pixel (0, 0) the first one of its
        full-frame image. `None` for a fixed one, and where the file has none that could be true.
    """

    time: FloatArray
    flux: PixelCube
    flux_err: PixelCube
    flux_bkg: PixelCube
    quality: npt.NDArray[np.int32]
    timecorr: npt.NDArray[np.float32]
    cadence_number: npt.NDArray[np.int32]
    empty_frames: npt.NDArray[np.bool_]
    aperture: npt.NDArray[np.bool_]
    sector: int
    camera: int
    ccd: int
    ra: float
    dec: float
    cadence_s: float
    exposure_s: float
    wcs: WCS | None
    column: int | None
    row: int | None
    has_background: bool
    simulated: bool
    object_name: str
    origin: str
    creator: str
    notes: tuple[str, ...] = ()
    target_x: FloatArray | None = None
    target_y: FloatArray | None = None
    target_ra: FloatArray | None = None
    target_dec: FloatArray | None = None
    ffi_wcs: WCS | None = None

    @property
    def is_moving(self) -> bool:
        """Whether the file follows a moving target."""
        return self.target_x is not None

    @property
    def n_cadences(self) -> int:
        """Number of cadences, good or not."""
        return len(self.flux)

    @property
    def shape(self) -> tuple[int, int]:
        """Size of the cutout in pixels, (ny, nx)."""
        return self.flux.shape[1], self.flux.shape[2]

    @property
    def target_pixel(self) -> tuple[float, float] | None:
        """Place of `ra`, `dec` as 0-based (x, y): (0, 0) is the centre of the first pixel."""
        if self.wcs is None or not math.isfinite(self.ra):
            return None
        x, y = self.wcs.world_to_pixel_values(self.ra, self.dec)
        return float(x), float(y)


def read_tpf(content: bytes | memoryview, name: str = "") -> TargetPixelFile:
    """
    Read a target pixel file as TESSCut sends it, of any year.

    What the headers say goes before what the file is called.

    Parameters
    ----------
    content : bytes
        The whole file. It may be dropped afterwards: nothing of the result refers to it.
    name : str, optional
        What the file is called: asked only for what its headers leave out.

    Returns
    -------
    tpf : TargetPixelFile

    Raises
    ------
    ProductError
        If the content is not a FITS file, is cut short, or has not the columns of a target
        pixel file.
    """
    label = file_label(name)
    view = memoryview(content)
    hdus = split_hdus(view, label)
    try:
        return _assemble(view, hdus, label, name)
    except (fits.VerifyError, UnicodeError) as exc:
        msg = f"{label} has a damaged header ({exc}). Fetch the cutout again."
        raise ProductError(msg) from exc


# --- the table -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Column:
    number: int
    offset: int
    repeat: int
    code: str


@dataclass(frozen=True, slots=True)
class _Table:
    """The PIXELS table, still as bytes."""

    hdu: Hdu
    view: memoryview
    n_rows: int
    row_bytes: int
    columns: dict[str, _Column] = field(default_factory=dict)

    def numbers(self, name: str) -> npt.NDArray[np.generic]:
        """Give a view of a column of one number per row: big-endian, not to outlive the bytes."""
        column = self.columns[name]
        start = self.hdu.start + column.offset
        dtype = _DTYPES[column.code]
        return np.ndarray((self.n_rows,), dtype, self.view, start, (self.row_bytes,))

    def raw_bytes(self, name: str) -> npt.NDArray[np.uint8]:
        """Give a view of the bytes of a column, one row each, not to outlive the bytes."""
        column = self.columns[name]
        start = self.hdu.start + column.offset
        shape = self.n_rows, column.repeat * _WIDTHS[column.code]
        return np.ndarray(shape, np.uint8, self.view, start, (self.row_bytes, 1))


def _read_table(view: memoryview, hdu: Hdu, label: str) -> _Table:
    header = hdu.header
    table = _Table(hdu, view, card_integer(header, "NAXIS2", 0), card_integer(header, "NAXIS1", 0))
    offset = 0
    for number in range(1, card_integer(header, "TFIELDS", 0) + 1):
        form = re.match(r"(\d*)([A-Z])", card_text(header, f"TFORM{number}"))
        if form is None or (form[2] not in _WIDTHS and form[2] != "X"):
            msg = f"{label} is damaged: TFORM{number} is {header.get(f'TFORM{number}')!r}."
            raise ProductError(msg)
        repeat, code = int(form[1] or 1), form[2]
        column = _Column(number, offset, repeat, code)
        table.columns.setdefault(card_text(header, f"TTYPE{number}").upper(), column)
        offset += -(-repeat // 8) if code == "X" else repeat * _WIDTHS[code]
    if offset != table.row_bytes:
        msg = (
            f"{label} is damaged: its columns have {offset} bytes per row, and NAXIS1 promises "
            f"{table.row_bytes}."
        )
        raise ProductError(msg)
    if not table.n_rows:
        msg = f"{label} holds no cadences: its table has no rows."
        raise ProductError(msg)
    return table


def _check_columns(table: _Table, label: str) -> None:
    """Make sure that the columns that are needed are there and mean what they seem to mean."""
    for name, codes in {"TIME": "DE", "FLUX": "E", "FLUX_ERR": "E", "QUALITY": "IJK"}.items():
        column = table.columns.get(name)
        if column is None or column.code not in codes:
            found = ", ".join(table.columns) if column is None else f"it is of type {column.code}"
            msg = f"{label} is no target pixel file: the column {name} is missing ({found})."
            raise ProductError(msg)
        header, n = table.hdu.header, column.number
        if (header.get(f"TSCAL{n}", 1), header.get(f"TZERO{n}", 0)) != (1, 0):
            msg = f"{label} is no file of TESSCut: TSCAL{n}, TZERO{n} scale its column {name}."
            raise ProductError(msg)


def _frame_shape(table: _Table, aperture: tuple[int, ...], label: str) -> tuple[int, int]:
    """Give (ny, nx) of a frame from TDIM, or where it is absent from the APERTURE image."""
    column = table.columns["FLUX"]
    card = card_text(table.hdu.header, f"TDIM{column.number}")
    dims = re.fullmatch(r"\(\s*(\d+)\s*,\s*(\d+)\s*\)", card)
    if dims:
        shape: tuple[int, ...] = (int(dims[2]), int(dims[1]))
    else:
        shape = aperture if not card else ()
    if len(shape) != 2 or math.prod(shape) != column.repeat or column.repeat == 0:
        msg = (
            f"{label} is damaged: TDIM{column.number} is {card!r}, and a frame of the column FLUX "
            f"has {column.repeat} pixels."
        )
        raise ProductError(msg)
    for name in ("FLUX_ERR", "FLUX_BKG"):
        other = table.columns.get(name, column)
        if other.repeat != column.repeat:
            msg = (
                f"{label} is damaged: a frame of {name} has {other.repeat} pixels, and one of "
                f"FLUX {column.repeat}."
            )
            raise ProductError(msg)
    return shape[0], shape[1]


def _scalar_column(
    table: _Table, name: str, dtype: type[_ScalarT], missing: float
) -> npt.NDArray[_ScalarT]:
    """Copy a column of one number per cadence; fill it where the file has none."""
    column = table.columns.get(name)
    if column is None or column.code not in _DTYPES or column.repeat != 1:
        return np.full(table.n_rows, missing, dtype=dtype)
    return table.numbers(name).astype(dtype)


def _cube(table: _Table, name: str, shape: tuple[int, int]) -> PixelCube:
    """
    Copy an image column into a native array.

    Copying bytes and swapping them in place, while a block of rows is in the cache, takes half of
    the time of numpy's conversion from big-endian, which goes element by element.
    """
    source = table.raw_bytes(name)
    target = np.empty(source.shape, dtype=np.uint8)
    for start in range(0, table.n_rows, 256):
        block = target[start : start + 256]
        block[...] = source[start : start + 256]
        if sys.byteorder == "little":
            block.view(np.float32).byteswap(inplace=True)
    return target.view(np.float32).reshape(table.n_rows, *shape)


def _background_cube(table: _Table, shape: tuple[int, int]) -> tuple[PixelCube, bool]:
    """
    Copy FLUX_BKG, or give a view of a single zero where it holds nothing else.

    The check reads the bytes of the column once where they lie, and stops at the first one that is
    not zero: 1.4 ms for 11,000 frames of 21 x 21 pixels, and no memory.
    """
    column = table.columns.get("FLUX_BKG")
    # numpy looks for the first non-zero byte fastest if it takes the bytes for booleans.
    if column and column.code == "E" and table.raw_bytes("FLUX_BKG").view(np.bool_).any():
        return _cube(table, "FLUX_BKG", shape), True
    return np.broadcast_to(np.float32(0), (table.n_rows, *shape)), False


def _empty_frames(flux: PixelCube, collected: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Find frames whose collected pixels are all exactly zero, as far as they have a value."""
    empty = np.zeros(len(flux), dtype=bool)
    pixels = np.flatnonzero(collected)
    if not pixels.size:
        return empty
    frames = flux.reshape(len(flux), -1)
    # One pixel rules out nearly all frames, so that the cube is not read once more.
    first_look = frames[:, pixels[pixels.size // 2]]
    suspects = np.flatnonzero((first_look == 0) | np.isnan(first_look))
    values = frames[np.ix_(suspects, pixels)]
    is_zero = values == 0
    empty[suspects] = (is_zero | np.isnan(values)).all(axis=1) & is_zero.any(axis=1)
    return empty


# --- what the file says about itself -------------------------------------------------------


def _assemble(view: memoryview, hdus: list[Hdu], label: str, name: str) -> TargetPixelFile:
    by_name = {hdu.name: hdu for hdu in reversed(hdus)}
    pixels = by_name.get("PIXELS")
    if pixels is None or card_text(pixels.header, "XTENSION") != "BINTABLE":
        found = ", ".join(hdu.name or "unnamed" for hdu in hdus)
        msg = f"{label} is no target pixel file: it has no table PIXELS (it has {found})."
        raise ProductError(msg)
    table = _read_table(view, pixels, label)
    _check_columns(table, label)
    aperture = by_name.get("APERTURE")
    shape = _frame_shape(table, aperture.image_shape if aperture else (), label)
    flux = _cube(table, "FLUX", shape)
    flux_bkg, has_background = _background_cube(table, shape)

    notes: list[str] = []
    headers = [hdu.header for hdu in (hdus[0], pixels, *by_name.values())]
    primary = headers[0]
    sector, camera, ccd = _where_observed(table, headers, name, label)
    ra, dec = _position(headers, name)
    moving = _read_track(table, aperture, notes)
    mask, wcs, column, row = None, None, None, None
    if moving:
        # RA_OBJ, if there is one, is the middle of what the file was cut from.
        ra = dec = math.nan
    else:
        mask = _read_aperture(view, aperture, shape, notes)
        if mask is not None and aperture is not None:
            wcs = _read_wcs(aperture.header, shape, (ra, dec), notes)
        column, row = _corner(table, aperture, shape, notes)
    if mask is None:
        mask = np.asarray(np.isfinite(flux).any(axis=0))
    time = _scalar_column(table, "TIME", np.float64, math.nan)
    cadence_s = _cadence_s(headers, time)
    exposure_days = _first_number(headers, "EXPOSURE")
    return TargetPixelFile(
        time=_frozen(time),
        flux=_frozen(flux),
        flux_err=_frozen(_cube(table, "FLUX_ERR", shape)),
        flux_bkg=_frozen(flux_bkg),
        quality=_frozen(_scalar_column(table, "QUALITY", np.int32, 0)),
        timecorr=_frozen(_scalar_column(table, "TIMECORR", np.float32, math.nan)),
        cadence_number=_frozen(_scalar_column(table, "CADENCENO", np.int32, 0)),
        empty_frames=_frozen(_empty_frames(flux, mask)),
        aperture=_frozen(mask),
        sector=sector,
        camera=camera,
        ccd=ccd,
        ra=ra,
        dec=dec,
        cadence_s=cadence_s,
        exposure_s=exposure_days * 86400 if exposure_days > 0 else cadence_s * _DUTY_CYCLE,
        wcs=wcs,
        column=column,
        row=row,
        has_background=has_background,
        simulated=primary.get("SIMDATA") is True,
        object_name=card_text(primary, "OBJECT"),
        origin=card_text(primary, "ORIGIN"),
        creator=f"{card_text(primary, 'CREATOR')} {card_text(primary, 'PROCVER')}".strip(),
        notes=tuple(notes),
        **moving,
    )


def _frozen(array: npt.NDArray[_ScalarT]) -> npt.NDArray[_ScalarT]:
    array.flags.writeable = False
    return array


def _read_aperture(
    view: memoryview, hdu: Hdu | None, shape: tuple[int, int], notes: list[str]
) -> npt.NDArray[np.bool_] | None:
    """Read which pixels were collected: bit 1 of the APERTURE image, a float image in 2018."""
    dtypes = {8: ">u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
    dtype = None if hdu is None else dtypes.get(card_integer(hdu.header, "BITPIX", 0))
    if hdu is None or dtype is None or hdu.image_shape != shape:
        notes.append("The file has no map of collected pixels of its own shape.")
        return None
    image = np.ndarray(shape, dtype, buffer=view, offset=hdu.start)
    collected: npt.NDArray[np.bool_] = np.nan_to_num(image).astype(np.int64) & 1 == 1
    return collected


def _read_track(table: _Table, aperture: Hdu | None, notes: list[str]) -> dict[str, Any]:
    """
    Read where a moving target is in each frame; nothing for the file of a fixed one.

    The APERTURE of such a file is a map of the whole CCD, and so is its WCS, of one full-frame
    image.
    """
    names = {"target_x": "TGT_X", "target_y": "TGT_Y", "target_ra": "TGT_RA"}
    names |= {"target_dec": "TGT_DEC"}
    if not all(name in table.columns for name in names.values()):
        return {}
    track: dict[str, Any] = {
        key: _frozen(_scalar_column(table, name, np.float64, math.nan))
        for key, name in names.items()
    }
    track["ffi_wcs"] = None
    if aperture is not None:
        track["ffi_wcs"] = _read_wcs(aperture.header, aperture.image_shape, (math.nan,) * 2, notes)
    return track


def _where_observed(
    table: _Table, headers: list[fits.Header], name: str, label: str
) -> tuple[int, int, int]:
    """Give sector, camera, CCD: from the headers, the FFI names inside, or the file's name."""
    found: dict[str, int] = {}
    for key in ("SECTOR", "CAMERA", "CCD"):
        value = _first_number(headers, key)
        if value >= 1:
            found[key.lower()] = int(value)
    for text, pattern in ((_first_ffi(table), _FFI_NAME), (name, _FILE_NAME)):
        match = pattern.search(text)
        if match:
            for key in ("sector", "camera", "ccd"):
                found.setdefault(key, int(match[key]))
    if len(found) < 3:
        msg = f"{label} does not say in which sector, camera and CCD it was observed."
        raise ProductError(msg)
    return found["sector"], found["camera"], found["ccd"]


def _first_ffi(table: _Table) -> str:
    """Give the name of the first full-frame image that went in."""
    column = table.columns.get("FFI_FILE")
    if column is None or column.code != "A":
        return ""
    start = table.hdu.start + column.offset
    return bytes(table.view[start : start + column.repeat]).decode("ascii", "replace")


def _position(headers: list[fits.Header], name: str) -> tuple[float, float]:
    ra, dec = _first_number(headers, "RA_OBJ"), _first_number(headers, "DEC_OBJ")
    match = _FILE_NAME.search(name)
    if match and match["ra"] and not (math.isfinite(ra) and math.isfinite(dec)):
        return float(match["ra"]), float(match["dec"])
    return ra, dec


def _first_number(headers: list[fits.Header], key: str) -> float:
    numbers: Iterator[float] = (card_number(header, key) for header in headers)
    return next((value for value in numbers if math.isfinite(value)), math.nan)


def _cadence_s(headers: list[fits.Header], time: FloatArray) -> float:
    """Give the cadence in s, from TIMEDEL or else from the times themselves."""
    days = _first_number(headers, "TIMEDEL")
    if not days > 0:
        steps = np.diff(time[np.isfinite(time)])
        days = float(np.median(steps)) if steps.size else math.nan
    seconds = days * 86400
    # Times of 2018 are rounded to 10 s, and TIMEDEL may be cut to five digits.
    return next((c for c in _CADENCES_S if abs(seconds / c - 1) < 0.01), seconds)


def _corner(
    table: _Table, aperture: Hdu | None, shape: tuple[int, int], notes: list[str]
) -> tuple[int | None, int | None]:
    """Give the FFI column and row of pixel (0, 0) from the physical WCS, if there is one."""
    n = table.columns["FLUX"].number
    header = table.hdu.header
    column = card_number(header, f"1CRV{n}P") - card_number(header, f"1CRP{n}P") + 1
    row = card_number(header, f"2CRV{n}P") - card_number(header, f"2CRP{n}P") + 1
    if aperture is not None and not math.isfinite(column + row):
        header = aperture.header
        column = card_number(header, "CRVAL1P") - card_number(header, "CRPIX1P") + 1
        row = card_number(header, "CRVAL2P") - card_number(header, "CRPIX2P") + 1
    if not math.isfinite(column + row):
        return None, None
    ny, nx = shape
    # A cutout at the edge of the detector may begin before its first pixel, but must overlap it.
    if not (1 - nx < column <= _FFI_COLUMNS and 1 - ny < row <= _FFI_ROWS):
        notes.append(
            f"The file puts its first pixel at column {column:.0f}, row {row:.0f}, which is not "
            "on the detector: column and row are left out."
        )
        return None, None
    return int(column), int(row)


def _read_wcs(
    header: fits.Header, shape: tuple[int, ...], target: tuple[float, float], notes: list[str]
) -> WCS | None:
    """Read the celestial WCS, and keep it only if it can be true."""
    if not (card_text(header, "CTYPE1") and card_text(header, "CTYPE2")):
        notes.append("The file has no sky coordinates.")
        return None
    # Only what belongs to the first WCS: a DATE-OBS of 2018 would make astropy warn.
    cards = [card for card in header.cards if _WCS_CARD.fullmatch(card.keyword)]
    if card_text(header, "CTYPE1").endswith("-SIP"):
        cards += [card for card in header.cards if _SIP_CARD.fullmatch(card.keyword)]
    try:
        wcs = WCS(fits.Header(cards), naxis=2)
        doubt = _doubt_about(wcs, shape, target)
    except (ValueError, TypeError, KeyError, NoConvergence) as exc:
        notes.append(f"The file's sky coordinates cannot be read ({exc}).")
        return None
    if doubt:
        notes.append(f"The file's sky coordinates are wrong and are left out: {doubt}.")
        return None
    return wcs


def _doubt_about(wcs: WCS, shape: tuple[int, ...], target: tuple[float, float]) -> str:
    """
    Say why a WCS cannot be true, or "".

    In files of 2018 the reference pixel is hundreds of pixels off; in cutouts of one pixel the
    fit that made the WCS had too few points, and its scale is a hundred times too large.
    """
    if not wcs.has_celestial:
        return "they are not on the sky"
    scale = float(np.mean(proj_plane_pixel_scales(wcs))) * 3600
    if not abs(scale / PIXEL_SCALE_ARCSEC - 1) < _SCALE_TOLERANCE:
        return f'their pixels measure {scale:.4g}", and TESS\'s about {PIXEL_SCALE_ARCSEC:.0f}"'
    if math.isfinite(target[0]):
        x, y = (float(v) for v in wcs.world_to_pixel_values(*target))
        ny, nx = shape
        if not (-1.5 <= x <= nx + 0.5 and -1.5 <= y <= ny + 0.5):
            return f"they put the target at column {x:.0f}, row {y:.0f} of {nx} x {ny} pixels"
    return ""
