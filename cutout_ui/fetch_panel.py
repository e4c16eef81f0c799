"""The panel of a fetch under way: a bar, a line per request, Stop; drawn again while it runs."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import streamlit as st

from cutout_core.fetching import FetchItem, FetchJob, FetchState
from cutout_core.mast.session import MAX_IN_FLIGHT
from cutout_ui.problems import plain, show_problem
from cutout_ui.source import DataSource

_POLL_S = 0.4
_ICONS = {
    FetchState.WAITING: ":material/hourglass_empty:",
    FetchState.RUNNING: ":material/downloading:",
    FetchState.DONE: ":material/check_circle:",
    FetchState.EMPTY: ":material/do_not_disturb_on:",
    FetchState.FAILED: ":material/error:",
    FetchState.STOPPED: ":material/stop_circle:",
}

Job = FetchJob[Any, Any]


@st.cache_resource(show_spinner=False)
def _executor(base_url: str) -> ThreadPoolExecutor:
    # As many threads as MAST allows requests; the session holds the limit itself.
    return ThreadPoolExecutor(MAX_IN_FLIGHT, thread_name_prefix="fetch")


def start_job(source: DataSource, requests: Iterable[Any], fetch: Callable[[Any], Any]) -> Job:
    """Start to fetch, in threads that all visitors of a source share."""
    return FetchJob(requests, fetch, _executor(source.base_url))


def fetch_panel(job: Job, key: str) -> None:
    """Show how far a job is; the page runs again whenever something has come."""
    st.fragment(_panel, run_every=_POLL_S if job.running else None)(job, key, job.n_ended)


def _panel(job: Job, key: str, n_shown: int) -> None:
    if job.n_ended != n_shown:
        st.rerun()
    n = len(job.items)
    if job.running:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(job.n_ended / n, f"{job.n_ended} of {n} fetched")
            st.button("Stop", key=f"{key}_stop", icon=":material/stop:", on_click=job.stop)
        st.caption(" · ".join(_line(item) for item in job.items))
        return
    for problem, labels in _by_problem(job).items():
        show_problem(f"{problem} ({', '.join(labels)})")
    empty = [item.request.label for item in job.items if item.state is FetchState.EMPTY]
    if empty:
        st.info(f"{plain(', '.join(empty))}: the service has no images there.")
    n_stopped = sum(item.state is FetchState.STOPPED for item in job.items)
    if n_stopped:
        st.info(f"Stopped: {n_stopped} of {n} not fetched.", icon=":material/stop_circle:")
    if job.failed or n_stopped:
        st.button(
            "Fetch what is missing",
            key=f"{key}_retry",
            icon=":material/refresh:",
            on_click=job.retry_failed,
        )


def _by_problem(job: Job) -> dict[str, list[str]]:
    """Group what failed by its reason: twenty sectors that a busy service refused are one box."""
    grouped: dict[str, list[str]] = {}
    for item in job.failed:
        grouped.setdefault(item.problem or "", []).append(item.request.label)
    return grouped


def _line(item: FetchItem[Any, Any]) -> str:
    return f"{_ICONS[item.state]} {plain(item.request.label)} {item.state.value}"
