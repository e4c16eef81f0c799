"""Medians of many rows or groups of float32 numbers at once, by one sort."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]


def row_medians(values: npt.NDArray[np.float32]) -> FloatArray:
    """
    Give the median of every row, without its NaN.

    Parameters
    ----------
    values : float32 ndarray of shape (n_rows, n)
        Sorted in place. Sorting float32 is five times faster than numpy's nanmedian, and puts NaN
        last.

    Returns
    -------
    medians : float64 ndarray of shape (n_rows,)
        NaN for a row that holds nothing else.
    """
    values.sort(axis=1)
    n_values = np.full(len(values), values.shape[1])
    gaps = np.flatnonzero(np.isnan(values[:, -1]))
    n_values[gaps] = np.count_nonzero(~np.isnan(values[gaps]), axis=1)
    # In a row without a value n is 0, and both indices point at a NaN.
    i = np.arange(len(values))
    lower, upper = values[i, (n_values - 1) // 2], values[i, n_values // 2]
    return np.asarray((lower.astype(np.float64) + upper) / 2)


def group_medians(
    values: npt.NDArray[np.float32], groups: npt.NDArray[np.integer], n_groups: int
) -> FloatArray:
    """
    Give the median of the values of every group.

    Parameters
    ----------
    values : float32 ndarray of shape (n,)
        Without NaN.
    groups : int ndarray of shape (n,)
        Which group each belongs to, from 0 on.
    n_groups : int
        How many there are.

    Returns
    -------
    medians : float64 ndarray of shape (n_groups,)
        NaN for a group without a value.
    """
    # One sort of whole numbers, of which the upper half is the group and the lower half the value
    # in an order-preserving form: the bits of a positive float grow with it, and those of a
    # negative one fall.
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    flipped = bits ^ np.where(bits >> 31, np.uint32(0xFFFFFFFF), np.uint32(0x80000000))
    keys = groups.astype(np.uint64) << np.uint64(32)
    keys |= flipped
    keys.sort()
    n_values = np.bincount(groups, minlength=n_groups)
    start = np.cumsum(n_values) - n_values
    medians = np.full(n_groups, np.nan)
    known = np.flatnonzero(n_values)
    middle = np.stack([(n_values[known] - 1) // 2, n_values[known] // 2]) + start[known]
    bits = (keys[middle] & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    bits ^= np.where(bits >> 31, np.uint32(0x80000000), np.uint32(0xFFFFFFFF))
    medians[known] = bits.view(np.float32).astype(np.float64).mean(axis=0)
    return medians
