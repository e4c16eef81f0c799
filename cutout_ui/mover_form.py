"""The form for what moves: the kind of target, and what to call an asteroid or comet."""

import streamlit as st

from cutout_core.matching import MovingTarget, match_moving_target
from cutout_ui.problems import problems_shown
from cutout_ui.target_box import MOVING, STILL, set_target

# Well-known bodies that TESS has seen; all of them exist in the demo sky.
_EXAMPLES = ("Ceres", "Eleonora", "Vesta", "C/2020 F3")

_TYPES = {
    "find out": None,
    "asteroid or comet (small body)": "smallbody",
    "planet, moon or dwarf planet (major body)": "majorbody",
}


def is_moving() -> bool:
    """Ask what kind of target the box holds."""
    kind = st.segmented_control(
        "The target is a",
        [STILL, MOVING],
        # A button elsewhere may have chosen already; Streamlit wants one source of the first value.
        default=None if "tesscut_kind" in st.session_state else STILL,
        required=True,
        key="tesscut_kind",
        bind="query-params",
    )
    return kind == MOVING


def find_mover(text: str) -> MovingTarget:
    """Read the name of a body, or show why it is none and end the page."""
    chosen = st.selectbox(
        "Type of body",
        list(_TYPES),
        key="tesscut_body_type",
        width=380,
        help="Some names are those of a planet or moon and of an asteroid, too. Then say which.",
    )
    with problems_shown():
        return match_moving_target(text, mt_type=_TYPES.get(chosen or ""))


def mover_examples() -> None:
    """Offer bodies that TESS has seen."""
    st.caption("To try:")
    with st.container(horizontal=True, gap="xsmall"):
        for i, name in enumerate(_EXAMPLES):
            st.button(name, key=f"mover_example_{i}", on_click=set_target, args=(name,))
