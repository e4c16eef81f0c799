"""
Arrays -> pictures: stamps at their native size, and previews with everything drawn on them.

The picture of a stamp has one pixel per pixel: the browser enlarges it. Row 0 of an array is the
bottom row of every picture.
"""

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
from astropy.wcs import WCS

from cutout_core.lightcurve import LightCurve
from cutout_core.local_sky import LocalSky, local_sky
from cutout_core.stretch import Scaling, colour_table, find_limits, sky_level, to_levels

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

FloatImage: TypeAlias = npt.NDArray[np.floating[Any]]
Point: TypeAlias = tuple[float, float]
Colour: TypeAlias = tuple[int, int, int]

#: Colour map of stamps: its brightness rises evenly, for colour-blind eyes and in print, too.
STAMP_COLOUR_MAP = "viridis"

#: Colour of what is drawn over the pixels, on a black casing: seen on every colour of the map.
APERTURE_COLOUR = (255, 176, 0)
TARGET_COLOUR = (255, 255, 255)

SIMULATED_LINE = "SIMULATED DATA, not an observation"

# The part of the range over which the curve of a stamp is about linear: so many sigma of its
# fainter half, within what float32 can tell apart and astropy's default.
_LINEAR_SIGMA = 5.0
_HARDEST = 1e-5
_SOFTEST = 0.1

# Scale bars are the longest of these that fits into a third of the width.
_BAR_NUMBERS = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50)
_BAR_UNITS = (
    (0.001, "mas", (*_BAR_NUMBERS, 60, 80, 100, 150, 200, 250, 300, 400, 500, 600, 800)),
    (1.0, "arcsec", _BAR_NUMBERS),
    (60.0, "arcmin", _BAR_NUMBERS),
    (3600.0, "deg", _BAR_NUMBERS),
)
_BAR_SHARE = 1 / 3


def stamp_scaling(image: FloatImage) -> Scaling:
    """
    Choose colours for a stamp that a star may fill: from its faintest to its brightest pixel.

    The curve is asinh, linear over what the fainter half of the pixels scatters, so that a faint
    star shows beside a bright one.

    Parameters
    ----------
    image : ndarray of shape (ny, nx)
        Brightness; NaN does not count.

    Returns
    -------
    scaling : Scaling
        From 0 to 1 if no pixel counts.
    """
    low, high = find_limits(image, "minmax")
    _, sigma = sky_level(image)
    softness = _LINEAR_SIGMA * sigma / (high - low) if sigma > 0 else _SOFTEST
    return Scaling(low, high, "asinh", min(max(softness, _HARDEST), _SOFTEST))


def stamp_png(
    image: FloatImage,
    *,
    scaling: Scaling | None = None,
    colour_map: str = STAMP_COLOUR_MAP,
) -> bytes:
    """
    Draw an image with one picture pixel per pixel.

    Parameters
    ----------
    image : ndarray of shape (ny, nx)
        Brightness; NaN pixels become transparent.
    scaling : Scaling, optional
        From brightness to colour; by default `stamp_scaling` of this image.
    colour_map : str, optional
        Name of a colour map of matplotlib.

    Returns
    -------
    png : bytes
        Picture with a palette of 256 colours, nx wide and ny high, row 0 at the bottom.

    Raises
    ------
    InvalidQueryError
        If there is no such colour map.
    """
    out = io.BytesIO()
    _palette_picture(image, scaling, colour_map).save(out, "PNG", transparency=0)
    return out.getvalue()


def _palette_picture(image: FloatImage, scaling: Scaling | None, colour_map: str) -> "Image.Image":
    from PIL import Image

    table = colour_table(colour_map)
    scaling = stamp_scaling(image) if scaling is None else scaling
    levels = np.ascontiguousarray(to_levels(image, scaling, lowest=1)[::-1])
    picture = Image.frombytes("P", levels.shape[::-1], levels.tobytes())
    picture.putpalette(table.tobytes())
    return picture


@dataclass(frozen=True, slots=True)
class Compass:
    """
    Where north and east are in a picture.

    Attributes
    ----------
    north, east : (float, float)
        Unit vectors: how far right (x) and how far up (y).
    north_angle_deg, east_angle_deg : float
        Directions, counter-clockwise from up, -180 to 180. With north up (0), east is to the left
        (90) on the sky and in every picture that is not mirrored.
    """

    north: Point
    east: Point
    north_angle_deg: float
    east_angle_deg: float


@dataclass(frozen=True, slots=True)
class ScaleBar:
    """
    A bar of a round length on the sky.

    Attributes
    ----------
    length_px : float
        Its length along x, in pixels of the image.
    label : str
        Its length on the sky, such as "1 arcmin".
    """

    length_px: float
    label: str


def compass(wcs: WCS | None, shape: tuple[int, int]) -> Compass | None:
    """
    Find north and east in the middle of an image.

    Parameters
    ----------
    wcs : WCS or None
        Celestial WCS of the image.
    shape : (int, int)
        Its size (ny, nx).

    Returns
    -------
    compass : Compass or None
        `None` without a WCS, or where the middle of the image has no place on the sky.
    """
    sky = _sky_in_the_middle(wcs, shape)
    if sky is None:
        return None
    return Compass(_unit(sky.north), _unit(sky.east), sky.north_deg, sky.east_deg)


def scale_bar(wcs: WCS | None, shape: tuple[int, int]) -> ScaleBar | None:
    """
    Choose a bar of a round length that takes up to a third of the width of an image.

    Parameters
    ----------
    wcs : WCS or None
        Celestial WCS of the image.
    shape : (int, int)
        Its size (ny, nx).

    Returns
    -------
    bar : ScaleBar or None
        `None` without a WCS, or where the middle of the image has no place on the sky.
    """
    sky = _sky_in_the_middle(wcs, shape)
    if sky is None:
        return None
    # One pixel along x in arcsec: the columns of the matrix are pixels per arcsec east and north.
    matrix = np.array([sky.east, sky.north]).T
    arcsec = float(np.linalg.norm(np.linalg.inv(matrix)[:, 0]))
    room = shape[1] * arcsec * _BAR_SHARE
    lengths = [(n * size, n, unit) for size, unit, numbers in _BAR_UNITS for n in numbers]
    fitting = [length for length in lengths if length[0] <= room]
    size, number, unit = fitting[-1] if fitting else lengths[0]
    return ScaleBar(size / arcsec, f"{number:g} {unit}")


def _sky_in_the_middle(wcs: WCS | None, shape: tuple[int, int]) -> LocalSky | None:
    ny, nx = shape
    return None if wcs is None else local_sky(wcs, (nx - 1) / 2, (ny - 1) / 2)


def _unit(vector: Point) -> Point:
    length = math.hypot(*vector)
    return vector[0] / length, vector[1] / length


def aperture_edges(aperture: npt.NDArray[np.bool_]) -> list[tuple[Point, Point]]:
    """
    Trace the outline of the pixels of an aperture.

    Parameters
    ----------
    aperture : bool ndarray of shape (ny, nx)

    Returns
    -------
    edges : list of ((float, float), (float, float))
        Straight pieces from (x0, y0) to (x1, y1). (0, 0) is the lower left *corner* of pixel
        (0, 0), whose centre is at (0.5, 0.5). Holes have edges, too.
    """
    padded = np.pad(aperture, 1)
    # Shapes (ny + 1, nx) and (nx + 1, ny): does an edge run between two pixels?
    level = padded[1:, 1:-1] != padded[:-1, 1:-1]
    upright = (padded[1:-1, 1:] != padded[1:-1, :-1]).T
    edges: list[tuple[Point, Point]] = [
        ((a, y), (b, y)) for y, line in enumerate(level) for a, b in _runs(line)
    ]
    edges += [((x, a), (x, b)) for x, line in enumerate(upright) for a, b in _runs(line)]
    return edges


def _runs(line: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Give start and end of each run of `True`."""
    changes = np.flatnonzero(np.diff(np.pad(line, 1).astype(np.int8)))
    return list(zip(changes[::2].tolist(), changes[1::2].tolist(), strict=True))


# --- previews -------------------------------------------------------------------------------

_SIDE = 560  # the longer side of the pixels in a preview, at most, if there are fewer pixels
_MARGIN = 20
_STRIP = 76  # for the compass and the scale bar, below the pixels so that they hide none
_INK: Colour = (30, 30, 30)
_ALERT = (190, 0, 0)
_NO_DATA = (228, 228, 228)
_NO_DATA_LINE = (160, 160, 160)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Where on a preview the pixels lie."""

    draw: "ImageDraw.ImageDraw"
    font: Callable[[float], "ImageFont.FreeTypeFont | ImageFont.ImageFont"]
    left: int
    top: int
    zoom: int
    shape: tuple[int, int]

    @property
    def bottom(self) -> int:
        return self.top + self.shape[0] * self.zoom

    @property
    def right(self) -> int:
        return self.left + self.shape[1] * self.zoom

    def place(self, x: float, y: float) -> Point:
        """Turn edge coordinates, (0, 0) the lower left corner, into those of the sheet."""
        return self.left + x * self.zoom, self.bottom - y * self.zoom

    def line(self, start: Point, end: Point, colour: Colour, width: int) -> None:
        """
        Draw a line with square ends that reach beyond it by half of its width.

        Coordinates are those of edges between the sheet's pixels, which Pillow does not know: a
        line along them is drawn as a rectangle, to the pixel, if its width is even.
        """
        half = width / 2
        x0, x1 = sorted((start[0], end[0]))
        y0, y1 = sorted((start[1], end[1]))
        if x0 == x1 or y0 == y1:
            box = (round(v) for v in (x0 - half, y0 - half, x1 + half - 1, y1 + half - 1))
            self.draw.rectangle(tuple(box), fill=colour)
        else:
            points = [(x - 0.5, y - 0.5) for x, y in (start, end)]
            self.draw.line(points, fill=colour, width=width)


def preview_png(
    image: FloatImage,
    *,
    title: str,
    caption: str = "",
    credit: str = "",
    wcs: WCS | None = None,
    target: Point | None = None,
    aperture: npt.NDArray[np.bool_] | None = None,
    scaling: Scaling | None = None,
    colour_map: str = STAMP_COLOUR_MAP,
    simulated: bool = False,
) -> bytes:
    """
    Draw a picture to show around: enlarged pixels, aperture, target, compass, scale bar, title.

    Parameters
    ----------
    image : ndarray of shape (ny, nx)
        Brightness; NaN pixels are hatched.
    title, caption : str
        Above and below the pixels. The title is cut to one line, the caption to two.
    credit : str, optional
        Last line, such as the source of the data.
    wcs : WCS, optional
        Celestial WCS of the image, for compass, scale bar and target.
    target : (float, float), optional
        RA and Dec in degrees; marked by a cross if it is in the image.
    aperture : bool ndarray of shape (ny, nx), optional
        Pixels to draw an outline around.
    scaling : Scaling, optional
        From brightness to colour; by default `stamp_scaling` of this image.
    colour_map : str, optional
        Name of a colour map of matplotlib.
    simulated : bool, optional
        Whether to say that the data are simulated.

    Returns
    -------
    png : bytes
        About 600 pixels wide. The same input gives the same bytes.

    Raises
    ------
    InvalidQueryError
        If there is no such colour map.
    """
    from PIL import Image, ImageDraw, ImageFont, PngImagePlugin

    ny, nx = image.shape
    zoom = max(1, _SIDE // max(ny, nx))
    width = max(nx * zoom, _SIDE) + 2 * _MARGIN
    top = 78 if simulated else 54
    bottom = top + ny * zoom + (12 if wcs is None else _STRIP)
    height = bottom + 76
    paper = Image.new("RGB", (width, height), "white")
    sheet = _Sheet(
        ImageDraw.Draw(paper), ImageFont.load_default, (width - nx * zoom) // 2, top, zoom, (ny, nx)
    )
    pixels = _palette_picture(image, scaling, colour_map)
    pixels = pixels.convert("RGB").resize((nx * zoom, ny * zoom), Image.Resampling.NEAREST)
    paper.paste(pixels, (sheet.left, top))
    _hatch(sheet, np.isnan(image))
    if aperture is not None:
        _draw_aperture(sheet, aperture)
    if wcs is not None and target is not None:
        _draw_target(sheet, wcs, target)
    sheet.draw.rectangle(
        (sheet.left - 1, top - 1, sheet.right, sheet.bottom), outline=_INK, width=1
    )
    _draw_bar(sheet, scale_bar(wcs, image.shape))
    _draw_compass(sheet, compass(wcs, image.shape))
    room = width - 2 * _MARGIN
    _write(sheet, 16, title, 24, room)
    if simulated:
        _write(sheet, 48, SIMULATED_LINE, 18, room, colour=_ALERT)
    _write(sheet, bottom + 2, caption, 15, room, n_lines=2)
    _write(sheet, bottom + 48, credit, 13, room)
    about = PngImagePlugin.PngInfo()
    about.add_itxt("Title", title)
    lines = [SIMULATED_LINE if simulated else "", caption, credit]
    about.add_itxt("Description", ". ".join(line for line in lines if line))
    out = io.BytesIO()
    paper.save(out, "PNG", pnginfo=about)
    return out.getvalue()


def _write(
    sheet: _Sheet,
    y: int,
    text: str,
    size: float,
    room: int,
    *,
    n_lines: int = 1,
    colour: Colour = _INK,
) -> None:
    """Write text in so many lines, cut where the last of them would leave the sheet."""
    font = sheet.font(size)
    words = text.split()
    for _ in range(n_lines - 1):
        n = len(words)
        while n > 1 and sheet.draw.textlength(" ".join(words[:n]), font) > room:
            n -= 1
        sheet.draw.text((_MARGIN, y), " ".join(words[:n]), fill=colour, font=font)
        words, y = words[n:], y + round(size * 1.35)
    line = " ".join(words)
    while line and sheet.draw.textlength(line, font) > room:
        line = line[:-2].rstrip() + "…"
    sheet.draw.text((_MARGIN, y), line, fill=colour, font=font)


def _hatch(sheet: _Sheet, missing: npt.NDArray[np.bool_]) -> None:
    for y, x in np.argwhere(missing).tolist():
        x0, y1 = sheet.place(x, y)
        x1, y0 = sheet.place(x + 1, y + 1)
        sheet.draw.rectangle((x0, y0, x1 - 1, y1 - 1), fill=_NO_DATA)
        sheet.draw.line((x0, y1 - 1, x1 - 1, y0), fill=_NO_DATA_LINE)


def _draw_aperture(sheet: _Sheet, aperture: npt.NDArray[np.bool_]) -> None:
    # Thinner where the pixels are small.
    inner = 4 if sheet.zoom >= 16 else 2
    for colour, width in (((0, 0, 0), 2 * inner), (APERTURE_COLOUR, inner)):
        for start, end in aperture_edges(aperture):
            sheet.line(sheet.place(*start), sheet.place(*end), colour, width)


def _draw_target(sheet: _Sheet, wcs: WCS, target: Point) -> None:
    x, y = (float(v) + 0.5 for v in wcs.world_to_pixel_values(*target))
    ny, nx = sheet.shape
    if not (0 <= x <= nx and 0 <= y <= ny):
        return
    x, y = sheet.place(x, y)
    for colour, width in (((0, 0, 0), 6), (TARGET_COLOUR, 2)):
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            start, end = ((x + dx * reach, y + dy * reach) for reach in (8, 20))
            sheet.line(start, end, colour, width)


def _draw_bar(sheet: _Sheet, bar: ScaleBar | None) -> None:
    if bar is None:
        return
    x, y = sheet.left, sheet.bottom + 26
    end = x + bar.length_px * sheet.zoom
    sheet.line((x, y), (end, y), _INK, 2)
    for tick in (x, end):
        sheet.line((tick, y - 6), (tick, y + 6), _INK, 2)
    sheet.draw.text((x, y + 10), bar.label, fill=_INK, font=sheet.font(16))


def _draw_compass(sheet: _Sheet, rose: Compass | None) -> None:
    if rose is None:
        return
    x, y, length = sheet.right - 48, sheet.bottom + 46, 26
    for letter, (dx, dy) in (("N", rose.north), ("E", rose.east)):
        sheet.line((x, y), (x + dx * length, y - dy * length), _INK, 3)
        place = (x + dx * (length + 10), y - dy * (length + 10))
        sheet.draw.text(place, letter, fill=_INK, font=sheet.font(15), anchor="mm")


def light_curve_png(light_curve: LightCurve, *, title: str) -> bytes:
    """
    Draw the good cadences of a light curve.

    Parameters
    ----------
    light_curve : LightCurve
    title : str

    Returns
    -------
    png : bytes
        1200 x 500 pixels: relative flux over BTJD, or flux in electron/s where its median is not
        positive. The same input gives the same bytes.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    curve, good = light_curve, light_curve.good
    relative = curve.median_flux > 0
    flux = curve.normalised()[0] if relative else curve.flux
    figure = Figure(figsize=(12, 5), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot(curve.time[good], flux[good], ".", markersize=3, color="#1f4e79")
    axes.set_xlabel("Time (BTJD = BJD − 2457000, days)")
    axes.set_ylabel("Relative flux" if relative else "Flux (electron/s)")
    # A dollar sign in a name would start a formula.
    axes.set_title(title.replace("$", r"\$"), loc="left")
    if curve.simulated:
        axes.set_title(SIMULATED_LINE, loc="right", color="#be0000", fontsize="medium")
    if not good.any():
        axes.text(0.5, 0.5, "No cadence is good", transform=axes.transAxes, ha="center")
    out = io.BytesIO()
    figure.savefig(out, format="png", metadata={"Title": title, "Software": None})
    return out.getvalue()
