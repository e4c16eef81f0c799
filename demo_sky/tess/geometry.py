"""
Where TESS's cameras look: sky to CCD pixel and back, which CCDs see a spot, local WCS.

Pointings and the focal-plane model (Levine's: a rotation per camera, an odd polynomial for the
optics, an affine map per CCD) are tess-point's; this module evaluates them for arrays and all
sectors at once, and inverts them to machine precision. Aberration is left out, as in tess-point's
default: it moves stars by at most 20.5 arcsec, one pixel.

Pixel coordinates are those of a TESS full-frame image (FFI), 2136 x 2078 with the collateral
columns and rows, counted from 1: (1, 1) is the centre of the lower left pixel.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from astropy.wcs import WCS

FloatArray = np.ndarray[Any, np.dtype[np.float64]]
BoolArray = np.ndarray[Any, np.dtype[np.bool_]]

# The simulated archive ends here, so that the brief's printed tables come out: at its positions
# tess-point has no later sector up to 98. Special pointings (1751, 3I/ATLAS) are not served.
LAST_SECTOR = 98

# Science pixels of an FFI, 1-based and inclusive: 44 leading collateral columns, 30 rows on top
# (TESS Instrument Handbook, FFI format). The rest of the FFI never sees the sky.
FIRST_COLUMN, LAST_COLUMN = 45, 2092
FIRST_ROW, LAST_ROW = 1, 2048

# The whole FFI. TESSCut's footprints are these, not the science pixels: for Pi Mensae it lists
# s0035-4-4, where the star falls on column 2114, and users get cutouts of collateral pixels
# (lightkurve issue 1222, eleanor issue 120).
FFI_COLUMNS, FFI_ROWS = 2136, 2078

# Nominal pixel of the contract's "px" radius (MAST's own conversion), not the local scale.
NOMINAL_PIXEL_ARCSEC = 21.0

# tess-point looks for stars within 12.5 deg of a camera's axes; a CCD's far corner is 17.2 deg off.
_FIELD_HALF_WIDTH_DEG = 12.5
# The optics polynomial was fitted inside the field; camera 1's turns over beyond 30 deg.
_OPTICS_LIMIT_DEG = 25.0

# tess-point counts CCD pixels from 0 without collateral columns.
_COLUMN_OFFSET, _ROW_OFFSET = 45.0, 1.0

_OUTLINE_POINTS_PER_SIDE = 65


@dataclass(frozen=True, slots=True)
class Pointing:
    """
    One CCD whose FFIs hold a position in one sector.

    Attributes
    ----------
    sector, camera, ccd : int
        Camera and CCD count from 1.
    column, row : float
        Where the position falls, in FFI pixels counted from 1; not always on a science pixel. Off
        the FFI if the CCD was found by a radius; NaN if the position is too far from the camera to
        be projected.
    """

    sector: int
    camera: int
    ccd: int
    column: float
    row: float


@dataclass(frozen=True, slots=True)
class Window:
    """
    A rectangle of FFI pixels on one CCD, perhaps hanging over its edge.

    Attributes
    ----------
    sector, camera, ccd : int
        Camera and CCD count from 1.
    column, row : int
        FFI column and row, counted from 1, of the window's first (lower left) pixel.
    nx, ny : int
        Columns and rows.
    """

    sector: int
    camera: int
    ccd: int
    column: int
    row: int
    nx: int
    ny: int


@dataclass(frozen=True, slots=True)
class _FocalPlane:
    """Levine's model of the four cameras, gathered into arrays."""

    optics: FloatArray  # (4 cameras, 6): focal length in mm, then polynomial in tan(theta)**2
    to_pixel: FloatArray  # (4 cameras, 4 CCDs, 2, 2): mm on the focal plane -> FFI pixels
    origin: FloatArray  # (4 cameras, 4 CCDs, 2): FFI column and row of the optical axis
    from_sky: FloatArray  # (LAST_SECTOR, 4 cameras, 3, 3): ICRS -> camera axes


def _rotation(angle_deg: float) -> FloatArray:
    """Give tess-point's 2-D rotation of axes."""
    angle = np.deg2rad(angle_deg)
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


@lru_cache(maxsize=1)
def _focal_plane() -> _FocalPlane:
    # 0.5 s to import (it pulls scipy in): not at our own import.
    from tess_stars2px import Levine_FPG, TESS_Spacecraft_Pointing_Data

    table = TESS_Spacecraft_Pointing_Data
    to_pixel = np.empty((4, 4, 2, 2))
    origin = np.empty((4, 4, 2))
    from_sky = np.empty((LAST_SECTOR, 4, 3, 3))
    for sector in range(1, LAST_SECTOR + 1):
        (index,) = np.flatnonzero(table.sectors == sector)
        boresight = np.array([table.ras[index], table.decs[index], table.rolls[index]])
        model = Levine_FPG(boresight)
        from_sky[sector - 1] = model.rmat4
    offset = np.array([_COLUMN_OFFSET, _ROW_OFFSET])
    for camera in range(4):
        stretch = np.diag([model.asymfac[camera], 1.0])
        turn = _rotation(model.asymang[camera])
        asymmetry = turn.T @ stretch @ turn
        for ccd in range(4):
            per_mm = np.diag(1.0 / model.pixsz[camera, ccd]) @ _rotation(model.ccdang[camera, ccd])
            to_pixel[camera, ccd] = per_mm @ asymmetry
            origin[camera, ccd] = offset - 0.5 - per_mm @ model.ccdxy0[camera, ccd]
    return _FocalPlane(model.optcon.copy(), to_pixel, origin, from_sky)


def _unit_vectors(ra: FloatArray, dec: FloatArray) -> FloatArray:
    """Turn degrees into unit vectors of shape (..., 3)."""
    ra, dec = np.deg2rad(ra), np.deg2rad(dec)
    return np.stack([np.cos(ra) * np.cos(dec), np.sin(ra) * np.cos(dec), np.sin(dec)], axis=-1)


def _optics_polynomial(coefficients: FloatArray, tangent: FloatArray) -> FloatArray:
    """Give focal length times polynomial: radius on the focal plane in mm over tan(theta)."""
    square = tangent * tangent
    value = np.zeros_like(tangent)
    for k in range(5, 0, -1):
        value = value * square + coefficients[..., k]
    return np.asarray(coefficients[..., 0] * value)


def _focal_plane_mm(coefficients: FloatArray, camera_vectors: FloatArray) -> FloatArray:
    """Project camera vectors (..., 3) to mm on the focal plane (..., 2); NaN outside the optics."""
    x, y, z = np.moveaxis(camera_vectors, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        tangent = np.where(z > np.cos(np.deg2rad(_OPTICS_LIMIT_DEG)), np.hypot(x, y) / z, np.nan)
        stretch = _optics_polynomial(coefficients, tangent) / z
    # The lens turns the picture upside down: hence the minus.
    return np.stack([-x * stretch, -y * stretch], axis=-1)


def _camera_vectors(camera: int, position_mm: FloatArray) -> FloatArray:
    """Invert `_focal_plane_mm` by Newton's method; NaN outside the optics."""
    coefficients = _focal_plane().optics[camera - 1]
    limit = np.array(np.tan(np.deg2rad(_OPTICS_LIMIT_DEG)))
    radius = np.hypot(position_mm[..., 0], position_mm[..., 1])
    radius = np.where(radius < limit * _optics_polynomial(coefficients, limit), radius, np.nan)
    tangent = radius / coefficients[0]
    powers = np.arange(1.0, 10.0, 2.0)
    slope_coefficients = np.concatenate([coefficients[:1], coefficients[1:] * powers])
    # Quadratic convergence from a start within 5 %: five steps reach machine precision.
    for _ in range(6):
        miss = tangent * _optics_polynomial(coefficients, tangent) - radius
        tangent = tangent - miss / _optics_polynomial(slope_coefficients, tangent)
    stretch = _optics_polynomial(coefficients, tangent)
    vectors = np.stack(
        [
            -position_mm[..., 0] / stretch,
            -position_mm[..., 1] / stretch,
            np.ones_like(radius),
        ],
        axis=-1,
    )
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def sky_to_pixel(
    sector: int, camera: int, ccd: int, ra: FloatArray | float, dec: FloatArray | float
) -> tuple[FloatArray, FloatArray]:
    """
    Tell on which FFI pixel of a given CCD sky positions fall.

    The map goes on beyond the CCD's edges, so that stars just outside can shine in.

    Parameters
    ----------
    sector, camera, ccd : int
        Sector 1 to `LAST_SECTOR`; camera and CCD 1 to 4.
    ra, dec : float or ndarray
        ICRS, degrees.

    Returns
    -------
    column, row : ndarray, shape of the input
        FFI pixels counted from 1. NaN more than 25 degrees from the camera's axis.
    """
    plane = _focal_plane()
    ra, dec = np.broadcast_arrays(np.asarray(ra, dtype=float), np.asarray(dec, dtype=float))
    vectors = _unit_vectors(ra, dec) @ plane.from_sky[sector - 1, camera - 1].T
    position_mm = _focal_plane_mm(plane.optics[camera - 1], vectors)
    pixels = position_mm @ plane.to_pixel[camera - 1, ccd - 1].T
    pixels = pixels + plane.origin[camera - 1, ccd - 1]
    return pixels[..., 0], pixels[..., 1]


def pixel_to_sky(
    sector: int, camera: int, ccd: int, column: FloatArray | float, row: FloatArray | float
) -> tuple[FloatArray, FloatArray]:
    """
    Tell where on the sky FFI pixels of a CCD look; the inverse of `sky_to_pixel`.

    Parameters
    ----------
    sector, camera, ccd : int
        Sector 1 to `LAST_SECTOR`; camera and CCD 1 to 4.
    column, row : float or ndarray
        FFI pixels counted from 1; may lie off the CCD.

    Returns
    -------
    ra, dec : ndarray, shape of the input
        ICRS, degrees, 0 <= ra < 360. NaN more than 25 degrees from the camera's axis.
    """
    plane = _focal_plane()
    column, row = np.broadcast_arrays(np.asarray(column, float), np.asarray(row, float))
    pixels = np.stack([column, row], axis=-1) - plane.origin[camera - 1, ccd - 1]
    position_mm = pixels @ np.linalg.inv(plane.to_pixel[camera - 1, ccd - 1]).T
    vectors = _camera_vectors(camera, position_mm) @ plane.from_sky[sector - 1, camera - 1]
    ra = np.rad2deg(np.arctan2(vectors[..., 1], vectors[..., 0])) % 360.0
    dec = np.rad2deg(np.arcsin(np.clip(vectors[..., 2], -1.0, 1.0)))
    return ra, dec


def is_on_image(column: FloatArray | float, row: FloatArray | float) -> BoolArray:
    """
    Tell which positions lie on an FFI, collateral pixels included: TESSCut's footprint.

    Parameters
    ----------
    column, row : float or ndarray
        FFI pixels counted from 1; a pixel reaches half a pixel to either side.

    Returns
    -------
    inside : bool ndarray, shape of the input
        `False` for NaN.
    """
    return _is_inside(column, row, (1, FFI_COLUMNS), (1, FFI_ROWS))


def _is_inside(
    column: FloatArray | float,
    row: FloatArray | float,
    columns: tuple[int, int],
    rows: tuple[int, int],
) -> BoolArray:
    column, row = np.asarray(column), np.asarray(row)
    return np.asarray(
        (column >= columns[0] - 0.5)
        & (column < columns[1] + 0.5)
        & (row >= rows[0] - 0.5)
        & (row < rows[1] + 0.5)
    )


def is_science_pixel(column: FloatArray | float, row: FloatArray | float) -> BoolArray:
    """
    Tell which FFI positions lie on science pixels.

    Parameters
    ----------
    column, row : float or ndarray
        FFI pixels counted from 1; a pixel reaches half a pixel to either side.

    Returns
    -------
    inside : bool ndarray, shape of the input
        `False` on collateral pixels, beyond the CCD, and for NaN.
    """
    return _is_inside(column, row, (FIRST_COLUMN, LAST_COLUMN), (FIRST_ROW, LAST_ROW))


@lru_cache(maxsize=1)
def _outlines() -> FloatArray:
    """
    Give the rims of the FFIs as closed polygons, shape (4 cameras, 4 CCDs, n, 3).

    The points are unit vectors on camera axes, so one set serves all sectors. Neighbours are 33
    pixels apart; the true rim strays from the great circle between them by less than 0.01 pixel.
    """
    n = _OUTLINE_POINTS_PER_SIDE
    up = np.linspace(0.0, 1.0, n)[:-1]
    x = np.concatenate([up, np.ones(n - 1), 1.0 - up, np.zeros(n - 1), [0.0]])
    y = np.concatenate([np.zeros(n - 1), up, np.ones(n - 1), 1.0 - up, [0.0]])
    column, row = 0.5 + x * FFI_COLUMNS, 0.5 + y * FFI_ROWS
    plane = _focal_plane()
    outlines = np.empty((4, 4, len(x), 3))
    for camera in range(4):
        for ccd in range(4):
            pixels = np.stack([column, row], axis=-1) - plane.origin[camera, ccd]
            position_mm = pixels @ np.linalg.inv(plane.to_pixel[camera, ccd]).T
            outlines[camera, ccd] = _camera_vectors(camera + 1, position_mm)
    return outlines


def _rim_distances_deg(camera_index: int, vector: FloatArray) -> FloatArray:
    """Give the angle from a unit vector on camera axes to the rim of each CCD, shape (4,)."""
    outlines = _outlines()[camera_index]
    starts = outlines[:, :-1]
    steps = np.diff(outlines, axis=1)
    along = np.sum((vector - starts) * steps, axis=-1) / np.sum(steps * steps, axis=-1)
    nearest = starts + np.clip(along, 0.0, 1.0)[..., None] * steps
    nearest /= np.linalg.norm(nearest, axis=-1, keepdims=True)
    half_chord = np.linalg.norm(nearest - vector, axis=-1).min(axis=1) / 2.0
    return np.asarray(np.rad2deg(2.0 * np.arcsin(np.minimum(half_chord, 1.0))))


def _check_cone(ra: float, dec: float, radius_deg: float) -> None:
    if not (np.isfinite(ra) and -90.0 <= dec <= 90.0):
        msg = f"ra and dec must be finite degrees with -90 <= dec <= 90, got {ra!r}, {dec!r}"
        raise ValueError(msg)
    if not 0.0 <= radius_deg <= 180.0:
        msg = f"radius_deg must be between 0 and 180, got {radius_deg!r}"
        raise ValueError(msg)


def find_pointings(
    ra: float, dec: float, radius_deg: float = 0.0, *, sectors: Container[int] | None = None
) -> list[Pointing]:
    """
    Find every CCD whose FFIs a circle on the sky touches, in all sectors.

    As in TESSCut, collateral pixels belong to an FFI's footprint.

    Parameters
    ----------
    ra, dec : float
        Centre of the circle, ICRS, degrees.
    radius_deg : float, optional
        Radius of the circle, degrees; 0 asks for the FFIs that hold the position itself.
    sectors : container of int, optional
        Look only into these sectors; None looks into all up to `LAST_SECTOR`.

    Returns
    -------
    pointings : list of Pointing
        Ascending by sector, camera and CCD; empty if TESS never looked there.

    Raises
    ------
    ValueError
        If the position or the radius is not on the sky.
    """
    _check_cone(ra, dec, radius_deg)
    target = _unit_vectors(np.asarray(ra, float), np.asarray(dec, float))
    in_cameras = _focal_plane().from_sky @ target  # (sectors, 4 cameras, 3)
    reach = np.deg2rad(min(180.0, radius_deg + np.sqrt(2.0) * _FIELD_HALF_WIDTH_DEG))
    found = []
    for sector_index, camera_index in np.argwhere(in_cameras[..., 2] >= np.cos(reach)):
        sector, camera = int(sector_index) + 1, int(camera_index) + 1
        if sectors is not None and sector not in sectors:
            continue
        pixels = [sky_to_pixel(sector, camera, ccd, ra, dec) for ccd in (1, 2, 3, 4)]
        touched = [bool(is_on_image(column, row)) for column, row in pixels]
        if radius_deg > 0.0 and not all(touched):
            rims = _rim_distances_deg(camera_index, in_cameras[sector_index, camera_index])
            touched = [
                inside or bool(rim <= radius_deg) for inside, rim in zip(touched, rims, strict=True)
            ]
        found += [
            Pointing(sector, camera, ccd, float(column), float(row))
            for ccd, (column, row) in enumerate(pixels, start=1)
            if touched[ccd - 1]
        ]
    return found


def cutout_window(pointing: Pointing, nx: int, ny: int) -> Window:
    """
    Choose the pixels of a cutout around a position: round(centre ± size / 2), as TESSCut does.

    Parameters
    ----------
    pointing : Pointing
        Where the position falls; column and row must be finite.
    nx, ny : int
        Columns and rows, at least 1.

    Returns
    -------
    window : Window
        The position is in its middle pixel (odd sizes) or in the inner halves of the middle two
        (even sizes). It may hang over the edge of the CCD: see `collected`.
    """
    # Pixel i covers i-0.5 to i+0.5. On a scale of edges, where it covers i-1 to i, the first pixel
    # is the one after the rounded lower limit: floor(c - 0.5 - size/2 + 0.5) + 1.
    column = int(np.floor(pointing.column - nx / 2.0)) + 1
    row = int(np.floor(pointing.row - ny / 2.0)) + 1
    return Window(pointing.sector, pointing.camera, pointing.ccd, column, row, nx, ny)


def collected(window: Window) -> BoolArray:
    """
    Tell which pixels of a window lie on the CCD's science area.

    Parameters
    ----------
    window : Window
        Perhaps hanging over an edge.

    Returns
    -------
    collected : bool ndarray of shape (ny, nx)
        `False` on collateral columns and beyond the CCD.
    """
    columns = window.column + np.arange(window.nx, dtype=float)
    rows = window.row + np.arange(window.ny, dtype=float)
    return is_science_pixel(columns[None, :], rows[:, None])


def pixel_scale_arcsec(pointing: Pointing) -> tuple[float, float]:
    """
    Measure the size of the pixel under a position.

    Parameters
    ----------
    pointing : Pointing
        Column and row must be finite.

    Returns
    -------
    along_columns, along_rows : float
        Step on the sky, in arcsec, to the neighbour in x and in y.
    """
    around = Window(
        pointing.sector,
        pointing.camera,
        pointing.ccd,
        round(pointing.column),
        round(pointing.row),
        1,
        1,
    )
    scale_matrix = local_wcs(around).wcs.pc
    along_columns, along_rows = np.hypot(scale_matrix[0], scale_matrix[1]) * 3600.0
    return float(along_columns), float(along_rows)


def _fit_span(first: int, length: int, low: int, high: int) -> FloatArray:
    """Give sample positions across a window, at least 3 pixels wide, clipped near the CCD."""
    # Only windows much longer than a CCD reach so far that the optics model would end.
    margin = 500
    start = float(np.clip(first, low - margin, high + margin))
    stop = float(np.clip(first + length - 1, low - margin, high + margin))
    middle, half = (start + stop) / 2.0, max((stop - start) / 2.0, 1.0)
    return np.linspace(middle - half, middle + half, 9)


def local_wcs(window: Window) -> WCS:
    """
    Fit a linear gnomonic (TAN) WCS to the true projection over a window.

    Like TESSCut's APERTURE header: reference point near the middle of the window, PC matrix in
    degrees with CDELT 1, no distortion terms. What remains of the lens's distortion is measured by
    `wcs_offset_deg`: at worst (a camera's outer corner) 0.02 pixel in a window of 30 x 30 and 0.24
    pixel in one of 100 x 100. Whoever paints stars into pixels takes `sky_to_pixel`: it is exact.

    Parameters
    ----------
    window : Window
        The cutout.

    Returns
    -------
    wcs : astropy.wcs.WCS
        Pixel (0, 0) with origin 0 is the window's first pixel.
    """
    columns = _fit_span(window.column, window.nx, FIRST_COLUMN, LAST_COLUMN)
    rows = _fit_span(window.row, window.ny, FIRST_ROW, LAST_ROW)
    x, y = (a.ravel() for a in np.meshgrid(columns, rows))
    ra, dec = pixel_to_sky(window.sector, window.camera, window.ccd, x, y)
    middle = len(ra) // 2
    ra0, dec0 = float(ra[middle]), float(dec[middle])
    # 1-based pixel numbers inside the window, as FITS counts them.
    x0, y0 = x[middle] - window.column + 1.0, y[middle] - window.row + 1.0
    design = np.stack([np.ones_like(x), x - x[middle], y - y[middle]], axis=-1)
    plane = np.stack(_gnomonic(ra, dec, ra0, dec0), axis=-1)
    solution = np.linalg.lstsq(design, plane, rcond=None)[0]
    matrix = solution[1:].T
    shift = np.linalg.solve(matrix, solution[0])

    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.crval = [ra0, dec0]
    wcs.wcs.crpix = [x0 - shift[0], y0 - shift[1]]
    wcs.wcs.pc = matrix
    wcs.wcs.cdelt = [1.0, 1.0]
    wcs.wcs.radesys = "ICRS"
    wcs.pixel_shape = (window.nx, window.ny)
    wcs.wcs.set()
    return wcs


def _gnomonic(
    ra: FloatArray, dec: FloatArray, ra0: float, dec0: float
) -> tuple[FloatArray, FloatArray]:
    """Give the TAN plane's coordinates in degrees (Calabretta & Greisen 2002, section 5.1.3)."""
    ra, dec, ra0, dec0 = np.deg2rad(ra), np.deg2rad(dec), np.deg2rad(ra0), np.deg2rad(dec0)
    depth = np.sin(dec) * np.sin(dec0) + np.cos(dec) * np.cos(dec0) * np.cos(ra - ra0)
    xi = np.cos(dec) * np.sin(ra - ra0) / depth
    eta = (np.sin(dec) * np.cos(dec0) - np.cos(dec) * np.sin(dec0) * np.cos(ra - ra0)) / depth
    return np.rad2deg(xi), np.rad2deg(eta)


def wcs_offset_deg(window: Window, wcs: WCS) -> float:
    """
    Measure how far a window's WCS is from the true projection at worst.

    Parameters
    ----------
    window : Window
        The cutout.
    wcs : astropy.wcs.WCS
        Its WCS, of `local_wcs`.

    Returns
    -------
    offset : float
        Largest separation on the sky over a 9 x 9 grid from corner to corner, degrees.
    """
    columns = _fit_span(window.column, window.nx, FIRST_COLUMN, LAST_COLUMN)
    rows = _fit_span(window.row, window.ny, FIRST_ROW, LAST_ROW)
    x, y = (a.ravel() for a in np.meshgrid(columns, rows))
    truth = _unit_vectors(*pixel_to_sky(window.sector, window.camera, window.ccd, x, y))
    fitted = _unit_vectors(*wcs.all_pix2world(x - window.column, y - window.row, 0))
    half_chord = np.linalg.norm(truth - fitted, axis=-1).max() / 2.0
    return float(np.rad2deg(2.0 * np.arcsin(half_chord)))
