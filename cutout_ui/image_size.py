"""The size of a cutout of Hubble images: asked for on the sky or in pixels."""

import streamlit as st

from cutout_core.size import CutoutSize, parse_size
from cutout_ui.problems import problems_shown

# Larger ones would take a class's laptop too long to fetch, and more than a screen shows.
LARGEST_ARCSEC = 90.0
LARGEST_PIXELS = 1800


def image_size(page: str, *, default_arcsec: float, default_pixels: int) -> CutoutSize:
    """Ask for width and height; end the page with a sentence where they can't be used."""
    unit = st.segmented_control(
        "Size in",
        ["arcsec", "pixels"],
        default="arcsec",
        required=True,
        key=f"{page}_unit",
        bind="query-params",
        help=(
            "In arcseconds every image shows the same piece of sky. In pixels every image "
            "has the same number of pixels, and those with fine pixels show less sky."
        ),
    )
    if unit == "pixels":
        width = _number("Width", default_pixels, 1, LARGEST_PIXELS, 50, f"{page}_width_px")
        height = _number("Height", default_pixels, 1, LARGEST_PIXELS, 50, f"{page}_height_px")
    else:
        width = _number("Width", default_arcsec, 0.5, LARGEST_ARCSEC, 2.0, f"{page}_width")
        height = _number("Height", default_arcsec, 0.5, LARGEST_ARCSEC, 2.0, f"{page}_height")
    with problems_shown():
        if unit == "pixels":
            return parse_size((height, width))
        import astropy.units as u

        return parse_size((height, width) * u.arcsec)


def _number(label: str, value: float, low: float, high: float, step: float, key: str) -> float:
    return st.number_input(
        label,
        min_value=low,
        max_value=high,
        value=value,
        step=step,
        key=key,
        bind="query-params",
        width=140,
    )


def size_in_words(size: CutoutSize, pixel_arcsec: float) -> str:
    """Say what a size is on the sky and in pixels of a given side."""
    ny, nx = size.in_pixels(pixel_arcsec)
    if size.unit == "deg":
        sky = f"{size.nx * 3600:.3g} × {size.ny * 3600:.3g} arcsec"
        return f"{sky}, {nx} × {ny} pixels of {pixel_arcsec:g} arcsec"
    return (
        f"{nx} × {ny} pixels; with pixels of {pixel_arcsec:g} arcsec "
        f"{nx * pixel_arcsec:.3g} × {ny * pixel_arcsec:.3g} arcsec"
    )


def bytes_in_words(n_bytes: float) -> str:
    """Write a number of bytes for a person, in no more digits than a prediction has."""
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes < 9.95e6 else f"{n_bytes / 1e6:.0f} MB"
