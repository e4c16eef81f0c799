"""
Several filters -> one colour picture on a common pixel grid.

Images are brought onto the grid by scipy's `map_coordinates` (bilinear) over astropy's WCS. The
package reproject does the same to 1e-5 of the brightness, but takes 450 ms where this takes 30 (an
image of 1000 x 1000 pixels), because it computes the position of every pixel and cuts the work
into chunks for dask; and it brings dask, zarr, tifffile, imageio and some fifteen more packages
that nothing else here needs. All-sky projections and exact conservation of flux, which it has
beyond that, no cutout needs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from astropy.wcs import WCS

from cutout_core.binning import FloatImage, binned_wcs, block_mean
from cutout_core.errors import InvalidQueryError
from cutout_core.image import ImageCutout
from cutout_core.stretch import automatic_scaling, check_stretch, curve, sky_level

Weights: TypeAlias = npt.NDArray[np.float64]
Coordinates: TypeAlias = npt.NDArray[Any]

#: Ways to turn three channels into a picture.
METHODS = ("lupton", "channels")

# Pixel coordinates from one grid to another are a plane to far better than this over the size of
# a cutout; where they are not (another projection, distortion terms), every pixel is computed.
_PLANE_TOLERANCE_PX = 0.01
_LATTICE = 9

# Pixels that lie closer together than this are the same: nothing is interpolated.
_SAME_PX = 1e-3

# Lupton et al.'s picture: at this many standard deviations of the noise it begins to be
# logarithmic, and black is so many below the sky.
_LUPTON_SIGMAS = 15.0
_BLACK_SIGMAS = 1.5
# And at no fewer standard deviations of what differs from one pixel to the next.
_GRAIN_SIGMAS = 12.0
_SAMPLE = 250_000


@dataclass(frozen=True, slots=True)
class PixelGrid:
    """
    Pixels to bring several images onto.

    Attributes
    ----------
    wcs : WCS
        Celestial; pixel (0, 0) is the centre of the first pixel.
    shape : tuple of int
        (ny, nx).
    """

    wcs: WCS
    shape: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class ColourPicture:
    """
    A colour picture with its place on the sky.

    Attributes
    ----------
    rgb : uint8 ndarray of shape (ny, nx, 3)
        Red, green, blue. Row 0 is the bottom row. Black where nothing is covered.
    covered : bool ndarray of shape (ny, nx)
        Where every filter has data: elsewhere colours are not true.
    wcs : WCS
        Of its pixels.
    images : tuple of ImageCutout
        What it was made from, from long to short wavelength.
    weights : float64 ndarray of shape (n_images, 3)
        Share of each image in red, green and blue.
    """

    rgb: npt.NDArray[np.uint8]
    covered: npt.NDArray[np.bool_]
    wcs: WCS
    images: tuple[ImageCutout, ...]
    weights: Weights

    @property
    def recipe(self) -> str:
        """What is in which colour, such as "red F160W, green F814W, blue F606W"."""
        parts = []
        for channel, name in enumerate(("red", "green", "blue")):
            filters = [
                image.filter or image.label
                for image, weight in zip(self.images, self.weights, strict=True)
                if weight[channel] > 0
            ]
            parts.append(f"{name} {' + '.join(filters)}")
        return ", ".join(parts)


def choose_images(images: Sequence[ImageCutout]) -> list[ImageCutout]:
    """
    Choose what a colour picture is made of: one image per filter, by wavelength.

    Images that are blank, have no sky coordinates or no known wavelength are left out. Of several
    in one filter, the one that covers more is taken (to the nearest tenth), then the one with
    finer pixels.

    Parameters
    ----------
    images : sequence of ImageCutout

    Returns
    -------
    chosen : list of ImageCutout
        From long to short wavelength, as red, green and blue.
    """
    best: dict[tuple[str, str], ImageCutout] = {}
    for image in images:
        if image.is_blank or image.wcs is None or not math.isfinite(image.wavelength_um):
            continue
        key = (image.filter, image.instrument)
        if key not in best or _worth(image) > _worth(best[key]):
            best[key] = image
    return sorted(best.values(), key=lambda image: -image.wavelength_um)


def _worth(image: ImageCutout) -> tuple[float, float]:
    return round(image.coverage, 1), -image.pixel_scale_arcsec


def three_of(images: Sequence[ImageCutout]) -> list[ImageCutout]:
    """
    Choose three images that lie well apart in wavelength.

    Parameters
    ----------
    images : sequence of ImageCutout
        As `choose_images` returns them.

    Returns
    -------
    three : list of ImageCutout
        The longest, the one nearest to the middle (in the logarithm), and the shortest
        wavelength. All of them if they are three or fewer.
    """
    if len(images) <= 3:
        return list(images)
    first, last = images[0].wavelength_um, images[-1].wavelength_um
    middle = math.sqrt(first * last)
    between = min(images[1:-1], key=lambda image: abs(math.log(image.wavelength_um / middle)))
    return [images[0], between, images[-1]]


def assign_channels(images: Sequence[ImageCutout]) -> Weights:
    """
    Share images out over red, green and blue by their wavelength.

    The longest wavelength is red, the shortest blue; those between are mixed from the two
    channels next to them, by their place in the order. Two images leave green to both.

    Parameters
    ----------
    images : sequence of ImageCutout
        From long to short wavelength, at least two.

    Returns
    -------
    weights : float64 ndarray of shape (n_images, 3)
        Every channel (column) sums to 1.

    Raises
    ------
    InvalidQueryError
        If there are fewer than two images.
    """
    n = len(images)
    if n < 2:
        msg = (
            f"A colour picture needs images in at least two filters, and there {_is(n)}. "
            "Take another target, or look at the single images."
        )
        raise InvalidQueryError(msg)
    if n == 2:
        return np.array([[1.0, 0.5, 0.0], [0.0, 0.5, 1.0]])
    place = np.linspace(0, 2, n)[:, None]
    shares = np.clip(1 - np.abs(place - np.arange(3)), 0, None)
    return _columns_to_one(shares)


def _columns_to_one(shares: Weights) -> Weights:
    columns: Weights = shares / shares.sum(axis=0)
    return columns


def _is(n: int) -> str:
    return "are none" if n == 0 else "is one"


def common_grid(images: Sequence[ImageCutout], *, longest: int | None = None) -> PixelGrid:
    """
    Choose the pixels of a picture of several images: those of the finest one.

    Parameters
    ----------
    images : sequence of ImageCutout
        At least one with sky coordinates.
    longest : int, optional
        Longest side in pixels; finer grids are made coarser by a whole factor.

    Returns
    -------
    grid : PixelGrid

    Raises
    ------
    InvalidQueryError
        If no image has sky coordinates.
    """
    placed = [image for image in images if image.wcs is not None]
    if not placed:
        msg = "None of these images has sky coordinates, so they cannot be laid over each other."
        raise InvalidQueryError(msg)
    # Scales that differ by rounding only are equal: then the largest image counts.
    finest = min(placed, key=lambda i: (round(i.pixel_scale_arcsec, 5), -math.prod(i.shape)))
    wcs, (ny, nx) = finest.wcs, finest.shape
    assert wcs is not None
    factor = 1 if longest is None else math.ceil(max(ny, nx) / longest)
    if factor == 1:
        return PixelGrid(wcs, (ny, nx))
    return PixelGrid(binned_wcs(wcs, factor), (ny // factor, nx // factor))


def resample(image: ImageCutout, grid: PixelGrid) -> FloatImage:
    """
    Bring an image onto a grid.

    Values are interpolated between the four nearest pixels. Where the grid is coarser by a factor
    of two or more, blocks of pixels are averaged first. They are brightness per pixel of the
    image, whatever the grid.

    Parameters
    ----------
    image : ImageCutout
        With sky coordinates.
    grid : PixelGrid

    Returns
    -------
    data : float32 ndarray of shape (ny, nx)
        NaN where the image is not covered, or does not reach.
    """
    return _resample(image.data, image.wcs, grid)


def _resample(data: FloatImage, wcs: WCS, grid: PixelGrid) -> FloatImage:
    found = _source_pixels(grid, wcs)
    if found.same and data.shape == grid.shape:
        return data
    x, y = found.x, found.y
    factor = int(found.scale + 1e-6)
    if factor >= 2:
        data = block_mean(data, factor)
        x, y = (x - (factor - 1) / 2) / factor, (y - (factor - 1) / 2) / factor
    return _interpolate(data, x, y)


@dataclass(frozen=True, slots=True)
class _SourcePixels:
    """
    Where in an image the pixels of a grid lie.

    `x` and `y` broadcast to the shape of the grid; `scale` is how many pixels of the image one of
    the grid is; `same` says that each is its own counterpart.
    """

    x: Coordinates
    y: Coordinates
    scale: float
    same: bool


def _source_pixels(grid: PixelGrid, wcs: WCS) -> _SourcePixels:
    """
    Find the pixels of an image that lie at the pixels of a grid.

    Positions are computed on a lattice; a plane through them is as exact as computing them all,
    and a hundred times faster.
    """
    ny, nx = grid.shape
    if wcs is grid.wcs:
        return _SourcePixels(np.arange(nx), np.arange(ny)[:, None], 1.0, same=True)
    lattice_y, lattice_x = np.meshgrid(
        np.linspace(0, ny - 1, _LATTICE), np.linspace(0, nx - 1, _LATTICE), indexing="ij"
    )
    xs, ys = _through_the_sky(grid.wcs, wcs, lattice_x, lattice_y)
    points = np.stack([np.ones(xs.size), lattice_x.ravel(), lattice_y.ravel()], axis=1)
    targets = np.stack([xs.ravel(), ys.ravel()], axis=1)
    if min(ny, nx) > 1 and np.isfinite(targets).all():
        plane = np.linalg.lstsq(points, targets)[0]  # rows: constant, per column, per row
        if np.abs(points @ plane - targets).max() < _PLANE_TOLERANCE_PX:
            columns, rows = np.arange(nx), np.arange(ny)[:, None]
            return _SourcePixels(
                x=plane[0, 0] + plane[1, 0] * columns + plane[2, 0] * rows,
                y=plane[0, 1] + plane[1, 1] * columns + plane[2, 1] * rows,
                scale=math.sqrt(abs(np.linalg.det(plane[1:]))),
                same=bool(np.abs(targets - points[:, 1:]).max() < _SAME_PX),
            )
    every_row, every_column = np.mgrid[:ny, :nx].astype(np.float64)
    x, y = _through_the_sky(grid.wcs, wcs, every_column, every_row)
    scale = 1.0 if min(ny, nx) < 2 else float(np.nanmedian(np.hypot(*np.gradient(x))))
    return _SourcePixels(x, y, scale, same=False)


def _through_the_sky(here: WCS, there: WCS, x: Weights, y: Weights) -> tuple[Weights, Weights]:
    """Give the pixels of one WCS that lie where pixels of another do; NaN off the sky."""
    lon, lat = here.pixel_to_world_values(x, y)
    return there.world_to_pixel_values(lon, lat)  # type: ignore[no-any-return]


def _interpolate(data: FloatImage, x: Coordinates, y: Coordinates) -> FloatImage:
    from scipy.ndimage import map_coordinates

    where = np.stack(np.broadcast_arrays(y, x))
    inside = (x > -0.5) & (x < data.shape[1] - 0.5) & (y > -0.5) & (y < data.shape[0] - 0.5)
    holes = ~np.isfinite(data)
    options: dict[str, Any] = {"order": 1, "mode": "nearest", "output": np.float32}
    if not holes.any():
        result: FloatImage = map_coordinates(data, where, **options)
    else:
        # Holes are filled with nothing, and their share is taken out again.
        filled = map_coordinates(np.where(holes, np.float32(0), data), where, **options)
        share = map_coordinates((~holes).astype(np.float32), where, **options)
        with np.errstate(invalid="ignore", divide="ignore"):
            result = np.where(share >= 0.5, filled / share, np.float32(np.nan))
    result[~np.broadcast_to(inside, result.shape)] = np.nan
    return result


def colour_picture(
    images: Sequence[ImageCutout],
    *,
    weights: npt.ArrayLike | None = None,
    strengths: Sequence[float] = (1.0, 1.0, 1.0),
    method: str = "lupton",
    brightness: float = 1.0,
    softening: float = 8.0,
    stretch: str = "asinh",
    longest: int | None = 2000,
) -> ColourPicture:
    """
    Make a colour picture.

    Each image has its sky taken off and is scaled so that an average source is white. "lupton"
    keeps the colours of bright sources where a plain picture burns them out to white;
    "channels" stretches every channel by itself and shows faint detail more freely.

    Parameters
    ----------
    images : sequence of ImageCutout
        At least two; as `choose_images` returns them, or in any order with `weights`.
    weights : array-like of shape (n_images, 3), optional
        Share of each image in red, green and blue. Default: `assign_channels`.
    strengths : sequence of 3 floats, optional
        Factors on red, green and blue.
    method : {"lupton", "channels"}, optional
    brightness : float, optional
        Larger shows fainter.
    softening : float, optional
        Q of Lupton et al.: larger compresses bright sources more.
    stretch : str, optional
        For "channels": one of `cutout_core.stretch.STRETCHES`.
    longest : int or None, optional
        Longest side of the picture in pixels.

    Returns
    -------
    picture : ColourPicture

    Raises
    ------
    InvalidQueryError
        If there are too few images, or a parameter cannot be used.

    References
    ----------
    .. [1] Lupton, Blanton, Fekete, Hogg, O'Mullane, Szalay and Wherry 2004, PASP 116, 133.
    """
    shares = assign_channels(images) if weights is None else _checked_weights(weights, images)
    _check_options(method, strengths, brightness, softening)
    grid = common_grid(images, longest=longest)
    layers = [_resample(image.data, image.wcs, grid) for image in images if image.wcs is not None]
    if len(layers) < len(images):
        msg = "An image without sky coordinates cannot be a part of a colour picture."
        raise InvalidQueryError(msg)
    covered = np.isfinite(layers[0])
    for layer in layers[1:]:
        covered &= np.isfinite(layer)
    channels = _mixed(_balanced(layers), shares, strengths)
    if method == "lupton":
        rgb = _lupton(channels, brightness, softening)
    else:
        rgb = _by_channel(channels, brightness, check_stretch(stretch))
    return ColourPicture(rgb, covered, grid.wcs, tuple(images), shares)


def _checked_weights(weights: npt.ArrayLike, images: Sequence[ImageCutout]) -> Weights:
    try:
        shares = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError):
        shares = np.empty(0)
    if (
        shares.shape != (len(images), 3)
        or not np.isfinite(shares).all()
        or (shares < 0).any()
        or not (shares.sum(axis=0) > 0).all()
    ):
        msg = (
            f"The weights have to be {len(images)} x 3 numbers (images by red, green, blue), none "
            "below zero, with something in every colour."
        )
        raise InvalidQueryError(msg)
    return _columns_to_one(shares)


def _check_options(
    method: str, strengths: Sequence[float], brightness: float, softening: float
) -> None:
    if method not in METHODS:
        msg = f'There is no method called "{str(method)[:60]}". Take {" or ".join(METHODS)}.'
        raise InvalidQueryError(msg)
    numbers = [*strengths, brightness, softening]
    if len(strengths) != 3 or not all(0 <= number < math.inf for number in numbers):
        msg = "Strengths (three of them), brightness and softening have to be numbers of 0 or more."
        raise InvalidQueryError(msg)


def _balanced(layers: Sequence[FloatImage]) -> list[FloatImage]:
    """Take the sky off every layer and scale it so that their sources are equally bright."""
    balanced = []
    for layer in layers:
        sample = _sample(layer)
        sky, sigma = sky_level(sample)
        if not math.isfinite(sky):
            balanced.append(layer)
            continue
        bright = sample[sample > sky + 5 * sigma]
        unit = float(bright.mean() - sky) if bright.size else sigma
        flat = layer - np.float32(sky)
        flat *= np.float32(1 / unit if unit > 0 else 1)
        balanced.append(flat)
    return balanced


def _sample(layer: FloatImage) -> FloatImage:
    step = max(1, math.isqrt(layer.size // _SAMPLE))
    sample = layer[::step, ::step]
    return sample[np.isfinite(sample)]


def _mixed(
    layers: Sequence[FloatImage], shares: Weights, strengths: Sequence[float]
) -> list[FloatImage]:
    """Mix red, green and blue; where a layer has no data the sky stands in for it."""
    dark = [np.nan_to_num(layer, nan=0.0) for layer in layers]
    channels = []
    for channel, strength in enumerate(strengths):
        mixed = np.zeros_like(dark[0])
        for layer, share in zip(dark, shares[:, channel], strict=True):
            if share:
                mixed += layer * np.float32(share * strength)
        channels.append(mixed)
    return channels


def _lupton(
    channels: Sequence[FloatImage], brightness: float, softening: float
) -> npt.NDArray[np.uint8]:
    from astropy.visualization import make_lupton_rgb

    samples = [_sample(channel) for channel in channels]
    # Black lies below the sky, at equal distance in all colours: if it cut the noise in the
    # middle, the sky would be speckled with pure red, green and blue.
    black = -_BLACK_SIGMAS * sum(sky_level(sample)[1] for sample in samples) / 3
    intensity = sum(samples[1:], samples[0]) / np.float32(3)
    sigma = sky_level(intensity)[1]
    bright = float(np.percentile(intensity, 99.5))
    linear = _LUPTON_SIGMAS * sigma
    if bright > 0:
        # A picture that is all nebula has no sky to take the noise from, so its bright parts tell
        # where to begin; but never so low that the noise from pixel to pixel turns into colour.
        grain = sum(_grain(channel) for channel in channels) / 3
        linear = min(linear, max(bright / 5, _GRAIN_SIGMAS * grain))
    rgb: npt.NDArray[np.uint8] = make_lupton_rgb(
        *channels,
        minimum=black,
        stretch=(linear if linear > 0 else 1.0) / max(brightness, 1e-6),
        Q=max(softening, 1e-3),
    )
    return rgb


def _grain(channel: FloatImage) -> float:
    """Measure the noise from pixel to pixel; structure of the sky hardly counts."""
    rows = channel[:: max(1, len(channel) // 500)]
    steps = np.abs(np.diff(rows, axis=1))
    # Of a normal distribution; a difference has twice the variance of a pixel.
    return float(np.median(steps)) * 1.4826 / math.sqrt(2)


def _by_channel(
    channels: Sequence[FloatImage], brightness: float, stretch: str
) -> npt.NDArray[np.uint8]:
    from astropy.visualization import ManualInterval, make_rgb

    scaling = automatic_scaling(list(channels))
    high = scaling.low + (scaling.high - scaling.low) / max(brightness, 1e-6)
    softness = scaling.softness if stretch == "asinh" else None
    rgb: npt.NDArray[np.uint8] = make_rgb(
        *channels,
        interval=ManualInterval(scaling.low, high),
        stretch=curve(stretch, softness),
    )
    return rgb
