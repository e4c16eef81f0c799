"""What can be taken away: files as zip, the picture in sight, a figure for a publication."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

from cutout_core.archive import plain_name
from cutout_core.colour import ColourPicture, colour_picture
from cutout_core.display import PictureStyle
from cutout_core.figure import FIGURE_FORMATS, colour_figure, figure_file, image_figure
from cutout_core.hubble_bundle import bundle_name, citations, credit_line, hubble_bundle
from cutout_core.image import ImageCutout
from cutout_core.imagelook import ImageLook, PictureLook
from cutout_core.light import wavelength_text
from cutout_core.picture import FORMATS, Annotations, picture_of_colours, picture_of_image
from cutout_ui.image_fetch import ImageFetch
from cutout_ui.image_results import Sight


def download_row(fetch: ImageFetch, chosen: Sequence[ImageLook], sight: Sight) -> None:
    """Offer the files, the picture in sight and its figure; nothing is built before a click."""
    st.subheader("Take away")
    with st.container(horizontal=True, vertical_alignment="center", key=f"{_page(fetch)}_take"):
        zip_buttons(fetch, chosen, sight=sight)
        notes, file_format = _written(fetch, sight)
        _picture_button(fetch, sight, notes, file_format)
        for figure_format in FIGURE_FORMATS:
            _figure_button(fetch, sight, notes, figure_format)
    st.caption(
        "The zip holds the original files as the service sent them, pictures, a table of the "
        "files, and a README with the exact requests and how to cite. Pictures carry their place "
        "on the sky (AVM), which Aladin and planetarium programs read."
    )


def zip_buttons(
    fetch: ImageFetch,
    chosen: Sequence[ImageLook],
    *,
    sight: Sight | None = None,
    pictures: Sequence[PictureLook] = (),
) -> None:
    """Offer the chosen files as a zip, and all of them where that is more."""
    everything = fetch.images
    files = {look.member.name for look in everything} | {p.member.name for p in pictures}
    n_files = len(files)
    n_chosen = len({look.member.name for look in chosen})
    some = bool(chosen) and n_chosen < n_files
    if some:
        label = "Chosen file as zip" if n_chosen == 1 else f"{n_chosen} chosen files as zip"
        _zip_button(fetch, chosen, (), label, "chosen", sight, first=True)
    label = "The file as zip" if n_files == 1 else f"All {n_files} files as zip"
    _zip_button(fetch, everything, pictures, label, "", sight, first=not some)


def _zip_button(
    fetch: ImageFetch,
    looks: Sequence[ImageLook],
    pictures: Sequence[PictureLook],
    label: str,
    part: str,
    sight: Sight | None,
    *,
    first: bool,
) -> None:
    # The callable runs outside this run: it holds plain values.
    target, service = fetch.target.label, fetch.service
    style = sight.look.style if sight else PictureStyle()
    notes = _failures(fetch)

    def build() -> bytes:
        return hubble_bundle(
            target, service, looks, pictures, style=style, created=datetime.now(UTC), notes=notes
        )

    st.download_button(
        label,
        data=build,
        file_name=bundle_name(target, service, part=part),
        mime="application/zip",
        key=f"{_page(fetch)}_zip_{part or 'all'}",
        type="primary" if first else "secondary",
        icon=":material/folder_zip:",
        on_click="ignore",
    )


def _failures(fetch: ImageFetch) -> list[str]:
    """Give what is missing, for the README."""
    return [f"{i.request.label} is missing: {i.problem}" for i in fetch.job.failed] + [
        problem for reply in fetch.replies for problem in reply.problems
    ]


def _written(fetch: ImageFetch, sight: Sight) -> tuple[Annotations, str]:
    """Ask what is to be written and drawn on pictures."""
    page = _page(fetch)
    with st.popover("On the picture", icon=":material/edit_note:"):
        title = st.text_input("Title", _title(fetch, sight), max_chars=120, key=f"{page}_title")
        caption = st.toggle("Filters below", value=True, key=f"{page}_caption")
        compass = st.toggle("N/E arrows", value=True, key=f"{page}_compass")
        bar = st.toggle("Scale bar", value=True, key=f"{page}_bar")
        cross = st.toggle("Cross at the target", key=f"{page}_cross")
        credit = st.toggle("Credit line", value=True, key=f"{page}_credit")
        file_format = st.segmented_control(
            "Format", list(FORMATS), default="png", required=True, key=f"{page}_format_out"
        )
    image = sight.looks[0].image
    notes = Annotations(
        title=title or "",
        caption=_caption(sight) if caption else "",
        credit=f"{credit_line(image, fetch.service)}. Made with Skystamp" if credit else "",
        compass=compass,
        scale_bar=bar,
        target=(fetch.target.ra, fetch.target.dec) if cross else None,
        simulated=image.simulated,
    )
    return notes, file_format or "png"


def _title(fetch: ImageFetch, sight: Sight) -> str:
    if sight.colour is not None:
        return fetch.target.label
    weight = ", weight map" if sight.look.weight else ""
    return f"{fetch.target.label}, {sight.looks[0].image.label}{weight}"


def _caption(sight: Sight) -> str:
    if sight.colour is not None:
        recipe = sight.colour.recipe
        return recipe[0].upper() + recipe[1:]
    image = sight.looks[0].image
    wavelength = wavelength_text(image.wavelength_um)
    return f"{image.filter}, wavelength {wavelength}" if wavelength else ""


def _picture_button(fetch: ImageFetch, sight: Sight, notes: Annotations, file_format: str) -> None:
    def build() -> bytes:
        colours = _whole_colours(sight)
        if colours is not None:
            return picture_of_colours(colours, notes, file_format=file_format)
        style = sight.look.style
        return picture_of_image(
            _image(sight),
            notes,
            scaling=sight.scaling,
            colour_map=style.colour_map,
            invert=style.invert,
            file_format=file_format,
        )

    st.download_button(
        f"Picture ({file_format.upper()})",
        data=build,
        file_name=_file_name(fetch, sight, file_format),
        mime=FORMATS[file_format],
        key=f"{_page(fetch)}_picture",
        icon=":material/image:",
        on_click="ignore",
    )


def _figure_button(fetch: ImageFetch, sight: Sight, notes: Annotations, figure_format: str) -> None:
    def build() -> bytes:
        colours = _whole_colours(sight)
        if colours is not None:
            return figure_file(colour_figure(colours, notes), figure_format)
        style = sight.look.style
        figure = image_figure(
            _image(sight),
            notes,
            scaling=sight.scaling,
            colour_map=style.colour_map,
            invert=style.invert,
        )
        return figure_file(figure, figure_format)

    st.download_button(
        f"Figure ({figure_format.upper()})",
        data=build,
        file_name=_file_name(fetch, sight, figure_format, "_figure"),
        mime=FIGURE_FORMATS[figure_format],
        key=f"{_page(fetch)}_figure_{figure_format}",
        icon=":material/article:",
        help="With axes in right ascension and declination, for a publication",
        on_click="ignore",
    )


def _image(sight: Sight) -> ImageCutout:
    """Give the image that is drawn: with its weights for numbers where those are in sight."""
    image = sight.looks[0].image
    if sight.look.weight and image.weight is not None:
        return replace(image, data=image.weight, weight=None, unit="weight")
    return image


def _whole_colours(sight: Sight) -> ColourPicture | None:
    """Make the colour picture again, with every pixel that the screen had no room for."""
    picture, recipe = sight.colour, sight.recipe
    if picture is None or recipe is None:
        return None
    return colour_picture(
        picture.images,
        weights=picture.weights,
        strengths=recipe.strengths,
        method=recipe.method,
        brightness=recipe.brightness,
        softening=recipe.softening,
    )


def _file_name(fetch: ImageFetch, sight: Sight, suffix: str, what: str = "") -> str:
    if sight.colour is not None:
        words = "colour"
    else:
        words = "_".join(dict.fromkeys(look.image.filter or "image" for look in sight.looks[:1]))
    return plain_name(f"{fetch.target.label}_{words}{what}.{suffix}".replace(" ", "_"))


def provenance(fetch: ImageFetch) -> None:
    """Show the exact requests, the same in Python, and how to cite."""
    with st.expander("Exact requests, the same in Python, how to cite", icon=":material/receipt:"):
        st.markdown("**Requests**")
        st.code("\n".join(fetch.urls), language=None, wrap_lines=True)
        st.markdown("**The same in Python**")
        st.code(fetch.code, language="python")
        if fetch.source.is_simulated:
            st.warning("This is simulated data: there is nothing to cite.")
            return
        st.markdown("**To cite**")
        surveys = dict.fromkeys(look.image.survey for look in fetch.images)
        for sentence in citations(fetch.service, list(surveys)):
            st.write(sentence)


def _page(fetch: ImageFetch) -> str:
    return fetch.service.lower()
