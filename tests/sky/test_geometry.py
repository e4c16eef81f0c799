"""The simulated TESS looks where tess-point says, and lists what MAST listed."""

import json

import numpy as np
import pytest
import tess_stars2px
from astropy.coordinates import SkyCoord
from astropy.wcs.utils import proj_plane_pixel_scales

from demo_sky.tess.geometry import (
    FFI_COLUMNS,
    FFI_ROWS,
    LAST_SECTOR,
    Pointing,
    Window,
    collected,
    cutout_window,
    find_pointings,
    is_on_image,
    is_science_pixel,
    local_wcs,
    pixel_scale_arcsec,
    pixel_to_sky,
    sky_to_pixel,
    wcs_offset_deg,
)

PI_MENSAE = (84.2911951861308, -80.46912070924)
CCDS = [(camera, ccd) for camera in (1, 2, 3, 4) for ccd in (1, 2, 3, 4)]


def keys(pointings):
    return [(p.sector, p.camera, p.ccd) for p in pointings]


def separation_arcsec(ra, dec, ra0, dec0):
    here, there = SkyCoord(ra, dec, unit="deg"), SkyCoord(ra0, dec0, unit="deg")
    return here.separation(there).arcsec


@pytest.fixture(scope="module")
def tess_point():
    return tess_stars2px.TESS_Spacecraft_Pointing_Data()


@pytest.fixture(scope="module")
def directions():
    """Give 25 positions all over the sky, as (ra, dec)."""
    rng = np.random.default_rng(2018)
    dec = np.rad2deg(np.arcsin(rng.uniform(-1.0, 1.0, 25)))
    return list(zip(rng.uniform(0.0, 360.0, 25), dec, strict=True))


def test_the_sectors_printed_in_astroquerys_manual_come_out():
    found = find_pointings(135.1408, -5.1915)

    assert keys(found) == [(8, 1, 1), (34, 1, 2), (61, 1, 2), (88, 1, 2)]


def test_pi_mensae_has_the_sectors_that_mast_listed(real_replies):
    reply = json.loads((real_replies / "tesscut_sector_pimen_2023-10.json").read_text("utf-8"))
    rows = reply["results"]
    listed = [(int(row["sector"]), int(row["camera"]), int(row["ccd"])) for row in rows]

    # The reply is of October 2023, when sector 68 was the archive's last.
    assert keys(find_pointings(*PI_MENSAE, sectors=range(1, 69))) == listed


def test_the_one_row_in_which_mast_and_tess_point_differ_is_on_collateral_pixels(tess_point):
    sectors_of_tess_point = tess_stars2px.tess_stars2px_function_entry(
        1, *PI_MENSAE, scInfo=tess_point
    )[3]

    (listed,) = find_pointings(*PI_MENSAE, sectors=[35])

    assert 35 not in sectors_of_tess_point
    assert (listed.camera, listed.ccd) == (4, 4)
    assert 2092.5 < listed.column < FFI_COLUMNS
    assert not is_science_pixel(listed.column, listed.row)
    assert is_on_image(listed.column, listed.row)


def test_positions_fall_where_tess_point_puts_them(tess_point, directions):
    n_compared = 0
    for ra, dec in directions:
        table = tess_stars2px.tess_stars2px_function_entry(1, ra, dec, scInfo=tess_point)
        theirs = {
            (int(sector), int(camera), int(ccd)): (column, row)
            for sector, camera, ccd, column, row in zip(*table[3:8], strict=True)
            if 1 <= sector <= LAST_SECTOR
        }
        ours = {(p.sector, p.camera, p.ccd): p for p in find_pointings(ra, dec)}

        assert set(theirs) <= set(ours)
        # tess-point lists science pixels only, with half a pixel to spare.
        assert all(
            not is_science_pixel(ours[k].column, ours[k].row) for k in set(ours) - set(theirs)
        )
        for key, (column, row) in theirs.items():
            assert ours[key].column == pytest.approx(column, abs=1e-8)
            assert ours[key].row == pytest.approx(row, abs=1e-8)
        n_compared += len(theirs)
    assert n_compared > 100


def test_a_pixel_looks_where_tess_points_inverse_says(tess_point):
    model = tess_point.fpgObjs[4]
    for camera, ccd in [(1, 1), (2, 4), (4, 3)]:
        # Its pixels count from 0, without the 44 collateral columns.
        theirs = model.pix2radec_nocheck_single(camera - 1, ccd - 1, np.array([100.0, 1900.0]))

        ours = pixel_to_sky(5, camera, ccd, 145.0, 1901.0)

        # It searches for the inverse to about 1e-5 of a radian's part.
        assert separation_arcsec(*ours, *theirs) < 0.05


@pytest.mark.parametrize(("camera", "ccd"), CCDS)
def test_pixel_to_sky_and_back_is_the_same_pixel(camera, ccd):
    column, row = np.meshgrid(np.linspace(-200.0, 2300.0, 11), np.linspace(-200.0, 2300.0, 11))

    there = pixel_to_sky(70, camera, ccd, column, row)
    back = sky_to_pixel(70, camera, ccd, *there)

    np.testing.assert_allclose(back, (column, row), rtol=0, atol=1e-7)


def test_far_from_the_camera_there_is_no_pixel():
    ra, dec = pixel_to_sky(1, 1, 1, 1068.0, 1024.0)

    column, row = sky_to_pixel(1, 1, 1, (ra + 180.0) % 360.0, -dec)

    assert np.isnan(column)
    assert np.isnan(row)
    assert not is_on_image(column, row)


def test_no_later_or_special_sector_is_served():
    everywhere = find_pointings(10.0, 20.0, 180.0)

    assert max(p.sector for p in everywhere) == LAST_SECTOR == 98
    assert len(everywhere) == LAST_SECTOR * 16


def test_pointings_come_in_order():
    found = keys(find_pointings(84.0, -66.0, 8.0))

    assert found == sorted(found)
    assert len(found) > 100


def test_a_circle_finds_just_the_ccds_that_it_touches():
    # Brute force: the rims of all CCDs pixel by pixel.
    rng = np.random.default_rng(7)
    edge = np.arange(0.5, 2137.0)
    short = np.arange(0.5, 2079.0)
    column = np.concatenate([edge, edge, np.full_like(short, 0.5), np.full_like(short, 2136.5)])
    row = np.concatenate([np.full_like(edge, 0.5), np.full_like(edge, 2078.5), short, short])
    n_near = 0
    for sector in (1, 26, 61):
        rims = {ccd: SkyCoord(*pixel_to_sky(sector, *ccd, column, row), unit="deg") for ccd in CCDS}
        for _ in range(4):
            camera, ccd = CCDS[rng.integers(16)]
            # Beside a CCD, up to 1 degree off, inside or outside.
            start = rng.integers(len(column))
            off = rng.uniform(-180.0, 180.0, 2)
            ra, dec = pixel_to_sky(sector, camera, ccd, column[start] + off[0], row[start] + off[1])
            centre = SkyCoord(ra, dec, unit="deg")
            inside = {k for k in CCDS if is_on_image(*sky_to_pixel(sector, *k, ra, dec))}
            distance = {k: rim.separation(centre).deg.min() for k, rim in rims.items()}
            for radius in (min(distance.values()), 0.5, 3.0):
                # Half a pixel (0.003 deg) for the steps along the rim.
                for r, allowed in ((radius + 0.003, 0.0), (max(radius - 0.003, 0.0), 0.006)):
                    got = {(p.camera, p.ccd) for p in find_pointings(ra, dec, r, sectors=[sector])}
                    must = inside | {k for k, d in distance.items() if d <= r - 0.003}
                    may = inside | {k for k, d in distance.items() if d <= r + allowed}
                    assert must <= got <= may
                    n_near += len(got) - len(inside)
    assert n_near > 50


def test_a_circle_around_the_centre_of_a_ccd_need_not_reach_its_rim():
    ra, dec = pixel_to_sky(12, 2, 3, 1068.0, 1024.0)

    assert keys(find_pointings(ra, dec, 0.1, sectors=[12])) == [(12, 2, 3)]


@pytest.mark.parametrize(
    ("column", "size", "first"),
    [
        pytest.param(100.0, 5, 98, id="odd, centre of a pixel"),
        pytest.param(99.6, 5, 98, id="odd, left part of the pixel"),
        pytest.param(100.4, 5, 98, id="odd, right part of the pixel"),
        pytest.param(100.4, 6, 98, id="even, right part: one more on the right"),
        pytest.param(99.6, 6, 97, id="even, left part: one more on the left"),
        pytest.param(100.4, 1, 100, id="one pixel"),
        pytest.param(1.0, 11, -4, id="over the edge"),
    ],
)
def test_the_window_is_centred_on_the_position(column, size, first):
    pointing = Pointing(9, 4, 1, column, column)

    assert cutout_window(pointing, size, size) == Window(9, 4, 1, first, first, size, size)
    assert cutout_window(pointing, size, 3).nx == size


def test_a_real_cutouts_corner_is_two_pixels_away_at_most():
    # From the header of tess-s0001-4-2_84.291190_-80.469170_6x6_astrocut.fits; tess-point claims 2
    # pixels, without aberration.
    (pointing,) = find_pointings(84.29119, -80.46917, sectors=[1])

    window = cutout_window(pointing, 6, 6)

    assert (window.camera, window.ccd) == (4, 2)
    assert abs(window.column - 1628) <= 2
    assert abs(window.row - 257) <= 2


def test_only_science_pixels_are_collected():
    left = collected(Window(1, 1, 1, column=43, row=1000, nx=4, ny=2))
    corner = collected(Window(1, 1, 1, column=2091, row=2047, nx=4, ny=3))
    bottom = collected(Window(1, 1, 1, column=500, row=-1, nx=1, ny=4))

    np.testing.assert_array_equal(left, [[False, False, True, True]] * 2)
    np.testing.assert_array_equal(
        corner, [[True, True, False, False], [True, True, False, False], [False] * 4]
    )
    np.testing.assert_array_equal(bottom[:, 0], [False, False, True, True])


@pytest.mark.parametrize(
    ("size", "limit_px"),
    # The linear WCS leaves the lens's distortion: more than 0.1 pixel only in the corners of very
    # large windows at the cameras' outer corners.
    [(1, 0.001), (5, 0.001), (11, 0.003), (30, 0.021), (64, 0.1), (100, 0.24)],
)
def test_the_wcs_puts_stars_where_the_projection_does(size, limit_px):
    worst = 0.0
    for camera, ccd in CCDS:
        for column, row in [(100.0, 100.0), (1068.0, 1024.0), (2040.0, 100.0), (2040.0, 2000.0)]:
            window = cutout_window(Pointing(61, camera, ccd, column, row), size, size)
            wcs = local_wcs(window)
            x, y = np.meshgrid(np.linspace(0, size - 1, 7), np.linspace(0, size - 1, 7))
            true = sky_to_pixel(61, camera, ccd, *wcs.all_pix2world(x, y, 0))
            miss = np.hypot(true[0] - window.column - x, true[1] - window.row - y)
            worst = max(worst, miss.max())
            assert wcs_offset_deg(window, wcs) * 3600.0 / 21.0 < limit_px

    assert worst < limit_px


def test_the_wcs_is_written_as_tesscut_writes_it():
    window = Window(33, 4, 4, column=1078, row=1471, nx=5, ny=5)

    wcs = local_wcs(window)

    assert list(wcs.wcs.ctype) == ["RA---TAN", "DEC--TAN"]
    np.testing.assert_array_equal(wcs.wcs.cdelt, [1.0, 1.0])
    np.testing.assert_allclose(wcs.wcs.crpix, [3.0, 3.0], atol=0.01)
    assert wcs.sip is None
    np.testing.assert_allclose(proj_plane_pixel_scales(wcs) * 3600.0, 20.8, atol=0.4)


def test_a_wcs_at_the_celestial_pole_is_as_good():
    pointings = find_pointings(0.0, 89.999)
    assert pointings

    window = cutout_window(pointings[0], 11, 11)

    assert wcs_offset_deg(window, local_wcs(window)) * 3600.0 < 0.1


def test_the_pixel_scale_is_that_between_neighbours():
    pointing = Pointing(20, 3, 2, 400.0, 1700.0)
    ra, dec = pixel_to_sky(
        20, 3, 2, np.array([400.0, 401.0, 400.0]), np.array([1700.0, 1700.0, 1701.0])
    )

    along_columns, along_rows = pixel_scale_arcsec(pointing)

    assert along_columns == pytest.approx(separation_arcsec(ra[0], dec[0], ra[1], dec[1]), rel=1e-3)
    assert along_rows == pytest.approx(separation_arcsec(ra[0], dec[0], ra[2], dec[2]), rel=1e-3)


def test_a_window_much_longer_than_a_ccd_has_a_wcs():
    window = Window(5, 1, 1, column=-3000, row=1000, nx=9000, ny=1)

    wcs = local_wcs(window)

    assert np.isfinite(wcs.wcs.crval).all()
    assert np.isfinite(wcs_offset_deg(window, wcs))


@pytest.mark.parametrize(
    ("ra", "dec", "radius", "message"),
    [
        (float("nan"), 0.0, 0.0, "ra and dec must be finite"),
        (0.0, 90.1, 0.0, "-90 <= dec <= 90"),
        (0.0, float("nan"), 0.0, "-90 <= dec <= 90"),
        (0.0, 0.0, -1.0, "radius_deg must be between 0 and 180"),
        (0.0, 0.0, float("nan"), "radius_deg must be between 0 and 180"),
    ],
)
def test_a_circle_that_is_not_on_the_sky_is_an_error(ra, dec, radius, message):
    with pytest.raises(ValueError, match=message):
        find_pointings(ra, dec, radius)


def test_an_image_has_the_size_of_a_real_ffi():
    # astroquery's manual prints (2136, 2078) for a moving target's aperture, a whole FFI.
    assert (FFI_COLUMNS, FFI_ROWS) == (2136, 2078)
