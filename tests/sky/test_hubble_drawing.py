"""How light is drawn: Gaussians, point spreads, profiles of galaxies, colours, noise."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from demo_sky.hubble.bandpasses import bandpasses
from demo_sky.hubble.field import Galaxies, PointSources
from demo_sky.hubble.mosaics import surveys
from demo_sky.hubble.painter import Gaussians, paint
from demo_sky.hubble.pixels import white_noise
from demo_sky.hubble.profiles import Profile, mixture
from demo_sky.hubble.projection import Frame, Grid, Window, unit_vectors
from demo_sky.hubble.psf import point_spread, soft_spread
from demo_sky.hubble.sources import (
    Camera,
    galaxy_fluxes,
    galaxy_gaussians,
    star_gaussians,
    star_magnitudes,
)
from demo_sky.hubble.spectra import OLD, STARBURST, extinction, galaxy_colours, star_colours
from demo_sky.hubble.texture import clouds, filaments

ACS_606 = bandpasses()["ACS", "WFC", "F606W"]
ACS_814 = bandpasses()["ACS", "WFC", "F814W"]
IR_160 = bandpasses()["WFC3", "IR", "F160W"]
RNG = np.random.default_rng(20261)


def make_gaussians(n: int, width: float = 300.0) -> Gaussians:
    long, short = np.exp(RNG.normal(1.0, 0.6, n)), np.exp(RNG.normal(0.3, 0.2, n))
    angle = RNG.uniform(0, math.pi, n)
    c, s = np.cos(angle), np.sin(angle)
    return Gaussians(
        RNG.uniform(-20, width + 20, n),
        RNG.uniform(-20, width + 20, n),
        np.exp(RNG.normal(0, 2, n)),
        (c * long) ** 2 + (s * short) ** 2,
        c * s * (long**2 - short**2),
        (s * long) ** 2 + (c * short) ** 2,
    )


def canvas_of(gaussians: Gaussians, window: Window, floor: float = 1e-6) -> np.ndarray:
    canvas = np.zeros((window.ny, window.nx))
    paint(canvas, window, gaussians, floor)
    return canvas


# --- Gaussians ------------------------------------------------------------------------------------


def test_gaussian_has_its_flux_place_and_shape():
    one = Gaussians.of(*(np.array([v]) for v in (50.3, 41.6, 1000.0, 9.0, 2.0, 4.0)))

    image = canvas_of(one, Window(0, 0, 100, 90))

    y, x = np.indices(image.shape)
    assert image.sum() == pytest.approx(1000.0, rel=1e-4)
    assert (image * x).sum() / image.sum() == pytest.approx(50.3, abs=1e-3)
    assert (image * y).sum() / image.sum() == pytest.approx(41.6, abs=1e-3)
    dx, dy = x - 50.3, y - 41.6
    moments = [(image * each).sum() / image.sum() for each in (dx * dx, dx * dy, dy * dy)]
    assert_allclose(moments, (9.0, 2.0, 4.0), rtol=2e-3)


def test_long_thin_gaussian_is_drawn_as_any_other():
    # Long enough to be cut into pieces.
    angle, long, short = 0.5, 40.0, 1.2
    c, s = math.cos(angle), math.sin(angle)
    xx, yy = (c * long) ** 2 + (s * short) ** 2, (s * long) ** 2 + (c * short) ** 2
    xy = c * s * (long**2 - short**2)
    streak = Gaussians.of(*(np.array([v]) for v in (250.2, 199.7, 1e4, xx, xy, yy)))

    image = canvas_of(streak, Window(0, 0, 500, 400))

    y, x = np.indices(image.shape)
    inverse = np.linalg.inv([[xx, xy], [xy, yy]])
    d = np.stack([x - 250.2, y - 199.7])
    law = np.exp(-0.5 * np.einsum("iyx,ij,jyx->yx", d, inverse, d))
    law *= 1e4 / (2 * math.pi * long * short)
    # Beyond 4.5 standard deviations nothing is drawn; the last pieces end square.
    assert_allclose(image, law, atol=law.max() * math.exp(-0.5 * 4.2**2))
    assert image.sum() == pytest.approx(1e4, rel=1e-3)


def test_window_holds_the_same_values_as_the_whole():
    gaussians = make_gaussians(400)
    whole = canvas_of(gaussians, Window(0, 0, 300, 300))

    part = canvas_of(gaussians, Window(101, 57, 80, 140))

    assert np.array_equal(part, whole[57:197, 101:181])


def test_what_is_below_the_floor_is_not_drawn():
    faint = Gaussians.of(*(np.array([v]) for v in (50.0, 50.0, 1e-3, 4.0, 0.0, 4.0)))

    assert not canvas_of(faint, Window(0, 0, 100, 100), floor=1e-3).any()


# --- Point spread ---------------------------------------------------------------------------------


def diffraction_share(radius: float) -> float:
    """Light inside a radius (wavelength / diameter) of an annular mirror, by integration."""
    from scipy.special import j1

    obscuration = 0.33
    r = np.linspace(1e-6, radius, 20001)
    u = math.pi * r
    amplitude = (2 * j1(u) / u - obscuration**2 * 2 * j1(obscuration * u) / (obscuration * u)) / (
        1 - obscuration**2
    )
    total = 4 / (math.pi * (1 - obscuration**2))
    return float(np.trapezoid(2 * math.pi * r * amplitude**2, r) / total)


@pytest.mark.parametrize("radius", [4.0, 8.0, 16.0])
def test_light_of_a_star_spreads_as_diffraction_says(radius: float):
    # Far out, where pixels no longer matter.
    spread = point_spread(ACS_814, 0.03)
    unit = 0.8057e-6 / 2.4 * 180 / math.pi * 3600

    assert spread.weight.sum() == pytest.approx(1.0)
    assert spread.enclosed(radius * unit) == pytest.approx(diffraction_share(radius), abs=0.02)


@pytest.mark.parametrize(
    ("band", "pixel", "fwhm"),
    [
        # CANDELS's mosaics: 0.08 to 0.10 and 0.17 to 0.19 arcsec (Koekemoer et al. 2011).
        pytest.param(ACS_606, 0.03, 0.09, id="F606W"),
        pytest.param(IR_160, 0.06, 0.18, id="F160W"),
        pytest.param(bandpasses()["SuprimeCam", "", "b"], 0.2, 0.71, id="ground"),
    ],
)
def test_stars_are_as_wide_as_in_the_real_mosaics(band, pixel: float, fwhm: float):
    grid = Grid(Frame(10, 20), 60.0, 60.0, pixel, 121, 121)
    star = PointSources(unit_vectors(np.array([10.0]), np.array([20.0])), *np.full((2, 1), 4000.0))
    camera = Camera(grid, band, 0.0)
    one = star_gaussians(PointSources(star.direction, np.array([15.0]), star.kelvin), camera)

    row = canvas_of(one, Window(0, 0, 121, 121))[60, 60:]

    half = np.interp(-row[0] / 2, -row, np.arange(61))
    assert 2 * half * pixel == pytest.approx(fwhm, rel=0.1)


def test_four_spikes_stand_out_at_45_degrees_to_the_detector():
    grid = Grid(Frame(10, 20), 100.0, 100.0, 0.04, 201, 201)
    here = unit_vectors(np.array([10.0]), np.array([20.0]))
    star = PointSources(here, np.array([16.0]), np.array([5000.0]))

    image = canvas_of(star_gaussians(star, Camera(grid, ACS_606, 0.0)), Window(0, 0, 201, 201))
    turned = canvas_of(star_gaussians(star, Camera(grid, ACS_606, 45.0)), Window(0, 0, 201, 201))

    on_diagonal, on_axis = image[140, 140], image[100, 156]
    assert on_diagonal > 5 * on_axis
    assert turned[100, 156] > 5 * turned[140, 140]


# --- Profiles -------------------------------------------------------------------------------------


@pytest.mark.parametrize("fine", [True, False])
@pytest.mark.parametrize("profile", list(Profile))
def test_profile_is_sersics(profile: Profile, fine: bool):
    from scipy.special import gammainc, gammaincinv

    n = profile.value
    radius = np.geomspace(0.1, 6.0, 50)
    law = gammainc(2 * n, gammaincinv(2 * n, 0.5) * radius ** (1 / n))

    weight, variance = mixture(profile, fine=fine)

    enclosed = (weight * (1 - np.exp(-(radius[:, None] ** 2) / 2 / variance))).sum(axis=1)
    assert weight.sum() == pytest.approx(1.0)
    assert_allclose(enclosed, law, atol=0.002 if fine else 0.008)


# --- Sources --------------------------------------------------------------------------------------


def make_galaxy(**changes: float) -> Galaxies:
    values = {
        "direction": unit_vectors(np.array([10.0]), np.array([20.0])),
        "magnitude": 20.0,
        "redshift": 0.5,
        "bulge_share": 0.3,
        "bulge_kind": OLD,
        "disc_kind": STARBURST,
        "bulge_radius": 0.2,
        "disc_radius": 0.6,
        "bulge_ratio": 0.8,
        "disc_ratio": 0.5,
        "angle": 30.0,
        "arms": 0.0,
        "seed": 5,
        "dust": 0.0,
    } | changes
    arrays = {k: v if k == "direction" else np.array([v]) for k, v in values.items()}
    return Galaxies(**arrays)


@pytest.mark.parametrize("band", [ACS_606, ACS_814, IR_160], ids=lambda b: b.name)
@pytest.mark.parametrize("arms", [0.0, 0.3])
def test_flux_of_a_galaxy_is_zero_point_arithmetic(band, arms: float):
    grid = Grid(Frame(10, 20), 600.0, 600.0, 0.06, 1201, 1201)
    galaxy = make_galaxy(arms=arms)
    magnitude = -2.5 * math.log10(sum(float(part[0]) for part in galaxy_fluxes(galaxy, band)))

    image = canvas_of(galaxy_gaussians(galaxy, Camera(grid, band, 0.0)), Window(0, 0, 1201, 1201))

    assert image.sum() == pytest.approx(10 ** (0.4 * (band.zero_point - magnitude)), rel=0.003)


def test_magnitude_of_a_galaxy_is_its_own_in_the_reference_band():
    fluxes = galaxy_fluxes(make_galaxy(), ACS_814)

    assert -2.5 * math.log10(sum(float(part[0]) for part in fluxes)) == pytest.approx(20.0)


def test_flux_of_a_star_is_zero_point_arithmetic():
    grid = Grid(Frame(10, 20), 400.0, 400.0, 0.06, 801, 801)
    here = unit_vectors(np.array([10.0]), np.array([20.0]))
    star = PointSources(here, np.array([21.5]), np.array([4500.0]))
    expected = 10 ** (0.4 * (IR_160.zero_point - float(star_magnitudes(star, IR_160)[0])))

    image = canvas_of(star_gaussians(star, Camera(grid, IR_160, 0.0)), Window(0, 0, 801, 801))

    assert image.sum() == pytest.approx(expected, rel=0.003)


def test_long_axis_of_a_galaxy_is_at_its_position_angle():
    grid = Grid(Frame(10, 20), 300.0, 300.0, 0.03, 601, 601)
    galaxy = make_galaxy(bulge_share=0.0, angle=30.0, disc_ratio=0.3)

    image = canvas_of(galaxy_gaussians(galaxy, Camera(grid, ACS_814, 0.0)), Window(0, 0, 601, 601))

    y, x = np.indices(image.shape) - 300.0
    xx, xy, yy = ((image * each).sum() for each in (x * x, x * y, y * y))
    # East is to the left: from north (up) to east is counter-clockwise.
    direction = 0.5 * math.degrees(math.atan2(2 * xy, xx - yy))
    assert direction % 180 == pytest.approx(120.0, abs=0.2)


def test_source_is_at_the_same_place_in_all_filters_and_pixel_scales():
    ra, dec = np.array([10.003]), np.array([20.002])
    star = PointSources(unit_vectors(ra, dec), np.array([20.0]), np.array([4500.0]))
    scales = {"WFC": (0.03, 0.06), "UVIS": (0.04,), "IR": (0.04, 0.06, 0.12), "": (0.2,)}
    for band in bandpasses().values():
        for scale in scales[band.detector]:
            grid = Grid(Frame(10, 20), 300.0, 300.0, scale, 601, 601)
            x, y = grid.wcs().wcs_world2pix(ra, dec, 0)
            around = Window(round(float(x[0])) - 40, round(float(y[0])) - 40, 81, 81)

            image = canvas_of(star_gaussians(star, Camera(grid, band, 30.0)), around)

            rows, columns = np.indices(image.shape)
            centre = [(image * each).sum() / image.sum() for each in (columns, rows)]
            assert centre[0] + around.x == pytest.approx(float(x[0]), abs=0.01)
            assert centre[1] + around.y == pytest.approx(float(y[0]), abs=0.01)


# --- Colours --------------------------------------------------------------------------------------


def test_stars_of_one_temperature_have_the_colours_of_black_bodies():
    # Planck's law at the two pivots: 0.2 mag is the bands' width.
    kelvin = 5800.0
    x = [14387.77 / band.pivot / kelvin for band in (ACS_606, ACS_814)]
    ratio = (ACS_606.pivot / ACS_814.pivot) ** -3 * math.expm1(x[1]) / math.expm1(x[0])

    colour = star_colours(ACS_606, ACS_814, np.array([kelvin]))

    assert float(colour[0]) == pytest.approx(-2.5 * math.log10(ratio), abs=0.05)


def test_old_galaxies_are_redder_than_young_ones_and_redshift_reddens_them():
    def colour(kind: int, redshift: float) -> float:
        blue = galaxy_colours(ACS_606, kind, redshift)
        return float(blue - galaxy_colours(ACS_814, kind, redshift))

    assert colour(OLD, 0.0) > colour(STARBURST, 0.0) + 0.3
    # The 4000-Angstrom break passes through F606W at redshift 0.7.
    assert colour(OLD, 0.7) > colour(OLD, 0.0) + 0.7


def test_galaxies_drop_out_below_the_lyman_limit():
    blue = bandpasses()["ACS", "WFC", "F435W"]

    # 0.0912 micrometres at redshift 5 is 0.55.
    assert galaxy_colours(blue, STARBURST, 5.0) > galaxy_colours(ACS_814, STARBURST, 5.0) + 10
    assert galaxy_colours(blue, STARBURST, 2.0) < galaxy_colours(ACS_814, STARBURST, 2.0) + 0.5


def test_zero_points_are_those_of_the_header_keywords():
    # The real CANDELS header in astroquery's test data.
    assert ACS_606.photflam == pytest.approx(7.7265435e-20, rel=0.003)
    assert ACS_814.photflam == pytest.approx(7.0073061e-20, rel=0.003)
    for band in bandpasses().values():
        angstrom = band.pivot * 1e4
        st = -2.5 * math.log10(band.photflam) - 21.10
        assert st - 5 * math.log10(angstrom) + 18.692 == pytest.approx(band.zero_point, abs=1e-9)


def test_dust_dims_blue_light_more():
    blue, red = (bandpasses()["WFC3", "UVIS", name] for name in ("F275W", "F814W"))

    assert extinction(blue) > 1.5 > 0.7 > extinction(red) > 0.3


def test_line_in_a_band_gives_its_photons():
    # erg/s/cm2 over photon energy, 2.4-m mirror with 14 % blocked, some throughput below 1.
    band = bandpasses()["WFC3", "UVIS", "F657N"]
    photons = 1e-14 / (6.626e-27 * 2.998e10 / 0.6563e-4) * math.pi * 120**2 * 0.86

    counts = band.line_counts(1e-14)

    assert band.holds(0.6563)
    assert not band.holds(0.5007)
    assert 0.1 < counts / photons < 0.4


# --- Noise and clouds -----------------------------------------------------------------------------


def test_noise_of_a_pixel_is_the_same_in_all_windows_and_different_in_other_mosaics():
    whole = white_noise("one", Window(-50, 1000, 400, 300))

    part = white_noise("one", Window(120, 1111, 33, 7))

    assert np.array_equal(part, whole[111:118, 170:203])
    assert (
        abs(
            np.corrcoef(whole.ravel(), white_noise("two", Window(-50, 1000, 400, 300)).ravel())[
                0, 1
            ]
        )
        < 0.02
    )


def test_noise_is_normal():
    noise = white_noise("one", Window(0, 0, 500, 500))

    assert noise.mean() == pytest.approx(0.0, abs=0.01)
    assert noise.std() == pytest.approx(1.0, abs=0.01)
    assert np.mean(np.abs(noise) > 2) == pytest.approx(0.0455, abs=0.003)


def test_clouds_and_filaments_are_functions_of_place():
    x, y = np.meshgrid(np.arange(80.0), np.arange(60.0))

    for pattern in (clouds, filaments):
        whole = pattern(3, 37.0, x, y)
        assert np.array_equal(pattern(3, 37.0, x[5:9, 7:20], y[5:9, 7:20]), whole[5:9, 7:20])
        assert np.isfinite(whole).all()
        assert whole.std() > 0.05


def test_soft_spread_keeps_the_light():
    for band in bandpasses().values():
        assert soft_spread(band, 0.06).weight.sum() == pytest.approx(1.0)


def test_candels_is_as_deep_as_published():
    # 5-sigma point sources in 0.17-arcsec apertures: 28.0 in F606W (Grogin et al. 2011: 28.3 in
    # GOODS), 27.4 in F160W (27.6); the pattern's overlaps are deeper.
    depths = {}
    for mosaic in surveys()["candels_gs_60mas"]:
        area = math.pi * 0.17**2 / mosaic.grid.scale**2
        limit = 5 * mosaic.typical_noise() * math.sqrt(area)
        depths[mosaic.bandpass.name] = mosaic.bandpass.zero_point - 2.5 * math.log10(limit)

    assert depths["F606W"] == pytest.approx(28.3, abs=0.5)
    assert depths["F160W"] == pytest.approx(27.6, abs=0.5)
