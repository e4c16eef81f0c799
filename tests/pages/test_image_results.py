"""The results of Zcut and HAPCut for replies that the demo sky does not send."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.image_factories import make_hapcut_file
from tests.pages.image_page import downloads_of, previews_of, text_of, viewer_of

NX = 30


def results_page() -> None:
    """Show a reply that the test has put into the session, as the page does."""
    import streamlit as st

    from cutout_core.archive import read_archive
    from cutout_core.fetching import FetchJob
    from cutout_core.imagelook import open_reply
    from cutout_core.mast.cutouts import CutoutRequest
    from cutout_core.matching import MatchedTarget
    from cutout_core.size import parse_size
    from cutout_ui.image_downloads import download_row, provenance
    from cutout_ui.image_fetch import ImageFetch
    from cutout_ui.image_results import explore, results_heading
    from cutout_ui.image_table import image_table
    from cutout_ui.source import DataSource
    from tests.factories import make_zip
    from tests.pages.test_image_results import AtOnce

    if "hapcut_fetch" not in st.session_state:
        reply = read_archive(make_zip(st.session_state["members"]), "http://127.0.0.1/hapcut")
        request = CutoutRequest("hapcut", (), "Hubble images", None, "http://127.0.0.1/hapcut")
        job = FetchJob([request], lambda _: open_reply(reply), AtOnce())
        target = MatchedTarget("here", 189.49206, 62.20615, None, None, None, "Ursa Major")
        source = DataSource("mast", "http://127.0.0.1", "http://127.0.0.1", "")
        st.session_state["hapcut_fetch"] = ImageFetch(
            job, source, "here", target, "HAPCut", parse_size(30), "code"
        )
    fetch = st.session_state["hapcut_fetch"]
    results_heading(fetch)
    chosen = image_table(fetch, expanded=True)
    if chosen:
        sight = explore(fetch, chosen)
        if sight is not None:
            download_row(fetch, chosen, sight)
    provenance(fetch)


class AtOnce:
    """An executor that does the work where it stands."""

    def submit(self, work, *args):
        work(*args)


def shown(**members: bytes) -> AppTest:
    app = AppTest.from_function(results_page, default_timeout=30)
    app.session_state["members"] = {f"{name}.fits": content for name, content in members.items()}
    app.run()
    assert not app.exception
    return app


def image_file(name: str, *, data: np.ndarray | None = None, **cards: object) -> bytes:
    data = np.random.default_rng(1).normal(1, 0.1, (NX, NX)) if data is None else data
    primary = {"FILTER": name, "ORIG_FLE": ""}
    wavelength = {"PHOTPLAM": ""} | cards
    data = data.astype(np.float32)
    weight = (data != 0).astype(np.float32)
    return make_hapcut_file(data, weight, primary=primary, cards=wavelength)


BLANK = np.zeros((NX, NX))


def test_blank_images_are_labelled_and_folded_away():
    app = shown(a=image_file("F606W"), b=image_file("F814W", data=BLANK))

    assert [expander.label for expander in app.expander][:2] == [
        "The image",
        "1 more without data here",
    ]
    assert "no exposure does" in text_of(app)
    assert len(previews_of(app)) == 1
    assert "Chosen file as zip" in downloads_of(app)
    assert "All 2 files as zip" in downloads_of(app)


def test_nothing_but_blanks_is_said_with_what_to_do():
    app = shown(a=image_file("F606W", data=BLANK), b=image_file("F814W", data=BLANK))

    assert "none of them has data here" in text_of(app)
    assert "Try a larger size" in text_of(app)
    assert not previews_of(app)


def test_damaged_file_is_named_and_the_others_are_shown():
    app = shown(a=image_file("F606W"), bad=b"no FITS at all")

    assert "bad.fits" in app.error[0].value.replace("\\", "")
    assert len(previews_of(app)) == 1


def test_image_without_sky_coordinates_is_shown_by_its_pixels():
    content = image_file("F606W", CTYPE1="LINEAR", CTYPE2="LINEAR")

    app = shown(a=content)

    assert viewer_of(app, "hapcut")["layers"][0]["wcs"] is None
    assert "The file has no sky coordinates" in text_of(app)


def test_image_without_sky_coordinates_is_not_laid_over_another():
    app = shown(a=image_file("F606W"), b=image_file("F814W", CTYPE1="LINEAR", CTYPE2="LINEAR"))

    app.button_group(key="hapcut_mode").set_value("Compare two").run()

    assert not app.exception
    assert "cannot be laid over each other" in text_of(app)
    assert len(viewer_of(app, "hapcut")["layers"]) == 1


def test_one_filter_makes_no_colour_and_the_page_says_so():
    app = shown(a=image_file("F606W"), b=image_file("F814W", CTYPE1="LINEAR", CTYPE2="LINEAR"))

    app.button_group(key="hapcut_mode").set_value("Colour").run()

    assert not app.exception
    assert "A colour picture needs images in two filters or more" in text_of(app)


def test_partly_covered_image_says_how_much():
    data = np.ones((NX, NX))
    data[:, : NX // 2] = np.nan

    app = shown(a=image_file("F606W", data=data))

    assert "F606W covers 50% of it; the rest is striped" in text_of(app)


def test_large_image_says_that_it_is_reduced():
    data = np.random.default_rng(1).normal(1, 0.1, (40, 2500))

    app = shown(a=image_file("F606W", data=data))

    assert "Shown with 3 × 3 pixels averaged to one" in text_of(app)
    scene = viewer_of(app, "hapcut")
    assert (scene["binning"], scene["layers"][0]["nx"]) == (3, 833)


def test_observed_images_say_what_to_cite():
    app = shown(a=image_file("F606W"))

    assert "Hubble Advanced Products" in text_of(app)
    assert "simulated" not in text_of(app)


@pytest.mark.parametrize(
    ("filters", "first"),
    [
        pytest.param(["F435W", "F606W", "F814W", "F656N"], "Visible light", id="what the eye sees"),
        pytest.param(["F502N", "F656N", "F673N", "F814W"], "Glowing gas", id="three gases"),
        pytest.param(["F275W", "F606W", "F160W"], "Three, far apart", id="neither"),
    ],
)
def test_colour_begins_with_what_looks_natural(filters: list[str], first: str):
    app = shown(**{name.lower(): image_file(name) for name in filters})

    app.button_group(key="hapcut_mode").set_value("Colour").run()

    assert not app.exception
    assert app.selectbox(key="hapcut_preset").value == first


def pictures_page() -> None:
    """Show a real reply of pictures that Zcut has drawn."""
    from pathlib import Path

    import astroquery.mast

    from cutout_core.archive import read_archive
    from cutout_core.imagelook import open_reply
    from cutout_ui.image_examples import picture_gallery

    data = Path(astroquery.mast.__file__).parent / "tests" / "data"
    content = (data / "astrocut_189.49206_62.20615_100x100px.zip").read_bytes()
    picture_gallery(open_reply(read_archive(content, "http://127.0.0.1/zcut")).pictures)


def test_real_pictures_of_the_service_are_shown_as_they_came():
    app = AppTest.from_function(pictures_page, default_timeout=30).run()

    assert not app.exception
    assert previews_of(app) == [
        "ACS F606W, drawn by the service",
        "ACS F814W, drawn by the service",
        "ACS F850LP, drawn by the service",
    ]
    urls = [proto.url for element in app.get("image") for proto in element.proto.imgs]
    assert all(url.startswith("data:image/jpeg;base64,") for url in urls)
