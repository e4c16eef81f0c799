"""TESSCut: from a target, at rest or moving, to sectors, pixels, a light curve and a zip."""

import streamlit as st

from cutout_ui.downloads import download_row
from cutout_ui.fetch_panel import fetch_panel
from cutout_ui.mover_form import find_mover, is_moving, mover_examples
from cutout_ui.sector_table import (
    find_mover_sectors,
    find_target_sectors,
    sector_table,
    sectors_in_words,
)
from cutout_ui.size_form import size_form, size_line
from cutout_ui.source import choose_source
from cutout_ui.target_box import example_buttons, find_target, target_card, typed_target
from cutout_ui.tesscut_fetch import current_fetch, fetch_button
from cutout_ui.tesscut_results import choose_result, show_result, where_the_mover_was
from cutout_ui.where_tess_looked import where_tess_looked

st.title("TESSCut")
st.write("How bright was it from hour to hour? Small cutouts of the images that TESS took.")

source = choose_source()
text = typed_target()
moving = is_moving()
offer_examples = mover_examples if moving else example_buttons
if not text:
    offer_examples()
    st.stop()

if moving:
    target = find_mover(text)
    sectors = find_mover_sectors(source, target)
else:
    target = find_target(source, text)
    target_card(source, target, with_star=True)
    sectors = find_target_sectors(source, target)
if not sectors:
    offer_examples()
    st.stop()

st.subheader(sectors_in_words(sectors))
ticked = sector_table(target, sectors)
if not moving:
    where_tess_looked(target.label, target.ra, target.dec, sectors)
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
if moving:
    where_the_mover_was(fetch, sectors)
download_row(fetch, look)
