"""
Images -> what a screen shows: reduced to its size, cut to one field, coloured by a chosen style.

Row 0 of an array is the bottom row of every picture. Pixels without data are transparent.
"""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from astropy.wcs import WCS

from cutout_core.binning import binned_wcs, block_mean
from cutout_core.image import ImageCutout
from cutout_core.stretch import (
    Scaling,
    automatic_scaling,
    colour_table,
    make_scaling,
    to_levels,
)

FloatImage: TypeAlias = npt.NDArray[np.float32]

# A screen shows no more, and numbers for the read-out travel with the picture: 4 bytes a pixel.
LONGEST_ON_SCREEN = 1200
LONGEST_PREVIEW = 192


@dataclass(frozen=True, slots=True)
class PictureStyle:
    """
    How brightness is to become colour, as somebody has chosen it.

    Attributes
    ----------
    stretch : str
        "automatic", which shows faint and bright alike, or one of
        `cutout_core.stretch.STRETCHES`.
    cuts : str
        One of `cutout_core.stretch.CUTS`, or "values". Not used by "automatic".
    percent : float
        For the cuts "percentile" and "symmetric": the share of the pixels between black and
        white, in per cent.
    values : tuple of float
        For the cuts "values": black and white.
    colour_map : str
        By matplotlib's name.
    invert : bool
        Whether bright becomes dark.
    """

    stretch: str = "automatic"
    cuts: str = "percentile"
    percent: float = 99.0
    values: tuple[float, float] = (0.0, 1.0)
    colour_map: str = "gray"
    invert: bool = False

    def scaling(self, data: FloatImage | Sequence[FloatImage]) -> Scaling:
        """
        Choose black and white for an image, or for several together.

        Parameters
        ----------
        data : ndarray of shape (ny, nx), or a sequence of such

        Returns
        -------
        scaling : Scaling

        Raises
        ------
        InvalidQueryError
            If `values` are not two rising numbers.
        """
        if self.stretch == "automatic":
            return automatic_scaling(data)
        if self.cuts == "values":
            return make_scaling(data, stretch=self.stretch, values=self.values)
        # "symmetric" reads the upper percentile alone, as a share of the absolute values.
        below = 0.0 if self.cuts == "symmetric" else (100 - self.percent) / 2
        above = self.percent if self.cuts == "symmetric" else 100 - below
        return make_scaling(data, stretch=self.stretch, cuts=self.cuts, percentiles=(below, above))


@dataclass(frozen=True, slots=True, eq=False)
class ScreenImage:
    """
    An image as large as a screen can show it.

    Attributes
    ----------
    data : float32 ndarray of shape (ny, nx)
        NaN: not covered.
    wcs : WCS or None
        Of its pixels.
    factor : int
        How many pixels of the image one of its pixels is, along each side.
    """

    data: FloatImage
    wcs: WCS | None
    factor: int


def for_screen(
    image: ImageCutout, *, weight: bool = False, longest: int = LONGEST_ON_SCREEN
) -> ScreenImage:
    """
    Reduce an image to what a screen shows.

    Parameters
    ----------
    image : ImageCutout
    weight : bool, optional
        Whether to take its weight map, if it has one.
    longest : int, optional
        Longest side in pixels; larger images are binned by a whole factor.

    Returns
    -------
    reduced : ScreenImage
        Shares the arrays of `image` where nothing had to be reduced.
    """
    data = image.weight if weight and image.weight is not None else image.data
    factor = max(1, min(math.ceil(max(data.shape) / longest), *data.shape))
    wcs = image.wcs if image.wcs is None or factor == 1 else binned_wcs(image.wcs, factor)
    return ScreenImage(block_mean(data, factor), wcs, factor)


def cut_to_field(image: ImageCutout, field_arcsec: float) -> FloatImage:
    """
    Cut a square field around the target out of an image.

    Parameters
    ----------
    image : ImageCutout
    field_arcsec : float
        Side of the field in arcsec; NaN gives the whole image.

    Returns
    -------
    data : float32 ndarray of shape (n, n)
        A view. Fewer rows or columns where the image ends before the field does.
    """
    scale = image.pixel_scale_arcsec
    if not math.isfinite(field_arcsec / scale):
        return image.data
    x, y = _target_pixel(image)
    n = max(1, round(field_arcsec / scale))
    ny, nx = image.shape
    # The field is moved into the image rather than cut short.
    left = min(max(0, round(x - (n - 1) / 2)), max(0, nx - n))
    bottom = min(max(0, round(y - (n - 1) / 2)), max(0, ny - n))
    return image.data[bottom : bottom + n, left : left + n]


def _target_pixel(image: ImageCutout) -> tuple[float, float]:
    ny, nx = image.shape
    if image.wcs is not None and math.isfinite(image.ra + image.dec):
        x, y = (float(v) for v in image.wcs.world_to_pixel_values(image.ra, image.dec))
        if -0.5 <= x <= nx - 0.5 and -0.5 <= y <= ny - 0.5:
            return x, y
    return (nx - 1) / 2, (ny - 1) / 2


def preview(
    image: ImageCutout,
    field_arcsec: float,
    style: PictureStyle,
    *,
    scaling: Scaling | None = None,
    longest: int = LONGEST_PREVIEW,
) -> bytes:
    """
    Draw a small picture of the field around the target.

    Parameters
    ----------
    image : ImageCutout
    field_arcsec : float
        Side of the field in arcsec; NaN gives the whole image.
    style : PictureStyle
    scaling : Scaling, optional
        By default what the style chooses for this field.
    longest : int, optional
        Longest side in pixels.

    Returns
    -------
    png : bytes
        See `picture_png`.
    """
    data = cut_to_field(image, field_arcsec)
    factor = max(1, min(math.ceil(max(data.shape) / longest), *data.shape))
    data = block_mean(data, factor)
    return picture_png(data, scaling or style.scaling(data), style)


def picture_png(data: FloatImage, scaling: Scaling, style: PictureStyle) -> bytes:
    """
    Colour an image, one pixel of the picture per pixel.

    Parameters
    ----------
    data : float32 ndarray of shape (ny, nx)
        NaN pixels become transparent.
    scaling : Scaling
    style : PictureStyle
        Its colour map and whether it is inverted count.

    Returns
    -------
    png : bytes
        With a palette of 256 colours, row 0 at the bottom.
    """
    from PIL import Image

    levels = np.ascontiguousarray(to_levels(data, scaling, invert=style.invert, lowest=1)[::-1])
    picture = Image.frombytes("P", levels.shape[::-1], levels.tobytes())
    picture.putpalette(colour_table(style.colour_map).tobytes())
    # Noise cannot be packed: more effort costs time and saves nothing.
    return _saved(picture, "PNG", compress_level=1, transparency=0)


def colour_jpeg(rgb: npt.NDArray[np.uint8]) -> bytes:
    """
    Pack a colour picture for the screen.

    As JPEG: without loss its noise would take ten times as long and four times the bytes.

    Parameters
    ----------
    rgb : uint8 ndarray of shape (ny, nx, 3)

    Returns
    -------
    jpeg : bytes
        Row 0 at the bottom.
    """
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(rgb[::-1]))
    return _saved(picture, "JPEG", quality=93, subsampling=0)


def _saved(picture: Any, file_format: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, file_format, **options)
    return out.getvalue()
