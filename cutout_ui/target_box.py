"""The target box that all pages share, and the card that says what it found."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from cutout_core.errors import CutoutError, ResolverError
from cutout_core.mast.catalogs import star_neighbourhood
from cutout_core.mast.resolver import RESOLVERS, Match, describe_object_type
from cutout_core.matching import (
    MatchedTarget,
    describe_disagreement,
    find_alternatives,
    match_target,
)
from cutout_core.target import format_position
from cutout_ui.problems import plain, problems_shown, show_problem
from cutout_ui.source import DataSource

# One of each kind: a name, a TIC number, a position. All of them exist in the demo sky.
EXAMPLES = ("Pi Mensae", "WASP-18", "TIC 261136679", "84.2911951861308 -80.46912070924", "M51")

#: What can be followed on the TESSCut page.
STILL, MOVING = "star or place", "asteroid or comet"

_AUTOMATIC = "automatic"


def target_box() -> None:
    """Show the box; it belongs to the frame, so that its text stays from page to page."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "Name, TIC number or position",
            key="target",
            type="search",
            max_chars=200,
            bind="query-params",
            persist_state="session",
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


def typed_target() -> str:
    """Return what stands in the target box, "" for nothing."""
    return str(st.session_state.get("target") or "").strip()


def example_buttons() -> None:
    """Offer the examples as buttons that fill the target box."""
    _name_buttons("example", "To try:", EXAMPLES)


def set_target(text: str) -> None:
    """Put a text into the target box: a button's callback."""
    st.session_state["target"] = text


def find_target(source: DataSource, text: str) -> MatchedTarget:
    """Match the text, or show why it can't be matched and what to do, and end the page."""
    resolver = _chosen_resolver(text)
    with problems_shown(source, _ways_out), st.spinner(f"Looking for {plain(text)} …"):
        return _match(source.base_url, source.resolver_url, text, resolver, _source=source)


def _ways_out(problem: CutoutError) -> None:
    """Offer what the text may have been meant to be."""
    if isinstance(problem, ResolverError) and problem.moving_name is not None:
        if st.button(
            f"Follow {plain(problem.moving_name)} as a moving target",
            key="target_moving",
            type="primary",
            icon=":material/moving:",
            on_click=_follow,
            args=(problem.moving_name,),
        ):
            st.switch_page("tesscut.py")
    elif isinstance(problem, ResolverError) and problem.similar:
        _name_buttons("similar", "Did you mean:", problem.similar)
    else:
        example_buttons()


def _follow(name: str) -> None:
    """Set the form of the TESSCut page to a moving target: a button's callback."""
    set_target(name)
    st.session_state["tesscut_kind"] = MOVING


def _name_buttons(key: str, caption: str, names: Sequence[str]) -> None:
    st.caption(caption)
    with st.container(horizontal=True, gap="xsmall"):
        for i, name in enumerate(names):
            st.button(plain(name), key=f"{key}_{i}", on_click=set_target, args=(name,))


def _resolver_key(text: str) -> str:
    # The choice belongs to the name: another name may be unknown to that catalogue.
    return f"target_resolver_{text}"


def _chosen_resolver(text: str) -> str | None:
    chosen = st.session_state.get(_resolver_key(text), _AUTOMATIC)
    return None if chosen == _AUTOMATIC else chosen


@st.cache_data(ttl="1h", max_entries=1000, show_spinner=False)
def _match(
    base_url: str, resolver_url: str, text: str, resolver: str | None, *, _source: DataSource
) -> MatchedTarget:
    return match_target(_source.session, text, resolver=resolver)


@st.cache_data(ttl="1h", max_entries=200, show_spinner=False)
def _alternatives(
    base_url: str, resolver_url: str, text: str, *, _source: DataSource
) -> list[Match]:
    return find_alternatives(_source.session, text)


def target_card(source: DataSource, target: MatchedTarget, *, with_star: bool = False) -> None:
    """Say what was matched, before anything is fetched; `with_star` names the TIC's star there."""
    with st.container(border=True, key="target_card"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(target.canonical_name or target.label)}**", width="content")
            if target.object_type:
                st.badge(plain(target.object_type), color="blue")
            if target.resolver:
                st.badge(f"found by {plain(target.resolver)}", color="gray")
            st.badge(f"in {target.constellation}", color="gray")
        st.caption(
            f"Right ascension and declination: {plain(target.sexagesimal)} "
            f"({plain(target.decimal)} degrees). Galactic: {plain(target.galactic)}"
        )
        if target.note:
            st.warning(plain(target.note))
        if with_star:
            _star_line(source, target)
        if target.resolver:
            _other_catalogues(source, target)


@st.fragment(parallel=True)
def _star_line(source: DataSource, target: MatchedTarget) -> None:
    """Name the star and its brighter neighbours; the page does not wait for it."""
    number = (target.canonical_name or "").removeprefix("TIC ")
    tic = int(number) if number.isdigit() else None
    try:
        words = _star_words(source.base_url, target.ra, target.dec, tic, _source=source)
    except CutoutError as exc:
        words = f"Which star of the TESS Input Catalog this is can't be told now. {exc}"
    st.caption(plain(words))


@st.cache_data(ttl="1d", max_entries=1000, show_spinner=False)
def _star_words(
    base_url: str, ra: float, dec: float, tic: int | None, *, _source: DataSource
) -> str:
    return star_neighbourhood(_source.session, ra, dec, tic).words


def _other_catalogues(source: DataSource, target: MatchedTarget) -> None:
    """Let the visitor see what other catalogues say, and choose whose position counts."""
    opened = st.expander(
        "Is this the right object? What other catalogues say",
        key="target_alternatives",
        on_change="rerun",
    )
    if not opened.open:
        return
    with opened:
        try:
            with st.spinner("Asking all catalogues …"):
                matches = _alternatives(
                    source.base_url, source.resolver_url, target.label, _source=source
                )
        except CutoutError as exc:
            show_problem(str(exc))
            return
        words = describe_disagreement(matches)
        if words:
            st.warning(plain(words), icon=":material/call_split:")
        else:
            st.caption("All that know the name put it at the same place.")
        st.dataframe(
            pd.DataFrame([_row(match) for match in matches]),
            hide_index=True,
            alt="The object in all catalogues that know its name",
        )
        st.segmented_control(
            "Take the position of",
            [_AUTOMATIC, *(r for r in RESOLVERS if r in {m.resolver for m in matches})],
            default=_AUTOMATIC,
            required=True,
            key=_resolver_key(typed_target()),
            persist_state="session",
        )


def _row(match: Match) -> dict[str, str]:
    decimal, sexagesimal = format_position(match.ra, match.dec)
    return {
        "Catalogue": match.resolver,
        "Name there": match.canonical_name,
        "Kind": describe_object_type(match.object_type) or "",
        "Position": sexagesimal,
        "Degrees": decimal,
    }
