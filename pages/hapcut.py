"""HAPCut: from a target to every Hubble image of it, colour and a zip."""

import streamlit as st

from cutout_ui.fetch_panel import fetch_panel
from cutout_ui.hapcut_fetch import cost_line, hapcut_fetch_button, waiting_note, warn_of_swap
from cutout_ui.image_downloads import download_row, provenance
from cutout_ui.image_examples import object_buttons
from cutout_ui.image_fetch import current_fetch
from cutout_ui.image_results import explore, results_heading
from cutout_ui.image_size import image_size
from cutout_ui.image_table import image_table
from cutout_ui.source import choose_source
from cutout_ui.target_box import find_target, target_card, typed_target

st.title("HAPCut: Hubble pictures")
st.write(
    "Everything that Hubble has looked at, camera by camera and filter by filter: look closely, "
    "measure, compare two kinds of light, and mix your own colour picture."
)

source = choose_source()
text = typed_target()
if not text:
    st.caption("Objects to look at:")
    object_buttons()
    st.stop()

target = find_target(source, text)
target_card(source, target)

with st.container(horizontal=True, vertical_alignment="bottom"):
    size = image_size("hapcut", default_arcsec=30.0, default_pixels=500)
    hapcut_fetch_button(source, target, size)
cost_line(size)

fetch = current_fetch(source, target, "HAPCut")
if fetch is None:
    st.stop()
fetch_panel(fetch.job, "hapcut")
waiting_note(fetch)
if fetch.is_empty:
    st.write(
        "Hubble's field of view is small, and most of the sky has never been in it. "
        "Try another target:"
    )
    object_buttons()
    st.stop()
results_heading(fetch)
warn_of_swap(fetch)

chosen = image_table(fetch, expanded=True)
if not chosen:
    st.stop()
sight = explore(fetch, chosen)
if sight is not None:
    download_row(fetch, chosen, sight)
provenance(fetch)
