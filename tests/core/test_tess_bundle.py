import csv
import io
import zipfile
from datetime import UTC, datetime

import numpy as np
import pytest
from PIL import Image

from cutout_core.archive import read_archive
from cutout_core.errors import InvalidQueryError
from cutout_core.quicklook import QuickLook, look_at
from cutout_core.tess_bundle import bundle_name, look_movie, tess_bundle
from tests.factories import make_moving_tpf_file, make_tpf_file, make_zip

WHEN = datetime(2026, 11, 23, tzinfo=UTC)


def looks_at(**files: bytes) -> list[QuickLook]:
    members = {f"{name}.fits": content for name, content in files.items()}
    return look_at(read_archive(make_zip(members), "http://127.0.0.1/x?sector=6"))


def moving_file(**options) -> bytes:
    """A body that turns in five hours, for eight days."""
    hours = np.arange(400) / 2
    column, row = 30.3 + 0.4 * np.arange(400), 60.6 + 0.1 * np.arange(400)
    brightness = 1 + 0.1 * np.cos(4 * np.pi * hours / 5) + 0.03 * np.cos(2 * np.pi * hours / 5)
    return make_moving_tpf_file(
        column, row, target_flux=5000 * brightness, noise=1.0, sky=20.0, **options
    )


def opened(content: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(content))


def test_fixed_target_comes_with_light_curve_and_pictures():
    flux = np.random.default_rng(1).normal(100, 1, (50, 11, 11))
    flux[:, 5, 5] += 1000
    looks = looks_at(a=make_tpf_file(flux))

    archive = opened(tess_bundle("Pi Mensae", looks, created=WHEN))

    assert archive.namelist() == [
        "README.txt",
        "manifest.csv",
        "cutouts/a.fits",
        "light_curves/a.csv",
        "previews/a.png",
        "previews/a_light_curve.png",
    ]
    assert "movies" not in archive.read("README.txt").decode()


def test_moving_target_comes_with_its_way_and_a_movie():
    archive = opened(tess_bundle("354 Eleonora", looks_at(a=moving_file()), created=WHEN))

    names = archive.namelist()
    assert names[-3:] == ["previews/a_light_curve.png", "previews/a_path.png", "movies/a.gif"]
    with Image.open(io.BytesIO(archive.read("movies/a.gif"))) as movie:
        assert movie.format == "GIF"
        assert movie.n_frames == 120
    table = archive.read("light_curves/a.csv").decode()
    assert ",starlight,starlight_err,contaminated\n" in table
    row = next(csv.DictReader(archive.read("manifest.csv").decode().splitlines()))
    assert (row["moving_target"], row["ra"], row["cadences"]) == ("Eleonora", "", "400")


def test_readme_says_how_fast_the_target_turns_and_whose_positions_they_are():
    archive = opened(tess_bundle("354 Eleonora", looks_at(a=moving_file()), created=WHEN))

    readme = " ".join(archive.read("README.txt").decode().split())
    assert "Rotation in sector 6: The brightness repeats every 2.50" in readme
    assert "turns once in 5.0" in readme
    assert "JPL Horizons, as TESSCut took them: cite Giorgini et al. 1996" in readme
    assert "movies/: what moves in the files" in readme


def test_moving_target_without_coordinates_of_the_ccd_comes_without_its_way():
    cards = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CDELT1": 5.0, "CDELT2": 5.0}
    archive = opened(tess_bundle("x", looks_at(a=moving_file(wcs_cards=cards)), created=WHEN))

    assert "previews/a_path.png" not in archive.namelist()
    assert "movies/a.gif" in archive.namelist()


def test_movie_marks_a_moving_target_and_no_fixed_one():
    (moving,), (fixed,) = looks_at(a=moving_file()), looks_at(a=make_tpf_file(np.ones((9, 11, 11))))

    def n_orange(content: bytes) -> int:
        with Image.open(io.BytesIO(content)) as movie:
            pixels = np.asarray(movie.convert("RGB"))
        return int((pixels == np.array([255, 176, 0])).all(axis=2).sum())

    assert n_orange(look_movie("x", moving)) > 100
    assert n_orange(look_movie("x", fixed)) == 0


def test_movie_of_frames_without_light_is_nothing():
    (dark,) = looks_at(a=make_tpf_file(np.zeros((5, 11, 11))))

    assert look_movie("x", dark) == b""


def test_movie_comes_in_both_formats_and_no_other():
    (look,) = looks_at(a=moving_file())

    assert look_movie("x", look, file_format="webp")[8:12] == b"WEBP"
    with pytest.raises(InvalidQueryError, match="no movie format"):
        look_movie("x", look, file_format="mp4")


def test_same_files_give_the_same_bundle():
    looks = looks_at(a=moving_file())

    assert tess_bundle("x", looks, created=WHEN) == tess_bundle("x", looks, created=WHEN)


def test_bundle_is_named_after_target_and_sectors():
    looks = looks_at(a=moving_file())

    assert bundle_name("C/2020 F3", looks) == "skystamp_C-2020_F3_s0006.zip"
