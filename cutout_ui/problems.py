"""The only place where an error becomes something that a visitor sees."""

import contextlib
from collections.abc import Callable, Iterator

import streamlit as st

from cutout_core.errors import CutoutError, ServiceError
from cutout_ui.source import DataSource, offer_demo_sky


@contextlib.contextmanager
def problems_shown(
    source: DataSource | None = None, way_out: Callable[[CutoutError], None] | None = None
) -> Iterator[None]:
    """
    Show any `CutoutError` raised inside the block in words, and end the page there.

    Where the service failed, the demo sky of `source` is offered; `way_out` shows what else the
    visitor may do. Every other exception is a bug: it goes on, to the log.
    """
    try:
        yield
    except CutoutError as exc:
        show_problem(str(exc))
        if isinstance(exc, ServiceError) and source is not None:
            offer_demo_sky(source)
        if way_out is not None:
            way_out(exc)
        st.stop()


def show_problem(text: str) -> None:
    """Show a sentence about something that went wrong, as text and not as Markdown."""
    st.error(plain(text), icon=":material/error:")


def plain(text: str) -> str:
    """Escape what Markdown would read as its own signs: the text came from outside."""
    return "".join(f"\\{c}" if c in r"\`*_{}[]<>()#+-.!|$~:&" else c for c in text)
