"""Figures for a publication: stars under their coordinates, marks, text, and files."""

import dataclasses
import io

import numpy as np
import pytest
from astropy.wcs import WCS
from PIL import Image

from cutout_core.colour import colour_picture
from cutout_core.errors import InvalidQueryError
from cutout_core.figure import FIGURE_FORMATS, colour_figure, figure_file, image_figure
from cutout_core.image import ImageCutout
from cutout_core.picture import Annotations
from cutout_core.stretch import Scaling, to_unit
from tests.core.test_colour import COLOURED, planted, sky_positions, three_images
from tests.image_factories import DEC, RA, centroid

BARE = Annotations(compass=False, scale_bar=False)


def rendered(figure) -> np.ndarray:
    """Grey picture of a figure, row 0 at the bottom as matplotlib counts."""
    figure.canvas.draw()
    rgba = np.asarray(figure.canvas.buffer_rgba(), dtype=float)
    return rgba[::-1, :, :3].mean(axis=2)


def texts(figure) -> list[str]:
    found = [text.get_text() for axes in figure.axes for text in axes.texts]
    for axes in figure.axes:
        found += [axes.get_title(loc=loc) for loc in ("left", "center", "right")]
    return found + [text.get_text() for text in figure.texts if text]


@pytest.mark.parametrize(("rotation", "mirrored"), [(0, False), (40, False), (-120, True)])
def test_stars_are_drawn_under_their_coordinates(rotation, mirrored):
    image = planted(shape=(101, 121), scale=0.1, rotation=rotation, mirrored=mirrored)
    figure = image_figure(image, BARE, scaling=Scaling(0.3, 1500, "linear"), grid=False)

    light = rendered(figure)

    (axes,) = figure.axes
    to_display = axes.get_transform("world")
    size_px = axes.transData.transform((1, 0))[0] - axes.transData.transform((0, 0))[0]
    for ra, dec in zip(*sky_positions(), strict=True):
        x, y = to_display.transform((ra, dec))
        # Display coordinates count from the corner; an array counts from its pixels' centres.
        place = (x - 0.5, y - 0.5)
        found = centroid(light, place, radius=round(6 * size_px))
        np.testing.assert_allclose(found, place, atol=0.15 * size_px)


def test_axes_carry_the_sky_and_a_grid():
    figure = image_figure(planted(shape=(60, 60)), BARE)
    rendered(figure)

    (axes,) = figure.axes
    longitude, latitude = axes.coords
    assert longitude.get_axislabel() == "Right ascension (J2000)"
    assert latitude.get_axislabel() == "Declination (J2000)"
    assert longitude._grid_lines_kwargs["visible"]
    off = image_figure(planted(shape=(60, 60)), BARE, grid=False)
    assert not off.axes[0].coords[0]._grid_lines_kwargs["visible"]


def test_brightness_bar_has_the_unit_and_the_scaling():
    image = planted(shape=(60, 60))
    figure = image_figure(image, BARE, scaling=Scaling(0, 10, "asinh", 0.05))

    (shown,) = figure.axes[0].images
    assert shown.norm.vmin == 0
    assert shown.norm.vmax == 10
    np.testing.assert_allclose(
        shown.norm(np.array([[2.5]])), to_unit(np.array([[2.5]]), Scaling(0, 10, "asinh", 0.05))
    )
    assert shown.colorbar.ax.get_ylabel() == "Brightness (electrons/s)"


def test_target_is_marked_around_its_place():
    image = planted(shape=(101, 121), rotation=20)
    figure = image_figure(image, dataclasses.replace(BARE, target=(RA, DEC)))

    (axes,) = figure.axes
    ends = np.concatenate([line.get_xydata() for line in axes.lines])
    np.testing.assert_allclose(ends.mean(axis=0), (60, 50), atol=1e-6)


@pytest.mark.parametrize(("rotation", "mirrored"), [(0, False), (70, False), (70, True)])
def test_compass_points_north_and_east(rotation, mirrored):
    image = planted(shape=(200, 200), rotation=rotation, mirrored=mirrored)

    figure = image_figure(image, dataclasses.replace(BARE, compass=True))

    (axes,) = figure.axes
    letters = {text.get_text(): np.array(text.get_position()) for text in axes.texts}
    arrows = [text for text in axes.texts if text.get_text() == ""]
    foot = np.array(arrows[0].xyann)
    x, y = image.wcs.world_to_pixel_values(RA, DEC + 1e-4)
    north = np.array([x, y]) - 99.5
    assert (letters["N"] - foot) @ north / np.hypot(*north) > 20
    to_n, to_e = letters["N"] - foot, letters["E"] - foot
    assert to_n @ north == pytest.approx(np.hypot(*to_n) * np.hypot(*north), rel=1e-4)
    turn = to_n[0] * to_e[1] - to_n[1] * to_e[0]
    assert (turn > 0) == (not mirrored)  # counter-clockwise from north to east, as on the sky


def test_scale_bar_is_as_long_as_it_says():
    image = planted(shape=(200, 200), scale=0.05)

    figure = image_figure(image, dataclasses.replace(BARE, scale_bar=True))

    (axes,) = figure.axes
    (line,) = axes.lines
    (label,) = [text.get_text() for text in axes.texts]
    length, unit = label.split()
    assert unit == "arcsec"
    assert np.ptp(line.get_xdata()) * 0.05 == pytest.approx(float(length), rel=1e-6)


def test_image_without_sky_coordinates_counts_pixels():
    figure = image_figure(dataclasses.replace(planted(shape=(60, 60)), wcs=None))

    (axes,) = figure.axes
    assert axes.get_xlabel() == "x (pixel)"
    rendered(figure)


def test_lines_of_text_are_optional_and_dollars_are_no_formula():
    image = planted(shape=(60, 60))

    empty = image_figure(image, BARE)
    written = image_figure(
        image, dataclasses.replace(BARE, title="cost $5 or $6", caption="Caption", credit="Credit")
    )

    rendered(written)
    assert not any(texts(empty))
    assert written.axes[0].get_title(loc="left") == r"cost \$5 or \$6"
    assert any("Caption\nCredit" in text for text in texts(written))


def test_simulated_data_are_labelled_without_being_asked():
    image = dataclasses.replace(planted(shape=(60, 60)), simulated=True)

    assert any("SIMULATED" in text for text in texts(image_figure(image, BARE)))
    assert not any("SIMULATED" in text for text in texts(image_figure(planted(), BARE)))


def test_colour_picture_becomes_a_figure():
    picture = colour_picture(three_images(COLOURED), longest=100)

    figure = colour_figure(picture)

    (axes,) = figure.axes
    np.testing.assert_array_equal(axes.images[0].get_array(), picture.rgb)
    assert axes.images[0].origin == "lower"
    assert any("red F160W" in text for text in texts(figure))
    assert isinstance(axes.wcs, WCS)


def test_inverted_colours_are_turned_round():
    image = planted(shape=(60, 60))
    bright = image_figure(image, BARE).axes[0].images[0].cmap(1.0)
    inverted = image_figure(image, BARE, invert=True).axes[0].images[0].cmap(1.0)

    assert bright[:3] == (1, 1, 1)
    assert inverted[:3] == (0, 0, 0)


# --- files -------------------------------------------------------------------------------------


def figure_of(image: ImageCutout):
    return image_figure(image, Annotations(title="Title", caption="Caption"))


def test_png_file_is_a_picture_with_every_pixel_of_the_image():
    content = figure_file(figure_of(planted(shape=(1200, 1200))), "png")

    with Image.open(io.BytesIO(content)) as picture:
        assert picture.format == "PNG"
        assert picture.width > 1200


def test_pdf_file_has_letters_as_letters():
    content = figure_file(figure_of(planted(shape=(60, 60))), "pdf")

    assert content.startswith(b"%PDF")
    assert b"/FontFile2" in content or b"/TrueType" in content or b"/Type0" in content
    assert b"/Type3" not in content


@pytest.mark.parametrize("file_format", FIGURE_FORMATS)
def test_same_image_gives_the_same_bytes(file_format):
    image = planted(shape=(60, 60))

    assert figure_file(figure_of(image), file_format) == figure_file(figure_of(image), file_format)


def test_unknown_format_is_refused_with_the_known_ones():
    with pytest.raises(InvalidQueryError, match="png or pdf"):
        figure_file(figure_of(planted(shape=(9, 9))), "svg")


def test_unknown_colour_map_is_refused():
    with pytest.raises(InvalidQueryError, match="no colour map"):
        image_figure(planted(shape=(9, 9)), colour_map="rainbowfish")


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (3, 900)])
def test_images_of_odd_shapes_can_be_drawn(shape):
    image = dataclasses.replace(planted(shape=(60, 60)), data=np.ones(shape, dtype=np.float32))

    assert figure_file(image_figure(image), "png").startswith(b"\x89PNG")


def test_figures_are_not_kept_by_pyplot():
    import sys

    figure_of(planted(shape=(9, 9)))

    assert (
        "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
    )
