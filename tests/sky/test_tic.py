"""TIC cones have MAST's shape, the simulated stars and the real ones."""

import json
from importlib import resources

import numpy as np
import pytest
import requests
from astropy.coordinates import SkyCoord
from starlette.applications import Starlette

from demo_sky import tic
from demo_sky.server import RunningServer
from demo_sky.sky.catalogue import stars_in_cone
from demo_sky.sky.targets import FIRST_OWN_NUMBER

INVOKE = "/api/v0/invoke"
# Of the real catalogue (J2000), as lightkurve's users print it: mast-api.md 5.3.
PI_MEN = {"ra": 84.2911879979852, "dec": -80.4691197969941}


@pytest.fixture(scope="module")
def url():
    with RunningServer(Starlette(routes=tic.routes()), "127.0.0.1", 0) as running:
        yield running.url


@pytest.fixture
def ask(url):
    def post(service, params, **more):
        request = {"service": service, "params": params, "format": "json", **more}
        return requests.post(url + INVOKE, data={"request": json.dumps(request)}, timeout=60).json()

    return post


def recorded():
    """Give a real reply that astroquery ships for its own tests."""
    path = resources.files("astroquery.mast.tests") / "data" / "tic.json"
    return json.loads(path.read_text("utf-8"))


@pytest.mark.parametrize("service", ["Mast.Catalogs.Tic.Cone", "Mast.Catalogs.TIC.Cone"])
def test_a_cone_has_the_fields_of_a_real_reply(ask, service):
    reply = ask(service, {**PI_MEN, "radius": 0.02})

    real = recorded()
    assert reply["status"] == "COMPLETE"
    assert set(reply) == set(real)
    # Cones add the distance to the columns of the recorded reply.
    assert reply["fields"] == [*real["fields"], {"name": "dstArcSec", "type": "float"}]
    assert set(reply["paging"]) == set(real["paging"])
    assert all(set(row) == {*real["data"][0], "dstArcSec"} for row in reply["data"])


def test_the_nearest_star_to_pi_mensae_is_pi_mensae(ask):
    row = ask("Mast.Catalogs.Tic.Cone", {**PI_MEN, "radius": 0.02})["data"][0]

    assert row["ID"] == "261136679"
    assert row["Tmag"] == 5.1054
    assert row["objType"] == "STAR"
    # The catalogue is of J2000, the star's own position in the table of J2015.5, 17 arcsec on.
    assert row["dstArcSec"] < 0.1


def test_a_real_star_is_found_though_it_has_left_the_cone(ask):
    rows = ask("Mast.Catalogs.Tic.Cone", {**PI_MEN, "radius": 1.0 / 3600.0})["data"]

    assert [row["ID"] for row in rows] == ["261136679"]


def test_simulated_stars_say_so_and_have_numbers_of_their_own(ask):
    reply = ask("Mast.Catalogs.Tic.Cone", {"ra": 10.0, "dec": 20.0, "radius": 0.1})

    stars = stars_in_cone(10.0, 20.0, 0.1)
    assert {row["ID"] for row in reply["data"]} == {str(number) for number in stars.tic}
    assert len(reply["data"]) > 3
    for row in reply["data"]:
        assert int(row["ID"]) > FIRST_OWN_NUMBER
        assert row["version"] == row["typeSrc"] == row["POSflag"] == "simulated"
        assert row["lumclass"] == ("GIANT" if row["rad"] > 4.0 else "DWARF")


def test_stars_come_nearest_first_with_true_distances(ask):
    rows = ask("Mast.Catalogs.Tic.Cone", {"ra": 359.99, "dec": 45.0, "radius": 0.15})["data"]

    centre = SkyCoord(359.99, 45.0, unit="deg")
    sky = SkyCoord([row["ra"] for row in rows], [row["dec"] for row in rows], unit="deg")
    distances = [row["dstArcSec"] for row in rows]
    assert distances == sorted(distances)
    assert distances == pytest.approx(sky.separation(centre).arcsec, abs=1e-3)
    assert [row["gallat"] for row in rows] == pytest.approx(sky.galactic.b.deg)
    # On both sides of the meridian where right ascension starts anew.
    assert min(row["ra"] for row in rows) < 1.0 < max(row["ra"] for row in rows)


def test_pages_are_parts_of_the_whole(ask):
    cone = {"ra": 10.0, "dec": 20.0, "radius": 0.1}
    whole = ask("Mast.Catalogs.Tic.Cone", cone)

    pages = [ask("Mast.Catalogs.Tic.Cone", cone, pagesize=4, page=page) for page in (1, 2)]

    assert [row["ID"] for page in pages for row in page["data"]] == [
        row["ID"] for row in whole["data"][:8]
    ]
    paging = pages[0]["paging"]
    assert paging["rowsTotal"] == len(whole["data"])
    assert paging["pagesFiltered"] == int(np.ceil(len(whole["data"]) / 4))


def test_an_empty_cone_is_complete_and_empty(ask):
    reply = ask("Mast.Catalogs.Tic.Cone", {"ra": 10.0, "dec": 20.0, "radius": 1e-6})

    assert (reply["status"], reply["data"]) == ("COMPLETE", [])
    assert reply["paging"]["rowsTotal"] == 0


@pytest.mark.parametrize(
    ("service", "params", "words"),
    [
        ("Mast.Catalogs.Tic.Cone", {"dec": 20.0}, "The parameter ra is missing."),
        ("Mast.Catalogs.Tic.Cone", {"ra": "x", "dec": 20.0}, "ra is not a number"),
        ("Mast.Catalogs.Tic.Cone", {"ra": 1.0, "dec": 95.0}, "dec is outside"),
        ("Mast.Catalogs.Tic.Cone", {"ra": 1, "dec": 2, "radius": 20}, "between 0 and 2 degrees"),
        ("Mast.Caom.Cone", {"ra": 1, "dec": 2}, "no service 'Mast.Caom.Cone'"),
        ("Mast.Catalogs.Tic.Cone", [1, 2], "not a JSON object"),
    ],
)
def test_a_request_that_cannot_be_answered_says_why(ask, service, params, words):
    reply = ask(service, params)

    assert reply["status"] == "ERROR"
    assert words in reply["msg"]


@pytest.mark.parametrize(
    ("body", "words"),
    [({}, "request is missing"), ({"request": "{"}, "not JSON"), ({"request": "[]"}, "not a JSON")],
)
def test_a_request_that_is_none_says_why(url, body, words):
    reply = requests.post(url + INVOKE, data=body, timeout=60).json()

    assert reply["status"] == "ERROR"
    assert words in reply["msg"]


def test_the_older_name_lookup_answers_as_the_resolver_does(ask):
    reply = ask("Mast.Name.Lookup", {"input": "M101", "format": "json"})

    (match,) = reply["resolvedCoordinate"]
    assert match["searchString"] == "m101"
    assert (match["ra"], match["decl"]) == pytest.approx((210.802, 54.349), abs=0.001)


def test_the_older_name_lookup_finds_nothing_for_nonsense(ask):
    assert ask("Mast.Name.Lookup", {"input": "nosuchthing"})["resolvedCoordinate"] == []


def test_astroquery_reads_the_cone(url, monkeypatch):
    from astroquery.mast import Catalogs

    portal = Catalogs._portal_api_connection
    monkeypatch.setattr(portal, "MAST_REQUEST_URL", url + INVOKE)
    columns = url + "/portal/Mashup/Mashup.asmx/columnsconfig"
    monkeypatch.setattr(portal, "COLUMNS_CONFIG_URL", columns)
    monkeypatch.setattr(portal, "_column_configs", {})
    monkeypatch.setattr(portal, "PAGESIZE", 5)
    centre = SkyCoord(10.0, 20.0, unit="deg")

    table = Catalogs.query_region(centre, radius="0.1 deg", catalog="TIC")

    assert list(table["ID"]) == [str(n) for n in _nearest_first(10.0, 20.0, 0.1)]
    assert table["Tmag"].dtype.kind == "f"
    assert np.all(np.isnan(np.ma.filled(table["Vmag"], np.nan)))


def _nearest_first(ra, dec, radius):
    stars = stars_in_cone(ra, dec, radius)
    apart = SkyCoord(stars.ra, stars.dec, unit="deg").separation(SkyCoord(ra, dec, unit="deg"))
    return stars.tic[np.argsort(apart)]
