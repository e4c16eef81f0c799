"""What is on the simulated Hubble sky, and whether measurements find what was planted."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from demo_sky.hubble import field
from demo_sky.hubble.mosaics import Mosaic, sky_cells, surveys
from demo_sky.hubble.objects import deep_objects, objects_near
from demo_sky.hubble.pixels import draw_sky, read
from demo_sky.hubble.projection import Window, cutout_window, unit_vectors
from demo_sky.hubble.psf import point_spread
from demo_sky.hubble.truth import truth
from demo_sky.sky.catalogue import stars_in_cone

GOODS_S = (53.16, -27.79)


def mosaic_of(collection: str, name: str, position: tuple[float, float] | None = None) -> Mosaic:
    """Find a mosaic, not of coarse pixels, that holds a position if one is given."""
    known = [m for mosaics in (*surveys().values(), *sky_cells().values()) for m in mosaics]
    for mosaic in known:
        if (mosaic.collection, mosaic.bandpass.name, mosaic.coarse) == (collection, name, False):
            if position is None:
                return mosaic
            window = cutout_window(mosaic.grid, *position, 1, 1)
            if mosaic.footprint.covers(mosaic.grid, window):
                return mosaic
    raise LookupError(collection, name)


def near(directions: np.ndarray, ra: float, dec: float, radius: float) -> np.ndarray:
    return directions @ unit_vectors(ra, dec) >= math.cos(math.radians(radius))


# --- The field ------------------------------------------------------------------------------------


def test_galaxies_are_as_many_as_counted_on_the_sky():
    bright, faint = field.galaxies_near(150.1, 2.2, 0.25)
    magnitude = np.concatenate(
        [g.magnitude[near(g.direction, 150.1, 2.2, 0.25)] for g in (bright, faint)]
    )
    area = math.pi * 0.25**2

    # VVDS: 15,000 to I = 22.5 and 47,000 to 24; Hubble Deep Fields: some 220 per square arcmin to
    # 28. The Milky Way's dust takes 0.1 mag.
    for limit, expected in ((22.5, 15_000), (24.0, 47_000), (28.0, 220 * 3600)):
        assert (magnitude < limit).sum() / area == pytest.approx(expected, rel=0.2)


def test_redshifts_and_sizes_of_galaxies_are_those_of_deep_surveys():
    _, faint = field.galaxies_near(150.1, 2.2, 0.1)
    at_24 = (faint.magnitude > 23.5) & (faint.magnitude < 24.5)

    # zCOSMOS-deep and COSMOS photometric redshifts at I = 24: median 0.8 to 0.9; half-light radii
    # of 0.3 arcsec (Leauthaud et al. 2007, ApJS 172, 219).
    assert np.median(faint.redshift[at_24]) == pytest.approx(0.85, abs=0.15)
    assert np.median(faint.disc_radius[at_24]) == pytest.approx(0.3, abs=0.1)


def test_overlapping_circles_hold_the_same_galaxies_in_the_same_order():
    _, first = field.galaxies_near(53.16, -27.79, 0.02)
    _, second = field.galaxies_near(53.17, -27.80, 0.02)

    in_both = near(first.direction, 53.17, -27.80, 0.01)
    others = near(second.direction, 53.16, -27.79, 0.01) & near(
        second.direction, 53.17, -27.80, 0.01
    )
    some = near(first.direction, 53.16, -27.79, 0.01) & in_both

    assert some.sum() > 20
    assert np.array_equal(first.direction[some], second.direction[others])


@pytest.mark.parametrize(
    "position", [(0.001, 5.0), (359.999, -5.0), (120.0, 89.99), (10.0, -89.9999)]
)
def test_no_gap_where_right_ascension_starts_or_at_the_poles(position: tuple[float, float]):
    radius = 0.1
    _, faint = field.galaxies_near(*position, radius)
    inside = faint.direction[near(faint.direction, *position, radius)]

    # As many in each half and quarter around the centre, within five standard deviations.
    frame_east = np.cross([0.0, 0.0, 1.0], unit_vectors(*position))
    frame_east /= np.linalg.norm(frame_east)
    frame_north = np.cross(unit_vectors(*position), frame_east)
    quarter = 2 * (inside @ frame_east > 0) + (inside @ frame_north > 0)
    counts = np.bincount(quarter, minlength=4)
    expected = field.galaxy_counts(28.5) * math.pi * radius**2 / 4
    assert_allclose(counts, expected, atol=5 * math.sqrt(expected), rtol=0.05)


def test_bright_stars_are_those_of_the_tess_field():
    stars = stars_in_cone(283.3962, 33.0292, 0.02)
    found = truth(283.3962, 33.0292, 0.02)

    brightest = min(
        (s for s in found if s["kind"] == "star"), key=lambda s: s["magnitudes"]["ACS/WFC/F814W"]
    )

    assert len(stars) > 0
    assert brightest["ra"] == pytest.approx(float(stars.ra[0]), abs=1e-9)
    assert brightest["magnitudes"]["ACS/WFC/F814W"] == pytest.approx(
        float(stars.tmag[0]) + 0.43, abs=1e-3
    )


# --- Objects --------------------------------------------------------------------------------------


@pytest.mark.parametrize("each", deep_objects(), ids=lambda o: o.name)
def test_object_is_bright_in_the_middle_of_its_images(each):
    ra, dec = each.frame.ra, each.frame.dec
    known = [m for mosaics in (*surveys().values(), *sky_cells().values()) for m in mosaics]
    mosaic = next(
        m for m in known if m.bandpass.is_hubble and m.footprint.distance_deg(ra, dec) < 0.02
    )
    window = cutout_window(mosaic.grid, ra, dec, 60, 60)

    light = draw_sky(mosaic, window)

    assert each in objects_near(unit_vectors(ra, dec), 0.001)
    assert np.isfinite(light).all()
    assert light.mean() > 3 * mosaic.typical_noise() / 60


def test_ring_nebula_is_a_ring_in_nitrogen_and_filled_in_oxygen():
    nitrogen, oxygen = mosaic_of("M57", "F658N"), mosaic_of("M57", "F502N")

    def mean_around(mosaic: Mosaic, offset_arcsec: float) -> float:
        # Along the long axis, position angle 60 degrees.
        angle = math.radians(60.0)
        dec = 33.0292 + offset_arcsec * math.cos(angle) / 3600
        ra = 283.3962 + offset_arcsec * math.sin(angle) / 3600 / math.cos(math.radians(dec))
        return float(np.median(draw_sky(mosaic, cutout_window(mosaic.grid, ra, dec, 60, 60))))

    rim, inside, outside = (mean_around(nitrogen, r) for r in (40.0, 12.0, 90.0))
    assert rim > 5 * inside
    assert rim > 20 * outside
    assert mean_around(oxygen, 28.0) > 2 * mean_around(oxygen, 42.0)


def test_globular_cluster_thins_out_from_its_core():
    mosaic = mosaic_of("47Tuc", "F606W")

    core, outside = (
        draw_sky(mosaic, cutout_window(mosaic.grid, 6.0236, -72.0813 + off / 3600, 150, 150)).sum()
        for off in (0.0, 80.0)
    )

    # King's profile, core radius 21.6 arcsec: (1 + (80/21.6)^2)^-1 is 1/15.
    assert core > 6 * outside


# --- Pixels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("collection", "name", "position"),
    [
        pytest.param("candels_gs_60mas", "F814W", GOODS_S, id="field"),
        pytest.param("3dhst_goods-s", "irac1", GOODS_S, id="Spitzer"),
        pytest.param("M51", "F658N", (202.4600, 47.1900), id="spiral"),
        pytest.param("30Dor", "F555W", (84.6767, -69.1009), id="young cluster"),
    ],
)
def test_pixel_has_the_same_value_in_every_cutout(collection, name, position):
    mosaic = mosaic_of(collection, name, position)
    window = cutout_window(mosaic.grid, *position, 260, 260)
    whole = read(mosaic, window)

    part = read(mosaic, Window(window.x + 97, window.y + 31, 64, 120))

    assert np.array_equal(part.science, whole.science[31:151, 97:161], equal_nan=True)
    assert np.array_equal(part.weight, whole.weight[31:151, 97:161])
    assert whole.science.dtype == np.float32


def test_large_cutout_is_drawn_in_parts_that_fit_together():
    mosaic = mosaic_of("candels_gs_60mas", "F814W")
    window = cutout_window(mosaic.grid, *GOODS_S, 1100, 40)
    whole = read(mosaic, window)

    across_the_seam = read(mosaic, Window(window.x + 1000, window.y, 50, 40))

    assert np.array_equal(across_the_seam.science, whole.science[:, 1000:1050])


def test_noise_is_that_of_the_exposure_time():
    mosaic = mosaic_of("candels_gs_60mas", "F814W")
    window = cutout_window(mosaic.grid, *GOODS_S, 400, 400)
    pixels = read(mosaic, window)
    light = draw_sky(mosaic, window)
    dark = light < 0.05 * mosaic.background()

    noise = (pixels.science - light) * np.sqrt(pixels.weight / mosaic.background())

    # Sums of 8 x 8 pixels have the noise of uncorrelated pixels; single pixels 0.535 of it
    # (0.15^2 + 0.7^2 + 0.15^2).
    blocks = noise.reshape(50, 8, 50, 8).sum(axis=(1, 3)) / 8
    quiet = dark.reshape(50, 8, 50, 8).all(axis=(1, 3))
    assert noise[dark].mean() == pytest.approx(0.0, abs=0.02)
    assert noise[dark].std() == pytest.approx(0.535, rel=0.03)
    assert blocks[quiet].std() == pytest.approx(1.0, rel=0.1)


def test_hap_pixels_without_exposure_are_nan_and_of_no_weight():
    mosaic = mosaic_of("brief", "F160W")
    # The rim of the only pointing, 136 x 123 arcsec, is a good arcmin from the middle.
    window = cutout_window(mosaic.grid, 351.347812 + 0.0215, 28.497808, 400, 400)

    pixels = read(mosaic, window)

    blank = pixels.weight == 0
    assert 0.1 < blank.mean() < 0.9
    assert np.isnan(pixels.science[blank]).all()
    assert np.isfinite(pixels.science[~blank]).all()
    # Four dithered exposures.
    assert len(np.unique(pixels.weight)) >= 4
    assert pixels.weight.max() == pytest.approx(9800.0)


def test_deep_field_pixels_without_exposure_are_zero():
    mosaic = mosaic_of("candels_gs_60mas", "F160W")
    first = mosaic.footprint.exposures[0]
    x, y = mosaic.grid.pixels(mosaic.grid.frame.vectors(*first.corners()[0]))
    window = Window(round(float(x)) - 50, round(float(y)) - 50, 100, 100)

    pixels = read(mosaic, window)

    blank = pixels.weight == 0
    assert 0.1 < blank.mean() < 0.9
    assert not pixels.science[blank].any()
    assert pixels.science[~blank].all()


def test_galaxy_is_the_same_in_both_services():
    # The Ultra Deep Field is in GOODS-S and in HAP's sky cells.
    zcut, hap = mosaic_of("candels_gs_60mas", "F160W"), mosaic_of("HUDF", "F160W")
    galaxy = next(
        s
        for s in truth(53.1625, -27.7914, 0.02)
        if s["kind"] == "galaxy" and s["radius_arcsec"] < 1.0
    )
    place = galaxy["ra"], galaxy["dec"]
    expected = 10 ** (0.4 * (zcut.bandpass.zero_point - galaxy["magnitudes"]["WFC3/IR/F160W"]))

    sums, centres = [], []
    for mosaic in (zcut, hap):
        size = 4.0 / mosaic.grid.scale
        window = cutout_window(mosaic.grid, *place, size, size)
        image = read(mosaic, window).science.astype(float)
        rows, columns = np.indices(image.shape)
        x, y = mosaic.grid.pixels(unit_vectors(*place))
        centres.append(
            [
                ((image * columns).sum() / image.sum() + window.x - float(x)) * mosaic.grid.scale,
                ((image * rows).sum() / image.sum() + window.y - float(y)) * mosaic.grid.scale,
            ]
        )
        sums.append(image.sum())

    assert sums[0] == pytest.approx(sums[1], rel=0.05)
    assert sums[0] == pytest.approx(expected, rel=0.25)
    assert_allclose(centres[0], centres[1], atol=0.1)


# --- Witness: photutils ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("collection", "name", "position"),
    [
        # Beside the Ring: 36 stars per square arcmin, and no line of its halo in F547M.
        pytest.param("M57", "F547M", (283.4080, 33.0320), id="WFC3/UVIS"),
        # North of the lobes of NGC 6302, near the plane of the Milky Way.
        pytest.param("NGC6302", "F160W", (258.4354, -37.0922), id="WFC3/IR fine"),
    ],
)
def test_photutils_finds_planted_stars_and_measures_their_magnitudes(collection, name, position):
    from astropy.stats import sigma_clipped_stats
    from photutils.aperture import ApertureStats, CircularAnnulus, CircularAperture
    from photutils.detection import DAOStarFinder

    mosaic = mosaic_of(collection, name, position)
    scale = mosaic.grid.scale
    window = cutout_window(mosaic.grid, *position, 1300, 1300)
    image = read(mosaic, window).science.astype(float)
    _, median, noise = sigma_clipped_stats(image[np.isfinite(image)], sigma=2.5)
    image = np.nan_to_num(image - median)
    band = "/".join(mosaic.bandpass.key)
    stars = [s for s in truth(*position, 1300 * scale / 3600) if s["kind"] == "star"]
    places = unit_vectors(np.array([s["ra"] for s in stars]), np.array([s["dec"] for s in stars]))
    x, y = (v - o for v, o in zip(mosaic.grid.pixels(places), (window.x, window.y), strict=True))
    magnitude = np.array([s["magnitudes"][band] for s in stars])

    found = DAOStarFinder(threshold=6 * noise, fwhm=2.0 if scale < 0.05 else 3.0)(image)
    radius = 0.3 / scale
    at = list(zip(x, y, strict=True))
    sky = ApertureStats(image, CircularAnnulus(at, 3 * radius, 5 * radius)).median
    measured = ApertureStats(image, CircularAperture(at, radius)).sum - sky * math.pi * radius**2

    inside = (x > 20) & (x < 1280) & (y > 20) & (y < 1280)
    # Nobody near, and nobody brighter whose wings reach here.
    alone = np.array(
        [
            np.sort(np.hypot(x - a, y - b))[1] > 3 * radius
            and (np.hypot(x - a, y - b)[magnitude < m] > 12 * radius).all()
            for a, b, m in zip(x, y, magnitude, strict=True)
        ]
    )
    # Well above the noise, and not so bright that its wings are counted as stars.
    error = noise / 0.535 * math.sqrt(math.pi) * radius
    share = point_spread(mosaic.bandpass, scale).enclosed(0.3)
    truth_flux = 10 ** (0.4 * (mosaic.bandpass.zero_point - magnitude)) * share
    chosen = inside & alone & (truth_flux > 40 * error)
    assert chosen.sum() >= 5
    apart = np.hypot(
        np.array(found["x_centroid"]) - x[chosen, None],
        np.array(found["y_centroid"]) - y[chosen, None],
    )
    assert apart.min(axis=1).max() < 0.2
    excess = (measured / truth_flux - 1.0)[chosen]
    stated = np.hypot(error / truth_flux, 0.01)[chosen]
    assert np.median(excess) == pytest.approx(0.0, abs=0.01)
    # Now and then a star is on a faint galaxy, or on the spike of a bright one.
    assert np.mean(np.abs(excess) < 3 * stated) > 0.95


def test_truth_lists_the_field_brightest_first():
    found = truth(*GOODS_S, 0.01)

    magnitudes = [s["magnitudes"]["ACS/WFC/F814W"] for s in found if "magnitudes" in s]
    assert magnitudes == sorted(magnitudes)
    assert {s["kind"] for s in found} == {"galaxy", "star"}
    # 36 x 36 arcsec = 0.36 square arcmin of 230 galaxies each.
    assert len(found) == pytest.approx(0.36 * 313, abs=60)
    half = 0.005
    assert all(abs(s["dec"] - GOODS_S[1]) <= half + 1e-9 for s in found)


def test_truth_names_known_objects():
    assert truth(202.4696, 47.1952, 0.001)[0]["name"] == "M51"
