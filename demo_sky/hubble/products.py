"""
The files of the two services: names, HDUs, pictures, and the zip archive around them.

Members of the archive are stored, not deflated, as Zcut's are; they are sent while they are made.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath
from typing import Any

import numpy as np

from demo_sky.hubble import cards
from demo_sky.hubble.mosaics import Mosaic
from demo_sky.hubble.pictures import Scaling, encode, grey_levels
from demo_sky.hubble.pixels import read
from demo_sky.hubble.projection import Window
from demo_sky.tess.product import Cards, bytes_of, hdu_header, ones_sum, padding

Float32Array = np.ndarray[Any, np.dtype[np.float32]]

# Same cutout, same bytes: members carry the zip format's first date, not today's.
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_FILE_MODE = 0o100644 << 16

_CHUNK_BYTES = 2**22


@dataclass(frozen=True, slots=True)
class Piece:
    """One image to cut: a mosaic and which of its pixels."""

    mosaic: Mosaic
    window: Window


@dataclass(frozen=True, slots=True)
class Order:
    """
    What was asked for.

    Attributes
    ----------
    ra, dec : float
        Degrees.
    width, height : float
        x and y of the request, in `units`.
    units : str
        px, d, m or s.
    """

    ra: float
    dec: float
    width: float
    height: float
    units: str

    @property
    def place_and_size(self) -> str:
        """As in Zcut's file names: 189.492060_62.206150_10.0pix-x-5.0pix."""
        unit = {"px": "pix", "d": "deg", "m": "arcmin", "s": "arcsec"}[self.units]
        size = f"{float(self.width)}{unit}-x-{float(self.height)}{unit}"
        return f"{self.ra:.6f}_{self.dec:.6f}_{size}"


# --- FITS -----------------------------------------------------------------------------------------


def _image(header_cards: Cards, image: Float32Array) -> Iterator[bytes]:
    data = bytes_of(image.astype(">f4"))
    yield hdu_header(header_cards, ones_sum(data))
    for start in range(0, len(data), _CHUNK_BYTES):
        yield data[start : start + _CHUNK_BYTES].tobytes()
    yield padding(len(data))


# --- Zcut -----------------------------------------------------------------------------------------


def zcut_files(pieces: Iterable[Piece], order: Order) -> Iterator[tuple[str, Iterator[bytes]]]:
    """
    Make Zcut's FITS files: one per survey, with an image per filter that has data there.

    Parameters
    ----------
    pieces : iterable of Piece
        Those of a survey together.
    order : Order

    Yields
    ------
    name : str
    chunks : iterator of bytes
        To be used up before the next file.
    """
    surveys: dict[str, list[Piece]] = {}
    for piece in pieces:
        surveys.setdefault(piece.mosaic.collection, []).append(piece)
    for survey, members in surveys.items():
        yield f"{survey}_{order.place_and_size}_astrocut.fits", _zcut_file(members, order)


def _zcut_file(pieces: list[Piece], order: Order) -> Iterator[bytes]:
    header = hdu_header(cards.zcut_primary(order.ra, order.dec), 0)
    for piece in pieces:
        # An image takes its time: whoever sends may stop before it.
        yield b""
        pixels = read(piece.mosaic, piece.window)
        yield header
        header = b""
        yield from _image(cards.zcut_image(piece.mosaic, piece.window), pixels.science)


def zcut_pictures(
    pieces: Iterable[Piece], order: Order, picture_format: str, scaling: Scaling
) -> Iterator[tuple[str, Iterator[bytes]]]:
    """
    Make Zcut's pictures: one per image that has data there.

    Parameters
    ----------
    pieces : iterable of Piece
    order : Order
    picture_format : str
        jpg or png.
    scaling : Scaling

    Yields
    ------
    name : str
    chunks : iterator of bytes
    """
    for piece in pieces:
        stem = PurePath(piece.mosaic.file_name).stem
        name = f"{stem}_{order.place_and_size}_astrocut_0.{picture_format}"
        yield name, _picture(piece, picture_format, scaling)


def _picture(piece: Piece, picture_format: str, scaling: Scaling) -> Iterator[bytes]:
    yield b""
    pixels = read(piece.mosaic, piece.window)
    yield encode(grey_levels(pixels.science, scaling), picture_format)


# --- HAPCut ---------------------------------------------------------------------------------------


def hap_files(pieces: Iterable[Piece], order: Order) -> Iterator[tuple[str, Iterator[bytes]]]:
    """
    Make HAPCut's FITS files: one per image, with its weight map.

    Parameters
    ----------
    pieces : iterable of Piece
    order : Order

    Yields
    ------
    name : str
    chunks : iterator of bytes
    """
    for piece in pieces:
        name = hap_file_name(piece.mosaic, order.ra, order.dec)
        yield name, _hap_file(piece, order, name)


def _hap_file(piece: Piece, order: Order, name: str) -> Iterator[bytes]:
    yield b""
    pixels = read(piece.mosaic, piece.window)
    yield _hap_primary(piece.mosaic, order.ra, order.dec, name)
    yield from _image(cards.hap_science(piece.mosaic, piece.window), pixels.science)
    yield from _image(cards.hap_weight(piece.mosaic, piece.window), pixels.weight)


@lru_cache(maxsize=64)
def _hap_primary(mosaic: Mosaic, ra: float, dec: float, name: str) -> bytes:
    """Write the longest of the headers."""
    return hdu_header(cards.hap_primary(mosaic, ra, dec, name), 0)


def hap_file_name(mosaic: Mosaic, ra: float, dec: float) -> str:
    """
    Name a HAPCut file.

    Parameters
    ----------
    mosaic : Mosaic
    ra, dec : float
        Degrees.

    Returns
    -------
    name : str
        Such as
        hst_cutout_skycell-p2007x09y05-ra351d3478-decn28d4978_wfc3_ir_f160w_coarse.fits.
    """
    cell = mosaic.cell.name if mosaic.cell else ""
    hemisphere = "s" if dec < 0.0 else "n"
    place = f"ra{int(ra)}d{_fraction(ra)}-dec{hemisphere}{int(abs(dec))}d{_fraction(dec)}"
    band = "_".join(part.lower() for part in mosaic.bandpass.key)
    coarse = "_coarse" if mosaic.coarse else ""
    return f"hst_cutout_skycell-{cell}-{place}_{band}{coarse}.fits"


def _fraction(degrees: float) -> str:
    """
    Give four digits of a fraction as drizzlepac does: cut, not rounded, last bits and all.

    84.9208 gives 9207. In the south they are those of the way to the next degree: -69.1484 gives
    8516.
    """
    return f"{degrees % 1.0:.16f}".partition(".")[2].rstrip("0")[:4] or "0"


# --- Zip ------------------------------------------------------------------------------------------


class _Pipe(io.RawIOBase):
    """A file that cannot be sought: what is written to it is taken away piece by piece."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._chunks.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken = b"".join(self._chunks)
        self._chunks.clear()
        return taken


def stream_archive(
    files: Iterable[tuple[str, Iterator[bytes]]],
) -> Generator[bytes, None, None]:
    """
    Send files as a zip archive while they are made.

    Parameters
    ----------
    files : iterable of (str, iterator of bytes)

    Yields
    ------
    chunk : bytes
        Sometimes empty: whoever sends can stop there.
    """
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED) as archive:
        for name, chunks in files:
            info = zipfile.ZipInfo(name, _ZIP_DATE)
            info.external_attr = _FILE_MODE
            with archive.open(info, "w") as member:
                for chunk in chunks:
                    member.write(chunk)
                    yield pipe.take() if chunk else b""
            yield pipe.take()
    yield pipe.take()
