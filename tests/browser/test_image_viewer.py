"""The image viewer by itself in Chromium: its sky against astropy's, its hands, its keys."""

import base64
import io
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

import astroquery.mast
import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import Angle, SkyCoord
from astropy.io import fits
from astropy.wcs import WCS
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from cutout_core.display import PictureStyle, picture_png
from cutout_core.image import read_images
from cutout_core.local_sky import local_sky
from cutout_core.stretch import Scaling
from cutout_ui.image_viewer import Layer, Probe, Scene, pack, viewer_sky
from tests.conftest import ROOT
from tests.image_factories import make_wcs, plant_stars

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

UI = ROOT / "cutout_ui"
REAL = (
    Path(astroquery.mast.__file__).parent
    / "tests"
    / "data"
    / "astrocut_189.49206_62.20615_100x100px_f.zip"
)
LINEAR = Scaling(0.0, 1.0, "linear")
SCENE = Scene(field="one", alt="a made image", save_as="made.png")

Shown = tuple[Layer, Probe]


def shown(data: np.ndarray, wcs: WCS | None, label: str = "F606W", unit: str = "e⁻/s") -> Shown:
    ny, nx = data.shape
    sky = None if wcs is None else local_sky(wcs, (nx - 1) / 2, (ny - 1) / 2)
    place = viewer_sky(wcs, sky)
    picture = picture_png(data.astype(np.float32), LINEAR, PictureStyle())
    return Layer(picture, (ny, nx), label, place), Probe(data, label, unit, place)


def viewer(
    browser: Browser,
    images: Sequence[Shown],
    scene: Scene = SCENE,
    *,
    width: int = 900,
    reduced_motion: bool = False,
) -> Page:
    """Open the component without Streamlit, 600 pixels high."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        reduced_motion="reduce" if reduced_motion else "no-preference",
        has_touch=width < 500,
        accept_downloads=True,
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    html = (UI / "image_viewer.html").read_text()
    css = (UI / "image_viewer.css").read_text()
    page.set_content(
        "<style>body { margin: 0; --st-font: sans-serif; --st-text-color: #123; "
        "--st-primary-color: #1f5fa8; --st-background-color: #fff; --st-border-color: #ccc; "
        f"--st-secondary-background-color: #eee }} {css} .viewer {{ border: 0 }} "
        "canvas { height: 600px }</style>"
        f"<div id=root>{html}</div>"
    )
    js = (UI / "image_viewer.js").read_text()
    page.evaluate(
        """async (js) => {
            const url = URL.createObjectURL(new Blob([js], { type: "text/javascript" }));
            window.component = (await import(url)).default;
        }""",
        js,
    )
    show(page, images, scene)
    return page


def show(page: Page, images: Sequence[Shown], scene: Scene = SCENE) -> None:
    """Hand data to the component, as a rerun of the page does."""
    block = pack(scene, [layer for layer, _ in images], [probe for _, probe in images])
    page.evaluate(
        """(text) => {
            const data = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
            window.component({ data, parentElement: document.querySelector("#root") });
        }""",
        base64.b64encode(block).decode(),
    )
    page.locator("canvas[data-drawn]").wait_for()
    settle(page)


def settle(page: Page) -> None:
    """Wait for two frames: what was asked for is drawn then."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def point(page: Page, x: float, y: float) -> None:
    """Move the pointer to a place on the canvas, from its upper left corner."""
    box = page.locator("canvas").bounding_box()
    assert box
    page.mouse.move(box["x"] + x, box["y"] + y)
    settle(page)


def read(page: Page) -> str:
    return page.locator(".read-out").inner_text()


def sky_read(page: Page) -> SkyCoord:
    """Parse the position in the read-out with astropy."""
    text = read(page).replace("−", "-").replace("′", "m").replace("″", "s").replace("°", "d")
    ra, dec = re.search(r"RA (\S+)", text), re.search(r"Dec (\S+)", text)
    assert ra
    assert dec
    return SkyCoord(Angle(ra[1]), Angle(dec[1]))


def canvas_grey(page: Page) -> np.ndarray:
    """What is painted, as grey levels with row 0 on top."""
    url = page.evaluate("document.querySelector('canvas').toDataURL('image/png')")
    with Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) as picture:
        return np.asarray(picture.convert("L"), dtype=float)


def brightest(grey: np.ndarray) -> tuple[float, float]:
    """Centre of light of what is brighter than half of the brightest."""
    light = np.where(grey > grey.max() / 2, grey, 0)
    ys, xs = np.mgrid[: grey.shape[0], : grey.shape[1]]
    return float((light * xs).sum() / light.sum()), float((light * ys).sum() / light.sum())


def bare(page: Page) -> None:
    """Switch off all that is drawn over the picture but its labels."""
    on = page.locator("[data-switch][aria-pressed=true]:not([hidden])")
    while on.count():
        on.first.click()
    page.mouse.move(0, 0)
    settle(page)


WCSES = [
    pytest.param(make_wcs((90, 150), scale_arcsec=0.05), id="plain"),
    pytest.param(make_wcs((90, 150), scale_arcsec=0.05, rotation_deg=137), id="rotated"),
    pytest.param(make_wcs((90, 150), scale_arcsec=0.05, mirrored=True), id="mirrored"),
    pytest.param(make_wcs((90, 150), ra=359.9999, dec=-0.0001, scale_arcsec=1.5), id="across zero"),
    pytest.param(make_wcs((90, 150), ra=40.0, dec=89.2, scale_arcsec=20.0), id="near the pole"),
]


@pytest.mark.parametrize("wcs", WCSES)
def test_position_under_the_pointer_is_astropys(browser: Browser, wcs: WCS):
    # The canvas is 900 x 600 and the image 150 x 90: a pixel has a side of 6.
    page = viewer(browser, [shown(np.ones((90, 150)), wcs)])

    for sx, sy in ((450, 300), (123, 88), (811, 544)):
        point(page, sx, sy)
        x, y = (sx - 450) / 6 + 74.5, (300 - sy) / 6 + 44.5

        true = SkyCoord(*wcs.pixel_to_world_values(x, y), unit="deg")

        # The read-out has a tenth of an arcsec in declination, 0.15 in right ascension.
        assert sky_read(page).separation(true).arcsec < 0.13
    page.context.close()


def test_value_and_pixel_are_those_of_the_file(browser: Browser):
    data = np.arange(1, 13, dtype=np.float32).reshape(3, 4)
    data[2, 3] = np.nan
    page = viewer(browser, [shown(data, None)])

    # 4 x 3 pixels on 900 x 600: a pixel has a side of 200, the image 50 free on both sides.
    point(page, 60, 590)
    assert "pixel 1, 1" in read(page)
    assert "value 1 e⁻/s" in read(page)
    point(page, 660, 310)
    assert "pixel 4, 2" in read(page)
    assert "value 8 e⁻/s" in read(page)
    point(page, 660, 10)
    assert "no data" in read(page)
    point(page, 20, 300)
    assert "pixel" not in read(page)
    page.context.close()


def test_real_reply_of_zcut_is_read_out_as_astropy_reads_it(browser: Browser):
    with zipfile.ZipFile(REAL) as archive:
        (name,) = archive.namelist()
        content = archive.read(name)
    image = read_images(content, name)[1]
    assert image.wcs is not None
    with fits.open(io.BytesIO(content)) as hdus:
        value = float(hdus[2].data[71, 12])
    place = viewer_sky(image.wcs, image.sky)
    layer = Layer(picture_png(image.data, LINEAR, PictureStyle()), image.shape, "F814W", place)
    page = viewer(browser, [(layer, Probe(image.data, "F814W", "e⁻/s", place))])

    # 100 x 100 pixels on 900 x 600: a pixel has a side of 6.
    point(page, 450 + (12 - 49.5) * 6, 300 - (71 - 49.5) * 6)

    assert "pixel 13, 72" in read(page)
    read_value = re.search(r"value (\S+)( × 10\^(\S+))? e⁻/s", read(page))
    assert read_value
    number = read_value[1].replace("−", "-")
    power = (read_value[3] or "0").replace("−", "-")
    assert float(f"{number}e{power}") == pytest.approx(value, rel=1e-3)
    true = SkyCoord(*image.wcs.pixel_to_world_values(12, 71), unit="deg")
    assert sky_read(page).separation(true).arcsec < 0.13
    page.context.close()


def test_star_is_painted_where_astropy_has_it(browser: Browser):
    wcs = make_wcs((90, 150), rotation_deg=20)
    page = viewer(browser, [shown(plant_stars((90, 150), [(100.0, 20.0)], flux=30, fwhm=4), wcs)])
    bare(page)

    x, y = brightest(canvas_grey(page)[60:])

    # The centre of pixel (100, 20) from the upper left corner of the canvas.
    assert x + 0.5 == pytest.approx(450 + (100 - 74.5) * 6, abs=1.5)
    assert y + 60.5 == pytest.approx(300 - (20 - 44.5) * 6, abs=1.5)
    page.context.close()


def test_second_image_lies_on_the_first_by_its_sky(browser: Browser):
    star = SkyCoord(189.4935, 62.2065, unit="deg")
    first = make_wcs((120, 120), scale_arcsec=0.08)
    second = make_wcs((90, 150), scale_arcsec=0.12, rotation_deg=70, mirrored=True)
    images = []
    for wcs, shape, label in ((first, (120, 120), "F606W"), (second, (90, 150), "F160W")):
        x, y = (float(v) for v in wcs.world_to_pixel_values(star.ra.deg, star.dec.deg))
        assert 0 < x < shape[1]
        assert 0 < y < shape[0]
        images.append(shown(plant_stars(shape, [(x, y)], flux=40, fwhm=4), wcs, label))
    page = viewer(browser, images)
    bare(page)

    places = []
    for share in ("0", "100"):
        page.locator(".fade").fill(share)
        settle(page)
        places.append(brightest(canvas_grey(page)[60:]))

    # A pixel of the first image is 5 of the canvas: it fits to a third of that.
    assert places[0] == pytest.approx(places[1], abs=1.7)
    page.context.close()


def test_wheel_zooms_around_the_pointer(browser: Browser):
    wcs = make_wcs((90, 150))
    page = viewer(browser, [shown(np.ones((90, 150)), wcs)])
    point(page, 200, 150)
    point(page, 210, 160)
    before = sky_read(page)

    page.mouse.wheel(0, -400)
    point(page, 210, 160)
    point(page, 211, 160)
    one_pixel_right = sky_read(page)
    point(page, 210, 160)

    assert sky_read(page).separation(before).arcsec < 0.1
    # A step on the screen is less of the sky than the 0.05 / 6 arcsec before, below what is told.
    assert one_pixel_right.separation(before).arcsec < 0.1
    bare(page)
    page.context.close()


def test_page_scrolls_under_a_pointer_that_rests(browser: Browser):
    page = viewer(browser, [shown(np.ones((90, 150)), None)])
    page.evaluate("document.body.style.height = '3000px'")
    point(page, 200, 150)

    page.mouse.wheel(0, 300)

    page.wait_for_function("window.scrollY > 100")
    page.context.close()


def test_dragging_moves_the_picture(browser: Browser):
    data = np.arange(90 * 150, dtype=np.float32).reshape(90, 150)
    page = viewer(browser, [shown(data, None)])
    point(page, 450, 300)
    before = read(page)

    page.mouse.down()
    point(page, 510, 240)  # 10 pixels to the right and up
    page.mouse.up()

    assert read(page) == before
    point(page, 450, 300)
    assert read(page) != before
    page.get_by_role("button", name="Fit").click()
    point(page, 450, 300)
    assert read(page) == before
    page.context.close()


def test_ruler_measures_as_astropy_does(browser: Browser):
    wcs = make_wcs((90, 150), scale_arcsec=0.5, rotation_deg=33)
    page = viewer(browser, [shown(np.ones((90, 150)), wcs)])
    page.get_by_role("button", name="Ruler").click()

    point(page, 300, 400)
    page.mouse.down()
    point(page, 700, 150)
    page.mouse.up()

    ends = [((sx - 450) / 6 + 74.5, (300 - sy) / 6 + 44.5) for sx, sy in ((300, 400), (700, 150))]
    a, b = (SkyCoord(*wcs.pixel_to_world_values(x, y), unit="deg") for x, y in ends)
    measured = re.search(r"ruler ([\d.]+)″ at (\d+)°", read(page))
    assert measured
    assert float(measured[1]) == pytest.approx(a.separation(b).arcsec, abs=0.006)
    assert float(measured[2]) == pytest.approx(a.position_angle(b).to_value(u.deg), abs=0.51)
    page.context.close()


def test_ruler_and_view_stay_on_the_sky_when_the_filter_changes(browser: Browser):
    fine = shown(np.ones((120, 120)), make_wcs((120, 120), scale_arcsec=0.1))
    coarse = shown(np.ones((40, 40)), make_wcs((40, 40), scale_arcsec=0.3), "F160W")
    page = viewer(browser, [fine])
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Ruler").click()
    point(page, 300, 400)
    page.mouse.down()
    point(page, 700, 150)
    page.mouse.up()
    place, measured = sky_read(page), read(page).partition("ruler")[2]

    show(page, [coarse])
    point(page, 701, 150)
    point(page, 700, 150)

    assert sky_read(page).separation(place).arcsec < 0.1
    assert read(page).partition("ruler")[2] == measured
    page.context.close()


def test_another_field_is_shown_whole(browser: Browser):
    image = shown(np.ones((90, 150)), None)
    page = viewer(browser, [image])
    point(page, 6, 300)
    whole = read(page)
    page.get_by_role("button", name="Zoom in").click()
    point(page, 6, 300)
    assert read(page) != whole

    show(page, [image], Scene(field="two", alt="", save_as="x.png"))
    point(page, 7, 300)
    point(page, 6, 300)

    assert read(page) == whole
    page.context.close()


def test_keys_move_zoom_and_measure_and_say_where(browser: Browser):
    page = viewer(browser, [shown(np.ones((90, 150)), make_wcs((90, 150), scale_arcsec=1.0))])
    page.locator("canvas").focus()
    page.keyboard.press("ArrowRight")
    right = sky_read(page)
    page.keyboard.press("0")
    page.keyboard.press("+")
    centre = sky_read(page)

    page.keyboard.press("r")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("r")
    page.keyboard.press("ArrowLeft")

    # East is to the left; 16 of the canvas are 16 / 6 pixels of 1 arcsec.
    assert (centre.ra - right.ra).to_value(u.arcsec) * np.cos(centre.dec.rad) == pytest.approx(
        16 / 6, abs=0.2
    )
    # Three steps of 80 at 1.25 times the zoom, northward.
    measured = re.search(r"ruler ([\d.]+)″ at (\d+)°", read(page))
    assert measured
    assert float(measured[1]) == pytest.approx(3 * 80 / 7.5, abs=0.02)
    assert measured[2] == "0"
    expect(page.locator(".spoken")).to_contain_text("RA")
    page.context.close()


def test_blinking_alternates_and_stops(browser: Browser):
    images = [
        shown(np.zeros((60, 60)), make_wcs((60, 60)), "dark"),
        shown(np.ones((60, 60)), make_wcs((60, 60)), "bright"),
    ]
    page = viewer(browser, images)
    assert middle(page) < 10

    page.get_by_role("button", name="Blink").click()
    levels = set()
    for _ in range(12):
        page.wait_for_timeout(150)
        levels.add(middle(page) > 100)

    assert levels == {True, False}
    page.get_by_role("button", name="Blink").click()
    still = {middle(page) for _ in range(8) if page.wait_for_timeout(150) is None}
    assert len(still) == 1
    page.context.close()


def test_cross_fade_mixes_the_two(browser: Browser):
    images = [
        shown(np.zeros((60, 60)), make_wcs((60, 60)), "dark"),
        shown(np.ones((60, 60)), make_wcs((60, 60)), "bright"),
    ]
    page = viewer(browser, images)
    bare(page)

    page.get_by_label("Cross-fade").fill("50")
    settle(page)

    assert middle(page) == pytest.approx(128, abs=3)
    page.context.close()


def test_nothing_moves_by_itself_for_those_who_asked_for_that(browser: Browser):
    images = [
        shown(np.zeros((60, 60)), make_wcs((60, 60)), "dark"),
        shown(np.ones((60, 60)), make_wcs((60, 60)), "bright"),
    ]
    page = viewer(browser, images, reduced_motion=True)
    bare(page)

    page.get_by_role("button", name="Flip").click()
    levels = {middle(page) > 250 for _ in range(10) if page.wait_for_timeout(150) is None}

    assert levels == {True}
    page.get_by_role("button", name="Flip").click()
    settle(page)
    assert middle(page) < 10
    page.context.close()


def middle(page: Page) -> float:
    """Grey level beside the centre of the canvas, where nothing is drawn."""
    return float(canvas_grey(page)[320, 420])


def test_uncovered_pixels_are_striped(browser: Browser):
    data = np.ones((60, 90))
    data[:, :45] = np.nan
    page = viewer(browser, [shown(data, None)])
    bare(page)

    grey = canvas_grey(page)

    assert grey[300, 500:880].min() > 250
    assert 20 < grey[300, 20:400].min() < grey[300, 20:400].max() < 70
    page.context.close()


def test_values_of_all_filters_are_read_out(browser: Browser):
    first = shown(np.full((60, 60), 0.25), make_wcs((60, 60)), "F606W")
    second = shown(np.full((60, 60), 0.5), make_wcs((60, 60)), "F160W")
    page = viewer(browser, [first, second])

    point(page, 450, 300)

    assert "F606W 0.25 e⁻/s" in read(page)
    assert "F160W 0.5 e⁻/s" in read(page)
    page.context.close()


def test_what_is_seen_can_be_saved(browser: Browser, tmp_path: Path):
    page = viewer(browser, [shown(np.ones((90, 150)), make_wcs((90, 150)))])

    with page.expect_download() as caught:
        page.get_by_role("button", name="Save what you see").click()

    assert caught.value.suggested_filename == "made.png"
    caught.value.save_as(tmp_path / "made.png")
    with Image.open(tmp_path / "made.png") as picture:
        assert picture.size == (900, 600)
        assert np.asarray(picture.convert("L"))[200, 200] > 250
    page.context.close()


def test_everything_can_be_reached_and_is_named(browser: Browser):
    images = [shown(np.ones((9, 9)), make_wcs((9, 9)))] * 2
    page = viewer(browser, images)

    names = []
    for _ in range(page.locator("button:visible, input:visible, canvas").count()):
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        names.append(focused.evaluate("(e) => e.getAttribute('aria-label') || e.innerText"))

    for name in ("Zoom in", "Ruler", "Grid", "Blink", "a made image"):
        assert name in names
    assert all(names)
    assert len(names) == len(set(names))
    page.context.close()


def test_nothing_is_cut_off_on_a_phone(browser: Browser):
    images = [
        shown(np.ones((60, 60)), make_wcs((60, 60)), "ACS/WFC F606W, candels_gn_30mas"),
        shown(np.ones((60, 60)), make_wcs((60, 60)), "WFC3/IR F160W, candels_gn_60mas"),
    ]
    page = viewer(browser, images, width=390)

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for button in page.locator("button:visible").all():
        box = button.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert box["height"] >= 24  # WCAG 2.2, target size
    page.context.close()


def test_finger_scrolls_the_page_until_the_picture_is_enlarged(browser: Browser):
    page = viewer(browser, [shown(np.ones((60, 60)), None)], width=390)
    canvas = page.locator("canvas")
    assert canvas.evaluate("(c) => c.style.touchAction") == "pan-y"

    page.get_by_role("button", name="Zoom in").click()

    assert canvas.evaluate("(c) => c.style.touchAction") == "none"
    page.context.close()
