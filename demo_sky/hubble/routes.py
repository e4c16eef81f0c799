"""The Zcut and HAPCut services: which surveys see a position, and cutouts of what they have."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from demo_sky.hubble.mosaics import Mosaic, sky_cells, surveys
from demo_sky.hubble.pictures import PICTURE_FORMATS, STRETCHES, Scaling
from demo_sky.hubble.products import (
    Order,
    Piece,
    hap_files,
    stream_archive,
    zcut_files,
    zcut_pictures,
)
from demo_sky.hubble.projection import cutout_window, unit_vectors
from demo_sky.hubble.truth import truth
from demo_sky.parameters import (
    DEGREES,
    BadRequestError,
    Parameters,
    is_true,
    number,
    position,
    radius_deg,
    read_parameters,
    size,
)
from demo_sky.streaming import in_threads, start_in_thread

# Users of HAPCut ask for 5000 x 5000; beyond twice that a laptop would be busy for minutes.
MAX_PIXELS = 50_000_000

# HAPCut's own words (astroquery's tests); Zcut's are not known.
NO_HAP_FILES = "Missing HAP files for input target. Cutout not performed."
NO_SURVEY_IMAGES = "No survey images found for input target. Cutout not performed."

# Zcut's documentation: the radius of a search that names none.
_SEARCH_RADIUS_DEG = 0.2

_LARGEST_TRUTH_DEG = 0.1

_NUMBERS = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_METHODS = ["GET", "POST"]


def zcut_routes() -> list[Route]:
    """Give Zcut's paths, below ``/zcut/api/v0.1``."""
    return [
        Route("/survey", find_surveys, methods=_METHODS),
        Route("/astrocut", cut_surveys, methods=_METHODS),
    ]


def hapcut_routes() -> list[Route]:
    """Give HAPCut's path, below ``/hapcut/api/v0.1``."""
    return [Route("/astrocut", cut_sky_cells, methods=_METHODS)]


def truth_routes() -> list[Route]:
    """Give the path that tells what was planted, from the root of the server."""
    return [Route("/demo/hubble_truth", tell_truth, methods=_METHODS)]


# --- Zcut -----------------------------------------------------------------------------------------


async def find_surveys(request: Request) -> Response:
    """
    Answer Zcut's ``/survey``.

    Parameters
    ----------
    request : Request
        With ra, dec, radius.

    Returns
    -------
    response : Response
        JSON; ``surveys`` is empty if none has data in the circle.
    """
    parameters = await read_parameters(request)
    ra, dec = position(parameters)
    named = parameters.get("radius", [""])[0]
    radius = radius_deg(parameters) if named else _SEARCH_RADIUS_DEG

    def look_up() -> list[str]:
        return [
            name
            for name, mosaics in surveys().items()
            if any(each.footprint.distance_deg(ra, dec) <= radius for each in mosaics)
        ]

    return JSONResponse({"surveys": await run_in_threadpool(look_up)})


async def cut_surveys(request: Request) -> Response:
    """
    Answer Zcut's ``/astrocut``.

    Parameters
    ----------
    request : Request
        With ra, dec, x, y, units, survey, cutout_format (or format, its old name), and for
        pictures stretch, minmax_percent, minmax_value, invert.

    Returns
    -------
    response : Response
        A zip archive, or JSON with ``msg`` if no survey has data there.
    """
    parameters = await read_parameters(request)
    order = _read_order(parameters)
    cutout_format = _first(parameters, "cutout_format") or _first(parameters, "format") or "fits"
    if cutout_format not in ("fits", *PICTURE_FORMATS):
        msg = f"The format is not fits, jpg or png: {cutout_format[:40]}"
        raise BadRequestError(msg)
    scaling = _read_scaling(parameters)
    asked_for = {name for text in parameters.get("survey", []) for name in _names(text)}

    def plan() -> list[Piece]:
        known = surveys()
        chosen = [m for n, mosaics in known.items() if n in (asked_for or known) for m in mosaics]
        return list(_pieces(chosen, order, order.width, order.height))

    pieces = await run_in_threadpool(plan)
    if not pieces:
        return JSONResponse({"results": [], "msg": NO_SURVEY_IMAGES})
    if cutout_format == "fits":
        files = zcut_files(pieces, order)
    else:
        files = zcut_pictures(pieces, order, cutout_format, scaling)
    return await _send(files, request, f"astrocut_{order.place_and_size}.zip")


def _names(text: str) -> list[str]:
    """Take several names in one value apart: commas, or a list as Python prints it."""
    return [name for name in re.split(r"[\[\]\s,'\"]+", text) if name]


def _first(parameters: Parameters, name: str) -> str:
    return parameters.get(name, [""])[0].lower()


def _read_order(parameters: Parameters) -> Order:
    ra, dec = position(parameters)
    width, height, units = size(parameters)
    return Order(ra, dec, width, height, units)


def _read_scaling(parameters: Parameters) -> Scaling:
    stretch = _first(parameters, "stretch") or "asinh"
    if stretch not in STRETCHES:
        msg = f"The stretch is not one of {', '.join(STRETCHES)}: {stretch[:40]}"
        raise BadRequestError(msg)
    percentiles = _read_pair(parameters, "minmax_percent")
    if percentiles and not 0.0 <= percentiles[0] <= percentiles[1] <= 100.0:
        msg = f"minmax_percent is not between 0 and 100, the smaller first: {percentiles}"
        raise BadRequestError(msg)
    values = _read_pair(parameters, "minmax_value")
    return Scaling(stretch, percentiles, values, is_true(parameters, "invert"))


def _read_pair(parameters: Parameters, name: str) -> tuple[float, float] | None:
    """Read two numbers: "[0.5, 99.5]", or the parameter twice."""
    text = " ".join(parameters.get(name, []))
    if not text:
        return None
    numbers = _NUMBERS.findall(text)
    if len(numbers) != 2 or _NUMBERS.sub("", text).strip("[]() ,"):
        msg = f"{name} is not two numbers such as [0.5, 99.5]: {text[:40]}"
        raise BadRequestError(msg)
    return float(numbers[0]), float(numbers[1])


# --- HAPCut ---------------------------------------------------------------------------------------


async def cut_sky_cells(request: Request) -> Response:
    """
    Answer HAPCut's ``/astrocut``.

    Parameters
    ----------
    request : Request
        With ra, dec, x, y, units.

    Returns
    -------
    response : Response
        A zip archive, or JSON with ``msg`` if there is nothing. As the service does it, x counts
        the rows of the images and y their columns.
    """
    order = _read_order(await read_parameters(request))

    def plan() -> list[Piece]:
        layers = [mosaic for mosaics in sky_cells().values() for mosaic in mosaics]
        return list(_pieces(layers, order, order.height, order.width))

    pieces = await run_in_threadpool(plan)
    if not pieces:
        return JSONResponse({"results": [], "msg": NO_HAP_FILES})
    name = f"hapcut_{order.ra:.6f}_{order.dec:.6f}.zip"
    return await _send(hap_files(pieces, order), request, name)


# --- Both -----------------------------------------------------------------------------------------


def _pieces(
    mosaics: Iterable[Mosaic], order: Order, width: float, height: float
) -> Iterator[Piece]:
    """Find the images that have data in a cutout. Raises BadRequestError if it is too large."""
    target = unit_vectors(order.ra, order.dec)
    for mosaic in mosaics:
        # astrocut, too, gives up beyond the tangent plane's side of the sky.
        if float(mosaic.grid.frame.axes[2] @ target) < 0.5:
            continue
        per_unit = 1.0 if order.units == "px" else DEGREES[order.units] * 3600.0 / mosaic.grid.scale
        columns, rows = width * per_unit, height * per_unit
        reach_deg = math.hypot(columns + 1.0, rows + 1.0) / 2.0 * mosaic.grid.scale / 3600.0
        if mosaic.footprint.distance_deg(order.ra, order.dec) > reach_deg:
            continue
        if max(columns, 1.0) * max(rows, 1.0) > MAX_PIXELS:
            msg = (
                f"The cutout is too large: {columns:.0f} x {rows:.0f} pixels; "
                f"at most {MAX_PIXELS} in all."
            )
            raise BadRequestError(msg)
        window = cutout_window(mosaic.grid, order.ra, order.dec, columns, rows)
        if mosaic.footprint.covers(mosaic.grid, window):
            yield Piece(mosaic, window)


async def _send(
    files: Iterator[tuple[str, Iterator[bytes]]], request: Request, name: str
) -> Response:
    archive = stream_archive(files)
    # The status is sent with the first bytes: by then the first image has been made without error.
    first = await start_in_thread(archive, request)
    return StreamingResponse(
        in_threads(first, archive),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def tell_truth(request: Request) -> Response:
    """
    Answer what was planted in the simulated sky.

    Parameters
    ----------
    request : Request
        With ra, dec and size (degrees; a hundredth if missing).

    Returns
    -------
    response : Response
        JSON with ``sources``.
    """
    parameters = await read_parameters(request)
    ra, dec = position(parameters)
    width = number(parameters, "size", default=0.01)
    if not 0.0 < width <= _LARGEST_TRUTH_DEG:
        msg = f"The size is not between 0 and {_LARGEST_TRUTH_DEG} degrees: {width!r}"
        raise BadRequestError(msg)
    sources: list[dict[str, Any]] = await run_in_threadpool(truth, ra, dec, width)
    return JSONResponse({"simulated": True, "sources": sources})
