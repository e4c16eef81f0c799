import re
from collections.abc import Iterator
from typing import Any

import pytest

from cutout_core.errors import ResolverError, TargetError
from cutout_core.mast.resolver import Match
from cutout_core.mast.session import MastSession
from cutout_core.matching import (
    describe_angle,
    describe_disagreement,
    find_alternatives,
    match_target,
    target_of,
)
from tests.core.recording_server import RecordingServer, json_answer

SANTA = "/Santa-war/query"


def entry(name: str, resolver: str, ra: float, dec: float, **more: Any) -> dict[str, Any]:
    return {
        "searchString": name.lower(),
        "resolver": resolver,
        "canonicalName": name.upper(),
        "ra": ra,
        "decl": dec,
        **more,
    }


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        running.answer(SANTA, json_answer({"resolvedCoordinate": []}))
        yield running


@pytest.fixture
def session(server: RecordingServer) -> Iterator[MastSession]:
    with MastSession(server.url, server.url) as opened:
        yield opened


def test_position_needs_no_look_up(server, session):
    target = match_target(session, "84.2911951861308 -80.46912070924")

    assert server.requests == []
    assert (target.label, target.resolver) == ("84.29120 -80.46912", None)
    assert target.constellation == "Mensa"


def test_name_is_matched_with_what_the_resolver_says(server, session):
    pi_men = entry("pi Men", "SIMBAD", 84.2911951861308, -80.46912070924, objectType="HighPM*")
    server.answer(SANTA, json_answer({"resolvedCoordinate": [pi_men]}))

    target = match_target(session, "pi Men", resolver="simbad")

    assert server.requests[0].parameters["resolver"] == "SIMBAD"
    assert (target.canonical_name, target.object_type) == ("PI MEN", "high proper-motion star")
    assert target.decimal == "84.29120 -80.46912"
    assert target.sexagesimal == "05h37m09.9s -80°28'08.8\""


@pytest.mark.parametrize(
    ("ra", "dec", "lon", "lat"),
    [
        # ESA 1997, The Hipparcos Catalogue, section 1.5.3: the north galactic pole, and the
        # longitude of the north celestial pole, whose latitude is the declination of the former.
        (192.85948, 27.12825, None, 90.0),
        (0.0, 90.0, 122.93192, 27.12825),
    ],
)
def test_galactic_position_is_given_in_degrees(ra, dec, lon, lat):
    place = target_of(Match("", "", ra, dec, "SIMBAD"), "x").galactic

    numbers = re.fullmatch(r"l = (\d+\.\d{4}), b = ([+-]\d+\.\d{4})", place)
    assert numbers is not None
    assert float(numbers[2]) == pytest.approx(lat, abs=2e-4)
    assert lon is None or float(numbers[1]) == pytest.approx(lon, abs=2e-4)


@pytest.mark.parametrize(
    ("text", "moving_name", "words"),
    [
        ("Ceres", "Ceres", 'resolve "Ceres" .* the dwarf planet 1 Ceres, which moves'),
        ("Eleonora", "Eleonora", "the asteroid 354 Eleonora, which moves"),
        ("433 Eros", "Eros", "the asteroid 433 Eros"),
        ("C/2020 F3", "C/2020 F3", r"the comet C/2020 F3 \(NEOWISE\)"),
        ("C/2031 A1", "C/2031 A1", "the designation of a comet, which moves"),
        ("2024 YR4", "2024 YR4", "the designation of an asteroid, .* as a moving target"),
        ("Jupiter", "Jupiter", "the planet Jupiter"),
    ],
)
def test_unresolved_body_leads_to_the_moving_form(text, moving_name, words, session):
    with pytest.raises(ResolverError, match=words) as error:
        match_target(session, text)
    with pytest.raises(ResolverError, match=words):
        find_alternatives(session, text)

    assert error.value.moving_name == moving_name
    assert error.value.similar == ()


def test_misspelt_name_comes_with_what_may_have_been_meant(session):
    with pytest.raises(ResolverError, match=r'^Could not .* Did you mean "Pi Mensae"') as error:
        match_target(session, "Pi Mensea")

    assert error.value.similar == ("Pi Mensae",)
    assert error.value.moving_name is None


def test_unknown_name_without_likeness_keeps_its_message(session):
    with pytest.raises(ResolverError, match="Check the spelling") as error:
        match_target(session, "qwertz 12")

    assert (error.value.similar, error.value.moving_name) == ((), None)


def test_text_that_is_no_target_is_refused(session):
    with pytest.raises(TargetError, match="empty"):
        match_target(session, " ")


def test_alternatives_are_one_of_each_resolver_in_its_order(server, session):
    answers = [
        entry("M8", "SIMBAD", 270.904, -24.387),
        entry("M8", "SIMBADCFA", 270.904, -24.387),
        entry("M8", "NED", 270.9, -24.38),
        entry("M8", "NED", 10.0, 20.0),
    ]
    server.answer(SANTA, json_answer({"resolvedCoordinate": answers}))

    found = find_alternatives(session, "M8")

    assert [(m.resolver, m.ra) for m in found] == [
        ("SIMBAD", 270.904),
        ("SIMBADCFA", 270.904),
        ("NED", 270.9),
    ]
    assert server.requests[0].parameters["resolveAll"] == "True"
    assert target_of(found[2], "M8").ra == 270.9


def test_position_has_no_alternatives(server, session):
    assert find_alternatives(session, "10 20") == []
    assert server.requests == []


def at(resolver: str, arcmin: float) -> Match:
    """So far north of the equator."""
    return Match("", "", 10.0, arcmin / 60, resolver)


@pytest.mark.parametrize(
    ("matches", "words"),
    [
        ([], None),
        ([at("SIMBAD", 0)], None),
        ([at("SIMBAD", 0), at("NED", 0.16)], None),
        ([at("SIMBAD", 0), at("NED", 57.8)], "SIMBAD and NED differ by 57.8 arcmin: choose."),
        (
            [at("TIC", 0), at("SIMBAD", 0.01), at("NED", 0.2)],
            "TIC and SIMBAD differ from NED by 12.0 arcsec: choose.",
        ),
        (
            [at("SIMBAD", 0), at("DADS", 6), at("NED", 90)],
            "SIMBAD differs from DADS by 6.0 arcmin and from NED by 1.5 degrees: choose.",
        ),
    ],
)
def test_disagreement_of_resolvers_is_put_in_words(matches, words):
    assert describe_disagreement(matches) == words


@pytest.mark.parametrize(
    ("arcsec", "words"),
    [
        (0.0, "0.0 arcsec"),
        (59.94, "59.9 arcsec"),
        (59.96, "1.0 arcmin"),
        (3468.0, "57.8 arcmin"),
        (3599.0, "1.0 degrees"),
        (648_000.0, "180.0 degrees"),
    ],
)
def test_angle_is_written_in_the_unit_that_suits_it(arcsec, words):
    assert describe_angle(arcsec) == words
