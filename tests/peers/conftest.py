"""Our Tesscut and astroquery's, both pointed at the demo sky."""

from collections.abc import Iterator
from typing import Any

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Know the mark of astroquery's own tests, which are imported here."""
    config.addinivalue_line("markers", "remote_data: astroquery's mark for what asks a server")


@pytest.fixture
def demo_tesscut(demo_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`cutout_core.Tesscut` as a user has it, with the demo sky set by environment variables."""
    import cutout_core
    from cutout_core.mast.tesscut import TesscutClass

    monkeypatch.setenv("SKYSTAMP_MAST_URL", demo_url)
    monkeypatch.setenv("SKYSTAMP_RESOLVER_URL", demo_url)
    fresh = TesscutClass()
    monkeypatch.setattr(cutout_core, "Tesscut", fresh, raising=False)
    return fresh


@pytest.fixture
def astroquery_tesscut(demo_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """astroquery's Tesscut; nothing of it is changed but the addresses it asks."""
    import astroquery.mast.utils as mast_utils
    from astroquery.mast import TesscutClass

    client = TesscutClass()
    monkeypatch.setattr(
        client._service_api_connection, "REQUEST_URL", f"{demo_url}/tesscut/api/v0.1/"
    )
    real_request = mast_utils._simple_request

    def simple_request(url: str, params: Any = None) -> Any:
        return real_request(url.replace("http://mastresolver.stsci.edu", demo_url), params)

    monkeypatch.setattr(mast_utils, "_simple_request", simple_request)
    yield client
    client._session.close()
