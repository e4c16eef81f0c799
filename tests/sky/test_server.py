"""The demo sky answers over HTTP as MAST does, refusals included."""

import io
import logging
import socket
import subprocess
import sys
import threading
import time
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import requests
from astropy.io import fits

from demo_sky import server as server_module
from demo_sky.__main__ import main
from demo_sky.server import MAX_PARALLEL, base_url, listen, make_app, start
from demo_sky.tess.geometry import find_pointings
from demo_sky.tess.timing import sector_records
from demo_sky.tesscut import NOTHING_FOUND

with warnings.catch_warnings():
    # It warns of an optional package (oktopus) that only its point-spread-function models need.
    warnings.filterwarnings("ignore", message=".*tpfmodel submodule.*", category=UserWarning)
    import lightkurve

BRIEF = {"ra": 107.18696, "dec": -70.50919}
SECTOR, ASTROCUT = "/tesscut/api/v0.1/sector", "/tesscut/api/v0.1/astrocut"
SMALL_CUTOUT = {**BRIEF, "x": 1, "y": 1, "units": "px", "sector": 7}


@pytest.fixture(scope="module")
def url():
    with start() as running:
        yield running.url


@pytest.fixture
def ask(url):
    def get(path, **query):
        return requests.get(url + path, params=query, timeout=60)

    return get


def members(reply):
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(reply.content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def refused(reply, words):
    """Check a 400 with an HTML page that says why."""
    assert reply.status_code == 400
    assert reply.headers["content-type"].startswith("text/html")
    assert words in reply.text
    return True


def test_the_manuals_sectors_are_listed_in_masts_shape(ask):
    reply = ask(SECTOR, ra=135.1408, dec=-5.1915)

    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith("application/json")
    assert reply.json() == {
        "results": [
            {"sectorName": "tess-s0008-1-1", "sector": "0008", "camera": "1", "ccd": "1"},
            {"sectorName": "tess-s0034-1-2", "sector": "0034", "camera": "1", "ccd": "2"},
            {"sectorName": "tess-s0061-1-2", "sector": "0061", "camera": "1", "ccd": "2"},
            {"sectorName": "tess-s0088-1-2", "sector": "0088", "camera": "1", "ccd": "2"},
        ]
    }


def test_a_reply_recorded_from_mast_comes_out(ask, real_replies):
    import json

    recorded = json.loads((real_replies / "tesscut_sector_pimen_2023-10.json").read_text("utf-8"))

    ours = ask(SECTOR, ra=84.2911951861308, dec=-80.46912070924).json()["results"]

    # Recorded when sector 68 was the last.
    assert [row for row in ours if int(row["sector"]) <= 68] == recorded["results"]


@pytest.mark.parametrize("how", ["query", "form", "json", "json text"])
def test_all_ways_of_asking_give_the_same(url, how):
    asked = {**BRIEF, "x": 3, "y": 2, "units": "px", "sector": [7, 9]}
    reply = {
        "query": lambda: requests.get(url + ASTROCUT, params=asked, timeout=60),
        "form": lambda: requests.post(url + ASTROCUT, data=asked, timeout=60),
        "json": lambda: requests.post(url + ASTROCUT, json=asked, timeout=60),
        "json text": lambda: requests.post(
            url + ASTROCUT, json={**asked, "ra": "107.18696", "sector": ["0007", "9"]}, timeout=60
        ),
    }[how]()

    assert list(members(reply)) == [
        "tess-s0007-4-4_107.186960_-70.509190_3x2_astrocut.fits",
        "tess-s0009-4-1_107.186960_-70.509190_3x2_astrocut.fits",
    ]


@pytest.mark.parametrize("sectors", ["[7, 9]", "0007,9", ["7", "09"]])
def test_sectors_are_read_in_any_spelling(ask, sectors):
    names = list(members(ask(ASTROCUT, **{**SMALL_CUTOUT, "sector": sectors})))

    assert [name[:11] for name in names] == ["tess-s0007-", "tess-s0009-"]


@pytest.mark.parametrize("query", [{"sector": "All"}, {"sector": "all"}, {"sector": ""}, {}])
def test_without_a_sector_all_of_them_are_cut(ask, query):
    ra, dec = 135.1408, -5.1915

    names = list(members(ask(ASTROCUT, ra=ra, dec=dec, x=1, y=1, **query)))

    assert [name[:14] for name in names] == [
        "tess-s0008-1-1",
        "tess-s0034-1-2",
        "tess-s0061-1-2",
        "tess-s0088-1-2",
    ]


@pytest.mark.parametrize(
    ("x", "y", "units", "size"),
    [
        pytest.param("5", "7", "px", "5x7", id="x columns, y rows"),
        pytest.param("1.0", "1.0", "px", "1x1", id="as astroquery writes a Quantity"),
        # astroquery's manual: 5 arcmin are 15 pixels there; its older edition: 7 arcmin are 21.
        pytest.param(5 / 60, 5 / 60, "d", "15x15", id="5 arcmin in degrees"),
        pytest.param(7, 5, "m", "21x15", id="arcmin"),
        pytest.param(300, 10, "s", "15x1", id="arcsec"),
    ],
)
def test_the_window_has_the_size_that_was_asked_for(ask, x, y, units, size):
    (name,) = members(ask(ASTROCUT, **BRIEF, x=x, y=y, units=units, sector=9))

    assert name == f"tess-s0009-4-1_107.186960_-70.509190_{size}_astrocut.fits"


def test_units_are_pixels_unless_said(ask):
    (name,) = members(ask(ASTROCUT, **BRIEF, x=2, y=3, sector=9))

    assert "_2x3_" in name


def test_unknown_and_old_parameters_are_ignored(ask):
    assert ask(SECTOR, **BRIEF, product="SPOC", format="fits").json()["results"]


def test_negative_right_ascension_is_a_turn_further(ask):
    assert ask(SECTOR, ra=107.18696 - 360.0, dec=BRIEF["dec"]).json() == ask(SECTOR, **BRIEF).json()


def test_a_radius_finds_ccds_beside_the_position(ask):
    def sectors(**query):
        return [row["sectorName"] for row in ask(SECTOR, **BRIEF, **query).json()["results"]]

    alone = sectors()
    wide = sectors(radius="60m")

    assert set(alone) < set(wide)
    assert sectors(radius="1d") == sectors(radius="1") == sectors(radius="3600s") == wide
    assert sectors(radius="0") == sectors(radius="0m") == sectors(radius="") == alone
    # A pixel is 21 arcsec.
    assert sectors(radius="2px") == sectors(radius="42s")
    expected = find_pointings(**BRIEF, radius_deg=1.0)
    assert wide == [f"tess-s{p.sector:04d}-{p.camera}-{p.ccd}" for p in expected]


def test_a_cutout_across_the_gap_between_ccds_has_a_file_of_each(ask):
    # On sector 9, camera 4, between CCDs 1 and 2, wide enough to reach both.
    from demo_sky.tess.geometry import pixel_to_sky

    ra, dec = pixel_to_sky(9, 4, 1, 2150.0, 700.0)

    names = list(members(ask(ASTROCUT, ra=float(ra), dec=float(dec), x=160, y=2, sector=9)))

    assert [name[:14] for name in names] == ["tess-s0009-4-1", "tess-s0009-4-2"]


def test_nothing_there_is_json_with_a_message(ask):
    reply = ask(ASTROCUT, **{**SMALL_CUTOUT, "sector": 99})

    assert reply.status_code == 200
    assert reply.json() == {"results": [], "msg": NOTHING_FOUND}


def test_no_sector_is_an_empty_list(ask):
    # Near the ecliptic, where TESS has not been by sector 98.
    rng = np.random.default_rng(3)
    empty = next(
        (ra, dec)
        for ra, dec in zip(rng.uniform(0, 360, 500), rng.uniform(-20, 20, 500), strict=True)
        if not find_pointings(ra, dec)
    )

    reply = ask(SECTOR, ra=empty[0], dec=empty[1])

    assert reply.status_code == 200
    assert reply.json() == {"results": []}


BAD_NUMBERS = [
    "",
    "nan",
    "inf",
    "-inf",
    "1e999",
    "1e99999",
    "abc",
    "1_0",
    "١٢",
    "0x10",
    "1;2",
    "1" * 400,
]


@pytest.mark.parametrize("bad", BAD_NUMBERS)
@pytest.mark.parametrize("name", ["ra", "dec", "x", "y"])
def test_numbers_that_are_none_are_refused(ask, name, bad):
    reply = ask(ASTROCUT, **{**SMALL_CUTOUT, name: bad})

    assert refused(reply, name) or refused(reply, "too large")


@pytest.mark.parametrize("name", ["ra", "dec", "x", "y"])
def test_a_missing_parameter_is_refused(ask, name):
    query = {key: value for key, value in SMALL_CUTOUT.items() if key != name}

    assert refused(ask(ASTROCUT, **query), f"The parameter {name} is missing.")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"ra": 360.1}, "ra is outside -360 to 360 degrees: 360.1"),
        ({"ra": 1e300}, "ra is outside"),
        ({"dec": -90.5}, "dec is outside -90 to 90 degrees: -90.5"),
        ({"x": 0}, "The size is not positive: x=0.0"),
        ({"y": -3}, "The size is not positive"),
        (
            {"x": 101, "y": 100},
            "The cutout is too large: 101 x 100 px; at most 10000 pixels in all.",
        ),
        ({"x": 1e300, "y": 1e300}, "too large"),
        ({"x": 3, "y": 3, "units": "d"}, "too large"),
        ({"x": 1e308, "y": 1e308, "units": "d"}, "too large"),
        ({"units": "furlongs"}, "The units are not px, d, m or s: furlongs"),
        ({"sector": "seven"}, "The sector is not a number: seven"),
        ({"sector": "-7"}, "The sector is not a number"),
        ({"sector": "7" * 5000}, "The sector is not a number"),
        ({"sector": "<script>"}, "&lt;script&gt;"),
    ],
)
def test_what_cannot_be_cut_is_refused(ask, query, words):
    assert refused(ask(ASTROCUT, **{**SMALL_CUTOUT, **query}), words)


@pytest.mark.parametrize(
    "radius", ["2x", "2 parsec", "nan", "-1", "181d", "1e999", "d", "1dd", "1" * 400]
)
def test_a_radius_that_is_none_is_refused(ask, radius):
    assert refused(ask(SECTOR, **BRIEF, radius=radius), "radius")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "not JSON"),
        (b"[1, 2]", "not a JSON object"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 200_000, "not JSON"),
        (b'{"ra": NaN, "dec": 1}', "ra is not a number"),
        (b'{"ra": {"a": 1}, "dec": 1}', "ra is not a number"),
        (b'{"ra": null, "dec": 1}', "ra is missing"),
        (b" " * 300_000, "longer than"),
    ],
)
def test_bodies_that_cannot_be_read_are_refused(url, body, words):
    reply = requests.post(
        url + SECTOR, data=body, headers={"Content-Type": "application/json"}, timeout=60
    )

    assert refused(reply, words)


def test_a_body_of_anything_else_is_taken_for_a_form(url):
    reply = requests.post(
        url + SECTOR, data="ra=135.1408&dec=-5.1915", headers={"Content-Type": "text/x"}, timeout=60
    )

    assert len(reply.json()["results"]) == 4


def test_other_paths_do_not_exist(ask):
    assert ask("/tesscut/api/v0.1/nothing").status_code == 404
    assert ask("/nothing").status_code == 404


def test_the_server_says_what_it_is(ask):
    reply = ask("/")

    assert reply.headers["content-type"].startswith("text/plain")
    assert "simulated" in reply.text


def test_more_than_ten_requests_at_once_get_503():
    with start(latency_s=0.5) as busy, ThreadPoolExecutor(14) as threads:
        replies = list(
            threads.map(
                lambda _: requests.get(busy.url + SECTOR, params=BRIEF, timeout=60), range(14)
            )
        )
        again = requests.get(busy.url + SECTOR, params=BRIEF, timeout=60)

    statuses = [reply.status_code for reply in replies]
    assert statuses.count(200) == MAX_PARALLEL == 10
    assert statuses.count(503) == 4
    page = next(reply for reply in replies if reply.status_code == 503)
    assert page.headers["content-type"].startswith("text/html")
    assert "503 Service Temporarily Unavailable" in page.text
    assert again.status_code == 200


def test_ten_clients_that_ask_again_and_again_are_never_refused(url):
    def ask_often(_):
        with requests.Session() as session:
            return {
                session.get(url + SECTOR, params=BRIEF, timeout=60).status_code for _ in range(20)
            }

    with ThreadPoolExecutor(10) as threads:
        assert set.union(*threads.map(ask_often, range(10))) == {200}


def test_the_limit_spares_the_name_resolver():
    with start(max_parallel=1, latency_s=1.0) as busy, ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(requests.get, busy.url + SECTOR, params=BRIEF, timeout=60)
        time.sleep(0.3)
        refused_one = requests.get(busy.url + SECTOR, params=BRIEF, timeout=60)
        names = requests.get(f"{busy.url}/Santa-war/query", params={"name": "M1"}, timeout=60)

        assert refused_one.status_code == 503
        assert names.status_code == 200
        assert waiting.result().status_code == 200


@pytest.mark.parametrize("begun", [False, True], ids=["before the reply", "in the midst of it"])
def test_a_client_that_leaves_frees_its_place(begun, caplog):
    # All sectors of a large cutout: far from done when the client goes.
    query = f"{ASTROCUT}?ra=84.29&dec=-80.47&x=30&y=30"
    with start(max_parallel=1) as busy:
        host, port = busy.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(f"GET {query} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            if begun:
                assert client.recv(12) == b"HTTP/1.1 200"
            else:
                time.sleep(0.1)
            assert requests.get(busy.url + SECTOR, params=BRIEF, timeout=60).status_code == 503
        deadline = time.monotonic() + 30.0
        status = 503
        while status == 503 and time.monotonic() < deadline:
            time.sleep(0.05)
            status = requests.get(busy.url + SECTOR, params=BRIEF, timeout=60).status_code

    assert status == 200
    assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_a_slow_cutout_does_not_hold_up_others(url):
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(
            requests.get,
            url + ASTROCUT,
            params={**BRIEF, "x": 30, "y": 30, "sector": 61},
            timeout=60,
        )
        time.sleep(0.2)
        n_answered = 0
        while not slow.done():
            assert requests.get(f"{url}/", timeout=60).status_code == 200
            n_answered += 1
            time.sleep(0.02)

        assert n_answered > 3
        assert len(members(slow.result())) == 1


def test_the_same_request_gives_the_same_bytes(ask):
    once, again = (ask(ASTROCUT, **SMALL_CUTOUT).content for _ in range(2))

    assert once == again


def test_overlapping_cutouts_agree_on_their_common_pixels(ask):
    def flux(size):
        (content,) = members(ask(ASTROCUT, **BRIEF, x=size, y=size, sector=7)).values()
        with fits.open(io.BytesIO(content)) as hdus:
            return np.array(hdus[1].data["FLUX"])

    np.testing.assert_array_equal(flux(3), flux(9)[:, 3:6, 3:6])


def test_a_served_file_opens_in_astropy_and_lightkurve(ask, tmp_path):
    (content,) = members(ask(ASTROCUT, ra=24.354302, dec=-45.677883, x=11, y=11, sector=2)).values()
    path = tmp_path / "wasp-18.fits"
    path.write_bytes(content)

    with fits.open(path, checksum=True) as hdus:
        assert hdus[0].header["SIMDATA"] is True
        assert all(hdu.verify_checksum() == 1 for hdu in hdus)
        flux = np.array(hdus[1].data["FLUX"])
    tpf = lightkurve.read(path)
    light_curve = tpf.to_lightcurve(aperture_mask="threshold")

    assert len(flux) == sector_records()[2].n_ffi
    assert isinstance(tpf, lightkurve.TessTargetPixelFile)
    # WASP-18 (Tmag 8.8) is the brightest around: its light is in the middle of the stamp.
    y, x = np.unravel_index(np.nanmedian(flux, axis=0).argmax(), (11, 11))
    assert abs(x - 5) <= 1
    assert abs(y - 5) <= 1
    # 20.44 mag give 1 electron/s: 8.83 mag give 44,000; the aperture holds most of it and sky.
    assert 0.7 < np.nanmedian(light_curve.flux.value) / 10 ** (0.4 * (20.44 - 8.83)) < 1.6
    tpf.hdu.close()


def test_a_sector_listed_for_its_collateral_pixels_is_cut_and_empty(ask):
    # As at MAST: Pi Mensae falls on collateral columns in sector 35.
    (content,) = members(
        ask(ASTROCUT, ra=84.2911951861308, dec=-80.46912070924, x=3, y=3, sector=35)
    ).values()

    with fits.open(io.BytesIO(content)) as hdus:
        assert not hdus[2].data.any()
        assert np.isnan(hdus[1].data["FLUX"]).all()


def test_names_are_resolved_over_http(ask):
    query = {"name": ["Pi Mensae", "M101"], "outputFormat": "json", "resolveAll": "False"}

    matches = ask("/Santa-war/query", **query).json()["resolvedCoordinate"]

    assert [match["searchString"] for match in matches] == ["pi mensae", "m101"]
    assert matches[0]["decl"] == -80.46912070924
    everyone = ask("/Santa-war/query", name="M101", resolveAll="true").json()["resolvedCoordinate"]
    assert [match["resolver"] for match in everyone] == ["SIMBAD", "SIMBADCFA", "NED"]
    ned = ask("/Santa-war/query", name="M101", resolver="NED").json()["resolvedCoordinate"]
    assert [match["resolver"] for match in ned] == ["NED"]


def test_a_name_is_needed(ask):
    assert refused(ask("/Santa-war/query", outputFormat="json"), "The parameter name is missing.")


def test_planted_truth_is_told(ask):
    told = ask("/demo/truth", ra=24.3543, dec=-45.6779, size=11).json()

    assert told["simulated"] is True
    (planet,) = [star for star in told["stars"] if star["signal"] == "WASP-18 b"]
    assert planet["period_d"] == pytest.approx(0.9414525)
    assert planet["depth_ppm"] == pytest.approx(11445.0)
    assert len({star["tic"] for star in told["stars"]}) > 3


@pytest.mark.parametrize("size", ["0", "-1", "101", "nan", "1e300"])
def test_truth_is_told_of_cutouts_only(ask, size):
    assert refused(ask("/demo/truth", **BRIEF, size=size), "size")


def test_a_stopped_server_is_gone():
    running = start()
    n_threads = threading.active_count()
    host, port = running.url.removeprefix("http://").split(":")

    running.stop()
    running.stop()

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5).close()
    assert threading.active_count() < n_threads
    # The port is free again.
    with start(port=int(port)) as again:
        assert again.url == running.url


def test_a_taken_port_is_an_error():
    with start() as running:
        port = int(running.url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            start(port=port)


def test_replies_do_not_wait_for_acknowledgements():
    with listen("127.0.0.1", 0) as listener:
        # With protocol 0 asyncio leaves Nagle's algorithm on: 44 ms for each reply.
        assert listener.proto == socket.IPPROTO_TCP
        assert base_url(listener).startswith("http://127.0.0.1:")


def test_a_server_for_all_addresses_is_reached_by_the_local_one():
    with listen("0.0.0.0", 0) as listener:
        assert base_url(listener).startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_parallel": 0}, "max_parallel must be at least 1, got 0"),
        ({"latency_s": -1.0}, "latency_s must be zero or positive"),
        ({"latency_s": float("nan")}, "latency_s must be zero or positive"),
    ],
)
def test_options_that_make_no_sense_are_errors(options, message):
    with pytest.raises(ValueError, match=message):
        make_app(**options)


def test_an_error_of_ours_is_a_500_and_does_not_end_the_server(monkeypatch, caplog):
    def fail(*_arguments):
        raise ZeroDivisionError

    monkeypatch.setattr(server_module.tesscut, "Exposure", fail)
    with start() as running:
        failed = requests.get(running.url + ASTROCUT, params=SMALL_CUTOUT, timeout=60)
        monkeypatch.undo()
        next_one = requests.get(running.url + ASTROCUT, params=SMALL_CUTOUT, timeout=60)

    assert failed.status_code == 500
    assert "ZeroDivisionError" in caplog.text
    assert next_one.status_code == 200


def test_the_command_prints_its_address_and_ends_quietly_at_ctrl_c():
    import signal

    process = subprocess.Popen(
        [sys.executable, "-m", "demo_sky", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        url = next(word for word in line.split() if word.startswith("http://"))
        deadline = time.monotonic() + 30.0
        reply = None
        while reply is None and time.monotonic() < deadline:
            try:
                reply = requests.get(url, timeout=5)
            except requests.ConnectionError:
                time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()

    assert "simulated" in line
    assert reply.status_code == 200
    assert process.returncode == 0
    assert (out, err) == ("", "")


def test_the_command_says_when_its_port_is_taken(capsys):
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]

        assert main(["--port", str(port)]) == 1

    assert f"Cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["--max-parallel", "0"], ["--latency", "-1"], ["--latency", "nan"], ["--port", "x"]],
)
def test_the_command_refuses_options_that_make_no_sense(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)

    assert arguments[0] in capsys.readouterr().err
