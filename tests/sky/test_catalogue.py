import csv
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from demo_sky.sky import catalogue
from demo_sky.sky.catalogue import (
    BRIGHTEST_TMAG,
    FAINTEST_TMAG,
    star_by_number,
    stars_in_cone,
)
from demo_sky.sky.star_counts import stars_per_square_degree, unresolved_light
from demo_sky.sky.targets import FIRST_OWN_NUMBER, read_targets, targets

# The largest TIC numbers have 10 digits.
LARGEST_REAL_TIC = 10**10 - 1

HEADER = (
    "star,tic,ra_deg,dec_deg,pm_ra_mas_yr,pm_dec_mas_yr,tmag,teff_k,radius_rsun,signal,kind,"
    "period_d,epoch_btjd,depth_ppm,duration_h,depth2_ppm,amplitude_mag,rise_fraction,"
    "flares_per_d,flare_peak,source"
)


def separation_deg(ra, dec, ra0, dec0):
    """Haversine formula: another one than the catalogue uses."""
    ra, dec, ra0, dec0 = (np.deg2rad(a) for a in (ra, dec, ra0, dec0))
    haversine = np.sin((dec - dec0) / 2) ** 2 + (
        np.cos(dec) * np.cos(dec0) * np.sin((ra - ra0) / 2) ** 2
    )
    return np.rad2deg(2 * np.arcsin(np.sqrt(haversine)))


def numbers(stars):
    return set(stars.tic.tolist())


def density(ra, dec, radius, faintest):
    area = 2 * math.pi * (1 - math.cos(math.radians(radius))) * math.degrees(1) ** 2
    return len(stars_in_cone(ra, dec, radius, faintest)) / area


def galactic(longitude, latitude):
    place = SkyCoord(longitude, latitude, unit="deg", frame="galactic").icrs
    return float(place.ra.deg), float(place.dec.deg)


def test_the_same_stars_come_whatever_was_asked_for_before():
    catalogue._tile.cache_clear()
    before = stars_in_cone(120.0, -20.0, 0.4)

    catalogue._tile.cache_clear()
    stars_in_cone(120.3, -20.4, 1.0)
    stars_in_cone(300.0, 40.0, 0.2)
    after = stars_in_cone(120.0, -20.0, 0.4)

    for name in catalogue.Stars.__slots__:
        np.testing.assert_array_equal(getattr(before, name), getattr(after, name))


def test_the_same_stars_come_in_another_process_with_another_hash_seed():
    here = stars_in_cone(10.0, 15.0, 0.2)
    program = (
        "from demo_sky.sky.catalogue import stars_in_cone; s = stars_in_cone(10.0, 15.0, 0.2);"
        "print(len(s), repr(float(s.ra.sum())), repr(float(s.tmag.sum())), s.tic.sum())"
    )

    told = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONHASHSEED": "7", "PATH": ""},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    expected = f"{len(here)} {float(here.ra.sum())!r} {float(here.tmag.sum())!r} {here.tic.sum()}"
    assert told.stdout.strip() == expected


def test_a_small_cone_holds_exactly_the_stars_of_a_large_one_that_are_near_enough():
    large = stars_in_cone(200.0, -35.0, 1.0)

    small = stars_in_cone(200.3, -34.8, 0.35)

    near = separation_deg(large.ra, large.dec, 200.3, -34.8) <= 0.35
    assert len(small) > 50
    assert numbers(small) == numbers(large.take(near))


@pytest.mark.parametrize(
    ("ra", "dec"),
    [
        pytest.param(0.0, 12.25, id="where RA wraps"),
        pytest.param(57.0, -30.0, id="between two bands"),
        pytest.param(143.7, 0.0, id="on the equator"),
        pytest.param(33.0, 89.5, id="beside the northern pole"),
        pytest.param(0.0, -89.99, id="on the southern pole"),
    ],
)
def test_both_sides_of_a_border_agree_on_the_stars_between_them(ra, dec):
    radius, shift = 0.3, 0.1
    step = shift / max(math.cos(math.radians(dec)), 0.05)
    sides = [
        ((ra - step) % 360.0, dec),
        ((ra + step) % 360.0, dec),
        (ra, max(dec - shift, -90.0)),
        (ra, min(dec + shift, 90.0)),
    ]
    found = [stars_in_cone(*side, radius) for side in sides]

    for i, stars in enumerate(found):
        for j, side in enumerate(sides):
            both = separation_deg(stars.ra, stars.dec, *side) <= radius
            assert numbers(stars.take(both)) <= numbers(found[j]), (i, j)
    assert min(len(stars) for stars in found) > 20


@pytest.mark.parametrize("dec", [90.0, -90.0])
def test_stars_lie_all_around_the_poles(dec):
    stars = stars_in_cone(123.0, dec, 0.7)

    per_quadrant = np.histogram(stars.ra, bins=[0, 90, 180, 270, 360])[0]

    np.testing.assert_allclose(per_quadrant, len(stars) / 4, rtol=0.25)
    assert numbers(stars) == numbers(stars_in_cone(7.0, dec, 0.7))


def test_ra_0_and_ra_360_are_the_same_place():
    assert numbers(stars_in_cone(0.0, 40.0, 0.3)) == numbers(stars_in_cone(360.0, 40.0, 0.3))


def test_stars_come_brightest_first_within_the_limits():
    stars = stars_in_cone(95.0, 12.0, 0.5, faintest_tmag=14.0)

    assert np.all(np.diff(stars.tmag) >= 0)
    assert stars.tmag[-1] <= 14.0
    assert stars.tmag[stars.simulated].min() >= BRIGHTEST_TMAG
    assert numbers(stars) < numbers(stars_in_cone(95.0, 12.0, 0.5))


def test_a_cone_of_no_size_in_empty_sky_is_empty():
    assert len(stars_in_cone(10.0, -10.0, 0.0)) == 0


def test_a_simulated_number_cannot_be_a_real_one_and_finds_its_star():
    stars = stars_in_cone(266.0, -40.0, 0.1)
    index = len(stars) // 2

    star = star_by_number(int(stars.tic[index]))

    assert stars.tic[stars.simulated].min() > LARGEST_REAL_TIC
    assert len(star) == 1
    assert star.ra[0] == stars.ra[index]
    assert star.tmag[0] == stars.tmag[index]
    assert star.name(0) == f"Simulated star {stars.tic[index]}"


@pytest.mark.parametrize(
    "tic", [0, 12345, FIRST_OWN_NUMBER, FIRST_OWN_NUMBER + 99_999, 2 * 10**12, -5]
)
def test_a_number_that_no_star_has_finds_nothing(tic):
    assert len(star_by_number(tic)) == 0


def test_a_real_star_is_at_its_place_with_its_number_and_magnitude():
    stars = stars_in_cone(24.354458, -45.677794, 0.001)

    # ExoFOP's row of TOI 185.01.
    assert stars.tic.tolist() == [100100827]
    assert stars.tmag[0] == 8.8287
    assert stars.name(0) == "WASP-18"
    assert not stars.simulated[0]
    assert star_by_number(100100827).dec[0] == -45.677794


def test_planets_of_one_star_share_its_record():
    stars = stars_in_cone(97.095708, -65.578614, 0.001)

    assert len(stars) == 1
    assert {s.name for s in stars.signals(0)} == {f"TOI-700 {letter}" for letter in "bcde"}


def test_no_simulated_star_can_be_taken_for_a_real_one():
    for target in targets():
        stars = stars_in_cone(target.ra, target.dec, 29.9 / 3600)
        assert numbers(stars) == {target.tic}, target.name


def test_a_crowded_field_is_clear_around_its_real_star():
    # HAT-P-7 in Cygnus: some thousands of stars per square degree.
    target = next(t for t in targets() if t.name == "HAT-P-7")
    stars = stars_in_cone(target.ra, target.dec, 0.2)
    away = separation_deg(stars.ra, stars.dec, target.ra, target.dec) * 3600

    assert np.sort(away)[1] > 30.0
    assert len(stars) > 300


def test_the_whole_sky_has_as_many_stars_as_tycho_2_and_ucac4_on_average():
    # hnsky.org/star_count.htm: 417 per square degree to magnitude 14, which is about T = 13.5.
    rng = np.random.default_rng(1)
    ra = rng.uniform(0, 360, 150)
    dec = np.rad2deg(np.arcsin(rng.uniform(-1, 1, 150)))

    mean = np.mean([density(r, d, 0.3, 13.5) for r, d in zip(ra, dec, strict=True)])

    assert mean == pytest.approx(417, rel=0.3)


@pytest.mark.parametrize(
    ("latitude", "expected"),
    [
        # Hog et al. 2000, A&A 355, L27, figure 1: average at b = 0 and at the poles of Tycho-2,
        # whose mean over the sky, 2,539,913 / 41,253 = 61.6, is reached near T = 11.25.
        pytest.param(0.0, 150, id="plane"),
        pytest.param(90.0, 25, id="pole"),
        pytest.param(-90.0, 25, id="southern pole"),
        # Bahcall & Soneira 1980 for V = 12, b = 30, l = 90: 23.3, times 61.6 / 33.3, their mean.
        pytest.param(30.0, 43, id="30 degrees"),
    ],
)
def test_densities_follow_galactic_latitude_as_in_tycho_2(latitude, expected):
    places = [galactic(longitude, latitude) for longitude in (45, 90, 135, 225, 270, 315)]
    if abs(latitude) == 90.0:
        drawn = density(*places[0], 2.5, 11.25)
    else:
        drawn = np.mean([density(ra, dec, 0.8, 11.25) for ra, dec in places])

    assert expected / 1.5 < drawn < expected * 1.5


@pytest.mark.parametrize(
    ("latitude", "tmag", "expected"),
    [
        # Bahcall & Soneira 1980, appendix B, at l = 90 and V = T + 0.75, by hand: disc + halo.
        pytest.param(90.0, 14.25, 98, id="pole, V = 15"),
        pytest.param(30.0, 14.25, 286, id="30 degrees, V = 15"),
        pytest.param(30.0, 16.25, 1112, id="30 degrees, V = 17"),
        pytest.param(90.0, 16.25, 342, id="pole, V = 17"),
    ],
)
def test_faint_counts_are_those_of_bahcall_and_soneira_within_a_factor(latitude, tmag, expected):
    place = galactic(90.0, latitude)

    model = float(stars_per_square_degree(tmag, *place))
    drawn = density(*place, 1.0, tmag)

    assert expected / 1.5 < model < expected * 1.5
    assert drawn == pytest.approx(model, rel=0.2)


def test_counts_grow_with_magnitude_everywhere():
    ra, dec = np.meshgrid(np.arange(0, 360, 30), np.arange(-90, 91, 15))
    tmag = np.arange(5.0, 22.0, 0.25)

    counts = stars_per_square_degree(tmag[:, None, None], ra, dec)

    assert np.all(np.diff(counts, axis=0) > 0)


def test_the_light_of_faint_stars_adds_up_to_the_sum_over_narrow_bins():
    ra, dec = galactic(90.0, 10.0)
    edges = np.linspace(FAINTEST_TMAG, 24.0, 2001)
    counts = np.diff(stars_per_square_degree(edges, ra, dec))
    expected = np.sum(counts * 10 ** (-0.4 * (edges[1:] + edges[:-1]) / 2))

    assert float(unresolved_light(FAINTEST_TMAG, ra, dec)) == pytest.approx(expected, rel=0.02)


def test_temperatures_and_radii_are_those_of_stars():
    stars = stars_in_cone(80.0, 30.0, 0.5)

    assert stars.teff.min() > 2500
    assert stars.teff.max() < 12000
    # A dwarf of the Sun's temperature has about its radius (Pecaut & Mamajek 2013: 1.01 at 5770 K).
    sunlike = (np.abs(stars.teff - 5770) < 50) & (stars.radius < 4)
    assert 0.95 < np.median(stars.radius[sunlike]) < 1.5


def test_cones_off_the_sky_are_refused():
    with pytest.raises(ValueError, match=r"-90 <= dec <= 90, got 10.0, 91.0"):
        stars_in_cone(10.0, 91.0, 0.1)
    with pytest.raises(ValueError, match="ra and dec must be finite"):
        stars_in_cone(math.nan, 0.0, 0.1)
    with pytest.raises(ValueError, match="radius_deg must be between 0 and 180, got -1"):
        stars_in_cone(10.0, 0.0, -1.0)


def test_every_row_of_the_table_names_its_source_and_has_what_its_kind_needs():
    needed = {
        "transit": ("period_d", "depth_ppm", "duration_h"),
        "eclipse": ("period_d", "depth_ppm", "duration_h", "depth2_ppm"),
        "contact": ("period_d", "depth_ppm", "depth2_ppm"),
        "rr_lyrae": ("period_d", "amplitude_mag", "rise_fraction"),
        "cepheid": ("period_d", "amplitude_mag", "rise_fraction"),
        "delta_scuti": ("period_d", "amplitude_mag", "rise_fraction"),
        "spots": ("period_d", "amplitude_mag"),
        "flares": ("flares_per_d", "flare_peak"),
    }
    kinds = set()
    for target in targets():
        assert target.signals, target.name
        for signal in target.signals:
            kinds.add(signal.kind)
            assert len(signal.source) > 10
            assert "recalled" not in signal.source
            for name in needed[signal.kind]:
                assert getattr(signal, name) > 0, (signal.name, name)
    assert kinds == set(needed)


def test_real_stars_have_different_numbers():
    known = [target.tic for target in targets()]

    assert len(set(known)) == len(known)
    assert {tic for tic in known if tic > LARGEST_REAL_TIC} <= set(
        range(FIRST_OWN_NUMBER, FIRST_OWN_NUMBER + 100_000)
    )


def test_planets_are_where_the_shared_facts_have_them():
    facts = Path(__file__).parents[3] / "shared/data/facts/targets.csv"
    if not facts.exists():
        pytest.skip("the shared facts are not here")
    known = {target.tic: target for target in targets()}
    compared = 0
    for row in csv.DictReader(facts.read_text("utf-8").splitlines()):
        if row["type"] != "transit":
            continue
        target = known[int(row["tic"])]
        assert target.ra == pytest.approx(float(row["ra_deg"]), abs=1e-6)
        assert target.tmag == pytest.approx(float(row["tmag"]), abs=1e-4)
        depths = [signal.depth_ppm for signal in target.signals]
        assert any(d == pytest.approx(float(row["depth_ppm"]), abs=0.1) for d in depths)
        compared += 1
    assert compared == 58


def test_an_unknown_kind_of_signal_is_refused(tmp_path):
    table = tmp_path / "targets.csv"
    table.write_text(f"# a comment\n{HEADER}\nA,1,1,1,,,9,,,A b,wobble,1,0,,,,,,,,me\n")

    with pytest.raises(ValueError, match=r"kind must be one of transit, .*, got 'wobble'"):
        read_targets(table)


def test_rows_that_disagree_about_a_star_are_refused(tmp_path):
    table = tmp_path / "targets.csv"
    rows = "A,1,1,1,,,9,,,A b,spots,1,0,,,,0.1,,,,me\nA,1,1,1,,,8,,,A c,spots,2,0,,,,0.1,,,,me\n"
    table.write_text(f"{HEADER}\n{rows}")

    with pytest.raises(ValueError, match="rows of A disagree about the star itself"):
        read_targets(table)
