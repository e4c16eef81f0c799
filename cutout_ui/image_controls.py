"""The controls beside the viewer: stretch, black and white, colours, weight map."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from cutout_core.display import PictureStyle
from cutout_core.errors import InvalidQueryError
from cutout_core.image import ImageCutout
from cutout_core.stretch import COLOUR_MAPS, check_values, find_limits
from cutout_ui.problems import show_problem

_STRETCHES = ["automatic", "asinh", "log", "sqrt", "linear", "sinh"]
_CUTS = {
    "percentile": "share of pixels",
    "zscale": "zscale",
    "minmax": "faintest and brightest",
    "symmetric": "same on both sides of zero",
    "values": "by hand",
}
_PERCENTS = [90.0, 95.0, 98.0, 99.0, 99.5, 99.8, 99.9, 100.0]


@dataclass(frozen=True, slots=True)
class Look:
    """
    How images are to look.

    Attributes
    ----------
    style : PictureStyle
    shared : bool
        Whether all images have the same black and white.
    weight : bool
        Whether to show weight maps instead of images.
    """

    style: PictureStyle
    shared: bool = False
    weight: bool = False


def image_controls(page: str, images: Sequence[ImageCutout]) -> Look:
    """Ask how the images are to look."""
    stretch = st.selectbox(
        "Brightness curve",
        _STRETCHES,
        key=f"{page}_stretch",
        bind="query-params",
        help=(
            "*Automatic* shows faint galaxies and bright stars alike. *linear* is true to the "
            "numbers; *asinh*, *log* and *sqrt* lift what is faint; *sinh* shows what is bright."
        ),
    )
    cuts, percent, values = "percentile", 99.0, (0.0, 1.0)
    if stretch != "automatic":
        cuts, percent, values = _black_and_white(page, images)
    colour_map = st.selectbox("Colours", COLOUR_MAPS, key=f"{page}_map", bind="query-params")
    with st.container(horizontal=True, gap="small"):
        invert = st.toggle("Negative", key=f"{page}_invert", bind="query-params")
        shared = len(images) > 1 and st.toggle(
            "Same scale",
            key=f"{page}_shared",
            help="The same black and white for all images, to compare how bright they are.",
        )
        weighted = any(image.weight is not None for image in images)
        weight = weighted and st.toggle(
            "Weight map",
            key=f"{page}_weight",
            help="How much exposure each pixel had: edges and gaps show at a glance.",
        )
    style = PictureStyle(stretch, cuts, percent, values, colour_map, invert)
    return Look(style, shared=shared, weight=weight)


def _black_and_white(
    page: str, images: Sequence[ImageCutout]
) -> tuple[str, float, tuple[float, float]]:
    cuts = st.selectbox(
        "Black and white by",
        list(_CUTS),
        format_func=_CUTS.__getitem__,
        key=f"{page}_cuts",
        help="Which brightness is drawn black, and which white.",
    )
    percent, values = 99.0, (0.0, 1.0)
    if cuts in {"percentile", "symmetric"}:
        percent = st.select_slider(
            "Per cent of the pixels between",
            _PERCENTS,
            value=99.0,
            key=f"{page}_percent",
        )
    if cuts == "values":
        low, high = find_limits(images[0].data)
        step = max((high - low) / 50, 1e-12)
        with st.container(horizontal=True):
            values = (
                st.number_input("Black", value=low, step=step, format="%.4g", key=f"{page}_low"),
                st.number_input("White", value=high, step=step, format="%.4g", key=f"{page}_high"),
            )
        try:
            check_values(values)
        except InvalidQueryError as exc:
            # The picture stays, as without them.
            show_problem(str(exc))
            cuts = "percentile"
    return cuts, percent, values
