"""Fetch images of Hubble, and remember for whom, from where, and what was asked."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

import streamlit as st

from cutout_core.errors import CutoutError
from cutout_core.fetching import FetchState
from cutout_core.imagelook import ImageLook, OpenedReply, PictureLook, by_wavelength, open_reply
from cutout_core.mast.cutouts import CutoutRequest, fetch_cutout
from cutout_core.matching import MatchedTarget
from cutout_core.size import CutoutSize
from cutout_ui.fetch_panel import Job, start_job
from cutout_ui.problems import plain, show_problem
from cutout_ui.source import DataSource
from cutout_ui.target_box import set_target, typed_target


@dataclass(frozen=True, slots=True, eq=False)
class ImageFetch:
    """
    A job together with what it was started for.

    Attributes
    ----------
    job : Job
    source : DataSource
    text : str
        What stood in the target box.
    target : MatchedTarget
    service : str
        "Zcut" or "HAPCut".
    size : CutoutSize
        As the visitor meant it.
    code : str
        The same in Python, for the curious.
    token : str
        Tells this fetch from every other.
    """

    job: Job
    source: DataSource
    text: str
    target: MatchedTarget
    service: str
    size: CutoutSize
    code: str
    token: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def replies(self) -> list[OpenedReply]:
        """What has come so far, in the order of the requests."""
        return self.job.results

    @property
    def images(self) -> list[ImageLook]:
        """The images that have come so far, by wavelength."""
        return by_wavelength(look for reply in self.replies for look in reply.images)

    @property
    def pictures(self) -> list[PictureLook]:
        """The finished pictures that have come so far."""
        return [look for reply in self.replies for look in reply.pictures]

    @property
    def is_empty(self) -> bool:
        """Whether the service has answered, and has nothing."""
        return all(item.state is FetchState.EMPTY for item in self.job.items)

    @property
    def urls(self) -> list[str]:
        """The exact requests."""
        return [item.request.url for item in self.job.items]


def fetch_button(
    label: str,
    source: DataSource,
    target: MatchedTarget,
    service: str,
    plan: Callable[[], list[CutoutRequest]],
    *,
    size: CutoutSize,
    code: str,
    disabled: bool = False,
) -> None:
    """Offer to fetch; a click plans the requests and starts the job."""
    page = service.lower()
    st.button(
        label,
        key=f"{page}_fetch_button",
        type="primary",
        icon=":material/download:",
        disabled=disabled,
        on_click=_start,
        args=(source, target, service, plan, size, code),
    )
    if (problem := st.session_state.pop(f"{page}_fetch_problem", None)) is not None:
        show_problem(problem)


def current_fetch(source: DataSource, target: MatchedTarget, service: str) -> ImageFetch | None:
    """Return the visitor's last fetch if it is of this target; offer the way back if not."""
    page = service.lower()
    fetch: ImageFetch | None = st.session_state.get(f"{page}_fetch")
    if fetch is None or (fetch.target == target and fetch.source.kind == source.kind):
        return fetch
    if fetch.target != target and fetch.replies:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Your images of {plain(fetch.target.label)} are kept.", width="content")
            st.button(
                "Back to them",
                key=f"{page}_back",
                on_click=set_target,
                args=(fetch.text,),
            )
    return None


def _start(
    source: DataSource,
    target: MatchedTarget,
    service: str,
    plan: Callable[[], list[CutoutRequest]],
    size: CutoutSize,
    code: str,
) -> None:
    page = service.lower()
    try:
        requests = plan()
    except CutoutError as exc:
        st.session_state[f"{page}_fetch_problem"] = str(exc)
        return
    if (before := st.session_state.get(f"{page}_fetch")) is not None:
        before.job.stop()
    session, simulated = source.session, source.is_simulated

    def fetch(request: CutoutRequest) -> OpenedReply | None:
        archive = fetch_cutout(session, request)
        if archive is None or not archive.members:
            return None
        return open_reply(archive, simulated=simulated)

    st.session_state[f"{page}_fetch"] = ImageFetch(
        start_job(source, requests, fetch), source, typed_target(), target, service, size, code
    )
