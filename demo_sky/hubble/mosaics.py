"""
The mosaics: Zcut's deep fields and HAPCut's sky-cell layers, from the tables in `demo_sky/data`.

A mosaic says where its pixels are, where it has data, and how noisy they are; what it shows is
`pixels.read`'s matter.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from demo_sky.hubble.bandpasses import DETECTORS, Bandpass, Detector, bandpasses
from demo_sky.hubble.footprints import Exposure, Footprint
from demo_sky.hubble.projection import Frame, Grid, unit_vectors
from demo_sky.hubble.skycells import SkyCell, cells_touching, cropped, nearest_projection

_DATA = Path(__file__).parent.parent / "data"

# Neighbouring pointings overlap by a tenth.
_STEP = 0.9
# Offsets between the exposures of one pointing, arcsec: they fill the gap between the chips.
_OFFSETS = ((-1.2, -1.5), (1.2, -0.5), (-0.6, 1.5), (0.6, 3.0))
DITHERS = len(_OFFSETS)

# Apertures in which the depths of `surveys.csv` are given, radius in arcsec.
_GROUND_APERTURE, _SPITZER_APERTURE = 0.5, 1.5


@dataclass(frozen=True, eq=False)
class Mosaic:
    """
    One image of the archive.

    Attributes
    ----------
    file_name : str
        Of the original image.
    collection : str
        The survey's name; of a sky cell, its field.
    bandpass : Bandpass
    grid : Grid
    footprint : Footprint
    roll : float
        Angle of the detector's y axis, degrees from north to east.
    depth : float
        5-sigma AB limit of an image that is not Hubble's; NaN for Hubble's.
    cell : SkyCell or None
        Of HAP's layers.
    coarse : bool
        Whether it is a layer of 0.12-arcsec pixels.
    proposal : int
        Programme of the observations; 0 if several.
    """

    file_name: str
    collection: str
    bandpass: Bandpass
    grid: Grid
    footprint: Footprint
    roll: float
    depth: float = math.nan
    cell: SkyCell | None = None
    coarse: bool = False
    proposal: int = 0

    @property
    def blank(self) -> float:
        """Value of pixels without data: zero in deep-field mosaics, NaN in HAP's."""
        return 0.0 if self.cell is None else math.nan

    def background(self) -> float:
        """
        Give the noise's equivalent of light.

        Returns
        -------
        rate : float
            e-/s per pixel whose Poisson noise is as large as that of sky, dark current and reading.
        """
        camera = self.bandpass.camera
        area = self.grid.scale**2
        own = area / camera.pixel**2
        reading = camera.read_noise**2 / camera.exposure
        return self.bandpass.sky * area + own * (camera.dark + reading)

    def noise(self) -> float:
        """
        Give the noise of an image that is not Hubble's.

        Returns
        -------
        sigma : float
            Standard deviation per pixel, in image units.
        """
        spitzer = self.bandpass.telescope == "Spitzer"
        radius = _SPITZER_APERTURE if spitzer else _GROUND_APERTURE
        n_pixels = math.pi * radius**2 / self.grid.scale**2
        limit = 10.0 ** (0.4 * (self.bandpass.zero_point - self.depth))
        return float(limit / 5.0 / math.sqrt(n_pixels))

    def typical_noise(self) -> float:
        """Give the standard deviation of an empty pixel in an exposure of typical length."""
        if not self.bandpass.is_hubble:
            return self.noise()
        longest = max(exposure.seconds for exposure in self.footprint.exposures)
        return math.sqrt(self.background() / (longest * DITHERS))


def _rows(name: str) -> list[dict[str, str]]:
    with (_DATA / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(line for line in lines if not line.startswith("#")))


# --- Exposures ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Area:
    """A rectangle of sky; angles in degrees, sizes in arcsec."""

    ra: float
    dec: float
    angle: float
    width: float
    height: float

    def on_plane(self, frame: Frame) -> tuple[float, float, float]:
        """Give centre (arcsec) and angle on a mosaic's plane, whose up is not quite north here."""
        here = unit_vectors(self.ra, self.dec)
        beyond = unit_vectors(self.ra, self.dec + 1e-3)
        (east, north), (east_up, north_up) = frame.project(here), frame.project(beyond)
        tilt = math.degrees(math.atan2(float(east_up - east), float(north_up - north)))
        return float(east), float(north), self.angle + tilt


def _even(area: _Area, frame: Frame) -> list[Exposure]:
    """Fill an area with one exposure; what it lasts is not told."""
    east, north, angle = area.on_plane(frame)
    return [Exposure(east, north, angle, area.width / 2.0, area.height / 2.0, 0.0, 1.0)]


def _pattern(
    area: _Area, frame: Frame, camera: Detector, columns: int, rows: int, seconds: float
) -> list[Exposure]:
    """Fill an area with a pattern of pointings, each of several dithered exposures."""
    east, north, angle = area.on_plane(frame)
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    step_x = _spread(area.width, camera.width, columns)
    step_y = _spread(area.height, camera.height, rows)
    exposures = []
    for i in range(columns):
        for j in range(rows):
            for dither_x, dither_y in _OFFSETS:
                u = (i - (columns - 1) / 2.0) * step_x + dither_x
                v = (j - (rows - 1) / 2.0) * step_y + dither_y
                exposures.append(
                    Exposure(
                        east - c * u + s * v,
                        north + s * u + c * v,
                        angle,
                        camera.width / 2.0,
                        camera.height / 2.0,
                        camera.gap / 2.0,
                        seconds / DITHERS,
                    )
                )
    return exposures


def _spread(length: float, field: float, count: int) -> float:
    """Step between `count` fields so that together they are of a length."""
    return 0.0 if count == 1 else (length - field) / (count - 1)


# --- Zcut's surveys -------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _areas() -> dict[str, tuple[_Area, str]]:
    return {
        row["area"]: (
            _Area(
                float(row["ra"]),
                float(row["dec"]),
                float(row["angle"]),
                float(row["width"]) * 60.0,
                float(row["height"]) * 60.0,
            ),
            row["camera"],
        )
        for row in _rows("surveys_areas.csv")
    }


def _area_exposures(name: str, frame: Frame, seconds: float) -> list[Exposure]:
    area, camera_name = _areas()[name]
    if not camera_name:
        return _even(area, frame)
    instrument, _, detector = camera_name.partition("/")
    camera = DETECTORS[instrument, detector]
    columns = max(1, round(area.width / (camera.width * _STEP)))
    rows = max(1, round(area.height / (camera.height * _STEP)))
    return _pattern(area, frame, camera, columns, rows, seconds)


def _survey_mosaics(row: dict[str, str]) -> Iterator[Mosaic]:
    frame = Frame(float(row["tangent_ra"]), float(row["tangent_dec"]))
    scale = float(row["scale"])
    size = 2 * round(float(row["side"]) * 60.0 / scale / 2.0)
    middle = size / 2.0 - 0.5
    grid = Grid(frame, middle, middle, scale, size, size, float(row["turn"]))
    areas = row["areas"].split("|")
    for name, depth in zip(row["filters"].split("|"), row["depth"].split("|"), strict=True):
        bandpass = bandpasses()[row["instrument"], row["detector"], name]
        seconds = float(depth) if bandpass.is_hubble else 1.0
        exposures = [e for area in areas for e in _area_exposures(area, frame, seconds)]
        yield Mosaic(
            file_name=row["file"].format(f=name.lower()),
            collection=row["survey"],
            bandpass=bandpass,
            grid=grid,
            footprint=Footprint(frame, tuple(exposures)),
            roll=_areas()[areas[0]][0].angle,
            depth=math.nan if bandpass.is_hubble else float(depth),
        )


@lru_cache(maxsize=1)
def surveys() -> dict[str, tuple[Mosaic, ...]]:
    """
    Give the deep-field surveys.

    Returns
    -------
    surveys : dict of str to tuple of Mosaic
        By name, in the order in which they are listed.
    """
    known: dict[str, list[Mosaic]] = {}
    for row in _rows("surveys.csv"):
        known.setdefault(row["survey"], []).extend(_survey_mosaics(row))
    return {name: tuple(mosaics) for name, mosaics in known.items()}


# --- HAPCut's sky cells ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Layer:
    """All exposures of one field in one filter, on a projection cell's plane."""

    field: str
    bandpass: Bandpass
    footprint: Footprint
    roll: float
    proposal: int


def _field_layers(rows: list[dict[str, str]], frame: Frame) -> list[_Layer]:
    layers = []
    for row in rows:
        camera = DETECTORS[row["instrument"], row["detector"]]
        columns, lines = int(row["columns"]), int(row["rows"])
        area = _Area(
            float(row["ra"]),
            float(row["dec"]),
            float(row["angle"]),
            camera.width * (1.0 + _STEP * (columns - 1)),
            camera.height * (1.0 + _STEP * (lines - 1)),
        )
        for name, seconds in zip(row["filters"].split("|"), row["seconds"].split("|"), strict=True):
            exposures = _pattern(area, frame, camera, columns, lines, float(seconds))
            layers.append(
                _Layer(
                    row["field"],
                    bandpasses()[row["instrument"], row["detector"], name],
                    Footprint(frame, tuple(exposures)),
                    area.angle,
                    int(row["proposal"]),
                )
            )
    return layers


def _cell_mosaics(cell: SkyCell, layers: list[_Layer]) -> Iterator[Mosaic]:
    """Make a sky cell's mosaics: all on one grid, cut down to where any of them has data."""
    boxes = np.array([layer.footprint.box() for layer in layers])
    limits = (
        float(boxes[:, 0].min()),
        float(boxes[:, 1].max()),
        float(boxes[:, 2].min()),
        float(boxes[:, 3].max()),
    )
    for layer in layers:
        band = layer.bandpass
        own = cropped(cell.grid(), *layer.footprint.box())
        if not (own.nx and own.ny):
            continue
        for coarse in (True, False) if band.detector == "IR" else (False,):
            grid = cropped(cell.grid(coarse=coarse), *limits)
            label = "coarse-all" if coarse else "all"
            kind = "drz" if band.detector == "IR" else "drc"
            name = "_".join(part.lower() for part in band.key)
            yield Mosaic(
                file_name=f"hst_skycell-{cell.name}_{name}_{label}_{kind}.fits",
                collection=layer.field,
                bandpass=band,
                grid=grid,
                footprint=layer.footprint,
                roll=layer.roll,
                cell=cell,
                coarse=coarse,
                proposal=layer.proposal,
            )


@lru_cache(maxsize=1)
def sky_cells() -> dict[str, tuple[Mosaic, ...]]:
    """
    Give the Hubble Advanced Products.

    Returns
    -------
    cells : dict of str to tuple of Mosaic
        By name of the sky cell.
    """
    fields: dict[str, list[dict[str, str]]] = {}
    for row in _rows("hap_fields.csv"):
        fields.setdefault(row["field"], []).append(row)
    known: dict[str, tuple[Mosaic, ...]] = {}
    for rows in fields.values():
        projection = nearest_projection(float(rows[0]["ra"]), float(rows[0]["dec"]))
        layers = _field_layers(rows, SkyCell(projection, 1, 1).grid().frame)
        boxes = np.array([layer.footprint.box() for layer in layers])
        around = boxes[:, 0].min(), boxes[:, 1].max(), boxes[:, 2].min(), boxes[:, 3].max()
        for cell in cells_touching(projection, *(float(limit) for limit in around)):
            known[cell.name] = tuple(_cell_mosaics(cell, layers))
    return known
