"""The path of a moving target across the stars: the field that its windows cover, and its way."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
from astropy.wcs import WCS

from cutout_core.local_sky import LocalSky, local_sky
from cutout_core.movie import frame_times
from cutout_core.picture import Annotations, draw_picture, to_rgb
from cutout_core.render import APERTURE_COLOUR
from cutout_core.star_field import find_star_field, target_track
from cutout_core.stretch import automatic_scaling
from cutout_core.tpf import TargetPixelFile

if TYPE_CHECKING:
    from PIL import Image

FloatArray: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]

# Seen farther from the target than this, a pixel shows the stars alone.
_REACH_SHARE, _MAX_REACH_PX = 0.6, 4.0

# The longer side of a picture; smaller fields are enlarged by a whole factor.
_SIDE = 1000
_MARK_EVERY_D, _MARK_TOLERANCE_D = 1.0, 0.03


@dataclass(frozen=True, slots=True, eq=False)
class Trail:
    """
    A moving target's way across the stars.

    Attributes
    ----------
    image : float32 ndarray of shape (rows, columns)
        The stars, see `StarField.image`; NaN where no frame shows them without the target.
    x, y : float64 ndarray of shape (n,)
        The target's way in pixels of the image, (0, 0) the centre of the first, in the order of
        time.
    time : float64 ndarray of shape (n,)
        BTJD of these places.
    start, end : str
        When it begins and ends, in UTC.
    sky : LocalSky or None
        Where north is in the middle of the image.
    """

    image: npt.NDArray[np.float32]
    x: FloatArray
    y: FloatArray
    time: FloatArray
    start: str
    end: str
    sky: LocalSky | None


def find_trail(tpf: TargetPixelFile, good: Mask) -> Trail | None:
    """
    Find the stars along the way of a moving target.

    Parameters
    ----------
    tpf : TargetPixelFile
        Of a moving target.
    good : bool ndarray of shape (n_cadences,)
        Cadences to use.

    Returns
    -------
    trail : Trail or None
        `None` where the file does not tell where on the CCD its frames were cut, or no cadence is
        good.

    Raises
    ------
    ValueError
        If the file follows no moving target.
    """
    x, y, _, _ = target_track(tpf)
    reach = min(_MAX_REACH_PX, _REACH_SHARE * min(tpf.shape) / 2)
    field = find_star_field(tpf, good, reach_px=reach)
    if field is None:
        return None
    shown = np.flatnonzero(good & field.placed)
    if not shown.size:
        return None
    times = frame_times(tpf, shown[[0, -1]])
    ny, nx = field.image.shape
    sky = None
    if tpf.ffi_wcs is not None:
        middle = field.column - 1 + (nx - 1) / 2, field.row - 1 + (ny - 1) / 2
        sky = local_sky(tpf.ffi_wcs, *middle)
    return Trail(
        image=field.image,
        x=field.window_x[shown] + x[shown],
        y=field.window_y[shown] + y[shown],
        time=tpf.time[shown],
        start=times[0],
        end=times[1],
        sky=sky,
    )


def trail_png(trail: Trail, *, title: str, credit: str = "", simulated: bool = False) -> bytes:
    """
    Draw the way of a moving target over the stars.

    Parameters
    ----------
    trail : Trail
    title : str
        Above the picture.
    credit : str, optional
        Last line, such as the source of the data.
    simulated : bool, optional
        Whether to say that the data are simulated.

    Returns
    -------
    png : bytes
        About 1000 pixels in its longer direction. The way has a dot for each day, and a ring
        where it begins.
    """
    from PIL import Image

    ny, nx = trail.image.shape
    zoom = max(1, _SIDE // max(ny, nx))
    rgb = to_rgb(trail.image, automatic_scaling(trail.image))
    # From here on the first row is the upper one.
    picture = Image.fromarray(np.ascontiguousarray(rgb[::-1]))
    picture = picture.resize((nx * zoom, ny * zoom), Image.Resampling.NEAREST)
    _draw_way(picture, trail, zoom)
    caption = (
        f"From the ring at {trail.start} to {trail.end}, a dot every 24 hours. The stars are those "
        "of the moments when the target was elsewhere."
    )
    notes = Annotations(title=title, caption=caption, credit=credit, simulated=simulated)
    large = np.asarray(picture)[::-1]
    return draw_picture(large, _plane_wcs(trail, zoom), notes, zoom=1)


def _draw_way(picture: Image.Image, trail: Trail, zoom: int) -> None:
    from PIL import ImageDraw

    draw = ImageDraw.Draw(picture)
    x, y = (trail.x + 0.5) * zoom, (len(trail.image) - 0.5 - trail.y) * zoom
    way = list(zip(x.tolist(), y.tolist(), strict=True))
    if len(way) > 1:
        draw.line(way, fill=(0, 0, 0), width=5)
        draw.line(way, fill=APERTURE_COLOUR, width=2)
    for i in _daily(trail.time):
        draw.circle(way[i], 5, fill=(0, 0, 0))
        draw.circle(way[i], 3.5, fill=APERTURE_COLOUR)
    draw.circle(way[0], 10, outline=(0, 0, 0), width=5)
    draw.circle(way[0], 9, outline=APERTURE_COLOUR, width=3)


def _daily(time: FloatArray) -> list[int]:
    """Choose the places a day, two days, ... after the first, where there is one."""
    days = np.arange(time[0] + _MARK_EVERY_D, time[-1] + _MARK_TOLERANCE_D, _MARK_EVERY_D)
    after = np.clip(np.searchsorted(time, days), 1, len(time) - 1)
    nearest = np.where(time[after] - days < days - time[after - 1], after, after - 1)
    there = np.abs(time[nearest] - days) <= _MARK_TOLERANCE_D
    return [int(i) for i in nearest[there]]


def _plane_wcs(trail: Trail, zoom: int) -> WCS | None:
    """Give a WCS of the enlarged picture that is right in its middle: for compass and bar."""
    if trail.sky is None:
        return None
    ny, nx = trail.image.shape
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crpix = [nx * zoom / 2 + 0.5, ny * zoom / 2 + 0.5]
    wcs.wcs.crval = [trail.sky.ra, trail.sky.dec]
    wcs.wcs.cd = np.array(trail.sky.arcsec_per_pixel) / 3600 / zoom
    return wcs if math.isfinite(trail.sky.ra) else None
