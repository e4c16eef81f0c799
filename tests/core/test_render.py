import io
import math

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from PIL import Image

from cutout_core.errors import InvalidQueryError
from cutout_core.render import (
    APERTURE_COLOUR,
    SIMULATED_LINE,
    aperture_edges,
    compass,
    light_curve_png,
    preview_png,
    scale_bar,
    stamp_png,
    stamp_scaling,
)
from cutout_core.stretch import Scaling
from tests.core.test_lightcurve import make_curve
from tests.factories import make_wcs_cards


def opened(png: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(png))
    picture.load()
    return picture


def rgb(png: bytes) -> np.ndarray:
    return np.asarray(opened(png).convert("RGB")).astype(int)


def planted_wcs(shape: tuple[int, int], **cards: object) -> WCS:
    return WCS(fits.Header(make_wcs_cards(shape, **cards)))


# --- stamps ---


def test_stamp_has_one_pixel_per_pixel_and_row_0_at_the_bottom():
    image = np.zeros((3, 5))
    image[0, 4] = 1

    picture = opened(stamp_png(image, colour_map="gray"))

    assert picture.format == "PNG"
    assert picture.mode == "P"
    assert picture.size == (5, 3)
    grey = np.asarray(picture.convert("L"))
    assert np.argwhere(grey > 200).tolist() == [[2, 4]]


def test_missing_pixels_of_a_stamp_are_transparent_and_no_others():
    image = np.array([[0.0, 1.0, np.nan], [2.0, np.nan, 3.0]])

    alpha = np.asarray(opened(stamp_png(image)).convert("RGBA"))[:, :, 3]

    assert alpha.tolist() == [[255, 0, 255], [255, 255, 0]]


def test_brighter_pixels_of_a_stamp_never_get_darker():
    image = np.geomspace(1, 1e5, 100).reshape(10, 10)

    picture = np.asarray(opened(stamp_png(image, colour_map="gray")).convert("L"))[::-1]

    levels = picture.ravel().astype(int)
    assert (np.diff(levels) >= 0).all()
    assert levels[-1] == 255
    assert levels[0] < 5


def test_scaling_can_be_shared_by_stamps():
    scaling = Scaling(0, 100, "linear")

    dim = np.asarray(opened(stamp_png(np.full((2, 2), 50.0), scaling=scaling, colour_map="gray")))

    assert abs(int(dim[0, 0]) - 128) <= 1


def test_faint_star_shows_beside_a_bright_one():
    image = np.random.default_rng(3).normal(100, 1, (21, 21))
    image[5, 5] += 1e5
    image[15, 15] += 100

    grey = np.asarray(opened(stamp_png(image, colour_map="gray")).convert("L"))[::-1].astype(int)

    assert grey[15, 15] > np.median(grey) + 40


@pytest.mark.parametrize("image", [np.full((2, 2), np.nan), np.full((2, 2), 7.0), np.zeros((1, 1))])
def test_image_without_contrast_can_be_drawn(image: np.ndarray):
    scaling = stamp_scaling(image)

    assert scaling.low < scaling.high
    assert opened(stamp_png(image)).size == image.shape[::-1]


def test_unknown_colour_map_is_refused():
    with pytest.raises(InvalidQueryError, match='no colour map called "sepia"'):
        stamp_png(np.ones((2, 2)), colour_map="sepia")


# --- compass and scale bar ---


@pytest.mark.parametrize("rotation", [0, 37, 90, -120, 180])
@pytest.mark.parametrize("dec", [0.0, -70.5, 89.9])
@pytest.mark.parametrize("mirrored", [False, True])
def test_compass_points_where_north_and_east_were_planted(
    rotation: float, dec: float, mirrored: bool
):
    wcs = planted_wcs((11, 15), dec=dec, rotation_deg=rotation, mirrored=mirrored)

    rose = compass(wcs, (11, 15))

    assert rose is not None
    angle = math.radians(rotation)
    # Counter-clockwise from up; east is 90 degrees further, or back in a mirrored picture.
    assert rose.north == pytest.approx((-math.sin(angle), math.cos(angle)), abs=1e-3)
    turn = math.radians(rotation + (-90 if mirrored else 90))
    assert rose.east == pytest.approx((-math.sin(turn), math.cos(turn)), abs=1e-3)
    assert math.cos(math.radians(rose.north_angle_deg - rotation)) == pytest.approx(1, abs=1e-5)


def test_east_is_left_where_north_is_up():
    rose = compass(planted_wcs((9, 9)), (9, 9))

    assert rose is not None
    assert rose.north == pytest.approx((0, 1), abs=1e-6)
    assert rose.east == pytest.approx((-1, 0), abs=1e-6)
    assert (rose.north_angle_deg, rose.east_angle_deg) == pytest.approx((0, 90), abs=1e-4)


@pytest.mark.parametrize(
    ("nx", "scale_arcsec", "label", "length_px"),
    [
        (11, 21.0, "1 arcmin", 60 / 21),  # a third of 231" is 77"
        (15, 21.0, "1.5 arcmin", 90 / 21),  # 105"
        (5, 21.0, "30 arcsec", 30 / 21),  # 35"
        (100, 21.0, "10 arcmin", 600 / 21),  # 700"
        (500, 0.06, "10 arcsec", 10 / 0.06),
        (1000, 40.0, "3 deg", 3 * 3600 / 40),
        (5, 0.06, "100 mas", 0.1 / 0.06),
    ],
)
def test_scale_bar_has_a_round_length(nx: int, scale_arcsec: float, label: str, length_px: float):
    bar = scale_bar(planted_wcs((7, nx), scale_arcsec=scale_arcsec, rotation_deg=20), (7, nx))

    assert bar is not None
    assert bar.label == label
    assert bar.length_px == pytest.approx(length_px, rel=1e-3)


@pytest.mark.parametrize("nx", range(2, 120, 3))
def test_scale_bar_takes_about_a_quarter_to_a_third_of_the_width(nx: int):
    bar = scale_bar(planted_wcs((nx, nx)), (nx, nx))

    assert bar is not None
    assert 0.2 <= bar.length_px / nx <= 1 / 3 + 1e-6


def test_without_coordinates_there_is_neither_compass_nor_scale_bar():
    assert compass(None, (5, 5)) is None
    assert scale_bar(None, (5, 5)) is None


# --- aperture outline ---


def test_outline_of_one_pixel_is_a_square_around_its_centre():
    aperture = np.zeros((4, 5), dtype=bool)
    aperture[1, 2] = True

    edges = aperture_edges(aperture)

    assert sorted(edges) == [
        ((2, 1), (2, 2)),
        ((2, 1), (3, 1)),
        ((2, 2), (3, 2)),
        ((3, 1), (3, 2)),
    ]


def test_outline_joins_pieces_in_line_and_follows_holes():
    ring = np.ones((3, 3), dtype=bool)
    ring[1, 1] = False

    edges = aperture_edges(ring)

    assert ((0, 0), (3, 0)) in edges
    assert ((1, 1), (2, 1)) in edges
    assert len(edges) == 8
    assert sum(abs(x1 - x0) + abs(y1 - y0) for (x0, y0), (x1, y1) in edges) == 12 + 4


def test_outline_of_nothing_is_empty():
    assert aperture_edges(np.zeros((3, 3), dtype=bool)) == []


# --- previews ---

PLAIN = {"title": "A star", "scaling": Scaling(0, 1, "linear"), "colour_map": "gray"}


def test_preview_is_about_600_pixels_wide_and_the_same_each_time():
    image = np.arange(121.0).reshape(11, 11)

    png = preview_png(image, title="A star")

    assert 590 <= opened(png).width <= 610
    assert preview_png(image, title="A star") == png


def test_preview_shows_the_pixels_enlarged_with_row_0_at_the_bottom():
    image = np.zeros((4, 4))
    image[0, 3] = 1

    picture = rgb(preview_png(image, **PLAIN))

    # 560 / 4 = 140 picture pixels for each; margin 20, title 54.
    block = picture[54 : 54 + 560, 20 : 20 + 560].reshape(4, 140, 4, 140, 3)[:, 20:-20, :, 20:-20]
    assert (block[3, :, 3] == 255).all()
    assert (np.delete(block[3], 3, axis=1) < 10).all()
    assert (block[:3] < 10).all()


@pytest.mark.parametrize("place", [(2.0, 5.0), (3.25, 6.5), (7.9, 0.1)])
@pytest.mark.parametrize("mirrored", [False, True])
def test_target_is_marked_where_the_wcs_puts_it(place: tuple[float, float], mirrored: bool):
    shape = (9, 9)
    wcs = planted_wcs(shape, rotation_deg=50, mirrored=mirrored, target=place)
    without = rgb(preview_png(np.zeros(shape), wcs=wcs, **PLAIN))

    marked = rgb(preview_png(np.zeros(shape), wcs=wcs, target=(84.29119, -80.46917), **PLAIN))

    rows, columns = np.nonzero((marked != without).any(axis=2))
    # Nine pixels of 62: the centre of pixel (x, y) is at (x + 0.5) * 62 from the left edge.
    left, bottom = 20 + (560 - 9 * 62) // 2, 54 + 9 * 62
    assert (columns.min() + columns.max() + 1) / 2 - left == pytest.approx(
        (place[0] + 0.5) * 62, abs=1
    )
    assert bottom - (rows.min() + rows.max() + 1) / 2 == pytest.approx((place[1] + 0.5) * 62, abs=1)


def test_target_outside_of_the_image_is_not_marked():
    wcs = planted_wcs((9, 9))

    marked = preview_png(np.zeros((9, 9)), wcs=wcs, target=(84.0, -79.0), **PLAIN)

    assert marked == preview_png(np.zeros((9, 9)), wcs=wcs, **PLAIN)


def test_outline_lies_on_the_edges_of_the_aperture():
    aperture = np.zeros((4, 4), dtype=bool)
    aperture[1, 2] = True

    picture = rgb(preview_png(np.full((4, 4), 0.5), aperture=aperture, **PLAIN))

    rows, columns = np.nonzero((picture == APERTURE_COLOUR).all(axis=2))
    # Pixels of 140: columns 2 to 3, and rows 1 to 2 from the bottom. The line is 4 wide.
    assert (columns.min(), columns.max() + 1) == (20 + 2 * 140 - 2, 20 + 3 * 140 + 2)
    assert (rows.min(), rows.max() + 1) == (54 + 2 * 140 - 2, 54 + 3 * 140 + 2)


def test_missing_pixels_are_hatched():
    image = np.zeros((2, 2))
    image[1, 0] = np.nan

    picture = rgb(preview_png(image, **PLAIN))

    corner = picture[54 + 5 : 54 + 275, 20 + 5 : 20 + 275]
    assert (corner > 150).all()
    assert len(np.unique(corner.reshape(-1, 3), axis=0)) == 2


def test_simulated_preview_says_so_in_the_picture_and_in_its_text():
    plain = preview_png(np.zeros((3, 3)), **PLAIN)
    simulated = preview_png(np.zeros((3, 3)), simulated=True, caption="Mean of 3.", **PLAIN)

    picture = rgb(simulated)
    assert ((picture[:, :, 0] > 150) & (picture[:, :, 1] < 60)).any()
    assert opened(simulated).info["Description"] == f"{SIMULATED_LINE}. Mean of 3."
    assert SIMULATED_LINE not in opened(plain).info["Description"]
    assert opened(plain).info["Title"] == "A star"


def test_long_texts_stay_on_the_sheet():
    words = "a very long name of a target " * 20

    picture = rgb(preview_png(np.zeros((3, 3)), title=words, caption=words, credit=words))

    assert (picture[:50, -15:] == 255).all()
    assert (picture[-70:, -15:] == 255).all()
    assert (picture[-70:] < 100).any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (99, 99), (3, 1200)])
def test_preview_can_be_made_of_any_shape(shape: tuple[int, int]):
    wcs = planted_wcs(shape)
    aperture = np.ones(shape, dtype=bool)

    png = preview_png(np.ones(shape), title="A star", wcs=wcs, aperture=aperture)

    assert opened(png).width >= 600


# --- light curve ---


def test_light_curve_is_drawn_and_named():
    png = light_curve_png(make_curve(), title="Price: $5 and $6")

    picture = opened(png)
    assert picture.size == (1200, 500)
    assert picture.info["Title"] == "Price: $5 and $6"
    assert light_curve_png(make_curve(), title="Price: $5 and $6") == png


def test_simulated_light_curve_says_so():
    plain = rgb(light_curve_png(make_curve(), title=""))
    simulated = rgb(light_curve_png(make_curve(simulated=True), title=""))

    def red(picture: np.ndarray) -> int:
        return int(((picture[:, :, 0] > 150) & (picture[:, :, 1] < 60)).sum())

    assert red(plain) == 0
    assert red(simulated) > 50


def test_light_curve_without_a_good_cadence_is_drawn_empty():
    curve = make_curve(good=np.zeros(4, dtype=bool))

    assert opened(light_curve_png(curve, title="Nothing")).size == (1200, 500)
