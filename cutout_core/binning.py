"""Blocks of pixels -> single pixels: images made smaller, with their place on the sky."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from astropy.wcs import WCS

FloatImage: TypeAlias = npt.NDArray[np.float32]


def block_mean(data: FloatImage, factor: int) -> FloatImage:
    """
    Average square blocks of pixels.

    Parameters
    ----------
    data : float32 ndarray of shape (ny, nx)
        NaN pixels do not count.
    factor : int
        Side of a block. The first begins with the first pixel; rows and columns beyond the last
        whole block are left out.

    Returns
    -------
    means : float32 ndarray of shape (ny // factor, nx // factor)
        NaN where less than half of a block has data. With a factor of 1 it is `data` itself.
    """
    if factor == 1:
        return data
    sums = _block_sum(data, factor)
    # A sum over everything is finite only if all is, and costs a tenth of looking at each.
    if np.isfinite(sums.sum(dtype=np.float64)):
        sums *= np.float32(1 / factor**2)
        return sums
    known = np.isfinite(data)
    counts = _block_sum(known.astype(np.float32), factor)
    sums = _block_sum(np.where(known, data, np.float32(0)), factor)
    sums /= np.maximum(counts, np.float32(1))
    sums[counts * 2 < factor**2] = np.nan
    return sums


def _block_sum(data: FloatImage, factor: int) -> FloatImage:
    # Adding slices is twenty times faster than a reshape and a sum over two axes.
    ny, nx = (side // factor * factor for side in data.shape)
    rows = data[0:ny:factor, :nx].copy()
    for i in range(1, factor):
        rows += data[i:ny:factor, :nx]
    sums: FloatImage = rows[:, 0:nx:factor].copy()
    for i in range(1, factor):
        sums += rows[:, i:nx:factor]
    return sums


def binned_wcs(wcs: WCS, factor: int) -> WCS:
    """
    Give the WCS of an image whose pixels are blocks of another's.

    Parameters
    ----------
    wcs : WCS
    factor : int
        Side of a block. The first block begins with the first pixel.

    Returns
    -------
    wcs : WCS
        A copy. Distortion terms are left out: they are not known for blocks.
    """
    coarse = wcs.deepcopy()
    if coarse.sip is not None:
        coarse.sip = None
        coarse.wcs.ctype = [name.removesuffix("-SIP") for name in coarse.wcs.ctype]
    # The outer corner of the first pixel, 0.5 in FITS's count, stays where it is.
    coarse.wcs.crpix = (np.asarray(wcs.wcs.crpix) - 0.5) / factor + 0.5
    if coarse.wcs.has_cd():
        coarse.wcs.cd = np.asarray(wcs.wcs.cd) * factor
    else:
        coarse.wcs.cdelt = np.asarray(wcs.wcs.cdelt) * factor
    coarse.wcs.set()
    return coarse
