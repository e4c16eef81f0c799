"""The grid of previews: every filter's view of the same piece of sky, by wavelength."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import streamlit as st

from cutout_core.deep_fields import describe_survey
from cutout_core.display import PictureStyle, preview
from cutout_core.image import ImageCutout
from cutout_core.imagelook import ImageLook, common_field_arcsec
from cutout_core.light import glowing_gas, light_name, wavelength_text
from cutout_core.stretch import Scaling
from cutout_ui.image_fetch import ImageFetch
from cutout_ui.problems import plain

# A card is one button: its label reaches over the whole card. Stripes mean "not covered", here
# and in the viewer.
_STYLE = """
<style>
[class*="st-key-card_"] { position: relative; border: 1px solid var(--st-border-color, #8884);
  border-radius: 10px; overflow: hidden; background: #05070c08; }
[class*="st-key-card_"]:hover { border-color: currentColor; }
[class*="st-key-card_"] img { aspect-ratio: 1; width: 100%; object-fit: contain; border-radius: 0;
  background: repeating-linear-gradient(135deg, #1b2230 0 6px, #2c3649 6px 9px); }
[class*="st-key-card_"] [class*="st-key-pick_"] button { justify-content: start; min-height: 0;
  padding: 0 .6rem; text-align: left; }
[class*="st-key-card_"] [class*="st-key-pick_"] button::after { content: ""; position: absolute;
  inset: 0; border-radius: 10px; }
[class*="st-key-card_"] [class*="st-key-pick_"] button:focus-visible { box-shadow: none; }
[class*="st-key-card_"] [class*="st-key-pick_"] button:focus-visible::after {
  outline: 3px solid currentColor; outline-offset: -3px; }
[class*="st-key-card_"] [data-testid="stElementToolbar"] { display: none; }
[class*="st-key-card_"] [data-testid="stCaptionContainer"] { padding: 0 .6rem .45rem; }
</style>
"""

# Streamlit's names for colours of text; what the eye cannot see is grey.
_DOTS = {
    "ultraviolet": "gray",
    "violet": "violet",
    "blue": "blue",
    "green": "green",
    "yellow": "yellow",
    "orange": "orange",
    "red": "red",
}


# In F814W, most of Hubble's deep images go deepest.
_BEST_UM = 0.8


def gallery(
    fetch: ImageFetch,
    looks: Sequence[ImageLook],
    style: PictureStyle,
    *,
    shared: bool = False,
) -> ImageLook:
    """Show the previews; return the one that was picked last."""
    page = fetch.service.lower()
    field = common_field_arcsec(look.image for look in looks)
    together = _shared_scaling(fetch.token, tuple(look.key for look in looks), style, looks=looks)
    picked = _picked(page, fetch, looks)
    st.html(_STYLE + _ring(page, looks.index(picked)))
    with st.grid("auto", min_column_width=100, gap="small", key=f"{page}_gallery"):
        for i, look in enumerate(looks):
            with st.container(key=f"card_{page}_{i}", gap=None, height="stretch"):
                st.image(
                    _preview(
                        fetch.token,
                        look.key,
                        field,
                        style,
                        together if shared else None,
                        _image=look.image,
                    ),
                    width="stretch",
                    output_format="PNG",
                    alt=_alt(look.image, field, fetch.service),
                )
                st.button(
                    f"**{plain(look.image.filter or look.image.label)}**",
                    key=f"pick_{page}_{i}",
                    type="tertiary",
                    on_click=_pick,
                    args=(page, look.key),
                )
                st.caption(_caption(look.image, fetch.service))
    if math.isfinite(field):
        st.caption(
            f"All show the same {field:.3g} arcsec of sky, from short to long wavelength. "
            "Choose one to see it large." + _stripes(looks)
        )
    return picked


def _stripes(looks: Sequence[ImageLook]) -> str:
    partial = any(look.image.is_partial for look in looks)
    return " Striped: no exposure covers this part." if partial else ""


def _pick(page: str, key: str) -> None:
    """Make an image the one in sight, or the first of the two that are compared."""
    st.session_state[f"{page}_look"] = key
    if st.session_state.get(f"{page}_mode") == "Compare two":
        st.session_state[f"{page}_first"] = key
    else:
        st.session_state[f"{page}_mode"] = "One image"


def _picked(page: str, fetch: ImageFetch, looks: Sequence[ImageLook]) -> ImageLook:
    key = st.session_state.get(f"{page}_look")
    found = next((look for look in looks if look.key == key), None)
    if found is not None:
        return found
    # Of those that cover most, the one that is nearest to where Hubble sees best.
    best = max(look.image.coverage for look in looks)
    good = [look for look in looks if look.image.coverage >= best - 0.1]
    return min(good, key=_from_the_best)


def _from_the_best(look: ImageLook) -> float:
    wavelength = look.image.wavelength_um
    return abs(math.log(wavelength / _BEST_UM)) if wavelength > 0 else math.inf


def _ring(page: str, i: int) -> str:
    return (
        f"<style>.st-key-card_{page}_{i} {{ outline: 3px solid #3a78c9; outline-offset: 1px; }}"
        "</style>"
    )


@st.cache_data(max_entries=3000, max_size="100MB", show_spinner=False)
def _preview(
    token: str,
    key: str,
    field: float,
    style: PictureStyle,
    scaling: Scaling | None,
    *,
    _image: ImageCutout,
) -> bytes:
    return preview(_image, field, style, scaling=scaling)


def _shared_scaling(
    token: str, keys: tuple[str, ...], style: PictureStyle, *, looks: Sequence[ImageLook]
) -> Scaling:
    return _scaling(token, keys, style, _data=[look.image.data for look in looks])


@st.cache_data(max_entries=500, show_spinner=False)
def _scaling(
    token: str,
    keys: tuple[str, ...],
    style: PictureStyle,
    *,
    _data: list[npt.NDArray[np.float32]],
) -> Scaling:
    return style.scaling(_data)


def _caption(image: ImageCutout, service: str) -> str:
    """Write two lines: which light, and whose image."""
    light = light_name(image.wavelength_um)
    dot = f":{_DOTS.get(light, 'gray')}[●] " if light else ""
    if service == "Zcut":
        whose = [describe_survey(image.survey).title]
    else:
        whose = ["/".join(part for part in (image.instrument, image.detector) if part)]
    if image.is_coarse:
        whose.append("coarse")
    if image.is_partial:
        whose.append(f"{image.coverage:.0%}")
    lines = [wavelength_text(image.wavelength_um), ", ".join(part for part in whose if part)]
    return dot + "  \n".join(plain(line) for line in lines if line)


def _alt(image: ImageCutout, field: float, service: str) -> str:
    parts = [image.label]
    if service == "Zcut":
        parts.append(f"survey {image.survey}")
    light = light_name(image.wavelength_um)
    if light:
        parts.append(f"{light} light at {wavelength_text(image.wavelength_um)}")
    gas = glowing_gas(image.filter, image.instrument)
    if gas:
        parts.append(f"glowing {gas}")
    if math.isfinite(field):
        parts.append(f"{field:.3g} arcsec wide")
    if image.is_partial:
        parts.append(f"{image.coverage:.0%} covered")
    return ", ".join(parts)
