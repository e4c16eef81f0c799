import json
import math

import numpy as np
import pytest

from demo_sky.sky.catalogue import stars_in_cone
from demo_sky.sky.light_curves import flares_of_day, transit_flux
from demo_sky.sky.population import draw_kinds, simulated_signals
from demo_sky.sky.signals import CODES, KINDS, QUIET, Signal
from demo_sky.sky.targets import targets
from demo_sky.sky.variability import FIRST_LIGHT_BTJD, first_epoch, relative_flux, truth

DAY_S = 86400.0


def signals_of(name):
    return next(target.signals for target in targets() if target.name == name)


def signal_of(name, kind=None):
    return next(s for s in signals_of(name) if kind in (None, s.kind))


def sample(signals, exposure_s=200.0, days=27.0, start=2000.0):
    time = start + np.arange(0.0, days, exposure_s / DAY_S)
    return time, relative_flux(signals, time, exposure_s)


def dispersion(time, flux, period):
    """Stellingwerf's (1978) theta: scatter within bins of phase over all scatter."""
    phase = np.floor((time / period) % 1.0 * 100).astype(int)
    count = np.maximum(np.bincount(phase, minlength=100), 1)
    mean = np.bincount(phase, flux, minlength=100) / count
    return np.mean((flux - mean[phase]) ** 2) / flux.var()


def overlap_area(z, k):
    """Area of a disc of radius k on a disc of radius 1, by the two circular segments."""
    if z >= 1 + k:
        return 0.0
    if z <= 1 - k:
        return math.pi * k * k
    a = math.acos((z * z + k * k - 1) / (2 * z * k))
    b = math.acos((z * z + 1 - k * k) / (2 * z))
    return k * k * (a - math.sin(2 * a) / 2) + b - math.sin(2 * b) / 2


@pytest.mark.parametrize("ratio", [0.02, 0.1, 0.3, 0.8])
def test_a_uniform_disc_loses_the_area_that_is_covered(ratio):
    separation = np.linspace(0.0, 1.1 + ratio, 200)

    flux = transit_flux(separation, ratio, limb_darkening=(0.0, 0.0))

    expected = [1 - overlap_area(z, ratio) / math.pi for z in separation]
    np.testing.assert_allclose(flux, expected, atol=3e-5 if ratio > 0.5 else 3e-6)


def test_a_small_disc_in_the_centre_hides_the_brightest_light():
    # Mean brightness of a quadratic law is 1 - u1/3 - u2/6 of the centre's.
    depth = 1 - transit_flux(0.0, 0.01, limb_darkening=(0.4, 0.2))[0]

    assert depth == pytest.approx(1e-4 / (1 - 0.4 / 3 - 0.2 / 6), rel=1e-4)


def test_a_disc_as_large_as_the_star_hides_all_its_light():
    assert transit_flux(0.0, 0.999999)[0] == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("target", [t for t in targets() if t.signals[0].kind == "transit"])
def test_every_planet_has_its_published_depth_and_duration(target):
    for signal in target.signals:
        if signal.kind != "transit":
            continue
        half = signal.duration_h / 24 / 2
        at = np.array([0.0, -0.98 * half, 0.98 * half, -1.02 * half, 1.02 * half])

        flux = relative_flux([signal], signal.epoch_btjd + 40 * signal.period_d + at, 10.0)

        assert 1 - flux[0] == pytest.approx(signal.depth_ppm * 1e-6, rel=0.01)
        assert np.all(flux[1:3] < 1.0)
        # What is left outside is rounding.
        np.testing.assert_allclose(flux[3:], 1.0, atol=1e-10)


def test_a_long_exposure_is_the_mean_of_short_ones():
    for name in ("WASP-18", "YY Gem", "RR Lyr", "W UMa", "SX Phe", "AB Dor", "T Ant"):
        signals = signals_of(name)
        time = 1500.0 + np.arange(400) * 0.02
        offsets = (np.arange(180) - 89.5) * 10.0 / DAY_S

        whole = relative_flux(signals, time, 1800.0)

        fine = relative_flux(signals, (time[:, None] + offsets).ravel(), 10.0)
        np.testing.assert_allclose(
            whole, fine.reshape(400, 180).mean(axis=1), atol=2e-5 if len(signals) == 1 else 2e-4
        )


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("WASP-121", "transit"),
        ("CM Dra", "eclipse"),
        ("RT And", "eclipse"),
        ("AB And", "contact"),
        ("RR Cet", "rr_lyrae"),
        ("T Ant", "cepheid"),
        ("CY Aqr", "delta_scuti"),
        ("BY Dra", "spots"),
    ],
)
def test_folding_finds_the_published_period(name, kind):
    signal = signal_of(name, kind)
    # Five times 27 days and gaps, as in several sectors: aliases and harmonics stand out.
    parts = [sample([signal], days=27.0, start=1400.0 + 80 * k) for k in range(5)]
    time, flux = (np.concatenate(column) for column in zip(*parts, strict=True))
    trials = signal.period_d * (1 + np.arange(-60, 61) * 2e-5 * signal.period_d)

    best = trials[np.argmin([dispersion(time, flux, period) for period in trials])]

    assert best == pytest.approx(signal.period_d, rel=3e-5 * max(signal.period_d, 1.0))


@pytest.mark.parametrize(
    ("name", "kind", "find"),
    [
        ("HD 209458", "transit", np.argmin),
        ("YY Gem", "eclipse", np.argmin),
        ("W UMa", "contact", np.argmin),
        ("RR Lyr", "rr_lyrae", np.argmax),
        ("delta Cep", "cepheid", np.argmax),
        ("VZ Cnc", "delta_scuti", np.argmax),
        ("AB Dor", "spots", np.argmin),
    ],
)
def test_the_extreme_of_the_curve_is_at_the_published_epoch(name, kind, find):
    signal = signal_of(name, kind)
    time = (
        signal.epoch_btjd
        + 1000 * signal.period_d
        + np.linspace(-0.45, 0.45, 4001) * (signal.period_d)
    )

    flux = relative_flux([signal], time, 20.0)

    away = (time[find(flux)] - signal.epoch_btjd) / signal.period_d - 1000
    flat_bottom = 0.02 if kind == "transit" else 0.003
    assert abs(away) < flat_bottom


def test_both_minima_of_an_eclipsing_star_have_their_depths():
    signal = signal_of("RT And")
    minima = signal.epoch_btjd + np.array([0.0, 0.5, 0.25]) * signal.period_d

    flux = relative_flux([signal], minima, 20.0)

    # GCVS: V = 8.97, 9.83 and 9.28.
    assert -2.5 * math.log10(flux[0]) == pytest.approx(9.83 - 8.97, abs=0.005)
    assert -2.5 * math.log10(flux[1]) == pytest.approx(9.28 - 8.97, abs=0.005)
    assert flux[2] == pytest.approx(1.0, abs=1e-9)


def test_both_minima_of_a_contact_binary_have_their_depths():
    signal = signal_of("W UMa")
    phases = signal.epoch_btjd + np.array([0.0, 0.5, 0.25, 0.75]) * signal.period_d

    flux = relative_flux([signal], phases, 20.0)

    # GCVS: V = 7.75, 8.48 and 8.43.
    assert -2.5 * math.log10(flux[0]) == pytest.approx(0.73, abs=0.005)
    assert -2.5 * math.log10(flux[1]) == pytest.approx(0.68, abs=0.005)
    np.testing.assert_allclose(flux[2:], 1.0, atol=0.005)
    assert sample([signal], exposure_s=20.0, days=0.4)[1].max() < 1.005


@pytest.mark.parametrize("name", ["SW And", "delta Cep", "AD CMi"])
def test_a_pulsation_has_its_amplitude_its_rise_time_and_a_mean_of_1(name):
    signal = signal_of(name)
    time = signal.epoch_btjd + np.linspace(0.0, 1.0, 5001)[:-1] * signal.period_d

    flux = relative_flux([signal], time, 20.0)

    amplitude = 2.5 * math.log10(flux.max() / flux.min())
    assert amplitude == pytest.approx(signal.amplitude_mag, rel=0.02)
    assert flux.mean() == pytest.approx(1.0, abs=1e-4)
    # The Fourier series rounds the corners off: the minimum comes a little early or late.
    rise = 1.0 - np.argmin(flux) / len(flux)
    assert rise == pytest.approx(signal.rise_fraction, abs=0.08)


def test_rr_lyrae_harmonics_are_like_those_of_real_ones():
    signal = signal_of("RR Lyr")
    time = signal.epoch_btjd + np.linspace(0.0, 1.0, 4097)[:-1] * signal.period_d
    magnitude = -2.5 * np.log10(relative_flux([signal], time, 20.0))

    harmonics = np.abs(np.fft.rfft(magnitude))[1:4]

    # RRab stars: R21 0.35 to 0.55, R31 0.2 to 0.4 (Simon & Teays 1982, ApJ 261, 586).
    assert 0.35 < harmonics[1] / harmonics[0] < 0.55
    assert 0.2 < harmonics[2] / harmonics[0] < 0.4


def test_modes_of_a_delta_scuti_star_beat():
    signals = signals_of("SX Phe")

    time, flux = sample(signals, exposure_s=20.0, days=5.0)

    spectrum = np.abs(np.fft.rfft(flux - flux.mean()))
    frequency = np.fft.rfftfreq(len(time), 20.0 / DAY_S)
    for signal in signals:
        near = np.abs(frequency - 1 / signal.period_d) < 0.3
        away = (frequency > 1 / signal.period_d + 1) & (frequency < 1 / signal.period_d + 2)
        assert spectrum[near].max() > 10 * spectrum[away].max()


def test_flares_rise_and_fade_and_are_the_same_each_time():
    signal = signal_of("AU Mic", "flares")
    drawn = [f for day in range(2000, 2027) for f in flares_of_day(signal, day)]

    time, flux = sample([signal], exposure_s=20.0, days=27.0)

    # Martioli et al. 2021: 6.35 a day, 0.06 % to 1.5 %. 27 days: 171 +- 13.
    assert len(drawn) == pytest.approx(171, abs=40)
    heights = np.array([height for _, height, _ in drawn])
    assert heights.min() >= 0.0006
    assert heights.max() <= 0.015
    peak, height, width = max(drawn, key=lambda flare: flare[1])
    assert flux[np.argmin(np.abs(time - peak))] - 1 == pytest.approx(height, rel=0.15)
    assert flux.min() == 1.0
    # Davenport's template has an area of about 2.05 in units of height and width.
    lonely = Signal("flares", "one", flares_per_d=0.0)
    assert not flares_of_day(lonely, 5)
    assert 0.0 < width < 0.02


def test_the_light_of_flares_does_not_depend_on_the_exposure():
    signal = signal_of("CM Dra", "flares")

    sums = [
        (sample([signal], exposure_s=exposure, days=20.0)[1] - 1).sum() * exposure
        for exposure in (20.0, 200.0, 1800.0)
    ]

    assert sums[0] > 0
    np.testing.assert_allclose(sums[1:], sums[0], rtol=0.01)


@pytest.mark.parametrize("name", ["AU Mic", "SX Phe", "AI Phe", "W UMa"])
def test_blocks_of_time_give_what_the_whole_gives(name):
    signals = signals_of(name)
    time, whole = sample(signals, exposure_s=600.0)

    parts = [relative_flux(signals, time[i : i + 7], 600.0) for i in range(0, len(time), 7)]

    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_a_quiet_star_is_constant():
    np.testing.assert_array_equal(relative_flux((), np.arange(5.0), 200.0), 1.0)


def test_a_time_that_is_not_known_gives_a_flux_that_is_not_known():
    time = np.array([1500.0, np.nan])

    flux = relative_flux(signals_of("RR Lyr"), time, 200.0)

    assert np.isfinite(flux).tolist() == [True, False]


def test_an_exposure_of_no_length_is_refused():
    with pytest.raises(ValueError, match="exposure_s must be positive, got 0"):
        relative_flux((), np.arange(3.0), 0.0)


def test_each_simulated_kind_varies_as_its_truth_says():
    for kind in KINDS:
        signals = simulated_signals(10**12 + 123_456_789, CODES[kind], 1.0)
        assert signals[0].kind == kind
        signal = signals[0]
        if kind == "flares":
            assert signals[1].kind == "spots"
            continue
        time = first_epoch(signal) + np.linspace(0.0, 1.0, 3001) * signal.period_d
        flux = relative_flux([signal], time, 10.0)
        if signal.depth_ppm:
            assert 1 - flux.min() == pytest.approx(signal.depth_ppm * 1e-6, rel=0.01)
        else:
            amplitude = 2.5 * math.log10(flux.max() / flux.min())
            assert amplitude == pytest.approx(signal.amplitude_mag, rel=0.02)


def test_a_simulated_star_keeps_its_signals():
    first = simulated_signals(10**12 + 5, CODES["delta_scuti"], 1.7)
    simulated_signals.cache_clear()

    assert simulated_signals(10**12 + 5, CODES["delta_scuti"], 1.7) == first
    assert simulated_signals(10**12 + 6, CODES["delta_scuti"], 1.7) != first
    assert simulated_signals(10**12 + 5, QUIET, 1.7) == ()


def test_plausible_fractions_of_the_field_vary():
    rng = np.random.default_rng(3)
    n = 200_000
    sunlike = np.full(n, 5700.0), np.full(n, 1.0)

    codes = draw_kinds(rng.random(n), np.full(n, 12.0), *sunlike)

    # Kepler: 1.2 % of all stars eclipse (Kirk et al. 2016), of which a quarter are in contact.
    eclipsing = np.isin(codes, [CODES["eclipse"], CODES["contact"]]).mean()
    assert eclipsing == pytest.approx(0.012, rel=0.1)
    assert (codes == QUIET).mean() > 0.8
    faint = draw_kinds(rng.random(n), np.full(n, 16.5), *sunlike)
    assert not faint.any()


def test_the_truth_is_ready_for_json_and_complete():
    stars = stars_in_cone(97.095708, -65.578614, 0.1)

    rows = truth(stars)

    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    assert {row["tic"] for row in rows} == set(stars.tic.tolist())
    planets = [row for row in rows if row["tic"] == 150428135]
    assert sorted(row["signal"] for row in planets) == [f"TOI-700 {x}" for x in "bcde"]
    planet_d = next(row for row in planets if row["signal"] == "TOI-700 d")
    # ExoFOP's row of TOI 700.02.
    assert planet_d["period_d"] == pytest.approx(37.4236838, abs=1e-6)
    assert planet_d["epoch_btjd"] == pytest.approx(1330.486155, abs=1e-5)
    assert planet_d["depth_ppm"] == pytest.approx(737.6, abs=0.1)
    assert not planet_d["simulated"]
    quiet = next(row for row in rows if row["kind"] == "quiet")
    assert quiet["simulated"]
    assert quiet["period_d"] is None


def test_told_epochs_are_the_first_after_first_light_and_in_step():
    for target in targets():
        for signal in target.signals:
            if signal.period_d == 0.0:
                continue
            epoch = first_epoch(signal)
            assert FIRST_LIGHT_BTJD <= epoch < FIRST_LIGHT_BTJD + signal.period_d
            cycles = (epoch - signal.epoch_btjd) / signal.period_d
            assert cycles == pytest.approx(round(cycles), abs=1e-6)
