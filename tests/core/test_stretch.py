"""Brightness to grey levels: arithmetic, planted sources, and errors that name what is accepted."""

import matplotlib
import numpy as np
import pytest

from cutout_core.errors import InvalidQueryError
from cutout_core.stretch import (
    COLOUR_MAPS,
    STRETCHES,
    Scaling,
    automatic_scaling,
    colour_table,
    find_limits,
    make_scaling,
    shared_limits,
    sky_level,
    to_levels,
    to_unit,
)
from tests.image_factories import plant_stars


def hundred() -> np.ndarray:
    return np.arange(101, dtype=np.float32).reshape(1, 101)


def gaussian(shape: tuple[int, int], x: float, y: float, peak: float, fwhm: float) -> np.ndarray:
    ys, xs = np.mgrid[: shape[0], : shape[1]]
    return peak * np.exp(-4 * np.log(2) * ((xs - x) ** 2 + (ys - y) ** 2) / fwhm**2)


# --- limits ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cuts", "percentiles", "expected"),
    [
        pytest.param("percentile", (1, 99), (1, 99), id="percentile"),
        pytest.param("percentile", (0, 100), (0, 100), id="all pixels"),
        pytest.param("minmax", (1, 99), (0, 100), id="minmax"),
    ],
)
def test_limits_follow_the_rule(cuts, percentiles, expected):
    assert find_limits(hundred(), cuts, percentiles=percentiles) == pytest.approx(expected)


def test_symmetric_limits_lie_around_zero():
    noise = np.random.default_rng(1).normal(0.3, 1, (200, 200))

    low, high = find_limits(noise, "symmetric", percentiles=(0, 95))

    assert low == -high
    # 95 % of |N(0.3, 1)| is below 2.04 (numerically from the normal distribution).
    assert high == pytest.approx(2.04, abs=0.02)


def test_zscale_ignores_a_bright_star():
    image = plant_stars((200, 200), [(100, 100)], flux=1e6, sky=10, noise=1)

    low, high = find_limits(image, "zscale")

    assert 5 < low < 10 < high < 25


def test_pixels_without_data_do_not_count():
    data = hundred().copy()
    data[0, :50] = np.nan
    data[0, 100] = np.inf

    assert find_limits(data, "minmax") == (50, 99)


def test_image_without_data_has_limits_all_the_same():
    assert find_limits(np.full((3, 3), np.nan), "percentile") == (0, 1)
    assert find_limits(np.empty((0, 3)), "minmax") == (0, 1)
    assert automatic_scaling(np.full((3, 3), np.nan)) == Scaling(0, 1)
    assert shared_limits([]) == (0, 1)


@pytest.mark.parametrize("value", [0.0, 7.0, -3e8])
def test_equal_pixels_have_limits_in_rising_order(value):
    low, high = find_limits(np.full((3, 3), value, dtype=np.float32), "minmax")

    assert low == value < high
    assert (to_levels(np.full((3, 3), value), Scaling(low, high)) == 0).all()


def test_limits_of_several_images_are_those_of_all_their_pixels():
    images = [hundred(), hundred() + 1000]

    assert shared_limits(images, "minmax") == (0, 1100)
    low, high = shared_limits(images, percentiles=(25, 75))
    assert (low, high) == pytest.approx((50, 1050), abs=1)


def test_shared_scaling_gives_equal_brightness_equal_grey():
    faint, bright = hundred(), hundred() * 3
    scaling = make_scaling([faint, bright], stretch="sqrt")

    grey = {
        round(float(value)): int(level)
        for value, level in zip(bright[0], to_levels(bright, scaling)[0], strict=True)
    }

    for value, level in zip(faint[0, ::3], to_levels(faint, scaling)[0, ::3], strict=True):
        assert grey[round(float(value))] == level


# --- curves ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stretch", "middle"),
    [
        # The formulas of astropy's stretches at 1/2, with their default parameters.
        pytest.param("linear", 0.5, id="linear"),
        pytest.param("sqrt", np.sqrt(0.5), id="sqrt"),
        pytest.param("log", np.log(1000 * 0.5 + 1) / np.log(1001), id="log"),
        pytest.param("asinh", np.arcsinh(5) / np.arcsinh(10), id="asinh"),
        pytest.param("sinh", np.sinh(1.5) / np.sinh(3), id="sinh"),
    ],
)
def test_curve_has_its_value_in_the_middle(stretch, middle):
    unit = to_unit(np.array([[-5.0, 0.0, 50.0, 100.0, 200.0]]), Scaling(0, 100, stretch))

    assert unit.dtype == np.float32
    np.testing.assert_allclose(unit[0], [0, 0, middle, 1, 1], atol=1e-6)


def test_soft_asinh_is_the_formula_with_its_parameter():
    unit = to_unit(np.array([[25.0]]), Scaling(0, 100, "asinh", 0.02))

    assert unit[0, 0] == pytest.approx(np.arcsinh(0.25 / 0.02) / np.arcsinh(1 / 0.02), abs=1e-6)


def test_linear_levels_are_counted_from_black_to_white():
    levels = to_levels(np.array([[0, 10, 20]]), Scaling(0, 20, "linear"))

    np.testing.assert_array_equal(levels, [[0, 127, 255]])


def test_inverted_levels_are_255_less_the_levels():
    data = hundred()
    scaling = make_scaling(data, stretch="log")

    np.testing.assert_array_equal(
        to_levels(data, scaling, invert=True), 255 - to_levels(data, scaling)
    )


def test_level_zero_can_be_kept_for_pixels_without_data():
    data = np.array([[np.nan, 0, 10, 20]])
    scaling = Scaling(0, 20, "linear")

    levels = to_levels(data, scaling, lowest=1)
    turned = to_levels(data, scaling, lowest=1, invert=True)

    np.testing.assert_array_equal(levels, [[0, 1, 128, 255]])
    np.testing.assert_array_equal(turned, [[0, 255, 128, 1]])


def test_data_are_not_changed():
    data = hundred()
    data.flags.writeable = False

    to_levels(data, make_scaling(data, stretch="log"))
    automatic_scaling(data)

    np.testing.assert_array_equal(data, np.arange(101, dtype=np.float32).reshape(1, 101))


def test_grey_keeps_its_steps_on_a_high_background():
    # 100 steps of 1 on a pedestal of 1e6: float32 has 0.06 there.
    levels = to_levels(hundred() + np.float32(1e6), Scaling(1e6, 1e6 + 100, "linear"))

    assert len(np.unique(levels)) == 101


# --- the automatic picture ---------------------------------------------------------------------


def test_sky_level_is_measured_among_sources():
    image = plant_stars((300, 300), [(100, 100), (200, 150)], flux=1e5, sky=3, noise=0.5)

    sky, sigma = sky_level(image)

    assert sky == pytest.approx(3, abs=0.02)
    assert sigma == pytest.approx(0.5, rel=0.03)


def test_sky_of_an_image_without_data_is_nan():
    assert np.isnan(sky_level(np.full((2, 2), np.nan))).all()


@pytest.mark.parametrize("pedestal", [0.0, 100.0, -0.5])
@pytest.mark.parametrize("unit", [1.0, 1e-20, 1e5])
def test_automatic_picture_shows_a_faint_galaxy_and_a_bright_star(pedestal, unit):
    shape, sigma = (400, 400), 0.01
    image = plant_stars(shape, [(100, 300)], flux=2000.0, fwhm=3.5, sky=0.05, noise=sigma)
    # 2.5 sigma in its middle, 25 pixels wide: hardly there in a linear picture.
    image += gaussian(shape, 280, 120, 2.5 * sigma, 25).astype(np.float32)
    # The star's halo: 100 sigma at 8 pixels, 10 sigma at 25.
    distance = np.hypot(*np.ogrid[-300:100, -100:300]) + 1
    image += (sigma * 8000 / distance**2).astype(np.float32)
    image = ((image + pedestal) * unit).astype(np.float32)

    levels = to_levels(image, automatic_scaling(image)).astype(float)

    sky = levels[20:80, 20:80].mean()
    galaxy = levels[110:131, 270:291].mean()
    assert sky < 60
    assert galaxy - sky > 20
    assert levels[300, 100] == 255
    halo = [levels[300, 100 + r] for r in (9, 16, 26)]
    assert 254 > halo[0] > halo[1] + 10 > halo[2] + 20 > sky + 30


def test_automatic_picture_of_noise_is_dark_and_not_filled_by_it():
    noise = np.random.default_rng(2).normal(0, 1, (300, 300))

    levels = to_levels(noise, automatic_scaling(noise))

    assert 20 < levels.mean() < 90
    assert levels.max() < 200


def test_automatic_picture_of_a_bright_nebula_uses_the_whole_range():
    nebula = gaussian((200, 200), 100, 100, 5.0, 150) + 1

    levels = to_levels(nebula, automatic_scaling(nebula))

    assert levels.min() < 60
    assert levels.max() > 200


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(np.array([[3.0]]), id="one pixel"),
        pytest.param(np.zeros((5, 5)), id="zeros"),
        pytest.param(np.array([[0.0, 0, 0, 9]]), id="nothing below the sky"),
    ],
)
def test_automatic_scaling_of_images_without_noise_has_limits_in_order(data):
    scaling = automatic_scaling(data)

    assert scaling.low < scaling.high
    assert to_levels(data, scaling).shape == data.shape


def test_one_automatic_scaling_can_serve_several_images():
    dark = np.random.default_rng(1).normal(0, 1, (100, 100))
    bright = np.random.default_rng(2).normal(0, 1, (100, 100))
    bright[50, 50] = 1e4

    shared = automatic_scaling([dark, bright])

    assert shared.high > automatic_scaling(dark).high


# --- what is asked for -------------------------------------------------------------------------


def test_unknown_stretch_is_refused_with_the_known_ones():
    with pytest.raises(InvalidQueryError, match="asinh, linear, log, sinh or sqrt"):
        make_scaling(hundred(), stretch="gamma")


def test_stretch_may_be_written_in_capitals():
    assert make_scaling(hundred(), stretch="ASINH").stretch == "asinh"


def test_unknown_cuts_are_refused_with_the_known_ones():
    with pytest.raises(InvalidQueryError, match="percentile, minmax, zscale or symmetric"):
        find_limits(hundred(), "sigma")


@pytest.mark.parametrize(
    "percentiles", [(99, 1), (5, 5), (-1, 50), (0, 101), (1,), (1, 2, 3), "ab", None, (0, np.nan)]
)
def test_percentiles_that_make_no_sense_are_refused(percentiles):
    with pytest.raises(InvalidQueryError, match=r"two rising numbers from 0 to 100"):
        find_limits(hundred(), percentiles=percentiles)


@pytest.mark.parametrize("values", [(1, 0), (2, 2), (0, np.inf), (np.nan, 1), (1,), "xy", 5])
def test_values_that_cannot_be_black_and_white_are_refused(values):
    with pytest.raises(InvalidQueryError, match=r"two rising numbers, such as \(0, 1\)"):
        make_scaling(hundred(), values=values)


def test_values_by_hand_are_taken():
    assert make_scaling(hundred(), values=(5, 6.5), stretch="log") == Scaling(5, 6.5, "log")


# --- colours -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*COLOUR_MAPS, "magma_r"])
def test_colour_table_is_matplotlibs(name):
    table = colour_table(name)

    expected = np.array([matplotlib.colormaps[name](i)[:3] for i in range(256)]) * 255
    assert table.shape == (256, 3)
    np.testing.assert_allclose(table, expected, atol=1)


def test_unknown_colour_map_is_refused_with_examples():
    with pytest.raises(InvalidQueryError, match="viridis"):
        colour_table("rainbowfish")


def test_every_stretch_is_monotonic():
    for stretch in STRETCHES:
        assert (np.diff(to_unit(hundred(), Scaling(0, 100, stretch))[0]) >= 0).all()
