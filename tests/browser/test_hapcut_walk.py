"""HAPCut in Chromium: all images of an object, partly covered ones, weights, downloads."""

import csv
import io
import re
import zipfile
from pathlib import Path

import pytest
from astropy.io import fits
from playwright.sync_api import Browser, Page, expect

from tests.browser.dashboard import open_page, wait_until_done

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

# Tables have canvases, too.
CANVAS = "canvas[data-drawn]"


def fetched(browser: Browser, url: str, target: str, size: int = 10) -> Page:
    """Open the page at a target, and fetch."""
    sides = f"hapcut_width={size}&hapcut_height={size}"
    page = open_page(browser, f"{url}/hapcut?target={target}&{sides}", height=1100)
    page.get_by_role("button", name="Fetch all Hubble images").click()
    page.locator(CANVAS).wait_for()
    wait_until_done(page)
    return page


def test_from_an_object_to_chosen_files(browser: Browser, demo_dashboard: str, tmp_path: Path):
    page = fetched(browser, demo_dashboard, "M51")
    expect(page.get_by_role("heading", name="M51 in 10 images")).to_be_visible()
    expect(page.get_by_role("button", name="8 chosen files as zip")).to_be_visible()

    with page.expect_download() as caught:
        page.get_by_role("button", name="8 chosen files as zip").click()
    caught.value.save_as(tmp_path / "bundle.zip")

    with zipfile.ZipFile(tmp_path / "bundle.zip") as bundle:
        assert bundle.testzip() is None
        rows = list(csv.DictReader(io.StringIO(bundle.read("manifest.csv").decode())))
        with fits.open(io.BytesIO(bundle.read(rows[0]["file"]))) as hdus:
            assert [hdu.name for hdu in hdus] == ["PRIMARY", "SCI", "WHT"]
        readme = bundle.read("README.txt").decode()
    assert caught.value.suggested_filename == "skystamp_M51_hapcut_chosen.zip"
    assert [row["filters"] for row in rows[:3]] == ["F275W", "F336W", "F435W"]
    assert not any("coarse" in row["file"] for row in rows)
    assert "SIMULATED DATA" in readme
    page.context.close()


def test_partly_covered_images_are_striped_and_labelled(browser: Browser, demo_dashboard: str):
    # Beside the field of WFC3/IR, which ends some 65 arcsec from its middle.
    page = fetched(browser, demo_dashboard, "351.3665+28.4985", size=28)

    expect(page.get_by_text("Striped: no exposure covers this part")).to_be_visible()
    partial = page.get_by_alt_text(re.compile(r"\d+% covered")).first
    expect(partial).to_be_visible()
    # The picture itself is transparent there: the stripes are behind it.
    assert partial.evaluate(
        """(img) => {
            const canvas = document.createElement("canvas");
            [canvas.width, canvas.height] = [img.naturalWidth, img.naturalHeight];
            const context = canvas.getContext("2d");
            context.drawImage(img, 0, 0);
            const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
            return data.some((value, i) => i % 4 === 3 && value === 0);
        }"""
    )
    page.context.close()


def test_weight_map_and_negative_are_drawn_without_leaving_the_place(
    browser: Browser, demo_dashboard: str
):
    page = fetched(browser, demo_dashboard, "M51")
    canvas = page.locator(CANVAS)
    for name in ("Zoom in", "Zoom in"):
        page.get_by_role("button", name=name).click()
    before = canvas.get_attribute("data-drawn")
    canvas.press("ArrowRight")
    canvas.press("ArrowLeft")
    place = page.locator(".read-out").inner_text().split("pixel")[0]

    page.get_by_text("Weight map").click()
    expect(canvas).not_to_have_attribute("data-drawn", before or "")
    wait_until_done(page)
    canvas.press("ArrowRight")
    canvas.press("ArrowLeft")

    assert page.locator(".read-out").inner_text().split("pixel")[0] == place
    page.context.close()


def test_keyboard_alone_picks_an_image(browser: Browser, demo_dashboard: str):
    page = fetched(browser, demo_dashboard, "M51")
    before = page.locator(CANVAS).get_attribute("data-drawn") or ""

    page.get_by_role("button", name="F435W", exact=True).focus()
    page.keyboard.press("Enter")

    expect(page.locator(CANVAS)).not_to_have_attribute("data-drawn", before)
    expect(page.locator(CANVAS)).to_have_attribute("aria-label", re.compile("F435W, violet"))
    page.context.close()


def test_place_that_hubble_never_saw_offers_others(browser: Browser, demo_dashboard: str):
    page = open_page(browser, f"{demo_dashboard}/hapcut?target=102.7+70.5")
    page.get_by_role("button", name="Fetch all Hubble images").click()

    expect(page.get_by_text("most of the sky has never been in it")).to_be_visible()
    expect(page.get_by_role("button", name="M51")).to_be_visible()
    page.context.close()
