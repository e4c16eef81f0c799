"""The Zcut page without a browser: what it says in each of its states."""

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

# Four surveys cover it: astroquery's manual.
GOODS_NORTH = "189.49206 62.20615"
ABELL_370 = "39.97042 -1.57681"
PAGE = "zcut"


@pytest.fixture
def app(demo_url: str, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("SKYSTAMP_SOURCE", "mast")
    monkeypatch.setenv("SKYSTAMP_MAST_URL", demo_url)
    monkeypatch.setenv("SKYSTAMP_RESOLVER_URL", demo_url)
    # Each test has its own server's address: nothing cached from another's.
    st.cache_data.clear()
    st.cache_resource.clear()
    return AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=60)


def small(app: AppTest, target: str = ABELL_370) -> AppTest:
    """Open a target with a size that comes fast."""
    opened(app, PAGE, target)
    app.number_input(key="zcut_width").set_value(6.0)
    app.number_input(key="zcut_height").set_value(6.0).run()
    return app


def test_empty_page_offers_the_deep_fields(app: AppTest):
    opened(app, PAGE, "")

    assert "GOODS-North" in buttons_of(app)
    assert "Abell 370" in buttons_of(app)


def test_surveys_are_told_in_plain_words_and_hubbles_are_ticked(app: AppTest):
    opened(app, PAGE, GOODS_NORTH)

    ticks = {box.label.replace("\\", ""): box.value for box in app.checkbox}
    assert ticks == {
        "**CANDELS**, GOODS-North": True,
        "**GOODS**, GOODS-North": True,
        "**3D-HST**, GOODS-North": False,
    }
    assert len(app.checkbox) == 4  # CANDELS twice
    assert "Visible light (ACS) at the finest pixels" in text_of(app)
    assert "`candels_gn_30mas`" in text_of(app)


def test_cost_is_said_before_anything_is_sent(app: AppTest):
    small(app, GOODS_NORTH)

    # 6 arcsec: 200 pixels of 0.03 and 100 of 0.06; 6, 3 and 4 images; 4 bytes a pixel.
    n_bytes = 4 * (6 * 100**2 + 3 * 200**2 + 4 * 200**2)
    assert f"About 13 images, {n_bytes / 1e6:.1f} MB to fetch" in text_of(app)


def test_nothing_ticked_cannot_be_fetched(app: AppTest):
    small(app)

    app.checkbox[0].set_value(False).run()

    assert app.button(key="zcut_fetch_button").disabled
    assert "Tick a survey to fetch" in text_of(app)


def test_place_without_a_survey_says_how_far_the_nearest_is_and_leads_there(app: AppTest):
    opened(app, PAGE, "189.2286 70.0")

    assert "None of the deep-field surveys has images here" in text_of(app)
    # 62.2386 to 70 degrees of declination.
    assert "The nearest one is **GOODS-North**, 7.8° away" in text_of(app)
    app.button(key="zcut_go_nearest").click().run()
    assert not app.exception
    assert "**CANDELS**, GOODS-North" in [box.label for box in app.checkbox]


def test_survey_that_only_comes_near_is_shown_but_not_ticked(app: AppTest):
    # 10 arcmin south-east of the middle of Abell 370's images.
    opened(app, PAGE, "40.09 -1.68")
    assert "None of the deep-field surveys" in text_of(app)

    app.button_group(key="zcut_radius").set_value("within 10′").run()

    assert not app.exception
    assert [box.value for box in app.checkbox] == [False]
    assert "near, not at the spot" in text_of(app)


def test_images_come_by_wavelength_with_what_they_show(app: AppTest):
    fetched(small(app), PAGE)

    assert "in 7 images" in text_of(app)
    assert "simulated, not observed" in text_of(app)
    filters = [alt.split(",")[0].split()[-1] for alt in previews_of(app)]
    assert filters == ["F435W", "F606W", "F814W", "F105W", "F125W", "F140W", "F160W"]
    assert (
        "ACS/WFC F435W, survey hff-deepspace, violet light at 433 nm, 6 arcsec wide"
        in previews_of(app)
    )
    assert "All show the same 6 arcsec of sky" in text_of(app)
    assert "The file as zip" in downloads_of(app)


def test_previews_are_of_one_field_whatever_the_pixels(app: AppTest):
    small(app, GOODS_NORTH)
    for box in app.checkbox:
        box.set_value("3D" in box.label)
    app.run()
    app.button_group(key="zcut_unit").set_value("pixels").run()
    app.number_input(key="zcut_width_px").set_value(50)
    app.number_input(key="zcut_height_px").set_value(50).run()

    fetched(app, PAGE)

    # 50 pixels of 0.2 arcsec, the finest that are covered here beside MOIRCS's corner.
    fields = {alt.split("arcsec wide")[0].split(", ")[-1] for alt in previews_of(app)}
    assert len(fields) == 1
    widths = app.dataframe[0].value["Pixel"] * 50
    assert float(fields.pop()) == pytest.approx(widths.min(), rel=0.02)


def test_picked_image_is_large(app: AppTest):
    fetched(small(app), PAGE)
    assert viewer_of(app, PAGE)["layers"][0]["label"] == "ACS/WFC F814W, hff-deepspace"

    app.button(key="pick_zcut_6").click().run()

    scene = viewer_of(app, PAGE)
    assert scene["layers"][0]["label"] == "WFC3/IR F160W, hff-deepspace"
    assert scene["layers"][0]["nx"] == 100  # 6 arcsec of 0.06
    assert scene["probes"][0]["unit"] == "e⁻/s"
    assert scene["credit"] == "Simulated, not observed"


def test_two_are_compared_at_opposite_ends_of_the_wavelengths(app: AppTest):
    fetched(small(app), PAGE)

    app.button_group(key="zcut_mode").set_value("Compare two").run()

    assert not app.exception
    labels = [layer["label"] for layer in viewer_of(app, PAGE)["layers"]]
    assert labels == ["ACS/WFC F814W, hff-deepspace", "WFC3/IR F160W, hff-deepspace"]
    app.button(key="pick_zcut_0").click().run()
    labels = [layer["label"] for layer in viewer_of(app, PAGE)["layers"]]
    assert labels[0] == "ACS/WFC F435W, hff-deepspace"


def test_colour_begins_with_visible_light(app: AppTest):
    fetched(small(app), PAGE)

    app.button_group(key="zcut_mode").set_value("Colour").run()

    assert not app.exception
    assert "Red F814W, green F606W, blue F435W" in text_of(app)
    scene = viewer_of(app, PAGE)
    assert [probe["label"] for probe in scene["probes"]] == ["F814W", "F606W", "F435W"]
    assert scene["binning"] == 0


def test_colours_can_be_given_by_hand(app: AppTest):
    fetched(small(app), PAGE)
    app.button_group(key="zcut_mode").set_value("Colour").run()

    app.selectbox(key="zcut_preset").set_value("By hand").run()
    keys = app.selectbox(key="zcut_red_filter").options
    app.selectbox(key="zcut_red_filter").set_value(_key(app, "F160W")).run()

    assert not app.exception
    assert len(keys) == 7
    assert "Red F160W" in text_of(app)


def _key(app: AppTest, name: str) -> str:
    fetch = app.session_state["zcut_fetch"]
    return next(look.key for look in fetch.images if look.image.filter == name)


def test_one_ticked_image_is_shown_alone(app: AppTest):
    fetched(small(app), PAGE)
    app.button_group(key="zcut_mode").set_value("Colour").run()

    # A single image leaves a single way to look at it.
    key = f"zcut_images_{app.session_state['zcut_fetch'].token}_7"
    app.session_state[key] = {"selection": {"rows": [2], "columns": [], "cells": []}}
    app.run()

    assert not app.exception
    assert len(previews_of(app)) == 1
    assert viewer_of(app, PAGE)["layers"][0]["label"].startswith("ACS/WFC F814W")


def test_pictures_of_the_service_are_shown_as_they_came(app: AppTest):
    small(app)
    app.button_group(key="zcut_kind").set_value("finished pictures (JPG)").run()
    app.selectbox(key="zcut_drawn_stretch").set_value("sqrt").run()

    fetched(app, PAGE)

    assert "in 7 pictures" in text_of(app)
    assert all("drawn by the service" in alt for alt in previews_of(app))
    url = app.session_state["zcut_fetch"].urls[0]
    assert "cutout_format=jpg&stretch=sqrt&minmax_percent=%5B0.5%2C+99.5%5D&invert=False" in url
    assert "The file as zip" not in downloads_of(app)
    assert "All 7 files as zip" in downloads_of(app)


def test_black_above_white_is_refused_in_words(app: AppTest):
    small(app)
    app.button_group(key="zcut_kind").set_value("finished pictures (PNG)").run()

    app.number_input(key="zcut_drawn_low_percent").set_value(99.9).run()

    assert not app.exception
    assert "minmax_percent is two rising numbers" in text_of(app)


def test_requests_and_code_are_told(app: AppTest):
    fetched(small(app), PAGE)

    codes = [block.value for block in app.code]
    assert "/zcut/api/v0.1/astrocut?ra=39.97042&dec=-1.57681&" in codes[0]
    assert "survey=hff-deepspace" in codes[0]
    assert "Zcut.get_cutouts" in codes[1]
    compile(codes[1], "the code of the page", "exec")


def test_other_target_keeps_the_images_and_offers_the_way_back(app: AppTest):
    fetched(small(app), PAGE)

    app.text_input(key="target").set_value(GOODS_NORTH).run()

    assert not app.exception
    assert "are kept" in text_of(app)
    assert not previews_of(app)
    app.button(key="zcut_back").click().run()
    assert len(previews_of(app)) == 7


def test_service_that_fails_is_told_and_the_form_stays(
    app: AppTest, monkeypatch: pytest.MonkeyPatch
):
    small(app)
    # Nothing listens on port 9 of this machine.
    monkeypatch.setenv("SKYSTAMP_MAST_URL", "http://127.0.0.1:9")
    st.cache_resource.clear()
    st.cache_data.clear()

    app.run()

    assert not app.exception
    assert app.error
    assert app.text_input(key="target").value == ABELL_370
