"""Pictures for the screen: fields cut by the sky, pixels coloured as chosen."""

import io

import numpy as np
import pytest
from PIL import Image

from cutout_core.display import (
    PictureStyle,
    colour_jpeg,
    cut_to_field,
    for_screen,
    picture_png,
    preview,
)
from cutout_core.errors import InvalidQueryError
from cutout_core.image import ImageCutout, read_images
from cutout_core.stretch import Scaling, automatic_scaling, colour_table
from tests.factories import make_wcs_cards
from tests.image_factories import DEC, RA, centroid, make_hapcut_file, plant_stars

LINEAR = Scaling(0.0, 1.0, "linear")


def image_of(
    data: np.ndarray,
    *,
    scale_arcsec: float = 0.1,
    target: tuple[float, float] | None = None,
    weight: np.ndarray | None = None,
) -> ImageCutout:
    cards = make_wcs_cards(data.shape, ra=RA, dec=DEC, scale_arcsec=scale_arcsec, target=target)
    return read_images(make_hapcut_file(data.astype(np.float32), weight, cards=cards))[0]


def opened(picture: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(picture))
    image.load()
    return image


def test_field_is_cut_around_the_target():
    data = plant_stars((101, 101), [(50.0, 50.0)])

    cut = cut_to_field(image_of(data), 2.1)

    assert cut.shape == (21, 21)
    assert centroid(cut, (10, 10)) == pytest.approx((10.0, 10.0), abs=0.01)


def test_same_field_of_coarse_and_fine_pixels_shows_the_same_sky():
    fine = image_of(plant_stars((300, 300), [(149.5 + 60, 149.5)]), scale_arcsec=0.04)
    coarse = image_of(plant_stars((100, 100), [(49.5 + 20, 49.5)]), scale_arcsec=0.12)

    cuts = [cut_to_field(image, 9.6) for image in (fine, coarse)]

    (x1, y1), (x2, y2) = centroid(cuts[0], (180, 120)), centroid(cuts[1], (60, 40))
    assert (x1 + 0.5) / cuts[0].shape[1] == pytest.approx((x2 + 0.5) / cuts[1].shape[1], abs=0.01)
    assert (y1 + 0.5) / cuts[0].shape[0] == pytest.approx((y2 + 0.5) / cuts[1].shape[0], abs=0.01)


def test_field_at_the_edge_is_moved_into_the_image():
    data = np.arange(1.0, 101.0).reshape(10, 10)

    cut = cut_to_field(image_of(data, target=(0.0, 9.0)), 0.4)

    assert cut.tolist() == data[6:, :4].tolist()


def test_field_larger_than_the_image_is_the_image():
    data = np.ones((4, 6))

    assert cut_to_field(image_of(data), 60.0).shape == (4, 6)
    assert cut_to_field(image_of(data), float("nan")).shape == (4, 6)


def test_large_image_is_reduced_by_a_whole_factor_with_its_wcs():
    data = plant_stars((400, 400), [(100.5, 300.5)], fwhm=8)
    image = image_of(data)

    screen = for_screen(image, longest=150)

    assert screen.factor == 3
    assert screen.data.shape == (133, 133)
    assert screen.wcs is not None
    assert image.wcs is not None
    x, y = centroid(screen.data, (33, 100))
    ra, dec = image.wcs.pixel_to_world_values(100.5, 300.5)
    back = screen.wcs.world_to_pixel_values(ra, dec)
    assert (float(back[0]), float(back[1])) == pytest.approx((x, y), abs=0.01)


def test_small_image_is_not_copied():
    image = image_of(np.ones((4, 6)))

    screen = for_screen(image)

    assert screen.factor == 1
    assert np.shares_memory(screen.data, image.data)


def test_weight_map_is_shown_where_there_is_one():
    weight = np.full((4, 6), 7.0, dtype=np.float32)

    assert for_screen(image_of(np.ones((4, 6)), weight=weight), weight=True).data[0, 0] == 7
    assert for_screen(image_of(np.ones((4, 6))), weight=True).data[0, 0] == 1


def test_strip_narrower_than_a_block_does_not_vanish():
    assert for_screen(image_of(np.ones((2, 3000)))).data.shape == (1, 1500)


def test_row_zero_is_at_the_bottom_and_uncovered_is_transparent():
    data = np.array([[0.0, 1.0], [np.nan, 0.5]], dtype=np.float32)

    picture = opened(picture_png(data, LINEAR, PictureStyle())).convert("RGBA")

    assert picture.size == (2, 2)
    assert picture.getpixel((0, 0))[3] == 0
    grey = [picture.getpixel(at)[0] for at in ((0, 1), (1, 1), (1, 0))]
    assert grey == pytest.approx([1, 255, 128], abs=1)


def test_colours_are_those_of_the_map_and_turned_round_in_a_negative():
    data = np.array([[0.0, 1.0]], dtype=np.float32)
    table = colour_table("magma")

    plain = opened(picture_png(data, LINEAR, PictureStyle(colour_map="magma"))).convert("RGB")
    negative = opened(
        picture_png(data, LINEAR, PictureStyle(colour_map="magma", invert=True))
    ).convert("RGB")

    assert plain.getpixel((1, 0)) == tuple(table[255])
    assert negative.getpixel((0, 0)) == tuple(table[255])
    assert negative.getpixel((1, 0)) == plain.getpixel((0, 0)) == tuple(table[1])


def test_preview_is_small():
    image = image_of(np.random.default_rng(1).normal(size=(500, 500)))

    picture = opened(preview(image, float("nan"), PictureStyle()))

    assert picture.size == (166, 166)  # 500 in blocks of 3


def test_automatic_style_is_the_automatic_scaling():
    data = np.random.default_rng(1).normal(size=(50, 50)).astype(np.float32)

    assert PictureStyle().scaling(data) == automatic_scaling(data)


def test_per_cent_between_black_and_white_are_cut_evenly():
    data = np.arange(1001, dtype=np.float32).reshape(7, 143)

    scaling = PictureStyle("linear", percent=90.0).scaling(data)

    assert (scaling.low, scaling.high) == pytest.approx((50, 950))


def test_symmetric_cuts_take_the_share_of_the_absolute_values():
    data = np.arange(-500, 501, dtype=np.float32).reshape(7, 143)

    scaling = PictureStyle("linear", "symmetric", percent=90.0).scaling(data)

    assert scaling.high == -scaling.low == pytest.approx(450, abs=1)


def test_values_by_hand_are_taken():
    scaling = PictureStyle("sqrt", "values", values=(2.0, 5.0)).scaling(np.ones((2, 2)))

    assert (scaling.low, scaling.high, scaling.stretch) == (2.0, 5.0, "sqrt")


def test_values_the_wrong_way_round_are_refused():
    with pytest.raises(InvalidQueryError, match="two rising numbers"):
        PictureStyle("sqrt", "values", values=(5.0, 2.0)).scaling(np.ones((2, 2)))


def test_colour_picture_has_row_zero_at_the_bottom():
    rgb = np.zeros((16, 16, 3), dtype=np.uint8)
    rgb[:8, :, 0] = 255  # the lower half is red

    picture = opened(colour_jpeg(rgb))

    assert picture.format == "JPEG"
    assert picture.getpixel((8, 14)) == pytest.approx((254, 0, 0), abs=3)
    assert picture.getpixel((8, 2)) == pytest.approx((0, 0, 0), abs=3)
