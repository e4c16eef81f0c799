"""
The star field that a moving target crosses, without the target.

The window of such a file jumps with the target, so that the same pixel of the detector is seen
before, under and after it. What a pixel shows while the target is elsewhere is what lies behind the
target when it is there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from cutout_core.medians import group_medians, row_medians
from cutout_core.tpf import TargetPixelFile

FloatArray: TypeAlias = npt.NDArray[np.float64]
IndexArray: TypeAlias = npt.NDArray[np.intp]
Mask: TypeAlias = npt.NDArray[np.bool_]

# The WCS is that of one image, and the pointing of the others differs by some tenths of a pixel at
# most: a frame whose place is farther from a whole pixel than this is not used.
_PLACE_TOLERANCE_PX = 0.35

# A file with more such frames than this has a WCS that is not its own.
_MAX_MISPLACED = 0.1

# More samples than this tell nothing new about a field that stands still, and cost time.
_MAX_SAMPLES = 4_000_000

# Variance of a median over that of a mean, for many normal values: Kendall & Stuart, section 14.6.
_MEDIAN_VARIANCE = math.pi / 2


@dataclass(frozen=True, slots=True, eq=False)
class StarField:
    """
    The part of the CCD that the windows of a moving target cover, without the target.

    Attributes
    ----------
    image : float32 ndarray of shape (rows, columns)
        What each pixel shows while the target is elsewhere, above the level of the sky of that
        moment, in electron/s: about 0 where there is no star. NaN where it was never seen so.
    error : float32 ndarray of shape (rows, columns)
        Its error; NaN where `image` is.
    column, row : int
        1-based column and row of its first pixel in the full-frame image.
    window_x, window_y : int ndarray of shape (n_cadences,)
        Pixel of `image` that is the first one of each frame. Where `placed` is `False`, 0.
    placed : bool ndarray of shape (n_cadences,)
        Whether the place of the frame is known.
    """

    image: npt.NDArray[np.float32]
    error: npt.NDArray[np.float32]
    column: int
    row: int
    window_x: IndexArray
    window_y: IndexArray
    placed: Mask


def target_track(tpf: TargetPixelFile) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """
    Give the places of a moving target.

    Parameters
    ----------
    tpf : TargetPixelFile

    Returns
    -------
    x, y, ra, dec : float64 ndarrays of shape (n_cadences,)
        `target_x`, `target_y`, `target_ra` and `target_dec` of the file.

    Raises
    ------
    ValueError
        If the file follows no moving target.
    """
    track = tpf.target_x, tpf.target_y, tpf.target_ra, tpf.target_dec
    if any(values is None for values in track):
        msg = "the file follows no moving target"
        raise ValueError(msg)
    return track  # type: ignore[return-value]  # none of them is None


def window_corners(tpf: TargetPixelFile) -> tuple[IndexArray, IndexArray, Mask] | None:
    """
    Find where on the CCD each frame of a moving target's file was cut.

    The file does not say it: it follows from the target's place on the sky, which the WCS of the
    CCD turns into a pixel, and its place in the frame.

    Parameters
    ----------
    tpf : TargetPixelFile

    Returns
    -------
    column, row : int ndarrays of shape (n_cadences,)
        0-based pixel of the full-frame image that is the first one of each frame.
    placed : bool ndarray of shape (n_cadences,)
        `False` where they are not known. Instead of the three there is `None` for a fixed target,
        for a file without a WCS of the CCD, and if places and WCS do not fit together.
    """
    if tpf.ffi_wcs is None or not tpf.is_moving:
        return None
    track = np.stack(target_track(tpf))
    known: Mask = np.asarray(np.isfinite(track).all(axis=0))
    if not known.any():
        return None
    x_and_y, ra, dec = track[:2, known], track[2, known], track[3, known]
    exact = np.stack(tpf.ffi_wcs.world_to_pixel_values(ra, dec)) - x_and_y
    fits = np.all(np.abs(exact - np.rint(exact)) < _PLACE_TOLERANCE_PX, axis=0)
    if np.count_nonzero(fits) < (1 - _MAX_MISPLACED) * len(fits):
        return None
    placed = known.copy()
    placed[known] = fits
    column, row = np.zeros((2, len(known)), dtype=np.intp)
    column[placed], row[placed] = np.rint(exact[:, fits]).astype(np.intp)
    return column, row, placed


def sky_levels(
    tpf: TargetPixelFile,
    *,
    reach_px: float,
    outer_px: float = math.inf,
    field: StarField | None = None,
) -> tuple[FloatArray, FloatArray]:
    """
    Measure the sky of each frame around a moving target: the median of the pixels.

    Parameters
    ----------
    tpf : TargetPixelFile
        Of a moving target.
    reach_px, outer_px : float
        Pixels with their centre within the one and beyond the other distance of the target do
        not count.
    field : StarField, optional
        Is subtracted first; pixels that it does not know do not count then, if others do.

    Returns
    -------
    level : float64 ndarray of shape (n_cadences,)
        In electron/s per pixel; NaN where no pixel counts.
    error : float64 ndarray of shape (n_cadences,)
        That of a median of n normal values: sqrt(pi / 2 * mean(err²) / n).
    """
    level, error = np.full((2, tpf.n_cadences), np.nan)
    for rows in _blocks(tpf.n_cadences, tpf.shape):
        counts = _around(tpf, rows, reach_px, outer_px)
        values = tpf.flux[rows]
        if field is not None:
            behind = _behind(field, rows, tpf.shape)
            # Where nothing is known of any pixel, the frame as it is is better than nothing.
            behind[~(counts & np.isfinite(behind)).any(axis=(1, 2))] = 0
            values = values - behind
        counts = counts & np.isfinite(values)
        masked = np.where(counts, values, np.float32(np.nan)).reshape(len(counts), -1)
        level[rows] = row_medians(masked)
        n_values = np.maximum(np.count_nonzero(counts, axis=(1, 2)), 1)
        variance = np.square(tpf.flux_err[rows], where=counts, out=np.zeros_like(values))
        error[rows] = np.sqrt(_MEDIAN_VARIANCE * variance.sum(axis=(1, 2))) / n_values
    error[np.isnan(level)] = np.nan
    return level, error


def find_star_field(tpf: TargetPixelFile, good: Mask, *, reach_px: float) -> StarField | None:
    """
    Find the star field behind a moving target: the median of each pixel while the target is away.

    From each frame the level of its sky is taken first, and in a second round, when the stars are
    known, that of the sky between them. Wings of the target that reach beyond `reach_px` stay in
    the field; they are the same all along the way.

    Parameters
    ----------
    tpf : TargetPixelFile
    good : bool ndarray of shape (n_cadences,)
        Frames to use. Empty frames are left out in any case.
    reach_px : float
        Pixels with their centre within this distance of the target do not count.

    Returns
    -------
    field : StarField or None
        `None` where the places of the frames on the CCD cannot be found, see `window_corners`.
    """
    corners = window_corners(tpf)
    if corners is None:
        return None
    column, row, placed = corners
    ny, nx = tpf.shape
    first = int(column[placed].min()), int(row[placed].min())
    width = int(column[placed].max()) - first[0] + nx
    height = int(row[placed].max()) - first[1] + ny
    empty = np.full((height, width), np.nan, dtype=np.float32)
    field = StarField(
        image=empty,
        error=empty,
        column=first[0] + 1,
        row=first[1] + 1,
        window_x=np.where(placed, column - first[0], 0),
        window_y=np.where(placed, row - first[1], 0),
        placed=placed,
    )
    chosen = np.flatnonzero(good & placed & ~tpf.empty_frames)
    chosen = chosen[:: 1 + len(chosen) * ny * nx // _MAX_SAMPLES]
    for known in (None, field):
        level, _ = sky_levels(tpf, reach_px=reach_px, field=known)
        field = _with_medians(field, tpf, chosen, level, reach_px)
    return field


def _with_medians(
    field: StarField,
    tpf: TargetPixelFile,
    chosen: IndexArray,
    level: FloatArray,
    reach_px: float,
) -> StarField:
    """Fill in the median of every pixel over the chosen frames, and its error."""
    values = tpf.flux[chosen] - level[chosen, None, None].astype(np.float32)
    counts = _around(tpf, chosen, reach_px, math.inf) & np.isfinite(values)
    ny, nx = tpf.shape
    height, width = field.image.shape
    inside = (np.arange(ny) * width)[:, None] + np.arange(nx)
    start = field.window_y[chosen] * width + field.window_x[chosen]
    pixels = (start[:, None, None] + inside)[counts]
    n_visits = np.bincount(pixels, minlength=height * width)
    image = group_medians(values[counts], pixels, height * width)
    squares = np.bincount(
        pixels, np.square(tpf.flux_err[chosen][counts], dtype=np.float64), height * width
    )
    error = np.sqrt(_MEDIAN_VARIANCE * squares) / np.maximum(n_visits, 1)
    # A fast target leaves one visit for many pixels; their errors say so.
    error[n_visits == 0] = np.nan
    maps = [values.astype(np.float32).reshape(height, width) for values in (image, error)]
    for values in maps:
        values.flags.writeable = False
    return replace(field, image=maps[0], error=maps[1])


def _around(
    tpf: TargetPixelFile, rows: slice | IndexArray, reach_px: float, outer_px: float
) -> Mask:
    """Tell which pixels of frames lie in a ring around the target, shape (n, ny, nx)."""
    x, y, _, _ = target_track(tpf)
    ny, nx = tpf.shape
    # Shapes (n, 1, nx) and (n, ny, 1).
    in_x = np.square(np.arange(nx) - x[rows, None, None])
    in_y = np.square(np.arange(ny)[:, None] - y[rows, None, None])
    distance = in_x + in_y
    ring: Mask = distance > reach_px**2
    if outer_px < math.inf:
        ring &= distance <= outer_px**2
    return ring


def _behind(field: StarField, rows: slice, shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Cut the frames of a star field, shape (n, ny, nx); NaN where a place is not known."""
    ny, nx = shape
    y = field.window_y[rows, None, None] + np.arange(ny)[:, None]
    x = field.window_x[rows, None, None] + np.arange(nx)
    behind: npt.NDArray[np.float32] = field.image[y, x]
    behind[~field.placed[rows]] = np.nan
    return behind


def _blocks(n: int, shape: tuple[int, int]) -> list[slice]:
    """Cut frames into blocks that take few MB each."""
    size = max(1, 200_000 // (shape[0] * shape[1]))
    return [slice(i, min(i + size, n)) for i in range(0, n, size)]
