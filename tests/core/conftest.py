"""What the tests of several services share."""

import json
from pathlib import Path

import pytest

WITNESS = Path("shared/reference/contract/recorded_requests_main.json")


@pytest.fixture
def recorded(pytestconfig) -> list[dict]:
    """What astroquery's main branch sent, request by request."""
    witness = pytestconfig.rootpath.parent / WITNESS
    if not witness.exists():
        pytest.skip(f"astroquery's recorded requests are not beside this checkout (../{WITNESS})")
    return json.loads(witness.read_text())["requests"]
