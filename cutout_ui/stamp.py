"""The picture of a stamp: its pixels with aperture, target, compass and scale bar drawn over."""

import base64
import html

import streamlit as st

from cutout_core.quicklook import QuickLook
from cutout_core.render import aperture_edges, compass, scale_bar, stamp_png

_SIDE = 600  # width of the drawing's coordinates; the browser scales it to the room there is

# A component and not st.html, which removes pictures inside SVG. The browser enlarges the pixels:
# the picture travels at its native size.
_drawing = st.components.v2.component(
    "skystamp_stamp",
    html='<div class="stamp"></div>',
    css="""
    .stamp { color: var(--st-text-color); font-family: var(--st-font); }
    .stamp svg { display: block; width: 100%; height: auto; }
    .stamp image { image-rendering: pixelated; }
    """,
    js="""
    export default function ({ data, parentElement }) {
      parentElement.querySelector(".stamp").innerHTML = data.svg;
    }
    """,
)


def stamp(look: QuickLook, label: str) -> None:
    """Draw the mean image of a sector with its aperture; row 0 is at the bottom."""
    _drawing(key="tesscut_stamp", data={"svg": _svg(look, label)})


def _svg(look: QuickLook, label: str) -> str:
    ny, nx = look.mean_image.shape
    unit = _SIDE / max(nx, ny)
    width, height = nx * unit, ny * unit
    png = base64.b64encode(stamp_png(look.mean_image)).decode()
    outline = " ".join(
        f"M{x0 * unit:.1f} {height - y0 * unit:.1f}L{x1 * unit:.1f} {height - y1 * unit:.1f}"
        for (x0, y0), (x1, y1) in aperture_edges(look.light_curve.aperture)
    )
    n_added = int(look.light_curve.aperture.sum())
    said = html.escape(f"{label}: {nx} by {ny} pixels, {n_added} of them in the aperture", True)
    return (
        f'<svg viewBox="0 0 {_SIDE} {height + 112:.0f}" role="img" aria-label="{said}" '
        'xmlns="http://www.w3.org/2000/svg" fill="none" stroke="currentColor">'
        f'<g transform="translate({(_SIDE - width) / 2:.1f} 0)">'
        f'<image href="data:image/png;base64,{png}" width="{width:.1f}" height="{height:.1f}" '
        'preserveAspectRatio="none"/>'
        f'<path d="{outline}" stroke="#000" stroke-width="9" stroke-linecap="round"/>'
        f'<path d="{outline}" stroke="#ffb000" stroke-width="5" stroke-linecap="round"/>'
        f"{_target_cross(look, unit, height)}</g>"
        f"{_furniture(look, unit, height)}</svg>"
    )


def _target_cross(look: QuickLook, unit: float, height: float) -> str:
    if look.tpf.target_pixel is None:
        return ""
    x, y = look.tpf.target_pixel
    cx, cy = (x + 0.5) * unit, height - (y + 0.5) * unit
    gap, arm = 10.0, 30.0
    path = "".join(
        f"M{cx + dx * gap:.1f} {cy + dy * gap:.1f}L{cx + dx * arm:.1f} {cy + dy * arm:.1f}"
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1))
    )
    return (
        f'<path d="{path}" stroke="#000" stroke-width="10"/>'
        f'<path d="{path}" stroke="#fff" stroke-width="5"/>'
    )


def _furniture(look: QuickLook, unit: float, height: float) -> str:
    """Scale bar and compass, in a strip below the pixels so that they hide none."""
    shape = look.mean_image.shape
    bar, rose = scale_bar(look.tpf.wcs, shape), compass(look.tpf.wcs, shape)
    if bar is None or rose is None:
        return ""
    middle = height + 58
    parts = [
        f'<path d="M8 {middle - 10:.0f}v20M8 {middle:.0f}h{bar.length_px * unit:.1f}'
        f'm0 -10v20" stroke-width="4"/>'
        f'<text x="8" y="{middle + 38:.0f}" font-size="25" fill="currentColor" stroke="none">'
        f"{html.escape(bar.label)}</text>"
    ]
    x0, length = _SIDE - 62.0, 30.0
    for letter, (dx, dy) in (("N", rose.north), ("E", rose.east)):
        x1, y1 = x0 + dx * length, middle - dy * length
        parts.append(
            f'<path d="M{x0:.1f} {middle:.1f}L{x1:.1f} {y1:.1f}" stroke-width="4"/>'
            f'<text x="{x0 + dx * (length + 17):.1f}" y="{middle - dy * (length + 17) + 8:.1f}" '
            f'font-size="24" text-anchor="middle" fill="currentColor" stroke="none">{letter}</text>'
        )
    return "".join(parts)
