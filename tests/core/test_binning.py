"""Images made smaller: arithmetic on small arrays, and the sky that has to stay in its place."""

import numpy as np
import pytest

from cutout_core.binning import binned_wcs, block_mean
from tests.image_factories import make_wcs


def test_blocks_are_averaged_from_the_first_pixel_on():
    data = np.arange(20, dtype=np.float32).reshape(4, 5)

    # Column 4 is beyond the last whole block.
    np.testing.assert_array_equal(block_mean(data, 2), [[3, 5], [13, 15]])


def test_blocks_of_one_pixel_are_the_image_itself():
    data = np.ones((3, 3), dtype=np.float32)

    assert block_mean(data, 1) is data


def test_pixels_without_data_do_not_count_until_half_of_the_block_is_missing():
    data = np.ones((2, 6), dtype=np.float32)
    data[0, 0] = np.nan
    data[:, 2] = np.nan
    data[:, 4] = np.nan
    data[0, 5] = np.nan
    data[1, 1] = 4

    means = block_mean(data, 2)

    np.testing.assert_array_equal(means, [[2, 1, np.nan]])


@pytest.mark.parametrize("factor", [2, 3, 7])
def test_input_is_not_changed(factor):
    data = np.arange(100, dtype=np.float32).reshape(10, 10)
    data.flags.writeable = False

    block_mean(data, factor)

    assert data[9, 9] == 99


def test_binned_wcs_keeps_the_corner_of_the_sky():
    wcs = make_wcs((12, 12), rotation_deg=20)

    binned = binned_wcs(wcs, 3)

    # The corner of the first pixel is at (-0.5, -0.5) in both; block (1, 2) is around (4, 7).
    for here, there in (((-0.5, -0.5), (-0.5, -0.5)), ((1, 2), (4, 7))):
        np.testing.assert_allclose(
            binned.pixel_to_world_values(*here), wcs.pixel_to_world_values(*there), atol=1e-10
        )
