"""Find the system's Chromium for the browser tests, or install it where that is possible."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
_HOW = (
    "The browser tests need Chromium and none was found. On Debian or Ubuntu: "
    "sudo apt-get install chromium. Elsewhere install Chrome or Chromium, or set CHROMIUM to its "
    "path."
)


def find_chromium() -> str | None:
    """Return the path of a Chromium or Chrome, the one in ``CHROMIUM`` first."""
    if chosen := os.environ.get("CHROMIUM"):
        return chosen if Path(chosen).is_file() else None
    found = (shutil.which(name) for name in _NAMES)
    return next((path for path in found if path), None) or next(
        (place for place in _PLACES if Path(place).is_file()), None
    )


def _install() -> None:
    """Install Debian's chromium; needs root and apt-get."""
    if shutil.which("apt-get") is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        return
    # Not captured: on a slow line one wants to see that something happens.
    subprocess.run(["apt-get", "update", "-q"], check=False)
    subprocess.run(["apt-get", "install", "-y", "-q", "chromium"], check=False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--install", action="store_true", help="install it if none is found")
    options = parser.parse_args()
    if find_chromium() is None and options.install:
        _install()
    path = find_chromium()
    sys.stdout.write(f"{path or _HOW}\n")
    return 0 if path else 1


if __name__ == "__main__":
    sys.exit(main())
