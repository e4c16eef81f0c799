"""
The structure of a FITS file that is held in memory: its HDUs, their cards, their images.

astropy parses the cards; the data are taken straight from the bytes, so that an array is copied
once, from the file's big-endian order into the machine's own.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from astropy.io import fits

from cutout_core.errors import ProductError

_BLOCK = 2880
_CARD = 80
_END_CARD = b"END".ljust(_CARD)

# FITS Standard 4.0, Table 8.
_IMAGE_DTYPES = {8: ">u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}


@dataclass(frozen=True, slots=True)
class Hdu:
    """
    Header of one HDU, and where in the file its data are.

    Attributes
    ----------
    header : `~astropy.io.fits.Header`
    start, size : int
        First byte of the data, and their number without padding.
    """

    header: fits.Header
    start: int
    size: int

    @property
    def name(self) -> str:
        """EXTNAME in capitals, "" if there is none."""
        return card_text(self.header, "EXTNAME").upper()

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape of the image as numpy gives it, ``(ny, nx)``; () where there is none."""
        if card_text(self.header, "XTENSION") not in {"", "IMAGE"}:
            return ()
        n_axes = card_integer(self.header, "NAXIS", 0)
        return tuple(card_integer(self.header, f"NAXIS{n_axes - i}", 0) for i in range(n_axes))


def file_label(name: str) -> str:
    """Call a file something in a message; names come from outside, so they are cut."""
    return f"The file {name[:120]!r}" if name else "The file"


def split_hdus(content: bytes | memoryview, label: str) -> list[Hdu]:
    """
    Find the HDUs of a file, and check that it holds all that their headers promise.

    Parameters
    ----------
    content : bytes
        The whole file.
    label : str
        What to call it in messages, see `file_label`.

    Returns
    -------
    hdus : list of Hdu
        At least one.

    Raises
    ------
    ProductError
        If it is not a FITS file, is cut short, or has a header that cannot be read.
    """
    view = memoryview(content)
    if bytes(view[:9]) != b"SIMPLE  =":
        msg = f"{label} is not a FITS file: {_what_it_looks_like(view)}. Fetch the cutout again."
        raise ProductError(msg)
    try:
        return _split(view, label)
    except (fits.VerifyError, UnicodeError) as exc:
        msg = f"{label} has a damaged header ({exc}). Fetch the cutout again."
        raise ProductError(msg) from exc


def _what_it_looks_like(view: memoryview) -> str:
    head = bytes(view[:200]).lstrip().lower()
    if not head:
        return "it is empty"
    if head.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "it is a web page, perhaps an error message of the service"
    if head.startswith(b"pk\x03\x04"):
        return "it is a zip archive"
    if head.startswith((b"{", b"[")):
        return "it is a JSON text, perhaps a message of the service"
    return f"it begins with {bytes(view[:12])!r}"


def _split(view: memoryview, label: str) -> list[Hdu]:
    hdus: list[Hdu] = []
    position = 0
    while position < len(view) and (not hdus or bytes(view[position : position + 8]).strip(b"\0 ")):
        header, start = _read_header(view, position, label, len(hdus))
        size = _data_size(header, label)
        if start + size > len(view):
            msg = (
                f"{label} is cut short: {len(view):,} bytes of at least {start + size:,} that its "
                f"headers promise. Fetch the cutout again."
            )
            raise ProductError(msg)
        hdus.append(Hdu(header, start, size))
        position = start + -(-size // _BLOCK) * _BLOCK
    promised = card_integer(hdus[0].header, "NEXTEND", 0)
    if len(hdus) <= promised:
        msg = (
            f"{label} is cut short: its first header promises {promised} extensions, and "
            f"{len(hdus) - 1} are there ({len(view):,} bytes). Fetch the cutout again."
        )
        raise ProductError(msg)
    return hdus


def _read_header(view: memoryview, start: int, label: str, number: int) -> tuple[fits.Header, int]:
    """Parse the header that starts at a position; give it and the position after it."""
    for block in range(start, len(view) - _BLOCK + 1, _BLOCK):
        for card in range(block, block + _BLOCK, _CARD):
            if view[card : card + _CARD] == _END_CARD:
                text = str(view[start:card], "ascii")
                return fits.Header.fromstring(text), block + _BLOCK
        if number and block == start and bytes(view[start : start + 8]) != b"XTENSION":
            msg = (
                f"{label} is damaged: after {start:,} bytes there should be an extension, and "
                f"there is {bytes(view[start : start + 8])!r}. Fetch the cutout again."
            )
            raise ProductError(msg)
    msg = (
        f"{label} is cut short: it ends after {len(view):,} bytes, inside header number "
        f"{number + 1}. Fetch the cutout again."
    )
    raise ProductError(msg)


def _data_size(header: fits.Header, label: str) -> int:
    """Give the bytes of an HDU's data without padding, FITS Standard 4.0, equation 2."""
    n_axes = card_integer(header, "NAXIS", 0)
    axes = [card_integer(header, f"NAXIS{i + 1}", -1) for i in range(min(n_axes, 999))]
    if n_axes < 0 or n_axes > 999 or any(n < 0 for n in axes):
        msg = f"{label} has a header with NAXIS = {n_axes} and axes {axes[:4]}: it is damaged."
        raise ProductError(msg)
    if not axes:
        return 0
    groups = card_integer(header, "GCOUNT", 1)
    n_elements = groups * (card_integer(header, "PCOUNT", 0) + math.prod(axes))
    return max(0, abs(card_integer(header, "BITPIX", 8)) // 8 * n_elements)


def card_integer(header: fits.Header, key: str, default: int) -> int:
    """Give the value of a card if it is a whole number, else a default."""
    value = header.get(key)
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else default


def card_number(header: fits.Header, key: str) -> float:
    """Give the value of a card as a float, NaN where it is absent or no number."""
    value = header.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    return float(value)


def card_text(header: fits.Header, key: str) -> str:
    """Give the value of a card without surplus blanks, "" where it is absent or no text."""
    value = header.get(key)
    return value.strip() if isinstance(value, str) else ""


def read_image(content: bytes | memoryview, hdu: Hdu, label: str) -> npt.NDArray[np.float32]:
    """
    Copy the image of an HDU into the machine's own byte order.

    Parameters
    ----------
    content : bytes
        The whole file; nothing of the result refers to it.
    hdu : Hdu
        One of its image HDUs.
    label : str
        What to call the file in messages.

    Returns
    -------
    image : float32 ndarray of shape (ny, nx)
        Physical values: BSCALE and BZERO are applied, BLANK is NaN. Row 0 is the bottom row.

    Raises
    ------
    ProductError
        If BITPIX is none of the six that FITS knows.
    """
    header = hdu.header
    bitpix = header.get("BITPIX")
    dtype = _IMAGE_DTYPES.get(bitpix) if isinstance(bitpix, int) else None
    if dtype is None:
        msg = f"{label} is damaged: BITPIX is {bitpix!r}. Fetch the cutout again."
        raise ProductError(msg)
    raw: npt.NDArray[Any] = np.ndarray(hdu.image_shape, dtype, buffer=content, offset=hdu.start)
    scale, zero = card_number(header, "BSCALE"), card_number(header, "BZERO")
    if not (scale == 1 or math.isnan(scale)) or not (zero == 0 or math.isnan(zero)):
        # In double precision: 16-bit counts around a BZERO of 32768 lose nothing on the way.
        scaled = raw * (1.0 if math.isnan(scale) else scale) + (0.0 if math.isnan(zero) else zero)
        image = scaled.astype(np.float32)
    else:
        with np.errstate(over="ignore"):
            image = raw.astype(np.float32)
    blank = header.get("BLANK")
    if isinstance(blank, int) and raw.dtype.kind != "f":
        image[raw == blank] = np.nan
    return image
