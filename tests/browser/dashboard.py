"""Start the dashboard as its users do, and open it in Chromium."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.chromium import find_chromium
from tests.conftest import ROOT

_QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextlib.contextmanager
def dashboard(log: Path, **settings: str) -> Iterator[str]:
    """Run `streamlit run app.py` with environment settings; yields its URL."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}"]
    environment = {**os.environ, **settings}
    with (
        log.open("w") as out,
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out) as process,
    ):
        try:
            _wait_until_healthy(f"http://127.0.0.1:{port}", process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/_stcore/health") as reply:
            if reply.status == 200:
                return
        time.sleep(0.1)
    msg = f"the dashboard did not start:\n{log.read_text()}"
    raise RuntimeError(msg)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start the system's Chromium, headless."""
    path = find_chromium()
    assert path, "no Chromium: run `make chromium`"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_QUIET)
        yield browser
        browser.close()


def open_page(
    browser: Browser, url: str, *, width: int = 1280, height: int = 900, scheme: str = "light"
) -> Page:
    """Open a page in a context of its own, with no memory of others."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,  # type: ignore[arg-type]
        accept_downloads=True,
    )
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.goto(url)
    return page


def wait_until_done(page: Page) -> None:
    """Wait until the script has run to its end and nothing is drawn stale."""
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
