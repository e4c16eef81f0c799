import io
import math
import time
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from cutout_core.errors import InvalidQueryError
from cutout_core.movie import (
    choose_frames,
    frame_sheet,
    frame_times,
    movie_file,
    movie_levels,
    movie_scaling,
)
from cutout_core.stretch import Scaling, colour_table
from cutout_core.tpf import TargetPixelFile, read_tpf
from tests.factories import make_moving_tpf_file, make_tpf_file


def tpf_of(flux: np.ndarray, **options) -> TargetPixelFile:
    return read_tpf(make_tpf_file(np.asarray(flux, dtype=np.float32), **options))


def frames_of(content: bytes) -> list[np.ndarray]:
    """Decode a movie: RGB arrays."""
    frames = []
    with Image.open(io.BytesIO(content)) as picture:
        for i in range(picture.n_frames):
            picture.seek(i)
            frames.append(np.asarray(picture.convert("RGB")))
    return frames


def test_cadences_with_light_are_chosen():
    flux = np.ones((6, 2, 3))
    flux[1] = 0
    tpf = tpf_of(flux, time=np.array([1, 2, np.nan, 4, 5, 6.0]))

    assert choose_frames(tpf).tolist() == [0, 3, 4, 5]
    assert choose_frames(tpf, np.array([0, 1, 1, 1, 1, 0], dtype=bool)).tolist() == [3, 4]


def test_many_cadences_are_thinned_out_evenly_from_the_first_to_the_last():
    tpf = tpf_of(np.ones((1000, 2, 3)))

    frames = choose_frames(tpf, at_most=100)

    assert len(frames) == 100
    assert (frames[0], frames[-1]) == (0, 999)
    assert set(np.diff(frames)) == {10, 11}
    assert choose_frames(tpf, at_most=1).tolist() == [0]


def test_no_light_is_no_frame():
    assert choose_frames(tpf_of(np.zeros((3, 2, 3)))).size == 0


def test_time_of_a_frame_is_that_at_tess():
    # BTJD 1325.25 is 2018-07-25 18:00 TDB, 69.184 s before UTC; with 0.005 d of correction in it.
    tpf = tpf_of(np.ones((2, 2, 3)), time=np.array([1325.25, np.nan]))

    assert frame_times(tpf, np.array([0, 1])) == ["2018-07-25 17:51 UTC", ""]


def test_time_of_a_short_cadence_has_seconds():
    tpf = replace(tpf_of(np.ones((1, 2, 3)), time=np.array([1325.25])), cadence_s=200.0)

    # 18:00:00 - 69.184 s - 432 s.
    assert frame_times(tpf, np.array([0])) == ["2018-07-25 17:51:38 UTC"]


def test_file_without_a_correction_shows_the_times_that_it_has():
    tpf = tpf_of(np.ones((1, 2, 3)), time=np.array([1325.25]), without=("TIMECORR",))

    assert frame_times(tpf, np.array([0])) == ["2018-07-25 17:58 UTC"]


def test_equal_brightness_is_an_equal_level_in_all_frames():
    flux = np.full((2, 3, 3), 10.0)
    flux[0, 1, 1], flux[1, 0, 0] = 500.0, 500.0
    flux[1, 2, 2] = np.nan
    tpf = tpf_of(flux)

    levels = movie_levels(tpf, np.array([0, 1]), scaling=Scaling(10.0, 500.0, "linear"))

    assert levels.dtype == np.uint8
    assert levels[0, 1, 1] == levels[1, 0, 0] == 255
    assert levels[0, 0, 0] == 1
    assert levels[1, 2, 2] == 0


def test_sky_that_changes_is_taken_off():
    sky = np.array([100.0, 900.0, np.nan])
    flux = np.zeros((3, 2, 2)) + np.array([100.0, 900.0, 5.0])[:, None, None]
    tpf = tpf_of(flux)

    levels = movie_levels(tpf, np.arange(3), scaling=Scaling(-10, 10, "linear"), sky=sky)

    assert levels[0, 0, 0] == levels[1, 0, 0] == 128
    # A frame whose sky is not known stays as it is.
    assert levels[2, 0, 0] == 128 + round(254 * 5 / 20)


def test_colours_show_the_sky_dark_and_a_star_bright():
    rng = np.random.default_rng(1)
    flux = rng.normal(100, 2, (20, 11, 11))
    flux[:, 5, 5] += 5000
    tpf = tpf_of(flux)

    levels = movie_levels(tpf, np.arange(20))

    assert levels[:, 5, 5].min() > 240
    assert np.median(levels[:, 0, 0]) < 100


@pytest.mark.parametrize("value", [7.0, np.nan])
def test_flat_or_empty_frames_have_colours_too(value):
    tpf = tpf_of(np.full((2, 3, 3), value))

    scaling = movie_scaling(tpf, np.arange(2))

    assert scaling.low < scaling.high
    assert movie_levels(tpf, np.arange(2)).shape == (2, 3, 3)


def test_tiles_of_the_sheet_are_the_frames_from_the_upper_left_on():
    levels = np.random.default_rng(2).integers(1, 256, (7, 4, 6)).astype(np.uint8)

    sheet = frame_sheet(levels, "gray")

    picture = np.asarray(Image.open(io.BytesIO(sheet.png)))
    assert (sheet.nx, sheet.ny, sheet.n_frames) == (6, 4, 7)
    assert picture.shape == (-(-7 // sheet.columns) * 4, sheet.columns * 6)
    for i in range(7):
        y, x = i // sheet.columns * 4, i % sheet.columns * 6
        assert np.array_equal(picture[y : y + 4, x : x + 6], levels[i, ::-1])


def test_pixels_without_data_are_transparent_in_the_sheet():
    levels = np.array([[[0, 255]]], dtype=np.uint8)

    picture = np.asarray(Image.open(io.BytesIO(frame_sheet(levels).png)).convert("RGBA"))

    assert picture[0, 0, 3] == 0
    assert picture[0, 1].tolist() == [*colour_table("viridis")[255].tolist(), 255]


@pytest.mark.parametrize("shape", [(1, 1, 1), (240, 11, 11), (50, 100, 3), (1000, 21, 21)])
def test_sheet_is_about_square(shape):
    sheet = frame_sheet(np.ones(shape, dtype=np.uint8))

    with Image.open(io.BytesIO(sheet.png)) as picture:
        width, height = picture.size
    assert 0.4 < width / height < 2.5


@pytest.mark.parametrize("file_format", ["gif", "webp"])
def test_movie_has_every_frame_with_its_pixels_row_0_at_the_bottom(file_format):
    levels = np.ones((3, 5, 5), dtype=np.uint8)
    for i in range(3):
        levels[i, 1, i] = 255

    content = movie_file(levels, ["a", "b", "c"], file_format=file_format, zoom=60)

    frames = frames_of(content)
    assert len(frames) == 3
    bright, dark = colour_table("viridis")[255], colour_table("viridis")[0]
    for i, frame in enumerate(frames):
        top = 8  # margin
        assert frame[top + 3 * 60 + 30, i * 60 + 30].tolist() == bright.tolist()
        assert frame[top + 1 * 60 + 30, i * 60 + 30].tolist() == dark.tolist()


@pytest.mark.parametrize(("file_format", "duration_ms"), [("gif", 100), ("webp", 100)])
def test_movie_repeats_for_ever_at_its_speed(file_format, duration_ms):
    levels = np.random.default_rng(3).integers(1, 256, (4, 5, 5)).astype(np.uint8)

    content = movie_file(levels, [""] * 4, file_format=file_format, frames_per_s=10)

    with Image.open(io.BytesIO(content)) as picture:
        assert picture.format == file_format.upper()
        assert picture.info["loop"] == 0
        picture.seek(1)
        picture.load()
        assert picture.info["duration"] == duration_ms


def test_time_stands_under_each_frame_and_the_title_above():
    levels = np.full((2, 5, 5), 100, dtype=np.uint8)
    plain = frames_of(movie_file(levels, ["", ""]))
    timed = frames_of(movie_file(levels, ["2018-12-15 20:14 UTC", "x"]))
    titled = frames_of(movie_file(levels, ["", ""], title="354 Eleonora"))

    assert np.array_equal(plain[0][:-30], timed[0][:-30])
    assert not np.array_equal(plain[0][-30:], timed[0][-30:])
    assert not np.array_equal(timed[0], timed[1])
    assert titled[0].shape[0] > plain[0].shape[0]
    assert (titled[0][:25] == 240).all(axis=2).any()


def test_simulated_movie_says_so_in_every_frame():
    levels = np.random.default_rng(4).integers(1, 256, (3, 5, 5)).astype(np.uint8)

    frames = frames_of(movie_file(levels, [""] * 3, simulated=True))

    alert = np.array([255, 120, 90])
    assert all((frame[:30] == alert).all(axis=2).sum() > 100 for frame in frames)


def test_ring_is_drawn_around_the_target_where_there_is_one():
    levels = np.full((2, 11, 11), 50, dtype=np.uint8)

    ringed, bare = frames_of(movie_file(levels, ["", ""], marks=[(7.0, 2.0), None]))

    orange = (ringed == np.array([255, 176, 0])).all(axis=2)
    rows, columns = np.nonzero(orange)
    zoom = 300 // 11
    assert columns.mean() == pytest.approx(7.5 * zoom, abs=1.0)
    assert rows.mean() == pytest.approx(8 + 8.5 * zoom, abs=1.0)
    assert not (bare == np.array([255, 176, 0])).all(axis=2).any()


def test_long_text_is_cut_at_the_edge():
    levels = np.full((1, 5, 5), 50, dtype=np.uint8)

    movie_file(levels, ["w" * 500], title="w" * 500)


def test_same_input_gives_the_same_bytes():
    levels = np.random.default_rng(5).integers(0, 256, (3, 5, 5)).astype(np.uint8)

    for file_format in ("gif", "webp"):
        options = {"file_format": file_format, "title": "x"}
        assert movie_file(levels, ["a"] * 3, **options) == movie_file(levels, ["a"] * 3, **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"file_format": "mp4"}, 'no movie format called "mp4". Take gif or webp'),
        ({"colour_map": "rainbow2"}, 'no colour map called "rainbow2"'),
    ],
)
def test_unknown_format_or_colours_are_refused(options, words):
    with pytest.raises(InvalidQueryError, match=words):
        movie_file(np.ones((1, 3, 3), dtype=np.uint8), [""], **options)


def test_movie_of_a_moving_target_keeps_it_in_the_middle():
    column = 50.3 + 0.8 * np.arange(60)
    tpf = read_tpf(make_moving_tpf_file(column, column, target_flux=5000.0))

    levels = movie_levels(tpf, choose_frames(tpf))

    brightest = [np.unravel_index(np.argmax(frame), frame.shape) for frame in levels]
    assert all(math.hypot(y - 5.5, x - 5.5) < 1.0 for y, x in brightest)


def test_movie_of_240_frames_is_made_in_a_second_or_two():
    levels = np.random.default_rng(6).integers(1, 256, (240, 15, 15)).astype(np.uint8)
    start = time.process_time()

    movie_file(levels, ["2018-12-15 20:14 UTC"] * 240, title="354 Eleonora")

    assert time.process_time() - start < 3.0
