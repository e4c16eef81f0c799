"""
Draw and fetch Hubble images: Skystamp against astrocut, matplotlib, reproject and astroquery.

Drawing: the same arrays in the same process, all in turn; imports are not counted. Fetching: a
fresh process each, from the request to finished previews (Skystamp) or to HDULists (astroquery,
as shipped and without its hook that logs every reply); the server is a process of its own that
holds the reply ready. Printed are medians, and ratios to Skystamp.

Run: python benchmarks/bench_images.py [--repeat 5] [--side 1000]
"""

import argparse
import http.server
import io
import json
import os
import statistics
import subprocess
import sys
import time
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

N_IMAGES = 12
CLIENTS = ("skystamp, with previews", "astroquery", "astroquery, no hook")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--repeat", type=int, default=5, help="counted runs of each, default 5")
    parser.add_argument("--side", type=int, default=1000, help="pixels along a side, default 1000")
    parser.add_argument("--client", help=argparse.SUPPRESS)
    parser.add_argument("--server", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.server:
        _serve(options.side)
    elif options.client:
        _fetch_as(options.client)
    else:
        _draw(options.side, options.repeat)
        _fetch(options.side, options.repeat)


# --- drawing -----------------------------------------------------------------------------------


def _draw(side: int, repeat: int) -> None:
    warnings.simplefilter("ignore")
    images = [_image(side, seed) for seed in range(N_IMAGES)]
    _table(f"{N_IMAGES} previews of {side} x {side} pixels", _previews(images), repeat)
    _table(f"{N_IMAGES} pictures at full size", _full_size(images), repeat)
    three = [_image(side, 1), _image(side, 2, rotation_deg=3.0), _image(side // 3, 3, scale=0.12)]
    _table("one colour picture of three grids", _colours(three), repeat)


def _image(side: int, seed: int, *, scale: float = 0.04, rotation_deg: float = 0.0) -> Any:
    """Read an image of a field of stars in noise, as HAPCut sends it."""
    from cutout_core.image import read_images

    return read_images(_file(side, seed, scale=scale, rotation_deg=rotation_deg))[0]


def _file(side: int, seed: int, *, scale: float = 0.04, rotation_deg: float = 0.0) -> bytes:
    import numpy as np

    from tests.factories import make_wcs_cards
    from tests.image_factories import DEC, RA, make_hapcut_file

    random = np.random.default_rng(seed)
    data = random.normal(0.02, 0.01, (side, side)).astype(np.float32)
    ys, xs = np.mgrid[-8:9, -8:9]
    star = np.exp(-(xs**2 + ys**2) / 6).astype(np.float32)
    for _ in range(100):
        y, x = random.integers(8, side - 9, 2)
        data[y - 8 : y + 9, x - 8 : x + 9] += star * 10 ** random.uniform(-1.5, 2)
    shape = (side, side)
    cards = make_wcs_cards(shape, ra=RA, dec=DEC, scale_arcsec=scale, rotation_deg=rotation_deg)
    band = ("F160W", "F814W", "F606W")[seed % 3]
    primary = {"FILTER": band, "ORIG_FLE": ""}
    return make_hapcut_file(
        data, np.ones_like(data), primary=primary, cards=cards | {"PHOTPLAM": ""}
    )


def _previews(images: list[Any]) -> dict[str, Callable[[], object]]:
    from cutout_core.display import PictureStyle, preview

    style = PictureStyle()
    return {
        "skystamp": lambda: [preview(image, float("nan"), style) for image in images],
        "astrocut": lambda: [_astrocut(image) for image in images],
        "matplotlib, WCSAxes": lambda: [_matplotlib(image, inches=1.92) for image in images],
    }


def _full_size(images: list[Any]) -> dict[str, Callable[[], object]]:
    from cutout_core.display import PictureStyle, picture_png

    style = PictureStyle()
    return {
        "skystamp": lambda: [
            picture_png(image.data, style.scaling(image.data), style) for image in images
        ],
        "astrocut": lambda: [_astrocut(image) for image in images],
        "matplotlib, WCSAxes": lambda: [
            _matplotlib(image, inches=image.shape[0] / 100) for image in images
        ],
    }


def _astrocut(image: Any) -> bytes:
    """Do what astrocut's img_cut does with an array: normalise it, save it as a PNG."""
    from astrocut.image_cutout import ImageCutout
    from PIL import Image

    levels = ImageCutout.normalize_img(image.data, minmax_percent=[0.5, 99.5])
    out = io.BytesIO()
    Image.fromarray(levels[::-1]).save(out, "PNG")
    return out.getvalue()


def _matplotlib(image: Any, *, inches: float) -> bytes:
    from astropy.visualization import AsinhStretch, ImageNormalize
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(inches, inches), dpi=100)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot(projection=image.wcs)
    norm = ImageNormalize(vmin=0, vmax=1, stretch=AsinhStretch())
    axes.imshow(image.data, origin="lower", cmap="gray", norm=norm)
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def _colours(images: list[Any]) -> dict[str, Callable[[], object]]:
    from cutout_core.colour import choose_images, colour_picture
    from cutout_core.display import colour_jpeg

    chosen = choose_images(images)
    ways: dict[str, Callable[[], object]] = {
        "skystamp": lambda: colour_jpeg(colour_picture(chosen).rgb)
    }
    try:
        from reproject import reproject_interp
    except ImportError:
        print("(reproject is not installed: pip install reproject, to compare with it)")
        return ways

    def peer() -> object:
        from astropy.visualization import make_lupton_rgb

        first = images[0]
        layers = [first.data] + [
            reproject_interp((i.data, i.wcs), first.wcs, shape_out=first.shape, order="bilinear")[0]
            for i in images[1:]
        ]
        return colour_jpeg(make_lupton_rgb(*layers, stretch=0.1, Q=8))

    return ways | {"reproject and astropy": peer}


def _table(title: str, ways: dict[str, Callable[[], object]], repeat: int) -> None:
    times: dict[str, list[float]] = {name: [] for name in ways}
    for i in range(repeat + 1):
        for name, work in ways.items():
            start = time.perf_counter()
            work()
            if i > 0:
                times[name].append(time.perf_counter() - start)
    _print(title, {name: statistics.median(values) for name, values in times.items()})


def _print(title: str, medians: dict[str, float]) -> None:
    ours = next(iter(medians.values()))
    print(f"\n{title}")
    for name, seconds in medians.items():
        print(f"  {name:26}{seconds * 1000:9.1f} ms {seconds / ours:8.1f}x")


# --- fetching ----------------------------------------------------------------------------------


def _fetch(side: int, repeat: int) -> None:
    command = [sys.executable, __file__, "--server", "--side", str(side)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        environment = os.environ | {"SKYSTAMP_MAST_URL": url}
        walls: dict[str, list[float]] = {client: [] for client in CLIENTS}
        try:
            for i in range(repeat + 1):
                for client in CLIENTS:
                    run = [sys.executable, __file__, "--client", client]
                    out = subprocess.run(
                        run, env=environment, capture_output=True, text=True, check=True
                    )
                    if i > 0:
                        walls[client].append(json.loads(out.stdout.splitlines()[-1]))
        finally:
            server.terminate()
    title = f"{N_IMAGES} HAPCut images of {side} x {side} pixels from the request on"
    _print(title, {client: statistics.median(values) for client, values in walls.items()})


def _serve(side: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for seed in range(N_IMAGES):
            archive.writestr(f"hst_cutout_{seed}_wfc3_ir_f160w.fits", _file(side, seed))
    reply = out.getvalue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Content-Type", "application/zip")
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
        server.serve_forever()


def _fetch_as(client: str) -> None:
    warnings.simplefilter("ignore")
    work = _skystamp() if client == CLIENTS[0] else _astroquery(hook=client == "astroquery")
    start = time.perf_counter()
    found = work()
    wall = time.perf_counter() - start
    assert len(found) == N_IMAGES
    print(json.dumps(wall))


def _skystamp() -> Callable[[], list[Any]]:
    import astropy.visualization  # noqa: F401
    from PIL import Image, PngImagePlugin  # noqa: F401

    from cutout_core.display import PictureStyle, preview
    from cutout_core.imagelook import open_reply
    from cutout_core.mast.hapcut import fetch_cutout, plan_cutouts
    from cutout_core.mast.session import MastSession
    from cutout_core.size import parse_size

    def work() -> list[Any]:
        session = MastSession()
        (request,) = plan_cutouts(session, 10.0, 20.0, parse_size(1000))
        archive = fetch_cutout(session, request)
        assert archive is not None
        images = [look.image for look in open_reply(archive).images]
        return [preview(image, float("nan"), PictureStyle()) for image in images]

    return work


def _astroquery(*, hook: bool) -> Callable[[], list[Any]]:
    from astropy.coordinates import SkyCoord
    from astroquery.mast import HapcutClass
    from astroquery.query import BaseQuery

    if not hook:
        BaseQuery._response_hook = lambda *_args, **_kwargs: None
    client = HapcutClass()
    base = os.environ["SKYSTAMP_MAST_URL"]
    client._service_api_connection.REQUEST_URL = f"{base}/hapcut/api/v0.1/"
    coordinates = SkyCoord(10.0, 20.0, unit="deg")

    def work() -> list[Any]:
        found: list[Any] = client.get_cutouts(coordinates, size=1000)
        for hdus in found:
            assert hdus["SCI"].data is not None
        return found

    return work


if __name__ == "__main__":
    main()
