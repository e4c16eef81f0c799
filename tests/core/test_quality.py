import numpy as np
import pytest

from cutout_core.quality import (
    MASKS,
    MEANINGS,
    TessQuality,
    good_cadences,
    quality_bits,
    quality_names,
)


def test_sixteen_bits_have_names_and_meanings():
    assert [int(flag) for flag in TessQuality] == [1 << i for i in range(16)]
    assert set(MEANINGS) == set(TessQuality)
    assert all(MEANINGS.values())


@pytest.mark.parametrize(
    ("mask", "bits"), [("none", 0), ("default", 17087), ("hard", 24319), ("hardest", 65535)]
)
def test_named_masks_have_the_published_values(mask: str, bits: int):
    assert MASKS[mask] == quality_bits(mask) == bits


def test_unknown_mask_is_refused():
    with pytest.raises(ValueError, match="'best', and must be one of none, default, hard, hardest"):
        quality_bits("best")


def test_negative_bits_are_refused():
    with pytest.raises(ValueError, match="mask is -1"):
        quality_bits(-1)


def test_cadence_is_good_without_the_bits_of_the_mask():
    time = np.arange(5.0)
    quality = np.array([0, 32, 2048, 256, 32 | 2048], dtype=np.int32)

    assert good_cadences(time, quality).tolist() == [True, False, True, True, False]
    assert good_cadences(time, quality, "none").all()
    assert good_cadences(time, quality, "hard").tolist() == [True, False, False, True, False]
    assert good_cadences(time, quality, "hardest").tolist() == [True] + 4 * [False]
    assert good_cadences(time, quality, 256).tolist() == [True, True, True, False, True]


def test_cadence_without_a_time_is_never_good():
    good = good_cadences(np.array([1.0, np.nan]), np.zeros(2, dtype=np.int32), "none")

    assert good.tolist() == [True, False]


@pytest.mark.parametrize(
    ("quality", "names"),
    [
        (0, ()),
        (32, ("desaturation",)),
        (36, ("coarse point", "desaturation")),
        (18432, ("straylight", "bad calibration")),
        (65536, ("bit value 65536",)),
    ],
)
def test_bits_are_told_in_words(quality: int, names: tuple[str, ...]):
    assert quality_names(quality) == names
