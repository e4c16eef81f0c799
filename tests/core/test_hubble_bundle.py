"""The zip of Hubble images: originals as they came, pictures, manifest, README."""

import csv
import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import astroquery.mast
import numpy as np
import pytest
from PIL import Image

from cutout_core.archive import read_archive
from cutout_core.display import PictureStyle
from cutout_core.errors import InvalidQueryError
from cutout_core.hubble_bundle import bundle_name, citations, credit_line, hubble_bundle
from cutout_core.imagelook import OpenedReply, open_reply
from tests.factories import make_zip
from tests.image_factories import make_hapcut_file

REAL = Path(astroquery.mast.__file__).parent / "tests" / "data"
REAL_FITS = REAL / "astrocut_189.49206_62.20615_100x100px_f.zip"
REAL_JPG = REAL / "astrocut_189.49206_62.20615_100x100px.zip"

WHEN = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
STYLE = PictureStyle()


def opened(content: bytes, *, simulated: bool = False) -> OpenedReply:
    archive = read_archive(content, "http://127.0.0.1/zcut/api/v0.1/astrocut?ra=189.49206")
    return open_reply(archive, simulated=simulated)


def unpacked(content: bytes) -> zipfile.ZipFile:
    bundle = zipfile.ZipFile(io.BytesIO(content))
    assert bundle.testzip() is None
    return bundle


def rows(bundle: zipfile.ZipFile) -> list[dict[str, str]]:
    text = bundle.read("manifest.csv").decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture(scope="module")
def real_bundle() -> zipfile.ZipFile:
    reply = opened(REAL_FITS.read_bytes())
    return unpacked(hubble_bundle("GOODS-North", "Zcut", reply.images, style=STYLE, created=WHEN))


def test_original_goes_in_once_and_byte_for_byte(real_bundle: zipfile.ZipFile):
    with zipfile.ZipFile(REAL_FITS) as original:
        (name,) = original.namelist()
        content = original.read(name)

    cutouts = [n for n in real_bundle.namelist() if n.startswith("cutouts/")]

    assert cutouts == [f"cutouts/{name}"]
    assert real_bundle.read(cutouts[0]) == content


def test_every_filter_has_its_picture(real_bundle: zipfile.ZipFile):
    pictures = [n for n in real_bundle.namelist() if n.startswith("previews/")]

    assert {name.rpartition("_")[2] for name in pictures} == {
        "f606w.png",
        "f814w.png",
        "f850lp.png",
    }
    for name in pictures:
        with Image.open(io.BytesIO(real_bundle.read(name))) as picture:
            assert min(picture.size) > 300


def test_manifest_says_what_the_file_is(real_bundle: zipfile.ZipFile):
    (row,) = rows(real_bundle)

    assert row["service"] == "Zcut"
    assert row["survey"] == "candels_gn_30mas"
    assert row["camera"] == "ACS/WFC"
    assert row["filters"] == "F606W + F814W + F850LP"
    assert row["size"] == "100 x 100"
    assert row["pixel_arcsec"] == "0.03"
    assert row["covered"] == "1"
    assert row["simulated"] == "no"
    assert float(row["ra"]) == pytest.approx(189.49206)
    assert row["request"].endswith("astrocut?ra=189.49206")


def test_readme_says_what_to_cite(real_bundle: zipfile.ZipFile):
    readme = " ".join(real_bundle.read("README.txt").decode().split())

    assert "GOODS-North" in readme
    assert "CANDELS: Koekemoer et al. 2011, ApJS 197, 36" in readme
    assert "ascl:1905.007" in readme
    assert "NASA/ESA Hubble Space Telescope" in readme


def test_simulated_files_are_not_to_be_cited():
    ones = np.ones((20, 20), dtype=np.float32)
    reply = opened(make_zip({"a.fits": make_hapcut_file(ones, primary={"SIMDATA": True})}))

    bundle = unpacked(hubble_bundle("M51", "HAPCut", reply.images, style=STYLE, created=WHEN))

    readme = bundle.read("README.txt").decode()
    assert "SIMULATED DATA" in readme
    assert "To cite" not in readme
    assert rows(bundle)[0]["simulated"] == "yes"


def test_pictures_of_the_service_go_in_as_they_came():
    reply = opened(REAL_JPG.read_bytes())

    bundle = unpacked(
        hubble_bundle("GOODS-North", "Zcut", (), reply.pictures, style=STYLE, created=WHEN)
    )

    assert sum(name.endswith(".jpg") for name in bundle.namelist()) == len(reply.pictures) == 3
    assert {row["filters"] for row in rows(bundle)} == {"F606W", "F814W", "F850LP"}
    assert not any(name.startswith("previews/") for name in bundle.namelist())


def test_blank_image_has_no_picture_and_says_so():
    empty = np.zeros((20, 20), dtype=np.float32)
    reply = opened(make_zip({"a.fits": make_hapcut_file(empty)}))

    bundle = unpacked(hubble_bundle("M51", "HAPCut", reply.images, style=STYLE, created=WHEN))

    assert not any(name.startswith("previews/") for name in bundle.namelist())
    assert rows(bundle)[0]["covered"] == "0"


def test_notes_and_failures_are_in_the_readme():
    ones = np.ones((20, 20), dtype=np.float32)
    reply = opened(make_zip({"a.fits": make_hapcut_file(ones)}))

    content = hubble_bundle(
        "M51", "HAPCut", reply.images, style=STYLE, created=WHEN, notes=["one failed"]
    )

    assert "one failed" in unpacked(content).read("README.txt").decode()


def test_style_that_cannot_be_used_is_refused():
    reply = opened(REAL_FITS.read_bytes())
    style = PictureStyle("linear", "values", values=(2.0, 1.0))

    with pytest.raises(InvalidQueryError, match="rising"):
        hubble_bundle("x", "Zcut", reply.images, style=style, created=WHEN)


def test_name_is_safe():
    assert bundle_name("M51", "HAPCut") == "skystamp_M51_hapcut.zip"
    assert bundle_name("C/2020 F3", "Zcut", part="chosen") == "skystamp_C-2020_F3_zcut_chosen.zip"


def test_credit_names_who_made_the_image():
    real = opened(REAL_FITS.read_bytes()).images[0].image
    ones = np.ones((4, 4), dtype=np.float32)
    made = make_hapcut_file(ones, primary={"SIMDATA": True})
    simulated = opened(make_zip({"a.fits": made})).images[0].image

    assert credit_line(real, "Zcut") == "CANDELS, MAST (STScI)"
    assert credit_line(real, "HAPCut") == "NASA, ESA, Hubble; MAST (STScI)"
    assert credit_line(simulated, "HAPCut") == "Skystamp demo sky"


def test_survey_without_a_known_paper_leaves_service_and_telescope_to_cite():
    assert len(citations("Zcut", ["brand_new_survey"])) == 2
    assert any("Hubble Advanced Products" in line for line in citations("HAPCut", []))
