import io
import json
import subprocess
import sys
from datetime import date
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image
from tess_stars2px import TESS_Spacecraft_Pointing_Data, tess_stars2px_function_entry

from cutout_core.errors import InvalidQueryError
from cutout_core.mast.tesscut_requests import Sector
from cutout_core.sky_map import (
    MAP_HEIGHT,
    MAP_WIDTH,
    PredictedSector,
    SectorState,
    StripRow,
    camera_outlines,
    predicted_sectors,
    sector_strip,
    sky_map_png,
    split_area_at_edge,
    split_at_edge,
)
from tests.conftest import ROOT

PI_MENSAE = (84.291190, -80.469170)
# The middle of the sky as the map shows it: ecliptic (180, 0).
EQUINOX = {"ra": 180.0, "dec": 0.0}


def found_sector(sector: int, camera: int = 1, ccd: int = 1) -> Sector:
    return Sector(f"tess-s{sector:04d}-{camera}-{ccd}", sector, camera, ccd)


def vectors(ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    ra, dec = np.deg2rad(ra), np.deg2rad(dec)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)


def outline_vectors(sector: int, camera: int) -> np.ndarray:
    outlines = camera_outlines(sector)
    assert outlines is not None
    return vectors(*outlines[camera - 1].T)


def cameras_by_tess_point(sector: int, places: np.ndarray) -> list[set[int]]:
    """Ask tess-point which cameras see each place (n, 3); neighbours overlap a little."""
    ra = np.rad2deg(np.arctan2(places[:, 1], places[:, 0])) % 360
    dec = np.rad2deg(np.arcsin(places[:, 2]))
    answer = tess_stars2px_function_entry(
        np.arange(len(ra)), ra, dec, scInfo=TESS_Spacecraft_Pointing_Data(trySector=sector)
    )
    cameras: list[set[int]] = [set() for _ in ra]
    for i, camera in zip(answer[0], answer[4], strict=True):
        if camera > 0:
            cameras[i].add(int(camera))
    return cameras


# --- footprints ---


@pytest.mark.parametrize("sector", [1, 14, 43, 98, 134])
@pytest.mark.parametrize("camera", [1, 2, 3, 4])
def test_outline_is_where_tess_point_stops_seeing(sector: int, camera: int):
    edge = outline_vectors(sector, camera)
    middle = edge.mean(axis=0)
    middle /= np.linalg.norm(middle)
    # 0.2 per cent of half a camera are 4 pixels. A place in the middle of a side is in the gap
    # between two CCDs.
    n = len(edge) // 4
    edge = edge[np.arange(len(edge)) % n != n // 2]
    flat = edge / (edge @ middle)[:, None] - middle

    def moved(factor: float) -> np.ndarray:
        places = middle + factor * flat
        return places / np.linalg.norm(places, axis=1)[:, None]

    assert all(camera in seen for seen in cameras_by_tess_point(sector, moved(0.998)))
    assert not any(camera in seen for seen in cameras_by_tess_point(sector, moved(1.002)))


def test_places_of_known_stars_are_inside_the_camera_that_saw_them():
    # From MAST: Pi Mensae in s0001-4-2 and s0012-3-4.
    star = vectors(*np.array(PI_MENSAE))

    def is_inside(sector: int, camera: int) -> bool:
        edge = outline_vectors(sector, camera)
        following = np.roll(edge, -1, axis=0)
        sides = np.einsum("nk,nk->n", np.cross(edge, following), np.broadcast_to(star, edge.shape))
        return bool((sides > 0).all() or (sides < 0).all()) and bool((edge @ star > 0).all())

    assert [camera for camera in (1, 2, 3, 4) if is_inside(1, camera)] == [4]
    assert [camera for camera in (1, 2, 3, 4) if is_inside(12, camera)] == [3]
    assert not any(is_inside(14, camera) for camera in (1, 2, 3, 4))  # a northern sector


def test_sector_that_tess_point_does_not_know_has_no_outline():
    assert camera_outlines(200) is None
    assert camera_outlines(1751) is not None  # comet 3I/ATLAS


# --- cutting at the edge of the map ---


def test_line_is_cut_at_the_edge_and_goes_on_at_the_other_side():
    pieces = split_at_edge(np.array([170.0, 190.0, 200.0]), np.array([0.0, 10.0, 20.0]))

    assert [piece.tolist() for piece in pieces] == [
        [[170, 0], [180, 5]],
        [[-180, 5], [-170, 10], [-160, 20]],
    ]


def test_line_is_cut_to_the_left_as_well_and_at_every_crossing():
    pieces = split_at_edge(np.array([-179.0, 178.0, -178.0]), np.array([0.0, 3.0, 7.0]))

    assert [piece.tolist() for piece in pieces] == [
        [[-179, 0], [-180, 1]],
        [[180, 1], [178, 3], [180, 5]],
        [[-180, 5], [-178, 7]],
    ]


def test_nan_breaks_a_line_and_a_lone_point_is_no_line():
    x = np.array([0.0, 1.0, np.nan, 5.0, np.nan, 7.0, 8.0])

    pieces = split_at_edge(x, np.zeros(7))

    assert [piece[:, 0].tolist() for piece in pieces] == [[0, 1], [7, 8]]


def solid_angle(edge: np.ndarray) -> float:
    """Add up triangles from the middle of an outline (van Oosterom and Strackee 1983)."""
    middle = edge.mean(axis=0)
    middle /= np.linalg.norm(middle)
    total = 0.0
    for a, b in pairwise([*edge, edge[0]]):
        down = 1 + a @ b + a @ middle + b @ middle
        total += 2 * np.arctan2(middle @ np.cross(a, b), down)
    return abs(total)


@pytest.mark.parametrize(("sector", "camera"), [(1, 1), (1, 4), (14, 4), (43, 2), (54, 4)])
@pytest.mark.parametrize("centre", [0, 75, 180, 290])
def test_cut_areas_together_are_as_large_as_the_camera(sector: int, camera: int, centre: int):
    outlines = camera_outlines(sector)
    assert outlines is not None
    ra, dec = outlines[camera - 1].T

    # In longitude and latitude the map's coordinates do not matter: RA and Dec do as well.
    pieces = split_area_at_edge(centre - ra, dec)

    area = 0.0
    for x, y in (np.deg2rad(piece).T for piece in pieces):
        assert (np.abs(x) <= np.pi + 1e-9).all()
        height = np.sin(y)
        area += abs(np.sum((np.roll(x, -1) - x) * (np.roll(height, -1) + height)) / 2)
    assert area == pytest.approx(solid_angle(vectors(ra, dec)), rel=0.01)
    # 4 arcsin(sin(12 deg) ** 2) for a square of 24 degrees.
    assert area == pytest.approx(0.173, rel=0.05)


def test_area_around_a_pole_reaches_the_pole():
    around = np.arange(0.0, 360, 10)

    north = np.vstack(split_area_at_edge(around, np.full(36, 70.0)))
    south = np.vstack(split_area_at_edge(-around, np.full(36, -70.0)))

    for part, lowest, highest in ((north, 70, 90), (south, -90, -70)):
        assert part.min(axis=0).tolist() == [-180, lowest]
        assert part.max(axis=0).tolist() == [180, highest]


# --- predicted and found ---


def pi_mensae_in_the_archive() -> list[Sector]:
    reply = ROOT.parent / "shared" / "data" / "real" / "tesscut_sector_pimen_2023-10.json"
    if not reply.is_file():
        pytest.skip("real replies are not beside this checkout")
    rows = json.loads(reply.read_text())["results"]
    return [
        Sector(r["sectorName"], int(r["sector"]), int(r["camera"]), int(r["ccd"])) for r in rows
    ]


def test_predicted_sectors_are_those_of_tess_point_that_the_archive_lacks():
    found = pi_mensae_in_the_archive()
    answer = tess_stars2px_function_entry(0, *PI_MENSAE)
    cameras = set(zip(answer[3].tolist(), answer[4].tolist(), strict=True))
    in_archive = {sector.sector for sector in found}

    predicted = predicted_sectors(*PI_MENSAE, found, today=date(2023, 10, 15))

    expected = {(sector, camera) for sector, camera in cameras if sector not in in_archive}
    assert {(p.sector, p.camera) for p in predicted} == expected
    assert len(predicted) == len(expected) > 3
    assert [p.sector for p in predicted] == sorted(p.sector for p in predicted)
    # The reply lists all that had been observed: nothing is missing, all others are to come.
    assert {p.state for p in predicted} == {SectorState.PLANNED}
    assert min(p.sector for p in predicted) > max(in_archive)


def test_sector_is_missing_only_after_its_last_image():
    # Sector 88 ended on 2025-02-11, sector 89 on 2025-03-12.
    def states(today: date) -> dict[int, SectorState]:
        return {p.sector: p.state for p in predicted_sectors(*PI_MENSAE, [], today=today)}

    running = states(date(2025, 2, 11))
    over = states(date(2025, 2, 12))

    assert (running[67], running[88]) == (SectorState.MISSING, SectorState.PLANNED)
    assert (over[88], over[89]) == (SectorState.MISSING, SectorState.PLANNED)


def test_special_pointing_is_not_predicted():
    # Near the middle of camera 2 of sector 1751.
    ra, dec = np.rad2deg(np.arctan2(*outline_vectors(1751, 2).mean(axis=0)[[1, 0]])), 0.0
    dec = float(np.rad2deg(np.arcsin(outline_vectors(1751, 2).mean(axis=0)[2])))
    places = tess_stars2px_function_entry(0, float(ra % 360) + 3, dec + 3)[3]
    assert 1751 in places

    predicted = predicted_sectors(float(ra % 360) + 3, dec + 3, [], today=date(2026, 11, 1))

    assert predicted
    assert 1751 not in {p.sector for p in predicted}


def test_sector_is_predicted_for_both_cameras_where_they_overlap():
    # tess-point's own answer for this place: cameras 1 and 2 of sector 51.
    place = (227.43079, 13.46007)
    answer = tess_stars2px_function_entry(0, *place)
    assert sorted(answer[4][answer[3] == 51]) == [1, 2]

    predicted = predicted_sectors(*place, [], today=date(2026, 1, 1))

    assert sorted(p.camera for p in predicted if p.sector == 51) == [1, 2]
    assert [row.sector for row in sector_strip([], predicted)].count(51) == 1


def test_predictions_need_a_position():
    with pytest.raises(InvalidQueryError, match="Dec 95 is no position"):
        predicted_sectors(10, 95, [], today=date(2026, 1, 1))


def test_strip_puts_sectors_in_time_and_says_which_are_found():
    found = [found_sector(27, 3), found_sector(1, 4), found_sector(1, 3), found_sector(1751)]
    predicted = [
        PredictedSector(13, 3, SectorState.MISSING),
        PredictedSector(27, 3, SectorState.MISSING),
        PredictedSector(134, 1, SectorState.PLANNED),
    ]

    rows = sector_strip(found, predicted)

    assert [(row.sector, row.state) for row in rows] == [
        (1, SectorState.FOUND),
        (13, SectorState.MISSING),
        (27, SectorState.FOUND),
        (134, SectorState.PLANNED),
    ]
    assert rows[0] == StripRow(1, date(2018, 7, 25), date(2018, 8, 22), SectorState.FOUND)
    assert sector_strip([], []) == []


# --- picture ---


def rgba(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA")).astype(int)


def n_blue(picture: np.ndarray) -> int:
    red, green, blue, alpha = np.moveaxis(picture, -1, 0)
    return int(((blue - red > 60) & (blue - green > 40) & (alpha > 200)).sum())


def n_orange(picture: np.ndarray) -> int:
    red, green, blue, alpha = np.moveaxis(picture, -1, 0)
    return int(((red - blue > 90) & (red - green > 50) & (alpha > 200)).sum())


@pytest.mark.parametrize("dark", [False, True])
def test_map_has_its_size_and_is_transparent_around_the_sky(dark: bool):
    png = sky_map_png(**EQUINOX, found=[found_sector(46)], dark=dark)
    picture = rgba(png)

    assert picture.shape == (MAP_HEIGHT, MAP_WIDTH, 4)
    assert picture[0, 0, 3] == picture[MAP_HEIGHT - 1, 0, 3] == 0
    sky = picture[250, 1000]
    assert sky[3] > 250
    assert (sky[:3] < 80).all() if dark else (sky[:3] > 200).all()
    assert sky_map_png(**EQUINOX, found=[found_sector(46)], dark=dark) == png


def test_found_and_predicted_sectors_look_different():
    nothing = rgba(sky_map_png(**EQUINOX, found=[]))
    found = rgba(sky_map_png(**EQUINOX, found=[found_sector(46)]))
    missing = sky_map_png(
        **EQUINOX, found=[], predicted=[PredictedSector(46, 1, SectorState.MISSING)]
    )
    planned = sky_map_png(
        **EQUINOX, found=[], predicted=[PredictedSector(46, 1, SectorState.PLANNED)]
    )

    assert n_blue(nothing) == n_orange(nothing) == 0
    assert n_blue(found) > 500
    assert n_orange(found) == 0
    for predicted in (missing, planned):
        assert n_orange(rgba(predicted)) > 200
        assert n_blue(rgba(predicted)) == 0
    assert missing != planned


def test_camera_around_the_pole_is_filled_to_the_edge_of_the_map():
    empty = rgba(sky_map_png(ra=84.3, dec=-80.5, found=[]))
    filled = rgba(sky_map_png(ra=84.3, dec=-80.5, found=[found_sector(1, 4)]))

    # The south ecliptic pole is the lowest point of the map; ecliptic north is not in sight.
    lowest = int(np.flatnonzero(empty[:, MAP_WIDTH // 2, 3] > 200).max())
    lowest = min(lowest, MAP_WIDTH // 2 - 10)
    column = MAP_WIDTH // 2 + 7
    assert (empty[lowest - 12, column, :3] - filled[lowest - 12, column, :3])[0] > 50
    assert (empty[40, column] == filled[40, column]).all()


def test_path_of_a_body_is_drawn_and_may_leave_the_map():
    around = np.linspace(0, 360, 60)
    path = (around, 23.4 * np.sin(np.deg2rad(around)))

    without = rgba(sky_map_png(**EQUINOX, found=[]))
    with_path = rgba(sky_map_png(**EQUINOX, found=[], path=path))

    # About the ecliptic, from edge to edge; the legend has another line.
    middle = slice(MAP_WIDTH // 4 - 25, MAP_WIDTH // 4 + 25)
    changed = (without[middle] != with_path[middle]).any(axis=(0, 2))
    assert changed[30:-30].mean() > 0.95
    assert not changed[:5].any()


def test_sector_of_unknown_pointing_is_left_out():
    assert sky_map_png(**EQUINOX, found=[found_sector(200)]) == sky_map_png(**EQUINOX, found=[])


def test_map_needs_a_position():
    with pytest.raises(InvalidQueryError, match="Dec nan is no position"):
        sky_map_png(ra=10, dec=float("nan"), found=[])


def test_path_needs_as_many_ra_as_dec():
    with pytest.raises(InvalidQueryError, match=r"as many RA as Dec, not \(2,\) and \(3,\)"):
        sky_map_png(**EQUINOX, found=[], path=([1, 2], [1, 2, 3]))


def test_drawing_does_not_wake_pyplot():
    code = (
        "import sys; from cutout_core.sky_map import sky_map_png; "
        "assert 'matplotlib' not in sys.modules and 'tess_stars2px' not in sys.modules; "
        "sky_map_png(ra=1, dec=2, found=[]); assert 'matplotlib.figure' in sys.modules; "
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=60)
