"""
Small files in MAST's formats for tests.

They are written with astropy alone, neither with the core nor with the demo sky, so that a mistake
that is shared by reader and writer cannot hide.
"""

import importlib.util
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

#: First pixel of the cutout in the full-frame image, 1-based.
CORNER = (1628, 257)


def make_wcs_cards(
    shape: tuple[int, int],
    *,
    ra: float = 84.29119,
    dec: float = -80.46917,
    scale_arcsec: float = 21.0,
    rotation_deg: float = 0.0,
    mirrored: bool = False,
    target: tuple[float, float] | None = None,
) -> dict[str, Any]:
    """
    Cards of a TAN WCS that puts (ra, dec) on a pixel.

    `rotation_deg` turns north from straight up towards the left (counter-clockwise); east is 90
    degrees further to the left, or to the right if `mirrored`. `target` is 0-based (x, y), by
    default the centre of the stamp.
    """
    ny, nx = shape
    x, y = ((nx - 1) / 2, (ny - 1) / 2) if target is None else target
    scale = scale_arcsec / 3600
    angle = np.radians(rotation_deg)
    north = np.array([-np.sin(angle), np.cos(angle)])  # unit vector in pixels (x, y)
    east = np.array([-north[1], north[0]]) * (-1 if mirrored else 1)
    # World = PC @ pixel: the rows are the pixel directions in which east and north grow.
    return {
        "WCSAXES": 2,
        "CRPIX1": x + 1.0,
        "CRPIX2": y + 1.0,
        "PC1_1": scale * east[0],
        "PC1_2": scale * east[1],
        "PC2_1": scale * north[0],
        "PC2_2": scale * north[1],
        "CDELT1": 1.0,
        "CDELT2": 1.0,
        "CUNIT1": "deg",
        "CUNIT2": "deg",
        "CTYPE1": "RA---TAN",
        "CTYPE2": "DEC--TAN",
        "CRVAL1": ra,
        "CRVAL2": dec,
        "LONPOLE": 180.0,
        "LATPOLE": dec,
        "RADESYS": "ICRS",
    }


def make_tpf_file(
    flux: np.ndarray | None = None,
    *,
    time: np.ndarray | None = None,
    quality: np.ndarray | None = None,
    flux_err: np.ndarray | None = None,
    flux_bkg: np.ndarray | None = None,
    aperture: np.ndarray | None = None,
    column_wcs: bool = True,
    primary: Mapping[str, Any] | None = None,
    pixels: Mapping[str, Any] | None = None,
    wcs_cards: Mapping[str, Any] | None = None,
    without: tuple[str, ...] = (),
) -> bytes:
    """
    Target pixel file as TESSCut sends it, by default 3 cadences of 2 x 3 pixels (ny x nx).

    `column_wcs` writes the WCS cards of the image columns, as astrocut did before 1.0. `primary`
    and `pixels` replace cards of those headers (`None` as a value takes one away), even with
    values that make no sense; `without` leaves out columns.
    """
    if flux is None:
        flux = np.arange(18, dtype=np.float32).reshape(3, 2, 3) + 100
    flux = np.asarray(flux, dtype=np.float32)
    ny, nx = flux.shape[1:]
    cards = dict(make_wcs_cards((ny, nx)) if wcs_cards is None else wcs_cards)
    table = _pixels_hdu(flux, time, quality, flux_err, flux_bkg, without)
    if column_wcs:
        for number in _image_columns(table):
            table.header.update(_column_cards(number, cards))
    about = {
        "ORIGIN": "STScI/MAST",
        "CREATOR": "astrocut",
        "PROCVER": "0.11.1",
        "TELESCOP": "TESS",
        "SIMDATA": False,
        "CAMERA": 4,
        "CCD": 2,
        "SECTOR": 1,
        "RA_OBJ": cards.get("CRVAL1"),
        "DEC_OBJ": cards.get("CRVAL2"),
        "TIMESYS": "TDB",
        "BJDREFI": 2457000,
        "OBJECT": "",
    }
    scale = {f"T{key}{n}": value for n in (5, 6) for key, value in (("SCAL", 1.0), ("ZERO", 0.0))}
    table.header.update(scale | {"EXPOSURE": 0.0165, "TIMEDEL": 0.0208333333} | about)
    first = fits.PrimaryHDU()
    first.header.update({"NEXTEND": 2, "EXTNAME": "PRIMARY"} | about)
    mask = np.ones((ny, nx), dtype=np.int32) if aperture is None else aperture
    image = fits.ImageHDU(mask, name="APERTURE")
    image.header.update(cards)
    out = io.BytesIO()
    fits.HDUList([first, table, image]).writeto(out)
    content = bytearray(out.getvalue())
    _change(content, 0, primary)
    _change(content, content.index(b"XTENSION= 'BINTABLE'"), pixels)
    return bytes(content)


def _pixels_hdu(
    flux: np.ndarray,
    time: np.ndarray | None,
    quality: np.ndarray | None,
    flux_err: np.ndarray | None,
    flux_bkg: np.ndarray | None,
    without: tuple[str, ...],
) -> fits.BinTableHDU:
    n, ny, nx = flux.shape
    images = f"{ny * nx}E"
    dim = f"({nx}, {ny})"
    zero = np.zeros(n, dtype=np.float32)
    zeros = np.zeros_like(flux)
    time = 1325.3 + np.arange(n) / 48 if time is None else time
    err = np.ones_like(flux) if flux_err is None else flux_err
    bkg = zeros if flux_bkg is None else flux_bkg
    columns = [
        fits.Column("TIME", "D", "BJD - 2457000, days", array=time),
        fits.Column("TIMECORR", "E", "d", array=zero + np.float32(0.005)),
        fits.Column("CADENCENO", "J", array=zero),
        fits.Column("RAW_CNTS", f"{ny * nx}J", "count", -1, dim=dim, array=zeros - 1),
        fits.Column("FLUX", images, "e-/s", dim=dim, array=flux),
        fits.Column("FLUX_ERR", images, "e-/s", dim=dim, array=err),
        fits.Column("FLUX_BKG", images, "e-/s", dim=dim, array=bkg),
        fits.Column("FLUX_BKG_ERR", images, "e-/s", dim=dim, array=zeros),
        fits.Column("QUALITY", "J", array=zero if quality is None else quality),
        fits.Column("POS_CORR1", "E", "pixel", array=zero),
        fits.Column("POS_CORR2", "E", "pixel", array=zero),
        fits.Column("FFI_FILE", "38A", array=["tess2018206192942-s0001-4-2-0120-s_ffi"] * n),
    ]
    kept = [column for column in columns if column.name not in without]
    return fits.BinTableHDU.from_columns(kept, name="PIXELS")


def _image_columns(table: fits.BinTableHDU) -> list[int]:
    return [i for i in range(1, len(table.columns) + 1) if f"TDIM{i}" in table.header]


def _column_cards(n: int, cards: Mapping[str, Any]) -> dict[str, Any]:
    """Celestial and physical WCS of an image column, in astrocut 0.11's spelling."""
    celestial = {f"{axis}CRPX{n}": cards.get(f"CRPIX{axis}", 1.0) for axis in (1, 2)}
    celestial |= {f"{axis}CRVL{n}": cards.get(f"CRVAL{axis}", 0.0) for axis in (1, 2)}
    physical = {f"{axis}CRV{n}P": CORNER[axis - 1] for axis in (1, 2)}
    return celestial | physical | {f"{axis}CRP{n}P": 1 for axis in (1, 2)}


def _change(content: bytearray, start: int, cards: Mapping[str, Any] | None) -> None:
    """
    Change cards of the header that starts at a position, in the bytes of the file.

    On the header object astropy would put the structural cards of a table right again.
    """
    for key, value in (cards or {}).items():
        image = b" " * 80 if value is None else fits.Card(key, value).image.encode()
        at = start
        while content[at : at + 8] != key.ljust(8).encode() and content[at : at + 8] != b"END     ":
            at += 80
        if content[at : at + 8] != b"END     ":
            content[at : at + 80] = image
        elif value is not None:
            msg = f"the header has no card {key} to change"
            raise KeyError(msg)


def make_moving_tpf_file(
    column: np.ndarray,
    row: np.ndarray,
    *,
    shape: tuple[int, int] = (11, 11),
    field: np.ndarray | float = 0.0,
    target_flux: np.ndarray | float = 1000.0,
    sky: np.ndarray | float = 0.0,
    sigma_px: float = 1.0,
    noise: float = 0.0,
    time: np.ndarray | None = None,
    quality: np.ndarray | None = None,
    ccd_shape: tuple[int, int] = (200, 220),
    wcs_cards: Mapping[str, Any] | None = None,
    seed: int = 1,
) -> bytes:
    """
    Target pixel file that follows a moving target, as TESSCut sends it.

    The target is a Gaussian of width `sigma_px` at FFI pixel `column`, `row` (0-based) of each
    cadence. `field` is the FFI without it, of shape `ccd_shape` (or one number); `sky` is added to
    every pixel, `noise` is the standard deviation of a pixel. The windows are those of astrocut:
    from the rounded lower limit. What lies beyond the CCD is NaN.
    """
    n, (ny, nx) = len(column), shape
    left = np.rint(column - nx / 2).astype(int)
    bottom = np.rint(row - ny / 2).astype(int)
    whole = np.full((ccd_shape[0] + 2 * ny, ccd_shape[1] + 2 * nx), np.nan)
    whole[ny:-ny, nx:-nx] = field
    window = np.arange(ny)[:, None] + ny, np.arange(nx) + nx
    frames = np.stack(
        [whole[window[0] + b, window[1] + a] for a, b in zip(left, bottom, strict=True)]
    )
    x, y = column - left, row - bottom
    in_x = np.exp(-0.5 * ((np.arange(nx) - x[:, None]) / sigma_px) ** 2)
    in_y = np.exp(-0.5 * ((np.arange(ny) - y[:, None]) / sigma_px) ** 2)
    light = in_y[:, :, None] * in_x[:, None, :] / (2 * np.pi * sigma_px**2)
    frames += light * np.broadcast_to(target_flux, n)[:, None, None]
    frames += np.broadcast_to(sky, n)[:, None, None]
    frames += np.random.default_rng(seed).normal(0, noise or 0.0, frames.shape)
    cards = make_wcs_cards(ccd_shape) if wcs_cards is None else wcs_cards
    ra, dec = WCS(fits.Header(dict(cards))).pixel_to_world_values(column, row)
    return _moving_file(
        frames.astype(np.float32), (x, y, ra, dec), time, quality, noise, ccd_shape, cards
    )


def _moving_file(
    flux: np.ndarray,
    track: tuple[np.ndarray, ...],
    time: np.ndarray | None,
    quality: np.ndarray | None,
    noise: float,
    ccd_shape: tuple[int, int],
    wcs_cards: Mapping[str, Any],
) -> bytes:
    table = _pixels_hdu(flux, time, quality, np.full_like(flux, noise or 1.0), None, ())
    ny, nx = flux.shape[1:]
    columns = list(table.columns)
    for name, values in zip(("TGT_X", "TGT_Y", "TGT_RA", "TGT_DEC"), track, strict=True):
        columns.append(fits.Column(name, "D", array=values))
    table = fits.BinTableHDU.from_columns(columns, name="PIXELS")
    for number in _image_columns(table):
        table.header[f"TDIM{number}"] = f"({nx},{ny})"
    about = {"ORIGIN": "STScI/MAST", "CREATOR": "astrocut", "SIMDATA": False, "SECTOR": 6}
    about |= {"CAMERA": 1, "CCD": 1, "OBJECT": "Eleonora", "BJDREFI": 2457000}
    table.header.update({"EXPOSURE": 0.0165, "TIMEDEL": 0.0208333333} | about)
    first = fits.PrimaryHDU()
    first.header.update({"NEXTEND": 2, "EXTNAME": "PRIMARY"} | about)
    image = fits.ImageHDU(np.zeros(ccd_shape, dtype=np.int32), name="APERTURE")
    image.header.update(wcs_cards)
    out = io.BytesIO()
    fits.HDUList([first, table, image]).writeto(out)
    return out.getvalue()


def make_zip(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Zip archive as MAST sends it: every member with a data descriptor behind it."""

    class _Pipe(io.RawIOBase):
        """A file that cannot be sought makes zipfile write data descriptors."""

        def __init__(self) -> None:
            self.content = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.content += data
            return len(data)

    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return bytes(pipe.content)


def real_file_of_2018() -> tuple[str, bytes]:
    """Name and bytes of a file of TESSCut's first year, which astroquery ships with its tests."""
    spec = importlib.util.find_spec("astroquery")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0]) / "mast" / "tests" / "data"
    with zipfile.ZipFile(folder / "astrocut_107.27_-70.0_5x5.zip") as archive:
        name = archive.namelist()[0]
        return name, archive.read(name)
