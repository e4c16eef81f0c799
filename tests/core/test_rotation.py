import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cutout_core.lightcurve import LightCurve
from cutout_core.rotation import find_rotation

HOURS = 24.0


def sine(n: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda phase: np.cos(2 * np.pi * n * phase)


def unlike_humps(phase: np.ndarray) -> np.ndarray:
    """Two maxima a turn, one higher than the other."""
    return np.cos(4 * np.pi * phase) + 0.3 * np.cos(2 * np.pi * phase)


def make_curve(
    period_h: float,
    shape: Callable[[np.ndarray], np.ndarray],
    *,
    amplitude: float = 0.05,
    noise: float = 0.005,
    days: float = 8.0,
    cadence_s: float = 600.0,
    start: float = 2500.0,
    trend: Callable[[np.ndarray], np.ndarray] = np.ones_like,
    seed: int = 3,
    **changes: Any,
) -> LightCurve:
    """Light curve of a body that turns in `period_h`; `amplitude` is half of its range, about."""
    time = start + np.arange(0, days, cadence_s / 86400)
    rng = np.random.default_rng(seed)
    # A day in the middle is missing, as in every sector.
    good = np.abs(time - start - days / 2) > 0.5
    flux = 1000 * trend(time - start) * (1 + amplitude * shape(time * HOURS / period_h))
    flux += 1000 * rng.normal(0, noise, time.size)
    values = {
        "time": time,
        "flux": flux,
        "flux_err": np.full(time.size, 1000 * noise),
        "background": np.zeros(time.size),
        "quality": np.zeros(time.size, dtype=np.int32),
        "good": good,
        "aperture": np.ones((3, 3), dtype=bool),
        "mask": "default",
        "background_rule": "",
        "target": "Eleonora",
        "sector": 6,
        "camera": 1,
        "ccd": 1,
        "cadence_s": cadence_s,
        "simulated": False,
    }
    return LightCurve(**(values | changes))


@pytest.mark.parametrize(
    ("period_h", "cadence_s"),
    # Maxima 1.15 h apart would be too fast for 30 minutes.
    [
        (2.3, 200.0),
        (4.277, 200.0),
        (9.07417, 200.0),
        (30.4, 200.0),
        (4.277, 1800.0),
        (9.07417, 1800.0),
        (30.4, 1800.0),
    ],
)
def test_period_of_a_body_with_unlike_maxima_is_found_within_a_hundredth(period_h, cadence_s):
    curve = make_curve(period_h, unlike_humps, cadence_s=cadence_s)

    rotation = find_rotation(curve)

    best = rotation.candidates[0]
    assert best.period_h == pytest.approx(period_h, rel=0.01)
    assert best.n_maxima == 2
    assert abs(best.period_h - period_h) < 5 * best.error_h
    assert len(rotation.candidates) == 1


def test_unlike_maxima_are_said_to_be_what_decides():
    words = find_rotation(make_curve(4.277, unlike_humps)).words

    assert "brightness repeats every 2.13" in words
    assert "Every other maximum differs, so that two of them make a turn" in words
    assert "turns once in 4.27" in words


def test_alike_maxima_leave_two_periods_and_say_so():
    rotation = find_rotation(make_curve(6.0, sine(2)))

    longer, shorter = rotation.candidates
    assert (longer.n_maxima, shorter.n_maxima) == (2, 1)
    assert longer.period_h == pytest.approx(6.0, rel=0.01)
    assert shorter.period_h == pytest.approx(3.0, rel=0.01)
    assert "Most asteroids are elongated" in longer.words
    assert "dark and bright" in shorter.words
    assert longer.words in rotation.words
    assert shorter.words in rotation.words


def test_large_amplitude_takes_an_elongated_body():
    rotation = find_rotation(make_curve(5.27, sine(2), amplitude=0.4))

    (best,) = rotation.candidates
    assert best.period_h == pytest.approx(5.27, rel=0.01)
    # From 0.6 to 1.4 of the mean.
    assert rotation.amplitude_mag == pytest.approx(2.5 * math.log10(1.4 / 0.6), rel=0.05)
    assert "0.9 mag, which takes an elongated body" in best.words


def test_two_different_maxima_within_the_strongest_period_are_one_turn():
    def shape(phase: np.ndarray) -> np.ndarray:
        return np.cos(2 * np.pi * phase) + 0.9 * np.cos(4 * np.pi * phase)

    rotation = find_rotation(make_curve(8.0, shape))

    assert rotation.candidates[0].period_h == pytest.approx(8.0, rel=0.01)
    assert rotation.candidates[0].n_maxima == 2


def test_change_over_weeks_is_no_rotation():
    curve = make_curve(9.0, sine(2), days=25.0, trend=lambda t: 1 + 0.02 * t - 0.0008 * t**2)

    rotation = find_rotation(curve)

    assert rotation.candidates[0].period_h == pytest.approx(9.0, rel=0.01)
    assert np.ptp(rotation.relative_flux) < 0.15


def test_outliers_do_not_hide_the_period():
    curve = make_curve(4.277, unlike_humps)
    flux = curve.flux.copy()
    flux[::50] *= 3

    rotation = find_rotation(make_curve(4.277, unlike_humps, flux=flux))

    assert rotation.candidates[0].period_h == pytest.approx(4.277, rel=0.01)
    assert rotation.relative_flux.max() < 1.5


def test_curves_of_neighbouring_ccds_are_put_together():
    # The aperture held more of the light on the second CCD; each alone sees less than two turns.
    first = make_curve(60.0, unlike_humps, days=4.0)
    second = make_curve(60.0, unlike_humps, days=4.0, start=2504.0, seed=4)
    second = make_curve(60.0, unlike_humps, start=2504.0, days=4.0, flux=second.flux * 1.2)

    rotation = find_rotation([first, second])

    assert rotation.candidates[0].period_h == pytest.approx(60.0, rel=0.02)
    assert (np.diff(rotation.time) > 0).all()


def test_few_turns_are_said_to_be_few():
    rotation = find_rotation(make_curve(50.0, unlike_humps, days=6.0))

    assert "covers 2.9 such turns only" in rotation.words


def test_noise_has_no_period():
    rotation = find_rotation(make_curve(4.0, sine(2), amplitude=0.0))

    assert rotation.candidates == ()
    assert "No period stands out" in rotation.words
    assert math.isnan(rotation.amplitude_mag)
    assert rotation.share < 0.1


def test_cadences_that_are_not_good_do_not_count():
    curve = make_curve(4.277, unlike_humps)
    flux = curve.flux.copy()
    flux[~curve.good] = np.nan

    rotation = find_rotation(make_curve(4.277, unlike_humps, flux=flux))

    assert len(rotation.time) <= np.count_nonzero(curve.good)
    assert np.isfinite(rotation.relative_flux).all()


@pytest.mark.parametrize(
    "curves",
    [
        [],
        make_curve(4.0, sine(2), days=0.1),
        make_curve(4.0, sine(2), good=np.zeros(1152, dtype=bool)),
    ],
    ids=["no curve", "short", "nothing good"],
)
def test_too_little_light_is_said_to_be_too_little(curves):
    rotation = find_rotation(curves)

    assert rotation.candidates == ()
    assert "too few to tell a period" in rotation.words
    assert rotation.phase(4.0).size == rotation.time.size


def test_target_that_is_darker_than_the_sky_is_said_to_be_so():
    dark = make_curve(4.0, sine(2), flux=np.full(1152, -1.0))

    assert "not brighter than the sky" in find_rotation(dark).words
    # Another curve, on which it is seen, counts.
    assert find_rotation([dark, make_curve(4.0, sine(2))]).candidates


def test_phase_runs_from_zero_to_one_with_the_turn():
    rotation = find_rotation(make_curve(6.0, sine(2), days=4.0))

    phase = rotation.phase(6.0)

    assert phase[0] == 0
    assert phase.min() >= 0
    assert phase.max() < 1
    # Six hours are 36 cadences of ten minutes.
    assert phase[36] == pytest.approx(phase[0], abs=1e-6) or phase[36] == pytest.approx(1, abs=1e-6)


def test_periodogram_peaks_at_the_time_between_maxima():
    rotation = find_rotation(make_curve(6.0, sine(2)))

    assert rotation.period_grid_h[np.argmax(rotation.power)] == pytest.approx(3.0, rel=0.01)
    assert rotation.period_grid_h.min() >= 0.41
    assert rotation.share == pytest.approx(rotation.power.max())
    assert rotation.false_alarm < 1e-10


def test_error_of_the_period_is_honest():
    # Of many noises, two thirds are within the error, and hardly one is beyond three.
    errors = []
    for seed in range(20):
        best = find_rotation(make_curve(6.0, unlike_humps, noise=0.02, seed=seed)).candidates[0]
        errors.append((best.period_h - 6.0) / best.error_h)

    assert 0.3 < np.std(errors) < 1.6
    assert np.abs(errors).max() < 4
