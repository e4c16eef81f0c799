"""Reading the images of Zcut and HAPCut: made files with known content, and real ones."""

import io
import warnings
import zipfile
from pathlib import Path

import astroquery.mast
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cutout_core.errors import ProductError
from cutout_core.image import read_images, read_picture
from tests.factories import make_tpf_file, make_wcs_cards
from tests.image_factories import DEC, RA, make_hapcut_file, make_zcut_file

# Real replies of Zcut of December 2020, which astroquery brings along.
REAL = Path(astroquery.mast.__file__).parent / "tests" / "data"
REAL_FITS = REAL / "astrocut_189.49206_62.20615_100x100px_f.zip"
REAL_JPG = REAL / "astrocut_189.49206_62.20615_100x100px.zip"

COARSE = "hst_cutout_skycell-p2007x09y05-ra351d3478-decn28d4978_wfc3_ir_f160w_coarse.fits"


def ramp(ny: int = 4, nx: int = 6) -> np.ndarray:
    return np.arange(1, ny * nx + 1, dtype=np.float32).reshape(ny, nx)


def members(path: Path) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def test_rows_and_columns_keep_their_order():
    (image,) = read_images(make_zcut_file([ramp()]))

    assert image.shape == (4, 6)
    assert image.data.dtype == np.dtype("=f4")
    assert image.data.dtype.isnative
    np.testing.assert_array_equal(image.data, ramp())


def test_arrays_cannot_be_changed_and_do_not_hold_the_file():
    (image,) = read_images(make_hapcut_file(ramp(), np.ones((4, 6), dtype=np.float32)))

    assert image.data.base is None
    assert image.weight.base is None
    with pytest.raises(ValueError, match="read-only"):
        image.data[0, 0] = 0
    with pytest.raises(ValueError, match="read-only"):
        image.weight[0, 0] = 0


def test_cutouts_of_one_name_are_told_apart_by_the_file_they_come_from():
    originals = [
        "hlsp_candels_hst_acs_gn-tot-30mas_f606w_v1.0_drz.fits",
        "hlsp_candels_hst_acs_gn-tot-30mas_f814w_v1.0_drz.fits",
    ]

    first, second = read_images(make_zcut_file([ramp(), ramp() * 2], originals))

    assert (first.filter, second.filter) == ("F606W", "F814W")
    assert (first.original_name, second.original_name) == tuple(originals)
    assert (first.hdu_number, second.hdu_number) == (1, 2)
    np.testing.assert_array_equal(second.data, ramp() * 2)


def test_name_of_the_mosaic_goes_before_inherited_filter_wheels():
    content = make_zcut_file([ramp()], cards={"FILTER1": "CLEAR1L", "FILTER2": "F814W"})

    (image,) = read_images(content)

    assert image.filter == "F606W"


def test_filter_wheels_count_where_no_name_tells():
    content = make_zcut_file([ramp()], [""], cards={"FILTER1": "CLEAR1L", "FILTER2": "F814W"})

    (image,) = read_images(content)

    assert image.filter == "F814W"


def test_hapcut_file_is_one_image_with_its_weight():
    weight = np.full((4, 6), 2.5, dtype=np.float32)

    (image,) = read_images(make_hapcut_file(ramp(), weight), COARSE)

    np.testing.assert_array_equal(image.weight, weight)
    assert (image.instrument, image.detector, image.filter) == ("WFC3", "IR", "F160W")
    assert image.wavelength_um == pytest.approx(1.536917)
    assert image.exposure_s == 2396.9
    assert image.unit == "ELECTRONS/S"
    assert image.survey == "p2007x09y05"
    assert (image.ra, image.dec) == (RA, DEC)
    assert image.is_coarse
    assert image.label == "WFC3/IR F160W (coarse)"
    assert not image.simulated


def test_cutouts_of_drizzlepac_with_their_long_names_are_read():
    names = ("SCI_CUTOUT_p2007x09y05_ir_f160w", "WHT_CUTOUT_p2007x09y05_ir_f160w")

    (image,) = read_images(make_hapcut_file(ramp(), ramp(), names=names))

    assert image.weight is not None


def test_weight_of_another_shape_is_not_this_images():
    (image,) = read_images(make_hapcut_file(ramp(), np.ones((2, 2), dtype=np.float32)))

    assert image.weight is None


def test_name_of_the_file_tells_what_its_headers_leave_out():
    primary = {"INSTRUME": "", "DETECTOR": "", "FILTER": "", "ORIG_FLE": ""}

    (image,) = read_images(
        make_hapcut_file(ramp(), primary=primary, cards={"PHOTPLAM": ""}), COARSE
    )

    assert (image.instrument, image.detector, image.filter) == ("WFC3", "IR", "F160W")
    assert image.wavelength_um == pytest.approx(1.537, abs=0.001)


def test_survey_is_read_from_the_name_of_the_file():
    name = "candels_gn_30mas_189.492060_62.206150_300.0pix-x-200.0pix_astrocut.fits"

    (image,) = read_images(make_zcut_file([ramp()]), name)

    assert image.survey == "candels_gn_30mas"


def test_simulated_images_say_so():
    (image,) = read_images(make_zcut_file([ramp()], primary={"SIMDATA": True}))

    assert image.simulated


def test_wavelength_of_another_filter_in_the_header_is_not_believed():
    (image,) = read_images(make_hapcut_file(ramp(), cards={"PHOTPLAM": 8046.0}), COARSE)

    assert image.wavelength_um == pytest.approx(1.537, abs=0.001)
    assert "0.805" in image.notes[0]
    assert "F160W" in image.notes[0]


# --- what is covered ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "empty",
    [
        pytest.param(np.nan, id="NaN"),
        pytest.param(0.0, id="zero"),
        pytest.param(np.inf, id="infinite"),
    ],
)
def test_pixels_that_no_exposure_covered_are_nan(empty):
    data = ramp()
    data[:, :3] = empty

    (image,) = read_images(make_zcut_file([data]))

    assert image.coverage == 0.5
    assert image.is_partial
    assert not image.is_blank
    assert np.isnan(image.data[:, :3]).all()
    np.testing.assert_array_equal(image.data[:, 3:], ramp()[:, 3:])


def test_weight_of_zero_is_not_covered_and_a_zero_with_weight_is():
    data, weight = ramp(), np.ones((4, 6), dtype=np.float32)
    data[0, 0] = 0
    weight[3] = 0

    (image,) = read_images(make_hapcut_file(data, weight))

    assert image.coverage == 0.75
    assert image.data[0, 0] == 0
    assert np.isnan(image.data[3]).all()


@pytest.mark.parametrize("empty", [np.nan, 0.0])
def test_blank_image_is_recognised(empty):
    (image,) = read_images(make_zcut_file([np.full((4, 6), empty, dtype=np.float32)]))

    assert image.is_blank
    assert not image.is_partial
    assert image.coverage == 0


def test_single_dead_pixels_do_not_make_an_image_partial():
    data = np.ones((50, 50), dtype=np.float32)
    data[20, 30] = np.nan

    (image,) = read_images(make_zcut_file([data]))

    assert image.coverage == 1 - 1 / 2500
    assert not image.is_partial


def test_zero_counts_of_an_integer_image_are_counts():
    (image,) = read_images(make_zcut_file([np.zeros((2, 2), dtype=np.int16)]))

    assert image.coverage == 1


def test_scaled_integers_become_physical_values():
    scaled = fits.ImageHDU(np.array([[100, 200], [300, 1]], dtype=np.int16))
    scaled.header.update({"BSCALE": 0.5, "BZERO": 10.0, "BLANK": 1, "EXTNAME": "CUTOUT"})
    out = io.BytesIO()
    # astropy would undo the cards when it writes: they are put in after it.
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(scaled.data, name="CUTOUT")]).writeto(out)
    content = out.getvalue().replace(
        b"GCOUNT  =                    1 / number of groups".ljust(80),
        b"BSCALE  =                  0.5".ljust(80),
        1,
    )
    content = content.replace(
        b"PCOUNT  =                    0 / number of parameters".ljust(80),
        b"BLANK   =                    1".ljust(80),
        1,
    )

    (image,) = read_images(content)

    np.testing.assert_array_equal(image.data, [[50, 100], [150, np.nan]])


def test_image_in_double_precision_is_read():
    (image,) = read_images(make_zcut_file([ramp().astype(np.float64)]))

    np.testing.assert_array_equal(image.data, ramp())


# --- where it is -------------------------------------------------------------------------------


@pytest.mark.parametrize("rotation", [0.0, 30.0, 90.0, -135.0])
@pytest.mark.parametrize("mirrored", [False, True])
def test_orientation_is_that_of_the_wcs(rotation, mirrored):
    cards = make_wcs_cards(
        (41, 61), ra=RA, dec=DEC, scale_arcsec=0.06, rotation_deg=rotation, mirrored=mirrored
    )

    (image,) = read_images(make_zcut_file([np.ones((41, 61), np.float32)], wcs_cards=cards))

    assert image.sky.north_deg == pytest.approx(rotation, abs=1e-4)
    turn = (image.sky.east_deg - image.sky.north_deg) % 360
    assert turn == pytest.approx(270 if mirrored else 90, abs=1e-4)
    assert image.sky.mirrored == mirrored
    assert image.pixel_scale_arcsec == pytest.approx(0.06, rel=1e-6)
    assert image.size_arcsec == pytest.approx((41 * 0.06, 61 * 0.06), rel=1e-6)


def test_stale_cd_matrix_beside_the_pc_matrix_is_ignored():
    # astrocut leaves the mosaic's CD matrix and CROTA2 in the header of the cutout.
    stale = {"CD1_1": 1e-4, "CD1_2": 2e-4, "CD2_1": -2e-4, "CD2_2": 1e-4, "CROTA2": 77.0}

    (image,) = read_images(make_zcut_file([ramp(11, 11)], cards=stale))

    assert image.pixel_scale_arcsec == pytest.approx(0.03, rel=1e-6)
    assert image.sky.north_deg == pytest.approx(0, abs=1e-4)
    assert (image.sky.ra, image.sky.dec) == pytest.approx((RA, DEC), abs=1e-9)


def test_cd_matrix_alone_counts():
    content = make_hapcut_file(ramp(11, 11))
    for i, j, value in ((1, 1, -2e-5), (1, 2, 0.0), (2, 1, 0.0), (2, 2, 2e-5)):
        start = content.index(f"PC{i}_{j}   =".encode())
        content = (
            content[:start]
            + f"CD{i}_{j}   = {value:>20}".ljust(80).encode()
            + content[start + 80 :]
        )

    (image,) = read_images(content)

    assert image.pixel_scale_arcsec == pytest.approx(0.072, rel=1e-6)


def test_pixel_zero_zero_is_the_centre_of_the_first_pixel():
    cards = make_wcs_cards((5, 5), ra=RA, dec=DEC, scale_arcsec=0.03, target=(0.0, 0.0))

    (image,) = read_images(make_zcut_file([ramp(5, 5)], wcs_cards=cards))

    assert image.wcs.world_to_pixel_values(RA, DEC) == pytest.approx((0, 0), abs=1e-6)


def test_north_turns_with_the_distance_from_the_reference_point():
    # A mosaic of CANDELS: the cutout is 0.12 degrees east of the reference point, at Dec 62.
    (image, *_) = read_images(*reversed(members(REAL_FITS)[0]))

    turn = np.degrees(np.arctan(np.sin(np.radians(DEC)) * np.tan(np.radians(RA - 189.228621))))
    assert image.sky.north_deg == pytest.approx(-turn, abs=0.002)


def test_orientation_at_the_pole_is_finite():
    cards = make_wcs_cards((5, 5), ra=0.0, dec=90.0, scale_arcsec=0.03)

    (image,) = read_images(make_zcut_file([ramp(5, 5)], wcs_cards=cards))

    assert image.pixel_scale_arcsec == pytest.approx(0.03, rel=1e-6)


def test_image_across_ra_zero_has_the_right_scale():
    cards = make_wcs_cards((5, 5), ra=0.0, dec=-30.0, scale_arcsec=0.03)

    (image,) = read_images(make_zcut_file([ramp(5, 5)], wcs_cards=cards))

    assert image.pixel_scale_arcsec == pytest.approx(0.03, rel=1e-6)
    assert image.sky.ra % 360 == pytest.approx(0, abs=1e-9)


def test_image_without_sky_coordinates_is_still_an_image():
    content = make_zcut_file([ramp()], wcs_cards={"CTYPE1": "LINEAR", "CTYPE2": "LINEAR"})

    (image,) = read_images(content)

    assert image.wcs is None
    assert image.sky is None
    assert np.isnan(image.pixel_scale_arcsec)
    assert image.notes == ("The file has no sky coordinates.",)


# --- real files --------------------------------------------------------------------------------


def test_real_reply_of_zcut_gives_three_filters_where_they_were_asked_for():
    name, content = members(REAL_FITS)[0]

    images = read_images(content, name)

    assert [image.filter for image in images] == ["F606W", "F814W", "F850LP"]
    assert [image.wavelength_um for image in images] == pytest.approx(
        [0.59194609, 0.80593491, 0.90365098]  # their PHOTPLAM cards
    )
    for image in images:
        assert (image.instrument, image.detector) == ("ACS", "WFC")
        assert image.survey == "candels_gn_30mas"
        assert image.shape == (100, 100)
        assert image.coverage == 1
        assert image.pixel_scale_arcsec == pytest.approx(0.03, rel=1e-4)
        asked = SkyCoord(189.49206, 62.20615, unit="deg")
        centre = SkyCoord(image.sky.ra, image.sky.dec, unit="deg")
        assert asked.separation(centre).arcsec < 0.02  # the centre falls between two pixels


def test_real_reply_of_zcut_holds_the_same_pixels_as_astropy_reads():
    name, content = members(REAL_FITS)[0]

    images = read_images(content, name)

    with fits.open(io.BytesIO(content)) as hdus:
        for image, hdu in zip(images, hdus[1:], strict=True):
            np.testing.assert_array_equal(image.data, hdu.data)
            corners = np.array([[0, 99, 0, 99], [0, 0, 99, 99]])
            ours = np.array(image.wcs.pixel_to_world_values(*corners))
            theirs = np.array(WCS(hdu.header).pixel_to_world_values(*corners))
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-10)


def test_real_pictures_of_zcut_are_named_by_their_filters():
    pictures = [read_picture(content, name) for name, content in members(REAL_JPG)]

    assert [picture.filter for picture in pictures] == ["F606W", "F814W", "F850LP"]
    assert {(p.mime, p.shape, p.instrument) for p in pictures} == {
        ("image/jpeg", (100, 100), "ACS")
    }
    assert pictures[0].wavelength_um == pytest.approx(0.592, abs=0.001)


# --- damaged files -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "it is empty", id="empty"),
        pytest.param(b"<!DOCTYPE html><html>504</html>", "a web page", id="html"),
        pytest.param(b'{"msg": "no"}', "a JSON text", id="json"),
        pytest.param(b"PK\x03\x04abc", "a zip archive", id="zip"),
        pytest.param(b"II*\x00", "begins with", id="tiff"),
    ],
)
def test_other_content_is_named_for_what_it_is(content, words):
    with pytest.raises(ProductError, match=words):
        read_images(content, "a.fits")


@pytest.mark.parametrize("kept", [2000, 2880, 2881, 4000, 5760, 6000, 10_000])
def test_file_that_is_cut_short_is_not_read(kept):
    content = make_hapcut_file(ramp(60, 60), ramp(60, 60))

    with pytest.raises(ProductError, match=r"'a.fits' .*(cut short|no image)"):
        read_images(content[:kept], "a.fits")


def test_file_cut_between_image_and_weight_is_an_image_without_weight():
    # Nothing in the file tells that a weight map was to follow.
    content = make_hapcut_file(ramp(), ramp())
    end = content.index(b"XTENSION= 'IMAGE   '", content.index(b"XTENSION") + 80)

    (image,) = read_images(content[:end])

    assert image.weight is None


def test_file_of_another_kind_says_what_it_holds():
    with pytest.raises(ProductError, match=r"no image \(it has PRIMARY, PIXELS, APERTURE\)"):
        read_images(make_tpf_file(), "tess.fits")


def test_file_without_images_is_an_error():
    with pytest.raises(ProductError, match="holds no image"):
        read_images(make_zcut_file([], []))


def test_damaged_bitpix_is_named():
    content = make_zcut_file([ramp()]).replace(
        b"BITPIX  =                  -32", b"BITPIX  =                  -31"
    )

    with pytest.raises(ProductError, match="BITPIX is -31"):
        read_images(content)


@pytest.mark.parametrize("end", [0, 10, 600])
def test_broken_picture_is_an_error(end):
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (80, 80), np.uint8)).save(out, "PNG")

    with pytest.raises(ProductError, match=r"'a.png' is no picture"):
        read_picture(out.getvalue()[:end], "a.png")


def test_picture_of_a_format_that_the_service_does_not_send_is_refused():
    out = io.BytesIO()
    Image.new("L", (3, 3)).save(out, "GIF")

    with pytest.raises(ProductError, match="is no picture"):
        read_picture(out.getvalue(), "a.gif")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damage_anywhere_is_read_or_told_but_never_crashes(data):
    content = bytearray(make_hapcut_file(ramp(), ramp()))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # astropy's, on what the damage makes of a card
        try:
            images = read_images(bytes(content))
        except ProductError:
            return
    assert all(image.data.ndim == 2 for image in images)
