"""
Where north and east are around one pixel, and how large a pixel is there.

They are taken from the WCS at the pixel itself: far from the reference point of a mosaic north
is not where its CD matrix points (in a cutout of CANDELS by 0.2 degrees, near a pole by any angle).
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from astropy.wcs import WCS


@dataclass(frozen=True, slots=True)
class LocalSky:
    """
    The sky around one pixel, as a plane.

    Attributes
    ----------
    x, y : float
        The pixel, 0-based: (0, 0) is the centre of the first pixel.
    ra, dec : float
        Its ICRS position, in degrees.
    east, north : tuple of float
        How many pixels (along x, along y) one arcsec to the east and to the north is.
    """

    x: float
    y: float
    ra: float
    dec: float
    east: tuple[float, float]
    north: tuple[float, float]

    @property
    def arcsec_per_pixel(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """How many arcsec to the east, and to the north, one pixel (along x, along y) is."""
        (ex, ey), (nx, ny) = self.east, self.north
        area = ex * ny - ey * nx
        return (ny / area, -nx / area), (-ey / area, ex / area)

    @property
    def scale_arcsec(self) -> float:
        """Side of a square with a pixel's area, in arcsec."""
        pixels = self.east[0] * self.north[1] - self.east[1] * self.north[0]
        return 1 / math.sqrt(abs(pixels))

    @property
    def north_deg(self) -> float:
        """Direction of north: degrees counter-clockwise from up (+y), -180 to 180."""
        return math.degrees(math.atan2(-self.north[0], self.north[1]))

    @property
    def east_deg(self) -> float:
        """Direction of east: degrees counter-clockwise from up (+y), -180 to 180."""
        return math.degrees(math.atan2(-self.east[0], self.east[1]))

    @property
    def mirrored(self) -> bool:
        """Whether east is to the right when north is up: the sky as seen from outside."""
        return self.east[0] * self.north[1] - self.east[1] * self.north[0] > 0


def local_sky(wcs: WCS, x: float, y: float) -> LocalSky | None:
    """
    Measure the sky around a pixel.

    Parameters
    ----------
    wcs : `~astropy.wcs.WCS`
        Celestial, of two axes.
    x, y : float
        The pixel, 0-based.

    Returns
    -------
    sky : LocalSky or None
        `None` if the pixel has no position: it is beyond the edge of the projected sky.
    """
    # A pixel to every side; longitudes and latitudes are turned into unit vectors, so that
    # neither RA's jump from 360 to 0 nor a pole does harm.
    xs = np.array([x, x - 0.5, x + 0.5, x, x])
    ys = np.array([y, y, y, y - 0.5, y + 0.5])
    ra, dec = np.radians(_icrs(wcs, xs, ys))
    if not np.isfinite(ra + dec).all():
        return None
    points = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
    along_x, along_y = points[:, 2] - points[:, 1], points[:, 4] - points[:, 3]
    to_east = np.array([-math.sin(ra[0]), math.cos(ra[0]), 0.0])
    to_north = np.cross(points[:, 0], to_east)
    # Rows: east and north; columns: one pixel along x and along y; in radians.
    matrix = np.array(
        [[to_east @ along_x, to_east @ along_y], [to_north @ along_x, to_north @ along_y]]
    )
    if not abs(np.linalg.det(matrix)) > 0:
        return None
    pixels = np.linalg.inv(np.degrees(matrix) * 3600)
    return LocalSky(
        x=float(x),
        y=float(y),
        ra=math.degrees(ra[0]) % 360,
        dec=math.degrees(dec[0]),
        east=(float(pixels[0, 0]), float(pixels[1, 0])),
        north=(float(pixels[0, 1]), float(pixels[1, 1])),
    )


def _icrs(
    wcs: WCS, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Give RA and Dec of pixels in degrees, shape (2, n)."""
    lon, lat = wcs.pixel_to_world_values(x, y)
    return np.array([lon, lat], dtype=np.float64)
