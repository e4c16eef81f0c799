"""Directions and scale around a pixel, against the matrices that were put into the WCS."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS

from cutout_core.local_sky import local_sky
from tests.image_factories import DEC, RA, make_wcs


def plain_wcs(cd: np.ndarray, ra: float = RA, dec: float = DEC, projection: str = "TAN") -> WCS:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = [f"RA---{projection}", f"DEC--{projection}"]
    wcs.wcs.crval = [ra, dec]
    wcs.wcs.crpix = [51.0, 41.0]
    wcs.wcs.cd = cd
    wcs.wcs.set()
    return wcs


@pytest.mark.parametrize("rotation", [0, 45, 120, -170])
@pytest.mark.parametrize("mirrored", [False, True])
def test_directions_are_those_that_were_put_in(rotation, mirrored):
    wcs = make_wcs((81, 101), scale_arcsec=0.2, rotation_deg=rotation, mirrored=mirrored)

    sky = local_sky(wcs, 50, 40)

    assert sky.north_deg == pytest.approx(rotation, abs=1e-6)
    turn = (sky.east_deg - rotation) % 360
    assert turn == pytest.approx(270 if mirrored else 90, abs=1e-6)
    assert sky.mirrored == mirrored
    assert sky.scale_arcsec == pytest.approx(0.2, rel=1e-8)
    assert (sky.ra, sky.dec) == pytest.approx((RA, DEC), abs=1e-10)


def test_skewed_and_oblong_pixels_are_measured_as_they_are():
    cd = np.array([[-3e-5, 1e-5], [2e-6, 4e-5]])

    sky = local_sky(plain_wcs(cd), 50, 40)

    np.testing.assert_allclose(np.array(sky.arcsec_per_pixel), cd * 3600, rtol=1e-6, atol=1e-9)
    assert sky.scale_arcsec == pytest.approx(3600 * np.sqrt(abs(np.linalg.det(cd))), rel=1e-6)


@pytest.mark.parametrize(
    ("ra", "dec"), [(0.0, 0.0), (359.9999, -45.0), (120.0, 89.9999), (200.0, -89.9999)]
)
def test_a_step_to_the_north_and_to_the_east_lands_where_it_should(ra, dec):
    wcs = make_wcs((81, 101), ra=ra, dec=dec, scale_arcsec=0.05, rotation_deg=33)

    sky = local_sky(wcs, 20, 60)

    here = SkyCoord(sky.ra, sky.dec, unit="deg")
    for (dx, dy), angle in ((sky.north, 0.0), (sky.east, 90.0)):
        there = here.directional_offset_by(angle * 3600 * _ARCSEC, 0.5 * _ARCSEC)
        x, y = wcs.world_to_pixel_values(there.ra.deg, there.dec.deg)
        np.testing.assert_allclose((x, y), (20 + dx * 0.5, 60 + dy * 0.5), atol=1e-4)


_ARCSEC = SkyCoord(0, 0, unit="deg").ra.unit / 3600


def test_pixel_beyond_the_edge_of_the_sky_has_no_place():
    wcs = plain_wcs(np.diag([-1.0, 1.0]), projection="SIN")

    assert local_sky(wcs, 50, 40) is not None
    assert local_sky(wcs, 300, 40) is None
