"""Words for wavelengths and filters."""

import math

import pytest

from cutout_core.light import glowing_gas, light_name, wavelength_text


@pytest.mark.parametrize(
    ("wavelength_um", "text"),
    [(0.5919, "592 nm"), (0.9996, "1000 nm"), (1.5369, "1.54 µm"), (3.6, "3.60 µm")],
)
def test_wavelength_has_the_usual_unit(wavelength_um: float, text: str):
    assert wavelength_text(wavelength_um) == text


@pytest.mark.parametrize(
    ("wavelength_um", "name"),
    [
        (0.275, "ultraviolet"),
        (0.4329, "violet"),
        (0.5361, "green"),
        (0.656, "red"),
        (0.814, "near infrared"),
        (1.54, "near infrared"),
        (4.5, "mid infrared"),
    ],
)
def test_light_has_its_name(wavelength_um: float, name: str):
    assert light_name(wavelength_um) == name


def test_unknown_wavelength_has_no_words():
    assert wavelength_text(math.nan) == ""
    assert light_name(math.nan) == ""


def test_narrow_filter_shows_its_gas():
    assert glowing_gas("f502n") == "oxygen [O III]"
    assert glowing_gas("F658N", "ACS") == "hydrogen Hα and nitrogen [N II]"
    assert glowing_gas("F658N", "WFC3") == "nitrogen [N II]"


def test_wide_filter_shows_no_gas():
    assert glowing_gas("F606W", "ACS") == ""
