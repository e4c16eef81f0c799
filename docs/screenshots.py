"""
Take the pictures of README and docs from the demo sky, so that they show what is now true.

Run: .venv/bin/python docs/screenshots.py
"""

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.browser.dashboard import chromium, dashboard, open_page, wait_until_done  # noqa: E402


def main() -> None:
    """Start a dashboard, walk through it, write the pictures to docs/images."""
    log = Path(tempfile.mkdtemp()) / "dashboard.log"
    with dashboard(log, SKYSTAMP_SOURCE="demo") as url, chromium() as browser:
        page = open_page(browser, f"{url}/tesscut?target=WASP-18", height=1500)
        page.get_by_role("button", name="Fetch", exact=True).click()
        page.locator(".stamp image").wait_for()
        page.get_by_role("button", name="Everything as zip").wait_for()
        wait_until_done(page)
        page.wait_for_timeout(1000)  # the chart draws itself after the script has ended
        box = page.get_by_role("heading", name="WASP-18, sector").bounding_box()
        assert box is not None
        clip = {"x": 60, "y": 60, "width": 1160, "height": box["y"] + 560 - 60}
        page.screenshot(path=ROOT / "docs" / "images" / "tesscut.png", clip=clip)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
