from dataclasses import replace

import numpy as np
import pytest

from cutout_core.lightcurve import LightCurve, Track
from cutout_core.motion import describe_motion, speed_arcsec_per_h


def make_curve(*, n: int = 200, cadence_s: float = 600.0, arcsec_per_h: float = 30.0) -> LightCurve:
    """A body of 10,000 electron/s that moves along the equator."""
    time = 1000.0 + np.arange(n) * cadence_s / 86_400
    ra = 10.0 + (time - time[0]) * 24 * arcsec_per_h / 3600
    ones = np.ones(n)
    track = Track(
        x=ones, y=ones, ra=ra, dec=0 * ones, radius_px=2.0, starlight=0 * ones,
        starlight_err=0 * ones, contaminated=np.zeros(n, bool),
    )  # fmt: skip
    return LightCurve(
        time=time, flux=10_000 * ones, flux_err=ones, background=0 * ones,
        quality=np.zeros(n, np.int32), good=np.ones(n, bool), aperture=np.ones((3, 3), bool),
        mask="default", background_rule="", target="", sector=1, camera=1, ccd=1,
        cadence_s=cadence_s, simulated=True, track=track,
    )  # fmt: skip


@pytest.mark.parametrize("cadence_s", [200.0, 600.0, 1800.0])
def test_speed_is_the_planted_one_at_every_cadence(cadence_s):
    curve = make_curve(cadence_s=cadence_s, arcsec_per_h=42.0)

    assert speed_arcsec_per_h(curve) == pytest.approx(42.0, rel=1e-6)


def test_brightness_and_motion_are_said_in_words():
    # 20.44 - 2.5 log10(10,000) = 10.44; 30 arcsec are 1.43 pixels of 21 arcsec.
    assert describe_motion(make_curve()) == (
        "Tmag 10.4 on average; it moved 30 arcsec per hour, 1.4 pixels."
    )


def test_what_is_not_known_is_left_out():
    at_rest = replace(make_curve(), track=None)
    dark = replace(at_rest, flux=np.zeros(200))

    assert describe_motion(at_rest) == "Tmag 10.4 on average."
    assert describe_motion(dark) == ""
    assert np.isnan(speed_arcsec_per_h(make_curve(n=1)))
