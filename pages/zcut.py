"""Zcut: from a target to deep-field surveys, pictures in every filter, colour and a zip."""

import streamlit as st

from cutout_ui.fetch_panel import fetch_panel
from cutout_ui.image_downloads import download_row, provenance, zip_buttons
from cutout_ui.image_examples import picture_gallery
from cutout_ui.image_fetch import current_fetch
from cutout_ui.image_results import explore, results_heading
from cutout_ui.image_size import image_size
from cutout_ui.image_table import image_table
from cutout_ui.source import choose_source
from cutout_ui.survey_choice import (
    choose_surveys,
    field_buttons,
    find_coverage,
    nearest_field_offer,
)
from cutout_ui.target_box import find_target, target_card, typed_target
from cutout_ui.zcut_fetch import choose_kind, cost_line, zcut_fetch_button

st.title("Zcut: deep fields")
st.write(
    "The deepest looks into space: small windows on the sky that Hubble and others watched for "
    "days, in many kinds of light. Nearly every spot in them is a galaxy."
)

source = choose_source()
text = typed_target()
if not text:
    st.caption("Fields to look into:")
    field_buttons()
    st.stop()

target = find_target(source, text)
target_card(source, target)

coverage = find_coverage(source, target)
if not coverage.here and not coverage.nearby:
    nearest_field_offer(target)
    st.caption("All deep fields:")
    field_buttons()
    st.stop()

surveys = choose_surveys(target, coverage)
kind = choose_kind()
with st.container(horizontal=True, vertical_alignment="bottom"):
    size = image_size("zcut", default_arcsec=24.0, default_pixels=400)
    zcut_fetch_button(source, target, surveys, size, kind)
cost_line(size, surveys, kind)

fetch = current_fetch(source, target, "Zcut")
if fetch is None:
    st.stop()
fetch_panel(fetch.job, "zcut")
results_heading(fetch)

if fetch.pictures:
    picture_gallery(fetch.pictures)
    zip_buttons(fetch, fetch.images, pictures=fetch.pictures)
    provenance(fetch)
    st.stop()

chosen = image_table(fetch, expanded=False)
if not chosen:
    st.stop()
sight = explore(fetch, chosen)
if sight is not None:
    download_row(fetch, chosen, sight)
provenance(fetch)
