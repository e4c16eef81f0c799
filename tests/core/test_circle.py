import math

import numpy as np
import pytest

from cutout_core.circle import circle_overlaps

RADII = [0.3, 0.5, 1.0, 1.5, 2.0, 2.25, 3.7]


def places(n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.random.default_rng(3).uniform(-2, 9, (2, n)))


@pytest.mark.parametrize("radius", RADII)
def test_shares_add_up_to_the_area_of_the_circle(radius):
    share, _, _ = circle_overlaps(*places(), radius)

    assert share.sum(axis=(1, 2)) == pytest.approx(math.pi * radius**2, abs=1e-12)
    assert share.min() >= 0
    assert share.max() <= 1


@pytest.mark.parametrize("radius", RADII)
def test_shares_are_those_of_photutils(radius):
    from photutils.geometry import circular_overlap_grid

    x, y = places()

    share, column, row = circle_overlaps(x, y, radius)

    k = share.shape[1]
    for i in range(len(x)):
        left, low = column[i] - 0.5 - x[i], row[i] - 0.5 - y[i]
        theirs = circular_overlap_grid(left, left + k, low, low + k, k, k, radius, 1, 1)
        assert share[i] == pytest.approx(theirs, abs=1e-10)


def test_circle_within_a_pixel_is_in_that_pixel_alone():
    share, column, row = circle_overlaps(np.array([4.0]), np.array([7.1]), 0.3)

    (y,), (x,) = np.nonzero(share[0])
    assert (column[0] + x, row[0] + y) == (4, 7)


def test_circle_between_four_pixels_has_a_quarter_in_each():
    share, column, row = circle_overlaps(np.array([2.5]), np.array([0.5]), 0.5)

    (ys, xs) = np.nonzero(share[0] > 1e-9)
    assert sorted(zip(column[0] + xs, row[0] + ys, strict=True)) == [(2, 0), (2, 1), (3, 0), (3, 1)]
    assert share[0][ys, xs] == pytest.approx(math.pi * 0.25 / 4)


def test_first_axis_of_a_share_is_the_row():
    share, _, row = circle_overlaps(np.array([5.0]), np.array([5.4]), 1.0)

    upper, lower = share[0][6 - row[0]].sum(), share[0][4 - row[0]].sum()
    assert upper > lower
