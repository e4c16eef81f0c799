"""The TESSCut service for moving targets: which sectors saw a body, and cutouts that follow it."""

from __future__ import annotations

import math
import re

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from demo_sky.movers.bodies import Body, find_bodies
from demo_sky.movers.brightness import v_magnitude
from demo_sky.movers.ephemeris import sector_ephemeris
from demo_sky.movers.passages import Passage, find_ccds, passages_in_sector
from demo_sky.movers.product import MovingCutout, stream_archive
from demo_sky.parameters import (
    DEGREES,
    BadRequestError,
    Parameters,
    read_parameters,
    sectors,
    size,
)
from demo_sky.streaming import in_threads, start_in_thread
from demo_sky.tess.geometry import NOMINAL_PIXEL_ARCSEC, Pointing, pixel_scale_arcsec
from demo_sky.tesscut import MAX_PIXELS, NOTHING_FOUND

_QUOTED_CHARACTERS = 60


def routes() -> list[Route]:
    """Give the service's paths, below ``/tesscut/api/v0.1``."""
    return [
        Route("/moving_target/sector", find_sectors, methods=["GET", "POST"]),
        Route("/moving_target/astrocut", cut, methods=["GET", "POST"]),
    ]


def truth_routes() -> list[Route]:
    """Give the path that tells what was planted, from the root of the server."""
    return [Route("/demo/moving_target", tell_truth, methods=["GET", "POST"])]


def _look_up(parameters: Parameters) -> tuple[Body | None, str, str]:
    """
    Find the body that a request asks for.

    Returns
    -------
    body : Body or None
    asked_for : str
        The name in the request, blanks trimmed.
    message : str
        Why there is no body; empty if there is one. MAST's own words are not known.
    """
    asked_for = re.sub(r"\s+", " ", parameters.get("obj_id", [""])[0])
    if not asked_for:
        msg = "The parameter obj_id is missing."
        raise BadRequestError(msg)
    found = find_bodies(asked_for, parameters.get("obj_type", [""])[0])
    quoted = asked_for[:_QUOTED_CHARACTERS]
    if len(found) == 1:
        return found[0], asked_for, ""
    if found:
        names = ", ".join(body.label for body in found)
        return None, asked_for, f'"{quoted}" may be any of these: {names}.'
    return None, asked_for, f'The demo sky has no moving target "{quoted}".'


async def find_sectors(request: Request) -> Response:
    """
    Answer ``/moving_target/sector``.

    Parameters
    ----------
    request : Request
        With obj_id, obj_type.

    Returns
    -------
    response : Response
        JSON; ``results`` is empty, and ``msg`` says why, if the body is not known.
    """
    body, _, message = _look_up(await read_parameters(request))
    if body is None:
        return JSONResponse({"results": [], "msg": message})
    ccds = await run_in_threadpool(find_ccds, body)
    return JSONResponse({"results": [_sector_row(*ccd) for ccd in ccds]})


def _sector_row(sector: int, camera: int, ccd: int) -> dict[str, str]:
    name = f"tess-s{sector:04d}-{camera}-{ccd}"
    row = {"sectorName": name, "sector": f"{sector:04d}"}
    return {**row, "camera": str(camera), "ccd": str(ccd)}


async def cut(request: Request) -> Response:
    """
    Answer ``/moving_target/astrocut``.

    Parameters
    ----------
    request : Request
        With obj_id, obj_type, x, y, units, sector.

    Returns
    -------
    response : Response
        A zip archive with a target pixel file of each CCD that the body crosses, or JSON with
        ``msg`` if there is none.
    """
    parameters = await read_parameters(request)
    body, asked_for, message = _look_up(parameters)
    # A size that is none is refused whatever the body.
    size(parameters)
    if body is None:
        return JSONResponse({"results": [], "msg": message})
    cutouts = await run_in_threadpool(plan_cutouts, body, asked_for, parameters)
    if not cutouts:
        return JSONResponse({"results": [], "msg": NOTHING_FOUND})
    archive = stream_archive(cutouts)
    # The status is sent with the first bytes: by then the first file has been made without error.
    first = await start_in_thread(archive, request)
    name = re.sub(r"[^A-Za-z0-9-]+", "_", body.label)
    name = f"astrocut_{name}_{cutouts[0].nx}x{cutouts[0].ny}px.zip"
    return StreamingResponse(
        in_threads(first, archive),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def plan_cutouts(body: Body, asked_for: str, parameters: Parameters) -> list[MovingCutout]:
    """
    Choose the files of a reply: every CCD that the body crosses in the chosen sectors.

    Parameters
    ----------
    body : Body
    asked_for : str
        The name in the request.
    parameters : dict of str to list of str
        x, y, units, sector.

    Returns
    -------
    cutouts : list of MovingCutout
        By sector, camera and CCD; an angle is covered by whole pixels of the local scale in the
        middle of the body's way.

    Raises
    ------
    BadRequestError
        If a parameter is missing or out of range, or the cutout larger than `tesscut.MAX_PIXELS`.
    """
    x, y, units = size(parameters)
    chosen = sectors(parameters)
    # By the nominal pixel first: nothing is computed for a size beyond reason.
    _check_size(*_pixel_counts(x, y, units, (NOMINAL_PIXEL_ARCSEC, NOMINAL_PIXEL_ARCSEC)))
    cutouts = []
    for sector in sorted({sector for sector, _, _ in find_ccds(body)}):
        if chosen is not None and sector not in chosen:
            continue
        for passage in passages_in_sector(body, sector):
            nx, ny = _pixel_counts(x, y, units, _local_scale(passage))
            cutouts.append(MovingCutout(body, passage, nx, ny, asked_for))
    return cutouts


def _local_scale(passage: Passage) -> tuple[float, float]:
    middle = len(passage.cadences) // 2
    return pixel_scale_arcsec(
        Pointing(
            passage.sector,
            passage.camera,
            passage.ccd,
            float(passage.column[middle]),
            float(passage.row[middle]),
        )
    )


def _pixel_counts(
    x: float, y: float, units: str, scale_arcsec: tuple[float, float]
) -> tuple[int, int]:
    if units == "px":
        return max(1, math.floor(x + 0.5)), max(1, math.floor(y + 0.5))
    arcsec = DEGREES[units] * 3600.0
    # A whole number of pixels stays one, whatever the last digits say.
    nx, ny = (
        max(1, math.ceil(side * arcsec / per_pixel - 1e-6))
        for side, per_pixel in zip((x, y), scale_arcsec, strict=True)
    )
    return nx, ny


def _check_size(nx: int, ny: int) -> None:
    if nx * ny > MAX_PIXELS:
        msg = f"The cutout is too large: {nx:g} x {ny:g} pixels; at most {MAX_PIXELS} in all."
        raise BadRequestError(msg)


async def tell_truth(request: Request) -> Response:
    """
    Tell what the demo sky knows of a body: a help for teachers and tests, not part of MAST.

    Parameters
    ----------
    request : Request
        With obj_id, obj_type.

    Returns
    -------
    response : Response
        JSON with name, kind, rotation, source, and its magnitude and distances in each sector.
    """
    body, _, message = _look_up(await read_parameters(request))
    if body is None:
        return JSONResponse({"simulated": True, "msg": message, "body": None})
    return JSONResponse({"simulated": True, "body": await run_in_threadpool(body_truth, body)})


def body_truth(body: Body) -> dict[str, object]:
    """
    Gather what was planted for a body.

    Parameters
    ----------
    body : Body

    Returns
    -------
    truth : dict
        Ready for JSON.
    """
    return {
        "name": body.label,
        "kind": body.kind,
        "rotation_period_h": body.rotation_period_h,
        "amplitude_mag": body.amplitude_mag,
        "amplitude_is_assumed": body.amplitude_is_assumed,
        "elements_epoch_jd_tdb": body.elements.epoch,
        "source": body.source,
        "sectors": [
            _passage_truth(body, passage)
            for sector in sorted({sector for sector, _, _ in find_ccds(body)})
            for passage in passages_in_sector(body, sector)
        ],
    }


def _passage_truth(body: Body, passage: Passage) -> dict[str, object]:
    places = sector_ephemeris(body, passage.sector)
    middle = int(passage.cadences[len(passage.cadences) // 2])
    return {
        **_sector_row(passage.sector, passage.camera, passage.ccd),
        "n_cadences": len(passage.cadences),
        "ra": float(places.ra[middle]),
        "dec": float(places.dec[middle]),
        "v_mag": float(v_magnitude(body, places)[middle]),
        "sun_distance_au": float(places.sun_distance[middle]),
        "earth_distance_au": float(places.earth_distance[middle]),
        "phase_deg": float(places.phase_deg[middle]),
        "pixels_per_day": float(
            math.hypot(
                passage.column_per_day[len(passage.cadences) // 2],
                passage.row_per_day[len(passage.cadences) // 2],
            )
        ),
    }
