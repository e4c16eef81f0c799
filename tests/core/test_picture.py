"""Picture files: planted stars at their places to half a pixel, marks, text and metadata."""

import dataclasses
import io
import math

import numpy as np
import pytest
from PIL import Image

from cutout_core.colour import colour_picture
from cutout_core.errors import InvalidQueryError
from cutout_core.image import ImageCutout
from cutout_core.picture import (
    FORMATS,
    NO_DATA,
    Annotations,
    draw_picture,
    picture_of_colours,
    picture_of_image,
    to_rgb,
)
from cutout_core.stretch import Scaling
from tests.core.test_colour import COLOURED, planted, sky_positions, three_images
from tests.image_factories import DEC, RA, centroid, make_wcs

BARE = Annotations(compass=False, scale_bar=False)
WRITTEN = Annotations(
    title="A title",
    caption="A caption that is rather long and goes on for more than a single line of it",
    credit="Somebody",
    compass=False,
    scale_bar=False,
)


def opened(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


def grey(content: bytes) -> np.ndarray:
    """Rows from the top, as in the picture."""
    return np.asarray(opened(content).convert("L"), dtype=float)


def black(shape: tuple[int, int]) -> np.ndarray:
    return np.zeros((*shape, 3), dtype=np.uint8)


def avm_wcs(content: bytes, tmp_path):
    """The WCS that PyAVM reads out of a picture file."""
    pyavm = pytest.importorskip("pyavm")
    picture = opened(content)
    path = tmp_path / f"picture.{picture.format.lower()}"
    path.write_bytes(content)
    if picture.format == "WEBP":
        # PyAVM opens PNG and JPEG only; Pillow finds the packet in a WebP.
        packet = picture.info["xmp"]
        return pyavm.AVM.from_xml(packet).to_wcs(), picture.size
    return pyavm.AVM.from_image(str(path)).to_wcs(), picture.size


# --- pixels ------------------------------------------------------------------------------------


def test_first_row_of_the_image_is_at_the_bottom():
    rgb = black((2, 3))
    rgb[0, 2] = (255, 0, 0)

    picture = np.asarray(opened(draw_picture(rgb, None, BARE, zoom=1)))

    assert picture.shape == (2, 3, 3)
    np.testing.assert_array_equal(picture[1, 2], (255, 0, 0))
    assert picture.sum() == 255


def test_enlarged_pixels_are_squares_at_their_places():
    rgb = black((3, 4))
    rgb[2, 1] = 255

    picture = grey(draw_picture(rgb, None, BARE, zoom=10))

    assert picture.shape == (30, 40)
    assert (picture[0:10, 10:20] == 255).all()
    assert picture.sum() == 255 * 100


def test_small_images_are_enlarged_and_large_ones_are_not():
    assert opened(draw_picture(black((10, 20)), None, BARE)).size == (720, 360)
    assert opened(draw_picture(black((900, 800)), None, BARE)).size == (800, 900)


def test_brightness_becomes_colour_and_missing_data_a_neutral_one():
    data = np.array([[0.0, 1.0], [np.nan, 0.5]], dtype=np.float32)

    rgb = to_rgb(data, Scaling(0, 1, "linear"), colour_map="viridis")

    # Ends of viridis in matplotlib: #440154 and #fde725; level 0 is kept for missing data.
    np.testing.assert_allclose(rgb[0, 0], (0x44, 0x01, 0x54), atol=2)
    np.testing.assert_allclose(rgb[0, 1], (0xFD, 0xE7, 0x25), atol=2)
    np.testing.assert_array_equal(rgb[1, 0], NO_DATA)


def test_inverted_picture_has_dark_stars():
    rgb = to_rgb(np.array([[0.0, 1.0]]), Scaling(0, 1), invert=True)

    assert rgb[0, 0, 0] == 255
    assert rgb[0, 1, 0] <= 1


# --- marks -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rotation", "mirrored"), [(0, False), (35, False), (-100, False), (160, False), (35, True)]
)
@pytest.mark.parametrize("zoom", [1, 2, 5])
def test_target_is_marked_where_its_star_is(rotation, mirrored, zoom):
    shape = (151, 201)
    wcs = make_wcs(shape, rotation_deg=rotation, mirrored=mirrored, target=(120.3, 60.7))

    content = draw_picture(
        black(shape), wcs, dataclasses.replace(BARE, target=(RA, DEC)), zoom=zoom
    )

    marks = grey(content)
    ys, xs = np.mgrid[: marks.shape[0], : marks.shape[1]]
    middle = (marks * xs).sum() / marks.sum() + 0.5, (marks * ys).sum() / marks.sum() + 0.5
    # The centre of pixel (0, 0) is half a pixel of the image from the left and the lower edge.
    expected = (120.3 + 0.5) * zoom, (151 - 60.7 - 0.5) * zoom
    np.testing.assert_allclose(middle, expected, atol=0.1)


def test_target_outside_of_the_image_is_not_marked():
    content = draw_picture(
        black((50, 50)), make_wcs((50, 50)), dataclasses.replace(BARE, target=(RA + 1, DEC))
    )

    assert grey(content).sum() == 0


@pytest.mark.parametrize(
    ("rotation", "mirrored"),
    [(0, False), (30, False), (90, False), (-135, False), (180, False), (30, True), (-90, True)],
)
def test_compass_points_to_north_and_east_of_planted_stars(rotation, mirrored):
    shape = (600, 600)
    wcs = make_wcs(shape, rotation_deg=rotation, mirrored=mirrored)
    notes = dataclasses.replace(BARE, compass=True)

    marks = grey(draw_picture(black(shape), wcs, notes, zoom=1))

    # A star a little to the north, and one to the east.
    x, y = wcs.world_to_pixel_values([RA, RA + 5 / 3600 / math.cos(math.radians(DEC))], [DEC, DEC])
    x_north, y_north = wcs.world_to_pixel_values(RA, DEC + 5 / 3600)
    north = np.array([x_north - x[0], y[0] - y_north])  # to the right, down
    east = np.array([x[1] - x[0], y[0] - y[1]])
    north, east = north / np.hypot(*north), east / np.hypot(*east)
    ys, xs = np.nonzero(marks > 200)
    lit = np.stack([xs + 0.5, ys + 0.5], axis=1)
    assert len(lit) > 100
    # Everything lit lies along the two arms; the far ends are letters and arrow heads.
    corner = _meeting_point(lit, north, east)
    away = lit - corner
    along_north, along_east = away @ north, away @ east
    on_arms = (np.abs(along_north) < 12) | (np.abs(along_east) < 12)
    assert on_arms.mean() > 0.97
    assert 40 < along_north.max() < 110
    assert 40 < along_east.max() < 110
    assert along_north.min() > -12
    assert along_east.min() > -12
    # In the upper right corner, and inside the picture.
    assert xs.min() > 400
    assert ys.max() < 200
    assert xs.max() < 599
    assert ys.min() > 0


def _meeting_point(lit: np.ndarray, north: np.ndarray, east: np.ndarray) -> np.ndarray:
    """The point from which most of what is lit lies straight north or straight east."""
    best, where = -1, lit[0]
    for candidate in lit[:: max(1, len(lit) // 400)]:
        away = lit - candidate
        n, e = away @ north, away @ east
        count = (((np.abs(e) < 1.5) & (n > -2)) | ((np.abs(n) < 1.5) & (e > -2))).sum()
        if count > best:
            best, where = count, candidate
    return where


@pytest.mark.parametrize(("scale", "zoom"), [(0.05, 1), (0.05, 3), (21.0, 2)])
def test_scale_bar_has_its_length(scale, zoom):
    shape = (200, 400)
    wcs = make_wcs(shape, scale_arcsec=scale)
    notes = dataclasses.replace(BARE, scale_bar=True)

    marks = grey(draw_picture(black(shape), wcs, notes, zoom=zoom))

    # The longest straight run of white is the bar; it ends in ticks, which add their width.
    lit = marks > 250
    longest = max(_longest_run(row) for row in lit)
    arcsec = longest / zoom * scale
    unit = 60 if arcsec > 60 else 1
    # Lengths are round numbers; the ticks add some pixels.
    label = arcsec / unit
    round_numbers = np.array([1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50])
    nearest = round_numbers[np.argmin(np.abs(round_numbers - label))]
    assert (label - nearest) * unit / scale * zoom == pytest.approx(2.5, abs=2.6)
    assert longest < 0.36 * 400 * zoom


def _longest_run(row: np.ndarray) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(int), [0]])))
    return max((b - a for a, b in zip(edges[::2], edges[1::2], strict=True)), default=0)


def test_marks_are_seen_on_white_as_on_black():
    shape, wcs = (300, 300), make_wcs((300, 300))
    notes = Annotations()

    on_black = grey(draw_picture(black(shape), wcs, notes, zoom=1))
    on_white = grey(draw_picture(black(shape) + np.uint8(255), wcs, notes, zoom=1))

    assert (on_black > 200).sum() > 200
    assert (on_white < 50).sum() > 200


def test_marks_are_left_out_where_the_picture_is_too_small_for_them():
    content = draw_picture(black((100, 100)), make_wcs((100, 100)), Annotations(), zoom=1)

    assert grey(content).sum() == 0


def test_picture_without_wcs_has_no_marks():
    assert grey(draw_picture(black((300, 300)), None, Annotations(), zoom=1)).sum() == 0


# --- text --------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["title", "caption", "credit"])
def test_each_line_of_text_is_optional(line):
    rgb = black((100, 500))

    bare = opened(draw_picture(rgb, None, BARE, zoom=1))
    written = opened(draw_picture(rgb, None, dataclasses.replace(BARE, **{line: "Text"}), zoom=1))

    assert bare.size == (500, 100)
    assert written.width == 500
    assert 115 < written.height < 160
    image_rows = slice(-100, None) if line == "title" else slice(0, 100)
    strip = np.delete(np.asarray(written.convert("L")), np.r_[image_rows], axis=0)
    assert strip.max() > 150


def test_text_hides_nothing_of_the_image():
    rgb = np.random.default_rng(1).integers(0, 255, (90, 400, 3), dtype=np.uint8)

    picture = np.asarray(opened(draw_picture(rgb, None, WRITTEN, zoom=1)))

    height = picture.shape[0]
    found = [
        top for top in range(height - 90 + 1) if np.array_equal(picture[top : top + 90], rgb[::-1])
    ]
    assert len(found) == 1


def test_long_titles_are_cut_and_letters_of_all_kinds_are_drawn():
    rgb = black((60, 400))

    short = opened(draw_picture(rgb, None, dataclasses.replace(BARE, title="α é µ ″"), zoom=1))
    long = opened(
        draw_picture(rgb, None, dataclasses.replace(BARE, title="word " * 300 + "\0\n"), zoom=1)
    )

    assert short.height < long.height < 200
    assert long.width == 400


def test_narrow_images_get_room_for_text():
    picture = opened(draw_picture(black((700, 3)), None, WRITTEN, zoom=1))

    assert picture.width == 360


def test_simulated_data_are_labelled_without_being_asked():
    image = dataclasses.replace(planted(), simulated=True)

    plain = opened(picture_of_image(planted(), BARE))
    labelled = opened(picture_of_image(image, BARE))

    assert labelled.height > plain.height
    assert b"Simulation" in picture_of_image(image, BARE)
    assert b"SIMULATED DATA" in picture_of_image(image, BARE)
    assert b"Observation" in picture_of_image(planted(), BARE)


# --- where the picture lies ------------------------------------------------------------------


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize(
    ("rotation", "mirrored"), [(0, False), (30, False), (-100, False), (170, False), (50, True)]
)
def test_place_in_the_file_puts_stars_on_their_pixels(rotation, mirrored, file_format, tmp_path):
    image = planted(shape=(240, 300), scale=0.04, rotation=rotation, mirrored=mirrored)
    notes = dataclasses.replace(WRITTEN, title="Text above and below shifts the image")

    content = picture_of_image(image, notes, file_format=file_format)
    wcs, (width, height) = avm_wcs(content, tmp_path)

    light = grey(content)[::-1]
    zoom = 2
    for ra, dec in zip(*sky_positions(), strict=True):
        x, y = (float(v) for v in wcs.world_to_pixel_values(ra, dec))
        assert 0 < x < width
        assert 0 < y < height
        np.testing.assert_allclose(centroid(light, (x, y), radius=14), (x, y), atol=0.25 * zoom)


@pytest.mark.parametrize("zoom", [1, 3, 4])
def test_half_pixels_are_counted_in_the_place_of_the_picture(zoom, tmp_path):
    shape = (7, 9)
    wcs = make_wcs(shape, target=(6.0, 2.0))
    rgb = black(shape)
    rgb[2, 6] = 255

    content = draw_picture(rgb, wcs, dataclasses.replace(BARE), zoom=zoom)
    read, _ = avm_wcs(content, tmp_path)

    ys, xs = np.nonzero(grey(content)[::-1] > 128)
    x, y = (float(v) for v in read.world_to_pixel_values(RA, DEC))
    np.testing.assert_allclose((xs.mean(), ys.mean()), (x, y), atol=1e-3)


def test_scale_of_the_picture_is_that_of_its_pixels(tmp_path):
    content = draw_picture(black((100, 120)), make_wcs((100, 120)), BARE, zoom=5)
    read, size = avm_wcs(content, tmp_path)

    assert size == (600, 500)
    ra, dec = read.pixel_to_world_values([0, 599], [0, 0])
    width = np.hypot((ra[1] - ra[0]) * np.cos(np.radians(DEC)), dec[1] - dec[0]) * 3600
    assert width == pytest.approx(599 * 0.05 / 5, rel=1e-4)


def test_metadata_name_filters_colours_and_title(tmp_path):
    pyavm = pytest.importorskip("pyavm")
    notes = dataclasses.replace(WRITTEN, title="M 51 & <friends>")

    picture = colour_picture(three_images(COLOURED))
    content = picture_of_colours(picture, notes)
    path = tmp_path / "a.png"
    path.write_bytes(content)
    avm = pyavm.AVM.from_image(str(path))

    assert avm.Title == "M 51 & <friends>"
    assert avm.Credit == "Somebody"
    assert list(avm.Spectral.CentralWavelength) == pytest.approx([1536.9, 814, 606], rel=0.01)
    assert list(avm.Spectral.ColorAssignment) == ["Red", "Green", "Blue"]
    assert list(avm.Spectral.Bandpass) == ["F160W", "F814W", "F606W"]
    assert set(avm.Facility) == {"Hubble"}
    assert opened(content).text["Title"] == "M 51 & <friends>"


def test_picture_without_wcs_says_nothing_of_a_place():
    content = draw_picture(black((20, 20)), None, BARE)

    assert b"xmpmeta" in content
    assert b"Spatial" not in content


# --- files -------------------------------------------------------------------------------------


@pytest.mark.parametrize("file_format", FORMATS)
def test_file_has_the_format_that_was_asked_for(file_format):
    content = picture_of_image(planted(), file_format=file_format)

    assert opened(content).format == file_format.upper()
    assert Image.MIME[opened(content).format] == FORMATS[file_format]


@pytest.mark.parametrize("file_format", FORMATS)
def test_same_input_gives_the_same_bytes(file_format):
    image = planted(shape=(60, 60))

    first = picture_of_image(image, WRITTEN, file_format=file_format)

    assert picture_of_image(image, WRITTEN, file_format=file_format) == first


def test_unknown_format_is_refused_with_the_known_ones():
    with pytest.raises(InvalidQueryError, match="png, jpeg, webp"):
        picture_of_image(planted(shape=(9, 9)), file_format="tiff")


def test_unknown_colour_map_is_refused():
    with pytest.raises(InvalidQueryError, match="no colour map"):
        picture_of_image(planted(shape=(9, 9)), colour_map="rainbowfish")


def test_colour_picture_says_which_filters_are_which_colour():
    content = picture_of_colours(colour_picture(three_images(COLOURED)))

    assert b"red F160W, green F814W, blue F606W" in content


def test_one_pixel_can_be_drawn():
    image: ImageCutout = dataclasses.replace(
        planted(shape=(9, 9)), data=np.ones((1, 1), dtype=np.float32)
    )

    assert opened(picture_of_image(image)).width >= 360
