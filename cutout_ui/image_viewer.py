"""
One image large, in a component of its own: zoom, pan, read-out, ruler, blink and cross-fade.

Everything that the hand does happens in the browser (image_viewer.js), without a rerun of the
page. What is shown travels as one block of bytes: a header in JSON, then pictures and arrays.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import streamlit as st
from astropy.wcs import WCS

from cutout_core.local_sky import LocalSky

Values: TypeAlias = npt.NDArray[np.float32]

_HERE = Path(__file__).parent

_component = st.components.v2.component(
    "skystamp_image_viewer",
    html=(_HERE / "image_viewer.html").read_text(encoding="utf-8"),
    css=(_HERE / "image_viewer.css").read_text(encoding="utf-8"),
    js=(_HERE / "image_viewer.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True, slots=True)
class ViewerSky:
    """
    The sky of a picture as the viewer computes it: a gnomonic (TAN) projection.

    Attributes
    ----------
    crval : tuple of float
        Reference position, ICRS degrees.
    crpix : tuple of float
        Reference pixel, counted from 1 as in FITS.
    cd : tuple of float
        CD1_1, CD1_2, CD2_1, CD2_2 in degrees per pixel.
    """

    crval: tuple[float, float]
    crpix: tuple[float, float]
    cd: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """
    A picture in the viewer.

    Attributes
    ----------
    picture : bytes
        PNG or JPEG, the top row first; transparent where nothing is covered.
    shape : tuple of int
        Size in pixels, (ny, nx).
    label : str
        Written on the picture.
    sky : ViewerSky or None
    """

    picture: bytes
    shape: tuple[int, int]
    label: str
    sky: ViewerSky | None


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """
    Numbers that the viewer reads out under the pointer.

    Attributes
    ----------
    values : float32 ndarray of shape (ny, nx)
        Row 0 is the bottom row; NaN is "no data".
    label, unit : str
    sky : ViewerSky or None
    """

    values: Values
    label: str
    unit: str
    sky: ViewerSky | None


@dataclass(frozen=True, slots=True)
class Scene:
    """
    What the viewer says and draws around its pictures.

    Attributes
    ----------
    field : str
        Names the piece of sky; another one starts with the whole picture in sight.
    alt : str
        What there is to see, in words.
    save_as : str
        Name for the picture that a visitor saves from the screen.
    target : tuple of float or None
        Position of the target, ICRS degrees.
    credit : str
        Written into the upper right corner.
    binning : int
        How many pixels of the image one of the picture is; 0 where the picture's pixels are not
        those of a file, and their numbers mean nothing.
    """

    field: str
    alt: str
    save_as: str
    target: tuple[float, float] | None = None
    credit: str = ""
    binning: int = 1


def viewer_sky(wcs: WCS | None, sky: LocalSky | None) -> ViewerSky | None:
    """
    Turn a WCS into the one kind that the viewer knows.

    Parameters
    ----------
    wcs : WCS or None
        Celestial.
    sky : LocalSky or None
        Directions and scale at the centre: used where the projection is not a plain TAN, as a
        TAN that touches the sky there.

    Returns
    -------
    sky : ViewerSky or None
        `None` without a WCS.
    """
    if wcs is None:
        return None
    plain = [name.upper() for name in wcs.wcs.ctype] == ["RA---TAN", "DEC--TAN"]
    if plain and wcs.sip is None and wcs.wcs.lonpole == 180.0:
        (a, b), (c, d) = wcs.pixel_scale_matrix
        (ra, dec), (x, y) = wcs.wcs.crval, wcs.wcs.crpix
        return ViewerSky(
            (float(ra), float(dec)), (float(x), float(y)), (float(a), float(b), float(c), float(d))
        )
    if sky is None:
        return None
    # Columns of the inverse: how far east and north one pixel along x and along y is.
    (a, b), (c, d) = np.linalg.inv(np.array([sky.east, sky.north]).T) / 3600
    return ViewerSky(
        (sky.ra, sky.dec), (sky.x + 1, sky.y + 1), (float(a), float(b), float(c), float(d))
    )


def image_viewer(
    scene: Scene, layers: Sequence[Layer], probes: Sequence[Probe], *, key: str
) -> None:
    """
    Show a picture, or two to compare.

    Parameters
    ----------
    scene : Scene
    layers : sequence of Layer
        One picture, or two that are blinked and cross-faded; the second is laid over the first
        by its sky coordinates.
    probes : sequence of Probe
        What is read out under the pointer.
    key : str
        Of the component: its zoom is kept while this stays.
    """
    _component(key=key, data=pack(scene, layers, probes))


def pack(scene: Scene, layers: Sequence[Layer], probes: Sequence[Probe]) -> bytes:
    """
    Put everything into one block of bytes.

    Parameters
    ----------
    scene : Scene
    layers : sequence of Layer
    probes : sequence of Probe

    Returns
    -------
    block : bytes
        Length of the header as a little-endian integer of 4 bytes, the header in JSON, and
        pictures and arrays at the places that it names, all of them multiples of four.
    """
    header = asdict(scene)
    parts: list[bytes | memoryview] = []
    described: dict[str, list[dict[str, Any]]] = {"layers": [], "probes": []}
    for layer in layers:
        entry = _described(layer.shape, layer.label, layer.sky)
        entry |= {"size": len(layer.picture), "id": hashlib.sha1(layer.picture).hexdigest()[:16]}
        described["layers"].append(entry)
        parts.append(layer.picture)
    for probe in probes:
        values = np.ascontiguousarray(probe.values, dtype="<f4")
        entry = _described(values.shape, probe.label, probe.sky) | {"unit": probe.unit}
        described["probes"].append(entry)
        parts.append(values.data.cast("B"))
    # The places depend on the length of the header, which has to be fixed first.
    for entry in (*described["layers"], *described["probes"]):
        entry["at"] = 10**9
    room = _whole_words(len(_json(header | described)))
    at = 4 + room
    for entry, part in zip((*described["layers"], *described["probes"]), parts, strict=True):
        entry["at"] = at
        at += _whole_words(len(part))
    text = _json(header | described).ljust(room)
    block = bytearray(at)
    block[:4] = len(text).to_bytes(4, "little")
    block[4 : 4 + room] = text
    for entry, part in zip((*described["layers"], *described["probes"]), parts, strict=True):
        block[entry["at"] : entry["at"] + len(part)] = part
    return bytes(block)


def _described(shape: tuple[int, ...], label: str, sky: ViewerSky | None) -> dict[str, Any]:
    ny, nx = shape
    wcs = None if sky is None else {"crval": sky.crval, "crpix": sky.crpix, "cd": sky.cd}
    return {"ny": ny, "nx": nx, "label": label, "wcs": wcs}


def _json(header: dict[str, Any]) -> bytes:
    return json.dumps(header, allow_nan=False).encode()


def _whole_words(n_bytes: int) -> int:
    return -(-n_bytes // 4) * 4
