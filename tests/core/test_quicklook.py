import hashlib

import numpy as np
import pytest

from cutout_core.archive import read_archive
from cutout_core.errors import ProductError
from cutout_core.photometry import mean_image
from cutout_core.quicklook import look_at
from tests.factories import make_moving_tpf_file, make_tpf_file, make_zip


def test_every_file_of_a_reply_is_opened_in_its_order():
    first, second = make_tpf_file(), make_tpf_file(np.ones((4, 5, 5)))
    archive = read_archive(make_zip({"a.fits": first, "b.fits": second}), "http://x/")

    looks = look_at(archive, "Pi Mensae")

    assert [look.member.name for look in looks] == ["a.fits", "b.fits"]
    assert [look.tpf.shape for look in looks] == [(2, 3), (5, 5)]
    assert looks[0].sha256 == hashlib.sha256(first).hexdigest()
    assert looks[0].light_curve.target == "Pi Mensae"
    assert looks[0].light_curve.track is None
    assert looks[0].mean_image == pytest.approx(np.arange(6).reshape(2, 3) + 106)


def test_moving_target_is_followed():
    column = 50.3 + 0.8 * np.arange(80)
    content = make_moving_tpf_file(column, column, target_flux=5000.0)

    (look,) = look_at(read_archive(make_zip({"a.fits": content}), "http://x/"))

    assert look.tpf.is_moving
    assert look.light_curve.track is not None
    assert look.light_curve.target == "Eleonora"
    # The target stands still in the mean of the frames: in the middle, and up to a pixel beyond.
    y, x = np.unravel_index(np.argmax(look.mean_image), look.mean_image.shape)
    assert (y, x) in {(5, 5), (5, 6), (6, 5), (6, 6)}
    assert np.array_equal(look.mean_image, mean_image(look.tpf, look.light_curve.good))


def test_damaged_file_is_an_error():
    archive = read_archive(make_zip({"a.fits": make_tpf_file()[:3000]}), "http://x/")

    with pytest.raises(ProductError, match="cut short"):
        look_at(archive)
