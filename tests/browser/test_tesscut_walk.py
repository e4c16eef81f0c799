"""The whole walk in Chromium: type, tick, fetch, look, download."""

import csv
import io
import zipfile

import pytest
from astropy.io import fits
from playwright.sync_api import Browser, Page, expect

from tests.browser.dashboard import dashboard, open_page, wait_until_done

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_from_a_typed_name_to_an_opened_zip(browser: Browser, demo_dashboard: str, tmp_path):
    page = open_page(browser, f"{demo_dashboard}/tesscut")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))

    page.get_by_role("searchbox").fill("Pi Mensae")
    page.keyboard.press("Enter")
    expect(page.get_by_text("found by")).to_be_visible()
    expect(page.get_by_text("Observed in")).to_be_visible()
    page.get_by_role("button", name="Fetch", exact=True).click()

    expect(page.locator(".stamp image")).to_be_visible()
    chart = page.get_by_test_id("stEChartsChart")
    expect(chart.locator("canvas").first).to_be_visible()
    expect(page.get_by_text("simulated, not observed")).to_be_visible()
    with page.expect_download() as caught:
        page.get_by_role("button", name="Everything as zip").click()
    path = tmp_path / "bundle.zip"
    caught.value.save_as(path)

    with zipfile.ZipFile(path) as bundle:
        assert bundle.testzip() is None
        names = bundle.namelist()
        rows = list(csv.DictReader(io.StringIO(bundle.read("manifest.csv").decode())))
        readme = bundle.read("README.txt").decode()
        file = next(name for name in names if name.endswith("_astrocut.fits"))
        with fits.open(io.BytesIO(bundle.read(file))) as hdus:
            assert hdus[0].header["SIMDATA"] is True
            assert hdus["PIXELS"].data["FLUX"].shape[1:] == (11, 11)
    assert any(name.endswith(".csv") and "light_curve" in name for name in names)
    assert any(name.endswith(".png") for name in names)
    assert rows[0]["sector"] == str(fits_sector(file))
    assert "SIMULATED" in readme
    assert "Brasseur" in readme
    assert [url for url in requests if not url.startswith((demo_dashboard, "data:", "blob:"))] == []


def fits_sector(name: str) -> int:
    return int(name.rpartition("tess-s")[2][:4])


def test_link_with_a_target_opens_on_its_sectors(browser: Browser, demo_dashboard: str):
    page = open_page(browser, f"{demo_dashboard}/tesscut?target=TIC+261136679")

    expect(page.get_by_text("Observed in")).to_be_visible()
    expect(page.get_by_role("searchbox")).to_have_value("TIC 261136679")


def test_position_is_a_target_too(browser: Browser, demo_dashboard: str):
    page = open_page(browser, f"{demo_dashboard}/tesscut?target=84.2911951861308+-80.46912070924")

    expect(page.get_by_text("in Mensa")).to_be_visible()
    expect(page.get_by_text("Observed in")).to_be_visible()


def test_unknown_name_says_so_and_keeps_the_form(browser: Browser, demo_dashboard: str):
    page = open_page(browser, f"{demo_dashboard}/tesscut?target=Zorglub+77")

    expect(page.get_by_text('Could not resolve "Zorglub 77"')).to_be_visible()
    expect(page.get_by_role("searchbox")).to_have_value("Zorglub 77")


def test_unreachable_mast_offers_the_demo_sky(browser: Browser, tmp_path):
    # Nothing listens on port 9 of this machine.
    settings = {
        "SKYSTAMP_SOURCE": "auto",
        "SKYSTAMP_MAST_URL": "http://127.0.0.1:9",
        "SKYSTAMP_RESOLVER_URL": "http://127.0.0.1:9",
    }
    with dashboard(tmp_path / "log.txt", **settings) as url:
        page = open_page(browser, f"{url}/tesscut?target=Pi+Mensae")
        expect(page.get_by_role("button", name="Simulated sky")).to_be_visible()
        expect(page.get_by_text("Observed in")).to_be_visible()

        page.get_by_role("button", name="Simulated sky").click()
        page.get_by_role("button", name="Use MAST, live").click()
        expect(page.get_by_role("button", name="Go on with the demo sky")).to_be_visible()
        expect(page.get_by_role("searchbox")).to_have_value("Pi Mensae")

        page.get_by_role("button", name="Go on with the demo sky").click()
        expect(page.get_by_text("Observed in")).to_be_visible()


@pytest.mark.parametrize("path", ["", "tesscut", "about"])
def test_no_page_is_wider_than_a_phone(browser: Browser, demo_dashboard: str, path: str):
    page = open_page(browser, f"{demo_dashboard}/{path}", width=390, height=844)
    page.get_by_role("heading", level=1).wait_for()
    wait_until_done(page)

    assert not is_too_wide(page)


def test_results_are_no_wider_than_a_phone(browser: Browser, demo_dashboard: str):
    url = f"{demo_dashboard}/tesscut?target=WASP-18"
    page = open_page(browser, url, width=390, height=844)
    page.get_by_role("button", name="Fetch", exact=True).click()
    page.get_by_role("button", name="Everything as zip").wait_for()
    wait_until_done(page)

    assert not is_too_wide(page)


def is_too_wide(page: Page) -> bool:
    # Streamlit scrolls its main part, not the document.
    return bool(
        page.evaluate(
            "(() => { const m = document.querySelector('[data-testid=stMain]');"
            " return m.scrollWidth > m.clientWidth; })()"
        )
    )


def test_target_typed_at_home_is_there_on_the_next_page(browser: Browser, demo_dashboard: str):
    page = open_page(browser, demo_dashboard)

    page.get_by_role("searchbox").fill("WASP-18")
    page.keyboard.press("Enter")
    expect(page.get_by_text("found by SIMBAD")).to_be_visible()
    page.get_by_text("brightness over time").click()

    expect(page.get_by_text("Observed in 6 sectors")).to_be_visible()
    expect(page.get_by_role("searchbox")).to_have_value("WASP-18")


def test_choice_of_a_catalogue_does_not_follow_to_another_name(
    browser: Browser, demo_dashboard: str
):
    page = open_page(browser, f"{demo_dashboard}/tesscut?target=M8")
    page.get_by_text("What other catalogues say").click()
    page.get_by_role("radio", name="NED").click()
    expect(page.get_by_text("found by NED")).to_be_visible()

    # NED knows no stars.
    page.get_by_role("searchbox").fill("WASP-18")
    page.keyboard.press("Enter")

    expect(page.get_by_text("found by SIMBAD")).to_be_visible()


def test_field_of_two_cameras_shows_both_files(browser: Browser, demo_dashboard: str):
    page = open_page(browser, f"{demo_dashboard}/tesscut?target=227.43079+13.46007")
    expect(page.get_by_text("Observed in 1 sector", exact=True)).to_be_visible()
    page.get_by_role("button", name="Fetch", exact=True).click()

    for camera in (1, 2):
        page.get_by_role("radio", name=f"Sector 51, camera {camera}").click()
        expect(page.locator(".stamp image")).to_be_visible()


def test_sector_whose_pixels_see_no_light_says_so(browser: Browser, demo_dashboard: str):
    # Sector 35 of Pi Mensae, as MAST lists it: column 2114 is beyond the lit part of the CCD.
    page = open_page(browser, f"{demo_dashboard}/tesscut?target=Pi+Mensae")
    table = page.get_by_test_id("stDataFrame")
    table.wait_for()
    wait_until_done(page)
    box = table.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 16, box["y"] + 18)
    page.get_by_role("button", name="Fetch 25 sectors").click()
    page.get_by_role("radio", name="Sector 35", exact=True).click()

    expect(page.get_by_text("never lit")).to_be_visible()
