import math
from typing import Any

import numpy as np
import pytest

from cutout_core.photometry import (
    background,
    background_error,
    background_pixels,
    default_aperture,
    first_light_curve,
    mean_image,
    sum_aperture,
)
from cutout_core.tpf import TargetPixelFile, read_tpf
from tests.factories import make_tpf_file, make_wcs_cards


def make_tpf(flux: np.ndarray, **options: Any) -> TargetPixelFile:
    return read_tpf(make_tpf_file(flux, **options))


def star(
    shape: tuple[int, int], x: float, y: float, flux: float, sigma: float = 0.85
) -> np.ndarray:
    """Gaussian star, integrated over the pixels, about as wide as TESS draws it."""

    def share(n: int, centre: float) -> np.ndarray:
        edges = (np.arange(n + 1) - 0.5 - centre) / (sigma * math.sqrt(2))
        return np.diff([math.erf(edge) for edge in edges]) / 2

    return flux * np.outer(share(shape[0], y), share(shape[1], x))


def sky(shape: tuple[int, int], level: float = 100.0, scatter: float = 0.5) -> np.ndarray:
    return np.random.default_rng(7).normal(level, scatter, shape)


# --- mean image ---


def test_mean_image_is_that_of_the_good_cadences():
    flux = np.arange(1, 5)[:, None, None] * np.ones((4, 2, 3))

    image = mean_image(make_tpf(flux), np.array([True, False, True, True]))

    assert image.dtype == np.float64
    assert image == pytest.approx(np.full((2, 3), 8 / 3), rel=1e-7)


def test_mean_image_leaves_out_missing_values_and_empty_frames():
    flux = np.ones((4, 2, 3), dtype=np.float32)
    flux[1, 0, 0] = np.nan
    flux[2] = 0
    flux[3, 0, 0] = 4
    flux[:, 1, 2] = np.nan

    image = mean_image(make_tpf(flux), np.ones(4, dtype=bool))

    assert image[0, 0] == 2.5
    assert image[0, 1] == 1
    assert np.isnan(image[1, 2])


def test_missing_value_of_a_bad_cadence_does_not_matter():
    flux = np.ones((3, 2, 2), dtype=np.float32)
    flux[1] = np.nan

    image = mean_image(make_tpf(flux), np.array([True, False, True]))

    assert np.array_equal(image, np.ones((2, 2)))


def test_mean_image_without_a_good_cadence_is_unknown():
    tpf = make_tpf(np.ones((3, 2, 3)))

    assert np.isnan(mean_image(tpf, np.zeros(3, dtype=bool))).all()


def test_mean_image_of_many_cadences_keeps_six_digits():
    flux = np.random.default_rng(3).normal(1e5, 100, (5000, 2, 2)).astype(np.float32)

    image = mean_image(make_tpf(flux), np.ones(5000, dtype=bool))

    assert image == pytest.approx(flux.mean(axis=0, dtype=np.float64), rel=1e-6)


# --- aperture ---


def test_aperture_holds_most_of_a_lone_star_and_little_else():
    image = sky((11, 11)) + star((11, 11), 5.3, 4.8, 40_000)

    aperture = default_aperture(image)

    assert star((11, 11), 5.3, 4.8, 1)[aperture].sum() > 0.95
    assert aperture.sum() < 30


def test_aperture_of_a_fainter_star_leaves_out_its_bright_neighbour():
    target, neighbour = star((11, 11), 4, 5, 4_000), star((11, 11), 8, 6, 40_000)

    aperture = default_aperture(sky((11, 11)) + target + neighbour)

    assert aperture[5, 4]
    assert not aperture[6, 8]
    assert target[aperture].sum() > neighbour[aperture].sum()


def test_aperture_of_a_bright_star_leaves_out_its_fainter_neighbour():
    target, neighbour = star((11, 11), 5, 5, 40_000), star((11, 11), 8.5, 6.5, 15_000)

    aperture = default_aperture(sky((11, 11)) + target + neighbour)

    assert neighbour[aperture].sum() < 0.2 * neighbour.sum()
    assert target[aperture].sum() > 0.9 * target.sum()


def test_aperture_in_the_glare_of_a_neighbour_stays_small_and_on_the_target():
    image = sky((11, 11)) + star((11, 11), 5, 5, 300) + star((11, 11), 7.3, 6.4, 60_000)

    aperture = default_aperture(image)

    assert np.argwhere(aperture).tolist() == [[4, 5], [5, 4], [5, 5], [5, 6], [6, 5]]


def test_aperture_of_a_saturated_star_takes_its_bleeding_column_in_one_piece():
    image = sky((15, 15)) + star((15, 15), 7, 7, 100_000)
    # A trail whose top is ragged, and brightest far from the star.
    image[2:13, 7] = 1e5 + 900 * np.cos(np.arange(11) * 2.0)
    image[11, 7] = 1.03e5

    aperture = default_aperture(image)

    assert aperture[2:13, 7].all()
    assert not aperture[0, 7]


def test_aperture_in_a_crowded_field_does_not_eat_the_stamp():
    rng = np.random.default_rng(11)
    image = sky((21, 21)) + star((21, 21), 10, 10, 20_000)
    for _ in range(300):
        x, y = rng.uniform(-1, 21, 2)
        image += star((21, 21), x, y, 10 ** rng.uniform(1.5, 3.3))

    aperture = default_aperture(image)

    assert aperture[10, 10]
    assert aperture.sum() < 40


def test_aperture_takes_at_most_half_of_the_stamp():
    image = sky((9, 9)) + star((9, 9), 4, 4, 1e6, sigma=3)

    assert 1 <= default_aperture(image).sum() <= 40


def test_aperture_without_a_star_is_the_middle():
    aperture = default_aperture(np.full((11, 11), 100.0))

    assert np.argwhere(aperture).tolist() == [[4, 5], [5, 4], [5, 5], [5, 6], [6, 5]]


def test_aperture_follows_the_target_not_the_middle():
    image = sky((11, 11)) + star((11, 11), 2, 8, 10_000) + star((11, 11), 5, 5, 10_000)

    aperture = default_aperture(image, target=(2.2, 7.9))

    assert aperture[8, 2]
    assert not aperture[5, 5]


def test_aperture_never_takes_a_pixel_that_was_not_collected():
    image = sky((11, 11)) + star((11, 11), 5, 5, 40_000)
    image[:, 6:] = np.nan

    aperture = default_aperture(image)

    assert aperture[5, 5]
    assert not aperture[:, 6:].any()


def test_aperture_of_a_target_off_the_detector_is_the_nearest_collected_pixel():
    image = sky((11, 11))
    image[:, 3:] = np.nan

    aperture = default_aperture(image)

    assert np.argwhere(aperture).tolist() == [[5, 2]]


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 2), (3, 3), (1, 5), (5, 5), (4, 7)])
@pytest.mark.parametrize("level", [0.0, 100.0, np.nan])
def test_aperture_is_never_empty(shape: tuple[int, int], level: float):
    assert default_aperture(np.full(shape, level)).any()
    assert default_aperture(sky(shape, level)).any()


@pytest.mark.parametrize("size", [3, 5, 6, 7])
def test_aperture_of_a_small_stamp_holds_the_star_s_core(size: int):
    middle = (size - 1) / 2
    image = sky((size, size)) + star((size, size), middle, middle, 40_000)

    aperture = default_aperture(image)

    assert aperture.flat[image.argmax()]
    assert star((size, size), middle, middle, 1)[aperture].sum() > 0.4
    assert aperture.sum() <= size * size // 2


# --- background ---


def test_background_pixels_are_sky_and_keep_their_distance():
    image = sky((15, 15)) + star((15, 15), 7, 7, 40_000) + star((15, 15), 2, 12, 5_000)
    aperture = default_aperture(image)

    pixels = background_pixels(image, aperture)

    assert pixels.sum() > 80
    assert not pixels[12, 2]
    for row, column in np.argwhere(pixels):
        assert np.hypot(*(np.argwhere(aperture) - [row, column]).T).min() > 2
    assert np.median(image[pixels]) == pytest.approx(100, abs=0.3)


def test_background_of_a_small_stamp_comes_from_its_faintest_pixels():
    image = sky((5, 5)) + star((5, 5), 2, 2, 40_000)
    aperture = default_aperture(image)

    pixels = background_pixels(image, aperture)

    assert pixels.sum() == 5
    assert not (pixels & aperture).any()
    assert image[pixels].max() < image[~pixels].min()


def test_no_pixel_is_left_for_the_background_of_a_stamp_of_one_pixel():
    assert not background_pixels(np.ones((1, 1)), np.ones((1, 1), dtype=bool)).any()


def test_background_leaves_out_what_was_not_collected():
    image = sky((11, 11))
    image[:, 8:] = np.nan

    pixels = background_pixels(image, default_aperture(image))

    assert pixels.any()
    assert not pixels[:, 8:].any()


def test_background_is_the_median_of_each_cadence():
    # Odd, even, and no number of values, as numpy's nanmedian has it.
    flux = np.random.default_rng(2).normal(100, 10, (6, 3, 3)).astype(np.float32)
    flux[1, 0, 0] = np.nan
    flux[2, 0, :2] = np.nan
    flux[3] = np.nan
    pixels = np.array([[1, 1, 1], [1, 0, 1], [0, 0, 0]], dtype=bool)

    level = background(make_tpf(flux), pixels)

    assert level.dtype == np.float64
    for i in (0, 1, 2, 4, 5):
        assert level[i] == pytest.approx(np.nanmedian(flux[i][pixels]), rel=1e-7)
    assert np.isnan(level[3])


def test_background_of_many_cadences_is_that_of_each_of_them():
    # More cadences than fit into one block of the loop.
    flux = np.random.default_rng(2).normal(100, 10, (1300, 3, 3)).astype(np.float32)
    pixels = np.ones((3, 3), dtype=bool)

    level = background(make_tpf(flux), pixels)

    assert level == pytest.approx(np.median(flux.reshape(1300, 9), axis=1), rel=1e-7)


def test_background_without_pixels_is_zero():
    tpf = make_tpf(np.ones((3, 2, 2)))
    nothing = np.zeros((2, 2), dtype=bool)

    assert background(tpf, nothing).tolist() == [0, 0, 0]
    assert background_error(tpf, nothing).tolist() == [0, 0, 0]


def test_error_of_the_background_is_that_of_a_median():
    # Scatter of medians of 50 normal values around their common mean, from 4000 draws.
    flux = np.random.default_rng(5).normal(100, 3, (4000, 5, 10)).astype(np.float32)
    tpf = make_tpf(flux, flux_err=np.full_like(flux, 3))
    pixels = np.ones((5, 10), dtype=bool)

    error = background_error(tpf, pixels)

    assert error == pytest.approx(np.full(4000, math.sqrt(math.pi / 2) * 3 / math.sqrt(50)))
    assert np.std(background(tpf, pixels)) == pytest.approx(error[0], rel=0.05)


def test_error_of_the_background_leaves_out_missing_errors():
    errors = np.full((3, 2, 2), 2, dtype=np.float32)
    errors[1, 0, 0] = np.nan
    errors[2] = np.nan
    tpf = make_tpf(np.ones((3, 2, 2)), flux_err=errors)

    error = background_error(tpf, np.ones((2, 2), dtype=bool))

    expected = [math.sqrt(math.pi / 2 * 4 / n) for n in (4, 3)]
    assert error[:2] == pytest.approx(expected)
    assert np.isnan(error[2])


# --- the sum ---


def test_sum_is_flux_less_background_with_the_errors_added_in_squares():
    flux = np.array([[[10, 20, 1]], [[11, 22, 1]]], dtype=np.float32)
    errors = np.array([[[3, 4, 9]], [[6, 8, 9]]], dtype=np.float32)
    tpf = make_tpf(flux, flux_err=errors)

    curve = sum_aperture(
        tpf,
        np.array([[True, True, False]]),
        background=np.array([1.0, 2.0]),
        background_err=np.array([6.0, 12.0]),
    )

    assert curve.flux.tolist() == [28, 29]
    # Two pixels share one background: 5² + (2 * 6)² = 13², and twice that.
    assert curve.flux_err.tolist() == [13, 26]
    assert curve.background.tolist() == [1, 2]
    assert curve.good.all()


def test_without_a_background_nothing_is_subtracted():
    curve = sum_aperture(make_tpf(np.ones((3, 2, 2))), np.ones((2, 2), dtype=bool))

    assert curve.flux.tolist() == [4, 4, 4]
    assert curve.background.tolist() == [0, 0, 0]
    assert curve.background_rule == "not subtracted"


def test_every_cadence_stays_and_bad_ones_are_marked():
    tpf = make_tpf(
        np.ones((4, 2, 2)),
        time=np.array([1.0, np.nan, 3.0, 4.0]),
        quality=np.array([0, 0, 32, 2048]),
    )
    aperture = np.ones((2, 2), dtype=bool)

    assert sum_aperture(tpf, aperture).good.tolist() == [True, False, False, True]
    hard = sum_aperture(tpf, aperture, mask="hard")
    assert hard.good.tolist() == [True, False, False, False]
    assert hard.mask == "hard"
    assert len(hard.time) == len(hard.flux) == 4


def test_missing_pixel_is_left_out_and_the_cadence_is_not_good():
    flux = np.full((3, 1, 3), 5, dtype=np.float32)
    flux[1, 0, 0] = np.nan
    flux[2] = np.nan
    tpf = make_tpf(flux, flux_err=np.full_like(flux, 2))

    curve = sum_aperture(tpf, np.ones((1, 3), dtype=bool), background=np.ones(3))

    assert curve.flux[:2].tolist() == [12, 8]
    assert np.isnan(curve.flux[2])
    assert curve.good.tolist() == [True, False, False]
    assert curve.notes == ("In 1 cadences pixels of the aperture are missing.",)


def test_pixel_that_is_never_collected_does_not_make_cadences_bad():
    flux = np.ones((3, 1, 3), dtype=np.float32)
    flux[:, 0, 2] = np.nan

    curve = sum_aperture(make_tpf(flux), np.ones((1, 3), dtype=bool))

    assert curve.flux.tolist() == [2, 2, 2]
    assert curve.good.all()


def test_empty_frame_has_no_flux_and_is_not_good():
    flux = np.ones((3, 2, 2), dtype=np.float32)
    flux[1] = 0

    curve = sum_aperture(make_tpf(flux), np.ones((2, 2), dtype=bool))

    assert np.isnan(curve.flux).tolist() == [False, True, False]
    assert curve.good.tolist() == [True, False, True]
    assert "1 frames hold nothing but zeros" in curve.notes[0]


def test_file_without_a_good_cadence_says_so():
    tpf = make_tpf(np.full((3, 2, 2), np.nan))

    curve = first_light_curve(tpf)

    assert not curve.good.any()
    assert np.isnan(curve.flux).all()
    assert math.isnan(curve.median_flux)
    assert "No cadence is good." in curve.notes


@pytest.mark.parametrize("aperture", [np.zeros((2, 2), dtype=bool), np.ones((3, 2), dtype=bool)])
def test_aperture_that_does_not_fit_is_refused(aperture: np.ndarray):
    with pytest.raises(ValueError, match=r"must have at least one pixel of a frame of shape"):
        sum_aperture(make_tpf(np.ones((3, 2, 2))), aperture)


def test_light_curve_tells_where_it_comes_from():
    tpf = make_tpf(np.ones((3, 2, 2)), primary={"SIMDATA": True})

    curve = sum_aperture(tpf, np.ones((2, 2), dtype=bool), target="Pi Mensae")

    assert (curve.sector, curve.camera, curve.ccd, curve.cadence_s) == (1, 4, 2, 1800)
    assert curve.target == "Pi Mensae"
    assert curve.simulated


def test_first_light_curve_shows_a_planted_transit_under_changing_sky():
    n = 400
    rng = np.random.default_rng(1)
    depth = np.where((np.arange(n) > 190) & (np.arange(n) < 210), 0.99, 1.0)
    level = 100 + 30 * np.sin(np.arange(n) / 20)
    # A target half a pixel off the middle, where the WCS says it is.
    source = star((11, 11), 5.4, 4.7, 40_000)
    flux = depth[:, None, None] * source + level[:, None, None]
    flux = flux + rng.normal(0, 2, flux.shape)
    cards = make_wcs_cards((11, 11), target=(5.4, 4.7))

    curve = first_light_curve(
        make_tpf(flux, flux_err=np.full(flux.shape, 2.0), wcs_cards=cards), target="a star"
    )

    relative, relative_err = curve.normalised()
    outside = relative[depth == 1]
    assert 1 - np.median(relative[depth < 1]) == pytest.approx(0.01, rel=0.05)
    assert curve.background == pytest.approx(level, abs=2)
    assert np.std(outside) == pytest.approx(np.median(relative_err), rel=0.2)
    assert "pixels outside of the aperture, per cadence" in curve.background_rule


def test_stamp_of_one_pixel_has_its_background_left_inside_and_says_so():
    curve = first_light_curve(make_tpf(np.full((3, 1, 1), 50.0)))

    assert curve.flux.tolist() == [50, 50, 50]
    assert curve.good.all()
    assert "the background is still inside" in curve.notes[-1]


def test_chosen_aperture_is_kept_as_it_was():
    aperture = np.zeros((11, 11), dtype=bool)
    aperture[1, 1] = True
    image = sky((11, 11)) + star((11, 11), 5, 5, 40_000)
    tpf = make_tpf(np.broadcast_to(image, (3, 11, 11)))

    curve = first_light_curve(tpf, aperture=aperture)
    aperture[:] = False

    assert np.argwhere(curve.aperture).tolist() == [[1, 1]]
    assert curve.flux == pytest.approx(np.zeros(3), abs=2)
