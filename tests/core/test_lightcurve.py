import time
from typing import Any

import numpy as np
import pytest
from astropy.table import Table

from cutout_core.lightcurve import LightCurve, Track, to_csv, utc_texts


def make_curve(**changes: Any) -> LightCurve:
    """Four cadences of 30 minutes; the third is flagged as desaturation."""
    values: dict[str, Any] = {
        "time": np.array([1325.25, 1325.25 + 1 / 48, 1325.25 + 2 / 48, np.nan]),
        "flux": np.array([100.0, 102.0, -50.0, np.nan]),
        "flux_err": np.array([1.0, 1.0, 2.0, np.nan]),
        "background": np.array([10.0, -0.5, 0.0, np.nan]),
        "quality": np.array([0, 0, 36, 0], dtype=np.int32),
        "good": np.array([True, True, False, False]),
        "aperture": np.array([[True, False], [True, True]]),
        "mask": "default",
        "background_rule": "median of 1 pixels",
        "target": "Pi Mensae",
        "sector": 1,
        "camera": 4,
        "ccd": 2,
        "cadence_s": 1800.0,
        "simulated": False,
    }
    return LightCurve(**(values | changes))


def rows_of(text: str) -> list[list[str]]:
    return [line.split(",") for line in text.splitlines() if not line.startswith("#")]


def test_median_is_that_of_the_good_cadences():
    curve = make_curve()

    assert curve.n_good == 2
    assert curve.median_flux == 101


def test_normalised_flux_is_one_at_the_median():
    flux, flux_err = make_curve().normalised()

    assert flux[:3] == pytest.approx(np.array([100, 102, -50]) / 101)
    assert flux_err[:3] == pytest.approx(np.array([1, 1, 2]) / 101)
    assert np.isnan(flux[3])


@pytest.mark.parametrize(
    "changes",
    [
        {"good": np.zeros(4, dtype=bool)},
        {"flux": np.array([-1.0, -2.0, 5.0, np.nan])},
        {"flux": np.zeros(4)},
    ],
    ids=["no good cadence", "negative median", "zero median"],
)
def test_relative_flux_without_a_positive_median_is_unknown(changes: dict[str, Any]):
    flux, flux_err = make_curve(**changes).normalised()

    assert np.isnan(flux).all()
    assert np.isnan(flux_err).all()


def test_csv_holds_every_cadence_with_its_numbers():
    header, *rows = rows_of(to_csv(make_curve()))

    assert header == [
        "btjd",
        "bjd",
        "utc",
        "flux",
        "flux_err",
        "background",
        "relative_flux",
        "relative_flux_err",
        "quality",
        "flags",
        "good",
    ]
    first = dict(zip(header, rows[0], strict=True))
    assert first["btjd"] == "1325.250000000"
    assert first["bjd"] == "2458325.250000000"
    assert float(first["relative_flux"]) == pytest.approx(100 / 101, rel=1e-8)
    assert [row[3] for row in rows] == ["100", "102", "-50", ""]
    assert [row[9] for row in rows] == ["", "", "coarse point + desaturation", ""]
    assert [row[10] for row in rows] == ["1", "1", "0", "0"]
    assert rows[3] == ["", "", "", "", "", "", "", "", "0", "", "0"]


def test_csv_is_read_by_astropy():
    table = Table.read(to_csv(make_curve()), format="ascii.csv", comment="#")

    assert table["flux"][:3].tolist() == [100, 102, -50]
    assert table["flux"].mask.tolist() == [False, False, False, True]
    assert table["quality"].tolist() == [0, 0, 36, 0]


def test_csv_explains_every_column_before_the_table():
    lines = to_csv(make_curve()).splitlines()
    names = next(line for line in lines if not line.startswith("#")).split(",")

    for name in names:
        assert any(line.startswith(f"#   {name}: ") for line in lines)


def test_csv_tells_what_was_done():
    text = to_csv(make_curve(notes=("No moon was in sight.",)))

    assert "# Light curve of Pi Mensae from TESS" in text
    assert "# Sector 1, camera 4, CCD 2, one cadence every 1800 s" in text
    assert "# Aperture: 3 pixels; rows from the bottom, 1 is summed: 10 11" in text
    assert "# Background: median of 1 pixels" in text
    assert "# Good: 2 of 4 cadences, quality mask default" in text
    assert "# No moon was in sight." in text
    assert "SIMULATED" not in text


def make_track(**changes: Any) -> Track:
    values: dict[str, Any] = {
        "x": np.array([5.25, 5.5, 5.75, np.nan]),
        "y": np.array([5.0, 5.0, 5.5, np.nan]),
        "ra": np.array([81.33311492, 81.5, 81.75, np.nan]),
        "dec": np.array([-1.34326922, -1.25, -1.0, np.nan]),
        "radius_px": 2.5,
        "starlight": np.array([0.5, 20.0, np.nan, np.nan]),
        "starlight_err": np.array([0.1, 0.7, 0.1, 0.0]),
        "contaminated": np.array([False, True, False, False]),
    }
    return Track(**(values | changes))


def test_csv_of_a_moving_target_holds_its_place_in_every_cadence():
    text = to_csv(make_curve(track=make_track()))

    header, *rows = rows_of(text)
    assert header[-7:] == ["ra", "dec", "x", "y", "starlight", "starlight_err", "contaminated"]
    assert rows[0][-7:] == ["81.3331149", "-1.3432692", "5.2500", "5.0000", "0.5", "0.1", "0"]
    assert rows[1][-3:] == ["20", "0.7", "1"]
    assert rows[3][-7:-2] == [""] * 5
    assert "# Aperture: a circle of 2.5 pixels around the target, which it follows" in text
    for name in header:
        assert f"#   {name}: " in text


def test_csv_of_frames_that_were_added_up_as_a_whole_says_which_pixels():
    text = to_csv(make_curve(track=make_track(radius_px=np.inf)))

    assert "# Aperture: 3 pixels; rows from the bottom, 1 is summed: 10 11" in text


def test_simulated_curve_says_so_first():
    assert to_csv(make_curve(simulated=True)).startswith("# SIMULATED DATA: not an observation.")


def test_name_of_the_target_cannot_be_run_by_a_spreadsheet():
    text = to_csv(make_curve(target='x,=HYPERLINK("http://evil")\n=1+1'))

    assert "# Light curve of x,'=HYPERLINK('http://evil') =1+1 from TESS" in text


def test_utc_is_tdb_less_leap_seconds_and_terrestrial_time():
    # TAI - UTC = 37 s since 2017, TT - TAI = 32.184 s, TDB - TT below 2 ms:
    # JD 2458353.0 TDB = 2018-08-22 12:00:00 TDB = 11:58:50.816 UTC.
    (text,) = utc_texts(np.array([1353.0]))

    assert text[:20] == "2018-08-22T11:58:50."
    assert abs(int(text[20:]) - 816) <= 2


def test_utc_of_many_times_is_that_of_each_of_them():
    times = np.random.default_rng(8).uniform(1325, 4200, 2000)

    texts = utc_texts(times)

    # Asked one by one, astropy sums its whole series for the difference of TDB and TT.
    for i in range(0, 2000, 97):
        (alone,) = utc_texts(times[i : i + 1])
        gap = np.datetime64(texts[i]) - np.datetime64(alone)
        assert abs(gap) <= np.timedelta64(1, "ms")


def test_utc_of_an_unknown_time_is_empty():
    assert utc_texts(np.array([np.nan, np.nan])) == ["", ""]


def test_utc_is_rounded_to_the_millisecond():
    times = 1353.0 + np.arange(20) * 0.25e-3 / 86400

    stamps = [int(text[20:]) for text in utc_texts(times)]

    # 19 steps of a quarter of a millisecond are 4.75 ms.
    assert 4 <= stamps[-1] - stamps[0] <= 5
    assert stamps == sorted(stamps)


def test_times_keep_a_tenth_of_a_millisecond():
    time = np.array([1325.123456789, 1325.123456789 + 1e-4 / 86400])

    rows = rows_of(
        to_csv(
            make_curve(
                time=time,
                **{key: np.ones(2) for key in ("flux", "flux_err", "background")},
                quality=np.zeros(2, dtype=np.int32),
                good=np.ones(2, dtype=bool),
            )
        )
    )[1:]

    assert rows[0][:2] != rows[1][:2]
    assert float(rows[0][0]) == pytest.approx(time[0], abs=1e-9)


def test_csv_of_a_sector_of_200_s_cadence_takes_a_fraction_of_a_second():
    n = 12_000
    curve = make_curve(
        time=2800 + np.arange(n) / 432,
        flux=np.random.default_rng(1).normal(1000, 1, n),
        flux_err=np.ones(n),
        background=np.ones(n),
        quality=np.zeros(n, dtype=np.int32),
        good=np.ones(n, dtype=bool),
    )

    started = time.process_time()
    text = to_csv(curve)

    assert text.count("\n") > n
    assert time.process_time() - started < 0.3  # about 0.03 s
