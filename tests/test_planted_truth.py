"""From a request to a light curve: what was planted in the demo sky comes out again."""

import json
import urllib.request

import numpy as np
import pytest

from cutout_core import MastSession
from cutout_core.mast.cutouts import fetch_cutout
from cutout_core.mast.tesscut import find_sectors, plan_cutouts
from cutout_core.quicklook import QuickLook, look_at
from cutout_core.size import parse_size

# WASP-18 b: TOI 185.01 in ExoFOP's TOI table (period, epoch, depth, duration of the transits).
RA, DEC = 24.354458, -45.677794
PERIOD_D, EPOCH_BTJD, DEPTH, DURATION_H = 0.9414525, 3205.353321999777, 0.011445, 2.05


@pytest.fixture(scope="module")
def look(demo_url: str) -> QuickLook:
    session = MastSession(demo_url, demo_url)
    newest = find_sectors(session, RA, DEC)[-1].sector
    (request,) = plan_cutouts(session, RA, DEC, parse_size(11), [newest])
    archive = fetch_cutout(session, request)
    session.close()
    assert archive is not None
    (look,) = look_at(archive)
    return look


def phase_d(time: np.ndarray, period_d: float) -> np.ndarray:
    """Days from the nearest transit."""
    return (time - EPOCH_BTJD + period_d / 2) % period_d - period_d / 2


def share_of_target(look: QuickLook, demo_url: str) -> float:
    """Share of the target's light among all stars that the demo sky planted in the aperture."""
    with urllib.request.urlopen(f"{demo_url}/demo/truth?ra={RA}&dec={DEC}&size=11") as reply:
        stars = json.load(reply)["stars"]
    light = {}
    for star in stars:
        x, y = look.tpf.wcs.world_to_pixel_values(star["ra"], star["dec"])
        i, j = round(float(x)), round(float(y))
        ny, nx = look.tpf.shape
        if 0 <= i < nx and 0 <= j < ny and look.light_curve.aperture[j, i]:
            light[star["tic"]] = 10 ** (-0.4 * star["tmag"])
    return max(light.values()) / sum(light.values())


def test_transits_of_wasp_18_have_the_published_depth(look: QuickLook, demo_url: str):
    curve = look.light_curve
    flux = curve.normalised()[0][curve.good]
    days = np.abs(phase_d(curve.time[curve.good], PERIOD_D))
    # The flat bottom: the inner third of the transit.
    bottom = flux[days < DURATION_H / 24 / 6]
    outside = flux[days > DURATION_H / 24]

    depth = 1 - bottom.mean() / outside.mean()

    assert len(bottom) > 100
    assert depth / share_of_target(look, demo_url) == pytest.approx(DEPTH, rel=0.10)


def test_transits_of_wasp_18_come_at_the_published_period(look: QuickLook):
    from astropy.timeseries import BoxLeastSquares

    curve = look.light_curve
    time, flux = curve.time[curve.good], curve.normalised()[0][curve.good]
    periods = np.linspace(0.9, 1.0, 2001)

    power = BoxLeastSquares(time, flux).power(periods, DURATION_H / 24)
    best = int(np.argmax(power.power))

    assert periods[best] == pytest.approx(PERIOD_D, rel=1e-3)
    assert abs(phase_d(power.transit_time[best], PERIOD_D)) < DURATION_H / 24 / 2


def test_same_request_gives_the_same_sky(look: QuickLook, demo_url: str):
    session = MastSession(demo_url, demo_url)
    (request,) = plan_cutouts(session, RA, DEC, parse_size(11), [look.tpf.sector])

    again = fetch_cutout(session, request)
    session.close()

    assert again.content == look.archive.content
