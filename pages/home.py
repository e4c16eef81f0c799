"""Home: one target box, and what Skystamp can show."""

import streamlit as st

from cutout_ui.source import choose_source
from cutout_ui.target_box import example_buttons, find_target, target_card, typed_target

st.title("What has TESS seen at a spot on the sky?")
st.write(
    "Type the name of a star or a position. Skystamp finds the months in which NASA's TESS "
    "telescope watched it, cuts a small stamp out of its pictures, and draws how bright the star "
    "was from hour to hour."
)

source = choose_source()
text = typed_target()
if text:
    target_card(source, find_target(source, text))
    st.page_link(
        "tesscut.py",
        label="See what TESS observed there",
        icon=":material/arrow_forward:",
    )
    st.stop()

example_buttons()
with st.grid(3, min_column_width=260):
    with st.container(border=True):
        st.markdown("**1. Say where**")
        st.write("A name, a number of the TESS Input Catalog, or a position in any usual form.")
    with st.container(border=True):
        st.markdown("**2. Choose when**")
        st.write("TESS looks at one part of the sky for about 27 days: a sector. Tick some.")
    with st.container(border=True):
        st.markdown("**3. Look and take away**")
        st.write("Pixels, light curve, and a zip with the original files and tables.")
