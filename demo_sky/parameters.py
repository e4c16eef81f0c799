"""
Reads the parameters of a request, and refuses what MAST refuses.

MAST takes them from the query, from a form body, and from a JSON body alike; a list is a repeated
key. Unknown parameters are ignored.
"""

from __future__ import annotations

import json
import math
import re
from urllib.parse import parse_qsl

from starlette.requests import Request

from demo_sky.tess.geometry import NOMINAL_PIXEL_ARCSEC

Parameters = dict[str, list[str]]

# Degrees per unit of an angle; TESSCut takes "px" for its own nominal pixels.
DEGREES = {"d": 1.0, "m": 1.0 / 60.0, "s": 1.0 / 3600.0, "px": NOMINAL_PIXEL_ARCSEC / 3600.0}

# A long list of names fits many times.
_MAX_BODY_BYTES = 2**18

# ASCII digits only and four digits of exponent: Python's float() would take much more.
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_RADIUS = re.compile(rf"(?P<number>{_NUMBER.pattern})\s*(?P<unit>d|m|s|px)?", re.ASCII)
_SECTOR = re.compile(r"\d{1,9}", re.ASCII)
_LIST_MARKS = re.compile(r"[\[\],\s]+")
_QUOTED_CHARACTERS = 40


class BadRequestError(Exception):
    """A request that is answered with status 400; the message says why."""


async def read_parameters(request: Request) -> Parameters:
    """
    Gather the parameters of a request.

    Parameters
    ----------
    request : Request
        GET, or POST with a form or JSON body.

    Returns
    -------
    parameters : dict of str to list of str
        Values in the order sent, the query's before the body's.

    Raises
    ------
    BadRequestError
        If the body is too long, or says that it is JSON and is not a JSON object.
    """
    pairs = list(request.query_params.multi_items())
    if request.method == "POST":
        body = await _read_body(request)
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type == "application/json":
            pairs += _json_pairs(body)
        else:
            pairs += parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    parameters: Parameters = {}
    for key, value in pairs:
        parameters.setdefault(key, []).append(value.strip())
    return parameters


async def _read_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY_BYTES:
            msg = f"The body of the request is longer than {_MAX_BODY_BYTES} bytes."
            raise BadRequestError(msg)
    return bytes(body)


def _json_pairs(body: bytes) -> list[tuple[str, str]]:
    try:
        content = json.loads(body)
    # Brackets nested too deep end in RecursionError.
    except (ValueError, RecursionError) as exc:
        msg = "The body of the request is not JSON."
        raise BadRequestError(msg) from exc
    if not isinstance(content, dict):
        msg = "The body of the request is not a JSON object."
        raise BadRequestError(msg)
    pairs = []
    for key, value in content.items():
        values = value if isinstance(value, list) else [value]
        pairs += [(key, str(each)) for each in values if each is not None]
    return pairs


def _quote(text: str) -> str:
    return text if len(text) <= _QUOTED_CHARACTERS else f"{text[:_QUOTED_CHARACTERS]}…"


def number(parameters: Parameters, name: str, default: float | None = None) -> float:
    """
    Read a number.

    Parameters
    ----------
    parameters : dict of str to list of str
        Of `read_parameters`.
    name : str
        Of repeated values the first counts.
    default : float, optional
        Taken if the parameter is missing or empty; without it, that is an error.

    Returns
    -------
    value : float
        Finite.

    Raises
    ------
    BadRequestError
        If it is missing, or not a finite number.
    """
    text = parameters.get(name, [""])[0]
    if not text:
        if default is not None:
            return default
        msg = f"The parameter {name} is missing."
        raise BadRequestError(msg)
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        msg = f"The parameter {name} is not a number: {_quote(text)}"
        raise BadRequestError(msg)
    return value


def position(parameters: Parameters) -> tuple[float, float]:
    """
    Read ``ra`` and ``dec``.

    Parameters
    ----------
    parameters : dict of str to list of str
        Of `read_parameters`.

    Returns
    -------
    ra, dec : float
        Degrees, 0 <= ra < 360.

    Raises
    ------
    BadRequestError
        If one is missing or not on the sky; ``ra`` may be given from -360 to 360.
    """
    ra, dec = number(parameters, "ra"), number(parameters, "dec")
    if not -360.0 <= ra <= 360.0:
        msg = f"ra is outside -360 to 360 degrees: {ra!r}"
        raise BadRequestError(msg)
    if not -90.0 <= dec <= 90.0:
        msg = f"dec is outside -90 to 90 degrees: {dec!r}"
        raise BadRequestError(msg)
    # The second turn is for -1e-20, whose remainder rounds to 360.
    return ra % 360.0 % 360.0, dec


def radius_deg(parameters: Parameters) -> float:
    """
    Read ``radius``: a number with the unit d (also if absent), m, s or px.

    Parameters
    ----------
    parameters : dict of str to list of str
        Of `read_parameters`.

    Returns
    -------
    radius : float
        Degrees; 0 if missing.

    Raises
    ------
    BadRequestError
        If the unit is another, the number none, or the circle larger than the sky.
    """
    text = parameters.get("radius", [""])[0] or "0"
    match = _RADIUS.fullmatch(text)
    if match is None:
        msg = f"The radius is not a number with the unit d, m, s or px: {_quote(text)}"
        raise BadRequestError(msg)
    radius = float(match["number"]) * DEGREES[match["unit"] or "d"]
    if not 0.0 <= radius <= 180.0:
        msg = f"The radius is not between 0 and 180 degrees: {_quote(text)}"
        raise BadRequestError(msg)
    return radius


def sectors(parameters: Parameters) -> frozenset[int] | None:
    """
    Read ``sector``: numbers, perhaps with leading zeros, or ``All``.

    Parameters
    ----------
    parameters : dict of str to list of str
        Of `read_parameters`.

    Returns
    -------
    sectors : frozenset of int or None
        None, for all of them, if missing.

    Raises
    ------
    BadRequestError
        If a value is none of these.
    """
    # astroquery's downloads send a list as Python prints it: "[28, 68]".
    texts = [t for value in parameters.get("sector", []) for t in _LIST_MARKS.split(value) if t]
    if not texts or any(text.lower() == "all" for text in texts):
        return None
    for text in texts:
        if not _SECTOR.fullmatch(text):
            msg = f"The sector is not a number: {_quote(text)}"
            raise BadRequestError(msg)
    return frozenset(int(text) for text in texts)


def size(parameters: Parameters) -> tuple[float, float, str]:
    """
    Read ``x``, ``y`` and ``units``.

    Parameters
    ----------
    parameters : dict of str to list of str
        Of `read_parameters`.

    Returns
    -------
    x, y : float
        Positive.
    units : str
        px (also if missing), d, m or s.

    Raises
    ------
    BadRequestError
        If a number is missing or not positive, or the unit is another.
    """
    x, y = number(parameters, "x"), number(parameters, "y")
    units = parameters.get("units", [""])[0] or "px"
    if units not in DEGREES:
        msg = f"The units are not px, d, m or s: {_quote(units)}"
        raise BadRequestError(msg)
    if x <= 0.0 or y <= 0.0:
        msg = f"The size is not positive: x={x!r}, y={y!r}"
        raise BadRequestError(msg)
    return x, y, units


def is_true(parameters: Parameters, name: str) -> bool:
    """
    Read a yes or no.

    Parameters
    ----------
    parameters : dict of str to list of str
        Of `read_parameters`.
    name : str
        Of repeated values the first counts.

    Returns
    -------
    is_true : bool
        `True` for "true" and "1" in any capitals; `False` for all else and if missing.
    """
    return parameters.get(name, [""])[0].lower() in ("true", "1")
