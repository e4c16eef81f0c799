import subprocess
import sys

import pytest

import cutout_core
from cutout_core import errors
from tests.conftest import ROOT


@pytest.mark.parametrize("name", cutout_core.__all__)
def test_public_name_can_be_imported(name):
    assert getattr(cutout_core, name) is not None


def test_public_names_are_sorted_and_each_is_there_once():
    names = cutout_core.__all__

    assert names == sorted(set(names))
    assert set(names) <= set(dir(cutout_core))


def test_every_error_and_warning_is_public():
    own = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, Exception)
    }

    assert own <= set(cutout_core.__all__)


def test_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'cutout_core' has no attribute 'Hipcut'"):
        _ = cutout_core.Hipcut


def test_star_import_brings_what_all_promises():
    names: dict[str, object] = {}

    exec("from cutout_core import *", names)

    assert set(cutout_core.__all__) <= set(names)


def loaded_after(code: str) -> set[str]:
    out = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; print(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(out.stdout.split())


def test_importing_the_package_loads_nothing_heavy():
    loaded = loaded_after("import cutout_core")

    assert not loaded & {"astropy", "numpy", "requests", "zipfile"}


def test_reading_text_and_sizes_needs_no_astropy():
    loaded = loaded_after(
        "from cutout_core.target import parse_target; from cutout_core.size import parse_size;"
        'parse_target("05:37:09.9 -80:28:08.8"); parse_target("TIC 1"); parse_size((3, 5))'
    )

    assert not loaded & {"astropy", "numpy", "requests"}


@pytest.mark.parametrize("name", ["Tesscut", "Zcut", "Hapcut"])
def test_services_are_imported_without_astropy_s_coordinates(name):
    loaded = loaded_after(f"from cutout_core import {name}")

    assert "requests" in loaded
    assert not loaded & {"astropy", "numpy"}
