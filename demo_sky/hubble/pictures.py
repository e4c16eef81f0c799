"""The pictures that Zcut draws: grey levels as astrocut makes them, as JPEG or PNG."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

Float32Array = np.ndarray[Any, np.dtype[np.float32]]
LevelArray = np.ndarray[Any, np.dtype[np.uint8]]

STRETCHES = ("asinh", "sinh", "sqrt", "log", "linear")
PICTURE_FORMATS = {"jpg": "JPEG", "png": "PNG"}


@dataclass(frozen=True, slots=True)
class Scaling:
    """
    How brightness becomes grey.

    Attributes
    ----------
    stretch : str
        One of `STRETCHES`.
    percentiles : tuple of float or None
        Percentiles of the pixels that become black and white.
    values : tuple of float or None
        Values that do, if there are no percentiles. Without either, the default percentiles.
    invert : bool
        Whether bright becomes black.
    """

    stretch: str = "asinh"
    percentiles: tuple[float, float] | None = None
    values: tuple[float, float] | None = None
    invert: bool = False


_DEFAULT_PERCENTILES = (0.5, 99.5)


def grey_levels(image: Float32Array, scaling: Scaling) -> LevelArray:
    """
    Turn brightness into grey levels.

    Parameters
    ----------
    image : ndarray of shape (ny, nx)
        NaN becomes black, or white if inverted.
    scaling : Scaling

    Returns
    -------
    levels : uint8 ndarray of shape (ny, nx)
    """
    # 0.1 s to import: not at our own import.
    from astropy.visualization import (
        AsinhStretch,
        AsymmetricPercentileInterval,
        LinearStretch,
        LogStretch,
        ManualInterval,
        SinhStretch,
        SqrtStretch,
    )

    stretches = {
        "asinh": AsinhStretch,
        "sinh": SinhStretch,
        "sqrt": SqrtStretch,
        "log": LogStretch,
        "linear": LinearStretch,
    }
    if scaling.percentiles is not None or scaling.values is None:
        interval = AsymmetricPercentileInterval(*(scaling.percentiles or _DEFAULT_PERCENTILES))
    else:
        interval = ManualInterval(*scaling.values)
    shades = stretches[scaling.stretch]()(interval(image))
    levels = np.nan_to_num(255.0 * np.asarray(shades), nan=0.0).astype(np.uint8)
    return np.asarray(255 - levels if scaling.invert else levels)


def encode(levels: LevelArray, picture_format: str) -> bytes:
    """
    Write a grey picture.

    Parameters
    ----------
    levels : uint8 ndarray of shape (ny, nx)
        The first row of the file, which is the southern one, is on top: the service's file names
        are those of astrocut 0.11 and 0.12, which did so.
    picture_format : str
        jpg or png.

    Returns
    -------
    content : bytes
    """
    out = io.BytesIO()
    Image.fromarray(levels).save(out, PICTURE_FORMATS[picture_format])
    return out.getvalue()
