import json
import math
from collections.abc import Iterator
from pathlib import Path

import astroquery.mast
import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given
from hypothesis import strategies as st

from cutout_core.errors import (
    InputWarning,
    InvalidQueryError,
    ResolverError,
    ServiceError,
    UnexpectedReplyError,
)
from cutout_core.mast.resolver import (
    Match,
    describe_object_type,
    resolve_all,
    resolve_name,
    resolve_names,
    separation_arcsec,
)
from cutout_core.mast.session import MastSession
from tests.core.recording_server import Answer, Recorded, RecordingServer, json_answer

PATH = "/Santa-war/query"

# A real reply to eight names at once; astroquery's wheel brings the same one.
REAL = Path(astroquery.mast.__file__).parent / "tests" / "data" / "resolver.json"


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        running.answer(PATH, real_santa)
        yield running


@pytest.fixture
def session(server: RecordingServer) -> Iterator[MastSession]:
    with MastSession(server.url, server.url) as opened:
        yield opened


def real_santa(request: Recorded) -> Answer:
    """Answer from the real reply: the names and resolvers asked for, all or the first of each."""
    names = [value.lower() for key, value in request.query if key == "name"]
    resolvers = {value for key, value in request.query if key == "resolver"}
    entries = [
        entry
        for entry in json.loads(REAL.read_text())["resolvedCoordinate"]
        if entry["searchString"] in names and (not resolvers or entry["resolver"] in resolvers)
    ]
    if request.parameters["resolveAll"] == "False" and not resolvers:
        entries = list({e["searchString"]: e for e in reversed(entries)}.values())
    return json_answer({"resolvedCoordinate": entries, "status": ""})


def entry(**changes) -> dict:
    return {
        "searchString": "x",
        "resolver": "SIMBAD",
        "canonicalName": "X 1",
        "ra": 10.0,
        "decl": -20.0,
    } | changes


def test_name_is_resolved_by_the_first_that_knows_it(session):
    match = resolve_name(session, "Barnard's Star")

    assert match == Match(
        search_text="Barnard's Star",
        canonical_name="NAME Barnard's star",
        ra=269.4520769586187,
        dec=4.6933649665767,
        resolver="SIMBAD",
        object_type="BYDraV*",
    )


def test_extended_object_has_its_radius(session):
    match = resolve_name(session, "M101")

    assert (match.ra, match.dec, match.radius_deg) == (210.802429, 54.34875, 0.18233333333333332)


def test_chosen_resolver_answers(session):
    match = resolve_name(session, "M101", resolver="ned")

    assert (match.resolver, match.ra, match.dec) == ("NED", 210.80227, 54.34895)


@pytest.mark.parametrize(
    ("call", "query"),
    [
        pytest.param(
            lambda s: resolve_name(s, "M101"),
            [("outputFormat", "json"), ("resolveAll", "False"), ("name", "M101")],
            id="name",
        ),
        pytest.param(
            lambda s: resolve_name(s, "M101", resolver="NED"),
            [
                ("outputFormat", "json"),
                ("resolveAll", "False"),
                ("resolver", "NED"),
                ("name", "M101"),
            ],
            id="resolver",
        ),
        pytest.param(
            lambda s: resolve_name(s, "TIC 307210830", resolver="SIMBAD"),
            [
                ("outputFormat", "json"),
                ("resolveAll", "False"),
                ("resolver", "SIMBAD"),
                ("resolver", "TIC"),
                ("name", "TIC 307210830"),
            ],
            id="resolver of a TIC number",
        ),
        pytest.param(
            lambda s: resolve_all(s, "TIC 307210830"),
            [("outputFormat", "json"), ("resolveAll", "True"), ("name", "TIC 307210830")],
            id="all",
        ),
        pytest.param(
            lambda s: resolve_names(s, ["M1", "M8"]),
            [
                ("outputFormat", "json"),
                ("resolveAll", "False"),
                ("name", "M1"),
                ("name", "M8"),
            ],
            id="several names",
        ),
    ],
)
def test_request_is_the_one_that_astroquery_sends(call, query, server, session, recorded_requests):
    call(session)

    (request,) = server.requests
    assert request.method == "GET"
    assert request.query == query
    if recorded_requests:
        assert [list(pair) for pair in query] in [
            r["query"] for r in recorded_requests if r["path"] == PATH
        ]


@pytest.fixture
def recorded_requests(pytestconfig) -> list[dict]:
    witness = pytestconfig.rootpath.parent / "shared/reference/contract/recorded_requests_main.json"
    return json.loads(witness.read_text())["requests"] if witness.exists() else []


def test_blanks_around_and_inside_a_name_are_squeezed(server, session):
    server.answer(PATH, json_answer({"resolvedCoordinate": [entry(searchString="pi mensae")]}))

    match = resolve_name(session, "  Pi   Mensae ")

    assert server.requests[0].parameters["name"] == "Pi Mensae"
    assert match.search_text == "Pi Mensae"


def test_all_resolvers_answer_in_their_order(session):
    matches = resolve_all(session, "TIC 307210830")

    assert [(m.resolver, m.canonical_name) for m in matches] == [
        ("TIC", "TIC 307210830"),
        ("SIMBAD", "L 98-59"),
        ("SIMBADCFA", "L 98-59"),
    ]


def test_several_names_give_matches_and_failures(session):
    found = resolve_names(session, ["M8", "Nobody", "m10", "", "M8"])

    assert list(found) == ["M8", "Nobody", "m10", ""]
    assert found["Nobody"] is None
    assert found[""] is None
    assert (found["M8"].ra, found["m10"].canonical_name) == (270.904, "M 10")


def test_thirty_names_go_into_a_request(server, session):
    names = [f"HD {i}" for i in range(65)]
    server.answer(
        PATH,
        lambda request: json_answer(
            {
                "resolvedCoordinate": [
                    entry(searchString=value.lower(), ra=float(value[3:]))
                    for key, value in request.query
                    if key == "name"
                ]
            }
        ),
    )

    found = resolve_names(session, names)

    assert [len([k for k, _ in r.query if k == "name"]) for r in server.requests] == [30, 30, 5]
    assert [match.ra for match in found.values()] == [float(i) for i in range(65)]


def test_no_names_are_no_request(server, session):
    assert resolve_names(session, []) == {}
    assert server.requests == []


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param({"resolvedCoordinate": [], "status": ""}, id="empty"),
        pytest.param({"resolvedCoordinate": None}, id="null"),
        pytest.param({"status": ""}, id="absent"),
        pytest.param({}, id="nothing at all"),
    ],
)
def test_unknown_name_is_a_resolver_error_with_a_next_step(reply, server, session):
    server.answer(PATH, json_answer(reply))

    words = (
        'Could not resolve "Eleonora" to a sky position. Check the spelling, or give '
        "coordinates.*Asteroids and comets have no fixed position"
    )
    with pytest.raises(ResolverError, match=words):
        resolve_name(session, "Eleonora")
    with pytest.raises(ResolverError, match='Could not resolve "Eleonora" to a sky position'):
        resolve_all(session, "Eleonora")
    assert resolve_names(session, ["Eleonora"]) == {"Eleonora": None}


def test_name_that_the_chosen_resolver_does_not_know_is_an_error_that_says_so(session):
    words = (
        'Could not resolve "Barnard\'s Star" to a sky position using resolver "NED". '
        "Try another resolver"
    )
    with pytest.raises(ResolverError, match=words):
        resolve_name(session, "Barnard's Star", resolver="NED")


def test_resolver_that_does_not_exist_is_refused_with_those_that_do(server, session):
    words = (
        'no name resolver "VIZIER". Choose one of '
        "TIC, KEPLER, K2, DADS, EXO, SIMBAD, SIMBADCFA, NED"
    )
    with pytest.raises(InvalidQueryError, match=words):
        resolve_name(session, "M1", resolver="VIZIER")
    assert server.requests == []


def test_catalogue_star_that_a_resolver_puts_elsewhere_gives_a_warning(server, session):
    # 0.001 deg of declination are 3.6 arcsec.
    server.answer(
        PATH,
        json_answer(
            {
                "resolvedCoordinate": [
                    entry(searchString="kic 7", resolver="KEPLER", decl=-20.001),
                    entry(searchString="kic 7", resolver="SIMBAD"),
                ]
            }
        ),
    )

    with pytest.warns(InputWarning, match='SIMBAD puts "KIC 7" 3.6 arcsec away .*KEPLER') as said:
        match = resolve_name(session, "KIC 7", resolver="SIMBAD")

    assert (match.resolver, match.dec) == ("SIMBAD", -20.0)
    assert match.note == str(said[0].message)
    assert said[0].filename == __file__


def test_catalogue_star_within_an_arcsecond_gives_no_warning(session):
    # L 98-59: TIC and SIMBAD differ by 0.007 arcsec in the real reply.
    match = resolve_name(session, "TIC 307210830", resolver="SIMBAD")

    assert match.resolver == "SIMBAD"
    assert match.note is None


def test_catalogue_asked_for_itself_is_asked_once(server, session):
    match = resolve_name(session, "TIC 307210830", resolver="TIC")

    assert match.resolver == "TIC"
    assert [v for k, v in server.requests[0].query if k == "resolver"] == ["TIC"]


def test_single_name_is_found_however_the_service_spells_it(server, session):
    server.answer(PATH, json_answer({"resolvedCoordinate": [entry(searchString="barnards star")]}))

    assert resolve_name(session, "Barnard’s Star").canonical_name == "X 1"


def test_numbers_that_come_as_text_are_read(server, session):
    server.answer(PATH, json_answer({"resolvedCoordinate": [entry(ra="10.5", decl="-20.25")]}))

    match = resolve_name(session, "X")

    assert (match.ra, match.dec) == (10.5, -20.25)


def test_missing_fields_are_none(server, session):
    server.answer(
        PATH, json_answer({"resolvedCoordinate": [{"searchString": "x", "ra": 1, "decl": 2}]})
    )

    assert resolve_name(session, "X") == Match("X", "X", 1.0, 2.0, "unknown")


@pytest.mark.parametrize(
    "position",
    [
        {"ra": None},
        {"decl": "north"},
        {"ra": 400.0},
        {"decl": -91.0},
        {"ra": "NaN"},
        {"decl": [1]},
    ],
)
def test_match_without_a_usable_position_is_no_match(position, server, session):
    server.answer(PATH, json_answer({"resolvedCoordinate": [entry(**position), entry(ra=7.0)]}))
    assert resolve_name(session, "X").ra == 7.0

    server.answer(PATH, json_answer({"resolvedCoordinate": [entry(**position)]}))
    with pytest.raises(UnexpectedReplyError, match='knows "X", but sent no usable position'):
        resolve_name(session, "X")


@pytest.mark.parametrize("entries", ["text", {"a": 1}, [1, 2], [None]])
def test_list_of_unknown_form_is_the_fault_of_the_service(entries, server, session):
    server.answer(PATH, json_answer({"resolvedCoordinate": entries}))

    with pytest.raises(UnexpectedReplyError, match="list of unknown form"):
        resolve_name(session, "X")


def test_failure_of_the_resolver_is_a_service_error(server, session):
    server.answer(PATH, Answer(status=500))

    with pytest.raises(ServiceError, match="status 500"):
        resolve_name(session, "X")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("HighPM*", "high proper-motion star"),
        ("PM*", "high proper-motion star"),
        ("BYDraV*", "BY Draconis variable"),
        ("SNRemnant", "supernova remnant"),
        ("SNR", "supernova remnant"),
        ("GinPair", "galaxy in a pair"),
        ("OpenCluster", "open cluster"),
        ("GlobCluster", "globular cluster"),
        ("G", "galaxy"),
        ("*Cl", "star cluster"),
        ("Neb", "nebula"),
        ("*", "star"),
        ("WhiteDwarf_Candidate", "white dwarf (candidate)"),
        ("EB?", "eclipsing binary (candidate)"),
        ("Planet?", "planet (candidate)"),
        ("New?", "New?"),
        ("NewThing", "NewThing"),
        (None, None),
        ("", None),
    ],
)
def test_kind_of_object_is_put_in_words(code, words):
    assert describe_object_type(code) == words


def test_every_kind_in_the_real_reply_has_words():
    codes = {
        e["objectType"]
        for e in json.loads(REAL.read_text())["resolvedCoordinate"]
        if "objectType" in e
    }

    assert len(codes) > 5
    assert not [code for code in codes if describe_object_type(code) == code]


@given(st.floats(0, 360), st.floats(-90, 90), st.floats(-1, 1), st.floats(-1, 1), st.floats(-6, 0))
def test_separation_agrees_with_astropy(ra, dec, east, north, scale):
    ra2 = (ra + east * 10**scale) % 360
    dec2 = max(-90.0, min(90.0, dec + north * 10**scale))
    expected = SkyCoord(ra, dec, unit="deg").separation(SkyCoord(ra2, dec2, unit="deg")).arcsec

    assert math.isclose(separation_arcsec(ra, dec, ra2, dec2), expected, rel_tol=1e-7, abs_tol=1e-6)
