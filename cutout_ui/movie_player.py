"""A movie of pixels in the page: play, step, speed, with the time of each frame under it."""

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from cutout_core.movie import FrameSheet

_HTML = """
<div class="movie">
  <canvas role="img"></canvas>
  <input data-part="slider" type="range" min="0" value="0" aria-label="Frame">
  <div class="row">
    <button data-part="back" aria-label="One frame back">&#x2039;</button>
    <button data-part="play" aria-pressed="false">Play</button>
    <button data-part="forth" aria-label="One frame on">&#x203a;</button>
    <label>Speed
      <select data-part="speed">
        <option value="10">slow</option>
        <option value="30" selected>medium</option>
        <option value="120">fast</option>
        <option value="480">very fast</option>
      </select>
    </label>
    <span data-part="time" class="time"></span>
  </div>
</div>
"""

_CSS = """
.movie { font-family: var(--st-font); color: var(--st-text-color); max-width: 560px; }
.movie canvas { width: 100%; display: block; image-rendering: pixelated;
  border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius); }
.movie input { width: 100%; margin: 0.6rem 0 0.4rem; accent-color: var(--st-primary-color); }
.movie .row { display: flex; flex-wrap: wrap; gap: 0.4rem; align-items: center; }
.movie button, .movie select { font: inherit; color: inherit; min-height: 2.2rem;
  min-width: 2.2rem; background: var(--st-secondary-background-color);
  border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius);
  padding: 0.2rem 0.7rem; cursor: pointer; }
.movie :focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
.movie .time { margin-left: auto; font-variant-numeric: tabular-nums; }
"""

_player = st.components.v2.component(
    "skystamp_movie",
    html=_HTML,
    css=_CSS,
    js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"),
)


def movie_player(
    sheet: FrameSheet,
    labels: Sequence[str],
    *,
    alt: str,
    key: str,
    marks: Sequence[tuple[float, float] | None] | None = None,
) -> None:
    """
    Show a movie; `marks` are 0-based (x, y) places that get a ring, one for each frame.

    Parameters
    ----------
    sheet : FrameSheet
        All frames as tiles of one PNG.
    labels : sequence of str
        What stands under each frame, such as its time.
    alt : str
        What the movie shows, for those who can't see it.
    key : str
        Of the widget.
    marks : sequence of (float, float) or None
    """
    _player(
        key=key,
        data={
            "id": hashlib.sha256(sheet.png).hexdigest(),
            "sheet": base64.b64encode(sheet.png).decode(),
            "nx": sheet.nx,
            "ny": sheet.ny,
            "columns": sheet.columns,
            "labels": list(labels),
            "marks": None if marks is None else list(marks),
            "alt": alt,
        },
    )
