from fractions import Fraction

import astropy.units as u
import numpy as np
import pytest
from astroquery.mast import cutouts as astroquery_cutouts
from hypothesis import given
from hypothesis import strategies as st

from cutout_core.errors import LimitError, SizeError
from cutout_core.size import CutoutSize, parse_size

GOOD = [
    pytest.param(5, CutoutSize(5, 5, "px"), id="number"),
    pytest.param(5.5, CutoutSize(5.5, 5.5, "px"), id="fraction"),
    pytest.param((3, 7), CutoutSize(3, 7, "px"), id="ny nx"),
    pytest.param([50, 100], CutoutSize(50, 100, "px"), id="list"),
    pytest.param((3, 5.0), CutoutSize(3, 5.0, "px"), id="int and float"),
    pytest.param(np.array([5, 10]), CutoutSize(5, 10, "px"), id="int array"),
    pytest.param(np.array([3.0, 5.0]), CutoutSize(3.0, 5.0, "px"), id="float array"),
    pytest.param(np.int64(5), CutoutSize(5, 5, "px"), id="numpy int"),
    pytest.param(np.float32(5.1), CutoutSize(5.1, 5.1, "px"), id="float32 as it prints"),
    pytest.param(5 * u.pix, CutoutSize(5.0, 5.0, "px"), id="pixels"),
    pytest.param([1, 1] * u.pix, CutoutSize(1.0, 1.0, "px"), id="array of pixels"),
    pytest.param(u.Quantity(5, u.pix, dtype=int), CutoutSize(5, 5, "px"), id="whole pixels"),
    pytest.param([5 * u.pix, 3 * u.pix], CutoutSize(5.0, 3.0, "px"), id="list of pixels"),
    pytest.param(6 * u.arcmin, CutoutSize(0.1, 0.1, "deg"), id="angle"),
    pytest.param([6] * u.arcmin, CutoutSize(0.1, 0.1, "deg"), id="angle in an array"),
    pytest.param([6, 12] * u.arcmin, CutoutSize(0.1, 0.2, "deg"), id="angles"),
    pytest.param((6 * u.arcmin, 720 * u.arcsec), CutoutSize(0.1, 0.2, "deg"), id="two units"),
    pytest.param(5 * u.arcsec, CutoutSize(5 / 3600, 5 / 3600, "deg"), id="arcsec"),
]


@pytest.mark.parametrize(("size", "expected"), GOOD)
def test_size_is_read_in_ny_nx_order(size, expected):
    read = parse_size(size)

    assert read.unit == expected.unit
    assert (read.ny, read.nx) == pytest.approx((expected.ny, expected.nx), rel=1e-14)


@pytest.mark.parametrize("size", [param.values[0] for param in GOOD])
def test_size_is_sent_in_the_words_of_astroquery(size):
    expected = astroquery_cutouts._parse_cutout_size(size)

    query = parse_size(size).as_query()

    assert [(k, str(v)) for k, v in query.items()] == [(k, str(v)) for k, v in expected.items()]


@pytest.mark.parametrize(
    ("size", "x", "y", "units"),
    [
        # What astroquery was recorded to send (contract/recorded_requests_main.json).
        (5, "5", "5", "px"),
        (1, "1", "1", "px"),
        ((3, 7), "7", "3", "px"),
        ([1, 1] * u.pix, "1.0", "1.0", "px"),
        (5 * u.arcmin, "0.08333333333333333", "0.08333333333333333", "d"),
        ([1, 1] * u.arcmin, "0.016666666666666666", "0.016666666666666666", "d"),
        (5 * u.arcsec, "0.001388888888888889", "0.001388888888888889", "d"),
    ],
)
def test_size_is_sent_as_recorded(size, x, y, units):
    query = parse_size(size).as_query()

    assert {k: str(v) for k, v in query.items()} == {"x": x, "y": y, "units": units}


@pytest.mark.parametrize("size", [[5], np.array(5), Fraction(5, 1)])
def test_square_is_read_where_astroquery_stumbles(size):
    read = parse_size(size)

    assert (read.ny, read.nx, read.unit) == (5, 5, "px")


@pytest.mark.parametrize(
    ("size", "words"),
    [
        pytest.param(0, "A cutout of 0 pixels cannot be made", id="zero"),
        pytest.param(-1, "A cutout of -1 pixels", id="negative"),
        pytest.param((5, -2), "A cutout of -2 pixels", id="one negative"),
        pytest.param(-(10**400), "A cutout of -1e", id="very negative"),
        pytest.param(float("nan"), "A cutout of nan pixels", id="NaN"),
        pytest.param(float("inf"), "A cutout of inf pixels", id="infinite"),
        pytest.param(float("-inf"), "A cutout of -1e", id="minus infinite"),
        pytest.param(np.nan * u.arcmin, "A cutout of nan degrees", id="NaN angle"),
        pytest.param(0 * u.arcmin, "A cutout of 0 degrees", id="zero angle"),
        pytest.param((1, 2, 3), r"\(1, 2, 3\) has 3 numbers", id="three"),
        pytest.param([1, 2, 3] * u.arcmin, "has 3 numbers; it takes one or two", id="three angles"),
        pytest.param([], "has 0 numbers", id="none"),
        pytest.param("5", '"5" is not a number.*5 \\* u.arcmin', id="text"),
        pytest.param(b"5", "is not a number", id="bytes"),
        pytest.param((5, "a"), '"a" is not a number', id="letter"),
        pytest.param(None, "None is not a number", id="None"),
        pytest.param(True, "True is not a number", id="bool"),
        pytest.param(1 + 2j, "is not a number", id="complex"),
        pytest.param({1, 2}, "is not a number", id="set"),
        pytest.param(np.ones((2, 2)), "is not a number", id="matrix"),
        pytest.param(5 * u.m, "neither in pixels nor an angle", id="metres"),
        pytest.param(5 * u.one, "neither in pixels nor an angle", id="no unit"),
        pytest.param((5, 5 * u.arcmin), "mixes pixels and angles", id="mixed"),
    ],
)
def test_unusable_size_is_refused_with_its_value(size, words):
    with pytest.raises(SizeError, match=words):
        parse_size(size)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (100_001, r"100001 pixels is larger than any service makes \(100000 pixels at most\)"),
        (10**400, "more than 1e12 pixels"),
        (200 * u.deg, r"200 degrees is larger.*180 degrees at most"),
    ],
)
def test_size_beyond_every_service_is_refused_with_the_limit(size, words):
    with pytest.raises(LimitError, match=words):
        parse_size(size)


@pytest.mark.parametrize(
    ("size", "pixels"),
    [
        (5, (5, 5)),
        ((3, 7), (3, 7)),
        (0.2, (1, 1)),
        (5.5, (6, 6)),
        # 5 arcmin are 14.3 pixels of 21 arcsec: TESSCut sends 15 (mast-api.md 2.7).
        (5 * u.arcmin, (15, 15)),
        # 35 arcmin are 100 pixels exactly, whatever floating point makes of it.
        (35 * u.arcmin, (100, 100)),
        ([21, 42] * u.arcsec, (1, 2)),
    ],
)
def test_pixels_are_counted_whole(size, pixels):
    assert parse_size(size).in_pixels(21.0) == pixels


@given(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=5),
        st.lists(st.one_of(st.integers(), st.floats(), st.text(max_size=2)), max_size=4),
    )
)
def test_anything_is_a_size_or_a_size_error(size):
    try:
        read = parse_size(size)
    except (SizeError, LimitError):
        return
    assert all(0 < side <= 100_000 for side in (read.ny, read.nx))
