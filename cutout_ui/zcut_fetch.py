"""What to fetch from Zcut: data to look at, or pictures that the service draws."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from cutout_core.deep_fields import Survey
from cutout_core.mast.zcut import (
    STRETCHES,
    CutoutFormat,
    CutoutRequest,
    PictureOptions,
    picture_options,
    plan_cutouts,
)
from cutout_core.matching import MatchedTarget
from cutout_core.size import CutoutSize
from cutout_ui.image_fetch import fetch_button
from cutout_ui.image_size import bytes_in_words, size_in_words
from cutout_ui.problems import problems_shown
from cutout_ui.source import DataSource

_FORMATS: dict[str, CutoutFormat] = {
    "data, to explore (FITS)": "fits",
    "finished pictures (JPG)": "jpg",
    "finished pictures (PNG)": "png",
}

# Bytes per pixel that a file takes, as a rule: numbers; a grey picture, with and without loss.
_BYTES = {"fits": 4.0, "jpg": 0.4, "png": 1.0}


@dataclass(frozen=True, slots=True)
class FileKind:
    """
    What kind of files to ask for.

    Attributes
    ----------
    cutout_format : {"fits", "jpg", "png"}
    options : PictureOptions
        For jpg and png.
    """

    cutout_format: CutoutFormat
    options: PictureOptions


def choose_kind() -> FileKind:
    """Ask for data or for pictures, and how the service is to draw those."""
    words = st.segmented_control(
        "Fetch as",
        list(_FORMATS),
        default=next(iter(_FORMATS)),
        required=True,
        key="zcut_kind",
        help=(
            "With data you can change brightness and colours, measure, blink and mix colours "
            "here. Finished pictures are drawn by the service and are small."
        ),
    )
    form = _FORMATS.get(words or "", "fits")
    if form == "fits":
        return FileKind(form, PictureOptions())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        stretch = st.selectbox("Brightness curve", STRETCHES, key="zcut_drawn_stretch", width=170)
        cuts = st.segmented_control(
            "Black and white by",
            ["per cent", "values"],
            default="per cent",
            required=True,
            key="zcut_drawn_cuts",
        )
        by_value = cuts == "values"
        kind = "value" if by_value else "percent"
        low = st.number_input(
            "Black", value=0.0 if by_value else 0.5, key=f"zcut_drawn_low_{kind}", width=130
        )
        high = st.number_input(
            "White", value=1.0 if by_value else 99.5, key=f"zcut_drawn_high_{kind}", width=130
        )
        invert = st.toggle("Negative", key="zcut_drawn_invert")
    with problems_shown():
        options = picture_options(
            stretch=stretch,
            minmax_percent=None if by_value else (low, high),
            minmax_value=(low, high) if by_value else None,
            invert=invert,
        )
    return FileKind(form, options)


def cost_line(size: CutoutSize, surveys: Sequence[Survey], kind: FileKind) -> None:
    """Say what the size means and what fetching it will cost, before anything is sent."""
    if not surveys:
        st.caption("Tick a survey to fetch.")
        return
    n_bytes, n_images = 0.0, 0
    for survey in surveys:
        ny, nx = size.in_pixels(survey.pixel_arcsec)
        n_bytes += ny * nx * survey.n_images * _BYTES[kind.cutout_format]
        n_images += survey.n_images
    finest = min(survey.pixel_arcsec for survey in surveys)
    st.caption(
        f"{size_in_words(size, finest)}. About {n_images} images, "
        f"{bytes_in_words(n_bytes)} to fetch."
    )


def zcut_fetch_button(
    source: DataSource,
    target: MatchedTarget,
    surveys: Sequence[Survey],
    size: CutoutSize,
    kind: FileKind,
) -> None:
    """Offer to fetch; a click starts one request per survey."""
    names = [survey.name for survey in surveys]

    def plan() -> list[CutoutRequest]:
        return plan_cutouts(
            source.session,
            target.ra,
            target.dec,
            size,
            names,
            cutout_format=kind.cutout_format,
            options=kind.options,
        )

    n = len(names)
    fetch_button(
        "Fetch" if n == 1 else f"Fetch {n} surveys",
        source,
        target,
        "Zcut",
        plan,
        size=size,
        code=_code(target, size, names, kind),
        disabled=not n,
    )


def _code(target: MatchedTarget, size: CutoutSize, surveys: Sequence[str], kind: FileKind) -> str:
    sides = f"[{size.ny:g}, {size.nx:g}]"
    unit = ""
    if size.unit == "deg":
        sides = f"[{size.ny * 3600:g}, {size.nx * 3600:g}] * u.arcsec"
        unit = "import astropy.units as u\n"
    where = f'"{target.ra:.6f} {target.dec:+.6f}", size={sides}, survey={list(surveys)}'
    if kind.cutout_format == "fits":
        call = f"images = Zcut.get_cutouts({where})"
    else:
        drawn = "".join(f", {key}={text!r}" for key, text in _drawn(kind.options))
        call = f"Zcut.download_cutouts({where}, cutout_format={kind.cutout_format!r}{drawn})"
    # The same call works with `from astroquery.mast import Zcut`, one survey at a time.
    return f"{unit}from cutout_core import Zcut\n\n{call}\n"


def _drawn(options: PictureOptions) -> list[tuple[str, object]]:
    values = {
        "stretch": options.stretch,
        "minmax_percent": options.minmax_percent and list(options.minmax_percent),
        "minmax_value": options.minmax_value and list(options.minmax_value),
        "invert": options.invert,
    }
    return [(key, value) for key, value in values.items() if value is not None]
