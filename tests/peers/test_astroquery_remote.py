"""
astroquery's own remote tests of TESSCut and of names, on the demo sky.

They are the ones in astroquery's wheel, which are meant for MAST. They run here with astroquery's
client and with ours put in its place. Nothing of them is changed but the addresses they ask, and
for ours the names `Tesscut`, `ResolverError` and `NoResultsWarning`.
"""

from pathlib import Path
from types import ModuleType

import pytest

from cutout_core import NoResultsWarning, ResolverError

pytestmark = [
    # astroquery 0.4.11 leaves sockets for the garbage collector to close.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    # The tests of 0.4.11 spell it objectname, which works and warns.
    pytest.mark.filterwarnings('ignore:"objectname" was renamed'),
]

TESSCUT_TESTS = [
    "test_tesscut_get_sectors",
    "test_tesscut_get_sectors_mt",
    "test_tesscut_download_cutouts",
    "test_tesscut_download_cutouts_mt",
    "test_tesscut_get_cutouts",
    "test_tesscut_get_cutouts_mt",
]


@pytest.fixture
def remote_tests() -> ModuleType:
    from astroquery.mast.tests import test_mast_remote

    return test_mast_remote


def run(remote_tests: ModuleType, name: str, tmp_path: Path) -> None:
    """Run one of astroquery's tests as pytest would."""
    test = getattr(remote_tests.TestMast(), name)
    takes_folder = (
        "tmpdir" in test.__func__.__code__.co_varnames[: test.__func__.__code__.co_argcount]
    )
    test(tmp_path) if takes_folder else test()


@pytest.mark.parametrize("name", TESSCUT_TESTS)
def test_remote_test_passes_with_astroquerys_client(
    name, remote_tests, astroquery_tesscut, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(remote_tests, "Tesscut", astroquery_tesscut)

    run(remote_tests, name, tmp_path)


@pytest.mark.parametrize("name", TESSCUT_TESTS)
def test_remote_test_passes_with_our_client(
    name, remote_tests, demo_tesscut, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(remote_tests, "Tesscut", demo_tesscut)
    monkeypatch.setattr(remote_tests, "ResolverError", ResolverError)
    monkeypatch.setattr(remote_tests, "NoResultsWarning", NoResultsWarning)

    run(remote_tests, name, tmp_path)


def test_remote_test_of_names_passes_with_astroquerys_client(
    remote_tests, astroquery_tesscut, tmp_path
):
    # The fixture has the resolver's address redirected.
    run(remote_tests, "test_resolve_object", tmp_path)


def test_list_of_remote_tests_is_complete(remote_tests):
    there = [name for name in dir(remote_tests.TestMast) if name.startswith("test_tesscut")]

    assert sorted(there) == sorted(TESSCUT_TESTS)
