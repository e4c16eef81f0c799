"""The simulated resolver answers in SANTA's shape, with the positions that SANTA gave."""

import csv
import json
import math
from pathlib import Path

import astroquery.mast
import pytest
from astropy.coordinates import SkyCoord

from demo_sky.names import RESOLVERS, named_objects, normalise, resolve
from demo_sky.sky.catalogue import stars_in_cone
from demo_sky.sky.targets import FIRST_OWN_NUMBER, targets
from demo_sky.tess.geometry import find_pointings

# A reply of September 2025, which astroquery's wheel brings along.
REAL_REPLY = Path(astroquery.mast.__file__).parent / "tests/data/resolver.json"
FACTS = Path(__file__).parents[3] / "shared/data/facts/targets.csv"

ALWAYS_THERE = {
    "searchString",
    "resolver",
    "cached",
    "resolverTime",
    "searchRadius",
    "canonicalName",
    "ra",
    "decl",
}


def matches(*names, **options):
    return resolve(names, **options)["resolvedCoordinate"]


def only(name, **options):
    (match,) = matches(name, **options)
    return match


@pytest.fixture(scope="module")
def real_matches():
    return json.loads(REAL_REPLY.read_text("utf-8"))["resolvedCoordinate"]


def test_a_real_reply_comes_out_but_for_what_depends_on_the_hour(real_matches):
    names = list(dict.fromkeys(match["searchString"] for match in real_matches))
    passing = {"cached", "resolverTime", "cacheDate"}

    ours = matches(*names, resolve_all=True)

    assert [{k: v for k, v in match.items() if k not in passing} for match in ours] == [
        {k: v for k, v in match.items() if k not in passing} for match in real_matches
    ]
    for match in ours:
        assert set(match) >= ALWAYS_THERE
        assert isinstance(match["cached"], bool)
        assert isinstance(match["resolverTime"], int)


def test_a_reply_has_two_parts():
    assert set(resolve(["M1"])) == {"resolvedCoordinate", "status"}
    assert resolve(["M1"])["status"] == ""


@pytest.mark.parametrize(
    ("name", "ra", "dec"),
    [
        ("TIC 307210830", 124.531756290083, -68.3129998725044),
        ("M1", 83.6324, 22.0174),
        ("M101", 210.802429, 54.34875),
        ("M103", 23.339, 60.659),
        ("M8", 270.904, -24.387),
        ("M10", 254.28771, -4.10031),
        ("Barnard's Star", 269.4520769586187, 4.6933649665767),
        ("TIC 141914082", 94.6175354, -72.04484622),
        ("Pi Mensae", 84.2911951861308, -80.46912070924),
        ("TIC 261136679", 84.2911879979852, -80.4691197969941),
    ],
)
def test_recorded_positions_are_given(name, ra, dec):
    match = only(name)

    assert (match["ra"], match["decl"]) == (ra, dec)
    assert match["searchString"] == name.lower()


@pytest.mark.parametrize(
    "name",
    [
        "Pi Mensae",
        "pi men",
        "PI MEN",
        " Pi  Mensae ",
        "pi. Men",
        "HD 39091",
        "hd39091",
        "TOI-144",
        "toi 144",
    ],
)
def test_spelling_does_not_matter(name):
    assert only(name)["canonicalName"] == "* pi. Men"


@pytest.mark.parametrize("name", ["TIC 261136679", "tic261136679", "TIC261136679", "tic-261136679"])
def test_a_tic_number_is_answered_by_the_tic(name):
    match = only(name)

    assert match["resolver"] == "TIC"
    assert match["canonicalName"] == "TIC 261136679"
    # astroquery and our client find a name's matches by this.
    assert match["searchString"] == name.lower()


def test_without_a_choice_the_first_resolver_answers():
    assert only("M101")["resolver"] == "SIMBAD"
    assert [match["resolver"] for match in matches("M101", resolve_all=True)] == [
        "SIMBAD",
        "SIMBADCFA",
        "NED",
    ]


def test_a_chosen_resolver_answers_alone():
    assert only("M101", resolvers=["NED"])["ra"] == 210.80227
    assert only("m101", resolvers=["ned"])["decl"] == 54.34895
    assert matches("Barnard's Star", resolvers=["NED"]) == []
    both = matches("TIC 307210830", resolvers=["SIMBAD", "TIC"])
    assert [match["resolver"] for match in both] == ["TIC", "SIMBAD"]


def test_resolvers_can_mean_different_objects():
    # From astroquery's remote tests.
    assert only("jw100", resolvers=["NED"])["ra"] == 354.10436
    assert only("jw100", resolvers=["SIMBAD"])["ra"] == 83.70341477


def test_several_names_are_answered_in_their_order_without_the_unknown():
    found = matches("M8", "no such thing", "M1")

    assert [match["searchString"] for match in found] == ["m8", "m1"]


@pytest.mark.parametrize(
    "name", ["Eleonora", "Ceres", "invalid", "", "   ", "TIC", "TIC 1", "TIC 99999999999999999"]
)
def test_unknown_names_and_moving_targets_are_not_resolved(name):
    assert resolve([name], resolve_all=True)["resolvedCoordinate"] == []


def test_m104_was_observed():
    match = only("M104")

    assert find_pointings(match["ra"], match["decl"])


def test_the_briefs_tic_star_is_in_its_sectors():
    match = only("TIC 32449963")

    found = [(p.sector, p.camera, p.ccd) for p in find_pointings(match["ra"], match["decl"])]

    assert found[0] == (10, 1, 4)
    assert 37 in [sector for sector, _camera, _ccd in found]
    assumed = [known for known in named_objects() if "TIC 32449963" in known.names]
    assert len(assumed) == 1


def test_every_real_star_of_the_sky_is_known_by_name_and_number():
    for target in targets():
        match = only(target.name)
        here = SkyCoord(match["ra"], match["decl"], unit="deg")
        # Names give J2000; the planet hosts' stars stand where they were in 2015.5.
        move_arcsec = 0.0
        if math.isfinite(target.pm_ra):
            move_arcsec = math.hypot(target.pm_ra, target.pm_dec) * 15.5 / 1000.0
        apart = here.separation(SkyCoord(target.ra, target.dec, unit="deg")).arcsec
        assert apart == pytest.approx(move_arcsec, abs=0.2)
        numbered = only(f"TIC {target.tic}")
        assert numbered["resolver"] == "TIC"


def test_every_collected_host_star_is_known_by_its_numbers():
    if not FACTS.exists():
        pytest.skip("the collected facts are not beside this checkout")
    with FACTS.open(encoding="utf-8", newline="") as lines:
        hosts = [row for row in csv.DictReader(lines) if row["tic"] and row["verified"] == "yes"]

    for host in hosts:
        match = only(f"TIC {host['tic']}")
        here = SkyCoord(match["ra"], match["decl"], unit="deg")
        there = SkyCoord(float(host["ra_deg"]), float(host["dec_deg"]), unit="deg")
        # LHS 3844 and its like move by up to 17 arcsec between the two epochs.
        assert here.separation(there).arcsec < 20.0
        if host["toi"]:
            assert only(f"TOI-{host['toi'].partition('.')[0]}")["resolver"] == "SIMBAD"


def test_a_star_of_the_simulated_field_is_known_by_its_number():
    field = stars_in_cone(107.18696, -70.50919, 0.05)
    index = int(field.simulated.argmax())
    number = int(field.tic[index])
    assert number >= FIRST_OWN_NUMBER

    match = only(f"TIC {number}")

    assert match["canonicalName"] == f"TIC {number}"
    assert (match["ra"], match["decl"]) == (field.ra[index], field.dec[index])
    assert matches(f"TIC {number}", resolvers=["SIMBAD"]) == []


def test_names_are_compared_without_capitals_blanks_and_hyphens():
    assert normalise(" WASP-18 b") == normalise("wasp 18B") == "wasp18b"


def test_the_table_names_only_known_resolvers_and_no_name_twice():
    seen = set()
    for known in named_objects():
        assert known.resolver in RESOLVERS
        for key in {normalise(name) for name in known.names}:
            assert (known.resolver, key) not in seen
            seen.add((known.resolver, key))
