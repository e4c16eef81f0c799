"""
Images -> figures for a publication: axes in right ascension and declination, as PNG or PDF.

matplotlib's `Figure` is used without pyplot, which keeps every figure of every visitor.
"""

import io
import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from astropy.wcs import WCS

from cutout_core.colour import ColourPicture
from cutout_core.errors import InvalidQueryError
from cutout_core.image import ImageCutout
from cutout_core.picture import NO_DATA, Annotations
from cutout_core.render import SIMULATED_LINE, compass, scale_bar
from cutout_core.stretch import Scaling, automatic_scaling, colour_table, curve

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Formats of figure files, with their type on the web.
FIGURE_FORMATS = {"png": "image/png", "pdf": "application/pdf"}

# Two columns of a journal's page are about 18 cm wide.
_WIDTH_INCHES = 7.1
_DPI = 200
_MOST_PIXELS = 4000
_ALERT = "#be0000"
_NO_DATA = "#{:02x}{:02x}{:02x}".format(*NO_DATA)


def image_figure(
    image: ImageCutout,
    annotations: Annotations | None = None,
    *,
    scaling: Scaling | None = None,
    colour_map: str = "gray",
    invert: bool = False,
    grid: bool = True,
) -> "Figure":
    """
    Draw one image with axes on the sky and a bar of its brightness.

    Parameters
    ----------
    image : ImageCutout
        Without sky coordinates its axes count pixels.
    annotations : Annotations, optional
        By default title, compass and scale bar.
    scaling : Scaling, optional
        By default `automatic_scaling`.
    colour_map, invert : optional
        By matplotlib's name; whether bright is dark.
    grid : bool, optional
        Whether to draw lines of equal RA and Dec.

    Returns
    -------
    figure : `~matplotlib.figure.Figure`
        Not known to pyplot; save it with `figure_file`.

    Raises
    ------
    InvalidQueryError
        If there is no such colour map.
    """
    notes = annotations or Annotations(title=image.label)
    notes = replace(notes, simulated=notes.simulated or image.simulated)
    scaling = scaling or automatic_scaling(image.data)

    def show(axes: Any) -> None:
        shown = axes.imshow(
            image.data,
            origin="lower",
            interpolation="nearest",
            norm=_norm(scaling),
            cmap=_matplotlib_map(colour_map, invert=invert),
        )
        # Inside the axes' own coordinates, so that it is as high as the image.
        bar = axes.figure.colorbar(shown, cax=axes.inset_axes((1.02, 0, 0.04, 1)))
        bar.set_label(f"Brightness ({image.unit.lower()})" if image.unit else "Brightness")

    return _drawn(image.shape, image.wcs, notes, show, grid=grid, width_share=0.72)


def colour_figure(
    picture: ColourPicture, annotations: Annotations | None = None, *, grid: bool = True
) -> "Figure":
    """
    Draw a colour picture with axes on the sky.

    Parameters
    ----------
    picture : ColourPicture
    annotations : Annotations, optional
        By default compass, scale bar, and the filters as caption.
    grid : bool, optional
        Whether to draw lines of equal RA and Dec.

    Returns
    -------
    figure : `~matplotlib.figure.Figure`
        Not known to pyplot; save it with `figure_file`.
    """
    notes = annotations or Annotations(caption=picture.recipe)
    simulated = notes.simulated or any(image.simulated for image in picture.images)
    notes = replace(notes, simulated=simulated)

    def show(axes: Any) -> None:
        axes.imshow(picture.rgb, origin="lower", interpolation="nearest")

    shape = (picture.rgb.shape[0], picture.rgb.shape[1])
    return _drawn(shape, picture.wcs, notes, show, grid=grid, width_share=0.84)


def figure_file(figure: "Figure", file_format: str = "pdf") -> bytes:
    """
    Save a figure.

    Parameters
    ----------
    figure : `~matplotlib.figure.Figure`
    file_format : {"pdf", "png"}, optional

    Returns
    -------
    content : bytes
        The same figure gives the same bytes.

    Raises
    ------
    InvalidQueryError
        If there is no such format.
    """
    if file_format not in FIGURE_FORMATS:
        known = " or ".join(FIGURE_FORMATS)
        msg = f'There is no figure format called "{str(file_format)[:20]}". Take {known}.'
        raise InvalidQueryError(msg)
    out = io.BytesIO()
    # Without a date, so that a download can be compared with an earlier one.
    about = {"CreationDate": None} if file_format == "pdf" else {"Software": None}
    # "tight" takes in the label of the brightness bar, which the layout does not know of.
    figure.savefig(out, format=file_format, metadata=about, bbox_inches="tight", pad_inches=0.08)
    return out.getvalue()


def _drawn(
    shape: tuple[int, int],
    wcs: WCS | None,
    notes: Annotations,
    show: Callable[[Any], None],
    *,
    grid: bool,
    width_share: float,
) -> "Figure":
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # Letters as letters (type 42): journals refuse matplotlib's default, type 3.
    matplotlib.rcParams["pdf.fonttype"] = 42
    ny, nx = shape
    # The image takes this share of the width; labels and lines of text take some height.
    image_height = min(max(_WIDTH_INCHES * width_share * ny / nx, 1.0), 1.8 * _WIDTH_INCHES)
    height = image_height + 0.9 + 0.2 * bool(notes.caption) + 0.2 * bool(notes.credit)
    # No pixel of the image is lost, within reason.
    dpi = max(_DPI, min(max(nx, ny), _MOST_PIXELS) / (0.7 * _WIDTH_INCHES))
    figure = Figure(figsize=(_WIDTH_INCHES, height), dpi=dpi, layout="constrained")
    FigureCanvasAgg(figure)
    axes = _axes_on_the_sky(figure, wcs, grid=grid) if wcs is not None else figure.add_subplot()
    axes.set_facecolor(_NO_DATA)
    show(axes)
    # Marks beyond the edge must not widen the axes.
    axes.set_xlim(-0.5, nx - 0.5)
    axes.set_ylim(-0.5, ny - 0.5)
    if wcs is None:
        axes.set_xlabel("x (pixel)")
        axes.set_ylabel("y (pixel)")
    else:
        _draw_marks(axes, wcs, shape, notes)
    _write(figure, axes, notes)
    return figure


def _axes_on_the_sky(figure: "Figure", wcs: WCS, *, grid: bool) -> Any:
    axes = figure.add_subplot(projection=wcs)
    longitude, latitude = axes.coords
    longitude.set_axislabel("Right ascension (J2000)")
    latitude.set_axislabel("Declination (J2000)")
    for coordinate in (longitude, latitude):
        coordinate.display_minor_ticks(True)
    if grid:
        axes.coords.grid(color="0.6", alpha=0.6, linestyle=":", linewidth=0.6)
    return axes


def _norm(scaling: Scaling) -> Any:
    from astropy.visualization import ImageNormalize

    stretch = curve(scaling.stretch, scaling.softness)
    return ImageNormalize(vmin=scaling.low, vmax=scaling.high, stretch=stretch, clip=True)


def _matplotlib_map(name: str, *, invert: bool) -> Any:
    from matplotlib.colors import ListedColormap

    table: npt.NDArray[np.uint8] = colour_table(name)
    return ListedColormap((table[::-1] if invert else table) / 255).with_extremes(bad=_NO_DATA)


def _draw_marks(axes: Any, wcs: WCS, shape: tuple[int, int], notes: Annotations) -> None:
    from matplotlib.patheffects import withStroke

    casing = [withStroke(linewidth=3.0, foreground="black")]
    if notes.compass:
        _draw_compass(axes, wcs, shape, casing)
    if notes.scale_bar:
        _draw_scale_bar(axes, wcs, shape, casing)
    if notes.target is not None:
        x, y = (float(value) for value in wcs.world_to_pixel_values(*notes.target))
        size = 0.035 * math.sqrt(shape[0] * shape[1])
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            ends = [(x + dx * r * size, y + dy * r * size) for r in (0.6, 1.6)]
            axes.plot(*zip(*ends, strict=True), color="white", lw=1.2, path_effects=casing)


def _draw_compass(axes: Any, wcs: WCS, shape: tuple[int, int], casing: list[Any]) -> None:
    rose = compass(wcs, shape)
    if rose is None:
        return
    ny, nx = shape
    length = 0.09 * min(nx, ny)
    reach = 1.35 * length
    ends = [(dx * reach, dy * reach) for dx, dy in (rose.north, rose.east)] + [(0.0, 0.0)]
    margin = 0.035 * min(nx, ny)
    x = nx - 0.5 - margin - max(end[0] for end in ends)
    y = ny - 0.5 - margin - max(end[1] for end in ends)
    for name, (dx, dy) in (("N", rose.north), ("E", rose.east)):
        axes.annotate(
            "",
            (x + dx * length, y + dy * length),
            (x, y),
            arrowprops={
                "arrowstyle": "-|>",
                "color": "white",
                "lw": 1.3,
                "shrinkA": 0,
                "shrinkB": 0,
                "path_effects": casing,
            },
        )
        axes.text(
            x + dx * reach,
            y + dy * reach,
            name,
            color="white",
            ha="center",
            va="center",
            path_effects=casing,
        )


def _draw_scale_bar(axes: Any, wcs: WCS, shape: tuple[int, int], casing: list[Any]) -> None:
    bar = scale_bar(wcs, shape)
    if bar is None:
        return
    ny, nx = shape
    x, y = -0.5 + 0.04 * nx, -0.5 + 0.05 * ny
    axes.plot(
        [x, x + bar.length_px],
        [y, y],
        color="white",
        lw=2,
        solid_capstyle="butt",
        path_effects=casing,
    )
    axes.text(
        x + bar.length_px / 2,
        y + 0.015 * ny,
        bar.label,
        color="white",
        ha="center",
        va="bottom",
        path_effects=casing,
    )


def _write(figure: "Figure", axes: Any, notes: Annotations) -> None:
    if notes.title:
        axes.set_title(_plain(notes.title), loc="left")
    if notes.simulated:
        axes.set_title(SIMULATED_LINE, loc="right", color=_ALERT, fontsize="small")
    lines = [line for line in (notes.caption, notes.credit) if line]
    if lines:
        figure.supxlabel(_plain("\n".join(lines)), fontsize="small", x=0.02, ha="left", wrap=True)


def _plain(text: str) -> str:
    """Keep a dollar sign in a name from starting a formula."""
    return text.replace("$", r"\$")
