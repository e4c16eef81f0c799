"""HAPCut: what is sent, what is made of the replies, and the sides that the service swaps."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.utils.exceptions import AstropyDeprecationWarning

from cutout_core.errors import InvalidQueryError, NoResultsWarning, ServiceError, SizeError
from cutout_core.image import read_images
from cutout_core.mast.hapcut import (
    HapcutClass,
    fetch_cutout,
    plan_cutouts,
    swap_note,
    visitor_size,
)
from cutout_core.mast.session import MastSession
from cutout_core.size import CutoutSize, parse_size
from tests.core.recording_server import Answer, Recorded, RecordingServer, json_answer
from tests.factories import make_zip
from tests.image_factories import make_hapcut_file

ASTROCUT = "/hapcut/api/v0.1/astrocut"
SANTA = "/Santa-war/query"

COORD = SkyCoord(351.347812, 28.497808, unit="deg")
STEM = "hst_cutout_skycell-p2007x09y05-ra351d3478-decn28d4978_wfc3"
NOTHING = "Missing HAP files for input target. Cutout not performed."


def swapping(request: Recorded, *, swap: bool = True) -> Answer:
    """What `/astrocut` answers: files whose x is in the rows, as the real service's."""
    asked = request.parameters
    scale = 1.0 if asked["units"] == "px" else 3600 / 0.04
    x, y = (max(1, round(float(asked[key]) * scale)) for key in "xy")
    data = np.ones((x, y) if swap else (y, x), dtype=np.float32)
    names = [f"{STEM}_ir_f160w_coarse.fits", f"{STEM}_uvis_f606w.fits"]
    return Answer(make_zip({name: make_hapcut_file(data, data) for name in names}))


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        running.answer(ASTROCUT, swapping)
        entry = {"resolver": "NED", "canonicalName": "X", "ra": 351.347812, "decl": 28.497808}
        running.answer(
            SANTA,
            lambda request: json_answer(
                {"resolvedCoordinate": [entry | {"searchString": request.parameters["name"]}]}
            ),
        )
        yield running


@pytest.fixture
def session(server: RecordingServer) -> Iterator[MastSession]:
    with MastSession(server.url, server.url) as opened:
        yield opened


@pytest.fixture
def hapcut(session: MastSession) -> HapcutClass:
    return HapcutClass(session)


@pytest.mark.parametrize(
    ("label", "method", "arguments"),
    [
        ("seed: Hapcut.get_cutouts(coord, size=5)", "get_cutouts", {"size": 5}),
        (
            "seed: Hapcut.download_cutouts(coord, size=[50,100])",
            "download_cutouts",
            {"size": [50, 100]},
        ),
        ("remote: Hapcut.download_cutouts(size=5)", "download_cutouts", {"size": 5}),
        ("remote: Hapcut.download_cutouts(size=[2,3])", "download_cutouts", {"size": [2, 3]}),
        (
            "remote: Hapcut.download_cutouts(size=5*u.arcsec)",
            "download_cutouts",
            {"size": 5 * u.arcsec},
        ),
        ("remote: Hapcut.get_cutouts()", "get_cutouts", {}),
        ("remote: Hapcut.get_cutouts(size=[2,3])", "get_cutouts", {"size": [2, 3]}),
        ("remote: Hapcut.get_cutouts(size=5*u.arcsec)", "get_cutouts", {"size": 5 * u.arcsec}),
    ],
)
def test_requests_are_what_astroquery_sends(
    label, method, arguments, server, hapcut, recorded, tmp_path
):
    (theirs,) = [r for r in recorded if r["label"] == label]
    options = {"path": tmp_path} if method == "download_cutouts" else {}

    getattr(hapcut, method)(COORD, **arguments, **options)

    (request,) = server.requests
    assert (request.method, request.path) == ("GET", theirs["path"])
    if theirs["query"]:
        assert request.query == [tuple(pair) for pair in theirs["query"]]
    else:
        # In memory astroquery sends JSON: the same names and numbers.
        body = json.loads(theirs["body_raw"])
        ours = {k: v if k == "units" else float(v) for k, v in request.parameters.items()}
        assert ours == body


def test_request_is_sent_to_the_letter(server, hapcut, tmp_path):
    hapcut.download_cutouts(COORD, size=[50, 100], path=tmp_path)

    (request,) = server.requests
    assert "&".join(f"{k}={v}" for k, v in request.query) == (
        "ra=351.347812&dec=28.497808&x=100&y=50&units=px"
    )


def test_library_call_gives_the_swapped_shape_that_astroquery_s_tests_expect(hapcut):
    cutouts = hapcut.get_cutouts(COORD, size=[2, 3])

    assert len(cutouts) == 2
    assert cutouts[0]["SCI"].data.shape == (3, 2)
    assert [hdu.name for hdu in cutouts[0]] == ["PRIMARY", "SCI", "WHT"]
    assert cutouts[0].filename == f"{STEM}_ir_f160w_coarse.fits"


# --- the size that a person means --------------------------------------------------------------


@pytest.mark.parametrize("asked", [(30, 50), (50, 30), (40, 40)])
def test_visitor_gets_the_height_and_width_that_were_asked_for(asked, session):
    (request,) = plan_cutouts(session, 1.0, 2.0, visitor_size(parse_size(asked)))

    archive = fetch_cutout(session, request)

    for member in archive.members:
        (image,) = read_images(archive.read(member), member.name)
        assert image.shape == asked
        assert swap_note(parse_size(asked), image.shape, image.pixel_scale_arcsec) is None


def test_service_that_stops_swapping_is_noticed(server, session):
    server.answer(ASTROCUT, lambda request: swapping(request, swap=False))
    meant = parse_size((30, 50))
    (request,) = plan_cutouts(session, 1.0, 2.0, visitor_size(meant))

    archive = fetch_cutout(session, request)

    (image,) = read_images(archive.read(archive.members[0]))
    note = swap_note(meant, image.shape, image.pixel_scale_arcsec)
    assert image.shape == (50, 30)
    assert "30 wide and 50 high, and not 50 wide and 30 high" in note
    assert "seems to have stopped" in note


@pytest.mark.parametrize(
    ("meant", "shape", "noticed"),
    [
        pytest.param(CutoutSize(30, 50, "px"), (30, 50), False, id="as meant"),
        pytest.param(CutoutSize(30, 50, "px"), (50, 30), True, id="turned"),
        pytest.param(CutoutSize(30, 30, "px"), (30, 30), False, id="square"),
        pytest.param(CutoutSize(30, 31, "px"), (31, 30), True, id="nearly square"),
        pytest.param(CutoutSize(30, 50, "px"), (30, 44), False, id="cut short"),
        pytest.param(CutoutSize(30, 50, "px"), (50, 28), False, id="cannot be told"),
        # 0.04 arcsec a pixel: 100 and 200 pixels, give or take a rounding.
        pytest.param(CutoutSize(4 / 3600, 8 / 3600, "deg"), (101, 200), False, id="angle"),
        pytest.param(CutoutSize(4 / 3600, 8 / 3600, "deg"), (201, 101), True, id="angle turned"),
        pytest.param(
            CutoutSize(4 / 3600, 4.1 / 3600, "deg"), (102, 100), False, id="angle, nearly square"
        ),
    ],
)
def test_turned_images_are_noticed_and_others_are_not(meant, shape, noticed):
    assert (swap_note(meant, shape, 0.04) is not None) == noticed


def test_swapping_twice_is_the_size_itself():
    size = CutoutSize(3, 5.5, "deg")

    assert visitor_size(size) == CutoutSize(5.5, 3, "deg")
    assert visitor_size(visitor_size(size)) == size


# --- replies -----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get_cutouts", "download_cutouts"])
def test_position_without_images_is_empty_and_quotes_the_service(method, server, hapcut, tmp_path):
    server.answer(ASTROCUT, json_answer({"msg": NOTHING, "results": []}))
    options = {"path": tmp_path} if method == "download_cutouts" else {}

    with pytest.warns(NoResultsWarning, match=NOTHING) as said:
        result = getattr(hapcut, method)("102.7 70.5", **options)

    assert len(result) == 0
    assert said[0].filename == __file__
    assert list(tmp_path.iterdir()) == []


def test_failing_service_is_an_error(server, hapcut):
    server.answer(ASTROCUT, Answer(b"<html>", status=500))

    with pytest.raises(ServiceError):
        hapcut.get_cutouts(COORD)


def test_download_writes_the_files_and_lists_them(hapcut, tmp_path):
    manifest = hapcut.download_cutouts(COORD, size=[50, 100], path=tmp_path)

    assert manifest.colnames == ["Local Path"]
    assert [Path(path).name for path in manifest["Local Path"]] == [
        f"{STEM}_ir_f160w_coarse.fits",
        f"{STEM}_uvis_f606w.fits",
    ]


def test_archive_can_be_kept(hapcut, tmp_path):
    manifest = hapcut.download_cutouts(COORD, path=tmp_path, inflate=False)

    (path,) = manifest["Local Path"]
    assert Path(path).name.startswith("hapcut_20")
    with zipfile.ZipFile(path) as archive:
        assert len(archive.namelist()) == 2


def test_name_of_an_object_is_looked_up(server, hapcut):
    assert len(hapcut.get_cutouts(object_name="Stephan's Quintet")) == 2

    assert server.asked(SANTA)[0].parameters["name"] == "Stephan's Quintet"
    assert server.asked(ASTROCUT)[0].parameters["ra"] == "351.347812"


def test_older_spellings_are_taken_with_a_warning(hapcut):
    with pytest.warns(AstropyDeprecationWarning, match="objectname") as said:
        hapcut.get_cutouts(objectname="M 1")
    assert said[0].filename == __file__
    with pytest.warns(AstropyDeprecationWarning, match="units"):
        hapcut.get_cutouts(COORD, units="px")


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"size": 0}, SizeError, "number above zero"),
        ({"size": [1, 2, 3]}, SizeError, "it takes one or two"),
        ({"coordinates": None}, InvalidQueryError, r"(?i)one of object_name and coordinates"),
        ({"coordinates": "here"}, InvalidQueryError, "are not a position"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_sent(
    arguments, error, words, server, hapcut
):
    with pytest.raises(error, match=words):
        hapcut.get_cutouts(**({"coordinates": COORD} | arguments))

    assert server.requests == []


def test_plan_says_what_is_asked_for(session):
    (request,) = plan_cutouts(session, 10.0, 20.0, parse_size((3, 7)))

    assert request.label == "Hubble images"
    assert (request.sector, request.survey) == (None, None)
    assert request.url.endswith(f"{ASTROCUT}?ra=10.0&dec=20.0&x=7&y=3&units=px")
