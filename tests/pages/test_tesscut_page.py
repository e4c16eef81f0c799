"""The TESSCut page without a browser: what it says in each of its states."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.conftest import ROOT


@pytest.fixture
def app(demo_url: str, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("SKYSTAMP_SOURCE", "mast")
    monkeypatch.setenv("SKYSTAMP_MAST_URL", demo_url)
    monkeypatch.setenv("SKYSTAMP_RESOLVER_URL", demo_url)
    import streamlit as st

    # Each test has its own server's address: nothing cached from another's.
    st.cache_data.clear()
    st.cache_resource.clear()
    return AppTest.from_file(str(ROOT / "pages" / "main.py"), default_timeout=30)


def opened(app: AppTest, target: str) -> AppTest:
    app.run()
    app.switch_page("tesscut.py")
    app.run()
    app.text_input(key="target").set_value(target).run()
    assert not app.exception
    return app


def text_of(app: AppTest) -> str:
    parts = [*app.title, *app.subheader, *app.markdown, *app.caption, *app.error, *app.info]
    return "\n".join(part.value for part in parts)


def buttons_of(app: AppTest) -> list[str]:
    return [button.label.replace("\\", "") for button in app.button]


def test_empty_page_offers_examples(app: AppTest):
    opened(app, "")

    assert "WASP-18" in buttons_of(app)


def test_target_leads_to_its_sectors(app: AppTest):
    opened(app, "WASP-18")

    assert "Observed in 6 sectors" in text_of(app)
    assert list(app.dataframe[0].value["Sector"]) == [96, 69, 30, 29, 3, 2]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        pytest.param("Zorglub 77", 'Could not resolve \\"Zorglub 77\\"', id="unknown name"),
        pytest.param("261136679", "TIC 261136679", id="lone number"),
        pytest.param("400 10", "400", id="right ascension beyond 360"),
        pytest.param("252 10", "TESS has not observed this place", id="never observed"),
    ],
)
def test_target_that_leads_nowhere_says_why_and_stays_typed(app: AppTest, target: str, said: str):
    opened(app, target)

    assert said.replace("\\", "") in text_of(app).replace("\\", "")
    assert app.text_input(key="target").value == target
    assert "WASP-18" in buttons_of(app)


def test_star_of_the_catalogue_is_named_for_a_typed_position(app: AppTest):
    # WASP-18 is TIC 100100827, of Tmag 8.83 (ExoFOP).
    opened(app, "24.354302 -45.677883")

    said = text_of(app).replace("\\", "")
    assert "TIC 100100827: Tmag 8.8" in said


def test_size_is_shown_in_pixels_and_on_the_sky_with_what_it_costs(app: AppTest):
    opened(app, "WASP-18")

    app.number_input(key="tesscut_width").set_value(20)
    app.number_input(key="tesscut_height").set_value(10).run()

    # 21 arcsec a pixel.
    assert "20 × 10 pixels = 7.0 × 3.5 arcmin. 1 sector, about" in text_of(app)


def test_largest_size_that_can_be_chosen_is_within_the_limit_of_tesscut(app: AppTest):
    opened(app, "WASP-18")
    pixels = app.number_input(key="tesscut_width").max

    app.segmented_control(key="tesscut_unit").set_value("arcmin").run()
    arcmin = app.number_input(key="tesscut_width_arcmin").max

    assert pixels**2 == 10_000
    # TESS's smallest pixels, in the corners of its cameras, are 18.8 arcsec wide (tess-point).
    assert (arcmin * 60 / 18.8) ** 2 <= 10_000


def test_text_from_outside_is_shown_as_text(app: AppTest):
    opened(app, "**bold** <b>x</b> [link](http://example.org)")

    assert "\\*\\*bold\\*\\*" in text_of(app)
    assert "\\[link\\]" in text_of(app)
