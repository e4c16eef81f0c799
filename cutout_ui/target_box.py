"""The target box that all pages share, and the card that says what it found."""

import streamlit as st

from cutout_core.matching import MatchedTarget, match_target
from cutout_ui.problems import plain, problems_shown
from cutout_ui.source import DataSource

# One of each kind: a name, a TIC number, a position. All of them exist in the demo sky.
EXAMPLES = ("Pi Mensae", "WASP-18", "TIC 261136679", "84.2911951861308 -80.46912070924")


def target_box() -> str:
    """Show the box and its examples; return what is typed in it, "" for nothing."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Name, TIC number or position",
            key="target",
            type="search",
            max_chars=200,
            bind="query-params",
            placeholder="for example WASP-18, TIC 261136679, or 84.291 -80.469",
            help=(
                "A name as SIMBAD or NED know it; a TIC, KIC or EPIC number; or a position: "
                "right ascension and declination in degrees (84.291 -80.469) or in hours and "
                "degrees (05:37:09.9 -80:28:08.8)."
            ),
            width="stretch",
        )
        # Leaving the box is what sends its text; the button gives the mouse a place to go.
        st.button("Find", key="target_find", type="primary", icon=":material/search:")
    return (text or "").strip()


def example_buttons() -> None:
    """Offer the examples as buttons that fill the target box."""
    st.caption("To try:")
    with st.container(horizontal=True, gap="xsmall"):
        for i, example in enumerate(EXAMPLES):
            st.button(
                example,
                key=f"example_{i}",
                type="secondary",
                on_click=set_target,
                args=(example,),
            )


def set_target(text: str) -> None:
    """Put a text into the target box: a button's callback."""
    st.session_state["target"] = text


def find_target(source: DataSource, text: str) -> MatchedTarget:
    """Match the text, or show why it can't be matched and end the page."""
    with problems_shown(source, example_buttons), st.spinner(f"Looking for {plain(text)} …"):
        return _match(source.base_url, source.resolver_url, text, _source=source)


@st.cache_data(ttl="1h", max_entries=1000, show_spinner=False)
def _match(base_url: str, resolver_url: str, text: str, *, _source: DataSource) -> MatchedTarget:
    return match_target(_source.session, text)


def target_card(target: MatchedTarget) -> None:
    """Say what was matched, before anything is fetched."""
    with st.container(border=True, key="target_card"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(target.canonical_name or target.label)}**", width="content")
            if target.object_type:
                st.badge(target.object_type, color="blue")
            if target.resolver:
                st.badge(f"found by {target.resolver}", color="gray")
            st.badge(f"in {target.constellation}", color="gray")
        st.caption(
            f"Right ascension and declination: {plain(target.sexagesimal)} "
            f"({plain(target.decimal)} degrees)"
        )
        if target.note:
            st.warning(plain(target.note))
