import csv
import hashlib
import io
import shutil
import subprocess
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from cutout_core.archive import CutoutArchive, read_archive
from cutout_core.bundle import BundleEntry, build_bundle, tpf_facts
from cutout_core.errors import ArchiveError
from cutout_core.lightcurve import to_csv
from cutout_core.tpf import read_tpf
from tests.core.test_lightcurve import make_curve
from tests.factories import make_tpf_file, make_zip, real_file_of_2018

URL = "https://mast.stsci.edu/tesscut/api/v0.1/astrocut?ra=84.29119&dec=-80.46917&x=3&y=2&sector=1"
NAME = "tess-s0001-4-2_84.291190_-80.469170_3x2_astrocut.fits"
CREATED = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n and the rest of a picture"


def make_archive(
    members: dict[str, bytes] | None = None, method: int = zipfile.ZIP_DEFLATED, url: str = URL
) -> CutoutArchive:
    return read_archive(make_zip(members or {NAME: make_tpf_file()}, method), url)


def make_entry(archive: CutoutArchive | None = None, i: int = 0, **changes: Any) -> BundleEntry:
    archive = archive or make_archive()
    values: dict[str, Any] = {
        "archive": archive,
        "member": archive.members[i],
        "service": "TESSCut",
        "facts": {"sector": 1, "camera": 4, "dec": -80.46917},
        "simulated": False,
    }
    return BundleEntry(**(values | changes))


def make_bundle(*entries: BundleEntry, **changes: Any) -> zipfile.ZipFile:
    values: dict[str, Any] = {"title": "Pi Mensae", "created": CREATED}
    content = build_bundle(entries=entries, **(values | changes))
    return zipfile.ZipFile(io.BytesIO(content))


def manifest_of(bundle: zipfile.ZipFile) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(bundle.read("manifest.csv").decode())))


def readme_of(bundle: zipfile.ZipFile) -> str:
    return bundle.read("README.txt").decode()


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_original_file_goes_in_byte_for_byte_and_as_compressed_as_it_came(method: int):
    content = make_tpf_file()
    archive = make_archive({NAME: content}, method)

    with make_bundle(make_entry(archive)) as bundle:
        info = bundle.getinfo(f"cutouts/{NAME}")
        assert bundle.testzip() is None
        assert bundle.read(info) == content
        assert info.compress_type == method
        assert info.compress_size == archive.members[0].compressed_size


def test_real_file_goes_in_byte_for_byte():
    name, content = real_file_of_2018()

    with make_bundle(make_entry(make_archive({name: content}))) as bundle:
        assert bundle.testzip() is None
        assert bundle.read(f"cutouts/{name}") == content


def test_compressed_bytes_are_not_inflated_where_the_checksum_is_known(
    monkeypatch: pytest.MonkeyPatch,
):
    entry = make_entry(sha256="0" * 64)

    def inflate(*_: object) -> None:
        pytest.fail("a member was inflated")

    monkeypatch.setattr(CutoutArchive, "pieces", inflate)
    with make_bundle(entry) as bundle:
        assert manifest_of(bundle)[0]["sha256"] == "0" * 64


def test_manifest_tells_the_facts_of_every_file():
    content = make_tpf_file()
    archive = make_archive({NAME: content})

    with make_bundle(make_entry(archive, facts=tpf_facts(read_tpf(content)))) as bundle:
        (row,) = manifest_of(bundle)

    assert row == {
        "file": f"cutouts/{NAME}",
        "service": "TESSCut",
        "sector": "1",
        "camera": "4",
        "ccd": "2",
        "ra": "84.29119",
        "dec": "-80.46917",
        "size": "3 x 2",
        "cadences": "3",
        "simulated": "no",
        "bytes": str(len(content)),
        "sha256": hashlib.sha256(content).hexdigest(),
        "request": URL,
    }


def test_moving_target_has_no_position_in_the_manifest():
    nothing = {"RA_OBJ": None, "DEC_OBJ": None}
    tpf = read_tpf(make_tpf_file(primary=nothing, pixels=nothing))

    facts = tpf_facts(tpf)

    assert facts["ra"] is None
    assert facts["dec"] is None
    with make_bundle(make_entry(facts={"ra": None})) as bundle:
        assert manifest_of(bundle)[0]["ra"] == ""


def test_files_of_different_kinds_share_a_manifest():
    entries = [make_entry(facts={"sector": 1}), make_entry(facts={"filter": "F160W"})]

    with make_bundle(*entries) as bundle:
        first, second = manifest_of(bundle)

    assert (first["sector"], first["filter"]) == ("1", "")
    assert (second["sector"], second["filter"]) == ("", "F160W")


def test_no_cell_of_the_manifest_is_a_formula():
    entry = make_entry(facts={"target": "=HYPERLINK(1)"}, service="@TESSCut")

    with make_bundle(entry) as bundle:
        (row,) = manifest_of(bundle)

    assert row["target"] == "'=HYPERLINK(1)"
    assert row["service"] == "'@TESSCut"


def test_files_of_the_same_name_are_all_kept():
    one, two = make_archive({NAME: b"one"}), make_archive({NAME: b"two"})

    with make_bundle(make_entry(one), make_entry(two)) as bundle:
        files = [row["file"] for row in manifest_of(bundle)]
        assert [bundle.read(name) for name in files] == [b"one", b"two"]


def test_light_curves_and_previews_lie_in_folders_of_their_own():
    curve = make_curve()
    entry = make_entry(light_curve=curve, previews={"": PNG, "_light_curve": PNG + b"2"})

    with make_bundle(entry) as bundle:
        stem = NAME.removesuffix(".fits")
        assert bundle.namelist() == [
            "README.txt",
            "manifest.csv",
            f"cutouts/{NAME}",
            f"light_curves/{stem}.csv",
            f"previews/{stem}.png",
            f"previews/{stem}_light_curve.png",
        ]
        assert bundle.read(f"light_curves/{stem}.csv").decode() == to_csv(curve)
        assert bundle.read(f"previews/{stem}.png") == PNG


def test_pictures_of_files_that_differ_in_their_ending_are_all_kept():
    archive = make_archive({"m51.fits": b"1", "m51.jpg": b"2"})
    entries = [make_entry(archive, i, previews={"": PNG + bytes([i])}) for i in (0, 1)]

    with make_bundle(*entries) as bundle:
        previews = [name for name in bundle.namelist() if name.startswith("previews/")]
        assert [bundle.read(name) for name in previews] == [PNG + b"\0", PNG + b"\1"]


def test_names_in_the_bundle_stay_inside_of_their_folder():
    entry = make_entry(previews={"/../../x": PNG})

    with make_bundle(entry) as bundle:
        for name in bundle.namelist():
            folder, _, rest = name.rpartition("/")
            assert folder in {"", "cutouts", "light_curves", "previews"}
            assert rest not in {"", ".", ".."}


def test_same_content_gives_the_same_bytes():
    entry = make_entry(light_curve=make_curve(), previews={"": PNG})

    first, second = (
        build_bundle(title="Pi Mensae", entries=[entry], created=CREATED) for _ in range(2)
    )

    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as bundle:
        assert {info.date_time for info in bundle.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {info.create_system for info in bundle.infolist()} == {3}


def test_readme_tells_where_all_comes_from():
    entry = make_entry(light_curve=make_curve(), previews={"": PNG})

    with make_bundle(entry, notes=["Sector 5 was not fetched: MAST was busy."]) as bundle:
        text = readme_of(bundle)

    assert text.startswith("Pi Mensae\n=========\n")
    assert "1 file, packed by Skystamp 0.1.0 on 2026-11-23 12:30 UTC." in text
    assert f"\n{URL}\n    {NAME}\n" in text
    assert "* Sector 5 was not fetched: MAST was busy." in text
    assert "Brasseur et al. 2019" in text
    assert "ascl:1905.007" in text
    assert "Ricker et al. 2015" in text
    assert "numpy" in text
    assert "SIMULATED" not in text
    assert all(len(line) <= 88 or line.startswith("https://") for line in text.splitlines())


def test_time_of_the_readme_is_utc():
    created = datetime(2026, 11, 23, 1, 0, tzinfo=timezone(timedelta(hours=9)))

    with make_bundle(make_entry(), created=created) as bundle:
        assert "on 2026-11-22 16:00 UTC" in readme_of(bundle)


def test_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="must have a time zone"):
        make_bundle(make_entry(), created=datetime(2026, 11, 23))


def test_files_of_one_request_stand_under_it():
    archive = make_archive({"a.fits": b"1", "b.fits": b"2"})
    other = make_archive({"c.fits": b"3"}, url=URL + "&sector=2")

    with make_bundle(make_entry(archive), make_entry(archive, 1), make_entry(other)) as bundle:
        text = readme_of(bundle)

    assert f"{URL}\n    a.fits\n    b.fits\n{URL}&sector=2\n    c.fits\n" in text


def test_readme_of_simulated_data_says_so_in_capitals_and_how_to_cite_real_data():
    with make_bundle(make_entry(simulated=True)) as bundle:
        text = readme_of(bundle)
        assert manifest_of(bundle)[0]["simulated"] == "yes"

    assert "SIMULATED DATA. These files were made by Skystamp's demo sky" in text
    assert "How to cite real data of this kind" in text
    assert text.index("SIMULATED") < text.index("What is inside")


def test_readme_of_mixed_data_says_which_are_simulated():
    with make_bundle(make_entry(simulated=True), make_entry()) as bundle:
        text = readme_of(bundle)

    assert "PARTLY SIMULATED DATA." in text
    assert "How to cite" in text


def test_title_from_outside_stays_one_line():
    with make_bundle(make_entry(), title="Pi\nMensae\r\n  \x0b of course") as bundle:
        assert readme_of(bundle).startswith("Pi Mensae of course\n")


def test_damaged_file_is_not_packed():
    content = bytearray(make_zip({NAME: make_tpf_file()}))
    archive = read_archive(bytes(content), URL)
    content[archive.members[0].start + 500] ^= 0xFF
    archive = read_archive(bytes(content), URL)

    with pytest.raises(ArchiveError, match="arrived damaged"):
        make_bundle(make_entry(archive))


def test_bundle_without_files_can_be_opened():
    with make_bundle() as bundle:
        assert bundle.namelist() == ["README.txt", "manifest.csv"]
        assert "0 files" in readme_of(bundle)


@pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not installed")
def test_unzip_finds_no_fault(tmp_path: Path):
    stored = make_archive({"stored.fits": make_tpf_file()}, zipfile.ZIP_STORED)
    entries = [make_entry(light_curve=make_curve(), previews={"": PNG}), make_entry(stored)]
    path = tmp_path / "bundle.zip"
    path.write_bytes(build_bundle(title="Pi Mensae", entries=entries, created=CREATED))

    tested = subprocess.run(["unzip", "-t", path], capture_output=True, text=True, check=False)

    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "No errors detected" in tested.stdout
    assert "warning" not in (tested.stdout + tested.stderr).lower()
