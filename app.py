"""Start Skystamp: `streamlit run app.py`, or `uvicorn app:app`."""

import contextlib
import gc
from collections.abc import AsyncIterator

import streamlit as st

from cutout_ui.source import ask_for_mast


@contextlib.asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Load what the pages need before the first visitor comes, and freeze it."""
    ask_for_mast()
    import cutout_ui.imports  # noqa: F401

    # Streamlit collects garbage after every run; what is frozen here is not looked at again,
    # which makes a rerun ten times faster (docs/developers.md, "The server").
    gc.collect()
    gc.freeze()
    yield


app = st.App("pages/main.py", lifespan=lifespan)
