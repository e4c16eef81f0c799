"""
Images -> picture files to show around: PNG, JPEG or WebP, with title, compass, scale bar, credit.

Every picture carries its place on the sky (see `cutout_core.avm`) and says so when its data are
simulated. Row 0 of an array is the bottom row of every picture.
"""

import functools
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
from astropy.wcs import WCS

from cutout_core.avm import PictureBand, PictureFacts, xmp_packet
from cutout_core.colour import ColourPicture
from cutout_core.errors import InvalidQueryError
from cutout_core.filters import telescope_of
from cutout_core.image import ImageCutout
from cutout_core.local_sky import LocalSky, local_sky
from cutout_core.render import SIMULATED_LINE, compass, scale_bar
from cutout_core.stretch import Scaling, automatic_scaling, colour_table, to_levels

if TYPE_CHECKING:
    from PIL import Image, ImageFont

Pixels: TypeAlias = npt.NDArray[np.uint8]
FloatImage: TypeAlias = npt.NDArray[np.floating[Any]]
Point: TypeAlias = tuple[float, float]
Colour: TypeAlias = tuple[int, int, int]

#: Formats of picture files, with their type on the web.
FORMATS = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}

#: Colour of pixels without data: neither black nor white, which mean brightness.
NO_DATA: Colour = (104, 112, 124)

_PAPER: Colour = (16, 18, 24)
_INK: Colour = (240, 240, 240)
_FAINT_INK: Colour = (176, 180, 190)
_ALERT: Colour = (255, 176, 0)
_WHITE: Colour = (255, 255, 255)
_BLACK: Colour = (0, 0, 0)

# Small images are enlarged by a whole factor, so that their longer side has about so many pixels.
_GOOD_SIDE = 720
# Text needs some room, whatever the image.
_LEAST_WIDTH = 360
# A compass or a bar would hide too much of a picture smaller than this.
_LEAST_SIDE_FOR_MARKS = 120
# Marks are drawn so many times larger and reduced, for smooth edges at parts of a pixel.
_FINE = 4


@dataclass(frozen=True, slots=True)
class Annotations:
    """
    What is written and drawn on a picture.

    Attributes
    ----------
    title, caption, credit : str
        Above the image, below it, and in the last line. "" leaves the line out.
    compass, scale_bar : bool
        Whether to draw them into the image, where it is large enough and has a WCS.
    target : tuple of float or None
        RA and Dec in degrees of a place to mark by an open cross.
    simulated : bool
        Whether to say that the data are simulated.
    """

    title: str = ""
    caption: str = ""
    credit: str = ""
    compass: bool = True
    scale_bar: bool = True
    target: tuple[float, float] | None = None
    simulated: bool = False


def to_rgb(
    data: FloatImage,
    scaling: Scaling,
    *,
    colour_map: str = "gray",
    invert: bool = False,
) -> Pixels:
    """
    Colour an image.

    Parameters
    ----------
    data : ndarray of shape (ny, nx)
        Brightness; pixels that are NaN get the colour `NO_DATA`.
    scaling : Scaling
    colour_map : str, optional
        By matplotlib's name.
    invert : bool, optional
        Whether bright becomes dark.

    Returns
    -------
    rgb : uint8 ndarray of shape (ny, nx, 3)
        In the order of the rows of `data`.

    Raises
    ------
    InvalidQueryError
        If there is no such colour map.
    """
    table = colour_table(colour_map).copy()
    table[0] = NO_DATA
    rgb: Pixels = table[to_levels(data, scaling, invert=invert, lowest=1)]
    return rgb


def picture_of_image(
    image: ImageCutout,
    annotations: Annotations | None = None,
    *,
    scaling: Scaling | None = None,
    colour_map: str = "gray",
    invert: bool = False,
    file_format: str = "png",
) -> bytes:
    """
    Draw one image as a picture file.

    Parameters
    ----------
    image : ImageCutout
    annotations : Annotations, optional
        By default title, compass and scale bar.
    scaling : Scaling, optional
        By default `automatic_scaling`.
    colour_map, invert : optional
        As for `to_rgb`.
    file_format : {"png", "jpeg", "webp"}, optional

    Returns
    -------
    picture : bytes

    Raises
    ------
    InvalidQueryError
        If there is no such colour map or format.
    """
    notes = annotations or Annotations(title=image.label)
    notes = replace(notes, simulated=notes.simulated or image.simulated)
    scaling = scaling or automatic_scaling(image.data)
    rgb = to_rgb(image.data, scaling, colour_map=colour_map, invert=invert)
    return draw_picture(rgb, image.wcs, notes, bands=(_band(image),), file_format=file_format)


def picture_of_colours(
    picture: ColourPicture,
    annotations: Annotations | None = None,
    *,
    file_format: str = "png",
) -> bytes:
    """
    Draw a colour picture as a picture file.

    Parameters
    ----------
    picture : ColourPicture
    annotations : Annotations, optional
        By default compass, scale bar, and the filters as caption.
    file_format : {"png", "jpeg", "webp"}, optional

    Returns
    -------
    picture : bytes

    Raises
    ------
    InvalidQueryError
        If there is no such format.
    """
    notes = annotations or Annotations(caption=picture.recipe)
    simulated = notes.simulated or any(image.simulated for image in picture.images)
    bands = tuple(
        _band(image, ("Red", "Green", "Blue")[int(np.argmax(shares))])
        for image, shares in zip(picture.images, picture.weights, strict=True)
    )
    notes = replace(notes, simulated=simulated)
    return draw_picture(picture.rgb, picture.wcs, notes, bands=bands, file_format=file_format)


def _band(image: ImageCutout, colour: str = "Grayscale") -> PictureBand:
    facility = telescope_of(image.instrument)
    return PictureBand(facility, image.instrument, image.filter, image.wavelength_um, colour)


def draw_picture(
    rgb: Pixels,
    wcs: WCS | None,
    annotations: Annotations,
    *,
    bands: Sequence[PictureBand] = (),
    file_format: str = "png",
    zoom: int | None = None,
) -> bytes:
    """
    Put an image, with what is written and drawn on it, into a picture file.

    Parameters
    ----------
    rgb : uint8 ndarray of shape (ny, nx, 3)
        Row 0 is the bottom row.
    wcs : WCS or None
        Celestial WCS of its pixels.
    annotations : Annotations
    bands : sequence of PictureBand, optional
        For the metadata.
    file_format : {"png", "jpeg", "webp"}, optional
    zoom : int, optional
        Side of an image pixel in pixels of the picture. By default small images are enlarged.

    Returns
    -------
    picture : bytes
        The same input gives the same bytes.

    Raises
    ------
    InvalidQueryError
        If there is no such format.
    """
    if file_format not in FORMATS:
        known = ", ".join(FORMATS)
        msg = f'There is no picture format called "{str(file_format)[:20]}". Take one of {known}.'
        raise InvalidQueryError(msg)
    ny, nx = rgb.shape[:2]
    sheet = _laid_out((ny, nx), annotations, zoom or max(1, _GOOD_SIDE // max(ny, nx)))
    _paste(sheet, rgb)
    sky = None if wcs is None else local_sky(wcs, (nx - 1) / 2, (ny - 1) / 2)
    if wcs is not None and sky is not None:
        _draw_marks(sheet, wcs, annotations)
    _write_lines(sheet, annotations)
    packet = _packet(sheet, annotations, bands, sky)
    return _saved(sheet.paper, annotations, packet, file_format)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """
    A picture, and where in it the image lies.

    Places in the picture are counted from its upper left corner: pixel (0, 0) is the square from
    there to (1, 1), and its centre is at (0.5, 0.5).
    """

    paper: "Image.Image"
    left: int
    top: int
    zoom: int
    shape: tuple[int, int]
    letter: int

    @property
    def width(self) -> int:
        return self.shape[1] * self.zoom

    @property
    def height(self) -> int:
        return self.shape[0] * self.zoom

    def place(self, x: float, y: float) -> Point:
        """Give the place of 0-based image coordinates, whose (0, 0) is a pixel's centre."""
        return (
            self.left + (x + 0.5) * self.zoom,
            self.top + self.height - (y + 0.5) * self.zoom,
        )


def _laid_out(shape: tuple[int, int], notes: Annotations, zoom: int) -> _Sheet:
    from PIL import Image

    ny, nx = shape
    written = bool(notes.title or notes.caption or notes.credit or notes.simulated)
    width = max(nx * zoom, _LEAST_WIDTH) if written else nx * zoom
    letter = max(14, min(34, round(width / 42)))
    draft = _Sheet(Image.new("RGB", (1, 1)), (width - nx * zoom) // 2, 0, zoom, shape, letter)
    room = width - 2 * letter
    above = sum(line.height for line in _lines_above(draft, notes, room))
    below = sum(line.height for line in _lines_below(draft, notes, room))
    top = above + letter if above else 0
    height = top + ny * zoom + (below + letter if below else 0)
    return replace(draft, paper=Image.new("RGB", (width, height), _PAPER), top=top)


def _paste(sheet: _Sheet, rgb: Pixels) -> None:
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(rgb[::-1]))
    if sheet.zoom > 1:
        image = image.resize((sheet.width, sheet.height), Image.Resampling.NEAREST)
    sheet.paper.paste(image, (sheet.left, sheet.top))


# --- text --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    size: int
    colour: Colour

    @property
    def height(self) -> int:
        return round(self.size * 1.4)


@functools.lru_cache(maxsize=32)
def _font(size: int) -> "ImageFont.FreeTypeFont":
    """Give DejaVu Sans, which matplotlib brings: Pillow's own font has no é, α or µ."""
    from pathlib import Path

    import matplotlib
    from PIL import ImageFont

    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    return ImageFont.truetype(str(path), size)


def _lines_above(sheet: _Sheet, notes: Annotations, room: int) -> list[_Line]:
    lines = []
    if notes.title:
        lines += _wrapped(notes.title, round(sheet.letter * 1.25), _INK, room, most=2)
    if notes.simulated:
        lines += _wrapped(SIMULATED_LINE, sheet.letter, _ALERT, room, most=2)
    return lines


def _lines_below(sheet: _Sheet, notes: Annotations, room: int) -> list[_Line]:
    lines = []
    if notes.caption:
        lines += _wrapped(notes.caption, sheet.letter, _INK, room, most=3)
    if notes.credit:
        lines += _wrapped(
            notes.credit, max(11, round(sheet.letter * 0.8)), _FAINT_INK, room, most=2
        )
    return lines


def _wrapped(text: str, size: int, colour: Colour, room: int, *, most: int) -> list[_Line]:
    """Break text into lines that fit; what does not fit into the last is cut."""
    font = _font(size)
    words = "".join(c if c.isprintable() else " " for c in text).split()
    lines: list[str] = []
    while words and len(lines) < most:
        n = len(words)
        while n > 1 and font.getlength(" ".join(words[:n])) > room:
            n -= 1
        lines.append(" ".join(words[:n]))
        words = words[n:]
    if words:
        lines[-1] += " …"
    return [_Line(_cut(line, font, room), size, colour) for line in lines]


def _cut(line: str, font: "ImageFont.FreeTypeFont", room: int) -> str:
    if font.getlength(line) <= room:
        return line
    while line and font.getlength(line + "…") > room:
        line = line[:-1]
    return line.rstrip(" …") + "…"


def _write_lines(sheet: _Sheet, notes: Annotations) -> None:
    from PIL import ImageDraw

    draw = ImageDraw.Draw(sheet.paper)
    room = sheet.paper.width - 2 * sheet.letter
    for y, lines in (
        (sheet.letter // 2, _lines_above(sheet, notes, room)),
        (sheet.top + sheet.height + sheet.letter // 2, _lines_below(sheet, notes, room)),
    ):
        for line in lines:
            draw.text((sheet.letter, y), line.text, fill=line.colour, font=_font(line.size))
            y += line.height


# --- marks -------------------------------------------------------------------------------------


def _draw_marks(sheet: _Sheet, wcs: WCS, notes: Annotations) -> None:
    large = min(sheet.width, sheet.height) >= _LEAST_SIDE_FOR_MARKS
    if notes.compass and large:
        _draw_compass(sheet, wcs)
    if notes.scale_bar and large:
        _draw_scale_bar(sheet, wcs)
    if notes.target is not None:
        _draw_target(sheet, wcs, notes.target)


class _Patch:
    """A part of the picture that is drawn on in `_FINE` times its resolution."""

    def __init__(self, sheet: _Sheet, left: float, top: float, right: float, bottom: float) -> None:
        from PIL import Image, ImageDraw

        self.x, self.y = math.floor(left), math.floor(top)
        self.size = max(1, math.ceil(right) - self.x), max(1, math.ceil(bottom) - self.y)
        self._paper = sheet.paper
        fine = self.size[0] * _FINE, self.size[1] * _FINE
        self._stencil = Image.new("LA", fine, (0, 0))
        self._draw = ImageDraw.Draw(self._stencil)

    def polygon(self, corners: Sequence[Point], level: int) -> None:
        """Fill a polygon in white (255) or black (0)."""
        points = [((x - self.x) * _FINE, (y - self.y) * _FINE) for x, y in corners]
        self._draw.polygon(points, fill=(level, 255))

    def bar(self, start: Point, end: Point, width: float, level: int) -> None:
        """Draw a straight bar; its ends reach beyond the points by half of its width."""
        length = math.dist(start, end) or 1.0
        ux, uy = (end[0] - start[0]) / length, (end[1] - start[1]) / length
        half = width / 2
        x0, y0 = start[0] - ux * half, start[1] - uy * half
        x1, y1 = end[0] + ux * half, end[1] + uy * half
        across = (-uy * half, ux * half)
        self.polygon(
            [
                (x0 + across[0], y0 + across[1]),
                (x1 + across[0], y1 + across[1]),
                (x1 - across[0], y1 - across[1]),
                (x0 - across[0], y0 - across[1]),
            ],
            level,
        )

    def lay_down(self) -> None:
        """Put what was drawn onto the picture."""
        from PIL import Image

        small = self._stencil.resize(self.size, Image.Resampling.BOX)
        level, alpha = small.split()
        # Reducing mixes in the black of what is transparent: take it out again.
        shade = np.asarray(level, dtype=np.float32)
        cover = np.asarray(alpha, dtype=np.float32)
        true = np.where(cover > 0, shade * 255 / np.maximum(cover, 1), 0).clip(0, 255)
        grey = Image.fromarray(true.astype(np.uint8))
        self._paper.paste(Image.merge("RGB", (grey,) * 3), (self.x, self.y), alpha)


def _cased(draw: Callable[[float, int], None], width: float, casing: float) -> None:
    """Draw something twice: wider in black, then in white, to be seen on every background."""
    draw(width + 2 * casing, 0)
    draw(width, 255)


def _draw_compass(sheet: _Sheet, wcs: WCS) -> None:
    rose = compass(wcs, sheet.shape)
    if rose is None:
        return
    length = max(26.0, min(80.0, 0.09 * min(sheet.width, sheet.height)))
    letter = max(13, round(length * 0.42))
    reach = length + 1.1 * letter
    margin = 0.35 * letter
    # The middle of the rose is moved so that its arrows, wherever they point, fill the corner.
    ends = [(dx * reach, -dy * reach) for dx, dy in (rose.north, rose.east)] + [(0.0, 0.0)]
    x = sheet.left + sheet.width - margin - letter / 2 - max(end[0] for end in ends)
    y = sheet.top + margin + letter / 2 - min(end[1] for end in ends)
    around = reach + letter
    patch = _Patch(sheet, x - around, y - around, x + around, y + around)
    thick = max(2.0, length / 18)

    def arrows(width: float, level: int) -> None:
        for dx, dy in (rose.north, rose.east):
            tip = (x + dx * length, y - dy * length)
            grown = (width - thick) / 2
            foot = (tip[0] - dx * 4 * thick, tip[1] + dy * 4 * thick)
            patch.bar((x, y), foot, width, level)
            side = 2.2 * thick + grown
            patch.polygon(
                [
                    (tip[0] + dx * grown * 2, tip[1] - dy * grown * 2),
                    (foot[0] + dy * side - dx * grown, foot[1] + dx * side + dy * grown),
                    (foot[0] - dy * side - dx * grown, foot[1] - dx * side + dy * grown),
                ],
                level,
            )

    _cased(arrows, thick, max(1.0, thick / 2.5))
    patch.lay_down()
    for name, (dx, dy) in (("N", rose.north), ("E", rose.east)):
        _write_cased(sheet, (x + dx * reach, y - dy * reach), name, letter, "mm")


def _draw_scale_bar(sheet: _Sheet, wcs: WCS) -> None:
    bar = scale_bar(wcs, sheet.shape)
    if bar is None:
        return
    letter = max(13, min(34, round(min(sheet.width, sheet.height) * 0.034)))
    thick = max(2.0, letter / 7)
    x0 = sheet.left + float(letter)
    x1 = x0 + bar.length_px * sheet.zoom
    y = sheet.top + sheet.height - float(letter)
    tick = letter * 0.35
    patch = _Patch(sheet, x0 - 6, y - tick - 6, x1 + 6, y + tick + 6)

    def line(width: float, level: int) -> None:
        patch.bar((x0, y), (x1, y), width, level)
        for end in (x0, x1):
            patch.bar((end, y - tick), (end, y + tick), width, level)

    _cased(line, thick, max(1.0, thick / 2.5))
    patch.lay_down()
    _write_cased(sheet, ((x0 + x1) / 2, y - tick - 0.4 * letter), bar.label, letter, "mb")


def _draw_target(sheet: _Sheet, wcs: WCS, target: tuple[float, float]) -> None:
    px, py = (float(value) for value in wcs.world_to_pixel_values(*target))
    ny, nx = sheet.shape
    if not (-0.5 <= px <= nx - 0.5 and -0.5 <= py <= ny - 0.5):
        return
    x, y = sheet.place(px, py)
    size = max(12.0, 0.035 * min(sheet.width, sheet.height))
    patch = _Patch(sheet, x - 2 * size - 6, y - 2 * size - 6, x + 2 * size + 6, y + 2 * size + 6)

    def cross(width: float, level: int) -> None:
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            start, end = ((x + dx * r, y + dy * r) for r in (0.7 * size, 1.8 * size))
            patch.bar(start, end, width, level)

    _cased(cross, max(2.0, size / 10), 1.0)
    patch.lay_down()


def _write_cased(sheet: _Sheet, place: Point, text: str, size: int, anchor: str) -> None:
    from PIL import ImageDraw

    draw: ImageDraw.ImageDraw = ImageDraw.Draw(sheet.paper)
    draw.text(
        place,
        text,
        fill=_WHITE,
        font=_font(size),
        anchor=anchor,
        stroke_width=max(1, size // 10),
        stroke_fill=_BLACK,
    )


# --- the file ----------------------------------------------------------------------------------


def _packet(
    sheet: _Sheet, notes: Annotations, bands: Sequence[PictureBand], sky: LocalSky | None
) -> bytes:
    description = ". ".join(
        line for line in (SIMULATED_LINE if notes.simulated else "", notes.caption) if line
    )
    facts = PictureFacts(notes.title, description, notes.credit, tuple(bands), notes.simulated)
    size = sheet.paper.size
    if sky is None:
        return xmp_packet(size, facts)
    x, y = sheet.place(sky.x, sky.y)
    return xmp_packet(size, facts, sky=sky, at=(x, size[1] - y), zoom=sheet.zoom)


def _saved(paper: "Image.Image", notes: Annotations, packet: bytes, file_format: str) -> bytes:
    from PIL import PngImagePlugin

    out = io.BytesIO()
    if file_format == "png":
        about = PngImagePlugin.PngInfo()
        about.add_itxt("XML:com.adobe.xmp", packet.decode())
        about.add_itxt("Title", notes.title)
        paper.save(out, "PNG", pnginfo=about)
    elif file_format == "jpeg":
        paper.save(out, "JPEG", quality=92, subsampling=0, xmp=packet)
    else:
        paper.save(out, "WEBP", quality=92, method=4, xmp=packet)
    return out.getvalue()
