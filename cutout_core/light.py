"""Wavelengths and filters in words: the colour that an eye would see, and what glows there."""

import math

# Hubble's narrow filters that were made for a line of a glowing gas, by instrument where they
# differ: WFC3 Instrument Handbook, tables 6.2 and 7.2; ACS Instrument Handbook, table 5.1.
_LINES = {
    ("", "F373N"): "oxygen [O II]",
    ("", "F437N"): "oxygen [O III]",
    ("", "F469N"): "helium He II",
    ("", "F487N"): "hydrogen Hβ",
    ("", "F502N"): "oxygen [O III]",
    ("", "F631N"): "oxygen [O I]",
    ("", "F656N"): "hydrogen Hα",
    ("", "F657N"): "hydrogen Hα and nitrogen [N II]",
    ("ACS", "F658N"): "hydrogen Hα and nitrogen [N II]",
    ("WFC3", "F658N"): "nitrogen [N II]",
    ("", "F673N"): "sulfur [S II]",
    ("", "F126N"): "iron [Fe II]",
    ("", "F128N"): "hydrogen Paβ",
    ("", "F164N"): "iron [Fe II]",
}

# Upper ends of the ranges in micrometres. Visible light is what the eye sees, 0.38 to 0.75; its
# colours as in any school book; the infrared as astronomers part it.
_RANGES = (
    (0.38, "ultraviolet"),
    (0.45, "violet"),
    (0.50, "blue"),
    (0.57, "green"),
    (0.59, "yellow"),
    (0.62, "orange"),
    (0.75, "red"),
    (2.5, "near infrared"),
    (25.0, "mid infrared"),
)


def wavelength_text(wavelength_um: float) -> str:
    """
    Write a wavelength in the unit that is usual for it.

    Parameters
    ----------
    wavelength_um : float
        In micrometres; NaN if not known.

    Returns
    -------
    text : str
        "606 nm" or "1.54 µm", "" if not known.
    """
    if not math.isfinite(wavelength_um):
        return ""
    return f"{wavelength_um * 1000:.0f} nm" if wavelength_um < 1 else f"{wavelength_um:.2f} µm"


def light_name(wavelength_um: float) -> str:
    """
    Name the kind of light of a wavelength.

    Parameters
    ----------
    wavelength_um : float
        In micrometres; NaN if not known.

    Returns
    -------
    name : str
        "ultraviolet", a colour, "near infrared" or "mid infrared"; "" if not known.
    """
    return next((name for end, name in _RANGES if wavelength_um < end), "")


def glowing_gas(filter_name: str, instrument: str = "") -> str:
    """
    Tell which glowing gas a narrow filter lets through.

    Parameters
    ----------
    filter_name : str
        Such as "F656N".
    instrument : str, optional
        Such as "WFC3".

    Returns
    -------
    gas : str
        Such as "hydrogen Hα", "" for a filter that is not made for a line.
    """
    key = filter_name.upper()
    return _LINES.get((instrument.upper(), key)) or _LINES.get(("", key), "")
