"""What this machine can hold: refuse a fetch that would not fit, before it is sent."""

from collections.abc import Iterable

from cutout_core.errors import LimitError
from cutout_core.mast.tesscut_requests import PIXEL_SCALE_ARCSEC
from cutout_core.sectors import expected_cadences, predicted_bytes
from cutout_core.size import CutoutSize

#: Bytes of files, once inflated, that one fetch may have. 40 sectors of 11 x 11 pixels have 0.9 GB;
#: while a file is read it takes up to twice its size.
MAX_FETCH_BYTES = 1_200_000_000


def check_budget(size: CutoutSize, sectors: Iterable[int]) -> None:
    """
    Refuse a fetch that is too large for this machine.

    Parameters
    ----------
    size : CutoutSize
    sectors : iterable of int

    Raises
    ------
    LimitError
        If the files would have more than `MAX_FETCH_BYTES`; says what would fit.
    """
    ny, nx = size.in_pixels(PIXEL_SCALE_ARCSEC)
    each = [
        predicted_bytes(ny, nx, expected_cadences(sector), compressed=False) for sector in sectors
    ]
    if sum(each) <= MAX_FETCH_BYTES:
        return
    msg = (
        f"{len(each)} {'sector' if len(each) == 1 else 'sectors'} of {nx} x {ny} pixels would take "
        f"{sum(each) / 1e9:.1f} GB of memory, and one fetch may take {MAX_FETCH_BYTES / 1e9:.1f}. "
    )
    side = _largest_side([expected_cadences(sector) for sector in sectors])
    msg += f"Choose at most {side} x {side} pixels, or fewer sectors."
    raise LimitError(msg)


def _largest_side(cadences: list[int]) -> int:
    side = 1
    while (
        sum(predicted_bytes(side + 1, side + 1, n, compressed=False) for n in cadences)
        <= MAX_FETCH_BYTES
    ):
        side += 1
    return side
