"""
Where TESS looked: a map of the whole sky, and the sectors of a target in time.

The map is in ecliptic coordinates, in which TESS's sectors are strips from pole to pole. What is in
the archive and what is only predicted by tess-point are kept apart by form, not by colour alone.
"""

import functools
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from astropy.coordinates import SkyCoord

from cutout_core.errors import InvalidQueryError
from cutout_core.mast.tesscut_requests import Sector
from cutout_core.sectors import predict_pixels, sector_dates

FloatArray: TypeAlias = npt.NDArray[np.float64]

# CCD pixels in tess-point's model are counted from 0 at the centre of the first science pixel.
_FIRST_EDGE, _LAST_EDGE = -0.5, 2047.5
_POINTS_PER_SIDE = 16
# Corners of a camera are 17 deg from its axis; the optics are tabulated in steps of 0.2 deg.
_OPTICS_DEG = np.linspace(0.0, 18.0, 91)

#: Size of the map in pixels.
MAP_WIDTH, MAP_HEIGHT = 1200, 760
_DPI = 200


class SectorState(StrEnum):
    """What is known about a sector at a position."""

    FOUND = "in the archive"
    MISSING = "predicted, not in the archive yet"
    PLANNED = "planned"


@dataclass(frozen=True, slots=True)
class PredictedSector:
    """
    A sector that should see a position with one of its cameras, but is not in the archive.

    Attributes
    ----------
    sector, camera : int
        By tess-point.
    state : SectorState
        `MISSING` if its last image has been taken, `PLANNED` if not.
    """

    sector: int
    camera: int
    state: SectorState


@dataclass(frozen=True, slots=True)
class StripRow:
    """
    A sector in time.

    Attributes
    ----------
    sector : int
    start, end : date
        UTC days of its first and last image.
    state : SectorState
    """

    sector: int
    start: date
    end: date
    state: SectorState


@dataclass(frozen=True, slots=True)
class _Colours:
    sky: str
    line: str
    text: str
    found: str
    predicted: str
    galaxy: str
    path: str
    star: str
    casing: str


# Blue and orange differ for all kinds of colour vision; the purple also in brightness.
_LIGHT = _Colours(
    sky="#eef2f8",
    line="#7d8ba0",
    text="#16202e",
    found="#1f5fa8",
    predicted="#b04a00",
    galaxy="#55606f",
    path="#7b1fa2",
    star="#16202e",
    casing="#ffffff",
)
_DARK = _Colours(
    sky="#172133",
    line="#74839b",
    text="#e6ecf5",
    found="#6fb0ff",
    predicted="#ffa94d",
    galaxy="#aab6c8",
    path="#f0a6e8",
    star="#ffffff",
    casing="#0d131f",
)


def predicted_sectors(
    ra: float, dec: float, found: Sequence[Sector], *, today: date
) -> list[PredictedSector]:
    """
    Tell which sectors should see a position beside those that are in the archive.

    Parameters
    ----------
    ra, dec : float
        ICRS position in degrees.
    found : sequence of Sector
        What the archive has; whatever their cameras, these sectors are left out.
    today : date
        Parts the sectors that have been observed from those that are planned.

    Returns
    -------
    predicted : list of PredictedSector
        In ascending order; a sector comes twice where the fields of two cameras overlap. Special
        pointings, which have no dates, are not predicted.

    Raises
    ------
    InvalidQueryError
        If the declination is not from -90 to 90, or a number is NaN.
    """
    known = {sector.sector for sector in found}
    return [
        PredictedSector(
            number,
            pixel.camera,
            SectorState.MISSING if dates[1] < today else SectorState.PLANNED,
        )
        for number, pixels in predict_pixels(ra, dec).items()
        if number not in known and (dates := sector_dates(number)) is not None
        for pixel in pixels
    ]


def sector_strip(found: Sequence[Sector], predicted: Sequence[PredictedSector]) -> list[StripRow]:
    """
    Put sectors in the order of time.

    Parameters
    ----------
    found : sequence of Sector
    predicted : sequence of PredictedSector

    Returns
    -------
    rows : list of StripRow
        One for each sector that has dates.
    """
    states = {p.sector: p.state for p in predicted}
    states |= {s.sector: SectorState.FOUND for s in found}
    return [
        StripRow(sector, *dates, state)
        for sector, state in sorted(states.items())
        if (dates := sector_dates(sector)) is not None
    ]


@functools.lru_cache(maxsize=500)
def camera_outlines(sector: int) -> FloatArray | None:
    """
    Trace what the four cameras see of the sky in a sector.

    Parameters
    ----------
    sector : int

    Returns
    -------
    outlines : float64 ndarray of shape (4, n, 2), or None
        For cameras 1 to 4: RA and Dec in degrees of points around the outermost science pixels, a
        square of about 24 degrees; the last point is not the first one again. The gaps between the
        CCDs are not cut out. Read-only. `None` if tess-point does not know the sector.

    References
    ----------
    .. [1] Burke et al. 2020, TESS-Point, Astrophysics Source Code Library, ascl:2003.001.
    """
    # Half a second to import, with scipy.
    from tess_stars2px import Levine_FPG, TESS_Spacecraft_Pointing_Data

    table = TESS_Spacecraft_Pointing_Data
    places = np.flatnonzero(table.sectors == sector)
    if not places.size:
        return None
    i = places[0]
    model = Levine_FPG(np.array([table.ras[i], table.decs[i], table.rolls[i]]))
    # rmat4 turns ICRS vectors into those of each camera.
    x, y, z = np.einsum("cki,cnk->icn", model.rmat4, _outlines_in_cameras())
    outlines: FloatArray = np.rad2deg(
        np.stack([np.arctan2(y, x) % (2 * np.pi), np.arcsin(z)], axis=-1)
    )
    outlines.flags.writeable = False
    return outlines


@functools.cache
def _outlines_in_cameras() -> FloatArray:
    """Give unit vectors (4, n, 3) in the axes of each camera, which looks along z."""
    from tess_stars2px import Levine_FPG

    model = Levine_FPG()
    first, last = _FIRST_EDGE, _LAST_EDGE
    corners = np.array([[first, last, last, first], [first, first, last, last]])
    step = np.linspace(0, 1, _POINTS_PER_SIDE, endpoint=False)
    outlines = []
    for camera in range(4):
        # The four CCDs come in the order of the quadrants; their outermost corners span the square.
        ends = []
        for ccd in range(4):
            mm = model.pix_to_mm_single_ccd(camera, corners, ccd)
            ends.append(mm[:, np.argmax(np.hypot(*mm))])
        sides = zip(ends, ends[1:] + ends[:1], strict=True)
        mm = np.hstack([a[:, None] + np.outer(b - a, step) for a, b in sides])
        x, y = model.rev_az_asym(camera, mm)
        radii = [model.r_of_tanth(camera, angle) for angle in np.deg2rad(_OPTICS_DEG)]
        theta = np.deg2rad(np.interp(np.hypot(x, y), radii, _OPTICS_DEG))
        phi = np.arctan2(-y, -x)  # the optics turn the image upside down
        sin = np.sin(theta)
        outlines.append(np.stack([sin * np.cos(phi), sin * np.sin(phi), np.cos(theta)], axis=-1))
    return np.array(outlines)


def split_at_edge(x: FloatArray, y: FloatArray) -> list[FloatArray]:
    """
    Cut a line on the sky where it leaves the map, to enter it on the other side.

    Parameters
    ----------
    x : float ndarray of shape (n,)
        Longitude from the middle of the map, in degrees; any turn.
    y : float ndarray of shape (n,)
        Latitude in degrees. NaN breaks the line.

    Returns
    -------
    pieces : list of float ndarray of shape (m, 2)
        x from -180 to 180 and y; where the line crosses the edge, one piece ends and the next one
        begins exactly there.
    """
    x = (np.asarray(x, dtype=float) + 180) % 360 - 180
    pieces: list[FloatArray] = []
    current: list[tuple[float, float]] = []

    def finish() -> None:
        if len(current) > 1:
            pieces.append(np.array(current))
        current.clear()

    for here in zip(x.tolist(), np.asarray(y, dtype=float).tolist(), strict=True):
        if not np.isfinite(here).all():
            finish()
            continue
        if current and abs(here[0] - current[-1][0]) > 180:
            last = current[-1]
            side = 180.0 if last[0] > 0 else -180.0
            beyond = here[0] + 2 * side  # where it would be without the edge
            share = (side - last[0]) / (beyond - last[0])
            crossing = last[1] + share * (here[1] - last[1])
            current.append((side, crossing))
            finish()
            current.append((-side, crossing))
        current.append(here)
    finish()
    return pieces


def split_area_at_edge(x: FloatArray, y: FloatArray) -> list[FloatArray]:
    """
    Cut the inside of a closed outline where it leaves the map.

    Parameters
    ----------
    x, y : float ndarray of shape (n,)
        As for `split_at_edge`, without NaN; the last point is joined to the first one. An outline
        that goes around the sky holds the pole on its side of the equator.

    Returns
    -------
    polygons : list of float ndarray of shape (m, 2)
        x from -180 to 180 and y.
    """
    from matplotlib.path import Path
    from matplotlib.transforms import Bbox

    x = np.unwrap(np.append(x, x[0]), period=360)
    y = np.append(y, y[0])
    if abs(x[-1] - x[0]) > 180:  # around a pole, which is a line in these coordinates
        pole = float(np.copysign(90, y.mean()))
        x, y = np.append(x, [x[-1], x[0]]), np.append(y, [pole, pole])
    x = x - 360 * np.round(x.mean() / 360)
    sky = Bbox([[-180, -90], [180, 90]])
    turns = (Path(np.column_stack([x + turn, y])) for turn in (-360, 0, 360))
    return [
        # The cut runs along the curved edge of the map: it needs points between its ends.
        np.asarray(Path(polygon).interpolated(6).vertices)
        for whole in turns
        for polygon in whole.clip_to_bbox(sky).to_polygons()
    ]


def sky_map_png(
    *,
    ra: float,
    dec: float,
    found: Sequence[Sector],
    predicted: Sequence[PredictedSector] = (),
    path: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    dark: bool = False,
) -> bytes:
    """
    Draw the whole sky with a target and what TESS's cameras saw around it.

    The map is Aitoff's projection in ecliptic coordinates (ecliptic of J2000), with north up and
    east to the left as on the sky, centred near the target's longitude: there it shows the poles
    without much distortion.

    Parameters
    ----------
    ra, dec : float
        ICRS position of the target in degrees; for a body that moves, one on its path.
    found : sequence of Sector
        Sectors in the archive: all four cameras are drawn, and the one that saw the target stands
        out. One that tess-point does not know is left out.
    predicted : sequence of PredictedSector, optional
        Of these only the camera that should see the target is drawn: dashed if it is missing in
        the archive, dotted if it is planned.
    path : (array_like, array_like), optional
        RA and Dec in degrees along the path of a body; NaN breaks the line.
    dark : bool, optional
        Whether the page behind the picture is dark.

    Returns
    -------
    png : bytes
        `MAP_WIDTH` x `MAP_HEIGHT` pixels, transparent around the map. The same input gives the
        same bytes.

    Raises
    ------
    InvalidQueryError
        If the declination is not from -90 to 90, a number is NaN, or the two parts of the path
        differ in length.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image

    if not (-90 <= dec <= 90 and abs(ra) <= 360):
        msg = f"RA {ra}, Dec {dec} is no position: RA goes from 0 to 360, Dec from -90 to 90."
        raise InvalidQueryError(msg)
    figure = Figure(figsize=(MAP_WIDTH / _DPI, MAP_HEIGHT / _DPI), dpi=_DPI)
    canvas: Any = FigureCanvasAgg(figure)  # untyped
    figure.patch.set_alpha(0)
    colours = _DARK if dark else _LIGHT
    # A map of 2 : 1 over the width, the legend below it.
    height = 0.98 * MAP_WIDTH / 2 / MAP_HEIGHT
    axes = figure.add_axes((0.01, 0.995 - height, 0.98, height), projection="aitoff")
    sky = _Map(axes, colours, round(float(_ecliptic(ra, dec)[0]) / 30) * 30 % 360)
    sky.draw_grid(ra, dec)
    sky.draw_galactic_plane()
    sky.draw_found(found)
    for state, style in (
        (SectorState.MISSING, (0, (4, 2.2))),
        (SectorState.PLANNED, (0, (1, 1.6))),
    ):
        sky.draw_predicted([p for p in predicted if p.state is state], state, style)
    if path is not None:
        sky.draw_path(*(np.asarray(part, dtype=float) for part in path))
    sky.draw_target(ra, dec)
    handles, labels = axes.get_legend_handles_labels()
    first = {"target": 0, "path of the target": 1, "camera that saw it": 2}
    order = sorted(range(len(labels)), key=lambda i: first.get(labels[i], 3 + i))
    figure.legend(
        [handles[i] for i in order],
        [labels[i] for i in order],
        loc="lower center",
        ncols=2,
        frameon=False,
        fontsize=11.5,
        labelcolor=colours.text,
        borderaxespad=0.1,
        handlelength=1.9,
        columnspacing=1.2,
        labelspacing=0.3,
    )
    canvas.draw()
    # A palette makes the picture a third as large, and nobody sees it.
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba()))
    out = io.BytesIO()
    picture.quantize(256, Image.Quantize.FASTOCTREE).save(out, "PNG")
    return out.getvalue()


def _ecliptic(ra: npt.ArrayLike, dec: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    place = SkyCoord(ra, dec, unit="deg").barycentricmeanecliptic
    return place.lon.deg, place.lat.deg


class _Map:
    """
    A map with the parts that can be drawn on it.

    Everything is projected before it is drawn: matplotlib would put 60 points between any two.
    """

    # Any, since matplotlib's types do not know the transforms of its own projections.
    def __init__(self, axes: Any, colours: _Colours, centre: float) -> None:
        self.axes = axes
        self.colours, self.centre = colours, centre
        self._projected = self.axes.transAffine + self.axes.transAxes
        axes.set_facecolor(colours.sky)
        axes.spines["geo"].set_color(colours.line)
        axes.grid(visible=False)
        axes.set_xticks([])
        axes.set_yticks([])

    def _place(self, ra: npt.ArrayLike, dec: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Turn ICRS into degrees on the map: to the right of its middle, and up."""
        longitude, latitude = _ecliptic(ra, dec)
        # East is to the left: this is the sky from inside.
        return self.centre - longitude, latitude

    def _project(self, points: FloatArray) -> FloatArray:
        return np.asarray(self.axes.transProjection.transform(np.deg2rad(points)))

    def _lines(self, x: FloatArray, y: FloatArray) -> list[FloatArray]:
        return [self._project(piece) for piece in split_at_edge(x, y)]

    def _draw_lines(self, pieces: list[FloatArray], label: str = "", **look: Any) -> None:
        from matplotlib.collections import LineCollection

        lines = LineCollection(pieces, transform=self._projected, label=label or None, **look)
        self.axes.add_collection(lines, autolim=False)

    def _write(self, x: float, y: float, text: str, **look: Any) -> None:
        from matplotlib.patheffects import withStroke

        where = self._project(np.array([[x, y]]))[0]
        halo = [withStroke(linewidth=2.5, foreground=self.colours.sky)]
        look = {"ha": "center", "va": "center", "fontsize": 10.5} | look
        self.axes.text(
            *where,
            text,
            color=self.colours.text,
            transform=self._projected,
            path_effects=halo,
            **look,
        )

    def draw_grid(self, ra: float, dec: float) -> None:
        """Draw longitude and latitude; write what they are, but not beside the target."""
        line = np.linspace(-180, 180, 121)
        east = [x for x in range(-150, 180, 30)]
        meridians = [self._project(np.column_stack([0 * line + x, line / 2])) for x in east]
        parallels = [
            self._project(np.column_stack([line, 0 * line + y])) for y in (-60, -30, 30, 60)
        ]
        colour = self.colours.line
        self._draw_lines(meridians + parallels, colors=colour, linewidths=0.4, alpha=0.45)
        equator = self._project(np.column_stack([line, 0 * line]))
        self._draw_lines([equator], colors=colour, linewidths=0.9, alpha=0.9)
        target_x, target_y = self._place(ra, dec)
        for x in (-120, -60, 0, 60, 120):
            away = abs((x - float(target_x) + 180) % 360 - 180)
            if away > 25 or abs(float(target_y)) > 25:
                self._write(x, -5.5, f"{(self.centre - x) % 360:.0f}°")
        for y in (-60, -30, 30, 60):
            side = {"ha": "right", "va": "bottom" if y > 0 else "top"}
            self._write(-180, y, f"{y:+d}° ".replace("-", "−"), **side)

    def draw_galactic_plane(self) -> None:
        """Draw the middle of the Milky Way."""
        plane = SkyCoord(np.arange(0, 361, 3), 0, unit="deg", frame="galactic")
        plane = plane.barycentricmeanecliptic
        self._draw_lines(
            self._lines(self.centre - plane.lon.deg, plane.lat.deg),
            "plane of the Milky Way",
            colors=self.colours.galaxy,
            linewidths=1.1,
            linestyles="dashdot",
            alpha=0.8,
        )

    def draw_found(self, found: Sequence[Sector]) -> None:
        """Draw the cameras of sectors in the archive; fill those that saw the target."""
        from matplotlib.collections import PolyCollection

        seeing: list[FloatArray] = []
        others: list[FloatArray] = []
        for sector, cameras in _cameras(found).items():
            outlines = camera_outlines(sector)
            for i, outline in enumerate(() if outlines is None else outlines):
                (seeing if i + 1 in cameras else others).append(outline)
        if not seeing:
            return
        colour = self.colours.found
        _, edges = self._pieces(others)
        self._draw_lines(
            edges,
            "other cameras of its sectors",
            colors=self.colours.line,
            linewidths=0.7,
            alpha=0.75 if len(seeing) < 6 else 0.45,
        )
        fills, edges = self._pieces(seeing)
        # Where all overlap, the fill has this strength.
        alpha = 1 - 0.45 ** (1 / len(seeing))
        self.axes.add_collection(
            PolyCollection(
                fills, transform=self._projected, facecolors=colour, alpha=alpha, linewidths=0
            ),
            autolim=False,
        )
        self._draw_lines(
            edges,
            "camera that saw it",
            colors=colour,
            linewidths=1.5 if len(seeing) < 6 else 0.9,
        )

    def draw_predicted(
        self, predicted: Sequence[PredictedSector], state: SectorState, style: Any
    ) -> None:
        """Draw the cameras that should see the target, by their outlines only."""
        outlines = [
            outlines[p.camera - 1]
            for p in predicted
            if (outlines := camera_outlines(p.sector)) is not None
        ]
        if outlines:
            self._draw_lines(
                self._pieces(outlines)[1],
                str(state),
                colors=self.colours.predicted,
                linewidths=1.3 if len(outlines) < 6 else 0.9,
                linestyles=[style],
            )

    def _pieces(self, outlines: Sequence[FloatArray]) -> tuple[list[FloatArray], list[FloatArray]]:
        """Project outlines (n, 2) in ICRS: what to fill, and what to draw around it."""
        if not outlines:
            return [], []
        together = np.array(outlines)
        xs, ys = self._place(together[..., 0], together[..., 1])
        fills, edges = [], []
        for x, y in zip(xs, ys, strict=True):
            fills += [self._project(piece) for piece in split_area_at_edge(x, y)]
            edges += self._lines(np.append(x, x[0]), np.append(y, y[0]))
        return fills, edges

    def draw_path(self, ra: FloatArray, dec: FloatArray) -> None:
        """Draw where a body went."""
        if ra.shape != dec.shape or ra.ndim != 1:
            msg = f"A path needs as many RA as Dec, not {ra.shape} and {dec.shape}."
            raise InvalidQueryError(msg)
        pieces = self._lines(*self._place(ra, dec))
        look: dict[str, Any] = {"capstyle": "round", "zorder": 4}
        self._draw_lines(pieces, colors=self.colours.casing, linewidths=4.0, **look)
        self._draw_lines(
            pieces, "path of the target", colors=self.colours.path, linewidths=2.2, **look
        )

    def draw_target(self, ra: float, dec: float) -> None:
        """Mark the target with a star."""
        x, y = self._place(ra, dec)
        where = self._project(np.array([[(float(x) + 180) % 360 - 180, float(y)]]))[0]
        self.axes.plot(
            *where,
            "*",
            transform=self._projected,
            markersize=14,
            markerfacecolor=self.colours.star,
            markeredgecolor=self.colours.casing,
            markeredgewidth=1.2,
            linestyle="none",
            label="target",
            zorder=5,
        )


def _cameras(found: Sequence[Sector]) -> dict[int, set[int]]:
    """Give the cameras that saw the target in each sector."""
    cameras: dict[int, set[int]] = {}
    for sector in found:
        cameras.setdefault(sector.sector, set()).add(sector.camera)
    return cameras
