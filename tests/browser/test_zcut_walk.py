"""Zcut in Chromium: from surveys to a colour picture and its downloads."""

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.dashboard import open_page, wait_until_done

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

# Tables have canvases, too.
CANVAS = "canvas[data-drawn]"

ABELL_370 = "39.97042+-1.57681"


def fetched(browser: Browser, url: str, target: str, **options: object) -> Page:
    """Open the page at a target with a small size, and fetch."""
    page = open_page(
        browser,
        f"{url}/zcut?target={target}&zcut_width=8&zcut_height=8",
        **options,  # type: ignore[arg-type]
    )
    page.get_by_role("button", name="Fetch", exact=True).click()
    wait_for_picture(page)
    return page


def wait_for_picture(page: Page) -> None:
    page.locator(CANVAS).wait_for()
    wait_until_done(page)


def drawn(page: Page) -> str:
    return page.locator(CANVAS).get_attribute("data-drawn") or ""


def saved(page: Page, button: str, path: Path) -> bytes:
    """Click a download, and give what came."""
    with page.expect_download() as caught:
        page.get_by_role("button", name=button).click()
    caught.value.save_as(path / "saved")
    return (path / "saved").read_bytes()


def test_from_surveys_to_a_colour_picture(browser: Browser, demo_dashboard: str, tmp_path: Path):
    page = open_page(browser, f"{demo_dashboard}/zcut")
    requests: list[str] = []
    problems: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: problems.append(str(error)))

    page.get_by_role("button", name="Abell 370").click()
    expect(page.get_by_text("Frontier Fields")).to_be_visible()
    expect(page.get_by_text("MB to fetch")).to_be_visible()
    page.get_by_role("button", name="Fetch", exact=True).click()
    wait_for_picture(page)
    expect(page.get_by_role("heading", name="in 7 images")).to_be_visible()
    expect(page.get_by_text("simulated, not observed")).to_be_visible()
    first = drawn(page)
    page.get_by_role("button", name="F160W", exact=True).click()
    expect(page.locator(CANVAS)).not_to_have_attribute("data-drawn", first)
    page.get_by_role("radio", name="Colour").click()
    expect(page.get_by_text("Red F814W, green F606W, blue F435W")).to_be_visible()

    content = saved(page, "Picture (PNG)", tmp_path)
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.mode == "RGB"
        assert min(picture.size) > 300
        assert np.asarray(picture).std(axis=2).max() > 20  # it has colours
    assert b"Spatial.ReferenceValue" in content  # and its place on the sky
    assert problems == []
    assert [url for url in requests if not url.startswith((demo_dashboard, "data:", "blob:"))] == []
    page.context.close()


def test_files_figure_and_manifest_can_be_taken_away(
    browser: Browser, demo_dashboard: str, tmp_path: Path
):
    page = fetched(browser, demo_dashboard, ABELL_370)

    assert saved(page, "Figure (PDF)", tmp_path).startswith(b"%PDF")
    content = saved(page, "The file as zip", tmp_path)

    with zipfile.ZipFile(io.BytesIO(content)) as bundle:
        assert bundle.testzip() is None
        (row,) = csv.DictReader(io.StringIO(bundle.read("manifest.csv").decode()))
        with fits.open(io.BytesIO(bundle.read(row["file"]))) as hdus:
            assert len(hdus) == 1 + 7
            assert hdus[1].header["ORIG_FLE"].startswith("hlsp_hff-deepspace")
        assert sum(name.startswith("previews/") for name in bundle.namelist()) == 7
    assert row["survey"] == "hff-deepspace"
    assert row["simulated"] == "yes"
    page.context.close()


def test_nothing_in_the_picture_asks_the_server(browser: Browser, demo_dashboard: str):
    page = fetched(browser, demo_dashboard, ABELL_370)
    page.locator(CANVAS).scroll_into_view_if_needed()
    box = page.locator(CANVAS).bounding_box()
    assert box
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.move(middle[0] + 3, middle[1] + 3)
    page.evaluate(
        """() => {
            window.reruns = 0;
            const app = document.querySelector('[data-testid="stApp"]');
            new MutationObserver(() => { window.reruns += 1; }).observe(app,
                { attributes: true, attributeFilter: ["data-test-script-state"] });
        }"""
    )

    page.mouse.wheel(0, -300)
    page.mouse.down()
    page.mouse.move(middle[0] + 60, middle[1] + 40)
    page.mouse.up()
    for name in ("Zoom in", "Ruler", "Grid", "Target", "Fit"):
        page.get_by_role("button", name=name, exact=True).click()
    page.locator(CANVAS).press("ArrowLeft")
    page.wait_for_timeout(500)

    assert "e⁻/s" in page.locator(".read-out").inner_text()
    assert (
        "+" in page.locator(".read-out").inner_text()
        or "−" in page.locator(".read-out").inner_text()
    )
    assert page.evaluate("window.reruns") == 0
    page.context.close()


def test_blink_shows_one_and_the_other(browser: Browser, demo_dashboard: str):
    page = fetched(browser, demo_dashboard, ABELL_370)
    page.get_by_role("radio", name="Compare two").click()
    expect(page.get_by_label("Cross-fade")).to_be_visible()
    wait_until_done(page)

    page.get_by_role("button", name="Blink").click()
    seen = set()
    for _ in range(15):
        page.wait_for_timeout(130)
        seen.add(page.evaluate(_PICTURE))

    assert len(seen) == 2
    page.get_by_role("button", name="Blink").click()
    page.context.close()


# A row of pixels through the middle of the canvas, as text: pictures that differ, differ here.
_PICTURE = """() => {
    const host = document.querySelector('[data-testid="stBidiComponentIsolated"]');
    const canvas = host.shadowRoot.querySelector("canvas");
    const row = canvas.getContext("2d").getImageData(0, canvas.height / 2, canvas.width, 1);
    return row.data.join();
}"""


def test_place_without_surveys_leads_to_the_nearest_field(browser: Browser, demo_dashboard: str):
    page = open_page(browser, f"{demo_dashboard}/zcut?target=WASP-18")

    expect(page.get_by_text("None of the deep-field surveys has images here")).to_be_visible()
    expect(page.get_by_role("link", name="all other Hubble images")).to_be_visible()
    page.get_by_role("button", name="Go to Abell 2744").click()

    expect(page.get_by_text("Frontier Fields")).to_be_visible()
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(browser: Browser, demo_dashboard: str, scheme: str):
    page = fetched(browser, demo_dashboard, ABELL_370, width=390, height=844, scheme=scheme)

    assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    for mode in ("Compare two", "Colour"):
        page.get_by_role("radio", name=mode).click()
        wait_until_done(page)
        assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    page.context.close()
