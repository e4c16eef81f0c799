"""The vocabulary of variability: what makes a star's light change, with its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal[
    "transit", "eclipse", "contact", "rr_lyrae", "cepheid", "delta_scuti", "spots", "flares"
]
QUIET = 0
KINDS: tuple[Kind, ...] = get_args(Kind)
CODES: dict[Kind, int] = {kind: code for code, kind in enumerate(KINDS, start=1)}


@dataclass(frozen=True, slots=True)
class Signal:
    """
    One cause of variability of one star. A value of 0 does not apply to this kind.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    name : str
        The planet's or the star's name.
    period_d, epoch_btjd : float
        Epoch of mid-transit, primary minimum, or maximum of a pulsation; faintest for spots.
    depth_ppm, duration_h : float
        Depth at mid-transit or in the primary eclipse, of the star's own light; first to last
        contact.
    depth2_ppm : float
        Depth of the secondary eclipse, half a period later.
    amplitude_mag : float
        Peak to peak, in TESS's band.
    rise_fraction : float
        Fraction of a pulsation period from minimum to maximum.
    flares_per_d, flare_peak : float
        Mean rate, and the relative height of the largest flare drawn.
    seed : int
        Of the flare times: the star's number.
    source : str
        Where the values are from.
    """

    kind: Kind
    name: str
    period_d: float = 0.0
    epoch_btjd: float = 0.0
    depth_ppm: float = 0.0
    duration_h: float = 0.0
    depth2_ppm: float = 0.0
    amplitude_mag: float = 0.0
    rise_fraction: float = 0.0
    flares_per_d: float = 0.0
    flare_peak: float = 0.0
    seed: int = 0
    source: str = ""
