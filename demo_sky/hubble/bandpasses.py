"""Bandpasses of the simulated mosaics: wavelengths, zero points, detectors, the sky's light."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

_TABLE = Path(__file__).parent.parent / "data" / "filters.csv"

# AB magnitude of the sky per square arcsecond, by wavelength in micrometres: average zodiacal light
# and earth shine (WFC3 Instrument Handbook, section 9.7; ACS Instrument Handbook, section 9.4),
# at 1.5 micrometres with the telescope's own glow. Rounded.
_SKY_UM = (
    0.22, 0.27, 0.336, 0.39, 0.435, 0.475, 0.555, 0.606, 0.70, 0.80, 0.92, 1.05, 1.25, 1.4, 1.54,
)  # fmt: skip
_SKY_AB = (
    25.6, 25.2, 24.0, 23.4, 23.0, 22.75, 22.5, 22.4, 22.25, 22.1, 22.1, 22.2, 22.3, 22.3, 22.15,
)  # fmt: skip

# ABMAG = STMAG - 5 log(PHOTPLAM) + 18.692, STMAG = -2.5 log(PHOTFLAM) - 21.10 (WFC3 Data Handbook,
# section 9.1.1).
_ST_ZERO, _AB_MINUS_ST = 21.10, 18.692


@dataclass(frozen=True, slots=True)
class Detector:
    """
    One of Hubble's cameras. Instrument handbooks of ACS and WFC3; rounded.

    Attributes
    ----------
    pixel : float
        Size of its pixels, arcsec.
    diffusion : float
        Spread of charge between pixels (standard deviation), arcsec.
    read_noise : float
        e- per exposure and pixel; of an infrared one, of the slope of all its reads.
    dark : float
        e-/s per pixel.
    exposure : float
        Typical length of an exposure, seconds.
    width, height : float
        Field of view, arcsec.
    gap : float
        Between its two chips, one above the other, arcsec; 0 for a single one.
    """

    pixel: float
    diffusion: float
    read_noise: float
    dark: float
    exposure: float
    width: float
    height: float
    gap: float


DETECTORS = {
    ("ACS", "WFC"): Detector(0.05, 0.0175, 4.2, 0.012, 500.0, 202.0, 202.0, 2.5),
    ("WFC3", "UVIS"): Detector(0.04, 0.014, 3.1, 0.004, 500.0, 162.0, 162.0, 1.2),
    ("WFC3", "IR"): Detector(0.128, 0.03, 15.0, 0.05, 500.0, 136.0, 123.0, 0.0),
}


@dataclass(frozen=True, slots=True)
class Bandpass:
    """
    A filter in an instrument.

    Attributes
    ----------
    telescope, instrument, detector, name : str
        detector is empty where the instrument has but one.
    pivot, width : float
        Micrometres.
    zero_point : float
        AB magnitude of a source that gives 1 per second (Hubble) or sums to 1 (others).
    seeing : float
        FWHM of a point source, arcsec; NaN for Hubble.
    """

    telescope: str
    instrument: str
    detector: str
    name: str
    pivot: float
    width: float
    zero_point: float
    seeing: float

    @property
    def key(self) -> tuple[str, str, str]:
        """Instrument, detector and filter."""
        return self.instrument, self.detector, self.name

    @property
    def is_hubble(self) -> bool:
        """Whether the telescope is Hubble."""
        return self.telescope == "HST"

    @property
    def camera(self) -> Detector:
        """Hubble's detector."""
        return DETECTORS[self.instrument, self.detector]

    @property
    def counts_per_maggy(self) -> float:
        """Image units of a source of AB magnitude 0."""
        return float(10.0 ** (0.4 * self.zero_point))

    @property
    def photflam(self) -> float:
        """Inverse sensitivity, erg/cm2/Angstrom per e-."""
        angstrom = self.pivot * 1e4
        st = self.zero_point + 5.0 * math.log10(angstrom) - _AB_MINUS_ST
        return float(10.0 ** (-0.4 * (st + _ST_ZERO)))

    @property
    def sky(self) -> float:
        """Image units per square arcsecond that the sky sends."""
        magnitude = float(np.interp(self.pivot, _SKY_UM, _SKY_AB))
        return float(10.0 ** (0.4 * (self.zero_point - magnitude)))

    def holds(self, micrometres: float) -> bool:
        """Tell whether an emission line is in the band."""
        return abs(micrometres - self.pivot) < self.width / 2.0

    def line_counts(self, flux: float) -> float:
        """Convert the flux of a line in the band, erg/s/cm2, to image units."""
        return flux / (self.photflam * self.width * 1e4)


@lru_cache(maxsize=1)
def bandpasses() -> dict[tuple[str, str, str], Bandpass]:
    """
    Read the table of bandpasses.

    Returns
    -------
    bandpasses : dict of (instrument, detector, filter) to Bandpass
    """
    with _TABLE.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(line for line in lines if not line.startswith("#"))
        known = [
            Bandpass(
                row["telescope"],
                row["instrument"],
                row["detector"],
                row["filter"],
                float(row["pivot"]),
                float(row["width"]),
                float(row["zero_point"]),
                float(row["seeing"] or "nan"),
            )
            for row in rows
        ]
    return {each.key: each for each in known}
