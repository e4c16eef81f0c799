import io
import math
import re
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from cutout_core.errors import ProductError
from cutout_core.tpf import TargetPixelFile, read_tpf
from tests.factories import make_moving_tpf_file, make_tpf_file, make_wcs_cards, real_file_of_2018

# In the order of the FITS columns: name here, name there, dtype here.
COLUMNS = [
    ("time", "TIME", np.float64),
    ("timecorr", "TIMECORR", np.float32),
    ("cadence_number", "CADENCENO", np.int32),
    ("flux", "FLUX", np.float32),
    ("flux_err", "FLUX_ERR", np.float32),
    ("flux_bkg", "FLUX_BKG", np.float32),
    ("quality", "QUALITY", np.int32),
]


def assert_equal_to_astropy(tpf: TargetPixelFile, content: bytes) -> None:
    with fits.open(io.BytesIO(content)) as hdus:
        for ours, theirs, dtype in COLUMNS:
            array = getattr(tpf, ours)
            expected = hdus["PIXELS"].data[theirs]
            assert array.dtype == dtype
            assert array.dtype.isnative
            assert array.shape == expected.shape
            assert np.array_equal(array, expected, equal_nan=True), ours
        assert np.array_equal(tpf.aperture, hdus["APERTURE"].data.astype(int) & 1 == 1)


# --- real files ---


def test_file_of_2018_is_read_as_astropy_reads_it():
    name, content = real_file_of_2018()

    tpf = read_tpf(content, name)

    assert_equal_to_astropy(tpf, content)
    assert tpf.flux.shape == (1282, 5, 5)
    assert (tpf.sector, tpf.camera, tpf.ccd) == (1, 4, 3)
    assert (tpf.ra, tpf.dec) == (107.27, -70.0)
    assert tpf.cadence_s == 1800
    assert not tpf.simulated


def test_sector_of_2018_is_known_without_the_file_name():
    tpf = read_tpf(real_file_of_2018()[1])

    assert (tpf.sector, tpf.camera, tpf.ccd) == (1, 4, 3)


def test_impossible_coordinates_of_2018_are_left_out_with_a_note():
    tpf = read_tpf(real_file_of_2018()[1])

    assert tpf.wcs is None
    assert tpf.target_pixel is None
    assert tpf.column is None
    assert tpf.row is None
    assert "target at column 2, row 976 of 5 x 5 pixels" in tpf.notes[0]
    assert "column 119, row -856" in tpf.notes[1]


def test_file_of_2021_is_read_as_astropy_reads_it(real_replies: Path):
    name = "tess-s0001-4-2_84.291190_-80.469170_6x6_astrocut.fits"
    content = (real_replies / name).read_bytes()

    tpf = read_tpf(content)

    assert_equal_to_astropy(tpf, content)
    assert tpf.flux.shape == (50, 6, 6)
    assert (tpf.sector, tpf.camera, tpf.ccd) == (1, 4, 2)
    assert (tpf.ra, tpf.dec) == (84.29119, -80.46917)
    assert (tpf.column, tpf.row) == (1628, 257)
    assert tpf.cadence_s == 1800
    assert tpf.exposure_s == pytest.approx(1425.6, abs=0.01)
    assert tpf.origin == "STScI/MAST"
    assert tpf.creator == "astrocut 0.10.0"
    assert tpf.notes == ()
    # Even sides: the target is somewhere in the middle four pixels, of which the centre is 2.5.
    assert tpf.target_pixel == pytest.approx((2.5, 2.5), abs=1)


def test_wcs_is_that_of_the_aperture_image(real_replies: Path):
    content = (real_replies / "tess-s0001-4-2_84.291190_-80.469170_6x6_astrocut.fits").read_bytes()
    header = fits.getheader(io.BytesIO(content), "APERTURE")

    wcs = read_tpf(content).wcs

    assert wcs is not None
    ra, dec = wcs.pixel_to_world_values(header["CRPIX1"] - 1, header["CRPIX2"] - 1)
    assert ra == pytest.approx(header["CRVAL1"], abs=1e-10)
    assert dec == pytest.approx(header["CRVAL2"], abs=1e-10)


def test_cutout_of_one_pixel_is_read_and_its_coordinates_doubted(real_replies: Path):
    content = (real_replies / "tesscut_s0012_1x1.fits").read_bytes()

    tpf = read_tpf(content)

    assert_equal_to_astropy(tpf, content)
    assert tpf.shape == (1, 1)
    assert (tpf.sector, tpf.camera, tpf.ccd, tpf.column, tpf.row) == (12, 2, 1, 379, 1458)
    assert tpf.wcs is None
    assert 'pixels measure 2546"' in tpf.notes[0]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("test-tpf-tess-pimen-corrupted.fits", "30,000 bytes of at least 92,167,872"),
        (
            "test-tpf-tess-pimen-corrupted-at-header.fits",
            "after 6,000 bytes, inside header number 2",
        ),
        (
            "test-tpf-tess-pimen-corrupted-at-header2.fits",
            "after 600 bytes, inside header number 1",
        ),
    ],
)
def test_real_truncated_file_says_so(real_replies: Path, name: str, words: str):
    with pytest.raises(ProductError, match=f"cut short: .*{words}"):
        read_tpf((real_replies / name).read_bytes(), name)


def test_error_page_saved_as_a_file_is_named_as_such(real_replies: Path):
    content = (real_replies / "tesscut_504_saved_as_astrocut.zip.html").read_bytes()

    with pytest.raises(ProductError, match="not a FITS file: it is a web page"):
        read_tpf(content)


# --- files written with astropy ---


@pytest.mark.parametrize("column_wcs", [True, False], ids=["281 cards", "146 cards"])
def test_both_generations_of_headers_are_read(column_wcs: bool):
    content = make_tpf_file(column_wcs=column_wcs)

    tpf = read_tpf(content)

    assert_equal_to_astropy(tpf, content)
    assert (tpf.column, tpf.row) == ((1628, 257) if column_wcs else (None, None))
    assert tpf.wcs is not None
    assert tpf.notes == ()


def test_axes_are_cadence_row_column():
    flux = np.zeros((2, 3, 4), dtype=np.float32)
    flux[1, 2, 3] = 7

    tpf = read_tpf(make_tpf_file(flux))

    assert tpf.shape == (3, 4)
    assert tpf.n_cadences == 2
    assert tpf.flux[1, 2, 3] == 7
    assert tpf.flux.sum() == 7


def test_arrays_do_not_refer_to_the_bytes_and_are_read_only():
    content = bytearray(make_tpf_file())
    tpf = read_tpf(memoryview(content))
    before = tpf.flux.copy()

    content[:] = bytes(len(content))

    assert np.array_equal(tpf.flux, before)
    with pytest.raises(ValueError, match="read-only"):
        tpf.flux[0] = 1


def test_pixels_are_copied_once_and_nothing_else_is():
    content = make_tpf_file(np.ones((2000, 11, 11), dtype=np.float32))
    read_tpf(content)

    tracemalloc.start()
    tpf = read_tpf(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    # Of the twenty bytes per pixel of the file eight are kept; the rest is headers and columns.
    assert peak < 1.1 * (tpf.flux.nbytes + tpf.flux_err.nbytes)
    assert peak < 0.5 * len(content)


def test_nan_times_are_kept():
    tpf = read_tpf(make_tpf_file(time=np.array([1325.0, np.nan, 1325.1])))

    assert np.isnan(tpf.time).tolist() == [False, True, False]


def test_background_of_zeros_takes_no_memory():
    tpf = read_tpf(make_tpf_file(np.ones((100, 11, 11), dtype=np.float32)))

    assert not tpf.has_background
    assert tpf.flux_bkg.shape == (100, 11, 11)
    assert tpf.flux_bkg.strides == (0, 0, 0)
    assert not tpf.flux_bkg.any()


def test_background_in_the_last_pixel_only_is_kept():
    background = np.zeros((3, 2, 3), dtype=np.float32)
    background[2, 1, 2] = 1e-30

    tpf = read_tpf(make_tpf_file(flux_bkg=background))

    assert tpf.has_background
    assert np.array_equal(tpf.flux_bkg, background)


def test_frames_of_zeros_are_flagged_although_their_quality_is_0():
    flux = np.ones((4, 3, 3), dtype=np.float32)
    flux[1] = 0
    flux[2, 1, 1] = 0  # the pixel that is looked at first
    flux[3] = np.nan

    tpf = read_tpf(make_tpf_file(flux))

    assert tpf.empty_frames.tolist() == [False, True, False, False]
    assert not tpf.quality.any()


def test_frame_of_zeros_is_flagged_at_the_edge_of_the_detector():
    flux = np.ones((2, 3, 3), dtype=np.float32)
    flux[1] = 0
    flux[:, :, 2] = np.nan
    aperture = np.ones((3, 3), dtype=np.int32)
    aperture[:, 2] = 0

    tpf = read_tpf(make_tpf_file(flux, aperture=aperture))

    assert tpf.empty_frames.tolist() == [False, True]
    assert not tpf.aperture[:, 2].any()
    assert tpf.aperture[:, :2].all()


def test_float_aperture_of_2018_means_the_same():
    aperture = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])

    assert read_tpf(make_tpf_file(aperture=aperture)).aperture.sum() == 5


def test_header_goes_before_the_file_name():
    name = "tess-s0009-1-3_107.186960_-70.509190_3x2_astrocut.fits"

    tpf = read_tpf(make_tpf_file(), name)

    assert (tpf.sector, tpf.camera, tpf.ccd) == (1, 4, 2)
    assert tpf.ra == 84.29119


@pytest.mark.parametrize(
    "name",
    [
        "tess-s0009-1-3_107.18696_-70.50919_3x2_astrocut.fits",
        "tess-s0009-1-3_107.186960_-70.509190_3x2_astrocut.fits",
        "tess-s0009-1-3_107.1869600_-70.5091900_3-x-2_astrocut.fits",
    ],
)
def test_file_name_tells_what_the_headers_leave_out(name: str):
    blank = {"SECTOR": "", "CAMERA": None, "CCD": None, "RA_OBJ": None, "DEC_OBJ": None}
    content = make_tpf_file(primary=blank, pixels=blank, without=("FFI_FILE",), wcs_cards={})

    tpf = read_tpf(content, name)

    assert (tpf.sector, tpf.camera, tpf.ccd) == (9, 1, 3)
    assert (tpf.ra, tpf.dec) == (107.18696, -70.50919)
    assert "no sky coordinates" in tpf.notes[0]


def test_file_that_says_nothing_of_where_it_was_taken_is_refused():
    blank = {"SECTOR": "", "CAMERA": None, "CCD": None}
    content = make_tpf_file(primary=blank, pixels=blank, without=("FFI_FILE",))

    with pytest.raises(ProductError, match="does not say in which sector"):
        read_tpf(content, "cutout.fits")


def test_cadence_is_measured_where_the_header_has_none():
    time = 2000 + np.array([0, 1, 2, 3, np.nan, 6]) * 200 / 86400
    no_length = {"TIMEDEL": None, "EXPOSURE": None}
    content = make_tpf_file(np.ones((6, 1, 1)), time=time, pixels=no_length)

    tpf = read_tpf(content)

    assert tpf.cadence_s == 200
    # 1.98 s of every 2 s, 8 of 10 exposures.
    assert tpf.exposure_s == pytest.approx(200 * 0.99 * 0.8)


def test_simulated_data_are_known_as_such():
    assert read_tpf(make_tpf_file(primary={"SIMDATA": True})).simulated
    assert not read_tpf(make_tpf_file(primary={"SIMDATA": None})).simulated


def test_target_is_where_the_wcs_was_planted():
    cards = make_wcs_cards((11, 9), rotation_deg=37, target=(3.25, 6.5))
    tpf = read_tpf(make_tpf_file(np.ones((1, 11, 9)), wcs_cards=cards))

    assert tpf.target_pixel == pytest.approx((3.25, 6.5), abs=1e-9)


def test_map_of_collected_pixels_of_another_shape_is_left_out_with_a_note():
    tpf = read_tpf(make_tpf_file(aperture=np.zeros((20, 30), dtype=np.int32)))

    assert tpf.aperture.shape == (2, 3)
    assert tpf.aperture.all()
    assert tpf.wcs is None
    assert not tpf.is_moving
    assert "no map of collected pixels" in tpf.notes[0]


def test_fixed_target_has_no_track():
    tpf = read_tpf(make_tpf_file())

    assert (tpf.target_x, tpf.target_y, tpf.target_ra, tpf.target_dec) == (None,) * 4
    assert tpf.ffi_wcs is None


def test_file_of_a_moving_target_says_where_the_target_is_in_each_frame():
    # The size of a real CCD; the target moves by a pixel and a half from frame to frame.
    column, row = 1000.25 + 1.5 * np.arange(4), np.full(4, 700.0)
    content = make_moving_tpf_file(column, row, shape=(3, 5), ccd_shape=(2078, 2136), sky=7.0)

    tpf = read_tpf(content)

    assert (tpf.shape, tpf.n_cadences, tpf.is_moving) == ((3, 5), 4, True)
    # From the rounded lower limits: 997.75 -> 998, 999.25 -> 999, 1000.75 -> 1001, 1002.25 -> 1002.
    assert tpf.target_x.tolist() == [2.25, 2.75, 2.25, 2.75]
    assert tpf.target_y.tolist() == [2.0] * 4
    x, y = tpf.ffi_wcs.world_to_pixel_values(tpf.target_ra, tpf.target_dec)
    assert x == pytest.approx(column, abs=1e-6)
    assert y == pytest.approx(row, abs=1e-6)
    assert (tpf.sector, tpf.camera, tpf.ccd, tpf.object_name) == (6, 1, 1, "Eleonora")


def test_file_of_a_moving_target_has_neither_a_place_nor_a_map_of_its_own():
    content = make_moving_tpf_file(np.array([50.0, 51.0]), np.array([50.0, 50.0]))

    tpf = read_tpf(content)

    assert math.isnan(tpf.ra)
    assert math.isnan(tpf.dec)
    assert (tpf.wcs, tpf.column, tpf.row, tpf.target_pixel) == (None,) * 4
    assert tpf.aperture.all()
    assert tpf.notes == ()


def test_position_of_an_intermediate_cutout_is_not_the_target_s():
    # Where a file was merged of one cutout only, its RA_OBJ stays: the middle of that cutout.
    column, end = np.array([50.0, 51.0]), b"END".ljust(80)
    content = make_moving_tpf_file(column, column)
    at = content.index(end)
    card = fits.Card("RA_OBJ", 10.0).image.encode()
    content = content[:at] + card + end + content[at + 160 :]

    assert fits.getheader(io.BytesIO(content))["RA_OBJ"] == 10.0
    assert math.isnan(read_tpf(content).ra)


def test_target_beyond_the_edge_of_the_ccd_leaves_pixels_without_a_value():
    content = make_moving_tpf_file(np.array([1.0, 2.0]), np.array([50.0, 50.0]), shape=(3, 7))

    tpf = read_tpf(content)

    # Windows from column rint(1 - 3.5) = -2 and rint(2 - 3.5) = -2 on.
    assert np.isnan(tpf.flux[:, :, :2]).all()
    assert np.isfinite(tpf.flux[:, :, 2:]).all()
    assert tpf.aperture.tolist() == [[False] * 2 + [True] * 5] * 3


def test_coordinates_of_the_ccd_that_cannot_be_true_are_left_out_with_a_note():
    cards = make_wcs_cards((200, 220), scale_arcsec=2.1)
    content = make_moving_tpf_file(np.array([50.0]), np.array([50.0]), wcs_cards=cards)

    tpf = read_tpf(content)

    assert tpf.ffi_wcs is None
    assert 'their pixels measure 2.1"' in tpf.notes[0]


@pytest.mark.parametrize(
    ("cards", "words"),
    [
        ({"CTYPE1": 5}, "has no sky coordinates"),
        ({"CTYPE1": "RA---TAN", "CTYPE2": "VELO"}, "cannot be read|not on the sky"),
        ({"CTYPE1": "LINEAR", "CTYPE2": "LINEAR"}, "not on the sky"),
        ({"PC1_1": 0.0, "PC1_2": 0.0, "PC2_1": 0.0, "PC2_2": 0.0}, "cannot be read|measure"),
    ],
)
def test_coordinates_that_make_no_sense_are_left_out_with_a_note(cards: dict, words: str):
    tpf = read_tpf(make_tpf_file(wcs_cards=make_wcs_cards((2, 3)) | cards))

    assert tpf.wcs is None
    assert re.search(words, tpf.notes[0])


# --- damaged files ---


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"<!DOCTYPE html><p>504", "it is a web page"),
        (b"PK\x03\x04....", "it is a zip archive"),
        (b'{"msg": "none"}', "it is a JSON text"),
        (b"\xff\xd8\xff\xe0", "it begins with b'"),
    ],
)
def test_what_is_not_fits_is_named(content: bytes, words: str):
    with pytest.raises(ProductError, match=f"not a FITS file: {words}"):
        read_tpf(content)


def test_file_cut_anywhere_gives_an_error_that_says_so():
    content = make_tpf_file()
    # What is missing at the very end may be padding only: the last image has 24 bytes.
    data_end = len(content) - 2880 + 24

    for length in [*range(9, data_end, 997), data_end - 1]:
        with pytest.raises(ProductError, match="cut short"):
            read_tpf(content[:length])


def test_missing_padding_at_the_end_is_no_damage():
    content = make_tpf_file()

    assert read_tpf(content[: len(content) - 2880 + 24]).n_cadences == 3


def test_file_cut_between_two_extensions_is_cut_short():
    content = make_tpf_file()
    start = content.index(b"XTENSION= 'IMAGE")

    with pytest.raises(ProductError, match="promises 2 extensions, and 1 are there"):
        read_tpf(content[:start])


def test_header_that_promises_terabytes_is_not_believed():
    content = bytearray(make_tpf_file())
    at = content.index(b"NAXIS2  =                    3")
    content[at : at + 30] = b"NAXIS2  =      999999999999999"

    with pytest.raises(ProductError, match="cut short"):
        read_tpf(bytes(content))


@pytest.mark.parametrize("column", ["TIME", "FLUX", "FLUX_ERR", "QUALITY"])
def test_missing_column_is_named(column: str):
    with pytest.raises(ProductError, match=f"no target pixel file: the column {column} is missing"):
        read_tpf(make_tpf_file(without=(column,)))


@pytest.mark.parametrize("column", ["TIMECORR", "CADENCENO", "FLUX_BKG", "FFI_FILE", "POS_CORR1"])
def test_columns_that_are_not_needed_may_be_missing(column: str):
    assert read_tpf(make_tpf_file(without=(column,))).n_cadences == 3


@pytest.mark.parametrize("dim", ["(3, 3)", "(6)", "(a, b)", "(0, 6)"])
def test_wrong_shape_of_the_frames_is_refused(dim: str):
    with pytest.raises(ProductError, match=r"TDIM5 is .* has 6 pixels"):
        read_tpf(make_tpf_file(pixels={"TDIM5": dim}))


def test_missing_shape_of_the_frames_is_taken_from_the_aperture():
    assert read_tpf(make_tpf_file(pixels={"TDIM5": None})).shape == (2, 3)


def test_columns_that_do_not_fill_the_row_are_refused():
    with pytest.raises(ProductError, match=r"its columns have .* bytes per row"):
        read_tpf(make_tpf_file(pixels={"TFORM9": "K"}))


def test_unknown_column_format_is_refused():
    with pytest.raises(ProductError, match="damaged: TFORM9 is 'Z'"):
        read_tpf(make_tpf_file(pixels={"TFORM9": "Z"}))


def test_errors_of_another_shape_than_the_flux_are_refused():
    with pytest.raises(ProductError, match="a frame of FLUX_ERR has 3 pixels, and one of FLUX 6"):
        read_tpf(make_tpf_file(pixels={"TFORM6": "3E", "TFORM7": "9E"}))


def test_scaled_columns_are_refused():
    with pytest.raises(ProductError, match="TSCAL5, TZERO5 scale its column FLUX"):
        read_tpf(make_tpf_file(pixels={"TZERO5": 10.0}))


def test_table_without_rows_is_refused():
    with pytest.raises(ProductError, match="holds no cadences"):
        read_tpf(make_tpf_file(np.ones((0, 2, 3))))


def test_fits_file_of_another_kind_is_named():
    out = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.ones((2, 2)), name="SCI")]).writeto(out)

    with pytest.raises(ProductError, match=r"no table PIXELS \(it has unnamed, SCI\)"):
        read_tpf(out.getvalue())


def test_header_that_is_not_text_is_damaged():
    content = bytearray(make_tpf_file())
    content[900] = 0xFF

    with pytest.raises(ProductError, match="damaged header"):
        read_tpf(bytes(content))


def test_rubbish_between_the_extensions_is_damage():
    content = bytearray(make_tpf_file())
    at = content.index(b"XTENSION= 'BINTABLE'")
    content[at : at + 8] = b"rubbish!"

    with pytest.raises(ProductError, match="should be an extension, and there is b'rubbish!'"):
        read_tpf(bytes(content))


def test_negative_axis_is_damage():
    content = bytearray(make_tpf_file())
    at = content.index(b"NAXIS2  =                    3")
    content[at : at + 30] = b"NAXIS2  =                   -3"

    with pytest.raises(ProductError, match=r"NAXIS = 2 and axes \[\d+, -3\]"):
        read_tpf(bytes(content))


TINY = make_tpf_file()


@given(
    st.lists(st.tuples(st.integers(0, len(TINY) - 1), st.integers(0, 255)), min_size=1, max_size=8)
)
@settings(max_examples=150, deadline=None)
def test_changed_bytes_give_a_file_or_an_error_for_the_visitor(changes: list[tuple[int, int]]):
    content = bytearray(TINY)
    for position, value in changes:
        content[position] = value

    with warnings.catch_warnings():
        # astropy warns of cards that break the standard; what matters here is what is raised.
        warnings.simplefilter("ignore")
        try:
            read_tpf(bytes(content))
        except ProductError as exc:
            assert str(exc)  # noqa: PT017 - either outcome is fine, any other exception is not
