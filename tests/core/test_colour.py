"""Colour pictures: planted stars of known place and colour on grids that differ."""

import dataclasses

import numpy as np
import pytest
from astropy.wcs import WCS

from cutout_core.colour import (
    assign_channels,
    choose_images,
    colour_picture,
    common_grid,
    resample,
    three_of,
)
from cutout_core.errors import InvalidQueryError
from cutout_core.image import ImageCutout, read_images
from tests.factories import make_wcs_cards
from tests.image_factories import DEC, RA, centroid, make_hapcut_file, make_wcs, plant_stars

#: Planted stars: offsets from the centre to the west and north, in arcsec.
OFFSETS = [(0.0, 0.0), (2.13, 1.4), (-3.21, 2.68), (1.77, -3.9), (-2.5, -2.05)]


def sky_positions() -> tuple[np.ndarray, np.ndarray]:
    away = np.array(OFFSETS) / 3600
    return RA - away[:, 0] / np.cos(np.radians(DEC)), DEC + away[:, 1]


def planted(
    band: str = "F160W",
    *,
    scale: float = 0.04,
    shape: tuple[int, int] = (300, 300),
    rotation: float = 0.0,
    mirrored: bool = False,
    flux: float | list[float] = 5000.0,
    target: tuple[float, float] | None = None,
    wavelength: float | None = None,
    noise: float = 0.05,
    sky: float = 0.3,
    seed: int = 1,
) -> ImageCutout:
    """Image of the planted stars, whose width is 0.16 arcsec in every image."""
    options = {
        "scale_arcsec": scale,
        "rotation_deg": rotation,
        "mirrored": mirrored,
        "target": target,
    }
    wcs = make_wcs(shape, **options)
    x, y = wcs.world_to_pixel_values(*sky_positions())
    data = plant_stars(
        shape,
        list(zip(x, y, strict=True)),
        flux=flux,
        fwhm=0.16 / scale,
        sky=sky,
        noise=noise,
        seed=seed,
    )
    cards = make_wcs_cards(shape, ra=RA, dec=DEC, **options) | {"PHOTPLAM": ""}
    primary = {"FILTER": band, "ORIG_FLE": ""}
    (image,) = read_images(make_hapcut_file(data, primary=primary, cards=cards))
    return image if wavelength is None else dataclasses.replace(image, wavelength_um=wavelength)


def places_in(wcs: WCS) -> list[tuple[float, float]]:
    x, y = wcs.world_to_pixel_values(*sky_positions())
    return list(zip(x.tolist(), y.tolist(), strict=True))


# --- which images ------------------------------------------------------------------------------


def test_images_are_ordered_from_long_to_short_wavelength():
    images = [planted("F606W", shape=(9, 9)), planted("F160W", shape=(9, 9))]

    assert [image.filter for image in choose_images(images)] == ["F160W", "F606W"]


def test_of_one_filter_the_finer_image_is_taken():
    coarse, fine = planted(scale=0.12, shape=(9, 9)), planted(scale=0.04, shape=(9, 9))

    assert choose_images([coarse, fine]) == [fine]
    assert choose_images([fine, coarse]) == [fine]


def test_of_one_filter_the_image_that_covers_more_is_taken():
    coarse, fine = planted(scale=0.12, shape=(9, 9)), planted(scale=0.04, shape=(9, 9))
    half = dataclasses.replace(fine, coverage=0.5)

    assert choose_images([half, coarse]) == [coarse]


def test_images_that_cannot_be_a_colour_are_left_out():
    image = planted(shape=(9, 9))
    unusable = [
        dataclasses.replace(image, coverage=0.0),
        dataclasses.replace(image, wcs=None),
        dataclasses.replace(image, wavelength_um=float("nan")),
    ]

    assert choose_images(unusable) == []


def test_three_of_many_lie_well_apart():
    images = [
        planted("F160W", shape=(9, 9), wavelength=um) for um in (4.5, 3.6, 1.6, 0.9, 0.8, 0.45)
    ]

    # The middle of 4.5 and 0.45 in the logarithm is 1.42.
    assert [image.wavelength_um for image in three_of(images)] == [4.5, 1.6, 0.45]
    assert three_of(images[:2]) == images[:2]


def test_three_images_are_red_green_and_blue():
    np.testing.assert_array_equal(assign_channels([planted(shape=(9, 9))] * 3), np.eye(3))


def test_two_images_share_green():
    weights = assign_channels([planted(shape=(9, 9))] * 2)

    np.testing.assert_array_equal(weights, [[1, 0.5, 0], [0, 0.5, 1]])


@pytest.mark.parametrize("n", [4, 5, 7, 12])
def test_many_images_fill_every_channel_to_one(n):
    weights = assign_channels([planted(shape=(9, 9))] * n)

    assert weights.shape == (n, 3)
    np.testing.assert_allclose(weights.sum(axis=0), 1)
    assert weights[0, 0] > 0
    assert weights[0, 2] == 0
    assert weights[-1, 0] == 0
    assert weights[-1, 2] > 0


@pytest.mark.parametrize(("n", "words"), [(0, "there are none"), (1, "there is one")])
def test_fewer_than_two_images_are_no_colour_picture(n, words):
    with pytest.raises(InvalidQueryError, match=words):
        assign_channels([planted(shape=(9, 9))] * n)


# --- alignment ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"scale": 0.12, "shape": (100, 100)}, id="three times coarser"),
        pytest.param({"scale": 0.03, "shape": (400, 400)}, id="finer"),
        pytest.param({"scale": 0.05, "shape": (240, 240), "rotation": 30}, id="rotated"),
        pytest.param({"scale": 0.04, "rotation": -100, "mirrored": True}, id="mirrored"),
        pytest.param({"scale": 0.04, "target": (151.37, 140.81)}, id="shifted by parts of a pixel"),
        pytest.param({"scale": 0.015, "shape": (800, 810)}, id="much finer"),
    ],
)
def test_stars_fall_on_their_places_to_a_tenth_of_a_pixel(other):
    grid = common_grid([planted(scale=0.04)])

    moved = resample(planted(**other, noise=0.01), grid)

    for place in places_in(grid.wcs):
        found = centroid(np.nan_to_num(moved), place)
        np.testing.assert_allclose(found, place, atol=0.1)


def test_far_from_the_reference_point_stars_still_fall_on_their_places():
    # Two mosaics with reference points half a degree apart, as those of two surveys.
    shape = (300, 300)
    here, there = (make_wcs(shape, scale_arcsec=0.04) for _ in range(2))
    there.wcs.crval = [RA + 0.8, DEC - 0.3]
    x, y = there.world_to_pixel_values(RA, DEC)
    there.wcs.crpix += [149.5 - x, 149.5 - y]
    places = places_in(there)
    data = plant_stars(shape, places, flux=5000, fwhm=4, sky=0.3, noise=0.01)
    image = dataclasses.replace(planted(), data=data, wcs=there)
    grid = common_grid([dataclasses.replace(planted(), wcs=here)])

    moved = resample(image, grid)

    for place in places_in(here):
        np.testing.assert_allclose(centroid(np.nan_to_num(moved), place), place, atol=0.1)


def test_wide_fields_of_another_projection_are_computed_pixel_by_pixel():
    # 11 degrees: between TAN and ARC a plane is off by parts of a pixel.
    shape = (200, 200)
    tan = make_wcs(shape, scale_arcsec=200.0)
    arc = tan.deepcopy()
    arc.wcs.ctype = ["RA---ARC", "DEC--ARC"]
    stars = [(20.3, 30.2), (160.6, 170.1), (100.0, 100.0)]
    sky = [tan.pixel_to_world_values(*star) for star in stars]
    data = plant_stars(shape, [tuple(map(float, arc.world_to_pixel_values(*s))) for s in sky])
    image = dataclasses.replace(planted(), data=data, wcs=arc)

    moved = resample(image, common_grid([dataclasses.replace(planted(shape=shape), wcs=tan)]))

    corner = arc.world_to_pixel_values(*sky[1])
    assert np.hypot(*np.subtract(corner, stars[1])) > 0.2
    for star in stars:
        np.testing.assert_allclose(centroid(np.nan_to_num(moved), star), star, atol=0.1)


def test_grid_is_that_of_the_finest_image():
    fine, coarse = planted(scale=0.04), planted(scale=0.12, shape=(100, 100))

    grid = common_grid([coarse, fine])

    assert grid.wcs is fine.wcs
    assert grid.shape == (300, 300)


@pytest.mark.parametrize("longest", [300, 299, 100, 70])
def test_smaller_picture_has_its_stars_where_its_wcs_says(longest):
    image = planted()

    grid = common_grid([image], longest=longest)
    small = resample(image, grid)

    assert max(grid.shape) <= longest
    for place in places_in(grid.wcs)[:3]:
        found = centroid(np.nan_to_num(small), place, radius=3)
        np.testing.assert_allclose(found, place, atol=0.1)


def test_image_on_its_own_grid_is_not_touched():
    image = planted()

    assert resample(image, common_grid([image])) is image.data


def test_equal_grids_of_other_origin_are_not_interpolated():
    image = planted()
    twin = dataclasses.replace(planted(), wcs=image.wcs.deepcopy())

    assert resample(twin, common_grid([image])) is twin.data


def test_brightness_stays_what_it_is():
    flat = dataclasses.replace(
        planted(scale=0.1, shape=(130, 130)), data=np.full((130, 130), 7.5, dtype=np.float32)
    )

    moved = resample(flat, common_grid([planted()]))

    np.testing.assert_allclose(moved, 7.5, rtol=1e-6)


def test_uncovered_parts_stay_uncovered_and_do_not_spread():
    image = planted(scale=0.12, shape=(100, 100))
    holed = image.data.copy()
    holed[40:60, 40:60] = np.nan
    image = dataclasses.replace(image, data=holed)

    moved = resample(image, common_grid([planted()]))

    # A hole of 20 pixels of 0.12 is one of 60 pixels of 0.04.
    assert np.isnan(moved[122:178, 122:178]).all()
    assert np.isfinite(moved[:118]).all()
    assert abs(np.isnan(moved).sum() - 3600) < 250


def test_beyond_its_edge_an_image_has_no_data():
    small = planted(scale=0.04, shape=(100, 100))

    moved = resample(small, common_grid([planted()]))

    covered = np.isfinite(moved)
    assert covered.sum() == pytest.approx(100 * 100, abs=400)
    assert covered[102:198, 102:198].all()
    assert not covered[:98].any()


# --- pictures ----------------------------------------------------------------------------------


def three_images(fluxes: tuple[list[float], list[float], list[float]]) -> list[ImageCutout]:
    return [
        planted("F160W", scale=0.12, shape=(100, 100), flux=fluxes[0], seed=1),
        planted("F814W", scale=0.04, flux=fluxes[1], seed=2),
        planted("F606W", scale=0.05, shape=(240, 240), rotation=10, flux=fluxes[2], seed=3),
    ]


RED, GREEN, BLUE = 0, 1, 2
#: Star 1 is red, 2 green, 3 blue; the others white.
COLOURED = (
    [3000.0, 6000.0, 600.0, 600.0, 3000.0],
    [3000.0, 600.0, 6000.0, 600.0, 3000.0],
    [3000.0, 600.0, 600.0, 6000.0, 3000.0],
)


@pytest.mark.parametrize(
    ("method", "contrast"),
    [
        ("lupton", 1.3),
        # A stretch of each channel by itself pales colours.
        ("channels", 1.05),
    ],
)
def test_stars_have_the_colours_they_were_planted_with(method, contrast):
    picture = colour_picture(three_images(COLOURED), method=method)

    assert picture.rgb.shape == (300, 300, 3)
    assert picture.rgb.dtype == np.uint8
    for (x, y), colour in zip(places_in(picture.wcs)[1:4], (RED, GREEN, BLUE), strict=True):
        # Off the centre, where no channel is at its limit.
        ring = picture.rgb[round(y) - 4 : round(y) + 5, round(x) - 4 : round(x) + 5]
        light = ring.reshape(-1, 3).astype(float).sum(axis=0)
        others = np.delete(light, colour)
        assert light[colour] > contrast * others.max()
    x, y = places_in(picture.wcs)[0]
    white = picture.rgb[round(y), round(x)].astype(int)
    assert white.min() > 100
    assert np.ptp(white) < 0.35 * white.max()


def test_recipe_says_what_is_in_which_colour():
    picture = colour_picture(three_images(COLOURED))

    assert picture.recipe == "red F160W, green F814W, blue F606W"


def test_sky_is_dark_and_about_grey():
    picture = colour_picture(three_images(COLOURED))

    sky = picture.rgb[60:110, 60:110].reshape(-1, 3).astype(float).mean(axis=0)
    assert 15 < sky.max() < 60
    assert np.ptp(sky) < 25


def test_strength_of_a_channel_scales_its_colour():
    images = three_images(COLOURED)

    def red_over_blue(**options):
        picture = colour_picture(images, **options)
        x, y = (round(v) for v in places_in(picture.wcs)[0])
        star = picture.rgb[y - 4 : y + 5, x - 4 : x + 5].astype(float).mean(axis=(0, 1))
        return star[RED] / star[BLUE]

    assert red_over_blue(strengths=(1.5, 1, 0.5)) > 1.5 * red_over_blue()


@pytest.mark.parametrize("method", ["lupton", "channels"])
def test_brightness_shows_more(method):
    images = three_images(COLOURED)

    dark, bright = (
        colour_picture(images, method=method, brightness=factor).rgb.mean(dtype=float)
        for factor in (0.5, 3)
    )

    assert bright > 1.3 * dark


def test_weights_by_hand_choose_the_colours():
    images = three_images(COLOURED)
    turned = colour_picture(images, weights=np.eye(3)[::-1])

    np.testing.assert_array_equal(turned.weights, np.eye(3)[::-1])
    assert turned.recipe == "red F606W, green F814W, blue F160W"


def test_more_than_three_filters_are_mixed():
    images = [planted(band, seed=i) for i, band in enumerate(("F160W", "F125W", "F814W", "F606W"))]

    picture = colour_picture(images)

    assert picture.weights.shape == (4, 3)
    assert picture.recipe == "red F160W + F125W, green F125W + F814W, blue F814W + F606W"


def test_where_a_filter_has_no_data_is_told():
    images = three_images(COLOURED)
    half = images[1].data.copy()
    half[:, 150:] = np.nan
    images[1] = dataclasses.replace(images[1], data=half)

    picture = colour_picture(images)

    assert picture.covered[40:260, 40:149].all()
    assert not picture.covered[:, 151:].any()
    assert picture.rgb[:, 151:].max() > 100


def test_picture_can_be_limited_in_size():
    picture = colour_picture(three_images(COLOURED), longest=120)

    assert picture.rgb.shape == (100, 100, 3)
    x, y = places_in(picture.wcs)[0]
    np.testing.assert_allclose(
        centroid(picture.rgb.sum(axis=2).astype(float), (x, y), radius=4), (x, y), atol=0.15
    )


def test_blank_filter_gives_a_picture_all_the_same():
    images = three_images(COLOURED)
    images[0] = dataclasses.replace(images[0], data=np.full((100, 100), np.nan, np.float32))

    picture = colour_picture(images)

    assert not picture.covered.any()
    assert picture.rgb[..., BLUE].max() > 100


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"weights": [[1, 0, 0]]}, id="too few rows"),
        pytest.param({"weights": -np.eye(3)}, id="negative"),
        pytest.param({"weights": [[1, 0, 0], [1, 0, 0], [1, 0, 0]]}, id="a colour without image"),
        pytest.param({"weights": "red"}, id="text"),
    ],
)
def test_weights_that_make_no_picture_are_refused(options):
    with pytest.raises(InvalidQueryError, match="3 x 3 numbers"):
        colour_picture(three_images(COLOURED), **options)


def test_unknown_method_is_refused_with_the_known_ones():
    with pytest.raises(InvalidQueryError, match="lupton or channels"):
        colour_picture(three_images(COLOURED), method="hdr")


@pytest.mark.parametrize(
    "options", [{"brightness": -1}, {"softening": np.nan}, {"strengths": (1, 1)}]
)
def test_numbers_that_make_no_picture_are_refused(options):
    with pytest.raises(InvalidQueryError, match="numbers of 0 or more"):
        colour_picture(three_images(COLOURED), **options)


def test_image_without_sky_coordinates_cannot_be_part():
    images = three_images(COLOURED)
    images[2] = dataclasses.replace(images[2], wcs=None)

    with pytest.raises(InvalidQueryError, match="without sky coordinates"):
        colour_picture(images)
    with pytest.raises(InvalidQueryError, match="cannot be laid over"):
        common_grid(images[2:])
