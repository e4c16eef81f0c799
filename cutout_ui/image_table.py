"""The table of fetched images, with ticks: what each is, and which are looked at."""

import math
from collections.abc import Sequence

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from cutout_core.image import ImageCutout
from cutout_core.imagelook import ImageLook
from cutout_core.light import glowing_gas, light_name
from cutout_ui.image_fetch import ImageFetch
from cutout_ui.problems import plain


def image_table(fetch: ImageFetch, *, expanded: bool) -> list[ImageLook]:
    """Show the images as rows with ticks; return the ticked ones, by wavelength."""
    page = fetch.service.lower()
    covered = [look for look in fetch.images if not look.image.is_blank]
    blank = [look for look in fetch.images if look.image.is_blank]
    if covered:
        first = _worth_a_look(covered, fetch.service)
        label = (
            f"The {len(covered)} images: choose which to look at"
            if len(covered) > 1
            else "The image"
        )
        with st.expander(label, expanded=expanded, icon=":material/table_rows:"):
            rows = _rows(covered, fetch.service)
            choice = st.dataframe(
                rows,
                # Another fetch, or more images of this one, is another table.
                key=f"{page}_images_{fetch.token}_{len(covered)}",
                hide_index=True,
                height=min(36 * (len(rows) + 1), 270),
                on_select="rerun",
                selection_mode="multi-row",
                selection_default={"selection": {"rows": first}},
                column_config=_columns(rows),
                alt=f"{len(rows)} images with camera, filter, wavelength, pixels and coverage",
            )
            if fetch.service == "HAPCut":
                _explain_repeats(covered, len(first))
        chosen = [covered[i] for i in choice["selection"]["rows"] if i < len(covered)]
    else:
        chosen = []
    _fold_away(blank, any_covered=bool(covered))
    return [look for look in covered if look in chosen]


def _worth_a_look(looks: Sequence[ImageLook], service: str) -> list[int]:
    """
    Give the rows that are ticked at first.

    HAPCut sends a filter several times, in fine and coarse pixels and from sky cells that overlap:
    the one that covers most is ticked, of equal ones the finest. Zcut's are different surveys.
    """
    if service == "Zcut":
        return list(range(len(looks)))
    best: dict[tuple[str, str, str], int] = {}
    for i, look in enumerate(looks):
        band = _band(look.image)
        if band not in best or _worth(look.image) > _worth(looks[best[band]].image):
            best[band] = i
    return sorted(best.values())


def _band(image: ImageCutout) -> tuple[str, str, str]:
    return image.instrument, image.detector, image.filter


def _worth(image: ImageCutout) -> tuple[float, float]:
    return round(image.coverage, 1), -image.pixel_scale_arcsec


def _rows(looks: Sequence[ImageLook], service: str) -> pd.DataFrame:
    rows = pd.DataFrame([_row(look.image) for look in looks])
    if service == "HAPCut":
        rows = rows.rename(columns={"Survey": "Sky cell"})
    # A column is left out that says nothing about any image, or the same sky cell about all.
    silent = [
        name
        for name in rows
        if rows[name].isna().all()
        or (rows[name] == "").all()
        or (name == "Sky cell" and rows[name].nunique() == 1)
    ]
    return rows.drop(columns=silent)


def _row(image: ImageCutout) -> dict[str, object]:
    ny, nx = image.shape
    return {
        "Filter": image.filter or image.label,
        "Wavelength": _known(image.wavelength_um),
        "Light": light_name(image.wavelength_um),
        "Glowing gas": glowing_gas(image.filter, image.instrument),
        "Instrument": image.instrument,
        "Detector": image.detector,
        "Pixel": _known(image.pixel_scale_arcsec),
        "Mosaic": "coarse" if image.is_coarse else "fine" if image.detector == "IR" else "",
        "Exposure": _known(image.exposure_s),
        "Covered": 100 * image.coverage,
        "Size": f"{nx} × {ny}",
        "Survey": image.survey,
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _columns(rows: pd.DataFrame) -> dict[str, ColumnConfig]:
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    columns = {
        "Filter": text(width=70),
        "Wavelength": number(format="%.3f µm", help="In the middle of the filter", width=95),
        "Light": text(width=105),
        "Glowing gas": text(help="The gas that a narrow filter lets through", width=200),
        "Instrument": text(width=85),
        "Detector": text(width=75),
        "Pixel": number(format="%.3f″", help="Side of a pixel on the sky", width=70),
        "Mosaic": text(help="Infrared images come in fine and coarse pixels", width=70),
        "Exposure": number(format="%.0f s", width=80),
        "Covered": st.column_config.ProgressColumn(
            format="%.0f%%", min_value=0, max_value=100, width=100
        ),
        "Size": text(width=95, help="Width and height in pixels"),
    }
    return {name: column for name, column in columns.items() if name in rows}


def _explain_repeats(looks: Sequence[ImageLook], n_ticked: int) -> None:
    """Say why a filter comes several times, where it does."""
    parts = []
    if any(look.image.is_coarse for look in looks):
        parts.append(
            "Infrared images come twice, made of the same exposures: *fine* with the pixels of "
            "the other cameras, to lay over them; *coarse* with pixels as large as the detector's "
            "own, with less noise in each."
        )
    if len({look.image.survey for look in looks}) > 1:
        parts.append("The sky is divided into cells that overlap; both have an image here.")
    if n_ticked < len(looks):
        parts.append("Of each filter the image that covers most is ticked, and the finest.")
    if parts:
        st.caption(" ".join(parts))


def _fold_away(blank: Sequence[ImageLook], *, any_covered: bool) -> None:
    if not blank:
        return
    n = len(blank)
    names = ", ".join(plain(look.image.label) for look in blank)
    if not any_covered:
        st.info(
            f"The service sent {n} image{'s' if n > 1 else ''} ({names}), but none of them has "
            "data here: the spot lies beyond the edge of what was exposed. Try a larger size, or "
            "move the target a little.",
            icon=":material/texture:",
        )
        return
    with st.expander(f"{n} more without data here", icon=":material/texture:"):
        st.caption(
            f"{names}: the mosaic reaches here, but no exposure does. "
            "The files are in the zip of everything."
        )
