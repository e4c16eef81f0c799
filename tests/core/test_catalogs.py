import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cutout_core.errors import InvalidQueryError, ServiceError, UnexpectedReplyError
from cutout_core.mast import catalogs
from cutout_core.mast.catalogs import (
    TicStar,
    describe_neighbourhood,
    star_neighbourhood,
    stars_near,
)
from cutout_core.mast.session import MastSession
from tests.core.recording_server import RecordingServer, json_answer

INVOKE = "/api/v0/invoke"
RA, DEC = 84.2911951861308, -80.46912070924


def row(tic: int, north_arcsec: float, **facts: Any) -> dict[str, Any]:
    """An entry so far north of (RA, DEC); what is not known is null."""
    known = {"ID": str(tic), "ra": RA, "dec": DEC + north_arcsec / 3600, "objType": "STAR"}
    unknown = dict.fromkeys(("Tmag", "Teff", "rad", "d", "disposition", "version"))
    return unknown | known | facts


def complete(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"status": "COMPLETE", "msg": "", "data": list(rows), "fields": [], "paging": {}}


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


@pytest.fixture
def session(server: RecordingServer) -> Iterator[MastSession]:
    with MastSession(server.url, server.url) as opened:
        yield opened


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogs, "_POLL_S", 0.02)
    monkeypatch.setattr(catalogs, "_PATIENCE_S", 0.5)


def real_reply() -> dict[str, Any]:
    """A recorded cone of MAST that astroquery ships with its tests."""
    spec = importlib.util.find_spec("astroquery")
    assert spec is not None
    assert spec.submodule_search_locations
    folder = Path(spec.submodule_search_locations[0])
    return json.loads((folder / "mast" / "tests" / "data" / "tic.json").read_text())


def test_cone_is_asked_for_in_degrees_by_form(server, session):
    server.answer(INVOKE, json_answer(complete()))

    assert stars_near(session, RA, DEC, 0.02) == []

    (request,) = server.requests
    name, _, value = request.body.decode().partition("=")
    from urllib.parse import unquote_plus

    asked = json.loads(unquote_plus(value))
    assert (request.method, name) == ("POST", "request")
    assert asked["service"] == "Mast.Catalogs.TIC.Cone"
    assert asked["params"] == {"ra": RA, "dec": DEC, "radius": 0.02}
    assert (asked["format"], asked["page"], asked["pagesize"]) == ("json", 1, 50_000)


def test_real_reply_of_mast_is_read(server, session):
    real = real_reply()
    server.answer(INVOKE, json_answer(real))
    first = real["data"][0]

    found = stars_near(session, first["ra"], first["dec"], 0.02)

    assert len(found) == len(real["data"]) == 7
    assert found[0] == TicStar(
        tic=10000732589,
        ra=254.378937,
        dec=-4.09411,
        separation_arcsec=0.0,
        tmag=16.328,
        teff_k=None,
        radius_rsun=None,
        distance_pc=None,
        is_extended=True,
    )
    assert found[0].name == "TIC 10000732589"
    assert [s.separation_arcsec for s in found] == sorted(s.separation_arcsec for s in found)


def test_nearest_star_comes_first_with_all_that_is_known(server, session):
    pi_men = row(261136679, 1.5, Tmag=5.1054, Teff=5870.0, rad=1.14, d=18.28)
    server.answer(INVOKE, json_answer(complete(row(2, 30.0), pi_men)))

    nearest, other = stars_near(session, RA, DEC, 0.02)

    assert (nearest.tic, other.tic) == (261136679, 2)
    assert nearest.separation_arcsec == pytest.approx(1.5)
    assert nearest.facts == "Tmag 5.1, 5,870 K, 1.1 solar radii, 18.3 pc"
    assert other.facts == "nothing else known"


def test_entries_that_stand_for_no_star_are_left_out(server, session):
    rows = [
        row(i, i, disposition=word) for i, word in enumerate(["DUPLICATE", "ARTIFACT", "SPLIT"])
    ]
    server.answer(INVOKE, json_answer(complete(*rows, row(9, 9.0), {"ID": "x"}, {"ID": "8"}, 5)))

    assert [star.tic for star in stars_near(session, RA, DEC, 0.02)] == [9]


def test_simulated_star_is_known_as_one(server, session):
    server.answer(INVOKE, json_answer(complete(row(1, 0, version="simulated"), row(2, 1))))

    assert [star.is_simulated for star in stars_near(session, RA, DEC, 0.02)] == [True, False]


def test_query_that_still_runs_is_asked_for_again(server, session):
    server.answer(
        INVOKE,
        json_answer({"status": "EXECUTING"}),
        json_answer({"status": "EXECUTING"}),
        json_answer(complete(row(1, 0.0))),
    )

    assert len(stars_near(session, RA, DEC, 0.02)) == 1
    assert len(server.requests) == 3


def test_query_that_never_ends_is_given_up(server, session):
    server.answer(INVOKE, json_answer({"status": "EXECUTING"}))

    with pytest.raises(ServiceError, match=r"without an answer\. This is not your fault"):
        stars_near(session, RA, DEC, 0.02)


def test_error_of_the_query_is_passed_on(server, session):
    server.answer(INVOKE, json_answer({"status": "ERROR", "msg": "No\n such table", "data": []}))

    with pytest.raises(ServiceError, match=r"try again later\. It says: No such table"):
        stars_near(session, RA, DEC, 0.02)


@pytest.mark.parametrize(
    "reply", [{}, {"status": "COMPLETE"}, {"status": "COMPLETE", "data": {}}, {"status": 5}]
)
def test_reply_of_unknown_form_is_the_fault_of_the_service(reply, server, session):
    server.answer(INVOKE, json_answer(reply))

    with pytest.raises(UnexpectedReplyError, match="list of stars of an unknown form"):
        stars_near(session, RA, DEC, 0.02)


@pytest.mark.parametrize(
    ("ra", "dec", "radius"),
    [(1, 91, 0.1), (400, 0, 0.1), (1, 2, 3), (1, 2, -1), (float("nan"), 1, 1)],
)
def test_impossible_cone_is_refused_before_anything_is_sent(ra, dec, radius, server, session):
    with pytest.raises(InvalidQueryError, match="cannot be looked up around RA"):
        stars_near(session, ra, dec, radius)
    assert server.requests == []


def star(tic: int, north_arcsec: float, tmag: float | None) -> TicStar:
    return TicStar(tic, RA, DEC + north_arcsec / 3600, abs(north_arcsec), tmag, 5000.0, None, None)


def test_neighbourhood_names_the_star_and_what_outshines_it():
    stars = [star(1, 2.0, 12.0), star(2, 20.0, 13.0), star(3, 30.0, 9.0), star(4, -50.0, 10.0)]

    found = describe_neighbourhood(stars)

    assert found.star == stars[0]
    assert [s.tic for s in found.brighter] == [3, 4]
    assert found.words == (
        "The nearest star is 2.0 arcsec away, TIC 1: Tmag 12.0, 5,000 K. 2 brighter stars are "
        "within an arcmin, the nearest TIC 3, 28 arcsec off: its light reaches into the same "
        "pixels."
    )


def test_target_with_a_number_is_that_star_and_not_the_nearest():
    found = describe_neighbourhood([star(1, 1.0, 15.0), star(2, 3.0, 8.0)], tic=2)

    assert found.star is not None
    assert found.star.tic == 2
    assert found.words == "TIC 2: Tmag 8.0, 5,000 K."


def test_neighbours_are_counted_from_the_star_and_not_from_the_position():
    # 59 arcsec from the position, and 64 from the star.
    stars = [star(1, 5.0, 12.0), star(2, -59.0, 9.0)]

    assert describe_neighbourhood(stars).brighter == ()


def test_one_brighter_star_is_one():
    words = describe_neighbourhood([star(1, 0.0, 12.0), star(2, 21.0, 9.0)]).words

    assert "A brighter star is within an arcmin, the nearest TIC 2, 21 arcsec off" in words


def test_star_of_unknown_brightness_is_outshone_by_any_known_one():
    stars = [star(1, 0.0, None), star(2, 21.0, 15.0), star(3, 30.0, None)]

    assert [s.tic for s in describe_neighbourhood(stars).brighter] == [2]


@pytest.mark.parametrize("stars", [[], [star(1, 61.0, 5.0)]])
def test_empty_sky_is_said_to_be_empty(stars):
    found = describe_neighbourhood(stars)

    assert (found.star, found.brighter) == (None, ())
    assert found.words == "The TESS Input Catalog has no star within an arcmin."


def test_neighbourhood_is_asked_for_with_room_for_the_neighbours_of_the_farthest(server, session):
    server.answer(INVOKE, json_answer(complete(row(7, 1.0, Tmag=10.0))))

    found = star_neighbourhood(session, RA, DEC, tic=7)

    assert found.words == "TIC 7: Tmag 10.0."
    assert b"0.0333" in server.requests[0].body
