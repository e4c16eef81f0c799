"""The HAPCut page without a browser: what it says in each of its states."""

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.conftest import ROOT
from tests.pages.image_page import (
    buttons_of,
    downloads_of,
    fetched,
    opened,
    previews_of,
    text_of,
    viewer_of,
)

# The position of astroquery's manual: WFC3/IR F160W coarse and fine, UVIS F606W and F814W.
MANUAL = "351.347812 28.497808"
PAGE = "hapcut"


@pytest.fixture
def app(demo_url: str, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("SKYSTAMP_SOURCE", "mast")
    monkeypatch.setenv("SKYSTAMP_MAST_URL", demo_url)
    monkeypatch.setenv("SKYSTAMP_RESOLVER_URL", demo_url)
    # Each test has its own server's address: nothing cached from another's.
    st.cache_data.clear()
    st.cache_resource.clear()
    return AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=60)


def sized(app: AppTest, width: float, height: float, target: str = MANUAL) -> AppTest:
    opened(app, PAGE, target)
    app.number_input(key="hapcut_width").set_value(width)
    app.number_input(key="hapcut_height").set_value(height).run()
    return app


def test_empty_page_offers_objects_that_the_demo_sky_has(app: AppTest):
    opened(app, PAGE, "")
    names = ["M51", "Eagle nebula", "M57", "M104", "Antennae", "NGC 1300", "NGC 6302"]

    assert set(names) <= set(buttons_of(app))
    for name in names:
        button = next(b for b in app.button if b.label == name)
        button.click().run()
        assert not app.exception
        assert not app.error, name
        assert "Fetch all Hubble images" in buttons_of(app)
        app.text_input(key="target").set_value("").run()


def test_cost_of_an_image_is_said_before_anything_is_sent(app: AppTest):
    sized(app, 10.0, 20.0)

    # 0.04 arcsec, image and weights of 4 bytes: 250 x 500 x 8.
    assert "250 × 500 pixels of 0.04 arcsec. Up to 1.0 MB for each image" in text_of(app)


def test_all_images_come_and_of_each_filter_the_finest_is_ticked(app: AppTest):
    fetched(sized(app, 6.0, 6.0), PAGE)

    rows = app.dataframe[0].value
    assert list(rows["Filter"]) == ["F606W", "F814W", "F160W", "F160W"]
    assert list(rows["Mosaic"]) == ["", "", "fine", "coarse"]
    assert np.allclose(rows["Pixel"], [0.04, 0.04, 0.04, 0.12], rtol=1e-3)
    assert list(rows["Exposure"]) == [4900, 9800, 9800, 9800]
    assert len(previews_of(app)) == 3
    assert "Infrared images come twice" in text_of(app)
    assert "3 chosen files as zip" in downloads_of(app)
    assert "All 4 files as zip" in downloads_of(app)


def test_width_and_height_are_those_asked_for_although_the_service_swaps_them(app: AppTest):
    fetched(sized(app, 8.0, 4.0), PAGE)

    layer = viewer_of(app, PAGE)["layers"][0]
    assert (layer["nx"], layer["ny"]) == (200, 100)
    assert "seems to have stopped" not in text_of(app)
    code = app.code[1].value
    assert "size=[8, 4] * u.arcsec" in code
    assert "HAPCut swaps the two" in code


def test_place_that_hubble_never_saw_says_so_and_offers_others(app: AppTest):
    fetched(opened(app, PAGE, "102.7 70.5"), PAGE)

    assert "the service has no images there" in text_of(app)
    assert "most of the sky has never been in it" in text_of(app)
    assert "M51" in buttons_of(app)


def test_partly_covered_images_are_labelled(app: AppTest):
    # The edge of WFC3/IR's field in the manual's position lies some 65 arcsec away.
    fetched(sized(app, 30.0, 30.0, "351.3665 28.4985"), PAGE)

    covered = app.dataframe[0].value["Covered"]
    partial = covered[(covered > 0) & (covered < 99)]
    assert len(partial) > 0
    assert any("% covered" in alt for alt in previews_of(app))
    assert "Striped: no exposure covers this part." in text_of(app)


def test_weight_map_is_shown_instead_of_the_image(app: AppTest):
    fetched(sized(app, 6.0, 6.0), PAGE)

    app.toggle(key="hapcut_weight").set_value(True).run()

    assert not app.exception
    scene = viewer_of(app, PAGE)
    assert scene["layers"][0]["label"].endswith(" weight")
    assert scene["probes"][0]["unit"] == ""


def test_stretch_and_cuts_follow_the_controls(app: AppTest):
    fetched(sized(app, 6.0, 6.0), PAGE)
    first = viewer_of(app, PAGE)["layers"][0]["id"]

    app.selectbox(key="hapcut_stretch").set_value("log").run()
    second = viewer_of(app, PAGE)["layers"][0]["id"]
    app.selectbox(key="hapcut_cuts").set_value("zscale").run()
    third = viewer_of(app, PAGE)["layers"][0]["id"]
    app.toggle(key="hapcut_invert").set_value(True).run()
    fourth = viewer_of(app, PAGE)["layers"][0]["id"]

    assert not app.exception
    assert len({first, second, third, fourth}) == 4


def test_values_by_hand_the_wrong_way_round_are_refused_in_words(app: AppTest):
    fetched(sized(app, 6.0, 6.0), PAGE)
    app.selectbox(key="hapcut_stretch").set_value("linear").run()
    app.selectbox(key="hapcut_cuts").set_value("values").run()
    assert not app.exception

    app.number_input(key="hapcut_low").set_value(1e9).run()

    assert not app.exception
    assert "two rising numbers" in text_of(app)


def test_link_opens_with_its_target_and_size(app: AppTest):
    app.query_params["target"] = MANUAL
    app.query_params["hapcut_width"] = "12"
    app.run()
    app.switch_page("hapcut.py")
    app.query_params["target"] = MANUAL
    app.query_params["hapcut_width"] = "12"
    app.run()

    assert not app.exception
    assert app.number_input(key="hapcut_width").value == 12
    assert "12 × 30 arcsec" in text_of(app)
