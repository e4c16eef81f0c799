"""
Pixels -> light curve: an aperture, the background around it, and the sum.

Everything is a pure function of arrays. Fluxes are read as float32 and added up as float64.
"""

import math
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from cutout_core.lightcurve import LightCurve
from cutout_core.medians import row_medians
from cutout_core.quality import good_cadences
from cutout_core.tpf import TargetPixelFile

FloatArray: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]

# A pixel belongs to a star if it stands out of the sky by this many sigma. lightkurve's threshold
# mask takes the same number.
THRESHOLD_SIGMA = 3.0

# Pixels fainter than this part of the star's brightest pixel add more noise and neighbours than
# light: outside of it TESS's point spread function holds about 5 % of a star.
FAINTEST_FRACTION = 0.01

# Two peaks are two stars if the fainter one stands out of the saddle between them by this factor.
# Less is the ragged top of one saturated star.
SADDLE_CONTRAST = 1.25

# A star is the target if its peak is this near to where the target should be, in pixels: pointing,
# proper motion and the asymmetric point spread function move it by about one pixel.
REACH_PX = 1.5

# On a stamp of fewer pixels than this a star leaves too little sky to tell by its scatter what
# stands out: there a quarter of the way from the faintest pixel to the target's peak is enough.
SMALL_STAMP_PIXELS = 64
SMALL_STAMP_FRACTION = 0.25

# No background pixels within this distance of the aperture, in pixels.
RING_PX = 2.0

# A median of fewer pixels than this follows single pixels.
MIN_BACKGROUND_PIXELS = 5

# Standard deviation of a normal distribution over its median absolute deviation.
_MAD_TO_SIGMA = 1.4826
# Variance of a median over that of a mean, for many normal values: Kendall & Stuart, section 14.6.
_MEDIAN_VARIANCE = math.pi / 2


def mean_image(tpf: TargetPixelFile, good: Mask) -> FloatArray:
    """
    Average the good cadences, pixel by pixel.

    Parameters
    ----------
    tpf : TargetPixelFile
    good : bool ndarray of shape (n_cadences,)
        Cadences to use. Empty frames are left out in any case.

    Returns
    -------
    image : float64 ndarray of shape (ny, nx)
        Mean flux in electron/s of the cadences in which the pixel has a value; NaN for a pixel
        that has none, and everywhere if no cadence is good.
    """
    frames, used = _frames(tpf.flux), good & ~tpf.empty_frames
    if not used.any():
        return np.full(tpf.shape, np.nan)
    total = np.zeros(frames.shape[1])
    weights = used.astype(np.float32)
    for rows in _blocks(len(frames)):
        total += weights[rows] @ frames[rows]
    image: FloatArray = total / np.count_nonzero(used)
    # NaN in any cadence, used or not, has spread over the whole pixel.
    gaps = np.flatnonzero(np.isnan(image))
    if gaps.size:
        columns = frames[:, gaps][used].astype(np.float64)
        n_values = np.count_nonzero(~np.isnan(columns), axis=0)
        total = np.nansum(columns, axis=0)
        image[gaps] = np.divide(total, n_values, out=np.full(gaps.size, np.nan), where=n_values > 0)
    return image.reshape(tpf.shape)


def default_aperture(
    image: FloatArray, *, target: tuple[float, float] | None = None, sigma: float = THRESHOLD_SIGMA
) -> Mask:
    """
    Choose the pixels of the star in the middle of a stamp.

    Pixels that stand out of the sky (median + `sigma` times the scaled median absolute deviation,
    found again without what stands out) are parted into stars at the saddles between peaks. The
    target's star is the one that peaks within `REACH_PX` of the target, or that is about as bright
    there as at its peak (a saturated star's bleeding columns). Of it the pixels brighter than
    `FAINTEST_FRACTION` of the peak are taken, and at most half of the stamp.

    Where no star stands out there (a faint target, or one in the glare of a neighbour), the
    aperture is the pixel under the target and those within one pixel of it.

    Parameters
    ----------
    image : ndarray of shape (ny, nx)
        Mean flux in electron/s; NaN for pixels that were not collected, which are never taken.
    target : (float, float), optional
        0-based (x, y) of the target; by default the middle of the stamp.
    sigma : float, optional
        Height over the sky from which on a pixel belongs to a star.

    Returns
    -------
    aperture : bool ndarray of shape (ny, nx)
        At least one pixel is `True`: if the image is all NaN, the one under the target.
    """
    ny, nx = image.shape
    x, y = ((nx - 1) / 2, (ny - 1) / 2) if target is None else target
    rows, columns = np.indices(image.shape)
    distance = np.hypot(columns - x, rows - y)
    collected = np.isfinite(image)
    if not collected.any():
        return np.asarray(distance == distance.min())
    sky, scatter = _sky_level(image)
    threshold = sky + sigma * scatter
    near = collected & (distance <= REACH_PX)
    if np.count_nonzero(collected) < SMALL_STAMP_PIXELS and near.any():
        faintest, peak = float(image[collected].min()), float(image[near].max())
        threshold = min(threshold, faintest + SMALL_STAMP_FRACTION * (peak - faintest))
        sky = min(sky, faintest)
    above = collected & (np.nan_to_num(image) > threshold)
    star = _target_star(image - sky, above, distance)
    if star is None:
        nearest = np.where(collected, distance, np.inf)
        return np.asarray(collected & (nearest <= max(1.0, float(nearest.min()))))
    return _trimmed(image - sky, star, max(1, int(np.count_nonzero(collected)) // 2))


def background_pixels(image: FloatArray, aperture: Mask, *, sigma: float = THRESHOLD_SIGMA) -> Mask:
    """
    Choose the pixels that show nothing but sky.

    They are collected, do not stand out of the sky (as in `default_aperture`), and lie more than
    `RING_PX` from the aperture. A small stamp has too few of these: then they are the faintest
    third of the pixels outside of the aperture, because the star shines into all of them.

    Parameters
    ----------
    image : ndarray of shape (ny, nx)
        Mean flux in electron/s; NaN for pixels that were not collected.
    aperture : bool ndarray of shape (ny, nx)
        Pixels of the star.
    sigma : float, optional
        Height over the sky from which on a pixel belongs to a star.

    Returns
    -------
    pixels : bool ndarray of shape (ny, nx)
        All `False` if no pixel is left outside of the aperture, as on a stamp of one pixel.
    """
    outside = np.isfinite(image) & ~aperture
    if not outside.any():
        return outside
    sky, scatter = _sky_level(np.where(aperture, np.nan, image))
    faint = outside & (np.nan_to_num(image) <= sky + sigma * scatter)
    pixels = faint & ~_within(aperture, RING_PX)
    if np.count_nonzero(pixels) >= MIN_BACKGROUND_PIXELS:
        return pixels
    values = np.sort(image[outside])
    limit = values[min(max(MIN_BACKGROUND_PIXELS, values.size // 3), values.size) - 1]
    return np.asarray(outside & (np.nan_to_num(image) <= limit))


def background(tpf: TargetPixelFile, pixels: Mask) -> FloatArray:
    """
    Measure the background of every cadence: the median of the background pixels.

    Parameters
    ----------
    tpf : TargetPixelFile
    pixels : bool ndarray of shape (ny, nx)
        See `background_pixels`.

    Returns
    -------
    background : float64 ndarray of shape (n_cadences,)
        In electron/s per pixel, over the pixels that have a value; NaN for a cadence in which
        none has. All 0 if `pixels` is all `False`.
    """
    if not pixels.any():
        return np.zeros(tpf.n_cadences)
    frames, columns = _frames(tpf.flux), np.flatnonzero(pixels)
    level = np.empty(len(frames))
    for rows in _blocks(len(frames)):
        level[rows] = row_medians(np.take(frames[rows], columns, axis=1))
    return level


def background_error(tpf: TargetPixelFile, pixels: Mask) -> FloatArray:
    """
    Give the error of `background`, from the errors of the pixels.

    It is that of a median of n normal values: sqrt(pi / 2 * mean(err²) / n).

    Parameters
    ----------
    tpf : TargetPixelFile
    pixels : bool ndarray of shape (ny, nx)
        See `background_pixels`.

    Returns
    -------
    error : float64 ndarray of shape (n_cadences,)
        In electron/s per pixel; NaN where no pixel has an error, 0 if `pixels` is all `False`.
    """
    if not pixels.any():
        return np.zeros(tpf.n_cadences)
    frames, weights = _frames(tpf.flux_err), pixels.ravel().astype(np.float32)
    variance = np.empty(len(frames))
    for rows in _blocks(len(frames)):
        variance[rows] = np.square(frames[rows]) @ weights
    n_values = np.full(len(frames), np.count_nonzero(pixels))
    gaps = np.flatnonzero(np.isnan(variance))
    if gaps.size:
        known = np.take(frames[gaps], np.flatnonzero(pixels), axis=1)
        variance[gaps], n_values[gaps] = _sum_pixels(known, squared=True)
    error: FloatArray = np.sqrt(_MEDIAN_VARIANCE * variance) / np.maximum(n_values, 1)
    return error


def sum_aperture(
    tpf: TargetPixelFile,
    aperture: Mask,
    *,
    background: FloatArray | None = None,
    background_err: FloatArray | None = None,
    background_rule: str | None = None,
    mask: str | int = "default",
    target: str = "",
) -> LightCurve:
    """
    Add up the pixels of an aperture in every cadence (simple aperture photometry).

    A pixel without a value is left out of the sum, as lightkurve does it. Where it has a value in
    other cadences, the sum is incomplete: it is given, but the cadence is not good.

    Parameters
    ----------
    tpf : TargetPixelFile
    aperture : bool ndarray of shape (ny, nx)
        Pixels to add up.
    background : ndarray of shape (n_cadences,), optional
        Level in electron/s per pixel that is subtracted from every pixel; by default nothing is.
    background_err : ndarray of shape (n_cadences,), optional
        Its error. It is the same for all pixels of a cadence, so that it counts as often as there
        are pixels; by default it is taken as 0.
    background_rule : str, optional
        How the background was found, for the reader.
    mask : str or int, optional
        Quality mask, see `cutout_core.quality.MASKS`.
    target : str, optional
        What to call the target.

    Returns
    -------
    light_curve : LightCurve
        Of all cadences of the file. The error is sqrt(sum(err²) + (n background_err)²).

    Raises
    ------
    ValueError
        If the aperture has another shape than the frames, or no pixel.
    """
    if aperture.shape != tpf.shape or not aperture.any():
        msg = f"aperture of shape {aperture.shape} with {np.count_nonzero(aperture)} pixels, " + (
            f"and must have at least one pixel of a frame of shape {tpf.shape}"
        )
        raise ValueError(msg)
    pixels = np.flatnonzero(aperture)
    flux, n_values = _sum_pixels(np.take(_frames(tpf.flux), pixels, axis=1))
    errors = np.take(_frames(tpf.flux_err), pixels, axis=1)
    variance, _ = _sum_pixels(errors, squared=True)
    level = np.zeros(tpf.n_cadences) if background is None else np.array(background, np.float64)
    flux -= n_values * level
    if background_err is not None:
        variance += (n_values * background_err) ** 2
    flux[tpf.empty_frames] = np.nan
    complete = n_values == n_values.max(initial=0)
    good = good_cadences(tpf.time, tpf.quality, mask) & np.isfinite(flux) & complete
    if background_rule is None:
        background_rule = "not subtracted" if background is None else "one level per cadence"
    notes = []
    n_incomplete = np.count_nonzero(~complete & (n_values > 0))
    if n_incomplete:
        notes.append(f"In {n_incomplete} cadences pixels of the aperture are missing.")
    n_empty = np.count_nonzero(tpf.empty_frames)
    if n_empty:
        notes.append(f"{n_empty} frames hold nothing but zeros, and are not used.")
    if not good.any():
        notes.append("No cadence is good.")
    curve = LightCurve(
        time=tpf.time,
        flux=flux,
        flux_err=np.sqrt(variance),
        background=level,
        quality=tpf.quality,
        good=good,
        aperture=aperture.copy(),
        mask=mask,
        background_rule=background_rule,
        target=target,
        sector=tpf.sector,
        camera=tpf.camera,
        ccd=tpf.ccd,
        cadence_s=tpf.cadence_s,
        simulated=tpf.simulated,
        notes=tuple(notes),
    )
    for array in (curve.flux, curve.flux_err, curve.background, curve.good, curve.aperture):
        array.flags.writeable = False
    return curve


def first_light_curve(
    tpf: TargetPixelFile,
    *,
    aperture: Mask | None = None,
    mask: str | int = "default",
    target: str = "",
) -> LightCurve:
    """
    Make the light curve that a visitor sees first.

    The aperture is `default_aperture` on the mean of the good cadences, the background the median
    of `background_pixels` in each cadence, with its error.

    Parameters
    ----------
    tpf : TargetPixelFile
    aperture : bool ndarray of shape (ny, nx), optional
        Pixels to add up instead of the automatic ones.
    mask : str or int, optional
        Quality mask, see `cutout_core.quality.MASKS`.
    target : str, optional
        What to call the target.

    Returns
    -------
    light_curve : LightCurve
        With a note where the stamp has no pixel left for the background.

    Raises
    ------
    ValueError
        If the aperture has another shape than the frames, or no pixel.
    """
    image = mean_image(tpf, good_cadences(tpf.time, tpf.quality, mask))
    chosen = default_aperture(image, target=tpf.target_pixel) if aperture is None else aperture
    pixels = background_pixels(image, chosen)
    n_pixels = np.count_nonzero(pixels)
    if not n_pixels:
        curve = sum_aperture(tpf, chosen, mask=mask, target=target)
        note = "The cutout has no pixel outside of the aperture: the background is still inside."
        return replace(curve, notes=(*curve.notes, note))
    return sum_aperture(
        tpf,
        chosen,
        background=background(tpf, pixels),
        background_err=background_error(tpf, pixels),
        background_rule=f"median of {n_pixels} pixels outside of the aperture, per cadence",
        mask=mask,
        target=target,
    )


# --- arrays ---------------------------------------------------------------------------------


def _frames(cube: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """View a cube as one row of pixels per cadence."""
    return cube.reshape(len(cube), -1)


def _blocks(n: int, size: int = 512) -> list[slice]:
    """Cut rows into blocks that stay in the processor's cache while they are worked on."""
    return [slice(i, i + size) for i in range(0, n, size)]


def _sum_pixels(
    values: npt.NDArray[np.float32], *, squared: bool = False
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """
    Add up rows without their NaN; give the sums and how many values went in.

    A row of NaN gives NaN.
    """
    wide = values.astype(np.float64)
    if squared:
        np.square(wide, out=wide)
    total: FloatArray = wide.sum(axis=1)
    n_values = np.full(len(wide), wide.shape[1], dtype=np.int64)
    gaps = np.flatnonzero(~np.isfinite(total))
    if gaps.size:
        known = np.isfinite(wide[gaps])
        n_values[gaps] = np.count_nonzero(known, axis=1)
        total[gaps] = np.where(known, wide[gaps], 0).sum(axis=1)
        total[gaps[n_values[gaps] == 0]] = np.nan
    return total, n_values


def _sky_level(image: FloatArray) -> tuple[float, float]:
    """Give median and scaled median absolute deviation, without what stands out."""
    from astropy.stats import sigma_clip

    values = image[np.isfinite(image)]
    kept = sigma_clip(
        values, sigma=THRESHOLD_SIGMA, cenfunc="median", stdfunc="mad_std", masked=False
    )
    return float(np.median(kept)), float(_MAD_TO_SIGMA * np.median(np.abs(kept - np.median(kept))))


def _within(mask: Mask, radius: float) -> Mask:
    """Tell which pixels have their centre within a distance of a pixel of the mask."""
    from scipy import ndimage

    near: Mask = ndimage.distance_transform_edt(~mask) <= radius
    return near


# --- stars ----------------------------------------------------------------------------------


def _target_star(height: FloatArray, above: Mask, distance: FloatArray) -> Mask | None:
    """Find the star at the target among the pixels above the sky, or None."""
    labels = _part_stars(height, above)
    heights = np.where(above, height, -np.inf)
    # The last pixel of each label that goes in is its brightest.
    peaks = {int(labels.flat[i]): i for i in np.argsort(heights, axis=None) if labels.flat[i]}
    near = [label for label, i in peaks.items() if distance.flat[i] <= REACH_PX]
    if near:
        # Of two stars within reach the nearer one.
        return np.asarray(labels == min(near, key=lambda label: distance.flat[peaks[label]]))
    under = np.where(distance <= distance.min() + 1e-9, heights, -np.inf).argmax()
    label = int(labels.flat[under])
    if label and heights.flat[under] * SADDLE_CONTRAST**2 >= heights.flat[peaks[label]]:
        return np.asarray(labels == label)
    return None


def _part_stars(height: FloatArray, above: Mask) -> npt.NDArray[np.int64]:
    """
    Flood the pixels from the peaks down, and part them where two floods meet.

    Returns labels of shape (ny, nx), 0 outside of `above`. Floods join if the lower peak stands
    less than `SADDLE_CONTRAST` over the pixel at which they meet.
    """
    ny, nx = height.shape
    labels = np.zeros(height.shape, dtype=np.int64)
    joined = [0]  # joined[label] is the label that it became a part of, or itself
    peaks = [math.inf]

    def root(label: int) -> int:
        while joined[label] != label:
            label = joined[label]
        return label

    order = np.flatnonzero(above)
    for i in order[np.argsort(-height.flat[order], kind="stable")].tolist():
        row, column = divmod(i, nx)
        value = float(height[row, column])
        around = [
            (float(height[r, c]), root(int(labels[r, c])))
            for r, c in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1))
            if 0 <= r < ny and 0 <= c < nx and labels[r, c]
        ]
        if not around:
            joined.append(len(joined))
            peaks.append(value)
            labels[row, column] = joined[-1]
            continue
        # Uphill, to the brightest neighbour.
        labels[row, column] = max(around)[1]
        found = sorted({label for _, label in around}, key=lambda label: -peaks[label])
        for label in found[1:]:
            if peaks[label] < SADDLE_CONTRAST * value:
                joined[label] = found[0]
    return np.array([root(label) for label in range(len(joined))])[labels]


def _trimmed(height: FloatArray, star: Mask, n_most: int) -> Mask:
    """Take the bright pixels of a star, at most so many, in one piece with its peak."""
    from scipy import ndimage

    values = np.sort(height[star])[::-1]
    floor = max(values[0] * FAINTEST_FRACTION, values[min(n_most, values.size) - 1])
    pieces, _ = ndimage.label(star & (height >= floor))
    peak = np.where(star, height, -np.inf).argmax()
    trimmed: Mask = pieces == pieces.flat[peak]
    return trimmed
