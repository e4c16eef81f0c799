"""The controls of a colour picture: which filters make red, green and blue, and how."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from cutout_core.colour import ColourPicture, choose_images, colour_picture, three_of
from cutout_core.display import LONGEST_ON_SCREEN
from cutout_core.image import ImageCutout
from cutout_core.imagelook import ImageLook
from cutout_core.light import wavelength_text
from cutout_ui.image_fetch import ImageFetch
from cutout_ui.problems import plain, problems_shown

_BY_HAND = "By hand"
_METHODS = {"lupton": "true colours", "channels": "rich contrast"}
_VISIBLE_UM = (0.38, 0.95)


@dataclass(frozen=True, slots=True)
class ColourRecipe:
    """
    What a colour picture is made of and how.

    Attributes
    ----------
    keys : tuple of str
        Of the images, from long to short wavelength.
    weights : tuple of tuple of float, or None
        Share of each image in red, green and blue; `None`: by wavelength.
    strengths : tuple of float
        Factors on red, green and blue.
    method : str
        One of `cutout_core.colour.METHODS`.
    brightness, softening : float
    """

    keys: tuple[str, ...]
    weights: tuple[tuple[float, float, float], ...] | None
    strengths: tuple[float, float, float]
    method: str
    brightness: float
    softening: float


def colour_controls(page: str, looks: Sequence[ImageLook]) -> ColourRecipe | None:
    """Ask how to make the colour picture; `None`, with a sentence, where there are too few."""
    usable = choose_images([look.image for look in looks])
    if len(usable) < 2:
        st.info(
            "A colour picture needs images in two filters or more. Tick more of them, or choose "
            "a larger size.",
            icon=":material/palette:",
        )
        return None
    key_of = {id(look.image): look.key for look in looks}
    presets = _presets(usable)
    preset = st.selectbox(
        "Filters", [*presets, _BY_HAND], key=f"{page}_preset", bind="query-params"
    )
    weights = None
    images = presets.get(preset) or []
    if preset == _BY_HAND:
        images, weights = _by_hand(page, looks)
    method = st.segmented_control(
        "Method",
        list(_METHODS),
        default="lupton",
        format_func=_METHODS.__getitem__,
        required=True,
        key=f"{page}_method",
        help=(
            "*True colours* (Lupton et al. 2004): bright cores keep their colour instead of "
            "burning out to white. *Rich contrast* stretches every colour by itself."
        ),
    )
    brightness = st.slider(
        "Brightness", 0.2, 5.0, 1.0, 0.1, key=f"{page}_brightness", help="More shows fainter."
    )
    softening = 8.0
    if method == "lupton":
        softening = st.slider("Soften bright parts", 1.0, 20.0, 8.0, 0.5, key=f"{page}_softening")
    with st.popover("Balance of colours", icon=":material/tune:", width="stretch"):
        strengths = (
            st.slider("Red", 0.0, 3.0, 1.0, 0.05, key=f"{page}_red"),
            st.slider("Green", 0.0, 3.0, 1.0, 0.05, key=f"{page}_green"),
            st.slider("Blue", 0.0, 3.0, 1.0, 0.05, key=f"{page}_blue"),
        )
    return ColourRecipe(
        tuple(key_of[id(image)] for image in images),
        weights,
        strengths,
        method or "lupton",
        brightness,
        softening,
    )


def _presets(usable: Sequence[ImageCutout]) -> dict[str, list[ImageCutout]]:
    """
    Give the automatic choices that differ from each other; the first is taken at first.

    Images are sorted from long to short wavelength.
    """
    low, high = _VISIBLE_UM
    narrow = [image for image in usable if image.filter.upper().endswith("N")]
    wide = [image for image in usable if image not in narrow]
    visible = [image for image in wide if low <= image.wavelength_um <= high]
    infrared = [image for image in wide if image.wavelength_um > high]
    choices = {
        "Visible light": three_of(visible),
        "Glowing gas": three_of(narrow),
        "Three, far apart": three_of(usable),
        "All, by wavelength": list(usable),
        "Infrared": three_of(infrared),
    }
    # Three colours of what the eye sees, or of three gases, come nearest to a natural picture.
    last = [name for name in ("Visible light", "Glowing gas") if len(choices[name]) < 3]
    for name in last:
        choices[name] = choices.pop(name)
    distinct: dict[str, list[ImageCutout]] = {}
    for name, images in choices.items():
        if len(images) >= 2 and images not in distinct.values():
            distinct[name] = images
    return distinct


def _by_hand(
    page: str, looks: Sequence[ImageLook]
) -> tuple[list[ImageCutout], tuple[tuple[float, float, float], ...]]:
    """Ask for a filter per colour."""
    placed = [look for look in looks if look.image.wcs is not None]
    three = three_of(choose_images([look.image for look in placed]))
    start = [three[0], three[len(three) // 2], three[-1]]
    names = {look.key: _name(look.image) for look in placed}
    at = {id(look.image): i for i, look in enumerate(placed)}
    chosen = [
        st.selectbox(
            colour,
            list(names),
            index=at[id(image)],
            format_func=names.__getitem__,
            key=f"{page}_{colour.lower()}_filter",
        )
        for colour, image in zip(("Red", "Green", "Blue"), start, strict=True)
    ]
    images = {look.key: look.image for look in placed if look.key in chosen}
    weights = tuple(
        (float(chosen[0] == key), float(chosen[1] == key), float(chosen[2] == key))
        for key in images
    )
    return list(images.values()), weights


def _name(image: ImageCutout) -> str:
    wavelength = wavelength_text(image.wavelength_um)
    survey = f", {image.survey}" if image.survey else ""
    return f"{image.label} ({wavelength}{survey})" if wavelength else image.label


def make_colours(
    fetch: ImageFetch, looks: Sequence[ImageLook], recipe: ColourRecipe
) -> ColourPicture:
    """Make the picture for the screen, or show why it can't be made and end the page."""
    images = {look.key: look.image for look in looks}
    with problems_shown():
        return _picture(fetch.token, recipe, _images=[images[key] for key in recipe.keys])


@st.cache_resource(max_entries=12, ttl="30m", show_spinner="Mixing colours …")
def _picture(token: str, recipe: ColourRecipe, *, _images: list[ImageCutout]) -> ColourPicture:
    return colour_picture(
        _images,
        weights=recipe.weights,
        strengths=recipe.strengths,
        method=recipe.method,
        brightness=recipe.brightness,
        softening=recipe.softening,
        longest=LONGEST_ON_SCREEN,
    )


def recipe_line(picture: ColourPicture) -> str:
    """Say which filter is which colour, and where the colours are not true."""
    text = plain(picture.recipe[0].upper() + picture.recipe[1:])
    share = float(picture.covered.mean())
    if share < 0.995:
        text += f". All filters cover {math.floor(100 * share)} % of it; elsewhere one is missing"
    return text
