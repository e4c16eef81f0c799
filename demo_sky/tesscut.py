"""The TESSCut service: which sectors saw a position, and cutouts of them as target pixel files."""

from __future__ import annotations

import math

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from demo_sky.parameters import (
    DEGREES,
    BadRequestError,
    Parameters,
    position,
    radius_deg,
    read_parameters,
    sectors,
    size,
)
from demo_sky.streaming import in_threads, start_in_thread
from demo_sky.tess.geometry import (
    NOMINAL_PIXEL_ARCSEC,
    Pointing,
    collected,
    cutout_window,
    find_pointings,
    is_on_image,
    pixel_scale_arcsec,
)
from demo_sky.tess.pixels import Exposure
from demo_sky.tess.product import Cutout, stream_archive

# "Under 10,000 pixels" is what users of TESSCut report as its limit.
MAX_PIXELS = 10_000

# The wording of 2019, the only one on record.
NOTHING_FOUND = "No FFIs found for input target. Cutout not performed."

# On the safe side of the widest pixel of any CCD, 21.2 arcsec, to search far enough.
_WIDEST_PIXEL_ARCSEC = 22.0


def routes() -> list[Route]:
    """
    Give the service's paths.

    Returns
    -------
    routes : list of Route
        Below ``/tesscut/api/v0.1``.
    """
    return [
        Route("/sector", find_sectors, methods=["GET", "POST"]),
        Route("/astrocut", cut, methods=["GET", "POST"]),
    ]


async def find_sectors(request: Request) -> Response:
    """
    Answer ``/sector``.

    Parameters
    ----------
    request : Request
        With ra, dec, radius.

    Returns
    -------
    response : Response
        JSON; ``results`` is empty if no CCD saw the position.
    """
    parameters = await read_parameters(request)
    ra, dec = position(parameters)
    radius = radius_deg(parameters)
    pointings = await run_in_threadpool(find_pointings, ra, dec, radius)
    return JSONResponse({"results": [_sector_row(pointing) for pointing in pointings]})


def _sector_row(pointing: Pointing) -> dict[str, str]:
    sector, camera, ccd = f"{pointing.sector:04d}", str(pointing.camera), str(pointing.ccd)
    name = f"tess-s{sector}-{camera}-{ccd}"
    return {"sectorName": name, "sector": sector, "camera": camera, "ccd": ccd}


async def cut(request: Request) -> Response:
    """
    Answer ``/astrocut``.

    Parameters
    ----------
    request : Request
        With ra, dec, x, y, units, sector.

    Returns
    -------
    response : Response
        A zip archive with a target pixel file of each CCD, or JSON with ``msg`` if there is none.
    """
    parameters = await read_parameters(request)
    cutouts = await run_in_threadpool(plan_cutouts, parameters)
    if not cutouts:
        return JSONResponse({"results": [], "msg": NOTHING_FOUND})
    archive = stream_archive(cutouts, Exposure)
    # The status is sent with the first bytes: by then the first file has been made without error.
    first = await start_in_thread(archive, request)
    window = cutouts[0].window
    name = f"astrocut_{cutouts[0].ra}_{cutouts[0].dec}_{window.nx}x{window.ny}px.zip"
    return StreamingResponse(
        in_threads(first, archive),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _nominal_counts(x: float, y: float, units: str) -> tuple[int, int]:
    """Count columns and rows; those of an angle by the nominal pixel."""
    if units == "px":
        return max(1, math.floor(x + 0.5)), max(1, math.floor(y + 0.5))
    return _covering_counts(x, y, units, NOMINAL_PIXEL_ARCSEC, NOMINAL_PIXEL_ARCSEC)


def _covering_counts(
    x: float, y: float, units: str, column_arcsec: float, row_arcsec: float
) -> tuple[int, int]:
    """Count the columns and rows that cover an angle."""

    def count(angle: float, pixel_arcsec: float) -> int:
        # More than the whole sky is no more; a whole number of pixels stays one, whatever the
        # last digits say.
        covered = min(angle * DEGREES[units], 360.0) * 3600.0 / pixel_arcsec
        return max(1, math.ceil(covered - 1e-6))

    return count(x, column_arcsec), count(y, row_arcsec)


def plan_cutouts(parameters: Parameters) -> list[Cutout]:
    """
    Choose the files of a reply: every CCD that holds the position or that the cutout overlaps.

    Parameters
    ----------
    parameters : dict of str to list of str
        ra, dec, x, y, units, sector.

    Returns
    -------
    cutouts : list of Cutout
        By sector, camera and CCD; an angle is covered by whole pixels of the CCD's local scale.

    Raises
    ------
    BadRequestError
        If a parameter is missing or out of range, or the cutout larger than `MAX_PIXELS`.
    """
    ra, dec = position(parameters)
    x, y, units = size(parameters)
    chosen = sectors(parameters)
    nx, ny = _nominal_counts(x, y, units)
    if nx * ny > MAX_PIXELS:
        msg = f"The cutout is too large: {x:g} x {y:g} {units}; at most {MAX_PIXELS} pixels in all."
        raise BadRequestError(msg)

    reach_px = math.hypot(nx + 2, ny + 2) / 2.0
    reach_deg = min(180.0, reach_px * _WIDEST_PIXEL_ARCSEC / 3600.0)
    cutouts = []
    for pointing in find_pointings(ra, dec, reach_deg, sectors=chosen):
        # Too far off the camera's axis to tell the pixel: a cutout thousands of pixels long.
        if not math.isfinite(pointing.column):
            continue
        if units != "px":
            nx, ny = _covering_counts(x, y, units, *pixel_scale_arcsec(pointing))
        window = cutout_window(pointing, nx, ny)
        # A CCD that `find_sectors` lists is served even if the cutout holds collateral pixels only.
        if collected(window).any() or is_on_image(pointing.column, pointing.row):
            cutouts.append(Cutout(window, ra, dec))
    return cutouts
