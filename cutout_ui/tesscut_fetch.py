"""Fetch ticked sectors, and remember for whom and from where."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from cutout_core.budget import check_budget
from cutout_core.errors import CutoutError
from cutout_core.mast.cutouts import CutoutRequest, fetch_cutout
from cutout_core.mast.tesscut_requests import Sector, plan_cutouts, plan_moving_cutouts
from cutout_core.matching import MatchedTarget, MovingTarget
from cutout_core.quicklook import QuickLook, look_at
from cutout_core.size import CutoutSize
from cutout_ui.fetch_panel import Job, start_job
from cutout_ui.problems import plain, show_problem
from cutout_ui.source import DataSource
from cutout_ui.target_box import MOVING, STILL, set_target, typed_target

_KEY = "tesscut_fetch"


@dataclass(frozen=True, slots=True, eq=False)
class TesscutFetch:
    """A job together with what it was started for; `text` stood in the target box."""

    job: Job
    source: DataSource
    text: str
    target: MatchedTarget | MovingTarget

    @property
    def looks(self) -> list[QuickLook]:
        """The files that have come so far, in the order of their sectors."""
        return [look for looks in self.job.results for look in looks]

    @property
    def notes(self) -> list[str]:
        """What did not come, and why, for the README of the bundle."""
        return [
            f"{item.request.label}: {item.problem or item.state.value}"
            for item in self.job.items
            if item.result is None
        ]


def fetch_button(
    source: DataSource,
    target: MatchedTarget | MovingTarget,
    sectors: Sequence[Sector],
    size: CutoutSize,
) -> None:
    """Offer to fetch; a click starts the job."""
    numbers = sorted({s.sector for s in sectors})
    n = len(numbers)
    st.button(
        f"Fetch {n} sectors" if n > 1 else "Fetch",
        key="tesscut_fetch_button",
        type="primary",
        icon=":material/download:",
        disabled=not n,
        on_click=_start,
        args=(source, target, numbers, size),
    )
    if (problem := st.session_state.pop(f"{_KEY}_problem", None)) is not None:
        show_problem(problem)


def current_fetch(source: DataSource, target: MatchedTarget | MovingTarget) -> TesscutFetch | None:
    """Return the visitor's last fetch if it is of this target; offer the way back if not."""
    fetch: TesscutFetch | None = st.session_state.get(_KEY)
    if fetch is None or (fetch.target == target and fetch.source.kind == source.kind):
        return fetch
    if fetch.target != target and fetch.looks:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Your cutouts of {plain(fetch.target.label)} are kept.", width="content")
            st.button(
                "Back to them",
                key="tesscut_back",
                on_click=_return_to,
                args=(fetch,),
            )
    return None


def _return_to(fetch: TesscutFetch) -> None:
    set_target(fetch.text)
    st.session_state["tesscut_kind"] = MOVING if isinstance(fetch.target, MovingTarget) else STILL


def _start(
    source: DataSource,
    target: MatchedTarget | MovingTarget,
    sectors: list[int],
    size: CutoutSize,
) -> None:
    session = source.session
    try:
        check_budget(size, sectors)
        if isinstance(target, MovingTarget):
            requests = plan_moving_cutouts(session, target.name, size, sectors, target.mt_type)
        else:
            requests = plan_cutouts(session, target.ra, target.dec, size, sectors)
    except CutoutError as exc:
        st.session_state[f"{_KEY}_problem"] = str(exc)
        return
    if (before := st.session_state.get(_KEY)) is not None:
        before.job.stop()

    def fetch(request: CutoutRequest) -> list[QuickLook] | None:
        archive = fetch_cutout(session, request)
        if archive is None or not archive.members:
            return None
        return look_at(archive, target.label)

    st.session_state[_KEY] = TesscutFetch(
        start_job(source, requests, fetch), source, typed_target(), target
    )
