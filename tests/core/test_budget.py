import pytest

from cutout_core.budget import MAX_FETCH_BYTES, check_budget
from cutout_core.errors import LimitError
from cutout_core.sectors import expected_cadences, predicted_bytes
from cutout_core.size import parse_size


def test_forty_sectors_of_the_usual_size_fit():
    check_budget(parse_size(11), [*range(1, 27), *range(61, 75)])


def test_largest_cutout_of_a_long_sector_is_refused_with_what_would_fit():
    with pytest.raises(
        LimitError, match=r"1 sector of 100 x 100 pixels would take 2\.\d GB"
    ) as said:
        check_budget(parse_size(100), [65])

    side = int(str(said.value).partition("at most ")[2].split()[0])
    n = expected_cadences(65)
    assert predicted_bytes(side, side, n, compressed=False) <= MAX_FETCH_BYTES
    assert predicted_bytes(side + 1, side + 1, n, compressed=False) > MAX_FETCH_BYTES
    check_budget(parse_size(side), [65])


def test_several_sectors_count_together():
    check_budget(parse_size(50), [65])

    with pytest.raises(LimitError, match="3 sectors of 50 x 50 pixels"):
        check_budget(parse_size(50), [65, 66, 67])
