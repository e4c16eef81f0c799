"""A body of the Solar System, typed as if it were a star: led to the form for what moves."""

import io
import zipfile

import pytest
from astropy.io import fits
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.dashboard import open_page, wait_until_done

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_ceres_is_led_to_its_sectors_its_movie_and_its_files(
    browser: Browser, demo_dashboard: str, tmp_path
):
    page = open_page(browser, f"{demo_dashboard}/tesscut")
    page.get_by_role("searchbox").fill("Ceres")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Could not resolve")).to_be_visible()
    page.get_by_role("button", name="Follow Ceres as a moving target").click()

    # The five sectors of astroquery's manual page; the newest is ticked.
    expect(page.get_by_text("Observed in 5 sectors")).to_be_visible()
    page.get_by_role("button", name="Fetch", exact=True).click()
    expect(page.get_by_text("1 Ceres, sector 97")).to_be_visible()
    # Its published rotation period is 9.074 h.
    expect(page.get_by_text("turns once in 9.07")).to_be_visible()

    frame = page.get_by_role("slider", name="Frame")
    page.get_by_role("button", name="One frame on").click()
    expect(frame).to_have_value("1")
    page.get_by_role("button", name="Play", exact=True).click()
    expect(frame).not_to_have_value("1")
    page.get_by_role("button", name="Pause").click()

    expect(page.get_by_text("Tmag")).to_be_visible()
    page.get_by_text("Its way across the stars").click()
    expect(page.get_by_role("img", name="The stars along the way")).to_be_visible()

    page.get_by_text("Where TESS looked").click()
    expect(page.get_by_role("img", name="Map of the whole sky").first).to_be_visible()

    with Image.open(io.BytesIO(downloaded(page, "Movie as GIF", tmp_path / "m.gif"))) as movie:
        assert movie.n_frames > 100
    with zipfile.ZipFile(
        io.BytesIO(downloaded(page, "Everything as zip", tmp_path / "b.zip"))
    ) as bundle:
        name = next(name for name in bundle.namelist() if name.endswith(".fits"))
        with fits.open(io.BytesIO(bundle.read(name))) as hdus:
            assert hdus["PIXELS"].columns.names[-4:] == ["TGT_X", "TGT_Y", "TGT_RA", "TGT_DEC"]


def downloaded(page: Page, button: str, path) -> bytes:
    with page.expect_download() as caught:
        page.get_by_role("button", name=button).click()
    caught.value.save_as(path)
    return path.read_bytes()


def test_link_to_a_moving_target_opens_on_its_sectors(browser: Browser, demo_dashboard: str):
    url = f"{demo_dashboard}/tesscut?target=Eleonora&tesscut_kind=asteroid+or+comet"
    page = open_page(browser, url)

    expect(page.get_by_text("Observed in 2 sectors")).to_be_visible()


def test_body_that_nobody_knows_says_so_and_offers_others(browser: Browser, demo_dashboard: str):
    url = f"{demo_dashboard}/tesscut?target=Zorglub+77&tesscut_kind=asteroid+or+comet"
    page = open_page(browser, url)

    expect(page.get_by_text("no moving target")).to_be_visible()
    expect(page.get_by_role("button", name="Eleonora")).to_be_visible()
    wait_until_done(page)


def test_back_to_the_moving_target_keeps_its_kind(browser: Browser, demo_dashboard: str):
    url = f"{demo_dashboard}/tesscut?target=Eleonora&tesscut_kind=asteroid+or+comet"
    page = open_page(browser, url)
    page.get_by_role("button", name="Fetch", exact=True).click()
    expect(page.get_by_text("354 Eleonora, sector")).to_be_visible()

    page.get_by_role("radio", name="star or place").click()
    page.get_by_role("searchbox").fill("WASP-18")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Back to them").click()

    expect(page.get_by_text("354 Eleonora, sector")).to_be_visible()
