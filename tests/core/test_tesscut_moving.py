"""TESSCut for targets that move: requests, replies, refusals."""

import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.utils.exceptions import AstropyDeprecationWarning

from cutout_core.errors import (
    CutoutWarning,
    InputWarning,
    InvalidQueryError,
    LimitError,
    NoResultsWarning,
    ServiceError,
    SizeError,
    TargetError,
    UnexpectedReplyError,
)
from cutout_core.mast.session import MastSession
from cutout_core.mast.tesscut import (
    MovingSectors,
    Sector,
    TesscutClass,
    find_moving_sectors,
    plan_moving_cutouts,
    read_mt_type,
)
from cutout_core.size import parse_size
from tests.core.recording_server import Answer, Recorded, RecordingServer, json_answer
from tests.factories import make_tpf_file, make_zip

SECTOR = "/tesscut/api/v0.1/moving_target/sector"
ASTROCUT = "/tesscut/api/v0.1/moving_target/astrocut"


def sector_reply(*rows: tuple[int, int, int]) -> Answer:
    return json_answer(
        {
            "results": [
                {
                    "sectorName": f"tess-s{sector:04d}-{camera}-{ccd}",
                    "sector": f"{sector:04d}",
                    "camera": str(camera),
                    "ccd": str(ccd),
                }
                for sector, camera, ccd in rows
            ]
        }
    )


def cutout_reply(request: Recorded) -> Answer:
    name = f"{request.parameters['obj_id']}_s{request.parameters['sector']}_5-x-5_astrocut.fits"
    return Answer(make_zip({name: make_tpf_file()}))


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        # Twice in sector 6: from one CCD to the next.
        running.answer(SECTOR, sector_reply((33, 1, 4), (6, 1, 2), (6, 1, 1)))
        running.answer(ASTROCUT, cutout_reply)
        yield running


@pytest.fixture
def session(server: RecordingServer) -> Iterator[MastSession]:
    with MastSession(server.url, server.url) as opened:
        yield opened


@pytest.fixture
def tesscut(session: MastSession) -> TesscutClass:
    return TesscutClass(session)


ELEONORA = {"object_name": "Eleonora", "moving_target": True}


@pytest.mark.parametrize(
    ("label", "method", "arguments"),
    [
        (
            "seed: Tesscut.get_sectors(objectname='Ceres', moving_target=True)",
            "get_sectors",
            {"object_name": "Ceres"},
        ),
        (
            "seed: Tesscut.get_cutouts('Eleonora', moving_target=True, sector=6)",
            "get_cutouts",
            {"object_name": "Eleonora", "sector": 6},
        ),
        (
            "remote: get_sectors('Eleonora', moving_target=True)",
            "get_sectors",
            {"object_name": "Eleonora"},
        ),
        (
            "remote: download_cutouts('Eleonora', mt, sector=6, size=1)",
            "download_cutouts",
            {"object_name": "Eleonora", "sector": 6, "size": 1},
        ),
        (
            "remote: get_cutouts('Eleonora', mt, sector=6, size=1)",
            "get_cutouts",
            {"object_name": "Eleonora", "sector": 6, "size": 1},
        ),
        (
            "remote: get_cutouts('Eleonora', mt, no sector, size=1)",
            "get_cutouts",
            {"object_name": "Eleonora", "size": 1},
        ),
        (
            "remote: download_cutouts('Eleonora', mt, no sector, size=1)",
            "download_cutouts",
            {"object_name": "Eleonora", "size": 1},
        ),
        (
            "extra: get_sectors('Ceres', mt, mt_type='small_body')",
            "get_sectors",
            {"object_name": "Ceres", "mt_type": "small_body"},
        ),
        (
            "extra: get_cutouts(mt, mt_type='small_body', sector=6)",
            "get_cutouts",
            {"object_name": "Eleonora", "mt_type": "small_body", "sector": 6},
        ),
        (
            "extra: download_cutouts(mt, name with blank 'C\u20442020 F3 NEOWISE', sector=6)",
            "download_cutouts",
            {"object_name": "C/2020 F3 NEOWISE", "sector": 6},
        ),
    ],
)
def test_requests_are_what_astroquery_sends(
    label, method, arguments, server, tesscut, recorded, tmp_path
):
    theirs = [r for r in recorded if r["label"] == label]
    if method == "download_cutouts":
        arguments |= {"path": tmp_path}

    getattr(tesscut, method)(**arguments, moving_target=True)

    expected = [
        (r["path"], [tuple(pair) for pair in r["query"] or r["body_parsed"]]) for r in theirs
    ]
    ours = [(r.path, r.query) for r in server.requests]
    assert expected
    # Sectors are asked for at the same time.
    assert ours[0] == expected[0]
    assert sorted(ours) == sorted(expected)


def test_request_is_sent_to_the_letter(session, server):
    (request,) = plan_moving_cutouts(
        session, " C/2020 F3  NEOWISE ", parse_size((3, 7)), [6], "SmallBody"
    )

    assert request.url == (
        f"{server.url}{ASTROCUT}?x=7&y=3&units=px&sector=6"
        "&obj_id=C%2F2020+F3+NEOWISE&obj_type=smallbody"
    )
    assert (request.label, request.sector) == ("sector 6", 6)
    assert server.requests == []


def test_table_of_sectors_has_every_ccd_that_was_crossed(tesscut):
    table = tesscut.get_sectors(**ELEONORA)

    assert table.colnames == ["sectorName", "sector", "camera", "ccd"]
    assert list(table["sectorName"]) == ["tess-s0006-1-1", "tess-s0006-1-2", "tess-s0033-1-4"]
    assert [table[name].dtype for name in ("sector", "camera", "ccd")] == [np.dtype("int64")] * 3


def test_sectors_are_found_with_their_order_put_right(session, server):
    found = find_moving_sectors(session, "Eleonora")

    assert [s.sector for s in found.sectors] == [6, 6, 33]
    assert found.sectors[0] == Sector("tess-s0006-1-1", 6, 1, 1)
    assert found.message == ""
    assert server.requests[0].query == [("obj_id", "Eleonora")]


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ({"results": []}, ""),
        ({"results": None}, ""),
        ({"results": [], "msg": "No\n such body."}, "No such body."),
        ({"msg": "No such body."}, "No such body."),
        ({"results": [], "msg": None}, ""),
    ],
)
def test_no_sectors_come_with_what_the_service_says_of_it(reply, message, server, session):
    server.answer(SECTOR, json_answer(reply))

    assert find_moving_sectors(session, "Nobody") == MovingSectors([], message)


@pytest.mark.parametrize("reply", [{}, {"results": [1]}, {"results": [{"sector": "0001"}]}])
def test_list_of_unknown_form_is_the_fault_of_the_service(reply, server, session):
    server.answer(SECTOR, json_answer(reply))

    with pytest.raises(UnexpectedReplyError, match="list of sectors of an unknown form"):
        find_moving_sectors(session, "Ceres")


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ({"results": []}, 'No sector of TESS has "Nobody", or JPL Horizons does not know'),
        ({"results": [], "msg": "may be any of these: A, B."}, "^may be any of these: A, B.$"),
    ],
)
def test_target_that_no_sector_has_is_an_empty_result_and_a_warning(
    reply, words, server, tesscut, tmp_path
):
    server.answer(SECTOR, json_answer(reply))
    nobody = {"object_name": "Nobody", "moving_target": True}

    with pytest.warns(NoResultsWarning, match=words) as said:
        table = tesscut.get_sectors(**nobody)
    with pytest.warns(NoResultsWarning, match=words) as said_too:
        assert tesscut.get_cutouts(**nobody) == []
    with pytest.warns(NoResultsWarning, match=words) as said_three:
        manifest = tesscut.download_cutouts(**nobody, path=tmp_path)

    assert (len(table), len(manifest)) == (0, 0)
    assert table.colnames == ["sectorName", "sector", "camera", "ccd"]
    assert manifest.colnames == ["Local Path"]
    assert {w[0].filename for w in (said, said_too, said_three)} == {__file__}
    assert server.asked(ASTROCUT) == []


def test_sector_without_the_target_is_an_empty_result_and_a_warning(server, tesscut):
    server.answer(ASTROCUT, json_answer({"results": [], "msg": "Not there."}))

    with pytest.warns(NoResultsWarning, match="^Not there.$"):
        assert tesscut.get_cutouts(**ELEONORA, sector=1) == []


def test_each_sector_is_one_request_however_many_ccds_it_crossed(server, tesscut):
    server.answer(
        ASTROCUT,
        lambda r: time.sleep(0.2 * (r.parameters["sector"] == "6")) or cutout_reply(r),
    )

    cutouts = tesscut.get_cutouts(**ELEONORA)

    assert all(isinstance(hdus, fits.HDUList) for hdus in cutouts)
    assert [hdus.filename[:12] for hdus in cutouts] == ["Eleonora_s6_", "Eleonora_s33"]
    assert len(server.asked(ASTROCUT)) == 2


def test_downloaded_files_are_listed_in_a_table(tesscut, tmp_path):
    manifest = tesscut.download_cutouts(**ELEONORA, path=tmp_path)
    kept = tesscut.download_cutouts(**ELEONORA, path=tmp_path / "zips", inflate=False)

    assert [Path(p).name for p in manifest["Local Path"]] == [
        "Eleonora_s6_5-x-5_astrocut.fits",
        "Eleonora_s33_5-x-5_astrocut.fits",
    ]
    assert [p[-10:] for p in kept["Local Path"]] == ["_s0006.zip", "_s0033.zip"]


def test_failed_sector_does_not_lose_the_others(server, tesscut):
    server.answer(
        ASTROCUT,
        lambda r: Answer(status=504) if r.parameters["sector"] == "6" else cutout_reply(r),
    )

    with pytest.warns(CutoutWarning, match="sector 6 is missing: .*took too long") as said:
        cutouts = tesscut.get_cutouts(**ELEONORA)

    assert len(cutouts) == 1
    assert said[0].filename == __file__


def test_unknown_target_that_the_service_refuses_is_an_error(server, tesscut):
    server.answer(SECTOR, Answer(b"<html>no</html>", status=500))

    with pytest.raises(ServiceError, match="error of its own"):
        tesscut.get_sectors(object_name="Nobody", moving_target=True)


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        (None, None),
        ("", None),
        ("smallbody", "smallbody"),
        ("majorbody", "majorbody"),
        ("SmallBody", "smallbody"),
        (" small_body ", "small_body"),
        ("major_body", "major_body"),
    ],
)
def test_type_is_read_in_the_spellings_of_astroquery(typed, sent):
    assert read_mt_type(typed) == sent


@pytest.mark.parametrize("typed", ["comet", "small body", "asteroid", 5])
def test_unknown_type_is_refused_with_the_known_ones(typed, server, tesscut):
    words = f'no type "{typed}" of moving targets. Write "majorbody" or "smallbody"'
    for call in (tesscut.get_sectors, tesscut.get_cutouts, tesscut.download_cutouts):
        with pytest.raises(InvalidQueryError, match=words):
            call(**ELEONORA, mt_type=typed)
    assert server.requests == []


def test_coordinates_with_a_moving_target_are_refused(server, tesscut):
    place = SkyCoord(10, 20, unit="deg")
    for call in (tesscut.get_sectors, tesscut.get_cutouts, tesscut.download_cutouts):
        for name in ("Ceres", None):
            with pytest.raises(
                InvalidQueryError, match="Only one of moving_target and coordinates"
            ):
                call(coordinates=place, object_name=name, moving_target=True)
    assert server.requests == []


@pytest.mark.parametrize("name", [None, ""])
def test_moving_target_without_a_name_is_refused(name, server, tesscut):
    for call in (tesscut.get_sectors, tesscut.get_cutouts, tesscut.download_cutouts):
        with pytest.raises(
            InvalidQueryError, match='needs object_name, such as object_name="Ceres"'
        ):
            call(object_name=name, moving_target=True)
    assert server.requests == []


def test_name_that_cannot_be_one_is_refused(server, tesscut):
    with pytest.raises(InvalidQueryError, match='is a text such as "Ceres", not 5'):
        tesscut.get_sectors(object_name=5, moving_target=True)
    with pytest.raises(TargetError, match="control character"):
        tesscut.get_cutouts(object_name="a\0", moving_target=True)
    with pytest.raises(TargetError, match=r"empty. Type the name of an asteroid or comet"):
        tesscut.get_cutouts(object_name="  ", moving_target=True)
    assert server.requests == []


def test_size_is_checked_before_anything_is_sent(server, session, tesscut, tmp_path):
    with pytest.raises(LimitError, match="101 x 101 TESS pixels"):
        tesscut.get_cutouts(**ELEONORA, size=101)
    with pytest.raises(LimitError, match="101 x 101 TESS pixels"):
        plan_moving_cutouts(session, "Ceres", parse_size(101), None)
    with pytest.raises(SizeError, match="A cutout of 0 pixels"):
        tesscut.download_cutouts(**ELEONORA, size=0, path=tmp_path / "new")
    assert server.requests == []
    assert not (tmp_path / "new").exists()


def test_sectors_are_asked_for_where_none_are_given(server, session):
    planned = plan_moving_cutouts(session, "Eleonora", parse_size(5), None, "smallbody")

    assert [r.sector for r in planned] == [6, 33]
    assert server.requests[0].query == [("obj_id", "Eleonora"), ("obj_type", "smallbody")]


def test_resolver_is_ignored_with_a_warning(server, tesscut):
    with pytest.warns(InputWarning, match="resolver is for fixed targets only") as said:
        tesscut.get_sectors(**ELEONORA, resolver="NED")
    assert said[0].filename == __file__


def test_radius_does_not_count(server, tesscut):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tesscut.get_sectors(**ELEONORA, radius="2m")

    assert server.requests[0].query == [("obj_id", "Eleonora")]


def test_older_spelling_of_the_name_works_and_warns(tesscut):
    with pytest.warns(AstropyDeprecationWarning, match='renamed; write "object_name"'):
        assert len(tesscut.get_sectors(objectname="Eleonora", moving_target=True)) == 3
