"""astrocut, which MAST's services run, as second opinion: grey levels, cutouts and their WCS."""

import io
import warnings
import zipfile
from pathlib import Path

import astroquery.mast
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

from cutout_core.image import read_images
from cutout_core.stretch import STRETCHES, make_scaling, to_levels
from tests.image_factories import centroid, plant_stars

# astrocut's imports bring deprecation warnings of its own.
pytestmark = pytest.mark.filterwarnings("ignore")

REAL_FITS = (
    Path(astroquery.mast.__file__).parent / "tests/data/astrocut_189.49206_62.20615_100x100px_f.zip"
)


def real_image() -> np.ndarray:
    with zipfile.ZipFile(REAL_FITS) as archive:
        return read_images(archive.read(archive.namelist()[0]))[1].data


def planted_image() -> np.ndarray:
    return plant_stars((200, 150), [(40, 60), (100, 150)], flux=[1e4, 300], sky=5, noise=1)


def partly_covered_image() -> np.ndarray:
    image = planted_image()
    image[:, :60] = np.nan
    return image


IMAGES = {"real": real_image, "planted": planted_image, "partly covered": partly_covered_image}


@pytest.mark.parametrize("which", IMAGES)
@pytest.mark.parametrize("stretch", STRETCHES)
@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        pytest.param({"minmax_percent": [0.5, 99.5]}, {"percentiles": (0.5, 99.5)}, id="default"),
        pytest.param({"minmax_percent": [10, 90]}, {"percentiles": (10, 90)}, id="percentiles"),
        pytest.param({"minmax_value": [0.01, 0.09]}, {"values": (0.01, 0.09)}, id="values"),
        pytest.param({}, {"cuts": "minmax"}, id="all pixels"),
    ],
)
def test_grey_levels_are_astrocuts_within_one(which, stretch, invert, theirs, ours):
    from astrocut.image_cutout import ImageCutout

    data = IMAGES[which]()

    expected = ImageCutout.normalize_img(data.copy(), stretch=stretch, invert=invert, **theirs)
    levels = to_levels(data, make_scaling(data, stretch=stretch, **ours), invert=invert)

    assert np.abs(levels.astype(int) - expected.astype(int)).max() <= 1


@pytest.fixture
def mosaic(tmp_path: Path) -> tuple[Path, list[tuple[float, float]]]:
    """Mosaic as surveys publish it, with a rotated CD matrix, and stars of known position."""
    stars = [(300.25, 200.5), (330.0, 240.75), (280.5, 230.0)]
    image = plant_stars((500, 600), stars, flux=5000, fwhm=3.2, sky=1, noise=0.1)
    scale, angle = 0.05 / 3600, np.radians(25)
    hdu = fits.PrimaryHDU(image)
    hdu.header.update(
        {
            "CTYPE1": "RA---TAN",
            "CTYPE2": "DEC--TAN",
            "CRVAL1": 150.1,
            "CRVAL2": 2.2,
            "CRPIX1": 17.0,
            "CRPIX2": 23.5,
            "CD1_1": -scale * np.cos(angle),
            "CD1_2": scale * np.sin(angle),
            "CD2_1": scale * np.sin(angle),
            "CD2_2": scale * np.cos(angle),
            "RADESYS": "ICRS",
            "INSTRUME": "ACS",
        }
    )
    path = tmp_path / "hlsp_candels_hst_acs_cos-tot_f814w_v1.0_drz.fits"
    hdu.writeto(path)
    return path, stars


def test_cutout_of_astrocut_is_read_with_the_sky_where_it_was(mosaic):
    from astrocut import FITSCutout

    path, stars = mosaic
    with fits.open(path) as hdus:
        whole = WCS(hdus[0].header)
        pixels = hdus[0].data.astype(np.float32)
    centre = SkyCoord(*whole.pixel_to_world_values(305, 220), unit="deg")

    # astrocut takes columns before rows here, whatever its docstring says: hence HAPCut's swap.
    cut = FITSCutout(str(path), centre, (120, 90)).fits_cutouts[0]
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cut.writeto(out)
    (image,) = read_images(out.getvalue(), "cosmos_150.1_2.2_120.0pix-x-90.0pix_astrocut.fits")

    assert image.shape == (90, 120)
    assert image.instrument == "ACS"
    # CD @ (sin 25, cos 25) = (0, scale): north leans to the right.
    assert image.sky.north_deg == pytest.approx(-25, abs=0.01)
    # Where in the mosaic the cutout begins.
    x0, y0 = (
        round(float(v)) for v in whole.world_to_pixel_values(*image.wcs.pixel_to_world_values(0, 0))
    )
    np.testing.assert_array_equal(image.data, pixels[y0 : y0 + 90, x0 : x0 + 120])
    for star in stars:
        expected = image.wcs.world_to_pixel_values(*whole.pixel_to_world_values(*star))
        found = centroid(image.data, expected)
        np.testing.assert_allclose(found, expected, atol=0.05)
