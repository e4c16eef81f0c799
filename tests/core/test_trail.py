import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from cutout_core.local_sky import local_sky
from cutout_core.tpf import TargetPixelFile, read_tpf
from cutout_core.trail import Trail, find_trail, trail_png
from tests.factories import make_moving_tpf_file, make_tpf_file, make_wcs_cards

ORANGE = np.array([255, 176, 0])


def moving(n: int = 150, **options) -> TargetPixelFile:
    along = 0.7 * np.arange(n)
    return read_tpf(make_moving_tpf_file(40.3 + along, 60.6 + along / 3, **options))


def all_good(tpf: TargetPixelFile) -> np.ndarray:
    return np.ones(tpf.n_cadences, dtype=bool)


def trail_of(tpf: TargetPixelFile) -> Trail:
    trail = find_trail(tpf, all_good(tpf))
    assert trail is not None
    return trail


def pixels_of(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png)) as picture:
        return np.asarray(picture.convert("RGB"))


def test_way_leads_over_the_pixels_where_the_target_was():
    tpf = moving()

    trail = trail_of(tpf)

    # The image begins with the first window: at column rint(40.3 - 5.5) and row rint(60.6 - 5.5).
    assert trail.x == pytest.approx(40.3 + 0.7 * np.arange(150) - 35)
    assert trail.y == pytest.approx(60.6 + 0.7 * np.arange(150) / 3 - 55)
    assert trail.time == pytest.approx(tpf.time)
    assert trail.image.shape == (round(0.7 * 149 / 3) + 11, round(0.7 * 149) + 11)
    # BTJD 1325.3 is 2018-07-25 19:12 TDB; less 69 s, and the 0.005 d to the barycentre.
    assert (trail.start, trail.end) == ("2018-07-25 19:03 UTC", "2018-07-28 21:33 UTC")


def test_stars_along_the_way_are_shown_without_the_target():
    field = np.zeros((200, 220))
    field[66, 60] = 700.0
    trail = trail_of(moving(field=field, target_flux=5000.0))

    assert trail.image[66 - 55, 60 - 35] == pytest.approx(700.0, abs=5)
    assert np.nanmax(trail.image) == pytest.approx(700.0, abs=5)


def test_only_good_cadences_are_on_the_way():
    tpf = moving()
    good = all_good(tpf)
    good[100:] = False

    trail = find_trail(tpf, good)

    assert trail is not None
    assert len(trail.x) == 100


@pytest.mark.parametrize(
    ("change", "good"),
    [({"ffi_wcs": None}, True), ({}, False)],
    ids=["no coordinates", "no good cadence"],
)
def test_way_is_not_known_without_coordinates_or_good_cadences(change, good):
    tpf = replace(moving(), **change)

    assert find_trail(tpf, np.full(tpf.n_cadences, good)) is None


def test_fixed_target_has_no_way():
    with pytest.raises(ValueError, match="follows no moving target"):
        find_trail(read_tpf(make_tpf_file()), np.ones(3, dtype=bool))


def test_north_in_the_middle_is_that_of_the_ccd():
    cards = make_wcs_cards((200, 220), rotation_deg=30.0)
    trail = trail_of(moving(wcs_cards=cards))

    assert trail.sky is not None
    assert trail.sky.north_deg == pytest.approx(30.0, abs=3.0)
    assert trail.sky.scale_arcsec == pytest.approx(21.0, rel=0.01)


def test_picture_has_the_way_in_orange_from_its_beginning_to_its_end():
    trail = trail_of(moving())

    picture = pixels_of(trail_png(trail, title="354 Eleonora"))

    zoom = 1000 // trail.image.shape[1]
    orange = (picture == ORANGE).all(axis=2)
    rows, columns = np.nonzero(orange)
    left = (picture.shape[1] - trail.image.shape[1] * zoom) // 2
    assert columns.min() < left + (trail.x[0] + 0.5) * zoom
    assert columns.max() > left + (trail.x[-1] + 0.5) * zoom - 3
    # The way climbs: row 0 is at the bottom.
    assert rows[columns < columns.min() + 20].mean() > rows[columns > columns.max() - 20].mean()


def test_each_day_has_a_dot():
    # Three days and a bit.
    trail = trail_of(moving())
    few = replace(trail, time=trail.time[0] + np.linspace(0, 0.5, len(trail.time)))

    def n_orange(one: Trail) -> int:
        return int((pixels_of(trail_png(one, title="x")) == ORANGE).all(axis=2).sum())

    # A dot of radius 3.5 covers some 38 pixels, of which the line has a few already.
    assert 3 * 10 < n_orange(trail) - n_orange(few) < 3 * 45


def test_compass_of_the_picture_points_north():
    from cutout_core.trail import _plane_wcs

    cards = make_wcs_cards((200, 220), rotation_deg=70.0)
    trail = trail_of(moving(wcs_cards=cards))

    wcs = _plane_wcs(trail, 3)

    ny, nx = trail.image.shape
    sky = local_sky(wcs, (3 * nx - 1) / 2, (3 * ny - 1) / 2)
    assert sky is not None
    assert trail.sky is not None
    assert sky.north_deg == pytest.approx(trail.sky.north_deg, abs=1e-3)
    assert sky.east_deg == pytest.approx(trail.sky.east_deg, abs=1e-3)
    assert sky.scale_arcsec == pytest.approx(trail.sky.scale_arcsec / 3, rel=1e-4)


def test_simulated_picture_says_so():
    trail = trail_of(moving())

    real, simulated = (
        pixels_of(trail_png(trail, title="x", simulated=said)) for said in (False, True)
    )

    assert simulated.shape[0] > real.shape[0]


def test_way_of_a_single_cadence_is_a_ring():
    tpf = moving(40)
    good = np.zeros(40, dtype=bool)
    good[20] = True

    trail = find_trail(tpf, good)

    assert trail is not None
    assert (pixels_of(trail_png(trail, title="x")) == ORANGE).all(axis=2).sum() > 50
