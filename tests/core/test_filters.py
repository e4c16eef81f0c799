"""Which filter a name means, and its wavelength: real names and published values."""

import csv
import math
import re

import pytest

from cutout_core import filters
from cutout_core.filters import band_from_name, filter_from_wheels, wavelength_um


@pytest.mark.parametrize(
    ("name", "instrument", "detector", "band", "project"),
    [
        # The brief's files, astroquery's real ones, and names from the surveys' releases.
        pytest.param(
            "hlsp_3dhst_spitzer_irac_goods-n_irac1_v4.0_sc_189.492060_62.206150_"
            "10.0pix-x-5.0pix_astrocut_0.jpg",
            *("IRAC", "", "IRAC1", "3dhst"),
            id="spitzer",
        ),
        pytest.param(
            "hlsp_3dhst_spitzer_irac_goods-n-s2_irac3_v4.0_sc_189.492060_62.206150_"
            "10.0pix-x-5.0pix_astrocut_0.jpg",
            *("IRAC", "", "IRAC3", "3dhst"),
            id="spitzer, half of a field",
        ),
        pytest.param(
            "hlsp_3dhst_subaru_suprimecam_goods-n_zp_v4.0_sc_189.492060_62.206150_"
            "10.0pix-x-5.0pix_astrocut_0.jpg",
            *("SUPRIMECAM", "", "ZP", "3dhst"),
            id="subaru",
        ),
        pytest.param(
            "hlsp_3dhst_mayall_mosaic_goods-n_u_v4.0_sci.fits",
            *("MOSAIC", "", "U", "3dhst"),
            id="mayall",
        ),
        pytest.param(
            "hlsp_candels_hst_acs_gn-tot-30mas_f606w_v1.0_drz_189.492060_62.206150_"
            "100.0pix-x-100.0pix_astrocut.jpg",
            *("ACS", "", "F606W", "candels"),
            id="candels",
        ),
        pytest.param(
            "hlsp_frontier_hst_acs-30mas-selfcal_abell2744_f814w_v1.0-epoch2_drz.fits",
            *("ACS", "", "F814W", "frontier"),
            id="frontier fields",
        ),
        pytest.param(
            "h_nz_sect23_v2.0_drz_img.fits", *("ACS", "WFC", "F850LP", "goods"), id="goods"
        ),
        pytest.param(
            "hst_cutout_skycell-p2007x09y05-ra351d3478-decn28d4978_wfc3_ir_f160w_coarse.fits",
            *("WFC3", "IR", "F160W", "p2007x09y05"),
            id="hapcut, coarse",
        ),
        pytest.param(
            "hst_cutout_skycell-p2007x09y05-ra351d3478-decn28d4978_wfc3_uvis_f606w.fits",
            *("WFC3", "UVIS", "F606W", "p2007x09y05"),
            id="hapcut, fine",
        ),
        pytest.param(
            "hst_skycell-p1253x05y09_acs_wfc_f658n_all_drc.fits",
            *("ACS", "WFC", "F658N", "p1253x05y09"),
            id="hap mosaic",
        ),
        pytest.param(
            "hst_cutout_skycell-p0081x14y15-ra84d9199-decs69d1484_uvis_f336w-ibp505mf.fits",
            *("WFC3", "UVIS", "F336W", "p0081x14y15"),
            id="drizzlepac's own, of one exposure",
        ),
        pytest.param("my_fq508n_image.fits", "", "", "FQ508N", "", id="filter alone"),
        pytest.param("image.fits", "", "", "", "", id="nothing"),
        pytest.param("", "", "", "", "", id="empty"),
    ],
)
def test_name_of_a_file_tells_the_band(name, instrument, detector, band, project):
    found = band_from_name(name)

    assert (found.instrument, found.detector) == (instrument, detector)
    assert (found.filter, found.project) == (band, project)


@pytest.mark.parametrize(
    ("wheels", "band"),
    [
        pytest.param(("", "CLEAR1L", "F814W"), "F814W", id="second wheel"),
        pytest.param(("", "F606W", "CLEAR2L"), "F606W", id="first wheel"),
        pytest.param(("F606W;CLEAR2L", "F606W", "CLEAR2L"), "F606W", id="said twice"),
        pytest.param(("f160w", "", ""), "F160W", id="small letters"),
        pytest.param(("", "F606W", "POL0V"), "F606W+POL0V", id="polariser"),
        pytest.param(("CLEAR1L", "CLEAR2L", "N/A"), "", id="clear"),
        pytest.param((), "", id="none"),
    ],
)
def test_filter_is_what_is_not_clear_in_the_wheels(wheels, band):
    assert filter_from_wheels(*wheels) == band


@pytest.mark.parametrize(
    ("band", "instrument", "detector", "expected"),
    [
        # WFC3 Instrument Handbook, tables 6.2 and 7.2; headers of real mosaics (PHOTPLAM).
        ("F160W", "WFC3", "IR", 1.5369),
        ("F606W", "WFC3", "UVIS", 0.5889),
        ("F606W", "ACS", "WFC", 0.5922),
        ("F606W", "ACS", "", 0.5922),
        ("F606W", "WFPC2", "PC", 0.6001),
        ("F850LP", "ACS", "WFC", 0.9031),
        ("f105w", "wfc3", "ir", 1.0552),
        ("F606W+POL0V", "ACS", "WFC", 0.5922),
        # Skelton et al. 2014 and the IRAC Instrument Handbook.
        ("IRAC4", "IRAC", "", 7.9158),
        ("ch1", "", "", 3.5569),
        ("ks", "HAWKI", "", 2.1524),
    ],
)
def test_wavelengths_are_the_published_ones(band, instrument, detector, expected):
    assert wavelength_um(band, instrument=instrument, detector=detector) == pytest.approx(
        expected, rel=1e-4
    )


@pytest.mark.parametrize(
    ("band", "instrument", "detector", "expected"),
    [
        pytest.param("F999W", "ACS", "WFC", 0.999, id="number is nanometres"),
        pytest.param("F151W", "WFC3", "IR", 1.51, id="infrared: tens of nanometres"),
        pytest.param("F240M", "NICMOS", "NIC3", 2.40, id="the longest infrared filter"),
        pytest.param("F606W", "WFC3", "IR", 0.606, id="no infrared filter, whatever the header"),
        pytest.param("F160W", "", "", 1.60, id="below 200 without camera: infrared"),
        pytest.param("F152LP", "ACS", "SBC", 0.152, id="far ultraviolet camera"),
        pytest.param("IA484", "SUPRIMECAM", "", 0.484, id="intermediate band"),
        pytest.param("KS", "NEWCAM", "", 2.155, id="unknown camera: usual band"),
    ],
)
def test_filter_that_no_table_has_is_read_by_the_rule_of_names(
    band, instrument, detector, expected
):
    assert wavelength_um(band, instrument=instrument, detector=detector) == pytest.approx(expected)


@pytest.mark.parametrize("band", ["", "G141", "WHATEVER", "F12W"])
def test_wavelength_that_cannot_be_told_is_nan(band):
    assert math.isnan(wavelength_um(band, instrument="WFC3", detector="IR"))


def table_rows():
    with filters._TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_row_of_the_table_has_a_source_and_stands_once():
    rows = table_rows()

    keys = [(row["instrument"], row["detector"], row["filter"]) for row in rows]

    assert len(set(keys)) == len(keys) > 200
    assert all(row["source"].strip() for row in rows)


def test_table_agrees_with_the_numbers_in_the_names_of_the_filters():
    # A slip of a digit would show: pivot wavelengths are within 10 % of the filter's number,
    # but for long-pass filters, whose number is where they begin.
    for row in table_rows():
        match = re.fullmatch(r"FQ?(\d{3,4})(W|M|N|X|LP)", row["filter"])
        if match is None:
            continue
        infrared = row["detector"] == "IR" or row["instrument"] == "NICMOS"
        number = int(match[1]) / (100 if infrared else 1000)
        ratio = float(row["wavelength_um"]) / number
        most = 2.6 if match[2] == "LP" else 1.11
        assert 0.93 < ratio < most, row
