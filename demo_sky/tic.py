"""
The TESS Input Catalog (TIC) as MAST's portal API answers: stars around a position.

Real stars have what is published of them; all others are simulated, with numbers that the TIC does
not use, and say so in the columns that tell where things are from.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
from astropy.coordinates import SkyCoord
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo_sky import names
from demo_sky.parameters import (
    BadRequestError,
    Parameters,
    number,
    position,
    read_parameters,
)
from demo_sky.sky.catalogue import Stars, stars_in_cone

FloatArray = np.ndarray[Any, np.dtype[np.float64]]

# MAST asks for patience with larger cones; here they are refused.
_LARGEST_RADIUS_DEG = 2.0
_LARGEST_PAGE = 50_000

# Stars larger than this are giants in the simulated field.
_GIANT_RADIUS = 4.0

# Positions in the TIC are of J2000; those of planet hosts in the simulated sky of J2015.5. The
# fastest star has moved less than the margin in between.
_YEARS_SINCE_J2000 = 15.5
_HOST_EPOCH = "J2015.5"
_MARGIN_DEG = 0.06

_SIMULATED, _PUBLISHED = "simulated", "Skystamp targets.csv"

_MAGNITUDES = (
    "B", "V", "u", "g", "r", "i", "z", "J", "H", "K",
)  # fmt: skip

# The columns of a cone's reply, in MAST's order (a recorded reply: astroquery's tic.json; dstArcSec
# is added by cones).
_IDENTIFIERS = (
    ("ID", "string"), ("version", "string"), ("HIP", "int"), ("TYC", "string"), ("UCAC", "string"),
    ("TWOMASS", "string"), ("SDSS", "string"), ("ALLWISE", "string"), ("GAIA", "string"),
    ("APASS", "string"), ("KIC", "int"), ("objType", "string"), ("typeSrc", "string"),
)  # fmt: skip
_POSITIONS = (
    ("ra", "float"), ("dec", "float"), ("POSflag", "string"), ("pmRA", "float"),
    ("e_pmRA", "float"), ("pmDEC", "float"), ("e_pmDEC", "float"), ("PMflag", "string"),
    ("plx", "float"), ("e_plx", "float"), ("PARflag", "string"), ("gallong", "float"),
    ("gallat", "float"), ("eclong", "float"), ("eclat", "float"),
)  # fmt: skip
_WITH_ERRORS_1 = tuple(f"{band}mag" for band in _MAGNITUDES)
_WITH_ERRORS_2 = ("w1mag", "w2mag", "w3mag", "w4mag", "GAIAmag", "Tmag")
_WITH_ERRORS_3 = ("Teff", "logg", "MH", "rad", "mass", "rho")


def _values_and_errors(columns: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((f"{prefix}{name}", "float") for name in columns for prefix in ("", "e_"))


FIELDS = (
    *_IDENTIFIERS,
    *_POSITIONS,
    *_values_and_errors(_WITH_ERRORS_1),
    ("TWOMflag", "string"),
    ("prox", "float"),
    *_values_and_errors(_WITH_ERRORS_2),
    ("TESSflag", "string"),
    ("SPFlag", "string"),
    *_values_and_errors(_WITH_ERRORS_3),
    ("lumclass", "string"),
    *_values_and_errors(("lum", "d", "ebv")),
    ("numcont", "int"),
    ("contratio", "float"),
    ("disposition", "string"),
    ("duplicate_id", "string"),
    ("priority", "float"),
    ("objID", "string"),
    ("dstArcSec", "float"),
)

# What MAST's own page writes over some of the columns.
_COLUMN_TEXTS = {
    "ID": {"text": "TIC ID"},
    "ra": {"text": "RA", "vot.unit": "deg"},
    "dec": {"text": "Dec", "vot.unit": "deg"},
    "Tmag": {"text": "TESS Mag."},
    "Teff": {"text": "T_eff", "vot.unit": "K"},
    "rad": {"text": "Radius", "vot.unit": "solRad"},
    "d": {"text": "Distance", "vot.unit": "parsec"},
    "objType": {"text": "Object Type"},
    "dstArcSec": {"text": "Distance", "vot.unit": "arcsec"},
}


def routes() -> list[Route]:
    """Give the portal API's paths, from the root of the server."""
    both = ["GET", "POST"]
    return [
        Route("/api/v0/invoke", invoke, methods=both),
        Route("/portal/Mashup/Mashup.asmx/columnsconfig", describe_columns, methods=both),
    ]


async def invoke(request: Request) -> Response:
    """
    Answer ``/api/v0/invoke``.

    Parameters
    ----------
    request : Request
        With ``request``: JSON with service, params, pagesize, page.

    Returns
    -------
    response : Response
        JSON with status 200; its own ``status`` is ``ERROR``, and ``msg`` says why, if something
        about the request is wrong.
    """
    parameters = await read_parameters(request)
    try:
        asked = _asked(parameters)
        reply = await run_in_threadpool(_answer, asked)
    except BadRequestError as exc:
        return JSONResponse({"status": "ERROR", "msg": str(exc), "data": [], "fields": []})
    return JSONResponse(reply)


async def describe_columns(_request: Request) -> Response:
    """
    Answer ``columnsconfig``, which astroquery asks before its first cone.

    Returns
    -------
    response : Response
        JSON: what to write over the columns.
    """
    return JSONResponse(_COLUMN_TEXTS)


def _asked(parameters: Parameters) -> dict[str, Any]:
    text = parameters.get("request", [""])[0]
    if not text:
        msg = "The parameter request is missing."
        raise BadRequestError(msg)
    try:
        asked = json.loads(text)
    # Brackets nested too deep end in RecursionError.
    except (ValueError, RecursionError) as exc:
        msg = "The parameter request is not JSON."
        raise BadRequestError(msg) from exc
    if not isinstance(asked, dict) or not isinstance(asked.get("params", {}), dict):
        msg = "The parameter request is not a JSON object with an object of params."
        raise BadRequestError(msg)
    return asked


def _as_parameters(values: dict[str, Any]) -> Parameters:
    return {key: [str(value).strip()] for key, value in values.items() if value is not None}


def _answer(asked: dict[str, Any]) -> dict[str, Any]:
    service = str(asked.get("service", ""))
    params = _as_parameters(asked.get("params", {}))
    match service.casefold():
        case "mast.catalogs.tic.cone":
            return _answer_cone(params, _as_parameters(asked))
        case "mast.name.lookup":
            name = params.get("input", [""])[0]
            return names.resolve([name] if name else [])
    msg = f"The demo sky has no service {service[:60]!r}."
    raise BadRequestError(msg)


def _answer_cone(params: Parameters, asked: Parameters) -> dict[str, Any]:
    ra, dec = position(params)
    radius = number(params, "radius", default=0.2)
    if not 0.0 <= radius <= _LARGEST_RADIUS_DEG:
        msg = f"The radius is not between 0 and {_LARGEST_RADIUS_DEG:g} degrees: {radius!r}"
        raise BadRequestError(msg)
    page = max(1, math.floor(number(asked, "page", default=1.0)))
    size = math.floor(number(asked, "pagesize", default=float(_LARGEST_PAGE)))
    size = min(max(1, size), _LARGEST_PAGE)
    stars = _at_j2000(stars_in_cone(ra, dec, radius + _MARGIN_DEG))
    separation = _separation_arcsec(stars, ra, dec)
    inside = separation <= radius * 3600.0
    stars, separation = stars.take(inside), separation[inside]
    order = np.argsort(separation, kind="stable")
    chosen = order[(page - 1) * size : page * size]
    rows = _rows(stars.take(chosen), separation[chosen])
    return {
        "status": "COMPLETE",
        "msg": "",
        "data": rows,
        "fields": [{"name": name, "type": kind} for name, kind in FIELDS],
        "paging": {
            "page": page,
            "pageSize": size,
            "pagesFiltered": -(-len(stars) // size),
            "rows": len(rows),
            "rowsFiltered": len(stars),
            "rowsTotal": len(stars),
        },
    }


def _at_j2000(stars: Stars) -> Stars:
    """Move real stars back to where the TIC has them."""
    ra, dec = stars.ra.copy(), stars.dec.copy()
    for index in np.flatnonzero(~stars.simulated):
        target = stars.target(int(index))
        if target is None or not math.isfinite(target.pm_ra + target.pm_dec):
            continue
        if not any(_HOST_EPOCH in signal.source for signal in target.signals):
            continue
        moved_deg = _YEARS_SINCE_J2000 / 3.6e6
        dec[index] -= target.pm_dec * moved_deg
        ra[index] -= target.pm_ra * moved_deg / math.cos(math.radians(dec[index]))
    return replace(stars, ra=ra % 360.0, dec=dec)


def _separation_arcsec(stars: Stars, ra: float, dec: float) -> FloatArray:
    """Give the angle of each star from a position, by the haversine formula."""
    dec1, dec2 = np.deg2rad(dec), np.deg2rad(stars.dec)
    half = np.sin((dec2 - dec1) / 2.0) ** 2
    half += np.cos(dec1) * np.cos(dec2) * np.sin(np.deg2rad(stars.ra - ra) / 2.0) ** 2
    return np.asarray(np.rad2deg(2.0 * np.arcsin(np.sqrt(np.minimum(half, 1.0)))) * 3600.0)


def _rows(stars: Stars, separation: FloatArray) -> list[dict[str, Any]]:
    """Write stars as MAST does: every column there, null where nothing is known."""
    sky = SkyCoord(stars.ra, stars.dec, unit="deg")
    galactic, ecliptic = sky.galactic, sky.barycentricmeanecliptic
    empty: dict[str, Any] = {name: None for name, _ in FIELDS}
    rows = []
    for index in range(len(stars)):
        target = stars.target(index)
        origin = _PUBLISHED if target else _SIMULATED
        radius = _known(stars.radius[index])
        row = {
            **empty,
            "ID": str(stars.tic[index]),
            "version": origin,
            "objType": "STAR",
            "typeSrc": origin,
            "ra": float(stars.ra[index]),
            "dec": float(stars.dec[index]),
            "POSflag": origin,
            "gallong": float(galactic.l.deg[index]),
            "gallat": float(galactic.b.deg[index]),
            "eclong": float(ecliptic.lon.deg[index]),
            "eclat": float(ecliptic.lat.deg[index]),
            "Tmag": round(float(stars.tmag[index]), 4),
            "TESSflag": origin,
            "SPFlag": origin,
            "Teff": _known(stars.teff[index]),
            "rad": radius,
            "objID": str(stars.tic[index]),
            "dstArcSec": float(separation[index]),
        }
        if radius is not None:
            row["lumclass"] = "GIANT" if radius > _GIANT_RADIUS else "DWARF"
        if target:
            row["pmRA"], row["pmDEC"] = _known(target.pm_ra), _known(target.pm_dec)
        rows.append(row)
    return rows


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
