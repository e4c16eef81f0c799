"""
Small image files in the formats of Zcut and HAPCut for tests, and skies with planted stars.

They are written with astropy alone, neither with the core nor with the demo sky, so that a mistake
that is shared by reader and writer cannot hide.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS

from tests.factories import make_wcs_cards

#: Where the planted skies are, unless a test says otherwise.
RA, DEC = 189.49206, 62.20615


def make_wcs(
    shape: tuple[int, int],
    *,
    ra: float = RA,
    dec: float = DEC,
    scale_arcsec: float = 0.05,
    rotation_deg: float = 0.0,
    mirrored: bool = False,
    target: tuple[float, float] | None = None,
) -> WCS:
    """TAN WCS that puts (ra, dec) on a pixel, as `make_wcs_cards` does."""
    cards = make_wcs_cards(
        shape,
        ra=ra,
        dec=dec,
        scale_arcsec=scale_arcsec,
        rotation_deg=rotation_deg,
        mirrored=mirrored,
        target=target,
    )
    return WCS(fits.Header(list(cards.items())))


def plant_stars(
    shape: tuple[int, int],
    pixels: Sequence[tuple[float, float]],
    *,
    flux: float | Sequence[float] = 1000.0,
    fwhm: float = 3.0,
    sky: float = 0.0,
    noise: float = 0.0,
    seed: int = 1,
) -> np.ndarray:
    """
    Image of round stars, integrated over the pixels: their centroids are where they were planted.

    `pixels` are 0-based (x, y).
    """
    from scipy.special import erf

    ny, nx = shape
    image = np.full(shape, sky, dtype=np.float64)
    if noise:
        image += np.random.default_rng(seed).normal(0, noise, shape)
    width = fwhm / np.sqrt(8 * np.log(2)) * np.sqrt(2)
    fluxes = np.broadcast_to(flux, len(pixels))
    for (x, y), f in zip(pixels, fluxes, strict=True):
        along_x = np.diff(erf((np.arange(nx + 1) - 0.5 - x) / width)) / 2
        along_y = np.diff(erf((np.arange(ny + 1) - 0.5 - y) / width)) / 2
        image += f * along_y[:, None] * along_x[None, :]
    return image.astype(np.float32)


def centroid(image: np.ndarray, near: tuple[float, float], radius: int = 6) -> tuple[float, float]:
    """Centre of light (x, y) around a pixel, above the median of the box."""
    x, y = round(float(near[0])), round(float(near[1]))
    y0, x0 = max(0, y - radius), max(0, x - radius)
    box = np.asarray(image, dtype=np.float64)[y0 : y + radius + 1, x0 : x + radius + 1]
    light = np.clip(box - np.median(box), 0, None)
    light[light < 0.02 * light.max()] = 0
    ys, xs = np.mgrid[: box.shape[0], : box.shape[1]]
    return float((light * xs).sum() / light.sum() + x0), float(
        (light * ys).sum() / light.sum() + y0
    )


def make_zcut_file(
    images: Sequence[np.ndarray],
    originals: Sequence[str] = ("hlsp_candels_hst_acs_gn-tot-30mas_f606w_v1.0_drz.fits",),
    *,
    wcs_cards: Mapping[str, Any] | None = None,
    cards: Mapping[str, Any] | None = None,
    primary: Mapping[str, Any] | None = None,
) -> bytes:
    """One file of Zcut: PRIMARY, then a CUTOUT per image; `cards` go into every CUTOUT."""
    first = fits.PrimaryHDU()
    about = {"ORIGIN": "STScI/MAST", "PROCVER": "0.6", "RA_OBJ": RA, "DEC_OBJ": DEC}
    first.header.update(about | dict(primary or {}))
    hdus = [first]
    for image, original in zip(images, originals, strict=True):
        hdu = fits.ImageHDU(image)
        shape = image.shape if image.ndim == 2 else (1, 1)
        hdu.header.update(make_wcs_cards(shape, ra=RA, dec=DEC, scale_arcsec=0.03))
        hdu.header.update(dict(wcs_cards or {}))
        hdu.header.update({"EXTNAME": "CUTOUT", "ORIG_FLE": original} | dict(cards or {}))
        hdus.append(hdu)
    return _written(hdus)


def make_hapcut_file(
    data: np.ndarray,
    weight: np.ndarray | None = None,
    *,
    primary: Mapping[str, Any] | None = None,
    cards: Mapping[str, Any] | None = None,
    names: tuple[str, str] = ("SCI", "WHT"),
) -> bytes:
    """One file of HAPCut: PRIMARY with the mosaic's cards, SCI and WHT."""
    first = fits.PrimaryHDU()
    about = {
        "TELESCOP": "HST",
        "INSTRUME": "WFC3",
        "DETECTOR": "IR",
        "FILTER": "F160W",
        "EXPTIME": 2396.9,
        "RA_OBJ": RA,
        "DEC_OBJ": DEC,
        "ORIG_FLE": "hst_skycell-p2007x09y05_wfc3_ir_f160w_coarse-all_drz.fits",
    }
    first.header.update(about | dict(primary or {}))
    science = fits.ImageHDU(data, name=names[0])
    science.header.update(make_wcs_cards(data.shape, ra=RA, dec=DEC, scale_arcsec=0.12))
    science.header.update({"BUNIT": "ELECTRONS/S", "PHOTPLAM": 15369.17} | dict(cards or {}))
    hdus = [first, science]
    if weight is not None:
        hdus.append(fits.ImageHDU(weight, name=names[1]))
    return _written(hdus)


def _written(hdus: Sequence[Any]) -> bytes:
    out = io.BytesIO()
    fits.HDUList(list(hdus)).writeto(out)
    return out.getvalue()
