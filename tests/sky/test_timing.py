"""The simulated TESS exposes when the real one did."""

import csv
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import tess_stars2px
from astropy.coordinates import EarthLocation, SkyCoord
from astropy.io import fits
from astropy.time import Time, TimeDelta

from demo_sky.tess.geometry import LAST_SECTOR, pixel_to_sky
from demo_sky.tess.timing import (
    barycentric_correction,
    btjd_to_utc,
    cadences,
    sector_records,
    utc_to_btjd,
)

FACTS = Path(__file__).parents[3] / "shared/data/facts/ffi_timing_by_sector.csv"
SECTORS = range(1, LAST_SECTOR + 1)
DAY_S = 86400.0

MOMENTUM_DUMP, STRAY_LIGHT = 1 << 5, 1 << 11


def seconds_apart(utc, other):
    return (Time(utc.rstrip("Z"), scale="utc") - Time(other.rstrip("Z"), scale="utc")).sec


def steps_h(sector):
    return np.diff(cadences(sector, 1, 1).spacecraft_time) * 24.0


def test_sector_33_has_the_rows_that_astroquerys_manual_prints():
    assert len(cadences(33, 4, 4).time) == 3495


def test_the_table_is_the_collected_one():
    if not FACTS.exists():
        pytest.skip("the collected facts are not beside this checkout")
    with FACTS.open(encoding="utf-8", newline="") as lines:
        facts = {int(row["sector"]): row for row in csv.DictReader(lines)}
    del facts[2]

    for sector, fact in facts.items():
        ours = sector_records()[sector]
        counts = {
            int(bit): int(n)
            for bit, n in re.findall(r"(\d+): (\d+)", fact["quality_bit_counts_1based"])
        }
        assert ours.n_ffi == int(fact["n_ffi_c1k1"])
        assert ours.cadence_s == float(fact["exposure_s"]) == float(fact["median_step_s"])
        assert ours.first_start_utc == fact["first_start_utc"]
        assert ours.last_stop_utc == fact["last_stop_utc"]
        assert ours.flag_counts == counts
        assert ours.n_flagged == int(fact["n_quality_nonzero"])
        assert ours.n_gaps == int(fact["n_gaps"])
        assert ours.largest_gap_h == float(fact["largest_gap_h"])


def test_sector_2_is_without_its_doubled_rows():
    # 27.395 days from first start to last stop, less a step of 35.5 h in place of 0.5 h.
    assert sector_records()[2].n_ffi == round((27.395 * 24.0 - 35.0) / 0.5) == 1245


def test_every_sector_has_its_row():
    assert list(sector_records()) == list(SECTORS)


@pytest.mark.parametrize(
    ("sectors", "cadence_s"), [((1, 26), 1800), ((27, 55), 600), ((56, 98), 200)]
)
def test_the_cadence_changed_twice(sectors, cadence_s):
    for sector in range(sectors[0], sectors[1] + 1):
        assert cadences(sector, 1, 1).exposure_s == cadence_s
        assert np.median(steps_h(sector)) * 3600.0 == pytest.approx(cadence_s, abs=0.01)


@pytest.mark.parametrize("sector", SECTORS)
def test_a_sector_has_the_number_start_end_and_gaps_of_the_table(sector):
    record, exposures = sector_records()[sector], cadences(sector, 1, 1)

    assert len(exposures.time) == record.n_ffi
    assert abs(seconds_apart(btjd_to_utc(exposures.start), record.first_start_utc)) < 0.5
    assert abs(seconds_apart(btjd_to_utc(exposures.stop), record.last_stop_utc)) < 0.5
    step_h = record.cadence_s / 3600.0
    steps = steps_h(sector)
    gaps = np.flatnonzero(steps > 1.5 * step_h)
    assert len(gaps) == record.n_gaps
    # Extrapolated sectors may gain a step by rounding.
    assert steps.max() == pytest.approx(record.largest_gap_h, abs=1.1 * step_h)
    assert steps.min() == pytest.approx(step_h, abs=0.01 / 3600.0)
    # The longest gap, or one as long, is in the middle.
    longest = gaps[steps[gaps] > steps.max() - 2.5 * step_h]
    assert np.abs(longest - record.n_ffi / 2).min() <= 2


@pytest.mark.parametrize("sector", SECTORS)
def test_each_flag_is_as_frequent_as_in_the_table(sector):
    record, quality = sector_records()[sector], cadences(sector, 1, 1).quality

    counts = {bit: int(np.sum(quality >> (bit - 1) & 1)) for bit in range(1, 17)}

    assert {bit: count for bit, count in counts.items() if count} == record.flag_counts
    assert np.count_nonzero(quality) == record.n_flagged


@pytest.mark.parametrize("sector", [1, 13, 26, 42, 66, 97])
def test_stray_light_gathers_at_the_ends_of_orbits(sector):
    exposures = cadences(sector, 2, 3)
    stray = exposures.quality & STRAY_LIGHT > 0
    # The table's counts leave some of the dumps in between without the flag.
    undisturbed = exposures.quality & MOMENTUM_DUMP == 0

    for orbit in np.unique(exposures.orbit):
        flagged = stray[(exposures.orbit == orbit) & undisturbed]
        # From the orbit's start, to its end, or both.
        assert np.count_nonzero(np.diff(flagged)) <= 2
        assert flagged[0] or flagged[-1] or not flagged.any()
    assert stray.any()


def test_most_sectors_have_two_orbits():
    n_orbits = {sector: int(cadences(sector, 1, 1).orbit[-1]) + 1 for sector in SECTORS}

    # Sectors 97 and 98 last 56 days in tess-point's table.
    assert [sector for sector, n in n_orbits.items() if n != 2] == [97, 98]
    assert n_orbits[97] == n_orbits[98] == 4


@pytest.mark.parametrize("sector", [1, 5, 33, 61, 68])
def test_momentum_dumps_are_days_apart(sector):
    exposures = cadences(sector, 1, 1)
    dumps = exposures.spacecraft_time[exposures.quality & MOMENTUM_DUMP > 0]

    apart = np.diff(dumps)
    # Dumps that touch two FFIs are flagged twice.
    apart = apart[apart > 0.1]

    # 2.5 days of exposures, plus the gap where one lies between.
    assert apart.min() > 2.2
    assert np.median(apart) < 4.5


def test_real_times_of_sector_1_come_out_within_a_second_or_so(real_replies):
    path = real_replies / "tess-s0001-4-2_84.291190_-80.469170_6x6_astrocut.fits"
    with fits.open(path) as hdus:
        time, correction = np.array(hdus[1].data["TIME"]), np.array(hdus[1].data["TIMECORR"])

    ours = cadences(1, 4, 2)
    nearest = np.abs(ours.time[:, None] - time).argmin(axis=0)

    # TESS is up to 1.3 light seconds from the Earth; start times are known to a second.
    assert np.abs(ours.time[nearest] - time).max() * DAY_S < 2.0
    assert np.abs(ours.barycorr[nearest] - correction).max() * DAY_S < 1.5


def test_real_times_of_sector_12_come_out_within_their_rounding(real_replies):
    with fits.open(real_replies / "tesscut_s0012_1x1.fits") as hdus:
        time, correction = np.array(hdus[1].data["TIME"]), np.array(hdus[1].data["TIMECORR"])

    ours = cadences(12, 2, 1)
    nearest = np.abs(ours.time[:, None] - time).argmin(axis=0)
    late_s = np.abs(ours.time[nearest] - time) * DAY_S
    # Our gap lies in the middle of the cadences, the real one a day beside it.
    same = late_s < 900.0

    assert len(time) == len(ours.time) == 1289
    assert np.mean(same) > 0.95
    # The file's TIME is rounded to float32: to 2**-13 d, 5.3 s to either side.
    assert late_s[same].max() < 5.3 + 2.0
    assert np.abs(ours.barycorr[nearest] - correction).max() * DAY_S < 1.5


def test_the_correction_is_astropys_light_travel_time():
    for sector, camera, ccd in [(1, 1, 1), (20, 4, 3), (61, 2, 2)]:
        exposures = cadences(sector, camera, ccd)
        some = np.linspace(0, len(exposures.time) - 1, 7).astype(int)
        centre = SkyCoord(*pixel_to_sky(sector, camera, ccd, 1068.5, 1024.5), unit="deg")
        # The Earth's centre: astropy's own function wants an observatory.
        when = Time(
            2457000.0 + exposures.spacecraft_time[some],
            format="jd",
            scale="tdb",
            location=EarthLocation.from_geocentric(0.0, 0.0, 0.0, unit="m"),
        )

        expected = when.light_travel_time(centre, kind="barycentric")

        assert isinstance(expected, TimeDelta)
        np.testing.assert_allclose(
            exposures.barycorr[some] * DAY_S, expected.to_value("s"), rtol=0, atol=0.01
        )
        np.testing.assert_allclose(
            exposures.time, exposures.spacecraft_time + exposures.barycorr, rtol=0, atol=1e-12
        )


def test_the_correction_along_the_earths_direction_is_its_distance():
    # 4 January 2020: the Earth, 0.983 au from the Sun, stands at ecliptic longitude 103.6 degrees.
    # The barycentre is within 0.01 au of the Sun.
    along = SkyCoord(103.6, 0.0, unit="deg", frame="barycentrictrueecliptic").icrs
    btjd = np.array([utc_to_btjd("2020-01-04T12:00:00")])

    towards = barycentric_correction(along.ra.deg, along.dec.deg, btjd)[0]
    away = barycentric_correction(along.ra.deg + 180.0, -along.dec.deg, btjd)[0]

    assert towards * DAY_S == pytest.approx(0.983 * 499.005, abs=5.0)
    assert away == pytest.approx(-towards, rel=1e-9)


def test_all_cameras_expose_at_once():
    one, other = cadences(40, 1, 2), cadences(40, 4, 3)

    np.testing.assert_array_equal(one.spacecraft_time, other.spacecraft_time)
    np.testing.assert_array_equal(one.quality, other.quality)
    assert not np.array_equal(one.time, other.time)


def test_utc_becomes_tdb():
    # Since 2017 TDB is 37 + 32.184 s ahead of UTC, to 2 ms; 2018-01-01 is JD 2458119.5.
    btjd = utc_to_btjd("2018-01-01T00:00:00")

    assert (btjd - 1119.5) * DAY_S == pytest.approx(69.184, abs=0.002)
    assert btjd_to_utc(btjd) == "2018-01-01T00:00:00.000Z"


def test_ffis_are_named_after_their_start():
    exposures = cadences(12, 2, 1)

    first = exposures.ffi_names[0].decode()

    assert re.fullmatch(r"tess2019\d{9}-s0012-2-1-0000-s_ffi", first)
    # The real one is tess2019141105932: 2019, day 141 (21 May), 10:59:32.
    assert (
        abs(
            seconds_apart(
                f"2019-05-21T{first[11:13]}:{first[13:15]}:{first[15:17]}", "2019-05-21T10:59:32"
            )
        )
        <= 3
    )
    assert first[8:11] == "141"
    assert len(set(exposures.ffi_names.tolist())) == len(exposures.time)


def test_extrapolated_sectors_lie_where_tess_point_expects_them():
    middle_of = dict(
        zip(
            tess_stars2px.TESS_Spacecraft_Pointing_Data.sectors.tolist(),
            tess_stars2px.TESS_Spacecraft_Pointing_Data.midtimes.tolist(),
            strict=True,
        )
    )
    for sector in range(70, LAST_SECTOR + 1):
        exposures = cadences(sector, 1, 1)
        middle = (exposures.start + exposures.stop) / 2.0 + 2457000.0
        assert middle == pytest.approx(middle_of[sector], abs=1.1)


def test_sectors_follow_each_other():
    for before, after in pairwise(SECTORS):
        assert cadences(before, 1, 1).stop < cadences(after, 1, 1).start


def test_the_cadences_are_shared_and_cannot_be_changed():
    exposures = cadences(3, 3, 3)

    assert cadences(3, 3, 3) is exposures
    for array in (exposures.time, exposures.quality, exposures.barycorr, exposures.orbit):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_times_rise():
    for sector in SECTORS:
        assert np.all(np.diff(cadences(sector, 4, 4).time) > 0.0)


def test_light_is_lost_to_readout_and_cosmic_ray_mitigation():
    # EXPOSURE is 0.0165 d in a real 1800-s file.
    assert cadences(12, 1, 1).live_s / DAY_S == pytest.approx(0.0165, abs=1e-7)


def test_a_sector_beyond_the_table_is_an_error():
    with pytest.raises(KeyError, match="99"):
        cadences(99, 1, 1)
