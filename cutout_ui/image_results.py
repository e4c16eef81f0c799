"""The results: one image large, two compared, or several in colour, beside their controls."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from cutout_core.archive import plain_name
from cutout_core.colour import ColourPicture
from cutout_core.display import (
    PictureStyle,
    ScreenImage,
    colour_jpeg,
    for_screen,
    picture_png,
)
from cutout_core.image import ImageCutout
from cutout_core.imagelook import ImageLook
from cutout_core.light import glowing_gas, light_name, wavelength_text
from cutout_core.local_sky import local_sky
from cutout_core.stretch import Scaling
from cutout_ui.colour_panel import ColourRecipe, colour_controls, make_colours, recipe_line
from cutout_ui.gallery import gallery
from cutout_ui.image_controls import Look, image_controls
from cutout_ui.image_fetch import ImageFetch
from cutout_ui.image_viewer import Layer, Probe, Scene, ViewerSky, image_viewer, viewer_sky
from cutout_ui.problems import plain, problems_shown, show_problem

MODES = ["One image", "Compare two", "Colour"]

_LONGEST_BESIDE_COLOURS = 500

# BUNIT of the archive's files -> how an astronomer writes it.
_UNITS = {"ELECTRONS/S": "e⁻/s", "ELECTRONS": "e⁻", "COUNTS/S": "counts/s", "MJY/SR": "MJy/sr"}


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """
    What is large in sight: what the downloads are made of.

    Attributes
    ----------
    looks : tuple of ImageLook
        The images in it.
    look : Look
        How they are drawn.
    scaling : Scaling or None
        Of the first of them; `None` in mode "Colour".
    colour : ColourPicture or None
        In mode "Colour", the picture as on the screen.
    recipe : ColourRecipe or None
        How it was made.
    """

    looks: tuple[ImageLook, ...]
    look: Look
    scaling: Scaling | None = None
    colour: ColourPicture | None = None
    recipe: ColourRecipe | None = None


def results_heading(fetch: ImageFetch) -> None:
    """Say what came, and that it is simulated where it is."""
    images = [look.image for look in fetch.images]
    pictures = fetch.pictures
    n = len(images) + len(pictures)
    if not n:
        return
    noun = ("picture" if pictures else "image") + ("s" if n > 1 else "")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(f"{plain(fetch.target.label)} in {n} {noun}", width="content")
        if any(image.simulated for image in images) or any(p.simulated for p in pictures):
            st.badge("simulated, not observed", icon=":material/science:", color="orange")
    for problem in (problem for reply in fetch.replies for problem in reply.problems):
        show_problem(problem)


def explore(fetch: ImageFetch, looks: Sequence[ImageLook]) -> Sight | None:
    """Show all as a grid, and one, two or several of them large; return what is in sight."""
    grid = st.container()
    mode = _choose_mode(fetch, looks)
    left, right = st.columns([3, 1], gap="medium")
    # The controls come first, because the grid follows them, too.
    with right:
        look, recipe = _controls(fetch, looks, mode)
    with grid:
        picked = gallery(fetch, looks, look.style, shared=look.shared)
    with left:
        if mode == "Compare two":
            sight = _show_two(fetch, looks, picked, look)
        elif mode == "One image":
            sight = _show_one(fetch, picked, look)
        elif recipe is None:
            return None
        else:
            sight = _show_colour(fetch, looks, recipe)
    with right:
        _facts(sight.looks)
    return sight


def _choose_mode(fetch: ImageFetch, looks: Sequence[ImageLook]) -> str:
    modes = MODES if len(looks) > 1 else MODES[:1]
    chosen = st.segmented_control(
        "Show",
        modes,
        default=modes[0],
        required=True,
        key=f"{fetch.service.lower()}_mode",
        bind="query-params",
        label_visibility="collapsed",
    )
    return chosen or modes[0]


def _controls(
    fetch: ImageFetch, looks: Sequence[ImageLook], mode: str
) -> tuple[Look, ColourRecipe | None]:
    page = fetch.service.lower()
    if mode == "Colour":
        return Look(PictureStyle()), colour_controls(page, looks)
    return image_controls(page, [one.image for one in looks]), None


def _show_one(fetch: ImageFetch, picked: ImageLook, look: Look) -> Sight:
    """Show one image large."""
    image = picked.image
    screen = for_screen(image, weight=look.weight)
    with problems_shown():
        scaling = _weight_scaling(screen) if look.weight else look.style.scaling(screen.data)
    layer, probe = _layer(fetch, picked, screen, scaling, look)
    alt = f"{fetch.target.label} in {_words(image)}"
    image_viewer(_scene(fetch, image, alt, screen.factor), [layer], [probe], key=_viewer_key(fetch))
    _notes([image], screen.factor)
    return Sight((picked,), look, scaling)


def _show_two(
    fetch: ImageFetch, looks: Sequence[ImageLook], picked: ImageLook, look: Look
) -> Sight:
    """Show two images, to blink between them and to cross-fade."""
    first, second = _choose_two(fetch, looks, picked)
    screens = [for_screen(one.image, weight=look.weight) for one in (first, second)]
    with problems_shown():
        if look.weight:
            scalings = [_weight_scaling(screen) for screen in screens]
        elif look.shared:
            scalings = [look.style.scaling([screen.data for screen in screens])] * 2
        else:
            scalings = [look.style.scaling(screen.data) for screen in screens]
    shown = [
        _layer(fetch, one, screen, scaling, look)
        for one, screen, scaling in zip((first, second), screens, scalings, strict=True)
    ]
    if any(layer.sky is None for layer, _ in shown):
        st.info("One of these has no sky coordinates, so they cannot be laid over each other.")
        shown = shown[:1]
    alt = f"{fetch.target.label} in {_words(first.image)}, and in {_words(second.image)}"
    image_viewer(
        _scene(fetch, first.image, alt, screens[0].factor),
        [layer for layer, _ in shown],
        [probe for _, probe in shown],
        key=_viewer_key(fetch),
    )
    _notes([first.image, second.image], screens[0].factor)
    return Sight((first, second), look, scalings[0])


def _choose_two(
    fetch: ImageFetch, looks: Sequence[ImageLook], picked: ImageLook
) -> tuple[ImageLook, ImageLook]:
    page = fetch.service.lower()
    by_key = {one.key: one for one in looks}
    names = {key: _short(one.image, fetch) for key, one in by_key.items()}
    keys = list(by_key)
    at = keys.index(picked.key)
    # The one at the other end of the wavelengths shows the largest difference.
    other = len(keys) - 1 if at < len(keys) / 2 else 0
    with st.container(horizontal=True):
        first = st.selectbox(
            "First", keys, index=at, format_func=names.__getitem__, key=f"{page}_first"
        )
        second = st.selectbox(
            "Second", keys, index=other, format_func=names.__getitem__, key=f"{page}_second"
        )
    return by_key[first], by_key[second]


def _show_colour(fetch: ImageFetch, looks: Sequence[ImageLook], recipe: ColourRecipe) -> Sight:
    """Show a colour picture of several filters."""
    picture = make_colours(fetch, looks, recipe)
    used = tuple(one for key in recipe.keys for one in looks if one.key == key)
    ny, nx = picture.rgb.shape[:2]
    sky = viewer_sky(picture.wcs, local_sky(picture.wcs, (nx - 1) / 2, (ny - 1) / 2))
    probes = []
    for one in used:
        # Several arrays travel with every change of colour: they are kept small.
        screen = for_screen(one.image, longest=_LONGEST_BESIDE_COLOURS)
        probes.append(
            Probe(
                screen.data,
                _filter(one.image),
                _unit(one.image),
                _sky_of(one.image, screen),
            )
        )
    layer = Layer(colour_jpeg(picture.rgb), (ny, nx), " + ".join(_filters(used)), sky)
    alt = f"{fetch.target.label} in colour: {picture.recipe}"
    image_viewer(_scene(fetch, used[0].image, alt, 0), [layer], probes, key=_viewer_key(fetch))
    st.caption(recipe_line(picture) + ".")
    return Sight(used, Look(PictureStyle()), None, picture, recipe)


def _layer(
    fetch: ImageFetch, one: ImageLook, screen: ScreenImage, scaling: Scaling, look: Look
) -> tuple[Layer, Probe]:
    sky = _sky_of(one.image, screen)
    png = _png(fetch.token, one.key, scaling, look, _screen=screen)
    label = _short(one.image, fetch) + (" weight" if look.weight else "")
    unit = "" if look.weight else _unit(one.image)
    ny, nx = screen.data.shape
    return Layer(png, (ny, nx), label, sky), Probe(screen.data, _filter(one.image), unit, sky)


@st.cache_data(max_entries=300, max_size="150MB", show_spinner=False)
def _png(token: str, key: str, scaling: Scaling, look: Look, *, _screen: ScreenImage) -> bytes:
    return picture_png(_screen.data, scaling, look.style)


def _weight_scaling(screen: ScreenImage) -> Scaling:
    return PictureStyle("linear", "minmax").scaling(screen.data)


def _sky_of(image: ImageCutout, screen: ScreenImage) -> ViewerSky | None:
    if screen.wcs is None:
        return None
    ny, nx = screen.data.shape
    return viewer_sky(screen.wcs, local_sky(screen.wcs, (nx - 1) / 2, (ny - 1) / 2))


def _scene(fetch: ImageFetch, image: ImageCutout, alt: str, binning: int) -> Scene:
    target = fetch.target
    stem = f"{target.label}_{image.filter or 'image'}".replace(" ", "_")
    return Scene(
        field=fetch.token,
        alt=alt,
        save_as=plain_name(f"{stem}.png"),
        target=(target.ra, target.dec),
        credit="Simulated, not observed" if image.simulated else "",
        binning=binning,
    )


def _viewer_key(fetch: ImageFetch) -> str:
    return f"{fetch.service.lower()}_viewer"


def _notes(images: Sequence[ImageCutout], factor: int) -> None:
    """Say below the picture what is special about what is seen."""
    parts = []
    if factor > 1:
        parts.append(
            f"Shown with {factor} × {factor} pixels averaged to one; the file has them all."
        )
    for image in images:
        if image.is_partial:
            parts.append(
                f"{plain(_filter(image))} covers {image.coverage:.0%} of it; the rest is striped."
            )
        parts += [plain(note) for note in image.notes]
    if parts:
        st.caption(" ".join(dict.fromkeys(parts)))


def _facts(looks: Sequence[ImageLook]) -> None:
    """Say beside the picture what its images are."""
    brief = len(looks) > 2
    for one in looks:
        image = one.image
        ny, nx = image.shape
        light, gas = light_name(image.wavelength_um), glowing_gas(image.filter, image.instrument)
        lines = [
            f"{light} light at {wavelength_text(image.wavelength_um)}" if light else "",
            f"glowing {gas}" if gas else "",
        ]
        if not brief:
            pixels = f" of {image.pixel_scale_arcsec:.3g}″" if image.sky is not None else ""
            lines += [
                "/".join(part for part in (image.instrument, image.detector) if part),
                f"{nx} × {ny} pixels{pixels}",
                f"{image.exposure_s:,.0f} s exposed" if image.exposure_s > 0 else "",
            ]
        facts = "  \n".join(plain(line) for line in lines if line)
        st.caption(f"**{plain(_filter(image))}**  \n{facts}")


def _words(image: ImageCutout) -> str:
    light = light_name(image.wavelength_um)
    words = f"{image.label}, {light} light" if light else image.label
    return f"{words}, {image.coverage:.0%} covered" if image.is_partial else words


def _short(image: ImageCutout, fetch: ImageFetch) -> str:
    return f"{image.label}, {image.survey}" if fetch.service == "Zcut" else image.label


def _filter(image: ImageCutout) -> str:
    return image.filter or image.label


def _filters(looks: Sequence[ImageLook]) -> list[str]:
    return list(dict.fromkeys(_filter(one.image) for one in looks))


def _unit(image: ImageCutout) -> str:
    return _UNITS.get(image.unit.upper(), image.unit)
