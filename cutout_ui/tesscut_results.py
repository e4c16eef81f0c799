"""The results of a TESSCut fetch: one sector at a time, its pixels beside its light curve."""

import numpy as np
import streamlit as st

from cutout_core.quality import quality_bits, quality_names
from cutout_core.quicklook import QuickLook
from cutout_ui.light_curve_chart import light_curve_chart
from cutout_ui.stamp import stamp
from cutout_ui.tesscut_fetch import TesscutFetch


def choose_result(fetch: TesscutFetch) -> QuickLook:
    """Return the file to look at; ask which where there are several."""
    looks = {_name(look): look for look in fetch.looks}
    if len(looks) == 1:
        return next(iter(looks.values()))
    names = list(looks)
    chosen = st.pills("Look at", names, key="tesscut_look", default=names[-1], required=True)
    return looks.get(chosen or "", looks[names[-1]])


def show_result(fetch: TesscutFetch, look: QuickLook) -> None:
    """Show pixels and light curve of one file."""
    label = f"{fetch.target.label}, {_name(look).lower()}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(label, width="content")
        if look.tpf.simulated:
            st.badge("simulated, not observed", icon=":material/science:", color="orange")
    left, right = st.columns([1, 2.1], gap="large")
    with left:
        stamp(look, f"Mean image of {label}")
        st.caption(
            "Mean of all good images. Orange: the pixels that are added up. "
            "White cross: the target."
        )
    with right:
        light_curve_chart(look, label)
        st.caption(_summary(look))


def _name(look: QuickLook) -> str:
    return f"Sector {look.tpf.sector}"


def _summary(look: QuickLook) -> str:
    curve = look.light_curve
    n = len(curve.time)
    text = f"{curve.n_good:,} of {n:,} images used."
    if curve.n_good < n:
        flagged = curve.quality[~curve.good] & quality_bits(curve.mask)
        names = quality_names(int(np.bitwise_or.reduce(flagged)))
        text += " Left out for: " + ", ".join(names) + "." if names else ""
    return text + "".join(f" {note}" for note in curve.notes)
