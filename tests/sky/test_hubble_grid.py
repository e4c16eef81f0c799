"""Pixels of the simulated Hubble mosaics: projection, sky cells, where there are data."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS

from demo_sky.hubble.footprints import Exposure, Footprint
from demo_sky.hubble.mosaics import sky_cells, surveys
from demo_sky.hubble.projection import (
    Frame,
    Grid,
    Window,
    cutout_window,
    positions,
    unit_vectors,
)
from demo_sky.hubble.skycells import SkyCell, nearest_projection, projection_frame

BRIEF_SKY_CELL = (351.347812, 28.497808)
GOODS_N = Grid(Frame(189.228621, 62.238572), 20479.5, 20479.5, 0.03, 40960, 40960)
TURNED = Grid(Frame(214.825, 52.825), 500.0, 900.0, 0.06, 2000, 2000, turn=49.7)


@pytest.mark.parametrize("grid", [GOODS_N, TURNED], ids=["north up", "turned"])
def test_pixels_are_where_astropys_wcs_puts_them(grid: Grid):
    x, y = np.array([-300.0, 0.0, 12345.0]), np.array([77.0, 40000.0, 3.5])
    ra, dec = grid.wcs().wcs_pix2world(x, y, 0)

    found = grid.pixels(unit_vectors(ra, dec))

    np.testing.assert_allclose(found, (x, y), atol=1e-6)
    back = positions(grid.frame.vectors(*grid.plane(x, y)))
    np.testing.assert_allclose(back, (ra, dec), atol=1e-11)


def test_north_is_turned_counter_clockwise():
    x, y = TURNED.pixels(unit_vectors(TURNED.frame.ra, TURNED.frame.dec + 1e-4))

    angle = np.degrees(np.arctan2(y - TURNED.y0, x - TURNED.x0))

    assert angle == pytest.approx(90.0 + 49.7, abs=1e-3)


def test_another_tangent_plane_is_reached_without_going_through_the_sky():
    frame, window = Frame(189.4, 62.1), Window(9000, 17000, 5, 4)
    x, y = np.meshgrid(9000 + np.arange(5), 17000 + np.arange(4))
    wcs = Grid(frame, 0.0, 0.0, 1.0, 1, 1).wcs()
    expected = wcs.wcs_world2pix(*GOODS_N.wcs().wcs_pix2world(x.ravel(), y.ravel(), 0), 0)

    east, north = GOODS_N.in_frame(window, frame)

    np.testing.assert_allclose(-east.ravel(), expected[0], atol=1e-6)
    np.testing.assert_allclose(north.ravel(), expected[1], atol=1e-6)


@pytest.mark.parametrize("size", [1, 2, 5, 41.6667, 100])
def test_cutouts_have_the_pixels_that_astrocut_takes(size: float):
    target = SkyCoord(189.49206, 62.20615, unit="deg")
    centre = np.array(target.to_pixel(GOODS_N.wcs()))
    low, high = np.round(centre - size / 2), np.round(centre + size / 2)

    window = cutout_window(GOODS_N, target.ra.deg, target.dec.deg, size, size)

    assert (window.x, window.y) == tuple(low)
    assert (window.x + window.nx, window.y + window.ny) == tuple(high)


def test_cutout_of_less_than_a_pixel_is_one_pixel():
    window = cutout_window(GOODS_N, 189.49206, 62.20615, 0.01, 0.01)

    assert (window.nx, window.ny) == (1, 1)


def test_cutout_from_the_other_side_of_the_sky_is_refused():
    with pytest.raises(ValueError, match="not on the mosaic's side"):
        cutout_window(GOODS_N, 9.2, -62.2, 5, 5)


def test_cutout_of_the_real_candels_reply_has_the_same_reference_pixel():
    # CRPIX 14791.5, 3911.5 in astroquery's astrocut_189.49206_62.20615_100x100px_f.zip.
    window = cutout_window(GOODS_N, 189.49206, 62.20615, 100, 100)

    assert GOODS_N.x0 + 1 - window.x == 14791.5
    assert GOODS_N.y0 + 1 - window.y == 3911.5


# --- Sky cells ------------------------------------------------------------------------------------


def test_sky_cells_have_drizzlepacs_reference_pixel():
    # "Multi-visit Mosaic Products" in drizzlepac's manual.
    grid = SkyCell(1889, 7, 19).grid()

    assert (grid.frame.ra, grid.frame.dec) == (180.0, 26.0)
    assert (grid.x0 + 1, grid.y0 + 1, grid.nx) == (96492.0, -160812.0, 21954)


def test_cutout_of_drizzlepacs_manual_has_its_rows():
    # "MVM utilities": 256 arcsec at 84.9208 -69.1467 in p0081x14y14 are rows 18554 to 24954.
    window = cutout_window(SkyCell(81, 14, 14).grid(), 84.9208, -69.1467, 6400, 6400)

    assert (window.y, window.y + window.ny) == (18554, 24954)


def test_there_are_2644_projection_cells():
    assert projection_frame(0).dec == pytest.approx(-90.0)
    assert projection_frame(2643).dec == pytest.approx(90.0)


@pytest.mark.parametrize(
    ("ra", "dec", "projection"),
    [
        pytest.param(*BRIEF_SKY_CELL, 2007, id="brief"),
        # drizzlepac's manual, "MVM utilities"
        pytest.param(84.9208, -69.1467, 81, id="30 Doradus"),
        pytest.param(359.99, 0.1, 1322, id="before RA 0"),
    ],
)
def test_position_is_in_its_projection_cell(ra: float, dec: float, projection: int):
    assert nearest_projection(ra, dec) == projection


def test_5_arcsec_are_42_coarse_pixels_at_the_briefs_position():
    coarse = sky_cells()["p2007x09y05"][0]

    window = cutout_window(coarse.grid, *BRIEF_SKY_CELL, 5 / 0.12, 5 / 0.12)

    assert coarse.coarse
    assert (window.nx, window.ny) == (42, 42)


def test_coarse_and_fine_layers_agree_about_the_sky():
    coarse, fine = sky_cells()["p2007x09y05"][:2]
    target = unit_vectors(*BRIEF_SKY_CELL)

    places = [
        positions(m.grid.frame.vectors(*m.grid.plane(*m.grid.pixels(target))))
        for m in (coarse, fine)
    ]

    assert (coarse.grid.scale, fine.grid.scale) == (0.12, 0.04)
    np.testing.assert_allclose(places[0], BRIEF_SKY_CELL, atol=1e-10)
    np.testing.assert_allclose(places[1], BRIEF_SKY_CELL, atol=1e-10)


def test_all_layers_of_a_sky_cell_have_data_on_its_grid():
    for mosaics in sky_cells().values():
        for mosaic in mosaics:
            grid = mosaic.grid
            whole = Window(0, 0, grid.nx, grid.ny)
            west, east, south, north = mosaic.footprint.box()
            x = grid.x0 - np.array([west, east]) / grid.scale
            y = grid.y0 + np.array([south, north]) / grid.scale

            assert grid.nx > 0
            assert grid.ny > 0
            assert x.min() < whole.nx
            assert x.max() > 0
            assert y.min() < whole.ny
            assert y.max() > 0


# --- Footprints -----------------------------------------------------------------------------------


def make_footprint(angle: float = 0.0, half_gap: float = 0.0) -> Footprint:
    return Footprint(
        Frame(10.0, 20.0), (Exposure(30.0, -10.0, angle, 50.0, 20.0, half_gap, 100.0),)
    )


PLAIN = Grid(Frame(10.0, 20.0), 200.0, 200.0, 1.0, 401, 401)


def test_exposure_covers_its_area():
    seconds = make_footprint(angle=30.0).seconds(PLAIN, Window(0, 0, 401, 401))

    # 100 x 40 arcsec of 1-arcsec pixels, give or take its rim.
    assert (seconds > 0).sum() == pytest.approx(4000, abs=40)
    assert set(np.unique(seconds)) == {0.0, 100.0}


def test_exposure_lies_to_the_east_and_south_as_it_says():
    seconds = make_footprint().seconds(PLAIN, Window(0, 0, 401, 401))

    row, column = np.nonzero(seconds)
    assert column.mean() == pytest.approx(200 - 30, abs=0.6)
    assert row.mean() == pytest.approx(200 - 10, abs=0.6)


def test_position_angle_turns_a_footprint_from_north_to_east():
    # The long side is along the detector's x: at angle 90 it lies along north.
    seconds = make_footprint(angle=90.0).seconds(PLAIN, Window(0, 0, 401, 401))
    tilted = make_footprint(angle=60.0).seconds(PLAIN, Window(0, 0, 401, 401))

    row, column = np.nonzero(seconds)
    assert np.ptp(row) > np.ptp(column)
    row, column = np.nonzero(tilted)
    # 60 degrees: the y axis points to the north-east, the long x axis to the south-east.
    assert np.corrcoef(column, row)[0, 1] > 0.5


def test_gap_between_chips_has_no_data():
    footprint = make_footprint(half_gap=2.0)

    seconds = footprint.seconds(PLAIN, Window(0, 0, 401, 401))

    assert seconds[190, 170] == 0.0
    assert seconds[193, 170] == 100.0


def test_window_beyond_the_mosaic_has_no_data():
    small = Grid(Frame(10.0, 20.0), 200.0, 200.0, 1.0, 150, 401)

    assert make_footprint().seconds(small, Window(140, 180, 30, 20))[:, 10:].max() == 0.0


@pytest.mark.parametrize(
    ("east", "north", "expected_arcsec"),
    [
        pytest.param(30.0, -10.0, 0.0, id="inside"),
        pytest.param(30.0, 40.0, 30.0, id="above"),
        pytest.param(30.0 + 53.0, -10.0 + 24.0, 5.0, id="off a corner"),
    ],
)
def test_distance_to_a_footprint(east: float, north: float, expected_arcsec: float):
    footprint = make_footprint()
    ra, dec = positions(footprint.frame.vectors(east, north))

    assert footprint.distance_deg(float(ra), float(dec)) * 3600 == pytest.approx(
        expected_arcsec, abs=1e-3
    )


def test_distance_across_the_sky_is_the_angle_between():
    footprint = make_footprint()

    distance = footprint.distance_deg(10.0, -50.0)

    assert distance == pytest.approx(70.0, abs=0.05)


@pytest.mark.parametrize("survey", list(surveys()))
def test_survey_has_data_somewhere_in_all_its_images(survey: str):
    for mosaic in surveys()[survey]:
        first = mosaic.footprint.exposures[0]
        x, y = mosaic.grid.pixels(mosaic.grid.frame.vectors(first.east, first.north + 5.0))
        window = Window(round(float(x)) - 2, round(float(y)) - 2, 5, 5)

        assert mosaic.footprint.covers(mosaic.grid, window)
        assert np.isfinite(mosaic.typical_noise())


def test_wcs_of_a_grid_is_a_tangent_projection():
    wcs = GOODS_N.wcs()

    assert isinstance(wcs, WCS)
    assert list(wcs.wcs.ctype) == ["RA---TAN", "DEC--TAN"]
