"""Deep fields and surveys: table facts, distances, and words for names."""

import pytest
from astropy.coordinates import SkyCoord

from cutout_core.deep_fields import deep_fields, describe_survey, nearest_field


def test_nearest_field_is_the_one_astropy_finds():
    place = SkyCoord(10.68, 41.27, unit="deg")  # M31
    fields = deep_fields()
    expected = min(fields, key=lambda f: place.separation(SkyCoord(f.ra, f.dec, unit="deg")).deg)

    field, separation = nearest_field(10.68, 41.27)

    assert field == expected
    true = place.separation(SkyCoord(field.ra, field.dec, unit="deg")).deg
    assert separation == pytest.approx(true, abs=1e-9)


def test_one_arcminute_beside_a_field_is_one_arcminute():
    goods = next(f for f in deep_fields() if f.name == "GOODS-North")

    field, separation = nearest_field(goods.ra, goods.dec + 1 / 60)

    assert field is goods
    assert separation == pytest.approx(1 / 60, abs=1e-9)


def test_field_across_ra_zero_is_near():
    field, separation = nearest_field(359.9, -30.39725)

    assert field.name == "Abell 2744"
    assert separation == pytest.approx(3.18, abs=0.01)  # 3.688 deg x cos(30.4 deg)


@pytest.mark.parametrize(
    ("name", "title", "field", "pixel_arcsec"),
    [
        ("candels_gn_30mas", "CANDELS", "GOODS-North", 0.03),
        ("candels_gn_60mas", "CANDELS", "GOODS-North", 0.06),
        ("candels_uds_30mas", "CANDELS", "UDS", 0.03),
        ("goods_north", "GOODS", "GOODS-North", 0.03),
        ("3dhst_goods-n", "3D-HST", "GOODS-North", 0.2),
        ("3dhst_aegis", "3D-HST", "EGS", 0.2),
        ("hff-deepspace", "Frontier Fields", "", 0.06),
    ],
)
def test_known_survey_has_words(name: str, title: str, field: str, pixel_arcsec: float):
    survey = describe_survey(name)

    assert (survey.title, survey.field, survey.pixel_arcsec) == (title, field, pixel_arcsec)
    assert survey.telescope
    assert survey.about
    assert survey.n_images > 1


def test_new_survey_keeps_its_name():
    survey = describe_survey("jades_goods-s_x")

    assert (survey.title, survey.field) == ("jades_goods-s_x", "GOODS-South")
    assert survey.about == ""
