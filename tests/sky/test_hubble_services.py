"""Zcut and HAPCut of the demo sky answer over HTTP as MAST's do; astrocut as second opinion."""

import io
import itertools
import json
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import astroquery.mast
import numpy as np
import pytest
import requests
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from PIL import Image
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount

from demo_sky.hubble.mosaics import sky_cells, surveys
from demo_sky.hubble.pictures import STRETCHES, Scaling, grey_levels
from demo_sky.hubble.pixels import read
from demo_sky.hubble.products import hap_file_name
from demo_sky.hubble.projection import Window, cutout_window
from demo_sky.hubble.routes import (
    MAX_PIXELS,
    NO_HAP_FILES,
    hapcut_routes,
    truth_routes,
    zcut_routes,
)
from demo_sky.parameters import BadRequestError
from demo_sky.server import RunningServer

BRIEF = {"ra": 189.49206, "dec": 62.20615}
BRIEF_HAP = {"ra": 351.347812, "dec": 28.497808}
SURVEY, ZCUT = "/zcut/api/v0.1/survey", "/zcut/api/v0.1/astrocut"
HAPCUT = "/hapcut/api/v0.1/astrocut"

REAL_FITS = (
    Path(astroquery.mast.__file__).parent / "tests/data/astrocut_189.49206_62.20615_100x100px_f.zip"
)


async def refuse(_request: Any, error: Exception) -> PlainTextResponse:
    return PlainTextResponse(str(error), 400)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    handlers: Any = {BadRequestError: refuse}
    app = Starlette(
        routes=[
            Mount("/zcut/api/v0.1", Starlette(routes=zcut_routes(), exception_handlers=handlers)),
            Mount(
                "/hapcut/api/v0.1", Starlette(routes=hapcut_routes(), exception_handlers=handlers)
            ),
            *truth_routes(),
        ],
        exception_handlers=handlers,
    )
    with RunningServer(app, "127.0.0.1", 0) as running:
        yield running.url


@pytest.fixture
def ask(url: str):
    def get(path: str, **query: Any) -> requests.Response:
        return requests.get(url + path, params=query, timeout=60)

    return get


def members(reply: requests.Response) -> dict[str, bytes]:
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(reply.content)) as archive:
        assert archive.testzip() is None
        assert {each.compress_type for each in archive.infolist()} == {zipfile.ZIP_STORED}
        return {name: archive.read(name) for name in archive.namelist()}


def open_file(content: bytes) -> fits.HDUList:
    """Open, with a warning (which is an error here) if a checksum is wrong."""
    hdus = fits.open(io.BytesIO(content), checksum=True)
    for hdu in hdus:
        assert hdu.data is None or hdu.data.size
    return hdus


# --- Zcut: surveys --------------------------------------------------------------------------------


def test_surveys_at_the_briefs_position(ask):
    reply = ask(SURVEY, **BRIEF, radius=0.0)

    assert reply.json() == {
        "surveys": ["candels_gn_60mas", "candels_gn_30mas", "goods_north", "3dhst_goods-n"]
    }


def test_no_survey_where_there_is_none(ask):
    assert ask(SURVEY, ra=57.10523, dec=-30.08085, radius=0).json() == {"surveys": []}


@pytest.mark.parametrize(
    ("radius", "found"), [("0d", False), ("2m", False), ("10m", True), ("600s", True), (0.2, True)]
)
def test_radius_finds_surveys_nearby(ask, radius: str, found: bool):
    # Five arcmin south of GOODS-S's southern corner.
    reply = ask(SURVEY, ra=53.22, dec=-28.04, radius=radius)

    assert ("goods_south" in reply.json()["surveys"]) == found


def test_radius_of_surveys_is_a_fifth_of_a_degree_if_not_told(ask):
    reply = ask(SURVEY, ra=53.22, dec=-28.04)

    assert "goods_south" in reply.json()["surveys"]


def test_all_surveys_are_found_on_the_whole_sky(ask):
    assert ask(SURVEY, **BRIEF, radius="180d").json()["surveys"] == list(surveys())


def test_wrong_unit_of_the_radius_is_refused(ask):
    assert ask(SURVEY, **BRIEF, radius="2x").status_code == 400


# --- Zcut: FITS -----------------------------------------------------------------------------------


def test_fits_file_has_the_layout_of_a_real_one(ask):
    reply = ask(ZCUT, **BRIEF, x=100, y=100, units="px", survey="candels_gn_30mas")
    with zipfile.ZipFile(REAL_FITS) as archive:
        (name,) = archive.namelist()
        real = fits.open(io.BytesIO(archive.read(name)))

    ours = members(reply)

    assert list(ours) == [name]
    hdus = open_file(ours[name])
    assert [len(hdu.header) for hdu in hdus] == [11, 177, 177, 177]
    assert [hdu.name for hdu in hdus] == [hdu.name for hdu in real]
    assert list(hdus[0].header) == list(real[0].header)
    for mine, theirs in zip(hdus[1:], real[1:], strict=True):
        assert set(mine.header) == {*theirs.header, "SIMDATA"}
        assert mine.header["ORIG_FLE"] == theirs.header["ORIG_FLE"]
        assert mine.data.shape == theirs.data.shape
        assert mine.data.dtype == theirs.data.dtype
        for key in ("CRPIX1", "CRPIX2", "CRVAL1", "CRVAL2", "RADESYS", "DETECTOR", "FILTER1"):
            assert mine.header[key] == theirs.header[key]
    mine, theirs = (WCS(each[1].header).wcs_pix2world([[5, 9]], 0) for each in (hdus, real))
    np.testing.assert_allclose(mine, theirs, atol=1e-9)


def test_files_say_that_they_are_simulated(ask):
    for path, place in ((ZCUT, BRIEF), (HAPCUT, BRIEF_HAP)):
        for content in members(ask(path, **place, x=3, y=3)).values():
            headers = [hdu.header for hdu in open_file(content)]

            assert all(header["SIMDATA"] is True for header in headers[1:])
            assert "STScI" not in headers[0]["ORIGIN"]
            assert "simulated" in headers[0]["ORIGIN"]


def test_every_survey_has_its_file(ask):
    names = list(members(ask(ZCUT, **BRIEF, x=5, y=5, units="px")))

    place = "189.492060_62.206150_5.0pix-x-5.0pix_astrocut.fits"
    assert names == [
        f"{survey}_{place}"
        for survey in ("candels_gn_60mas", "candels_gn_30mas", "goods_north", "3dhst_goods-n")
    ]


def test_x_counts_columns_and_y_rows(ask):
    reply = ask(ZCUT, **BRIEF, x=10, y=5, units="px", survey="3dhst_goods-n")

    ((name, content),) = members(reply).items()

    assert name == "3dhst_goods-n_189.492060_62.206150_10.0pix-x-5.0pix_astrocut.fits"
    assert {hdu.data.shape for hdu in open_file(content)[1:]} == {(5, 10)}


def test_angle_takes_the_pixels_of_each_image(ask):
    reply = ask(ZCUT, **BRIEF, x=2 / 3600, y=4 / 3600, units="d", survey="3dhst_goods-n")

    (content,) = members(reply).values()

    for hdu in open_file(content)[1:]:
        scale = abs(hdu.header["PC1_1"]) * 3600
        assert hdu.data.shape[1] == pytest.approx(2 / scale, abs=1)
        assert hdu.data.shape[0] == pytest.approx(4 / scale, abs=1)


def test_images_are_told_apart_by_their_original_names(ask):
    (content,) = members(ask(ZCUT, **BRIEF, x=5, y=5, survey="goods_north")).values()

    names = [hdu.header["ORIG_FLE"] for hdu in open_file(content)[1:]]

    assert names == [
        f"hlsp_goods_hst_acs-wfc_north-mosaic_{band}_v2.0_drz.fits"
        for band in ("f435w", "f606w", "f775w", "f850lp")
    ]


def test_place_without_data_of_the_survey_gets_a_message(ask):
    reply = ask(ZCUT, ra=189.28065571, dec=62.17415175, x=5, y=5, survey="candels_gn_30mas")

    assert reply.status_code == 200
    assert reply.json()["results"] == []
    assert reply.json()["msg"]


def test_unknown_survey_gets_a_message(ask):
    assert "msg" in ask(ZCUT, **BRIEF, x=5, y=5, survey="hubble_ultra_wide_field").json()


def test_place_in_3dhst_gives_exactly_one_file(ask):
    reply = ask(ZCUT, ra=189.28065571, dec=62.17415175, x=1, y=1, survey="3dhst_goods-n")

    assert len(members(reply)) == 1


def test_several_surveys_can_be_named(ask):
    for survey in (["goods_north", "candels_gn_30mas"], "['goods_north', 'candels_gn_30mas']"):
        names = list(members(ask(ZCUT, **BRIEF, x=2, y=2, survey=survey)))

        assert [name.partition("_189")[0] for name in names] == ["candels_gn_30mas", "goods_north"]


def test_uds_position_of_astroquerys_tests_has_images(ask):
    assert members(ask(ZCUT, ra=34.47320, dec=-5.24271, x=1, y=1))


# --- Zcut: pictures -------------------------------------------------------------------------------


def test_pictures_have_the_names_and_the_order_of_the_brief(ask):
    reply = ask(ZCUT, **BRIEF, x=10, y=5, units="px", survey="3dhst_goods-n", cutout_format="jpg")

    names = list(members(reply))

    assert names == [
        f"hlsp_3dhst_{stem}_v4.0_sc_189.492060_62.206150_10.0pix-x-5.0pix_astrocut_0.jpg"
        for stem in (
            "spitzer_irac_goods-n_irac1",
            "spitzer_irac_goods-n-s2_irac3",
            "spitzer_irac_goods-n-s1_irac4",
            "spitzer_irac_goods-n_irac2",
            "mayall_mosaic_goods-n_u",
            "subaru_suprimecam_goods-n_rc",
            "subaru_suprimecam_goods-n_v",
            "subaru_suprimecam_goods-n_ic",
            "subaru_suprimecam_goods-n_zp",
            "subaru_suprimecam_goods-n_b",
        )
    ]


def test_larger_pictures_reach_the_edge_of_moircs(ask):
    # MAST's notebook of May 2024 has the same twelve at 300 x 500 pixels.
    reply = ask(ZCUT, **BRIEF, x=300, y=500, survey="3dhst_goods-n", cutout_format="png")

    names = list(members(reply))

    assert len(names) == 12
    assert [name.split("_")[5] for name in names[-2:]] == ["j", "h"]


@pytest.mark.parametrize("key", ["format", "cutout_format"])
@pytest.mark.parametrize(("kind", "magic"), [("jpg", b"\xff\xd8"), ("png", b"\x89PNG")])
def test_format_is_read_under_both_of_its_names(ask, key: str, kind: str, magic: bytes):
    reply = ask(ZCUT, **BRIEF, x=12, y=7, survey="candels_gn_30mas", **{key: kind})

    for name, content in members(reply).items():
        assert name.endswith(f".{kind}")
        assert content.startswith(magic)
        image = Image.open(io.BytesIO(content))
        assert (image.mode, image.size) == ("L", (12, 7))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("stretch", STRETCHES)
@pytest.mark.parametrize(
    "cuts",
    [{}, {"minmax_percent": "[10, 90]"}, {"minmax_value": "[0.001, 0.02]"}],
    ids=["default", "percentiles", "values"],
)
def test_grey_levels_are_astrocuts_within_one(ask, stretch: str, cuts: dict, invert: bool):
    from astrocut.image_cutout import ImageCutout

    place = {**BRIEF, "x": 60, "y": 40, "survey": "candels_gn_30mas"}
    (content,) = members(ask(ZCUT, **place)).values()
    pictures = members(
        ask(ZCUT, **place, cutout_format="png", stretch=stretch, invert=invert, **cuts)
    )
    theirs = {key: json.loads(value) for key, value in cuts.items()}

    for hdu, picture in zip(open_file(content)[1:], pictures.values(), strict=True):
        expected = ImageCutout.normalize_img(
            hdu.data.astype(float),
            stretch=stretch,
            invert=invert,
            **(theirs or {"minmax_percent": [0.5, 99.5]}),
        )
        levels = np.asarray(Image.open(io.BytesIO(picture))).astype(int)
        assert np.abs(levels - expected.astype(int)).max() <= 1


def test_percentiles_go_before_values():
    image = np.linspace(0, 1, 1000, dtype=np.float32).reshape(20, 50)

    both = grey_levels(image, Scaling("linear", (25.0, 75.0), (0.4, 0.5)))

    assert np.array_equal(both, grey_levels(image, Scaling("linear", (25.0, 75.0), None)))


def test_pixels_without_value_are_black():
    image = np.ones((4, 4), dtype=np.float32) * np.arange(4, dtype=np.float32)
    image[0, 0] = np.nan

    assert grey_levels(image, Scaling("linear"))[0, 0] == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"cutout_format": "tiff"},
        {"stretch": "cubic"},
        {"minmax_percent": "[5]"},
        {"minmax_percent": "[99, 1]"},
        {"minmax_percent": "[-1, 50]"},
        {"minmax_value": "black,white"},
        {"x": 0},
        {"x": "wide"},
        {"units": "parsec"},
        {"dec": 91},
        {"x": MAX_PIXELS, "y": 2},
    ],
    ids=str,
)
def test_wrong_value_is_refused(ask, wrong: dict):
    query = {**BRIEF, "x": 5, "y": 5, **wrong}

    assert ask(ZCUT, **query).status_code == 400


@pytest.mark.parametrize("missing", ["ra", "dec", "x", "y"])
def test_missing_parameter_is_refused(ask, missing: str):
    query = {**BRIEF, "x": 5, "y": 5}
    del query[missing]

    assert ask(ZCUT, **query).status_code == 400


def test_form_and_query_get_the_same(url: str, ask):
    query = {**BRIEF, "x": 4, "y": 6, "survey": "goods_north"}

    by_form = requests.post(url + ZCUT, data=query, timeout=60)

    assert by_form.content == ask(ZCUT, **query).content


# --- HAPCut ---------------------------------------------------------------------------------------


def test_hap_files_have_the_names_of_the_brief(ask):
    names = list(members(ask(HAPCUT, **BRIEF_HAP, x=100, y=50, units="px")))

    assert names == [
        f"hst_cutout_skycell-p2007x09y05-ra351d3478-decn28d4978_wfc3_{band}.fits"
        for band in ("ir_f160w_coarse", "ir_f160w", "uvis_f606w", "uvis_f814w")
    ]


def test_hap_file_has_the_layout_that_the_manual_prints(ask):
    content = next(iter(members(ask(HAPCUT, **BRIEF_HAP, x=5, y=5)).values()))

    hdus = open_file(content)

    assert [(hdu.name, len(hdu.header)) for hdu in hdus] == [
        ("PRIMARY", 754),
        ("SCI", 102),
        ("WHT", 56),
    ]
    assert [hdu.data.shape for hdu in hdus[1:]] == [(5, 5), (5, 5)]
    header = hdus[0].header
    assert (header["INSTRUME"], header["DETECTOR"], header["FILTER"]) == ("WFC3", "IR", "F160W")
    assert header["SCELLID"] == "skycell-p2007x09y05"
    assert header["EXPTIME"] == 9800.0
    # The position is well inside all four exposures.
    assert hdus["WHT"].data == pytest.approx(9800.0)


def test_hapcut_swaps_x_and_y_as_the_service_does(ask):
    for content in members(ask(HAPCUT, **BRIEF_HAP, x=3, y=2, units="px")).values():
        assert open_file(content)["SCI"].data.shape == (3, 2)


def test_5_arcsec_are_42_coarse_pixels(ask):
    reply = ask(HAPCUT, **BRIEF_HAP, x=5 / 3600, y=5 / 3600, units="d")

    shapes = [open_file(content)["SCI"].data.shape for content in members(reply).values()]

    assert shapes[0] == (42, 42)
    assert set(shapes[1:]) == {(125, 125)}


def test_hapcut_takes_json_forms_and_queries(url: str, ask):
    query = {**BRIEF_HAP, "x": 5.0, "y": 4.0, "units": "px"}

    by_json = requests.post(url + HAPCUT, json=query, timeout=60)
    by_form = requests.post(url + HAPCUT, data=query, timeout=60)

    assert by_json.content == by_form.content == ask(HAPCUT, **query).content


def test_hapcut_says_that_there_is_nothing_as_the_service_does(ask):
    reply = ask(HAPCUT, ra=102.7, dec=70.50, x=5, y=5)

    assert reply.status_code == 200
    assert reply.json() == {"results": [], "msg": NO_HAP_FILES}
    assert NO_HAP_FILES == "Missing HAP files for input target. Cutout not performed."


def test_southern_declinations_are_named_as_drizzlepac_does(ask):
    names = list(members(ask(HAPCUT, ra=84.8208, dec=-69.1484, x=2, y=2)))

    assert names
    assert all("skycell-p0081x15y1" in name for name in names)
    assert all("-ra84d8208-decs69d8516_" in name for name in names)


@pytest.mark.parametrize(
    ("ra", "dec", "place"),
    [
        # The first is in drizzlepac's manual, the second the brief's.
        (84.9208, -69.1467, "ra84d9207-decs69d8533"),
        (351.347812, 28.497808, "ra351d3478-decn28d4978"),
        (10.5, 20.0, "ra10d5-decn20d0"),
        (0.00001, -0.00001, "ra0d0000-decs0d9999"),
    ],
)
def test_places_are_written_into_hap_names(ra: float, dec: float, place: str):
    mosaic = sky_cells()["p2007x09y05"][1]

    assert hap_file_name(mosaic, ra, dec) == (
        f"hst_cutout_skycell-p2007x09y05-{place}_wfc3_ir_f160w.fits"
    )


def test_cutout_at_the_rim_leaves_out_images_that_miss_it(ask):
    # WFC3/IR's field is smaller than WFC3/UVIS's.
    names = list(members(ask(HAPCUT, ra=351.347812 + 0.0245, dec=28.497808, x=5, y=5)))

    assert names
    assert all("_uvis_" in name for name in names)


# --- Witness: astrocut ----------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("path", "place"),
    [pytest.param(ZCUT, BRIEF, id="Zcut"), pytest.param(HAPCUT, BRIEF_HAP, id="HAPCut")],
)
def test_astrocut_cuts_the_same_pixels_and_wcs_from_the_mosaic(ask, tmp_path: Path, path, place):
    from astrocut import FITSCutout

    known = {m.file_name: m for each in (surveys(), sky_cells()) for v in each.values() for m in v}
    query = {**place, "x": 31, "y": 31, "survey": "candels_gn_30mas"}
    served = [
        hdu
        for content in members(ask(path, **query)).values()
        for hdu in open_file(content)[1:]
        if hdu.name in ("CUTOUT", "SCI")
    ]

    assert len(served) >= 3
    for ours in served:
        mosaic = known[ours.header["ORIG_FLE"]]
        # A region of the mosaic that is larger than the cutout, with the mosaic's own WCS.
        around = cutout_window(mosaic.grid, place["ra"], place["dec"], 120, 90)
        region = fits.PrimaryHDU(read(mosaic, around).science)
        region.header.update(mosaic.grid.wcs().to_header())
        region.header["CRPIX1"] -= around.x
        region.header["CRPIX2"] -= around.y
        file = tmp_path / mosaic.file_name
        region.writeto(file)

        theirs = FITSCutout(str(file), SkyCoord(place["ra"], place["dec"], unit="deg"), 31)

        hdu = theirs.fits_cutouts[0][1]
        np.testing.assert_array_equal(ours.data, hdu.data)
        corners = [[0, 0], [30, 0], [0, 30], [30, 30]]
        np.testing.assert_allclose(
            WCS(ours.header).wcs_pix2world(corners, 0),
            WCS(hdu.header).wcs_pix2world(corners, 0),
            atol=1e-10,
        )


def test_images_of_one_place_fit_together_by_their_wcs(ask):
    # The same star or galaxy everywhere: the middle pixel of all images is the position.
    for path, place in ((ZCUT, BRIEF), (HAPCUT, BRIEF_HAP)):
        for content in members(ask(path, **place, x=21, y=21)).values():
            for hdu in itertools.islice(open_file(content), 1, None):
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    x, y = WCS(hdu.header).wcs_world2pix(place["ra"], place["dec"], 0)
                # astrocut's rounding can shift an odd window by half a pixel.
                assert 9.99 <= x <= 11.01
                assert 9.99 <= y <= 11.01


# --- Speed, truth ---------------------------------------------------------------------------------


def test_same_request_gets_the_same_bytes(ask):
    query = {**BRIEF, "x": 40, "y": 30, "survey": "candels_gn_60mas"}

    assert ask(ZCUT, **query).content == ask(ZCUT, **query).content


def test_500_pixels_of_one_filter_are_drawn_in_half_a_second():
    from time import perf_counter

    mosaic = surveys()["goods_south"][1]
    window = cutout_window(mosaic.grid, 53.16, -27.79, 500, 500)
    read(mosaic, Window(window.x - 900, window.y, 10, 10))

    start = perf_counter()
    read(mosaic, window)

    assert perf_counter() - start < 0.5


def test_truth_is_told(ask):
    reply = ask("/demo/hubble_truth", **BRIEF, size=0.005).json()

    assert reply["simulated"] is True
    assert {s["kind"] for s in reply["sources"]} <= {"galaxy", "star", "object"}
    assert len(reply["sources"]) > 20


def test_truth_of_a_large_area_is_refused(ask):
    assert ask("/demo/hubble_truth", **BRIEF, size=1).status_code == 400
