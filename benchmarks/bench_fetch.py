"""
Fetch TESS cutouts up to the FLUX arrays: Skystamp against astroquery, same server, same run.

Every figure is of a fresh process that imports first and then fetches; the server is a demo sky in
a process of its own that has made the replies before, so that its work is not measured. Printed are
medians of wall time and of the growth of peak memory, and their ratios. astroquery is measured as
shipped and without its hook that logs every reply (`BaseQuery._response_hook`).

Run: python benchmarks/bench_fetch.py [--repeat 5]
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RA, DEC = 107.18696, -70.50919
# Eight sectors of 10-minute images, one of 200-second images.
CASES = {
    "1 sector,  11x11, 10 min": ([33], 11),
    "1 sector,  21x21, 10 min": ([33], 21),
    "1 sector,  11x11, 200 s": ([65], 11),
    "1 sector,  21x21, 200 s": ([65], 21),
    "8 sectors, 11x11, 10 min": ([27, 28, 29, 30, 32, 33, 35, 36], 11),
    "8 sectors, 21x21, 10 min": ([27, 28, 29, 30, 32, 33, 35, 36], 21),
}
CLIENTS = ("skystamp", "skystamp HDUList", "astroquery", "astroquery, no hook")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--repeat", type=int, default=5, help="counted runs of each, default 5")
    parser.add_argument("--client", help=argparse.SUPPRESS)
    parser.add_argument("--case", help=argparse.SUPPRESS)
    parser.add_argument("--server", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.server:
        _serve()
    elif options.client:
        _measure_one(options.client, *CASES[options.case])
    else:
        _compare(options.repeat)


def _compare(repeat: int) -> None:
    with subprocess.Popen(
        [sys.executable, __file__, "--server"],
        stdout=subprocess.PIPE,
        text=True,
        env=_environment(),
    ) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        try:
            print(
                f"{'':28}{'client':22}{'wall s':>8}{'peak MiB':>10}   ratio to shipped, to no hook"
            )
            for case in CASES:
                _print_case(case, _runs(case, url, repeat))
        finally:
            server.terminate()


def _runs(case: str, url: str, repeat: int) -> dict[str, tuple[float, float]]:
    """Run all clients in turn, `repeat` times after one warm-up; medians of time and memory."""
    figures: dict[str, list[dict[str, float]]] = {client: [] for client in CLIENTS}
    for i in range(repeat + 1):
        for client in CLIENTS:
            command = [sys.executable, __file__, "--client", client, "--case", case]
            out = subprocess.run(
                command, env=_environment(url), capture_output=True, text=True, check=True
            )
            if i > 0:
                figures[client].append(json.loads(out.stdout.splitlines()[-1]))
    return {
        client: tuple(statistics.median(f[key] for f in runs) for key in ("wall_s", "peak_mib"))  # type: ignore[misc]
        for client, runs in figures.items()
    }


def _print_case(case: str, medians: dict[str, tuple[float, float]]) -> None:
    shipped, no_hook = medians["astroquery"], medians["astroquery, no hook"]
    for client, (wall, peak) in medians.items():
        ratios = "   ".join(
            f"{wall / peer[0]:5.2f}x time {peak / peer[1]:5.2f}x memory"
            for peer in (shipped, no_hook)
        )
        print(f"{case:28}{client:22}{wall:8.3f}{peak:10.1f}   {ratios}")
        case = ""


def _measure_one(client: str, sectors: list[int], size: int) -> None:
    fetch = _prepare(client)
    _forget_peak()
    before = _memory_kib("VmRSS")
    start = time.perf_counter()
    arrays = fetch(sectors, size)
    wall = time.perf_counter() - start
    peak = (_memory_kib("VmHWM") - before) / 1024
    assert len(arrays) == len(sectors)
    assert all(a.dtype.name == "float32" and a.dtype.isnative for a in arrays)
    print(json.dumps({"wall_s": wall, "peak_mib": peak}))


def _prepare(client: str):
    """Import a client and return its way from sectors to native FLUX arrays."""
    if client == "skystamp":
        return _skystamp_arrays()
    import numpy as np
    from astropy.coordinates import SkyCoord

    if client == "skystamp HDUList":
        from cutout_core import Tesscut
    else:
        from astroquery.mast import Tesscut

        Tesscut._service_api_connection.REQUEST_URL = (
            f"{os.environ['SKYSTAMP_MAST_URL']}/tesscut/api/v0.1/"
        )
        if client.endswith("no hook"):
            Tesscut._service_api_connection._session.hooks["response"] = []
            Tesscut._session.hooks["response"] = []
    coord = SkyCoord(RA, DEC, unit="deg")

    def fetch(sectors: list[int], size: int) -> list[np.ndarray]:
        hdulists = Tesscut.get_cutouts(coordinates=coord, size=size, sector=sectors)
        return [h["PIXELS"].data["FLUX"].astype(np.float32) for h in hdulists]

    return fetch


def _skystamp_arrays():
    """Return what the dashboard does: one request per sector, in threads, straight to arrays."""
    from concurrent.futures import ThreadPoolExecutor

    from cutout_core import MastSession
    from cutout_core.mast.session import MAX_IN_FLIGHT
    from cutout_core.mast.tesscut import fetch_cutout, plan_cutouts
    from cutout_core.size import parse_size
    from cutout_core.tpf import read_tpf

    session = MastSession()

    def one(request):
        archive = fetch_cutout(session, request)
        return [read_tpf(archive.read(m), name=m.name).flux for m in archive.members]

    def fetch(sectors: list[int], size: int) -> list:
        requests = plan_cutouts(session, RA, DEC, parse_size(size), sectors)
        with ThreadPoolExecutor(MAX_IN_FLIGHT) as pool:
            return [flux for fluxes in pool.map(one, requests) for flux in fluxes]

    return fetch


def _serve() -> None:
    """Run a demo sky that remembers its replies, and print its URL."""
    import threading

    from demo_sky.server import RunningServer, make_app

    server = RunningServer(_Remembering(make_app(max_parallel=64)), "127.0.0.1", 0)
    print(server.url, flush=True)
    threading.Event().wait()


class _Remembering:
    """An ASGI app in front of another: the second time, a reply comes from memory."""

    def __init__(self, app) -> None:
        self._app = app
        self._replies: dict[tuple[str, bytes, bytes], list[dict]] = {}

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        key = (scope["path"], scope["query_string"], body)
        if key not in self._replies:
            self._replies[key] = await self._record(scope, body)
        for message in self._replies[key]:
            await send(message)

    async def _record(self, scope, body: bytes) -> list[dict]:
        messages: list[dict] = []

        requests = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def receive() -> dict:
            # After the request only a disconnection could come, and none does.
            return next(requests, None) or await asyncio.Event().wait()

        async def send(message: dict) -> None:
            messages.append(dict(message))

        await self._app(scope, receive, send)
        start = messages[0]
        content = b"".join(m.get("body", b"") for m in messages[1:])
        return [start, {"type": "http.response.body", "body": content}]


def _environment(url: str | None = None) -> dict[str, str]:
    urls = {"SKYSTAMP_MAST_URL": url, "SKYSTAMP_RESOLVER_URL": url} if url else {}
    return {**os.environ, "PYTHONPATH": str(ROOT), **urls}


def _forget_peak() -> None:
    """Reset the kernel's mark of peak memory (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def _memory_kib(name: str) -> int:
    status = Path("/proc/self/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith(name)).split()[1])


if __name__ == "__main__":
    main()
