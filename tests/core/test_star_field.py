import math
from dataclasses import replace

import numpy as np
import pytest

from cutout_core.star_field import find_star_field, sky_levels, target_track, window_corners
from cutout_core.tpf import TargetPixelFile, read_tpf
from tests.factories import make_moving_tpf_file, make_tpf_file, make_wcs_cards

CCD = (200, 220)


def path(n: int = 120, *, speed: float = 0.7) -> tuple[np.ndarray, np.ndarray]:
    """Place on the CCD, 0-based column and row: along a slope of 1 in 3."""
    along = speed * np.arange(n)
    return 40.3 + along, 60.6 + along / 3


def stars(*, seed: int = 5) -> np.ndarray:
    """A field of stars, each one pixel wide, of 10 to 3000 electron/s."""
    rng = np.random.default_rng(seed)
    field = np.zeros(CCD)
    at = rng.integers(0, CCD[0], 3000), rng.integers(0, CCD[1], 3000)
    field[at] = 10 ** rng.uniform(1, 3.5, 3000)
    return field


def moving(**options) -> TargetPixelFile:
    column, row = path()
    return read_tpf(make_moving_tpf_file(column, row, **options))


def all_good(tpf: TargetPixelFile) -> np.ndarray:
    return np.ones(tpf.n_cadences, dtype=bool)


def test_place_of_every_window_on_the_ccd_is_found():
    column, row = path()

    found = window_corners(moving())

    assert found is not None
    assert found[0].tolist() == np.rint(column - 5.5).tolist()
    assert found[1].tolist() == np.rint(row - 5.5).tolist()
    assert found[2].all()


def test_pointing_that_differs_by_a_tenth_of_a_pixel_does_not_matter():
    cards = make_wcs_cards(CCD)
    shifted = cards | {"CRPIX1": cards["CRPIX1"] + 0.1, "CRPIX2": cards["CRPIX2"] - 0.1}
    tpf = moving(wcs_cards=cards)
    from astropy.io import fits
    from astropy.wcs import WCS

    other = replace(tpf, ffi_wcs=WCS(fits.Header(shifted)))

    ours, theirs = window_corners(tpf), window_corners(other)

    assert ours is not None
    assert theirs is not None
    assert np.array_equal(ours, theirs)


def test_cadence_without_a_place_is_not_placed():
    tpf = moving()
    x = tpf.target_x.copy()
    x[7] = math.nan

    found = window_corners(replace(tpf, target_x=x))

    assert found is not None
    assert np.flatnonzero(~found[2]).tolist() == [7]


@pytest.mark.parametrize(
    "change",
    [
        lambda tpf: {"ffi_wcs": None},
        # Places between pixels: the WCS is not that of this CCD.
        lambda tpf: {"target_x": tpf.target_x + np.linspace(0, 0.5, tpf.n_cadences)},
        lambda tpf: {"target_ra": np.full(tpf.n_cadences, np.nan)},
    ],
)
def test_places_are_left_open_where_they_cannot_be_found(change):
    tpf = moving()
    broken = replace(tpf, **change(tpf))

    assert window_corners(broken) is None
    assert find_star_field(broken, all_good(tpf), reach_px=3.0) is None


def test_fixed_target_has_neither_windows_nor_a_track():
    tpf = read_tpf(make_tpf_file())

    assert window_corners(tpf) is None
    with pytest.raises(ValueError, match="follows no moving target"):
        target_track(tpf)


def test_stars_are_found_where_and_as_bright_as_they_were_planted():
    sky = 50 + 20 * np.sin(np.arange(120))
    tpf = moving(field=stars(), sky=sky, target_flux=5000, noise=0.5)

    field = find_star_field(tpf, all_good(tpf), reach_px=4.0)

    rows, columns = np.indices(field.image.shape)
    planted = stars()[rows + field.row - 1, columns + field.column - 1]
    known = np.isfinite(field.image)
    assert np.count_nonzero(known) > 1000
    difference = (field.image - planted)[known]
    # The zero is the median of the window, which a few faint stars lift.
    assert np.abs(difference - np.median(difference)).max() < 3.0
    assert np.count_nonzero(planted[known] > 1000) > 10
    # Every pixel under the target was seen before or after it, but for the path's ends.
    x, y = path()
    under = field.image[
        np.rint(y[15:-15] - field.row + 1).astype(int),
        np.rint(x[15:-15] - field.column + 1).astype(int),
    ]
    assert np.isfinite(under).all()


def test_error_of_a_pixel_falls_with_the_number_of_its_visits():
    tpf = moving(noise=2.0)

    field = find_star_field(tpf, all_good(tpf), reach_px=4.0)

    # A pixel beside the path is in the window for some 11 / 0.7 cadences.
    expected = math.sqrt(math.pi / 2) * 2.0 / math.sqrt(15)
    assert np.nanmin(field.error) == pytest.approx(expected, rel=0.15)
    residual = field.image[np.isfinite(field.image)]
    pull = residual / field.error[np.isfinite(field.image)]
    assert np.std(pull) == pytest.approx(1.0, abs=0.25)


def test_only_good_cadences_count():
    tpf = moving(noise=0.1)
    good = all_good(tpf)
    good[60:] = False

    field = find_star_field(tpf, good, reach_px=4.0)

    last = field.window_y[-1], field.window_x[-1]
    assert np.isnan(field.image[last[0] : last[0] + 11, last[1] : last[1] + 11]).all()
    assert np.isfinite(field.image[:11, :11]).any()


def test_pixel_that_the_target_never_left_is_not_known():
    # It stands still but for a slow drift of a tenth of a pixel.
    column = 100 + np.linspace(0, 0.1, 50)
    tpf = read_tpf(make_moving_tpf_file(column, column))

    field = find_star_field(tpf, all_good(tpf), reach_px=3.0)

    middle = field.image.shape[0] // 2
    assert np.isnan(field.image[middle, middle])
    assert np.isfinite(field.image[0, 0])


def test_sky_is_measured_between_the_stars():
    sky = 50 + 20 * np.sin(np.arange(120))
    tpf = moving(field=stars(), sky=sky, target_flux=5000)
    field = find_star_field(tpf, all_good(tpf), reach_px=4.0)

    level, error = sky_levels(tpf, reach_px=4.0, field=field)

    offset = level - sky
    assert np.ptp(offset) < 0.5
    assert (error > 0).all()


def test_sky_of_a_ring_follows_a_slope_across_the_frame():
    # Brighter by 10 electron/s per column.
    slope = np.broadcast_to(10.0 * np.arange(CCD[1]), CCD)
    column, row = path()
    tpf = read_tpf(make_moving_tpf_file(column, row, shape=(15, 15), field=slope))

    near, _ = sky_levels(tpf, reach_px=3.0, outer_px=5.0)

    # To a pixel: the median is one of them.
    assert near == pytest.approx(10.0 * column, abs=10.0)


def test_error_of_the_sky_is_that_of_a_median():
    tpf = moving(noise=3.0)

    _, error = sky_levels(tpf, reach_px=4.0)

    x, y, _, _ = target_track(tpf)
    rows, columns = np.indices((11, 11))
    n = np.count_nonzero(np.hypot(columns - x[0], rows - y[0]) > 4.0)
    assert error[0] == pytest.approx(3.0 * math.sqrt(math.pi / 2 / n))


def test_frame_without_sky_has_no_level():
    column, row = path(5)
    tpf = read_tpf(make_moving_tpf_file(column, row, shape=(3, 3)))

    level, error = sky_levels(tpf, reach_px=4.0)

    assert np.isnan(level).all()
    assert np.isnan(error).all()
