"""What the bits of TESS's QUALITY column mean, and which cadences they leave."""

import enum
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt


class TessQuality(enum.IntFlag):
    """
    Bits of the QUALITY column of TESS pixel files.

    TESSCut copies them from the full-frame images (header keyword DQUALITY), where only some of
    them are ever set: the pipeline flags whole images there, never single pixels.

    References
    ----------
    .. [1] TESS Science Data Products Description Document, EXP-TESS-ARC-ICD-0014, Table 28
       (bit 1 of that table has the value 1, bit 16 the value 32768).
    """

    ATTITUDE_TWEAK = 1
    SAFE_MODE = 2
    COARSE_POINT = 4
    EARTH_POINT = 8
    ARGABRIGHTENING = 16
    DESATURATION = 32
    APERTURE_COSMIC_RAY = 64
    MANUAL_EXCLUDE = 128
    DISCONTINUITY = 256
    IMPULSIVE_OUTLIER = 512
    COLLATERAL_COSMIC_RAY = 1024
    STRAYLIGHT = 2048
    STRAYLIGHT_2 = 4096
    PLANET_SEARCH_EXCLUDE = 8192
    BAD_CALIBRATION = 16384
    INSUFFICIENT_TARGETS = 32768


#: What each bit says about the cadence, in plain words.
MEANINGS: Mapping[TessQuality, str] = MappingProxyType(
    {
        TessQuality.ATTITUDE_TWEAK: "the spacecraft corrected its pointing",
        TessQuality.SAFE_MODE: "the spacecraft was in safe mode",
        TessQuality.COARSE_POINT: "the spacecraft was pointing coarsely",
        TessQuality.EARTH_POINT: "the spacecraft was turned to Earth to send its data",
        TessQuality.ARGABRIGHTENING: "the whole detector brightened suddenly",
        TessQuality.DESATURATION: "the reaction wheels were slowed down (momentum dump)",
        TessQuality.APERTURE_COSMIC_RAY: "a cosmic ray hit the target's pixels",
        TessQuality.MANUAL_EXCLUDE: "the mission team excluded it by hand",
        TessQuality.DISCONTINUITY: "a jump in brightness was corrected just before it",
        TessQuality.IMPULSIVE_OUTLIER: "a single value far off the others was removed",
        TessQuality.COLLATERAL_COSMIC_RAY: "a cosmic ray hit the calibration pixels",
        TessQuality.STRAYLIGHT: "stray light from Earth or Moon was expected",
        TessQuality.STRAYLIGHT_2: "stray light from Earth or Moon was measured",
        TessQuality.PLANET_SEARCH_EXCLUDE: "it was left out of the mission's planet search",
        TessQuality.BAD_CALIBRATION: "its calibration is bad",
        TessQuality.INSUFFICIENT_TARGETS: "too few stars were left to correct its errors",
    }
)

_DEFAULT = (
    TessQuality.ATTITUDE_TWEAK
    | TessQuality.SAFE_MODE
    | TessQuality.COARSE_POINT
    | TessQuality.EARTH_POINT
    | TessQuality.ARGABRIGHTENING
    | TessQuality.DESATURATION
    | TessQuality.MANUAL_EXCLUDE
    | TessQuality.IMPULSIVE_OUTLIER
    | TessQuality.BAD_CALIBRATION
)
_HARD = (
    _DEFAULT
    | TessQuality.APERTURE_COSMIC_RAY
    | TessQuality.COLLATERAL_COSMIC_RAY
    | TessQuality.STRAYLIGHT
    | TessQuality.STRAYLIGHT_2
)

#: Named choices of bits that make a cadence unusable: those of lightkurve's TessQualityFlags,
#: so that a light curve can be made again there. "hardest" takes any bit; in sectors with much
#: stray light "hard" and "hardest" lose half of the cadences.
MASKS: Mapping[str, int] = MappingProxyType(
    {"none": 0, "default": int(_DEFAULT), "hard": int(_HARD), "hardest": 65535}
)


def quality_bits(mask: str | int = "default") -> int:
    """
    Give the bits that a quality mask takes as unusable.

    Parameters
    ----------
    mask : str or int, optional
        A name of `MASKS`, or the bits themselves.

    Returns
    -------
    bits : int
        Sum of the values of `TessQuality`.

    Raises
    ------
    ValueError
        If the name is not one of `MASKS`, or the number is negative.
    """
    if isinstance(mask, str):
        if mask not in MASKS:
            msg = f"mask is {mask!r}, and must be one of {', '.join(MASKS)} or a number of bits"
            raise ValueError(msg)
        return MASKS[mask]
    if mask < 0:
        msg = f"mask is {mask}, and must not be negative"
        raise ValueError(msg)
    return int(mask)


def good_cadences(
    time: npt.NDArray[np.float64], quality: npt.NDArray[np.int32], mask: str | int = "default"
) -> npt.NDArray[np.bool_]:
    """
    Tell which cadences carry usable flux.

    Parameters
    ----------
    time : ndarray of shape (n_cadences,)
        Mid-exposure time, in BTJD days. NaN for a cadence without data: never good, whatever
        the mask (lightkurve keeps such cadences with its mask "none").
    quality : int ndarray of shape (n_cadences,)
        QUALITY column of the target pixel file.
    mask : str or int, optional
        A name of `MASKS`, or the bits that make a cadence unusable.

    Returns
    -------
    good : bool ndarray of shape (n_cadences,)
        `True` where the time is finite and no bit of the mask is set.

    Raises
    ------
    ValueError
        If the mask has no such name.

    Examples
    --------
    >>> good_cadences(np.array([1.0, 2.0, np.nan]), np.array([0, 32, 0], dtype=np.int32))
    array([ True, False, False])
    """
    usable: npt.NDArray[np.bool_] = np.isfinite(time) & ((quality & quality_bits(mask)) == 0)
    return usable


def quality_names(quality: int) -> tuple[str, ...]:
    """
    Name the bits that are set in one value of the QUALITY column.

    Parameters
    ----------
    quality : int
        One value. Bits beyond the 16 that are defined are named by their value.

    Returns
    -------
    names : tuple of str
        Lower-case words, lowest bit first: ``("desaturation", "straylight")``. Empty for 0.
    """
    value = int(quality)
    names = [
        flag.name.lower().replace("_", " ") for flag in TessQuality if flag.name and value & flag
    ]
    names += [f"bit value {1 << i}" for i in range(16, value.bit_length()) if value >> i & 1]
    return tuple(names)
