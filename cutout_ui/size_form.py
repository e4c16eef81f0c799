"""The size of a TESS cutout: asked for in pixels or arcminutes, shown in both."""

from collections.abc import Sequence

import streamlit as st

from cutout_core.mast.tesscut import PIXEL_SCALE_ARCSEC, Sector
from cutout_core.sectors import expected_cadences, predicted_bytes
from cutout_core.size import CutoutSize, parse_size
from cutout_ui.problems import problems_shown

_PER_ARCMIN = 60.0 / PIXEL_SCALE_ARCSEC


def size_form() -> CutoutSize:
    """Ask for width and height; end the page with a sentence where they can't be used."""
    unit = st.segmented_control(
        "Size in",
        ["pixels", "arcmin"],
        default="pixels",
        required=True,
        key="tesscut_unit",
        bind="query-params",
    )
    if unit == "arcmin":
        width = _number("Width", 4.0, 0.35, 30.0, 0.5, "tesscut_width_arcmin")
        height = _number("Height", 4.0, 0.35, 30.0, 0.5, "tesscut_height_arcmin")
    else:
        width = _number("Width", 11, 1, 100, 1, "tesscut_width")
        height = _number("Height", 11, 1, 100, 1, "tesscut_height")
    with problems_shown():
        if unit == "arcmin":
            import astropy.units as u

            return parse_size((height, width) * u.arcmin)
        return parse_size((height, width))


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


def size_line(size: CutoutSize, sectors: Sequence[Sector]) -> None:
    """Say what the size means on the sky and what fetching it will cost."""
    ny, nx = size.in_pixels(PIXEL_SCALE_ARCSEC)
    n_bytes = sum(predicted_bytes(ny, nx, expected_cadences(s.sector)) for s in sectors)
    field = f"{nx} × {ny} pixels = {nx / _PER_ARCMIN:.1f} × {ny / _PER_ARCMIN:.1f} arcmin"
    plural = "sector" if len(sectors) == 1 else "sectors"
    cost = f"{len(sectors)} {plural}, about {n_bytes / 1e6:.1f} MB to fetch"
    st.caption(f"{field}. {cost}." if sectors else f"{field}. Tick a sector to fetch.")
