import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from cutout_core.lightcurve import LightCurve, Track
from cutout_core.moving_photometry import STARLIGHT_ERROR, follow_target
from cutout_core.tpf import TargetPixelFile, read_tpf
from tests.factories import make_moving_tpf_file, make_tpf_file

CCD = (200, 220)
SIGMA_PX = 0.8


def path(n: int = 150, *, speed: float = 0.7) -> tuple[np.ndarray, np.ndarray]:
    along = speed * np.arange(n)
    return 40.3 + along, 60.6 + along / 3


def moving(n: int = 150, **options: Any) -> TargetPixelFile:
    column, row = path(n)
    return read_tpf(make_moving_tpf_file(column, row, sigma_px=SIGMA_PX, **options))


def track_of(curve: LightCurve) -> Track:
    assert curve.track is not None
    return curve.track


def share_in(radius: float) -> float:
    """
    Share of a Gaussian's light within a circle around it.

    A pixel that lies partly inside counts as if its light were spread evenly over it. That widens
    the image by the variance of a pixel, 1/12.
    """
    return 1 - math.exp(-(radius**2) / 2 / (SIGMA_PX**2 + 1 / 12))


def one_star(brightness: float, cadence: int) -> np.ndarray:
    """A field with a star that the target passes in front of, blurred like the target."""
    column, row = path()
    y, x = np.indices(CCD)
    squared = (x - column[cadence]) ** 2 + (y - row[cadence]) ** 2
    return brightness * np.exp(-squared / 2 / SIGMA_PX**2) / (2 * np.pi * SIGMA_PX**2)


@pytest.mark.parametrize("radius", [1.5, 2.0, 3.0])
def test_light_in_the_circle_is_what_was_planted(radius):
    curve = follow_target(moving(target_flux=1000.0), radius_px=radius)

    assert curve.median_flux == pytest.approx(1000 * share_in(radius), rel=0.005)
    # Where between pixels the target is makes a difference of some per cent for small circles.
    assert np.std(curve.flux[curve.good]) / curve.median_flux < 0.05 / radius**3
    assert curve.good.all()
    assert track_of(curve).radius_px == radius


def test_circle_has_a_radius_of_two_pixels_where_it_fits():
    curve = follow_target(moving(target_flux=1000.0))

    assert track_of(curve).radius_px == 2.0
    assert np.count_nonzero(curve.aperture) == pytest.approx(math.pi * 4, abs=4)
    assert curve.aperture[5, 5]


def test_wide_target_gets_a_larger_circle():
    column, row = path()
    comet = read_tpf(make_moving_tpf_file(column, row, sigma_px=2.5, shape=(21, 21)))

    assert track_of(follow_target(comet)).radius_px > 3.0


def test_target_that_saturates_gets_a_larger_circle():
    bright = moving(target_flux=1e6, shape=(15, 15))

    assert track_of(follow_target(bright)).radius_px == 3.5


def test_sky_that_changes_is_subtracted():
    sky = 100 + 60 * np.sin(np.arange(150) / 5)

    curve = follow_target(moving(target_flux=1000.0, sky=sky))

    assert curve.background == pytest.approx(sky, abs=0.5)
    assert curve.flux == pytest.approx(np.full(150, 1000 * share_in(2.0)), rel=0.03)


def test_ring_of_sky_is_taken_where_asked_for():
    curve = follow_target(moving(target_flux=1000.0, sky=50.0), sky="annulus")

    assert curve.background == pytest.approx(np.full(150, 50.0), abs=1.0)
    assert "between 3.3 and 6.3 pixels from the target" in curve.background_rule


def test_star_that_the_target_passes_is_flagged_and_subtracted():
    curve = follow_target(moving(target_flux=1000.0, field=one_star(2000.0, 75), noise=0.3))
    track = track_of(curve)

    flagged = np.flatnonzero(track.contaminated)
    # Within some 2 + 2 pixels of the star, at 0.74 pixels per cadence.
    assert 75 in flagged
    assert flagged.min() >= 75 - 7
    assert flagged.max() <= 75 + 7
    assert not curve.good[flagged].any()
    assert curve.good[:60].all()
    assert curve.good[90:].all()
    assert track.starlight[75] == pytest.approx(2000 * share_in(2.0), rel=0.03)
    # What is left is the target alone, though such a star is twice as bright.
    assert curve.flux[75] == pytest.approx(1000 * share_in(2.0), rel=0.05)
    assert f"In {len(flagged)} cadences stars behind the target" in " ".join(curve.notes)


def test_faint_star_is_subtracted_without_a_flag():
    tpf = moving(target_flux=1000.0, field=one_star(40.0, 75), noise=0.1)

    curve = follow_target(tpf)

    assert not track_of(curve).contaminated.any()
    assert track_of(curve).starlight[75] == pytest.approx(40 * share_in(2.0), rel=0.1)
    assert curve.flux[75] == pytest.approx(1000 * share_in(2.0), rel=0.02)


def test_star_beside_the_path_does_no_harm():
    # Farther than 2 + 3 sigma from the middle of the target, at its nearest.
    column, row = path()
    field = np.zeros(CCD)
    field[int(row[75]) + 6, int(column[75])] = 5000.0

    curve = follow_target(moving(target_flux=1000.0, field=field))

    assert curve.good.all()
    assert np.abs(track_of(curve).starlight).max() < 10


def test_error_has_the_noise_of_pixels_sky_and_stars():
    curve = follow_target(moving(target_flux=1000.0, noise=2.0))
    track = track_of(curve)

    residual = curve.flux - np.median(curve.flux)
    # Some of the scatter is where between pixels the target is.
    assert np.median(curve.flux_err) == pytest.approx(2.0 * math.sqrt(math.pi * 4), rel=0.35)
    assert np.std(residual) / np.median(curve.flux_err) == pytest.approx(1.0, abs=0.35)
    assert (track.starlight_err >= STARLIGHT_ERROR * np.abs(track.starlight)).all()


def test_flagged_cadences_are_kept_and_not_good():
    quality = np.zeros(150, dtype=np.int32)
    quality[10] = 128

    curve = follow_target(moving(quality=quality))

    assert np.flatnonzero(~curve.good).tolist() == [10]
    assert np.isfinite(curve.flux[10])


def test_cadences_beyond_the_edge_of_the_ccd_are_not_good():
    column = 0.3 + 0.5 * np.arange(60)
    tpf = read_tpf(make_moving_tpf_file(column, np.full(60, 80.0), sigma_px=SIGMA_PX))

    curve = follow_target(tpf)

    # The circle touches the pixel before the first one up to column 1.5.
    assert np.flatnonzero(~curve.good).tolist() == [0, 1, 2]
    assert "In 3 cadences pixels of the aperture are missing." in curve.notes


def test_cadence_without_a_place_is_not_good():
    tpf = moving()
    x = tpf.target_x.copy()
    x[7] = math.nan

    curve = follow_target(replace(tpf, target_x=x))

    assert np.flatnonzero(~curve.good).tolist() == [7]
    assert math.isnan(curve.flux[7])


def test_target_that_stands_still_keeps_the_stars_behind_it_with_a_note():
    column = 100 + np.linspace(0, 0.1, 50)
    field = np.zeros(CCD)
    field[100, 100] = 500.0
    tpf = read_tpf(
        make_moving_tpf_file(column, column, field=field, target_flux=1000.0, sigma_px=SIGMA_PX)
    )

    curve = follow_target(tpf)

    assert np.isnan(track_of(curve).starlight).all()
    assert curve.good.all()
    assert curve.median_flux == pytest.approx(1000 * share_in(2.0) + 500, rel=0.005)
    assert "In 50 cadences some of the pixels behind the target were never seen" in curve.notes[0]


def test_file_without_coordinates_of_the_ccd_keeps_its_stars_with_a_note():
    curve = follow_target(replace(moving(sky=30.0), ffi_wcs=None))

    assert curve.good.all()
    assert curve.background == pytest.approx(np.full(150, 30.0), abs=1.0)
    assert np.isnan(track_of(curve).starlight).all()
    assert "does not say where on the CCD" in curve.notes[0]


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (3, 3)])
def test_frame_without_room_for_a_circle_is_added_up_as_a_whole(shape):
    tpf = moving(shape=shape, sky=5.0)

    curve = follow_target(tpf)

    assert curve.flux == pytest.approx(tpf.flux.sum(axis=(1, 2)), rel=1e-5)
    assert curve.aperture.all()
    assert math.isinf(track_of(curve).radius_px)
    assert "too small for an aperture" in curve.notes[0]
    assert curve.background_rule == "not subtracted"


def test_default_frame_of_tesscut_has_room_for_a_smaller_circle():
    curve = follow_target(moving(shape=(5, 5), target_flux=1000.0, sky=20.0))

    assert 1.0 <= track_of(curve).radius_px <= 1.5
    assert "The frames are small" in curve.notes[0]
    # The sky comes out too bright by the wings of the target.
    assert 20.0 < np.median(curve.background) < 80.0


def test_file_without_a_good_cadence_says_so():
    curve = follow_target(moving(quality=np.full(150, 128, dtype=np.int32)))

    assert not curve.good.any()
    assert curve.notes == ("No cadence is good.",)
    assert track_of(curve).radius_px == 2.0


def test_curve_says_whose_it_is():
    tpf = moving()

    assert follow_target(tpf).target == "Eleonora"
    assert follow_target(tpf, target="354 Eleonora").target == "354 Eleonora"
    assert (follow_target(tpf).sector, follow_target(tpf).cadence_s) == (6, 1800.0)


def test_arrays_of_a_curve_cannot_be_written():
    curve = follow_target(moving())
    track = track_of(curve)

    for array in (curve.flux, curve.flux_err, curve.background, curve.good, curve.aperture):
        assert not array.flags.writeable
    for array in (track.x, track.ra, track.starlight, track.starlight_err, track.contaminated):
        assert not array.flags.writeable


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"radius_px": 0.0}, "radius_px must be above zero, got 0"),
        ({"radius_px": math.nan}, "radius_px must be above zero"),
        ({"sky": "none"}, 'sky is "frame" or "annulus", not \'none\''),
    ],
)
def test_what_cannot_be_meant_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        follow_target(moving(), **options)


def test_fixed_target_is_refused():
    with pytest.raises(ValueError, match="follows no moving target"):
        follow_target(read_tpf(make_tpf_file()))
