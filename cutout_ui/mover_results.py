"""What a moving target shows: a movie that follows it, its rotation, files to take away."""

import functools
from collections.abc import Sequence

import numpy as np
import streamlit as st

from cutout_core.motion import describe_motion
from cutout_core.movie import (
    FrameSheet,
    frame_sheet,
    frame_times,
    movie_levels,
)
from cutout_core.quicklook import QuickLook
from cutout_core.rotation import find_rotation
from cutout_core.tess_bundle import look_movie, movie_frames, movie_marks
from cutout_core.trail import find_trail, trail_png
from cutout_ui.movie_player import movie_player
from cutout_ui.problems import plain
from cutout_ui.where_tess_looked import SkyPath

# More frames than anybody looks at one by one; they stay in one picture of a few hundred kB.
_MOST_PLAYED = 1500
# A file to pass on: ten to thirty seconds.
_MOST_IN_FILE = 300

_COLUMNS = """
A file of a moving target has four columns more than that of a star. **TGT_X** and **TGT_Y** say in
which pixel of the cutout the target is, counted from 0: the cutout follows it in steps of whole
pixels, so that both change a little from image to image and jump back. **TGT_RA** and **TGT_DEC**
are its position on the sky at that moment, as JPL Horizons computes it. The stars drift through the
picture because the window moves with the target.
"""


def mover_movie(look: QuickLook, label: str) -> None:
    """Play the frames, with a ring around the target."""
    movie = _movie(look.sha256, _look=look)
    if movie is None:
        st.info("No image of this file has light in it, so there is no movie.")
        return
    sheet, times, marks = movie
    movie_player(
        sheet, times, marks=marks, key="tesscut_movie", alt=f"Movie of {label}: the stars drift by"
    )
    kept = ", without those that are left out" if look.light_curve.good.any() else ""
    st.caption(
        f"{len(times):,} images{kept}. Ring: the target. "
        "Stars drift through the picture because it moves with the target."
    )


@st.cache_data(max_entries=40, show_spinner=False)
def _movie(
    sha256: str, *, _look: QuickLook
) -> tuple[FrameSheet, list[str], list[tuple[float, float]] | None] | None:
    frames = movie_frames(_look, at_most=_MOST_PLAYED)
    if not frames.size:
        return None
    sheet = frame_sheet(movie_levels(_look.tpf, frames, sky=_look.light_curve.background))
    return sheet, frame_times(_look.tpf, frames), movie_marks(_look, frames)


def mover_rotation(look: QuickLook) -> None:
    """Say what the light curve tells about the body's rotation, and what the columns mean."""
    st.markdown(f"**Brightness and motion.** {plain(describe_motion(look.light_curve))}")
    st.markdown(f"**Rotation.** {plain(_rotation(look.sha256, _look=look))}")
    way = st.expander("Its way across the stars", key="tesscut_trail", on_change="rerun")
    if way.open:
        with way:
            _way(look)
    with st.expander("What the columns of this file mean"):
        st.markdown(_COLUMNS)


def _way(look: QuickLook) -> None:
    label = f"{look.light_curve.target}, sector {look.tpf.sector}"
    png = _trail(look.sha256, label, _look=look)
    if png is None:
        st.caption("This file does not tell where on the detector its images were cut.")
        return
    alt = f"The stars along the way of {label}, and a line across them"
    st.image(png, alt=alt, output_format="PNG", width="stretch")
    st.caption("A ring where it begins, a dot for each day. Stars as seen while it was elsewhere.")


@st.cache_data(max_entries=40, show_spinner="Putting the stars together …")
def _trail(sha256: str, label: str, *, _look: QuickLook) -> bytes | None:
    trail = find_trail(_look.tpf, _look.light_curve.good)
    if trail is None:
        return None
    return trail_png(trail, title=label, simulated=_look.tpf.simulated)


@st.cache_data(max_entries=200, show_spinner="Looking for the rotation …")
def _rotation(sha256: str, *, _look: QuickLook) -> str:
    return find_rotation(_look.light_curve).words


def sky_path(looks: Sequence[QuickLook]) -> SkyPath:
    """Return RA and Dec in degrees along a body's path, with NaN between the files."""
    path: tuple[list[float], list[float]] = ([], [])
    for look in looks:
        for values, column in zip(path, (look.tpf.target_ra, look.tpf.target_dec), strict=True):
            if column is not None:
                # A day's path is straight on a map of the whole sky.
                step = max(1, round(86_400 / look.tpf.cadence_s))
                values += [*column[np.isfinite(column)][::step].tolist(), float("nan")]
    return np.array(path[0]), np.array(path[1])


def movie_downloads(target: str, look: QuickLook) -> None:
    """Offer the movie as a file."""
    stem = look.member.name.removesuffix(".fits")
    for form, mime in (("gif", "image/gif"), ("webp", "image/webp")):
        st.download_button(
            f"Movie as {form.upper() if form == 'gif' else 'WebP'}",
            data=functools.partial(
                look_movie, target, look, file_format=form, at_most=_MOST_IN_FILE
            ),
            file_name=f"{stem}.{form}",
            mime=mime,
            key=f"tesscut_movie_{form}",
            icon=":material/movie:",
            on_click="ignore",
        )
