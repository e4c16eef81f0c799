"""The frame of every page: title, pages, and the source of the data."""

import streamlit as st

from cutout_ui.frame import LOGO, MARK, page_style
from cutout_ui.problems import problems_shown
from cutout_ui.source import choose_source, source_switch
from cutout_ui.target_box import target_box

st.set_page_config(page_title="Skystamp", page_icon=MARK, layout="wide")
page_style()
st.logo(LOGO, size="large")

page = st.navigation(
    [
        st.Page("home.py", title="Home", default=True),
        st.Page("tesscut.py", title="TESSCut", url_path="tesscut"),
        st.Page("zcut.py", title="Zcut: deep fields", url_path="zcut"),
        st.Page("hapcut.py", title="HAPCut: Hubble pictures", url_path="hapcut"),
        st.Page("about.py", title="About", url_path="about"),
    ],
    position="top",
)
with problems_shown(), st.spinner("Asking whether MAST can be reached …"):
    source = choose_source()
source_switch(source)
if page.url_path != "about":
    target_box()
page.run()
