"""Files of moving targets as astrocut, the program behind TESSCut, merges them from fixed ones."""

from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table
from astropy.time import Time
from astropy.wcs import WCS

from cutout_core.moving_photometry import follow_target
from cutout_core.star_field import find_star_field, window_corners
from cutout_core.tpf import TargetPixelFile, read_tpf
from tests.factories import make_tpf_file, make_wcs_cards

CCD = (120, 220)
N = 150
SIGMA_PX = 0.9
# 0-based place of the target on the CCD, and how bright it is.
COLUMN, ROW = 20.3313 + 1.0917 * np.arange(N), 40.6411 + 0.2073 * np.arange(N)
BRIGHTNESS = 2000 * (1 + 0.1 * np.sin(np.arange(N) / 3))


def stars() -> np.ndarray:
    rng = np.random.default_rng(8)
    field = np.zeros(CCD)
    field[rng.integers(0, CCD[0], 900), rng.integers(0, CCD[1], 900)] = rng.uniform(20, 900, 900)
    return field


@pytest.fixture(scope="module")
def merged(tmp_path_factory: pytest.TempPathFactory) -> TargetPixelFile:
    """The target's file of two fixed cutouts, side by side, that it crosses."""
    from astrocut import center_on_path

    folder = tmp_path_factory.mktemp("astrocut")
    rows, columns = np.indices(CCD)
    squared = (columns - COLUMN[:, None, None]) ** 2 + (rows - ROW[:, None, None]) ** 2
    light = np.exp(-squared / 2 / SIGMA_PX**2) / (2 * np.pi * SIGMA_PX**2)
    ffi = stars() + light * BRIGHTNESS[:, None, None] + 80.0
    cards = make_wcs_cards(CCD)
    time = 1325.3 + np.arange(N) / 48
    paths = []
    for first in (0, 95):
        part = ffi[:, :, first : first + 125]
        shifted = cards | {"CRPIX1": cards["CRPIX1"] - first}
        content = make_tpf_file(part, time=time, wcs_cards=shifted, column_wcs=False)
        path = Path(folder) / f"fixed_{first}.fits"
        path.write_bytes(content)
        paths.append(str(path))
    wcs = WCS(fits.Header(dict(cards)))
    wcs.array_shape = CCD
    ra, dec = wcs.pixel_to_world_values(COLUMN, ROW)
    way = Table(
        {
            "time": Time(time + 2457000.0, format="jd", scale="tdb"),
            "position": SkyCoord(ra, dec, unit="deg"),
        }
    )
    name = center_on_path(
        way, [11, 11], paths, target="Eleonora", img_wcs=wcs, output_path=str(folder), verbose=False
    )
    return read_tpf(Path(name).read_bytes(), Path(name).name)


def test_file_of_astrocut_is_read_as_one_of_a_moving_target(merged: TargetPixelFile):
    assert merged.is_moving
    assert merged.shape == (11, 11)
    assert (merged.sector, merged.camera, merged.ccd) == (1, 4, 2)
    assert merged.object_name == "Eleonora"
    assert np.isnan(merged.ra)
    assert merged.wcs is None
    assert merged.notes == ()
    assert merged.n_cadences >= N - 20


def test_windows_of_astrocut_are_found_on_the_ccd(merged: TargetPixelFile):
    found = window_corners(merged)

    cadence = np.rint((merged.time - 1325.3) * 48).astype(int)
    assert found is not None
    assert found[2].all()
    assert found[0].tolist() == np.rint(COLUMN[cadence] - 5.5).tolist()
    assert found[1].tolist() == np.rint(ROW[cadence] - 5.5).tolist()


def test_stars_and_target_of_astrocuts_file_come_apart(merged: TargetPixelFile):
    field = find_star_field(merged, np.ones(merged.n_cadences, dtype=bool), reach_px=4.0)
    curve = follow_target(merged, radius_px=2.5)

    assert field is not None
    rows, columns = np.indices(field.image.shape)
    planted = stars()[rows + field.row - 1, columns + field.column - 1]
    difference = (field.image - planted)[np.isfinite(field.image)]
    assert np.abs(difference - np.median(difference)).max() < 20
    # The planted light in a circle whose edge pixels count by their share.
    share = 1 - np.exp(-(2.5**2) / 2 / (SIGMA_PX**2 + 1 / 12))
    cadence = np.rint((curve.time - 1325.3) * 48).astype(int)
    expected = BRIGHTNESS[cadence] * share
    good = curve.good
    assert np.count_nonzero(good) > 50
    assert curve.flux[good] == pytest.approx(expected[good], rel=0.02)
