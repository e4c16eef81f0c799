import numpy as np
import pytest

from cutout_core.medians import group_medians, row_medians


def test_median_of_a_row_leaves_out_its_gaps():
    nan = np.nan
    rows = np.array([[3, 1, 2, 9], [nan, 4, nan, 1], [nan] * 4, [5, nan, nan, nan]], np.float32)

    assert row_medians(rows)[[0, 1, 3]].tolist() == [2.5, 2.5, 5.0]
    assert np.isnan(row_medians(rows)[2])


def test_medians_of_rows_are_numpys():
    values = np.random.default_rng(1).normal(size=(50, 31)).astype(np.float32)
    values[3, 5] = values[7, :30] = np.nan

    expected = np.nanmedian(values.astype(np.float64), axis=1)

    assert row_medians(values.copy()).tolist() == expected.tolist()


def test_medians_of_groups_are_numpys():
    rng = np.random.default_rng(2)
    # Of both signs, many sizes, and with both zeros and infinities.
    values = (rng.normal(size=3000) * 10.0 ** rng.integers(-30, 30, 3000)).astype(np.float32)
    values[:6] = [0.0, -0.0, np.inf, -np.inf, 1e-45, -1e-45]
    groups = rng.integers(0, 40, 3000)

    found = group_medians(values, groups, 40)

    wide = values.astype(np.float64)
    assert found == pytest.approx([np.median(wide[groups == g]) for g in range(40)], rel=1e-12)


def test_group_without_a_value_has_no_median():
    found = group_medians(np.array([2.0, 4.0], np.float32), np.array([1, 1]), 3)

    assert found[1] == 3.0
    assert np.isnan(found[[0, 2]]).all()


def test_no_values_at_all_are_no_medians():
    found = group_medians(np.empty(0, np.float32), np.empty(0, np.intp), 2)

    assert np.isnan(found).all()
