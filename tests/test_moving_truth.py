"""From an asteroid's name to its rotation: what the demo sky planted comes out again."""

import json
import math
import urllib.request
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest

from cutout_core import MastSession
from cutout_core.lightcurve import Track
from cutout_core.mast.catalogs import star_neighbourhood
from cutout_core.mast.tesscut import fetch_cutout, find_moving_sectors, plan_moving_cutouts
from cutout_core.matching import match_target
from cutout_core.quicklook import QuickLook, look_at
from cutout_core.rotation import find_rotation
from cutout_core.size import parse_size

# Of the TESS Instrument Handbook, section 5: a star of magnitude 10 gives so many electron/s.
RATE_AT_10 = 15_000.0


def told(demo_url: str, path: str, **query: Any) -> dict[str, Any]:
    """What the demo sky says that it planted."""
    with urllib.request.urlopen(f"{demo_url}/demo/{path}?{urlencode(query)}") as reply:
        return json.load(reply)


def follow(demo_url: str, name: str, sector: int, size: int = 11) -> list[QuickLook]:
    with MastSession(demo_url, demo_url) as session:
        assert sector in {s.sector for s in find_moving_sectors(session, name).sectors}
        (request,) = plan_moving_cutouts(session, name, parse_size(size), [sector])
        archive = fetch_cutout(session, request)
    assert archive is not None
    return look_at(archive)


@pytest.fixture(scope="module")
def eleonora(demo_url: str) -> QuickLook:
    (look,) = follow(demo_url, "Eleonora", 6)
    return look


def track_of(look: QuickLook) -> Track:
    assert look.light_curve.track is not None
    return look.light_curve.track


def test_rotation_of_an_asteroid_comes_back_within_a_hundredth(eleonora: QuickLook, demo_url: str):
    body = told(demo_url, "moving_target", obj_id="Eleonora")["body"]

    rotation = find_rotation(eleonora.light_curve)

    assert rotation.candidates[0].period_h == pytest.approx(body["rotation_period_h"], rel=0.01)
    assert rotation.amplitude_mag == pytest.approx(body["amplitude_mag"], rel=0.15)


@pytest.mark.parametrize(("name", "sector", "size"), [("Kalliope", 45, 5), ("Palma", 10, 9)])
def test_rotation_comes_back_from_several_ccds_and_small_frames(name, sector, size, demo_url):
    body = told(demo_url, "moving_target", obj_id=name)["body"]

    rotation = find_rotation([look.light_curve for look in follow(demo_url, name, sector, size)])

    assert rotation.candidates[0].period_h == pytest.approx(body["rotation_period_h"], rel=0.01)


def test_star_that_an_asteroid_passes_in_front_of_is_flagged(eleonora: QuickLook, demo_url: str):
    track = track_of(eleonora)
    at = int(np.nanargmax(track.starlight))

    stars = told(demo_url, "truth", ra=track.ra[at], dec=track.dec[at], size=6)["stars"]

    assert track.contaminated[at]
    assert not eleonora.light_curve.good[at]
    # The light in the aperture is that of the stars that were planted there.
    planted = sum(RATE_AT_10 * 10 ** (-0.4 * (star["tmag"] - 10)) for star in stars)
    assert 0.3 * planted < track.starlight[at] < 1.5 * planted


def test_flagged_cadences_are_those_near_a_bright_star(eleonora: QuickLook, demo_url: str):
    curve, track = eleonora.light_curve, track_of(eleonora)
    much = 0.1 * curve.median_flux

    def light_near(i: int, size: float) -> float:
        stars = told(demo_url, "truth", ra=track.ra[i], dec=track.dec[i], size=size)["stars"]
        return sum(RATE_AT_10 * 10 ** (-0.4 * (star["tmag"] - 10)) for star in stars)

    flagged = np.flatnonzero(track.contaminated)
    assert len(flagged) > 3
    # `size` is the side of a square whose corners are on the circle that is searched.
    for i in flagged:
        assert light_near(int(i), 2 * 4.5 / math.sqrt(2)) > much
    for i in np.flatnonzero(curve.good)[::10]:
        assert light_near(int(i), 2 * 1.0 / math.sqrt(2)) < 2 * much


def test_starlight_is_taken_off_to_some_per_cent(eleonora: QuickLook):
    curve, track = eleonora.light_curve, track_of(eleonora)
    rotation = find_rotation(curve)
    phase = rotation.phase(rotation.candidates[0].period_h)
    order = np.argsort(phase)
    model_phase, model = phase[order], rotation.relative_flux[order]

    flagged = np.flatnonzero(track.contaminated & (curve.quality == 0))
    turns = (curve.time[flagged] - rotation.time[0]) * 24 / rotation.candidates[0].period_h
    expected = np.interp(turns % 1.0, model_phase, model)
    residual = curve.flux[flagged] / curve.median_flux - expected

    share = track.starlight[flagged] / curve.median_flux
    assert share.max() > 0.1
    # The body's own change over the weeks is 3 %.
    assert np.abs(residual).max() < 0.05 + 0.05 * share.max()


def test_named_star_comes_with_its_entry_of_the_input_catalogue(demo_url: str):
    with MastSession(demo_url, demo_url) as session:
        target = match_target(session, "Pi Mensae")
        found = star_neighbourhood(session, target.ra, target.dec)

    assert found.star is not None
    assert found.star.tic == 261136679
    assert found.star.tmag == pytest.approx(5.1, abs=0.1)
    assert found.star.separation_arcsec < 5
