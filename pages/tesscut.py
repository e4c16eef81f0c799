"""TESSCut: from a target to sectors, pixels, a light curve and a zip."""

import streamlit as st

from cutout_ui.downloads import download_row
from cutout_ui.fetch_panel import fetch_panel
from cutout_ui.sector_table import find_target_sectors, sector_table
from cutout_ui.size_form import size_form, size_line
from cutout_ui.source import choose_source
from cutout_ui.target_box import example_buttons, find_target, target_card, typed_target
from cutout_ui.tesscut_fetch import current_fetch, fetch_button
from cutout_ui.tesscut_results import choose_result, show_result

st.title("TESSCut")
st.write("How bright was a star from hour to hour? Small cutouts of the images that TESS took.")

source = choose_source()
text = typed_target()
if not text:
    example_buttons()
    st.stop()

target = find_target(source, text)
target_card(source, target)

sectors = find_target_sectors(source, target)
if not sectors:
    st.info(
        "TESS has not observed this place, or its images are not in the archive yet. "
        "TESS has looked at most of the sky, but not at all of it: try another target.",
        icon=":material/visibility_off:",
    )
    example_buttons()
    st.stop()

st.subheader(f"Observed in {len(sectors)} sector{'s' if len(sectors) > 1 else ''}")
ticked = sector_table(target, sectors)
with st.container(horizontal=True, vertical_alignment="bottom"):
    size = size_form()
    fetch_button(source, target, ticked, size)
size_line(size, ticked)

fetch = current_fetch(source, target)
if fetch is None:
    st.stop()
fetch_panel(fetch.job, "tesscut")
if not fetch.looks:
    st.stop()

look = choose_result(fetch)
show_result(fetch, look)
download_row(fetch, look)
