"""Which deep-field surveys cover a spot, in plain words; and the nearest field where none does."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from cutout_core.deep_fields import DeepField, Survey, deep_fields, describe_survey, nearest_field
from cutout_core.mast.zcut import find_surveys
from cutout_core.matching import MatchedTarget
from cutout_ui.problems import plain, problems_shown
from cutout_ui.source import DataSource
from cutout_ui.target_box import set_target

# Most of its images are from the ground.
_BLURRED = "3D-HST"

# Words for the control -> degrees.
_RADII = {"at the spot": 0.0, "within 2′": 2 / 60, "within 10′": 10 / 60}


@dataclass(frozen=True, slots=True)
class Coverage:
    """
    The surveys around a spot.

    Attributes
    ----------
    here : tuple of Survey
        Those that cover the spot itself.
    nearby : tuple of Survey
        Those that only come within the radius.
    """

    here: tuple[Survey, ...]
    nearby: tuple[Survey, ...]


def find_coverage(source: DataSource, target: MatchedTarget) -> Coverage:
    """Ask how far around to look, and which surveys are there."""
    words = st.segmented_control(
        "Surveys that have images",
        list(_RADII),
        default="at the spot",
        required=True,
        key="zcut_radius",
        bind="query-params",
        help=(
            "A cutout is always made around your target. A survey that only comes near it gives "
            "a cutout that is partly empty, or nothing."
        ),
    )
    with problems_shown(source), st.spinner("Asking which surveys have images there …"):
        here = _surveys(source.base_url, target.ra, target.dec, 0.0, _source=source)
        radius = _RADII.get(words or "", 0.0)
        around = here
        if radius:
            around = _surveys(source.base_url, target.ra, target.dec, radius, _source=source)
    return Coverage(
        tuple(describe_survey(name) for name in here),
        tuple(describe_survey(name) for name in around if name not in here),
    )


@st.cache_data(ttl="1h", max_entries=1000, show_spinner=False)
def _surveys(
    base_url: str, ra: float, dec: float, radius_deg: float, *, _source: DataSource
) -> list[str]:
    return find_surveys(_source.session, ra, dec, radius_deg=radius_deg)


def choose_surveys(target: MatchedTarget, coverage: Coverage) -> list[Survey]:
    """Show the surveys as cards with a tick each; return the ticked ones."""
    ticked = []
    with st.grid("auto", min_column_width=250, gap="small"):
        for survey in (*coverage.here, *coverage.nearby):
            with st.container(border=True, height="stretch", gap="xxsmall"):
                if _tick(target, survey, ticked=_worth_a_tick(survey, coverage)):
                    ticked.append(survey)
                if survey not in coverage.here:
                    st.badge("near, not at the spot", color="orange")
                if survey.about:
                    st.write(survey.about[0].upper() + survey.about[1:])
                st.caption(_small_print(survey))
    return ticked


def _worth_a_tick(survey: Survey, coverage: Coverage) -> bool:
    """Tick what covers the spot; images blurred by the air only where there are no others."""
    alone = all(other.title == survey.title for other in coverage.here)
    return survey in coverage.here and (survey.title != _BLURRED or alone)


def _tick(target: MatchedTarget, survey: Survey, *, ticked: bool) -> bool:
    title = f"**{plain(survey.title)}**" + (f", {survey.field}" if survey.field else "")
    # Another target is another choice: its ticks start afresh.
    key = f"zcut_tick_{survey.name}_{target.ra:.6f}_{target.dec:.6f}"
    return st.checkbox(title, value=ticked, key=key)


def _small_print(survey: Survey) -> str:
    parts = [
        survey.telescope,
        f"pixels of {survey.pixel_arcsec:g}″"
        if survey.title != "3D-HST"
        else "pixels of 0.06–0.6″",
        f"about {survey.n_images} images",
        f"`{survey.name}`",
    ]
    return " · ".join(part for part in parts if part)


def nearest_field_offer(target: MatchedTarget) -> None:
    """Where nothing is covered: say what is nearest, how far, and lead there."""
    field, separation = nearest_field(target.ra, target.dec)
    st.info(
        "**None of the deep-field surveys has images here.** They are small windows on the sky, "
        f"each about as wide as the Moon or less. The nearest one is **{plain(field.name)}**, "
        f"{_distance(separation)} away: {plain(field.about)}.",
        icon=":material/explore:",
    )
    with st.container(horizontal=True, gap="small"):
        st.button(
            f"Go to {plain(field.name)}",
            key="zcut_go_nearest",
            type="primary",
            icon=":material/near_me:",
            on_click=set_target,
            args=(_position(field),),
        )
        st.page_link(
            "hapcut.py",
            label="Or see all other Hubble images of this place",
            icon=":material/photo_library:",
            query_params={"target": target.label},
        )


def field_buttons() -> None:
    """Offer every deep field as a button that fills the target box."""
    with st.container(horizontal=True, gap="xsmall"):
        for i, field in enumerate(deep_fields()):
            st.button(
                plain(field.name),
                key=f"zcut_field_{i}",
                help=field.about[0].upper() + field.about[1:],
                on_click=set_target,
                args=(_position(field),),
            )


def _position(field: DeepField) -> str:
    return f"{field.ra} {field.dec:+}"


def _distance(separation_deg: float) -> str:
    if separation_deg >= 1:
        return f"{separation_deg:.0f}°" if separation_deg >= 10 else f"{separation_deg:.1f}°"
    return f"{separation_deg * 60:.0f} arcmin" if separation_deg > 0.05 else "a few arcmin"


def survey_names(surveys: Sequence[Survey]) -> list[str]:
    """Give the names as the service spells them."""
    return [survey.name for survey in surveys]
