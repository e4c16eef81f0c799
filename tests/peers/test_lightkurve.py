"""lightkurve as a second opinion: the same light curves from the same real files."""

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from cutout_core.photometry import (
    background,
    background_pixels,
    default_aperture,
    mean_image,
    sum_aperture,
)
from cutout_core.quality import MASKS, MEANINGS, TessQuality, good_cadences
from cutout_core.tpf import read_tpf
from tests.factories import make_tpf_file, real_file_of_2018

with warnings.catch_warnings():
    # It warns of an optional package (oktopus) that only its point-spread-function models need.
    warnings.filterwarnings("ignore", message=".*tpfmodel submodule.*", category=UserWarning)
    import lightkurve

REAL = [
    "2018",
    "tess-s0001-4-2_84.291190_-80.469170_6x6_astrocut.fits",
    "tesscut_s0012_1x1.fits",
]


@pytest.fixture(params=REAL)
def content(request: pytest.FixtureRequest) -> bytes:
    """A real file, as bytes."""
    if request.param == "2018":
        return real_file_of_2018()[1]
    folder: Path = request.getfixturevalue("real_replies")
    return (folder / request.param).read_bytes()


@contextlib.contextmanager
def opened_by_lightkurve(content: bytes, mask: str = "none") -> Iterator[Any]:
    with fits.open(io.BytesIO(content)) as hdus:
        yield lightkurve.TessTargetPixelFile(hdus, quality_bitmask=mask)


def all_pixels(shape: tuple[int, int]) -> np.ndarray:
    return np.ones(shape, dtype=bool)


def three_by_three(shape: tuple[int, int]) -> np.ndarray:
    rows, columns = np.indices(shape)
    return (abs(rows - shape[0] // 2) <= 1) & (abs(columns - shape[1] // 2) <= 1)


@pytest.mark.parametrize("choose", [all_pixels, three_by_three])
@pytest.mark.parametrize("mask", ["none", "default", "hard", "hardest"])
def test_light_curve_is_lightkurve_s(content: bytes, choose: Callable[..., Any], mask: str):
    tpf = read_tpf(content)
    aperture = choose(tpf.shape)

    ours = sum_aperture(tpf, aperture, mask=mask)

    with opened_by_lightkurve(content, mask) as peer:
        theirs = peer.extract_aperture_photometry(aperture)
    good = ours.good
    assert ours.n_good == len(theirs) > 0
    # Not as BTJD: lightkurve takes the times of 2018, whose header has no BJDREFI, for full dates.
    assert ours.time[good].tolist() == theirs.time.value.tolist()
    assert ours.flux[good] == pytest.approx(theirs.flux.value, rel=1e-6)
    assert ours.flux_err[good] == pytest.approx(theirs.flux_err.value, rel=1e-6)
    assert ours.quality[good].tolist() == theirs.quality.tolist()


def test_background_is_lightkurve_s(content: bytes):
    tpf = read_tpf(content)
    pixels = all_pixels(tpf.shape)

    level = background(tpf, pixels)

    with opened_by_lightkurve(content) as peer:
        theirs = peer.estimate_background(pixels).flux.value
    assert level == pytest.approx(theirs, rel=1e-6)


def test_missing_pixels_and_empty_frames_are_treated_as_lightkurve_does():
    flux = np.random.default_rng(4).normal(100, 5, (6, 5, 5)).astype(np.float32)
    flux[1, 2, 2] = np.nan
    flux[2, 1:4, 1:4] = np.nan
    flux[3] = 0
    content = make_tpf_file(flux, flux_err=np.sqrt(np.abs(flux)))
    aperture = three_by_three((5, 5))

    ours = sum_aperture(read_tpf(content), aperture)

    with opened_by_lightkurve(content) as peer:
        theirs = peer.extract_aperture_photometry(aperture)
    assert ours.flux == pytest.approx(theirs.flux.value, rel=1e-6, nan_ok=True)
    assert ours.flux_err == pytest.approx(theirs.flux_err.value, rel=1e-6, nan_ok=True)
    assert np.isnan(ours.flux).tolist() == [False, False, True, True, False, False]


def test_masks_are_lightkurve_s():
    assert dict(MASKS) == lightkurve.utils.TessQualityFlags.OPTIONS


def test_bits_are_lightkurve_s():
    theirs = lightkurve.utils.TessQualityFlags

    assert theirs.Straylight == TessQuality.STRAYLIGHT
    assert theirs.Desat == TessQuality.DESATURATION
    assert theirs.BadCalibrationExclude == TessQuality.BAD_CALIBRATION
    assert theirs.InsufficientTargets == TessQuality.INSUFFICIENT_TARGETS
    assert {int(flag) for flag in MEANINGS} == set(theirs.STRINGS)


def test_automatic_aperture_of_a_lone_star_is_like_lightkurve_s_threshold_mask(real_replies: Path):
    content = (real_replies / REAL[1]).read_bytes()
    tpf = read_tpf(content)
    image = mean_image(tpf, good_cadences(tpf.time, tpf.quality))

    ours = default_aperture(image)

    with opened_by_lightkurve(content) as peer:
        theirs = peer.create_threshold_mask(threshold=1)
    # Pi Mensae fills its stamp of 6 x 6 pixels: at 3 sigma lightkurve finds no pixel at all.
    assert ours[theirs].all()
    assert not (background_pixels(image, ours) & theirs).any()
