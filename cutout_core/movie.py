"""
Frames of a target pixel file -> a movie: a sheet of tiles for the page, GIF or WebP to keep.

All frames share one scaling, so that equal colour is equal brightness. Row 0 of an array is the
bottom row of every picture.
"""

from __future__ import annotations

import functools
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from cutout_core.errors import InvalidQueryError
from cutout_core.lightcurve import utc_texts
from cutout_core.render import APERTURE_COLOUR, SIMULATED_LINE, STAMP_COLOUR_MAP
from cutout_core.stretch import Scaling, colour_table, sky_level, to_levels
from cutout_core.tpf import TargetPixelFile

if TYPE_CHECKING:
    from PIL import Image, ImageFont

FloatArray: TypeAlias = npt.NDArray[np.float64]
IndexArray: TypeAlias = npt.NDArray[np.intp]
Levels: TypeAlias = npt.NDArray[np.uint8]
Mask: TypeAlias = npt.NDArray[np.bool_]
Point: TypeAlias = tuple[float, float]

#: Formats of movie files, with their type on the web.
FORMATS = {"gif": "image/gif", "webp": "image/webp"}

#: More frames than this are more than anybody watches.
MOST_FRAMES = 240

# White is what a few pixels of a frame are brighter than, at least this share of all.
_WHITE_PERCENTILE = 99.7
# Black is this far below the sky, and the curve linear up to so many standard deviations of it.
_BLACK_BELOW_SKY, _LINEAR_SIGMA = 2.0, 4.0
_HARDEST, _SOFTEST = 1e-3, 0.1
_SAMPLE = 200_000

# Frames are enlarged by a whole factor, so that their longer side has about so many pixels.
_SIDE = 300
_LEAST_WIDTH = 260
_MARGIN = 8

# The palette of a movie file: 0 is no data, up to 250 are brightness, then the colours of what is
# written and drawn.
_BRIGHTEST = 250
_PAPER, _INK, _ALERT, _RING, _CASING = range(_BRIGHTEST + 1, _BRIGHTEST + 6)
_NO_DATA_COLOUR = (104, 112, 124)
_COLOURS = {
    _PAPER: (16, 18, 24),
    _INK: (240, 240, 240),
    _ALERT: (255, 120, 90),
    _RING: APERTURE_COLOUR,
    _CASING: (0, 0, 0),
}


@dataclass(frozen=True, slots=True, eq=False)
class FrameSheet:
    """
    All frames of a movie as the tiles of one picture.

    Attributes
    ----------
    png : bytes
        Picture with a palette: the frames row by row, the first in the upper left corner, each
        with row 0 at its bottom.
    nx, ny : int
        Width and height of a frame in pixels.
    columns : int
        Frames in a row.
    n_frames : int
    """

    png: bytes
    nx: int
    ny: int
    columns: int
    n_frames: int


def choose_frames(
    tpf: TargetPixelFile, good: Mask | None = None, *, at_most: int = MOST_FRAMES
) -> IndexArray:
    """
    Choose the cadences of a movie.

    Parameters
    ----------
    tpf : TargetPixelFile
    good : bool ndarray of shape (n_cadences,), optional
        Which to take; by default all that have light in them.
    at_most : int, optional
        If there are more, they are thinned out evenly.

    Returns
    -------
    frames : int ndarray of shape (n,)
        Ascending indices of cadences; empty if none has light in it.
    """
    has_light = ~tpf.empty_frames & np.isfinite(tpf.time)
    usable = np.flatnonzero(has_light if good is None else has_light & good)
    if len(usable) <= at_most:
        return usable
    return usable[np.linspace(0, len(usable) - 1, max(1, at_most)).round().astype(np.intp)]


def frame_times(tpf: TargetPixelFile, frames: IndexArray) -> list[str]:
    """
    Write when frames were taken, at TESS.

    The file's times are those of the Solar System's barycentre; the correction for it is taken
    off again where the file has it.

    Parameters
    ----------
    tpf : TargetPixelFile
    frames : int ndarray of shape (n,)
        Indices of cadences.

    Returns
    -------
    texts : list of str
        Such as "2018-12-13 04:15 UTC", for cadences shorter than ten minutes with seconds;
        "" where the file has no time.
    """
    correction = tpf.timecorr[frames].astype(np.float64)
    times = utc_texts(tpf.time[frames] - np.nan_to_num(correction))
    end = 19 if tpf.cadence_s < 600 else 16
    return [f"{text[:end].replace('T', ' ')} UTC" if text else "" for text in times]


def movie_scaling(
    tpf: TargetPixelFile, frames: IndexArray, sky: FloatArray | None = None
) -> Scaling:
    """
    Choose colours that serve all frames: the sky is dark, and few pixels are white.

    Parameters
    ----------
    tpf : TargetPixelFile
    frames : int ndarray of shape (n,)
        Indices of cadences.
    sky : ndarray of shape (n_cadences,), optional
        Level that is taken off each frame, in electron/s per pixel.

    Returns
    -------
    scaling : Scaling
        From 0 to 1 if no pixel counts.
    """
    step = 1 + len(frames) * tpf.flux[0].size // _SAMPLE
    values = _without_sky(tpf, frames[::step], sky)
    values = values[np.isfinite(values)]
    if not values.size:
        return Scaling(0.0, 1.0)
    level, sigma = sky_level(values)
    low = max(float(values.min()), level - _BLACK_BELOW_SKY * sigma)
    high = float(np.percentile(values, _WHITE_PERCENTILE))
    high = high if high > low else float(np.nextafter(np.float32(low), np.float32(np.inf)))
    softness = _LINEAR_SIGMA * sigma / (high - low)
    return Scaling(low, high, "asinh", min(max(softness, _HARDEST), _SOFTEST))


def movie_levels(
    tpf: TargetPixelFile,
    frames: IndexArray,
    *,
    scaling: Scaling | None = None,
    sky: FloatArray | None = None,
) -> Levels:
    """
    Turn frames into grey levels that are shared by all.

    Parameters
    ----------
    tpf : TargetPixelFile
    frames : int ndarray of shape (n,)
        Indices of cadences.
    scaling : Scaling, optional
        By default `movie_scaling`.
    sky : ndarray of shape (n_cadences,), optional
        Level that is taken off each frame, such as a light curve's `background`: then scattered
        light does not make the movie flash.

    Returns
    -------
    levels : uint8 ndarray of shape (n, ny, nx)
        1 to 255; 0 for pixels without data.
    """
    scaling = movie_scaling(tpf, frames, sky) if scaling is None else scaling
    return to_levels(_without_sky(tpf, frames, sky), scaling, lowest=1)


def _without_sky(
    tpf: TargetPixelFile, frames: IndexArray, sky: FloatArray | None
) -> npt.NDArray[np.float32]:
    values = tpf.flux[frames]
    if sky is not None:
        # A frame whose sky is not known stays as it is.
        values = values - np.nan_to_num(sky[frames]).astype(np.float32)[:, None, None]
    return values


def frame_sheet(levels: Levels, colour_map: str = STAMP_COLOUR_MAP) -> FrameSheet:
    """
    Lay frames out as tiles of one picture, one picture pixel per pixel.

    Parameters
    ----------
    levels : uint8 ndarray of shape (n, ny, nx)
        Of `movie_levels`; at least one frame.
    colour_map : str, optional
        Name of a colour map of matplotlib.

    Returns
    -------
    sheet : FrameSheet
        About as wide as high. Pixels without data are transparent.

    Raises
    ------
    InvalidQueryError
        If there is no such colour map.
    """
    from PIL import Image

    n, ny, nx = levels.shape
    columns = max(1, min(n, round(math.sqrt(n * ny / nx))))
    rows = -(-n // columns)
    tiles = np.zeros((rows * columns, ny, nx), dtype=np.uint8)
    tiles[:n] = levels[:, ::-1]
    sheet = tiles.reshape(rows, columns, ny, nx).swapaxes(1, 2).reshape(rows * ny, columns * nx)
    picture = Image.frombytes("P", (columns * nx, rows * ny), np.ascontiguousarray(sheet).tobytes())
    picture.putpalette(colour_table(colour_map).tobytes())
    out = io.BytesIO()
    picture.save(out, "PNG", transparency=0)
    return FrameSheet(out.getvalue(), nx, ny, columns, n)


def movie_file(
    levels: Levels,
    captions: Sequence[str],
    *,
    title: str = "",
    file_format: str = "gif",
    frames_per_s: float = 12.0,
    zoom: int | None = None,
    marks: Sequence[Point | None] | None = None,
    colour_map: str = STAMP_COLOUR_MAP,
    simulated: bool = False,
) -> bytes:
    """
    Write a movie file: enlarged frames with the time under them.

    Parameters
    ----------
    levels : uint8 ndarray of shape (n, ny, nx)
        Of `movie_levels`; at least one frame.
    captions : sequence of str
        A line for under each frame, such as its time.
    title : str, optional
        A line above the frames.
    file_format : {"gif", "webp"}, optional
        GIF is shown by everything; WebP is smaller.
    frames_per_s : float, optional
        GIF knows hundredths of a second only, and programs show it at 50 a second at most.
    zoom : int, optional
        Side of a pixel in pixels of the movie. By default small frames are enlarged.
    marks : sequence of (float, float) or None, optional
        For each frame a place to draw a ring around, as 0-based (x, y), or none.
    colour_map : str, optional
        Name of a colour map of matplotlib.
    simulated : bool, optional
        Whether to say that the data are simulated.

    Returns
    -------
    content : bytes
        It repeats for ever. The same input gives the same bytes.

    Raises
    ------
    InvalidQueryError
        If there is no such format or colour map.
    """
    if file_format not in FORMATS:
        known = " or ".join(FORMATS)
        msg = f'There is no movie format called "{str(file_format)[:20]}". Take {known}.'
        raise InvalidQueryError(msg)
    _, ny, nx = levels.shape
    palette = _palette(colour_map)
    sheet = _empty_sheet((ny, nx), zoom or max(1, _SIDE // max(ny, nx)), title, simulated=simulated)
    # From the levels of an array to those of the palette, which leaves room for other colours.
    table = np.rint(np.arange(256) * _BRIGHTEST / 255).astype(np.uint8)
    table[1:] = np.maximum(table[1:], 1)
    pictures = []
    for i, frame in enumerate(table[levels[:, ::-1]]):
        picture = _drawn(sheet, frame, captions[i], None if marks is None else marks[i])
        picture.putpalette(palette)
        pictures.append(picture)
    return _saved(pictures, file_format, frames_per_s)


def _palette(colour_map: str) -> bytes:
    chosen = np.rint(np.linspace(0, 255, _BRIGHTEST)).astype(np.intp)
    table = np.zeros((256, 3), dtype=np.uint8)
    table[0] = _NO_DATA_COLOUR
    table[1 : _BRIGHTEST + 1] = colour_table(colour_map)[chosen]
    for index, colour in _COLOURS.items():
        table[index] = colour
    return table.tobytes()


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A frame without its pixels and its caption, and where they go."""

    paper: Image.Image
    left: int
    top: int
    zoom: int
    letter: int


def _empty_sheet(shape: tuple[int, int], zoom: int, title: str, *, simulated: bool) -> _Sheet:
    from PIL import Image, ImageDraw

    ny, nx = shape
    width = max(nx * zoom, _LEAST_WIDTH)
    letter = 13
    line = round(letter * 1.5)
    lines = [(title, _INK)] * bool(title) + [(SIMULATED_LINE, _ALERT)] * simulated
    top = _MARGIN + line * len(lines)
    paper = Image.new("P", (width, top + ny * zoom + line + _MARGIN), _PAPER)
    draw = ImageDraw.Draw(paper)
    for i, (text, colour) in enumerate(lines):
        shown = _cut(text, _font(letter), width - 2 * _MARGIN)
        draw.text((_MARGIN, _MARGIN // 2 + i * line), shown, fill=colour, font=_font(letter))
    return _Sheet(paper, (width - nx * zoom) // 2, top, zoom, letter)


def _drawn(sheet: _Sheet, frame: Levels, caption: str, mark: Point | None) -> Image.Image:
    from PIL import Image, ImageDraw

    ny, nx = frame.shape
    picture = sheet.paper.copy()
    pixels = Image.frombytes("P", (nx, ny), frame.tobytes())
    pixels = pixels.resize((nx * sheet.zoom, ny * sheet.zoom), Image.Resampling.NEAREST)
    picture.paste(pixels, (sheet.left, sheet.top))
    draw = ImageDraw.Draw(picture)
    if mark is not None:
        x = sheet.left + (mark[0] + 0.5) * sheet.zoom
        y = sheet.top + (ny - 0.5 - mark[1]) * sheet.zoom
        radius = max(1.8 * sheet.zoom, 8.0)
        for colour, width in ((_CASING, 5), (_RING, 3)):
            reach = radius + width / 2
            box = (x - reach, y - reach, x + reach, y + reach)
            draw.ellipse(box, outline=colour, width=width)
    below = sheet.top + ny * sheet.zoom + 2
    text = _cut(caption, _font(sheet.letter), picture.width - 2 * _MARGIN)
    draw.text((_MARGIN, below), text, fill=_INK, font=_font(sheet.letter))
    return picture


def _saved(pictures: list[Image.Image], file_format: str, frames_per_s: float) -> bytes:
    out = io.BytesIO()
    duration_ms = max(20, round(1000 / frames_per_s))
    if file_format == "gif":
        first, *others = pictures
        # GIF counts in hundredths of a second.
        first.save(
            out, "GIF", save_all=True, append_images=others, loop=0, optimize=False,
            duration=round(duration_ms, -1), disposal=1,
        )  # fmt: skip
    else:
        first, *others = (picture.convert("RGB") for picture in pictures)
        first.save(
            out, "WEBP", save_all=True, append_images=others, loop=0, duration=duration_ms,
            lossless=True, quality=0, method=0,
        )  # fmt: skip
    return out.getvalue()


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Give DejaVu Sans, which matplotlib brings: Pillow's own font has no é, α or µ."""
    import matplotlib
    from PIL import ImageFont

    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    return ImageFont.truetype(str(path), size)


def _cut(text: str, font: ImageFont.FreeTypeFont, room: int) -> str:
    line = " ".join(text.split())
    while line and font.getlength(line) > room:
        line = line[:-2].rstrip() + "…"
    return line
