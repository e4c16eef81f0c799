"""
Photometry that follows a moving target: asteroids and comets, from pixels to a light curve.

The aperture is a circle around the target's place in every frame, which falls between pixels: a
pixel that lies partly inside counts by the share of its area. Stars that the target passes are
known from the time when it is elsewhere (`star_field`); their light is taken off, and a cadence
with much of it is marked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from cutout_core.circle import circle_overlaps
from cutout_core.lightcurve import LightCurve, Track
from cutout_core.quality import good_cadences
from cutout_core.star_field import StarField, find_star_field, sky_levels, target_track
from cutout_core.tpf import TargetPixelFile

FloatArray: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]

#: Radii of the aperture to choose from, in pixels, the first that fits and holds the target. On
#: simulated asteroids a circle of 2 pixels gave the least noise: a smaller one feels where in its
#: pixel the target is (1.5 pixels: 2 to 3 times the noise), a larger one takes in more stars (4
#: pixels: 1.1 to 1.8 times).
RADII_PX = (2.0, 2.5, 3.0, 3.5, 4.0, 5.0)

#: A circle holds the target if one of half a pixel more holds no more light than this factor
#: times: a saturated planet or a comet's coma needs a larger one than a point of light.
GROWTH = 1.1

#: A pixel that the target fills faster than this, in electron/s, is full before it is read out, and
#: light runs over into its column: then the circle is at least as large as the second number. A
#: pixel holds some 200,000 electrons (TESS Instrument Handbook, section 4.2) and is read every 2 s.
SATURATING_RATE, SATURATED_RADIUS_PX = 90_000.0, 3.5

# The smallest circle that makes sense: the pixel that the target is on, and a part of those
# around it.
_LEAST_RADIUS_PX = 1.0

#: A cadence is marked if stars behind the target had more than this share of its light in the
#: aperture.
CONTAMINATION_SHARE = 0.1

#: What is subtracted for stars is good to this part of it, besides its own noise: the pointing
#: moves them to and fro on the pixels. On simulated asteroids it is 1 to 5 %.
STARLIGHT_ERROR = 0.03

# Starlight that is no more than its error by this factor is no contamination.
_CONTAMINATION_SIGMA = 3.0

# Sky and stars are measured farther from the target than this part of half the frame: there has
# to be room to see each pixel without the target, before or after. And no farther than so many
# pixels, beyond which the wings of all but the brightest bodies end.
_REACH_SHARE = 0.6
_MAX_REACH_PX = 5.0

#: Width in pixels of a ring of sky around the target.
ANNULUS_PX = 3.0

# In smaller frames the wings of the target fill what should be sky.
_SMALL_FRAME_PX = 9

# So many cadences tell how much light a circle holds.
_TRIAL_CADENCES = 500


def follow_target(
    tpf: TargetPixelFile,
    *,
    radius_px: float | None = None,
    sky: str = "frame",
    mask: str | int = "default",
    target: str = "",
) -> LightCurve:
    """
    Make the light curve of a moving target.

    In each frame the pixels of a circle around the target are added up by their shares, less the
    sky, less the stars behind the target. A pixel without a value is left out of the sum; the
    cadence then is not good.

    Parameters
    ----------
    tpf : TargetPixelFile
        Of a moving target.
    radius_px : float, optional
        Radius of the aperture in pixels. By default the smallest of `RADII_PX` that holds the
        target (see `GROWTH`); in small frames what fits in.
    sky : {"frame", "annulus"}, optional
        Where the sky is measured: in all of the frame outside of the target's reach, or in a ring
        of `ANNULUS_PX` around it, for sky that changes across the frame.
    mask : str or int, optional
        Quality mask, see `cutout_core.quality.MASKS`.
    target : str, optional
        What to call the target; by default what the file calls it.

    Returns
    -------
    light_curve : LightCurve
        With its `track`. Good cadences are also free of contamination. The error is
        sqrt(sum(share² err²) + (sum(share) sky_err)² + starlight_err²).

    Raises
    ------
    ValueError
        If the file follows no moving target, the radius is not above zero, or there is no such
        choice of sky.
    """
    if sky not in {"frame", "annulus"}:
        msg = f'sky is "frame" or "annulus", not {sky!r}'
        raise ValueError(msg)
    if radius_px is not None and not radius_px > 0:
        msg = f"radius_px must be above zero, got {radius_px}"
        raise ValueError(msg)
    usable = good_cadences(tpf.time, tpf.quality, mask) & ~tpf.empty_frames
    room = _room(tpf, usable)
    if radius_px is None and not room >= _LEAST_RADIUS_PX:
        nothing = np.zeros(tpf.n_cadences)
        scene = _Scene(tpf, usable, None, nothing, nothing)
        return _light_curve(scene, math.inf, "not subtracted", mask, target)
    reach = min(_MAX_REACH_PX, _REACH_SHARE * min(tpf.shape) / 2)
    field = find_star_field(tpf, usable, reach_px=reach)
    outer = reach + ANNULUS_PX if sky == "annulus" else math.inf
    level, level_err = sky_levels(tpf, reach_px=reach, outer_px=outer, field=field)
    scene = _Scene(tpf, usable, field, level, level_err)
    radius = _best_radius(scene, min(room, reach)) if radius_px is None else radius_px
    where = f"between {reach:.1f} and {outer:.1f}" if outer < math.inf else f"beyond {reach:.1f}"
    rule = f"median of the pixels {where} pixels from the target, per cadence, without stars"
    return _light_curve(scene, radius, rule, mask, target)


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """A file, and what is known of everything in it but the target."""

    tpf: TargetPixelFile
    usable: Mask
    field: StarField | None
    level: FloatArray
    level_err: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """What a circle holds in each of some cadences."""

    flux: FloatArray  # less sky and stars
    error: FloatArray
    starlight: FloatArray  # NaN where a part of it is not known
    starlight_err: FloatArray
    complete: Mask  # whether every pixel that the circle touches has a value


def _sum_circle(scene: _Scene, radius: float, rows: slice) -> _Sums:
    tpf, field = scene.tpf, scene.field
    ny, nx = tpf.shape
    x, y, _, _ = (values[rows] for values in target_track(tpf))
    has_place = np.isfinite(x + y)
    x, y = np.where(has_place, x, 0), np.where(has_place, y, 0)
    if radius < math.inf:
        share, column, row = circle_overlaps(x, y, radius)
    else:
        share, column, row = np.ones((len(x), ny, nx)), *np.zeros((2, len(x)), dtype=np.intp)
    # Shapes (n, 1, k) and (n, k, 1): the pixels of the squares that hold the circles.
    columns = column[:, None, None] + np.arange(share.shape[2])
    rows_of = row[:, None, None] + np.arange(share.shape[1])[:, None]
    inside = (columns >= 0) & (columns < nx) & (rows_of >= 0) & (rows_of < ny)
    columns, rows_of = np.clip(columns, 0, nx - 1), np.clip(rows_of, 0, ny - 1)
    cadence = np.arange(tpf.n_cadences)[rows, None, None]
    flux = tpf.flux[cadence, rows_of, columns].astype(np.float64)
    known = inside & np.isfinite(flux)
    complete = has_place & (known | (share == 0)).all(axis=(1, 2))
    share = np.where(known & has_place[:, None, None], share, 0)
    behind, behind_err = np.zeros((2, *share.shape))
    if field is not None:
        at = field.window_y[rows, None, None] + rows_of, field.window_x[rows, None, None] + columns
        behind, behind_err = field.image[at].astype(np.float64), field.error[at].astype(np.float64)
        behind[~field.placed[rows]] = np.nan
    starlight = np.where(share > 0, share * behind, 0).sum(axis=(1, 2))
    starlight_err = np.sqrt(
        np.nansum(np.square(share * behind_err), axis=(1, 2))
        + np.square(STARLIGHT_ERROR * np.nansum(share * behind, axis=(1, 2)))
    )
    error = np.where(share > 0, tpf.flux_err[cadence, rows_of, columns], 0)
    area = share.sum(axis=(1, 2))
    total = np.where(share > 0, share * (flux - np.nan_to_num(behind)), 0).sum(axis=(1, 2))
    variance = np.square(share * error).sum(axis=(1, 2)) + np.square(starlight_err)
    level, level_err = scene.level[rows], scene.level_err[rows]
    return _Sums(
        flux=np.where(area > 0, total - area * level, np.nan),
        error=np.sqrt(variance + np.square(area * level_err)),
        starlight=np.where((area > 0) & (field is not None), starlight, np.nan),
        starlight_err=starlight_err,
        complete=complete,
    )


def _room(tpf: TargetPixelFile, usable: Mask) -> float:
    """
    Give the radius of the largest circle around the target that fits into every usable frame.

    Of all frames if none is usable, and NaN if none has a place.
    """
    x, y, _, _ = target_track(tpf)
    ny, nx = tpf.shape
    edges = np.stack([x + 0.5, nx - 0.5 - x, y + 0.5, ny - 0.5 - y])
    placed = np.isfinite(edges).all(axis=0)
    if (placed & usable).any():
        placed &= usable
    return float(edges[:, placed].min()) if placed.any() else math.nan


def _best_radius(scene: _Scene, largest: float) -> float:
    """Choose the smallest circle that holds the target, or the largest that fits."""
    least = SATURATED_RADIUS_PX if _is_saturated(scene) else RADII_PX[0]
    fitting = [radius for radius in RADII_PX if least <= radius <= largest]
    if not fitting:
        return largest
    radius, light = fitting[0], _median_light(scene, fitting[0])
    for larger in fitting[1:]:
        more = _median_light(scene, larger)
        if not more > GROWTH * light:
            break
        radius, light = larger, more
    return radius


def _trial(scene: _Scene) -> slice:
    """Choose some cadences, all along the way."""
    return slice(None, None, 1 + scene.tpf.n_cadences // _TRIAL_CADENCES)


def _is_saturated(scene: _Scene) -> bool:
    rows = _trial(scene)
    frames = scene.tpf.flux[rows][scene.usable[rows]]
    # A bright star in some frames does not make the target one.
    return bool(len(frames) and np.median(np.nanmax(frames, (1, 2), initial=0)) > SATURATING_RATE)


def _median_light(scene: _Scene, radius: float) -> float:
    """Give the median of the cadences without stars behind the target; NaN if there are none."""
    rows = _trial(scene)
    sums, usable = _sum_circle(scene, radius, rows), scene.usable[rows]
    chosen = usable & sums.complete & ~_contaminated(sums, usable) & np.isfinite(sums.flux)
    return float(np.median(sums.flux[chosen])) if chosen.any() else math.nan


def _contaminated(sums: _Sums, usable: Mask) -> Mask:
    chosen = usable & np.isfinite(sums.flux)
    light = max(0.0, float(np.median(sums.flux[chosen]))) if chosen.any() else 0.0
    starlight = np.nan_to_num(sums.starlight)
    is_much = starlight > np.maximum(
        CONTAMINATION_SHARE * light, _CONTAMINATION_SIGMA * sums.starlight_err
    )
    return np.asarray(is_much)


def _light_curve(
    scene: _Scene, radius: float, rule: str, mask: str | int, target: str
) -> LightCurve:
    tpf = scene.tpf
    sums = _sum_circle(scene, radius, slice(None))
    sums.flux[tpf.empty_frames] = np.nan
    contaminated = _contaminated(sums, scene.usable)
    good = scene.usable & np.isfinite(sums.flux) & sums.complete & ~contaminated
    x, y, ra, dec = target_track(tpf)
    track = Track(x, y, ra, dec, radius, sums.starlight, sums.starlight_err, contaminated)
    curve = LightCurve(
        time=tpf.time,
        flux=sums.flux,
        flux_err=sums.error,
        background=scene.level,
        quality=tpf.quality,
        good=good,
        aperture=_typical_aperture(tpf, good, radius),
        mask=mask,
        background_rule=rule,
        target=target or tpf.object_name,
        sector=tpf.sector,
        camera=tpf.camera,
        ccd=tpf.ccd,
        cadence_s=tpf.cadence_s,
        simulated=tpf.simulated,
        notes=tuple(_notes(scene, sums, contaminated, good, radius)),
        track=track,
    )
    for array in (curve.flux, curve.flux_err, curve.background, good, curve.aperture):
        array.flags.writeable = False
    for array in (track.starlight, track.starlight_err, contaminated):
        array.flags.writeable = False
    return curve


def _typical_aperture(tpf: TargetPixelFile, good: Mask, radius: float) -> Mask:
    """Give the pixels whose centre lies in the circle where the target is in the middling frame."""
    x, y, _, _ = target_track(tpf)
    chosen = good if good.any() else np.isfinite(x + y)
    if not chosen.any():
        return np.ones(tpf.shape, dtype=bool)
    rows, columns = np.indices(tpf.shape)
    distance = np.hypot(columns - np.median(x[chosen]), rows - np.median(y[chosen]))
    return np.asarray(distance <= max(radius, float(distance.min())))


def _notes(scene: _Scene, sums: _Sums, contaminated: Mask, good: Mask, radius: float) -> list[str]:
    tpf, usable = scene.tpf, scene.usable
    notes = []
    if radius == math.inf:
        notes.append(
            "The frames are too small for an aperture with sky around it: all pixels are added up, "
            "and sky and stars are still inside. Ask for 11 x 11 pixels or more."
        )
    elif scene.field is None:
        notes.append(
            "Stars behind the target are still inside: the file does not say where on the CCD its "
            "frames were cut."
        )
    elif min(tpf.shape) < _SMALL_FRAME_PX:
        notes.append(
            f"The frames are small: sky and stars are measured within {min(tpf.shape) / 2:.1f} "
            "pixels of the target, where its own light is. Ask for 11 x 11 pixels or more."
        )
    unknown = np.isnan(sums.starlight) & usable & (scene.field is not None)
    counted = (
        (
            contaminated & usable,
            f"In {{n}} cadences stars behind the target had more than {CONTAMINATION_SHARE:.0%} of "
            "its light in the aperture: they are not good, though the starlight is subtracted.",
        ),
        (
            unknown,
            "In {n} cadences some of the pixels behind the target were never seen without it: "
            "stars there are still inside.",
        ),
        (~sums.complete & usable, "In {n} cadences pixels of the aperture are missing."),
        (tpf.empty_frames, "{n} frames hold nothing but zeros, and are not used."),
    )
    notes += [text.format(n=np.count_nonzero(which)) for which, text in counted if which.any()]
    return notes if good.any() else [*notes, "No cadence is good."]
