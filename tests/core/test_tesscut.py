import json
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import astropy.units as u
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
    ResolverError,
    ServiceError,
    SizeError,
    UnexpectedReplyError,
)
from cutout_core.mast.session import MastSession
from cutout_core.mast.tesscut import (
    Sector,
    TesscutClass,
    check_size,
    find_sectors,
    plan_cutouts,
    read_sectors,
)
from cutout_core.size import parse_size
from tests.core.recording_server import Answer, Recorded, RecordingServer, json_answer
from tests.factories import make_tpf_file, make_zip

SECTOR = "/tesscut/api/v0.1/sector"
ASTROCUT = "/tesscut/api/v0.1/astrocut"
SANTA = "/Santa-war/query"

COORD = SkyCoord(107.18696, -70.50919, unit="deg")


def sector_reply(*sectors: int) -> Answer:
    """What `/sector` answers: four texts per row, the sector padded."""
    return json_answer(
        {
            "results": [
                {
                    "sectorName": f"tess-s{s:04d}-4-1",
                    "sector": f"{s:04d}",
                    "camera": "4",
                    "ccd": "1",
                }
                for s in sectors
            ]
        }
    )


def cutout_reply(request: Recorded) -> Answer:
    """What `/astrocut` answers: a target pixel file named after the sector."""
    name = f"tess-s{int(request.parameters['sector']):04d}-4-1_107.186960_-70.509190_5x5.fits"
    return Answer(make_zip({name: make_tpf_file()}))


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        running.answer(SECTOR, sector_reply(9, 33))
        running.answer(ASTROCUT, cutout_reply)
        running.answer(
            SANTA,
            lambda request: json_answer(
                {
                    "resolvedCoordinate": [
                        {
                            "searchString": request.parameters["name"].lower(),
                            "resolver": "TIC",
                            "canonicalName": "X",
                            "ra": 107.18696,
                            "decl": -70.50919,
                        }
                    ]
                }
            ),
        )
        yield running


@pytest.fixture
def session(server: RecordingServer) -> Iterator[MastSession]:
    with MastSession(server.url, server.url) as opened:
        yield opened


@pytest.fixture
def tesscut(session: MastSession) -> TesscutClass:
    return TesscutClass(session)


@pytest.mark.parametrize(
    ("label", "method", "arguments"),
    [
        (
            "seed: Tesscut.get_sectors(coordinates=135.1408,-5.1915)",
            "get_sectors",
            {"coordinates": SkyCoord(135.1408, -5.1915, unit="deg")},
        ),
        (
            "seed: Tesscut.get_sectors(objectname='TIC 32449963')",
            "get_sectors",
            {"object_name": "TIC 32449963"},
        ),
        (
            "seed: Tesscut.get_cutouts(coord, sector=33)",
            "get_cutouts",
            {"coordinates": COORD, "sector": 33},
        ),
        (
            "seed: Tesscut.download_cutouts(coord, size=[5,5]*u.arcmin, sector=9)",
            "download_cutouts",
            {"coordinates": COORD, "size": [5, 5] * u.arcmin, "sector": 9},
        ),
        (
            "remote: get_sectors(349.62609,-47.12424)",
            "get_sectors",
            {"coordinates": SkyCoord(349.62609, -47.12424, unit="deg")},
        ),
        ("remote: get_sectors('M104')", "get_sectors", {"object_name": "M104"}),
        (
            "remote: download_cutouts(349.6,size=1)",
            "download_cutouts",
            {"coordinates": SkyCoord(349.62609, -47.12424, unit="deg"), "size": 1},
        ),
        (
            "remote: download_cutouts(size=[1,1]*u.pix,sector=33)",
            "download_cutouts",
            {"coordinates": COORD, "size": [1, 1] * u.pix, "sector": 33},
        ),
        (
            "remote: download_cutouts('TIC 32449963', size=1)",
            "download_cutouts",
            {"object_name": "TIC 32449963", "size": 1},
        ),
        (
            "remote: get_cutouts(349.6, size=[1,1]*u.arcmin, sector=[28,68])",
            "get_cutouts",
            {
                "coordinates": SkyCoord(349.62609, -47.12424, unit="deg"),
                "size": [1, 1] * u.arcmin,
                "sector": [28, 68],
            },
        ),
        (
            "extra: get_sectors(coord, radius=0.2)",
            "get_sectors",
            {"coordinates": COORD, "radius": 0.2},
        ),
        (
            "extra: get_sectors(coord, radius='2m')",
            "get_sectors",
            {"coordinates": COORD, "radius": "2m"},
        ),
        (
            "extra: get_sectors(coord, radius=30*u.arcsec)",
            "get_sectors",
            {"coordinates": COORD, "radius": 30 * u.arcsec},
        ),
        (
            "extra: get_sectors(coord as string '107.18696 -70.50919')",
            "get_sectors",
            {"coordinates": "107.18696 -70.50919"},
        ),
        (
            "extra: get_cutouts(size=(3,7))",
            "get_cutouts",
            {"coordinates": COORD, "size": (3, 7), "sector": 33},
        ),
        (
            "extra: get_cutouts(size=5*u.arcmin)",
            "get_cutouts",
            {"coordinates": COORD, "size": 5 * u.arcmin, "sector": 33},
        ),
        (
            "extra: get_cutouts(sector='33')",
            "get_cutouts",
            {"coordinates": COORD, "sector": "33"},
        ),
    ],
)
def test_requests_are_what_astroquery_sends(
    label, method, arguments, server, tesscut, recorded, tmp_path
):
    theirs = [r for r in recorded if r["label"] == label]
    if method == "download_cutouts":
        arguments |= {"path": tmp_path}

    getattr(tesscut, method)(**arguments)

    expected = [asked for r in theirs for asked in one_sector_each(r)]
    ours = [(r.path, sorted(r.query)) for r in server.requests]
    if method != "get_sectors" and "sector" not in arguments:
        # Without sectors ours asks for them first, and then for each.
        assert [path for path, _ in ours if path == SECTOR] == [SECTOR]
        ours = [
            (path, sorted((k, v) for k, v in query if k != "sector"))
            for path, query in ours
            if path != SECTOR
        ]
        expected += [e for e in expected if e[0] == ASTROCUT]
    assert expected
    assert sorted(ours) == sorted(expected)


def one_sector_each(request: dict) -> list[tuple[str, list[tuple[str, str]]]]:
    parameters = [tuple(pair) for pair in request["query"] or request["body_parsed"]]
    sectors = [pair for pair in parameters if pair[0] == "sector"]
    rest = [pair for pair in parameters if pair[0] != "sector"]
    return [
        (request["path"], sorted([*rest, sector] if sector else rest))
        for sector in sectors or [None]
    ]


@pytest.mark.parametrize(
    ("arguments", "query"),
    [
        # Literal cases of the witness, for a checkout without it.
        (
            {"sector": 33},
            "x=5&y=5&units=px&sector=33&ra=107.18696&dec=-70.50919",
        ),
        (
            {"size": [1, 1] * u.arcmin, "sector": 28},
            "x=0.016666666666666666&y=0.016666666666666666&units=d&sector=28"
            "&ra=107.18696&dec=-70.50919",
        ),
        (
            {"size": (3, 7), "sector": "0033"},
            "x=7&y=3&units=px&sector=33&ra=107.18696&dec=-70.50919",
        ),
    ],
)
def test_request_is_sent_to_the_letter(arguments, query, session, server):
    size = parse_size(arguments.get("size", 5))
    sectors = read_sectors(arguments["sector"])

    (request,) = plan_cutouts(session, 107.18696, -70.50919, size, sectors)

    assert request.url == f"{server.url}{ASTROCUT}?{query}"
    assert "&".join(f"{k}={v}" for k, v in request.query) == query
    assert (request.label, request.sector) == (f"sector {sectors[0]}", sectors[0])


def test_real_list_of_sectors_is_read(server, session, real_replies):
    content = (real_replies / "tesscut_sector_pimen_2023-10.json").read_bytes()
    server.answer(SECTOR, Answer(content, content_type="application/json"))

    found = find_sectors(session, 84.29, -80.47)

    assert len(found) == len(json.loads(content)["results"]) > 15
    assert found[0] == Sector("tess-s0001-4-2", 1, 4, 2)


def test_sectors_are_ascending_whatever_the_order_of_the_reply(server, session):
    server.answer(SECTOR, sector_reply(1751, 33, 9))

    assert [s.sector for s in find_sectors(session, 1, 2)] == [9, 33, 1751]


@pytest.mark.parametrize("reply", [{"results": []}, {"results": None}, {"msg": "none"}])
def test_no_sectors_are_an_empty_list(reply, server, session):
    server.answer(SECTOR, json_answer(reply))

    assert find_sectors(session, 1, 2) == []


@pytest.mark.parametrize(
    "reply",
    [
        {},
        {"results": [1]},
        {"results": 5},
        {"results": [{"sector": "0001"}]},
        {"results": [{"sectorName": "a", "sector": "one", "camera": "1", "ccd": "1"}]},
    ],
)
def test_list_of_sectors_of_unknown_form_is_the_fault_of_the_service(reply, server, session):
    server.answer(SECTOR, json_answer(reply))

    with pytest.raises(UnexpectedReplyError, match="list of sectors of an unknown form"):
        find_sectors(session, 1, 2)


def test_table_of_sectors_has_the_columns_of_astroquery(tesscut):
    table = tesscut.get_sectors(coordinates=COORD)

    assert table.colnames == ["sectorName", "sector", "camera", "ccd"]
    assert list(table["sectorName"]) == ["tess-s0009-4-1", "tess-s0033-4-1"]
    assert list(table["sector"]) == [9, 33]
    assert [table[name].dtype for name in ("sector", "camera", "ccd")] == [np.dtype("int64")] * 3


def test_position_that_tess_has_not_seen_is_an_empty_table_and_a_warning(server, tesscut):
    server.answer(SECTOR, json_answer({"results": []}))

    with pytest.warns(NoResultsWarning, match="Coordinates are not in any TESS sector.") as said:
        table = tesscut.get_sectors(coordinates=COORD)

    assert len(table) == 0
    assert table.colnames == ["sectorName", "sector", "camera", "ccd"]
    assert table["sector"].dtype == np.dtype("int64")
    assert said[0].filename == __file__


@pytest.mark.parametrize(
    ("sectors", "expected"),
    [
        (None, None),
        (33, [33]),
        ("33", [33]),
        ("0033", [33]),
        (np.int64(33), [33]),
        ([68, 28], [28, 68]),
        (("28", 68, 28), [28, 68]),
        (np.array([28, 68]), [28, 68]),
        (range(1, 4), [1, 2, 3]),
        ({5}, [5]),
        (1751, [1751]),
    ],
)
def test_sectors_of_a_call_are_read(sectors, expected):
    assert read_sectors(sectors) == expected


@pytest.mark.parametrize(
    ("sectors", "words"),
    [
        (0, "There is no sector 0; they are counted from 1"),
        (-1, "There is no sector -1"),
        (10_000, "There is no sector 10000"),
        ("all", 'The sector "all" is not a whole number such as 33'),
        ("", 'The sector "" is not a whole number'),
        (33.5, 'The sector "33.5" is not a whole number'),
        (True, 'The sector "True" is not a whole number'),
        ([33, None], 'The sector "None" is not a whole number'),
        ([], "list of sectors is empty"),
    ],
)
def test_what_is_no_sector_is_refused(sectors, words):
    with pytest.raises(InvalidQueryError, match=words):
        read_sectors(sectors)


@pytest.mark.parametrize("size", [(100, 100), 100, 35 * u.arcmin, (1, 10_000), [35, 35] * u.arcmin])
def test_size_at_the_limit_is_accepted(size):
    checked = parse_size(size)

    assert check_size(checked) is checked


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (101, "101 x 101 TESS pixels has 10,201 of them; TESSCut makes at most 10,000"),
        ((2, 5001), "2 x 5001 TESS pixels has 10,002 of them"),
        (36 * u.arcmin, r"103 x 103 TESS pixels .* such as 100 x 100 \(35 arcmin a side\)"),
    ],
)
def test_size_beyond_the_limit_is_refused_with_both_numbers(size, words, server, session, tesscut):
    with pytest.raises(LimitError, match=words):
        plan_cutouts(session, 1, 2, parse_size(size), [1])
    with pytest.raises(LimitError, match=words):
        tesscut.get_cutouts(object_name="M104", size=size)
    assert server.requests == []


def test_each_sector_is_one_request_in_ascending_order(session, server):
    planned = plan_cutouts(session, 1.5, -2.5, parse_size(5), [68, 9, 68])

    assert [(r.sector, r.label) for r in planned] == [(9, "sector 9"), (68, "sector 68")]
    assert server.requests == []


def test_sectors_are_asked_for_within_reach_of_the_cutout_s_corners(session, server):
    server.answer(SECTOR, sector_reply(33, 9, 9))

    planned = plan_cutouts(session, 107.18696, -70.50919, parse_size((6, 8)), None)

    # Half the diagonal of 6 x 8 pixels is 5 pixels of 21 arcsec.
    assert float(server.requests[0].parameters["radius"]) == pytest.approx(5 * 21 / 3600)
    assert [r.sector for r in planned] == [9, 33]


def test_angle_is_not_turned_into_pixels_for_the_reach(session, server):
    plan_cutouts(session, 1, 2, parse_size([0.3, 0.4] * u.deg), None)

    assert float(server.requests[0].parameters["radius"]) == pytest.approx(0.25)


def test_cutouts_come_as_hdulists_in_the_order_of_the_sectors(server, tesscut):
    server.answer(
        ASTROCUT,
        lambda request: (
            time.sleep(0.2 * (request.parameters["sector"] == "9")) or cutout_reply(request)
        ),
    )

    cutouts = tesscut.get_cutouts(coordinates=COORD, sector=[33, 9])

    assert all(isinstance(hdus, fits.HDUList) for hdus in cutouts)
    assert [hdus.filename[:10] for hdus in cutouts] == ["tess-s0009", "tess-s0033"]
    assert [hdu.name for hdu in cutouts[0]] == ["PRIMARY", "PIXELS", "APERTURE"]


def test_all_sectors_come_where_none_is_named(server, tesscut):
    cutouts = tesscut.get_cutouts(object_name="TIC 32449963")

    assert len(cutouts) == 2
    assert [r.path for r in server.requests][:2] == [SANTA, SECTOR]
    assert sorted(r.parameters["sector"] for r in server.asked(ASTROCUT)) == ["33", "9"]


def test_both_ccds_of_a_sector_come_where_they_meet(server, tesscut):
    content = make_zip({"a-4-1.fits": make_tpf_file(), "a-4-2.fits": make_tpf_file()})
    server.answer(ASTROCUT, Answer(content))

    cutouts = tesscut.get_cutouts(coordinates=COORD, sector=9)

    assert [hdus.filename for hdus in cutouts] == ["a-4-1.fits", "a-4-2.fits"]


def test_failed_sector_does_not_lose_the_others_and_is_named(server, tesscut):
    server.answer(
        ASTROCUT,
        lambda r: Answer(status=504) if r.parameters["sector"] == "9" else cutout_reply(r),
    )

    with pytest.warns(CutoutWarning, match="sector 9 is missing: .*took too long") as said:
        cutouts = tesscut.get_cutouts(coordinates=COORD, sector=[9, 33])

    assert [hdus.filename[:10] for hdus in cutouts] == ["tess-s0033"]
    assert said[0].filename == __file__


def test_error_is_raised_if_all_sectors_failed(server, tesscut):
    server.answer(ASTROCUT, Answer(status=500))

    with pytest.raises(ServiceError, match="error of its own"):
        tesscut.get_cutouts(coordinates=COORD, sector=[9, 33])


def test_sector_that_did_not_see_the_position_is_an_empty_result_and_a_warning(server, tesscut):
    server.answer(ASTROCUT, json_answer({"results": [], "msg": "No FFIs found."}))

    with pytest.warns(NoResultsWarning, match="^No FFIs found.$"):
        assert tesscut.get_cutouts(coordinates=COORD, sector=1) == []


def test_position_that_no_sector_saw_is_an_empty_result_and_a_warning(server, tesscut, tmp_path):
    server.answer(SECTOR, json_answer({"results": []}))

    with pytest.warns(NoResultsWarning, match="Coordinates are not in any TESS sector"):
        assert tesscut.get_cutouts(coordinates=COORD) == []
    with pytest.warns(NoResultsWarning, match="Coordinates are not in any TESS sector") as said:
        table = tesscut.download_cutouts(coordinates=COORD, path=tmp_path)
    assert (len(table), table.colnames) == (0, ["Local Path"])
    assert said[0].filename == __file__
    assert server.asked(ASTROCUT) == []


def test_edge_sector_without_pixels_is_no_news_where_none_was_named(server, tesscut):
    server.answer(
        ASTROCUT,
        lambda r: (
            json_answer({"msg": "none"}) if r.parameters["sector"] == "9" else cutout_reply(r)
        ),
    )

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(tesscut.get_cutouts(coordinates=COORD)) == 1


def test_unknown_name_is_a_resolver_error(server, tesscut, tmp_path):
    server.answer(SANTA, json_answer({"resolvedCoordinate": []}))

    for call in (
        tesscut.get_sectors,
        tesscut.get_cutouts,
        lambda **query: tesscut.download_cutouts(**query, path=tmp_path),
    ):
        with pytest.raises(ResolverError, match='Could not resolve "Eleonora" to a sky position'):
            call(object_name="Eleonora")


def test_downloaded_files_are_listed_in_a_table(tesscut, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    manifest = tesscut.download_cutouts(coordinates=COORD, sector=[33, 9])

    assert manifest.colnames == ["Local Path"]
    assert list(manifest["Local Path"]) == [
        "./tess-s0009-4-1_107.186960_-70.509190_5x5.fits",
        "./tess-s0033-4-1_107.186960_-70.509190_5x5.fits",
    ]
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        p.removeprefix("./") for p in manifest["Local Path"]
    ]
    with fits.open(manifest["Local Path"][0]) as hdus:
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "PIXELS", "APERTURE"]


def test_archives_are_kept_where_they_are_not_to_be_inflated(tesscut, tmp_path):
    manifest = tesscut.download_cutouts(
        coordinates=COORD, sector=[9, 33], path=str(tmp_path), inflate=False
    )

    names = [Path(p).name for p in manifest["Local Path"]]
    assert [name[-10:] for name in names] == ["_s0009.zip", "_s0033.zip"]
    assert sorted(p.name for p in tmp_path.iterdir()) == names


def test_single_archive_is_named_as_astroquery_names_it(tesscut, tmp_path):
    (path,) = tesscut.download_cutouts(coordinates=COORD, sector=9, path=tmp_path, inflate=False)[
        "Local Path"
    ]

    stem = Path(path).name
    assert stem.startswith("tesscut_20")
    assert len(stem) == len("tesscut_20210716150026.zip")


def test_download_that_partly_failed_keeps_what_came(server, tesscut, tmp_path):
    server.answer(
        ASTROCUT,
        lambda r: (
            Answer(make_zip({"a.fits": bytes(9000)})[:-50])
            if r.parameters["sector"] == "9"
            else cutout_reply(r)
        ),
    )

    with pytest.warns(CutoutWarning, match="sector 9 is missing: .*damaged or cut short"):
        manifest = tesscut.download_cutouts(coordinates=COORD, sector=[9, 33], path=tmp_path)

    assert len(manifest) == len(list(tmp_path.iterdir())) == 1


def test_older_spelling_of_the_name_works_and_warns(server, tesscut, tmp_path):
    for call in (
        tesscut.get_sectors,
        tesscut.get_cutouts,
        lambda **query: tesscut.download_cutouts(**query, path=tmp_path),
    ):
        with pytest.warns(AstropyDeprecationWarning, match='renamed; write "object_name"'):
            assert len(call(objectname="TIC 32449963")) == 2
    assert len(server.asked(SANTA)) == 3


def test_deprecation_warning_points_to_the_line_of_the_user(tesscut):
    with pytest.warns(AstropyDeprecationWarning) as said:
        tesscut.get_cutouts(coordinates=COORD, sector=9, product="SPOC", units="px")

    assert [(str(w.message)[:20], w.filename) for w in said] == [
        ('"product" is ignored', __file__),
        ('"units" is ignored a', __file__),
    ]


def test_name_under_both_spellings_is_refused(tesscut):
    with pytest.raises(InvalidQueryError, match="objectname is the older spelling of object_name"):
        tesscut.get_sectors(object_name="M104", objectname="M104")


@pytest.mark.parametrize("product", ["SPOC", "spoc"])
def test_spoc_is_accepted_with_a_warning(product, tesscut):
    with pytest.warns(AstropyDeprecationWarning, match='"product" is ignored.*SPOC images'):
        assert len(tesscut.get_sectors(coordinates=COORD, product=product)) == 2


@pytest.mark.parametrize("product", ["TICA", "tica"])
def test_tica_is_refused_with_where_its_images_still_are(product, server, tesscut):
    words = "ended in August 2025.*https://archive.stsci.edu/hlsp/tica"
    with pytest.raises(InvalidQueryError, match=words):
        tesscut.get_cutouts(coordinates=COORD, product=product)
    assert server.requests == []


def test_other_products_are_refused(tesscut):
    with pytest.raises(InvalidQueryError, match='Input product must be SPOC, not "QLP"'):
        tesscut.download_cutouts(coordinates=COORD, product="QLP")


def test_units_are_ignored_with_a_warning(server, tesscut, tmp_path):
    with pytest.warns(AstropyDeprecationWarning, match='"units" is ignored.*size as a Quantity'):
        tesscut.download_cutouts(coordinates=COORD, sector=9, units="furlong", path=tmp_path)

    assert server.asked(ASTROCUT)[0].parameters["units"] == "px"


def test_type_of_a_moving_target_is_ignored_with_a_warning_for_a_fixed_one(tesscut):
    with pytest.warns(InputWarning, match="mt_type is for moving targets only") as said:
        tesscut.get_sectors(coordinates=COORD, mt_type="smallbody")
    assert said[0].filename == __file__


def test_arguments_are_checked_before_anything_is_sent(server, tesscut, tmp_path):
    with pytest.raises(SizeError, match="A cutout of 0 pixels"):
        tesscut.get_cutouts(object_name="M104", size=0)
    with pytest.raises(InvalidQueryError, match="no sector 0"):
        tesscut.download_cutouts(object_name="M104", sector=0, path=tmp_path / "new")
    with pytest.raises(InvalidQueryError, match="radius is -1"):
        tesscut.get_sectors(object_name="M104", radius=-1)
    with pytest.raises(InvalidQueryError, match="Only one of object_name and coordinates"):
        tesscut.get_sectors(object_name="M104", coordinates=COORD)
    assert server.requests == []
    assert not (tmp_path / "new").exists()


def test_arguments_are_named_ones_only(tesscut):
    with pytest.raises(TypeError, match="positional argument"):
        tesscut.get_sectors(COORD)


def test_default_session_follows_the_environment_at_first_use(server, monkeypatch):
    fresh = TesscutClass()
    monkeypatch.setenv("SKYSTAMP_MAST_URL", server.url)
    monkeypatch.setenv("SKYSTAMP_RESOLVER_URL", server.url)

    assert len(fresh.get_sectors(object_name="M104")) == 2
    assert fresh.session is fresh.session
    fresh.session.close()
