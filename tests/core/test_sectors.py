import csv
import math
from datetime import date, timedelta
from pathlib import Path

import pytest
from tess_stars2px import tess_stars2px_reverse_function_entry

from cutout_core.errors import InvalidQueryError
from cutout_core.sectors import (
    cadence_s,
    expected_cadences,
    predict_pixels,
    predicted_bytes,
    sector_dates,
    sector_table,
)
from tests.conftest import ROOT


def test_dates_of_measured_sectors_are_those_of_their_images():
    facts = ROOT.parent / "shared" / "data" / "facts" / "ffi_timing_by_sector.csv"
    if not facts.is_file():
        pytest.skip("the table of image times is not beside this checkout")
    rows = list(csv.DictReader(facts.read_text().splitlines()))

    for row in rows:
        ours = sector_table()[int(row["sector"])]
        assert ours.start.isoformat() == row["first_start_utc"][:10]
        assert ours.end.isoformat() == row["last_stop_utc"][:10]
        assert ours.cadence_s == float(row["exposure_s"])
        assert not ours.is_scheduled
        if ours.sector != 2:  # its rows are doubled there
            assert ours.n_images == int(row["n_ffi_c1k1"])


def test_sectors_follow_each_other_without_overlap():
    table = sector_table()

    assert list(table) == list(range(1, 135))
    for sector in range(1, 134):
        this, following = table[sector], table[sector + 1]
        assert this.start < this.end <= following.start
        assert following.start - this.end <= timedelta(days=5)
        assert 21 <= (this.end - this.start).days <= 57


def test_scheduled_sectors_begin_after_the_measured_ones():
    assert [s for s, facts in sector_table().items() if facts.is_scheduled] == list(range(69, 135))
    # Middle of sector 88 in tess-point: JD 2460703.5, which is 2025-01-28.
    start, end = sector_dates(88) or (date.min, date.min)
    assert start + (end - start) / 2 == date(2025, 1, 28)


def test_sector_that_is_not_in_the_table_has_no_dates():
    assert sector_dates(1751) is None
    assert expected_cadences(1751) == pytest.approx(26 * 432)


@pytest.mark.parametrize(
    ("sector", "seconds"),
    [(1, 1800), (26, 1800), (27, 600), (55, 600), (56, 200), (98, 200), (1751, 200)],
)
def test_cadence_became_shorter_twice(sector: int, seconds: int):
    assert cadence_s(sector) == seconds


def test_table_and_rule_agree_on_the_cadence():
    assert all(cadence_s(s) == facts.cadence_s for s, facts in sector_table().items())


def test_number_of_cadences_is_what_real_cutouts_have():
    # Rows of the real files: brief (sector 33), astroquery's test data (1), real replies (12).
    assert expected_cadences(33) == 3495
    assert expected_cadences(1) == 1282
    assert expected_cadences(12) == 1289


def test_scheduled_number_of_cadences_is_plausible():
    for sector, facts in sector_table().items():
        if facts.is_scheduled:
            possible = (facts.end - facts.start).days * 86400 / facts.cadence_s
            assert 0.9 * possible < expected_cadences(sector) < possible


@pytest.mark.parametrize(
    ("name", "ny", "nx", "n_cadences"),
    [
        ("tess-s0001-4-2_84.291190_-80.469170_6x6_astrocut.fits", 6, 6, 50),
        ("tesscut_s0012_1x1.fits", 1, 1, 1289),
    ],
)
def test_predicted_size_is_that_of_real_files(
    real_replies: Path, name: str, ny: int, nx: int, n_cadences: int
):
    size = (real_replies / name).stat().st_size

    assert predicted_bytes(ny, nx, n_cadences, compressed=False) == size


def test_predicted_size_of_the_archive_is_that_of_a_real_one():
    # astroquery's test data: 260,671 compressed bytes; its headers are two blocks longer.
    assert predicted_bytes(5, 5, 1282) == pytest.approx(260_671, rel=0.1)


def test_sectors_of_the_brief_s_first_example_are_predicted():
    # The brief prints tess-s0008-1-1, s0034-1-2, s0061-1-2, s0088-1-2 for this position.
    pixels = predict_pixels(135.1408, -5.1915)

    found = {s: [(p.camera, p.ccd) for p in ps] for s, ps in pixels.items() if s <= 98}
    assert found == {8: [(1, 1)], 34: [(1, 2)], 61: [(1, 2)], 88: [(1, 2)]}


def test_position_in_the_overlap_of_two_cameras_has_a_pixel_in_each():
    pixels = predict_pixels(227.43079, 13.46007)[51]

    assert [pixel.camera for pixel in pixels] == [1, 2]


def test_predicted_pixel_is_where_a_real_cutout_lies(real_replies: Path):
    # A cutout of 6 x 6 pixels begins at column 1628, row 257, and its WCS puts the target at
    # (3.16, 2.82), counted from 0.
    assert real_replies.is_dir()

    (pixel,) = predict_pixels(84.29119, -80.46917)[1]

    assert (pixel.camera, pixel.ccd) == (4, 2)
    assert pixel.column == pytest.approx(1628 + 3.16, abs=1.5)
    assert pixel.row == pytest.approx(257 + 2.82, abs=1.5)
    assert not pixel.edge


@pytest.mark.parametrize(
    ("column", "row", "edge"),
    [
        (1000, 1000, False),
        (57, 1000, False),
        (52, 1000, True),
        (2080, 1000, False),
        (2085, 1000, True),
        (1000, 13, False),
        (1000, 8, True),
        (1000, 2036, False),
        (1000, 2041, True),
    ],
)
def test_position_at_the_edge_of_a_ccd_is_marked(column: int, row: int, edge: bool):
    # Science pixels are columns 45 to 2092 and rows 1 to 2048.
    ra, dec, _ = tess_stars2px_reverse_function_entry(1, 4, 2, column, row)

    (pixel,) = predict_pixels(ra, dec)[1]

    assert (pixel.camera, pixel.ccd) == (4, 2)
    assert pixel.column == pytest.approx(column, abs=0.01)
    assert pixel.row == pytest.approx(row, abs=0.01)
    assert pixel.edge == edge


def test_position_that_tess_never_sees_gives_nothing():
    assert predict_pixels(215.0, 3.0) == {}


@pytest.mark.parametrize(("ra", "dec"), [(0.0, 91.0), (math.nan, 0.0), (10.0, math.nan)])
def test_what_is_no_position_is_refused(ra: float, dec: float):
    with pytest.raises(InvalidQueryError, match="is no position"):
        predict_pixels(ra, dec)


def test_ra_may_be_negative():
    assert predict_pixels(-10.0, -50.0) == predict_pixels(350.0, -50.0)
