"""One browser and one dashboard for all walks."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.dashboard import chromium, dashboard

# CI has two cores for everything: what comes late is not wrong.
expect.set_options(timeout=30_000)


@pytest.fixture(autouse=True)
def loopback_only() -> None:
    """Replace the guard of the other tests: here the browser's own requests are watched."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="session")
def demo_dashboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a dashboard on the demo sky; its log must hold no traceback at the end."""
    log: Path = tmp_path_factory.mktemp("dashboard") / "log.txt"
    with dashboard(log, SKYSTAMP_SOURCE="demo") as url:
        yield url
    assert "Traceback" not in log.read_text(), log.read_text()
