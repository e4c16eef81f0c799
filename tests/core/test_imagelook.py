"""Opening replies of Zcut and HAPCut: order, damage, and what pictures are."""

import io
from pathlib import Path

import astroquery.mast
import numpy as np
import pytest
from PIL import Image

from cutout_core.archive import CutoutArchive, read_archive
from cutout_core.errors import ProductError
from cutout_core.imagelook import by_wavelength, common_field_arcsec, open_reply
from tests.factories import make_wcs_cards, make_zip
from tests.image_factories import DEC, RA, make_hapcut_file, make_zcut_file

REAL = Path(astroquery.mast.__file__).parent / "tests" / "data"

ONES = np.ones((4, 6), dtype=np.float32)


def archive_of(**members: bytes) -> CutoutArchive:
    named = {name.replace("__", "."): content for name, content in members.items()}
    return read_archive(make_zip(named), "http://127.0.0.1/zcut")


def hapcut_file(wavelength_um: float, scale_arcsec: float, name: str) -> bytes:
    wcs = make_wcs_cards(ONES.shape, ra=RA, dec=DEC, scale_arcsec=scale_arcsec)
    cards = dict(wcs) | {"PHOTPLAM": wavelength_um * 1e4}
    return make_hapcut_file(ONES, ONES, primary={"FILTER": name, "ORIG_FLE": ""}, cards=cards)


def test_file_with_several_filters_gives_several_images():
    originals = [f"hlsp_candels_hst_acs_gn-tot-30mas_{f}_v1.0_drz.fits" for f in ("f606w", "f814w")]
    archive = archive_of(a__fits=make_zcut_file([ONES, ONES], originals))

    opened = open_reply(archive)

    assert [look.image.filter for look in opened.images] == ["F606W", "F814W"]
    assert len({look.key for look in opened.images}) == 2
    assert len({look.sha256 for look in opened.images}) == 1
    assert opened.problems == ()


def test_damaged_file_does_not_take_the_others_with_it():
    archive = archive_of(bad__fits=b"no FITS at all", good__fits=make_hapcut_file(ONES))

    opened = open_reply(archive)

    assert [look.member.name for look in opened.images] == ["good.fits"]
    assert len(opened.problems) == 1
    assert "bad.fits" in opened.problems[0]


def test_nothing_but_damage_is_an_error():
    with pytest.raises(ProductError, match=r"bad\.fits"):
        open_reply(archive_of(bad__fits=b"no FITS at all"))


def test_pictures_of_the_service_are_pictures():
    content = (REAL / "astrocut_189.49206_62.20615_100x100px.zip").read_bytes()

    opened = open_reply(read_archive(content, "http://127.0.0.1/zcut"), simulated=True)

    assert opened.images == ()
    assert {look.picture.shape for look in opened.pictures} == {(100, 100)}
    assert {look.picture.filter for look in opened.pictures} == {"F606W", "F814W", "F850LP"}
    assert all(look.simulated for look in opened.pictures)


def test_picture_that_is_none_is_a_problem():
    picture = io.BytesIO()
    Image.new("L", (3, 2)).save(picture, "PNG")

    opened = open_reply(archive_of(good__png=picture.getvalue(), bad__jpg=b"\xff\xd8 cut short"))

    assert [look.member.name for look in opened.pictures] == ["good.png"]
    assert "bad.jpg" in opened.problems[0]


def test_short_wavelengths_come_first_and_fine_pixels_before_coarse_ones():
    archive = archive_of(
        coarse__fits=hapcut_file(1.2486, 0.12, "F125W"),
        red__fits=hapcut_file(1.5369, 0.04, "F160W"),
        fine__fits=hapcut_file(1.2486, 0.04, "F125W"),
    )

    looks = by_wavelength(open_reply(archive).images)

    assert [look.member.name for look in looks] == ["fine.fits", "coarse.fits", "red.fits"]


def test_unknown_wavelength_comes_last():
    unknown = make_hapcut_file(ONES, primary={"FILTER": "DETECTION", "ORIG_FLE": ""})
    archive = archive_of(a__fits=unknown, b__fits=hapcut_file(1.5369, 0.04, "F160W"))

    looks = by_wavelength(open_reply(archive).images)

    assert [look.member.name for look in looks] == ["b.fits", "a.fits"]


def test_common_field_is_the_shortest_side_of_all_that_are_covered():
    blank = make_hapcut_file(np.zeros((2, 2), dtype=np.float32))
    archive = archive_of(
        large__fits=hapcut_file(1.2486, 0.12, "F125W"),  # 4 x 6 pixels
        small__fits=hapcut_file(1.2486, 0.04, "F125W"),
        blank__fits=blank,
    )

    field = common_field_arcsec(look.image for look in open_reply(archive).images)

    assert field == pytest.approx(4 * 0.04, rel=1e-4)


def test_no_image_has_no_common_field():
    assert np.isnan(common_field_arcsec([]))
