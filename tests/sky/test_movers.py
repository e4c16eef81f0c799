"""Cutouts of moving targets: the right CCDs, MAST's file, the same stars, and a planted body."""

import io
import math
import zipfile

import numpy as np
import pytest
import requests
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.table import Table
from astropy.time import Time
from astropy.timeseries import LombScargle
from astropy.wcs import WCS
from starlette.applications import Starlette
from starlette.routing import Mount

from demo_sky.movers import routes as moving
from demo_sky.movers.bodies import bodies, find_bodies
from demo_sky.movers.brightness import rotation, tess_magnitude
from demo_sky.movers.ephemeris import Ephemeris, sector_ephemeris
from demo_sky.movers.passages import find_ccds, passages_in_sector
from demo_sky.movers.pixels import MovingExposure, _coma_parts, follow
from demo_sky.movers.product import MovingCutout, stream_archive
from demo_sky.parameters import BadRequestError
from demo_sky.server import RunningServer, _bad_request
from demo_sky.tess.geometry import Window, local_wcs, pixel_to_sky
from demo_sky.tess.pixels import Exposure
from demo_sky.tess.product import Cutout
from demo_sky.tess.product import stream_archive as stream_fixed
from demo_sky.tess.star_images import FULL_WELL_RATE, electron_rate
from demo_sky.tess.timing import cadences
from demo_sky.tesscut import NOTHING_FOUND

SECTOR, ASTROCUT = "/moving_target/sector", "/moving_target/astrocut"


@pytest.fixture(scope="module")
def ask():
    app = Starlette(
        routes=[Mount("/tesscut/api/v0.1", routes=moving.routes()), *moving.truth_routes()],
        exception_handlers={BadRequestError: _bad_request},
    )
    with RunningServer(app, "127.0.0.1", 0) as running:

        def get(path, method="GET", **query):
            root = running.url if path.startswith("/demo") else running.url + "/tesscut/api/v0.1"
            where = {"params": query} if method == "GET" else {"data": query}
            return requests.request(method, root + path, timeout=60, **where)

        yield get


def body(name):
    (found,) = find_bodies(name)
    return found


def passage_of(name, sector):
    return passages_in_sector(body(name), sector)[0]


def moving_file(name, sector, nx=5, ny=5):
    """Make one file and open it."""
    passage = passage_of(name, sector)
    archive = b"".join(stream_archive([MovingCutout(body(name), passage, nx, ny, name)]))
    return open_only_member(archive)


def open_only_member(archive):
    with zipfile.ZipFile(io.BytesIO(archive)) as members:
        (member,) = members.namelist()
        return fits.open(io.BytesIO(members.read(member)), checksum=True)


def read_track(name, sector, nx, ny, n_rows):
    """Read the first windows that lie on science pixels in full."""
    passage = passage_of(name, sector)
    track = follow(body(name), passage, nx, ny)
    flux, flux_err = MovingExposure(body(name), passage, track).read(0, n_rows)
    return passage, track, flux, flux_err


def fixed_windows(passage, track, n_rows):
    """Cut the same pixels out of one large fixed exposure."""
    columns, rows = track.column[:n_rows], track.row[:n_rows]
    window = Window(
        passage.sector,
        passage.camera,
        passage.ccd,
        int(columns.min()),
        int(rows.min()),
        int(np.ptp(columns)) + track.nx,
        int(np.ptp(rows)) + track.ny,
    )
    exposures = cadences(passage.sector, passage.camera, passage.ccd)
    whole, _ = Exposure(window, local_wcs(window), exposures).read(0, len(exposures.time))
    return np.stack(
        [
            whole[
                cadence,
                row - window.row : row - window.row + track.ny,
                column - window.column : column - window.column + track.nx,
            ]
            for cadence, column, row in zip(passage.cadences[:n_rows], columns, rows, strict=True)
        ]
    )


# --- Names


@pytest.mark.parametrize(
    ("asked", "label"),
    [
        ("Ceres", "1 Ceres"),
        (" ceres ", "1 Ceres"),
        ("1", "1 Ceres"),
        ("1;", "1 Ceres"),
        ("1 Ceres", "1 Ceres"),
        ("(1) Ceres", "1 Ceres"),
        ("A801 AA", "1 Ceres"),
        ("1 Ceres (A801 AA)", "1 Ceres"),
        ("2000001", "1 Ceres"),
        ("354 Eleonora", "354 Eleonora"),
        ("C/2020 F3", "C/2020 F3 (NEOWISE)"),
        ("C/2020 F3 NEOWISE", "C/2020 F3 (NEOWISE)"),
        ("C/2020 F3 (NEOWISE)", "C/2020 F3 (NEOWISE)"),
        ("46P", "46P/Wirtanen"),
        ("46P/Wirtanen", "46P/Wirtanen"),
        ("Wirtanen", "46P/Wirtanen"),
        ("67P/Churyumov-Gerasimenko", "67P/Churyumov-Gerasimenko"),
        ("67P/Churyumov–Gerasimenko".replace("–", "-").upper(), "67P/Churyumov-Gerasimenko"),
        ("2I/Borisov", "2I/Borisov"),
        ("C/2019 Q4 (Borisov)", "2I/Borisov"),
    ],
)
def test_bodies_are_found_by_the_names_that_horizons_takes(asked, label):
    assert [found.label for found in find_bodies(asked)] == [label]


@pytest.mark.parametrize("asked", ["", "Cer", "Ceres!", "M101", "C/2020 F33", "../../Ceres"])
def test_other_names_find_nothing(asked):
    assert find_bodies(asked) == ()


def test_a_name_that_two_comets_share_finds_both():
    assert [found.label for found in find_bodies("NEOWISE")] == [
        "C/2018 N1 (NEOWISE)",
        "C/2020 F3 (NEOWISE)",
    ]


@pytest.mark.parametrize(
    ("name", "body_type", "found"),
    [
        ("Ceres", "smallbody", True),
        ("Ceres", "small_body", True),
        ("Ceres", "asteroid_name", True),
        ("Ceres", "comet_name", False),
        ("46P", "comet_name", True),
        ("Ceres", "majorbody", False),
        ("Ceres", "whatever", True),
    ],
)
def test_the_type_of_a_body_narrows_the_search(name, body_type, found):
    assert bool(find_bodies(name, body_type)) == found


# --- CCDs


def test_ceres_is_found_where_the_brief_prints_it():
    # All rows of astroquery's manual, and no others up to sector 98.
    assert find_ccds(body("Ceres")) == ((29, 1, 4), (43, 3, 3), (44, 2, 4), (92, 4, 3), (97, 1, 4))


def test_eleonora_is_found_first_where_astroquery_tests_it():
    assert find_ccds(body("Eleonora"))[0] == (6, 1, 1)


@pytest.mark.parametrize(("sector", "real"), [(6, 355), (23, 444)])
def test_eleonora_stays_on_the_ccd_about_as_long_as_in_real_files(sector, real):
    # Rows of MAST's files (astroquery's manual; STScI's notebook). TESS itself sees the asteroid up
    # to 4 arcmin from where the Earth's centre does: 12 pixels, or 30 cadences, sooner or later.
    assert len(passage_of("Eleonora", sector).cadences) == pytest.approx(real, abs=30)


def test_wirtanen_is_in_the_sector_of_its_published_outburst():
    # 26 September 2018, sector 3 (Farnham et al. 2019, ApJ 886, L24).
    assert (3, 2, 3) in find_ccds(body("46P"))


def test_the_way_over_a_ccd_is_as_smooth_as_its_speed_says():
    passage = passage_of("Ceres", 44)
    days = np.diff(cadences(44, 2, 4).spacecraft_time[passage.cadences])

    for place, speed in (
        (passage.column, passage.column_per_day),
        (passage.row, passage.row_per_day),
    ):
        mean_speed = (speed[1:] + speed[:-1]) / 2.0
        assert np.diff(place) / days == pytest.approx(mean_speed, abs=0.1)


# --- Brightness


def at(sun_distance, earth_distance, phase_deg):
    """Give one place with these distances and phase."""
    values = (0.0, 0.0, sun_distance, earth_distance, phase_deg)
    return Ephemeris(*(np.array([value]) for value in values))


def test_brightness_falls_with_both_distances():
    vesta = body("Vesta")

    near, far = (tess_magnitude(vesta, at(*where))[0] for where in ((1, 1, 0), (2, 3, 0)))

    assert far - near == pytest.approx(5.0 * math.log10(6.0))


def test_full_phase_shows_the_absolute_magnitude():
    eros = body("Eros")

    # Sunlight is 0.57 mag brighter in TESS's band than in V.
    assert tess_magnitude(eros, at(1, 1, 0))[0] == pytest.approx(eros.h_mag - 0.57)


def test_a_comet_brightens_faster_towards_the_sun():
    comet = body("46P")

    near, far = (tess_magnitude(comet, at(*where))[0] for where in ((1, 1, 30), (2, 1, 30)))

    # MPC: m = H + 5 log(delta) + 2.5 * 6 log(r).
    assert far - near == pytest.approx(15.0 * math.log10(2.0))


def test_rotation_has_the_planted_amplitude_and_mean():
    eleonora = body("Eleonora")
    turns = np.linspace(0.0, eleonora.rotation_period_h / 24.0, 2001)[:-1]

    flux = rotation(eleonora, turns, exposure_s=1.0)

    assert np.ptp(-2.5 * np.log10(flux)) == pytest.approx(eleonora.amplitude_mag, rel=0.01)
    assert flux.mean() == pytest.approx(1.0, abs=1e-9)


def test_rotation_repeats_after_a_turn_but_not_after_half_of_it():
    eleonora = body("Eleonora")
    period = eleonora.rotation_period_h / 24.0
    time = np.linspace(0.0, 2.0, 500)

    now, later, half = (
        rotation(eleonora, time + shift, 1.0) for shift in (0.0, period, period / 2.0)
    )

    assert later == pytest.approx(now, abs=1e-9)
    assert np.abs(half - now).max() > 0.1 * np.ptp(now)


def test_long_exposures_smear_the_rotation():
    psyche = body("Psyche")
    time = np.linspace(0.0, 3.0, 2000)
    fine = np.linspace(-0.5, 0.5, 201) * 1800.0 / 86400.0

    smeared = rotation(psyche, time, 1800.0)

    sampled = np.mean([rotation(psyche, time + shift, 0.001) for shift in fine], axis=0)
    assert smeared == pytest.approx(sampled, abs=1e-4)


def test_a_body_without_a_known_period_is_steady():
    assert np.all(rotation(body("46P"), np.arange(3.0), 1800.0) == 1.0)


# --- Windows and pixels


@pytest.mark.parametrize("size", [4, 5, 11])
def test_the_window_follows_the_body_in_whole_pixels(size):
    passage = passage_of("Ceres", 44)
    track = follow(body("Ceres"), passage, size, size)

    for target, first, place in (
        (track.target_x, track.column, passage.column),
        (track.target_y, track.row, passage.row),
    ):
        # astrocut rounds the lower limit, with pixel centres at whole numbers.
        assert np.all(np.abs(target - size / 2.0) <= 0.5 + 1e-9)
        assert first + target == pytest.approx(place, abs=1e-9)


def test_the_stars_are_those_of_fixed_cutouts_to_the_last_bit():
    passage, track, flux, _ = read_track("Eleonora", 6, 31, 31, 40)

    fixed = fixed_windows(passage, track, 40)

    # 13 pixels away there is nothing left of the body.
    y, x = np.mgrid[:31, :31]
    away = np.maximum(np.abs(x - 15), np.abs(y - 15)) > 13
    assert away.sum() == 31**2 - 27**2
    assert np.array_equal(flux[:, away], fixed[:, away])


def test_the_light_that_is_added_is_the_bodys():
    name, n_rows = "Eleonora", 200
    passage, track, flux, _ = read_track(name, 6, 15, 15, n_rows)
    chosen = passage.cadences[:n_rows]
    places = sector_ephemeris(body(name), 6)
    exposures = cadences(6, 1, 1)
    time = exposures.spacecraft_time - places.light_time_d

    added = (flux - fixed_windows(passage, track, n_rows)).sum(axis=(1, 2))

    expected = electron_rate(tess_magnitude(body(name), places)) * rotation(
        body(name), time, exposures.exposure_s
    )
    # Outside 15 x 15 pixels there is 0.1 % of a star's light.
    assert added == pytest.approx(expected[chosen], rel=0.003)


def test_the_body_is_where_the_file_says():
    passage, track, flux, _ = read_track("Eleonora", 6, 15, 15, 200)

    light = flux - fixed_windows(passage, track, 200)

    y, x = np.mgrid[:15, :15]
    total = light.sum(axis=(1, 2))
    # Pointing wanders by some hundredths of a pixel.
    assert (light * x).sum(axis=(1, 2)) / total == pytest.approx(track.target_x[:200], abs=0.1)
    assert (light * y).sum(axis=(1, 2)) / total == pytest.approx(track.target_y[:200], abs=0.1)


def test_the_period_of_a_planted_rotation_comes_back():
    # Then it comes to the edge of the science pixels.
    name, n_rows = "Eleonora", 300
    passage, track, flux, _ = read_track(name, 6, 9, 9, n_rows)
    time = cadences(6, 1, 1).time[passage.cadences[:n_rows]]

    light = (flux - fixed_windows(passage, track, n_rows)).sum(axis=(1, 2))

    trend = np.polyval(np.polyfit(time - time[0], light, 3), time - time[0])
    frequency = np.linspace(1.0, 20.0, 20000)
    power = LombScargle(time, light / trend, nterms=2).power(frequency)
    period_h = 24.0 / frequency[np.argmax(power)]
    assert period_h == pytest.approx(body(name).rotation_period_h, rel=0.01)


def test_errors_grow_by_the_bodys_photons():
    passage, track, flux, flux_err = read_track("Eleonora", 6, 9, 9, 100)
    live_s = cadences(6, 1, 1).live_s

    light = flux - fixed_windows(passage, track, 100)

    # Photon noise: the added variance is the added light over the time it was collected in.
    middle = light[:, 3:6, 3:6].mean()
    variance = (flux_err**2)[:, 3:6, 3:6].mean()
    stars = fixed_windows(passage, track, 100)[:, 3:6, 3:6].mean()
    read_out = 10.0**2 / 1.98 / live_s
    assert variance == pytest.approx((middle + stars) / live_s + read_out, rel=0.01)


@pytest.mark.parametrize("blocks", [[7, 60], [30, 37]])
def test_blocks_can_be_cut_anywhere(blocks):
    passage = passage_of("Apophis", 35)
    track = follow(body("Apophis"), passage, 9, 9)
    whole, whole_err = MovingExposure(body("Apophis"), passage, track).read(0, sum(blocks))
    exposure = MovingExposure(body("Apophis"), passage, track)

    parts = [exposure.read(0, blocks[0]), exposure.read(blocks[0], sum(blocks))]

    assert np.array_equal(np.concatenate([flux for flux, _ in parts]), whole, equal_nan=True)
    assert np.array_equal(np.concatenate([err for _, err in parts]), whole_err, equal_nan=True)


def test_the_same_pixel_is_the_same_in_windows_of_other_sizes():
    _, small_track, small, _ = read_track("Eleonora", 6, 5, 5, 60)
    _, large_track, large, _ = read_track("Eleonora", 6, 20, 11, 60)

    for index in range(60):
        left = small_track.column[index] - large_track.column[index]
        bottom = small_track.row[index] - large_track.row[index]
        part = large[index, bottom : bottom + 5, left : left + 5]
        assert np.allclose(part, small[index], rtol=1e-5)


def test_blocks_out_of_order_are_refused():
    passage = passage_of("Ceres", 29)
    exposure = MovingExposure(body("Ceres"), passage, follow(body("Ceres"), passage, 3, 3))

    with pytest.raises(ValueError, match="the next block starts at 0, not at 5"):
        exposure.read(5, 10)


def test_a_fast_body_is_trailed_along_its_way():
    # Phaethon in October 2019: 3 pixels in 30 minutes. A trail of length L adds L^2 / 12 along it.
    n_rows = 300
    passage, track, flux, _ = read_track("Phaethon", 17, 21, 21, n_rows)
    light = (flux - fixed_windows(passage, track, n_rows)).astype(float)
    whole = np.isfinite(light).all(axis=(1, 2))
    stack = light[whole].mean(axis=0)
    along_x = passage.column_per_day[:n_rows][whole].mean() / 48.0
    along_y = passage.row_per_day[:n_rows][whole].mean() / 48.0
    length = math.hypot(along_x, along_y)

    y, x = np.mgrid[:21, :21] - 10.0
    near = np.hypot(x, y) < 6.0

    def spread(offset):
        weight = stack[near] / stack[near].sum()
        mean = (weight * offset[near]).sum()
        return (weight * (offset[near] - mean) ** 2).sum()

    forward = (x * along_x + y * along_y) / length
    sideways = (y * along_x - x * along_y) / length
    assert whole.sum() > 200
    assert length > 2.5
    assert spread(forward) - spread(sideways) == pytest.approx(length**2 / 12.0, rel=0.15)


def test_a_bright_body_fills_pixels_no_further_than_the_full_well():
    # Tmag 5.5: six times what fills a pixel.
    name = "Vesta"
    passage, track, flux, _ = read_track(name, 91, 15, 61, 10)
    places = sector_ephemeris(body(name), 91)
    rate = electron_rate(tess_magnitude(body(name), places))[passage.cadences[:10]]

    light = flux - fixed_windows(passage, track, 10)

    assert np.all(rate > 6.0 * FULL_WELL_RATE)
    assert light.max() == pytest.approx(FULL_WELL_RATE, rel=0.005)
    # Charge runs along the column; none is lost. Rotation changes the sum by up to 6 %.
    assert light.sum(axis=(1, 2)) == pytest.approx(rate, rel=0.07)


def test_a_coma_falls_off_as_one_over_distance():
    erfc = pytest.importorskip("scipy.special").erfc
    radius = np.linspace(0.5, 5.0, 30)
    extent, n_parts = 20.0, 20000
    widths = extent * (np.arange(n_parts) + 0.5) / n_parts

    # Gaussians of equal light at equally spaced widths, as the parts are chosen.
    surface = np.exp(-(radius[:, None] ** 2) / (2.0 * widths**2)) / (2.0 * np.pi * widths**2)

    # 1 / r with a soft end: the integral over widths in closed form.
    closed = math.sqrt(math.pi / 2.0) / (2.0 * math.pi * extent * radius)
    closed = closed * erfc(radius / (math.sqrt(2.0) * extent))
    assert surface.mean(axis=1) == pytest.approx(closed, rel=1e-3)
    parts = [float(part[0]) for part in _coma_parts(np.array([10.0]))]
    assert parts == pytest.approx([1.0, 3.0, 5.0, 7.0, 9.0])


def test_a_comet_is_wider_than_an_asteroid():
    def inner_share(name, sector):
        passage, track, flux, _ = read_track(name, sector, 21, 21, 60)
        light = (flux - fixed_windows(passage, track, 60)).sum(axis=0)
        return light[9:12, 9:12].sum() / light.sum()

    assert inner_share("46P", 3) < 0.5 * inner_share("Eleonora", 6)


# --- The file


@pytest.fixture(scope="module")
def eleonora():
    with moving_file("Eleonora", 6) as file:
        yield file


def test_the_file_has_the_cards_that_the_brief_prints(eleonora):
    assert [len(hdu.header) for hdu in eleonora] == [54, 150, 97]
    assert [hdu.name for hdu in eleonora] == ["PRIMARY", "PIXELS", "APERTURE"]
    assert eleonora["PIXELS"].columns.formats == (
        ["D", "E", "J", "25J", "25E", "25E", "25E", "25E", "J", "E", "E", "38A"] + ["D"] * 4
    )
    assert eleonora["APERTURE"].data.shape == (2078, 2136)
    assert eleonora["APERTURE"].data.dtype == np.dtype(">i4")


def test_the_header_tells_the_target_and_no_position(eleonora):
    header = eleonora[0].header
    assert header["OBJECT"] == "Eleonora"
    assert (header["SECTOR"], header["CAMERA"], header["CCD"]) == (6, 1, 1)
    assert header["SIMDATA"]
    assert "demo sky" in header["ORIGIN"]
    assert "RA_OBJ" not in header
    assert "DEC_OBJ" not in header
    assert header["TSTART"] == eleonora[1].data["TIME"][0]
    assert header["TSTOP"] == eleonora[1].data["TIME"][-1]


def test_shapes_are_written_without_a_blank(eleonora):
    header = eleonora[1].header
    assert [header[f"TDIM{number}"] for number in range(4, 9)] == ["(5,5)"] * 5
    assert eleonora[1].data["FLUX"].shape == (len(eleonora[1].data), 5, 5)


def test_columns_and_rows_are_not_exchanged():
    with moving_file("Ceres", 92, nx=7, ny=3) as file:
        assert file[1].header["TDIM5"] == "(7,3)"
        assert file[1].data["FLUX"].shape[1:] == (3, 7)
        assert np.all(np.abs(file[1].data["TGT_X"] - 3.5) <= 0.5)
        assert np.all(np.abs(file[1].data["TGT_Y"] - 1.5) <= 0.5)


def test_checksums_are_right(eleonora):
    for hdu in eleonora:
        assert hdu.verify_checksum() == 1
        assert hdu.verify_datasum() == 1
    eleonora.verify("exception")


def test_rows_are_those_of_the_ccds_own_cadences(eleonora):
    data = eleonora[1].data
    exposures = cadences(6, 1, 1)
    chosen = passage_of("Eleonora", 6).cadences

    assert np.array_equal(data["TIME"], exposures.time[chosen])
    assert np.array_equal(data["QUALITY"], exposures.quality[chosen])
    assert data["FFI_FILE"][0] == exposures.ffi_names[chosen[0]].decode()
    assert np.all(np.diff(data["TIME"]) > 0.0)
    assert np.all(data["RAW_CNTS"] == -1)
    assert np.all(data["FLUX_BKG"] == 0.0)


def test_pixels_are_not_given_off_the_science_area(eleonora):
    # Eleonora leaves over the leading collateral columns 1 to 44.
    data, passage = eleonora[1].data, passage_of("Eleonora", 6)
    off = passage.column < 40.0

    assert off.any()
    assert np.all(np.isnan(data["FLUX"][off]))
    assert np.all(np.isfinite(data["FLUX"][passage.column > 50.0]))


def test_the_ffis_wcs_leads_from_the_sky_to_the_windows(eleonora):
    data = eleonora[1].data
    passage = passage_of("Eleonora", 6)

    wcs = WCS(eleonora[2].header)

    x, y = wcs.all_world2pix(data["TGT_RA"], data["TGT_DEC"], 0)
    assert wcs.sip.a_order == wcs.sip.ap_order == 4
    assert x == pytest.approx(passage.column - 1.0, abs=0.3)
    assert y == pytest.approx(passage.row - 1.0, abs=0.3)


def test_the_aperture_marks_the_crossed_pixels_transposed(eleonora):
    mask = eleonora[2].data
    passage = passage_of("Eleonora", 6)

    middle = len(passage.cadences) // 2
    column, row = round(passage.column[middle]) - 1, round(passage.row[middle]) - 1
    assert mask[column, row] == 1
    assert mask[row, column] == 0
    assert set(np.unique(mask)) == {0, 1}


def test_astrocut_cuts_the_same_windows_out_of_fixed_cutouts(tmp_path):
    center_on_path = pytest.importorskip("astrocut").center_on_path
    with moving_file("Eleonora", 6) as file:
        ours = Table(file[1].data)
        header = [hdu.header.copy() for hdu in file]
    passage = passage_of("Eleonora", 6)
    # Two fixed cutouts, side by side, around a part of the way; TESSCut merges such.
    files = []
    for first_column, n_columns in ((262, 40), (296, 36)):
        window = Window(6, 1, 1, first_column, 850, n_columns, 30)
        cutout = Cutout(window, *(float(x) for x in local_wcs(window).wcs.crval))
        path = tmp_path / f"fixed_{first_column}.fits"
        with zipfile.ZipFile(io.BytesIO(b"".join(stream_fixed([cutout], Exposure)))) as members:
            path.write_bytes(members.read(members.namelist()[0]))
        files.append(str(path))
    part = (passage.column > 268.0) & (passage.column < 324.0)
    path_table = Table(
        {
            "time": Time(ours["TIME"][part] + 2457000.0, format="jd", scale="tdb"),
            "position": SkyCoord(ours["TGT_RA"][part], ours["TGT_DEC"][part], unit="deg"),
        }
    )

    merged = center_on_path(
        path_table,
        [5, 5],
        files,
        target="Eleonora",
        img_wcs=WCS(header[2]),
        output_path=str(tmp_path),
        verbose=False,
    )

    with fits.open(merged) as theirs:
        # astrocut keeps FFI_TYPE: the brief's counts are from before TESSCut wrote it.
        for hdu, ours_header in zip(theirs, header, strict=True):
            keys = [key for key in hdu.header if key != "FFI_TYPE"]
            assert sorted(keys) == sorted(ours_header)
        assert [k for k in theirs[1].header if k != "FFI_TYPE"] == list(header[1])
        table = Table(theirs[1].data)
    pairs = np.searchsorted(ours["TIME"], table["TIME"])
    assert len(pairs) > 40
    assert np.array_equal(ours["TIME"][pairs], table["TIME"])
    # Theirs come from the WCS fitted to a fixed cutout, ours from the true projection: now and then
    # they round to different pixels.
    same = np.ones(len(pairs), dtype=bool)
    for key in ("TGT_X", "TGT_Y"):
        same &= np.abs(ours[key][pairs] - table[key]) < 0.1
    assert same.mean() > 0.9
    light = ours["FLUX"][pairs[same]] - table["FLUX"][same]
    # All stars cancel; what is left is the asteroid, brightest where TGT_X and TGT_Y say.
    peaks = light.reshape(len(light), -1).argmax(axis=1)
    assert np.all(np.abs(peaks % 5 - table["TGT_X"][same]) < 0.8)
    assert np.all(np.abs(peaks // 5 - table["TGT_Y"][same]) < 0.8)
    rate = electron_rate(tess_magnitude(body("Eleonora"), sector_ephemeris(body("Eleonora"), 6)))
    assert light.sum(axis=(1, 2)).mean() == pytest.approx(rate.mean(), rel=0.15)


# --- The service


def test_sectors_come_in_tesscuts_shape(ask):
    reply = ask(SECTOR, obj_id="Ceres")

    assert reply.status_code == 200
    assert reply.json()["results"][0] == {
        "sectorName": "tess-s0029-1-4",
        "sector": "0029",
        "camera": "1",
        "ccd": "4",
    }
    assert [row["sector"] for row in reply.json()["results"]] == [
        "0029",
        "0043",
        "0044",
        "0092",
        "0097",
    ]


def test_a_form_is_as_good_as_a_query(ask):
    query = {"obj_id": "Eleonora", "obj_type": "small_body"}

    assert ask(SECTOR, "POST", **query).json() == ask(SECTOR, **query).json()


@pytest.mark.parametrize("path", [SECTOR, ASTROCUT])
def test_an_unknown_body_is_told_in_json(ask, path):
    reply = ask(path, obj_id="Vulcan", x=5, y=5)

    assert reply.status_code == 200
    assert reply.json() == {
        "results": [],
        "msg": 'The demo sky has no moving target "Vulcan".',
    }


def test_a_name_of_several_bodies_lists_them(ask):
    message = ask(SECTOR, obj_id="NEOWISE").json()["msg"]

    assert "C/2018 N1 (NEOWISE), C/2020 F3 (NEOWISE)" in message


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({}, "The parameter obj_id is missing."),
        ({"obj_id": "Ceres", "y": 5}, "The parameter x is missing."),
        ({"obj_id": "Ceres", "x": 5, "y": 5, "units": "furlong"}, "The units are not"),
        ({"obj_id": "Ceres", "x": 0, "y": 5}, "The size is not positive"),
        ({"obj_id": "Ceres", "x": 101, "y": 100}, "The cutout is too large: 101 x 100 pixels"),
        ({"obj_id": "Ceres", "x": 1, "y": 1, "units": "d"}, "The cutout is too large"),
        ({"obj_id": "Ceres", "x": 5, "y": 5, "sector": "six"}, "The sector is not a number"),
    ],
)
def test_a_request_that_cannot_be_answered_is_refused(ask, query, words):
    reply = ask(ASTROCUT, **query)

    assert reply.status_code == 400
    assert words in reply.text


def test_a_sector_without_the_body_has_nothing(ask):
    reply = ask(ASTROCUT, obj_id="Ceres", x=5, y=5, sector=1)

    assert reply.json() == {"results": [], "msg": NOTHING_FOUND}


def test_a_cutout_comes_as_a_zip_of_one_file_a_ccd(ask):
    reply = ask(ASTROCUT, obj_id="Eleonora", x=1, y=1, units="px", sector=6)

    assert reply.headers["content-type"] == "application/zip"
    with open_only_member(reply.content) as file:
        assert file[1].data["FLUX"].shape[1:] == (1, 1)


def test_a_body_that_crosses_two_ccds_comes_in_two_files(ask):
    reply = ask(ASTROCUT, obj_id="C/2018 N1 (NEOWISE)", x=3, y=3, sector=1)

    with zipfile.ZipFile(io.BytesIO(reply.content)) as members:
        names = members.namelist()
        ccds = [fits.getval(io.BytesIO(members.read(name)), "CCD") for name in names]
    assert ccds == [1, 4]
    assert all(name.startswith("C-2018_N1_(NEOWISE)_") for name in names)
    assert all(name.endswith("_3-x-3_astrocut.fits") for name in names)


def test_without_a_sector_all_are_cut(ask):
    reply = ask(ASTROCUT, obj_id="354", x=1, y=1)

    with zipfile.ZipFile(io.BytesIO(reply.content)) as members:
        sectors = [fits.getval(io.BytesIO(members.read(m)), "SECTOR") for m in members.namelist()]
    assert sectors == [6, 23]


def test_an_angle_is_covered_by_whole_pixels(ask):
    passage = passage_of("Eleonora", 6)
    middle = len(passage.cadences) // 2
    column = passage.column[middle] + np.array([0.0, 1.0, 0.0])
    row = passage.row[middle] + np.array([0.0, 0.0, 1.0])
    sky = SkyCoord(*pixel_to_sky(6, 1, 1, column, row), unit="deg")
    per_column, per_row = sky[1:].separation(sky[0]).arcsec
    expected = f"({math.ceil(120.0 / per_column)},{math.ceil(60.0 / per_row)})"

    reply = ask(ASTROCUT, obj_id="Eleonora", x=2, y=1, units="m", sector=6)

    with open_only_member(reply.content) as file:
        assert file[1].header["TDIM5"] == expected


def test_the_same_request_gets_the_same_bytes(ask):
    query = {"obj_id": "Eleonora", "x": 3, "y": 3, "sector": 6}

    assert ask(ASTROCUT, **query).content == ask(ASTROCUT, **query).content


def test_the_truth_about_a_body_can_be_asked(ask):
    truth = ask("/demo/moving_target", obj_id="Eleonora").json()

    assert truth["simulated"]
    assert truth["body"]["rotation_period_h"] == 4.277
    assert [row["sector"] for row in truth["body"]["sectors"]] == ["0006", "0023"]
    assert truth["body"]["sectors"][0]["v_mag"] == pytest.approx(10.0, abs=0.5)


def test_there_is_no_truth_about_an_unknown_body(ask):
    reply = ask("/demo/moving_target", obj_id="Vulcan").json()

    assert reply["body"] is None
    assert "Vulcan" in reply["msg"]


def test_every_body_says_where_its_numbers_are_from():
    for each in bodies():
        assert "@" in each.source
        assert each.kind in {"asteroid", "comet"}
        assert find_bodies(each.label) == (each,)
