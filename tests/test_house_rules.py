"""Rules of the house that no linter knows."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PAGES = sorted((ROOT / "pages").glob("*.py"))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_page_is_a_short_story(page: Path):
    tree = ast.parse(page.read_text())

    defined = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.ClassDef | ast.Try)]

    assert ast.get_docstring(tree)
    assert not defined
    assert len(page.read_text().splitlines()) <= 150


def test_connection_to_another_machine_fails_the_test():
    import socket

    with (
        socket.socket() as sock,
        pytest.raises(pytest.fail.Exception, match="only 127"),
    ):
        sock.connect(("192.0.2.1", 80))


def test_importing_the_core_loads_neither_streamlit_nor_a_peer():
    code = (
        "import sys, cutout_core; from cutout_core import Tesscut;"
        "print([m for m in ('streamlit', 'lightkurve', 'astroquery', 'matplotlib.pyplot', 'scipy')"
        " if m in sys.modules])"
    )

    out = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("target", ["install", "run", "test", "check", "bench"])
def test_make_target_is_in_the_makefile_and_the_readme(target: str):
    assert f"\n{target}:" in (ROOT / "Makefile").read_text()
    assert f"make {target}" in (ROOT / "README.md").read_text()


def test_ci_script_is_executable():
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
