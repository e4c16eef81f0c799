"""
Where the data comes from: MAST, or the demo sky on this machine.

The only module that knows that the demo sky exists; for everything else a source is a pair of URLs.
"""

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Literal, get_args
from urllib.parse import urlsplit

import streamlit as st

from cutout_core import MastSession
from cutout_core.errors import InvalidQueryError
from cutout_core.mast.session import MAST_URL

Kind = Literal["mast", "demo"]

_ANSWER_TIME_S = 3.0
_ASK_AGAIN_S = 300.0


@dataclass(frozen=True, slots=True)
class DataSource:
    """
    A place to fetch from.

    Attributes
    ----------
    kind : "mast" or "demo"
    base_url, resolver_url : str
        Roots of the services and of the name resolver.
    reason : str
        Why this source was chosen, in words.
    """

    kind: Kind
    base_url: str
    resolver_url: str
    reason: str

    @property
    def name(self) -> str:
        """What the header calls it: the host, if it is not MAST itself."""
        if self.kind == "demo":
            return "Simulated sky"
        return "Live MAST" if self.base_url == MAST_URL else urlsplit(self.base_url).netloc

    @property
    def is_simulated(self) -> bool:
        """Whether what comes from here was computed and not observed."""
        return self.kind == "demo"

    @property
    def session(self) -> MastSession:
        """The session of this source, shared by all visitors."""
        return _session(self.base_url, self.resolver_url)


class _Probe:
    """Whether MAST answers: asked in the background; a no is asked again after some minutes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answer: Future[bool] | None = None
        self._asked_at = 0.0

    def start(self) -> Future[bool]:
        """Return the answer, which may still be on its way; a no is asked again after a while."""
        with self._lock:
            if self._answer is None or self._is_stale(self._answer):
                answer: Future[bool] = Future()
                threading.Thread(target=self._ask, args=(answer,), daemon=True).start()
                self._answer, self._asked_at = answer, time.monotonic()
            return self._answer

    def _is_stale(self, answer: Future[bool]) -> bool:
        old = time.monotonic() - self._asked_at > _ASK_AGAIN_S
        return old and answer.done() and (answer.exception() is not None or not answer.result())

    @staticmethod
    def _ask(answer: Future[bool]) -> None:
        try:
            answer.set_result(MastSession().is_reachable(timeout_s=_ANSWER_TIME_S))
        except BaseException as exc:
            answer.set_exception(exc)
            raise


_PROBE = _Probe()


def ask_for_mast() -> None:
    """Begin to find out whether MAST answers, unless a setting pins the source."""
    if _setting() == "auto":
        _PROBE.start()


def choose_source() -> DataSource:
    """
    Return the source of this visitor's data.

    The setting ``SKYSTAMP_SOURCE`` decides; with ``auto`` the visitor's own choice, and without
    one MAST if it answered at the start, else the demo sky.
    """
    setting = _setting()
    if setting != "auto":
        return _source(setting, "The setting SKYSTAMP_SOURCE of this server says so.")
    chosen: Kind | None = st.session_state.get("source_choice")
    if chosen is not None:
        return _source(chosen, "You chose it.")
    if _PROBE.start().result():
        return _source("mast", "MAST answered when this server asked.")
    return _source(
        "demo", f"MAST did not answer within {_ANSWER_TIME_S:.0f} s when this server asked."
    )


def source_switch(source: DataSource) -> None:
    """Show where the data comes from and, unless a setting pins it, let the visitor change it."""
    icon = ":material/science:" if source.is_simulated else ":material/public:"
    with st.popover(source.name, icon=icon, type="tertiary", key="source_popover"):
        st.markdown("**Where the data comes from**")
        st.write(_explain(source))
        st.caption(source.reason)
        if _setting() == "auto":
            other: Kind = "mast" if source.is_simulated else "demo"
            st.button(
                "Use MAST, live" if other == "mast" else "Use the demo sky",
                key="source_use_other",
                on_click=use_source,
                args=(other,),
            )


def use_source(kind: Kind) -> None:
    """Make `kind` the visitor's source: a button's callback."""
    st.session_state["source_choice"] = kind


def offer_demo_sky(source: DataSource) -> None:
    """Under a failure of MAST: one button that leads to the simulated sky."""
    if source.kind == "mast" and _setting() == "auto":
        st.button(
            "Go on with the demo sky (simulated)",
            key="source_offer_demo",
            icon=":material/science:",
            on_click=use_source,
            args=("demo",),
        )


def _explain(source: DataSource) -> str:
    if source.is_simulated:
        return (
            "The demo sky runs on this computer and needs no network. Its stars, planets and "
            "noise are **computed, not observed**; camera positions and times are those of TESS."
        )
    if source.base_url != MAST_URL:
        return (
            f"A server that speaks MAST's protocol, at `{source.base_url}`, as the setting "
            "SKYSTAMP_MAST_URL says. Files tell in their header whether they are simulated."
        )
    return (
        f"MAST, the archive of NASA's Hubble and TESS missions, at `{source.base_url}`. "
        "Everything shown was observed."
    )


def _setting() -> Literal["auto", "mast", "demo"]:
    setting = os.environ.get("SKYSTAMP_SOURCE", "auto").strip().lower() or "auto"
    if setting == "auto":
        return "auto"
    for kind in get_args(Kind):
        if setting == kind:
            return kind  # type: ignore[no-any-return]
    msg = f'SKYSTAMP_SOURCE is "{setting}". It can be auto, mast or demo.'
    raise InvalidQueryError(msg)


def _source(kind: Kind, reason: str) -> DataSource:
    if kind == "demo":
        url = _demo_sky()[0]
        return DataSource("demo", url, url, reason)
    session = _session(None, None)
    return DataSource("mast", session.base_url, session.resolver_url, reason)


@st.cache_resource(show_spinner=False)
def _session(base_url: str | None, resolver_url: str | None) -> MastSession:
    return MastSession(base_url, resolver_url)


@st.cache_resource(show_spinner=False, on_release=lambda sky: sky[1]())
def _demo_sky() -> tuple[str, Callable[[], None]]:
    from demo_sky.server import start

    server = start()
    return server.url, server.stop
