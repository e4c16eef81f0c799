"""Home: one target box, and what each of the three services can show there."""

import streamlit as st

from cutout_ui.source import choose_source
from cutout_ui.target_box import example_buttons, find_target, target_card, typed_target

st.title("What is at this spot on the sky?")
st.write(
    "Type the name of a star, a galaxy or a nebula, or a position. Skystamp cuts small stamps out "
    "of the pictures that NASA's telescopes took there, shows them, and lets you take them away."
)

source = choose_source()
text = typed_target()
if text:
    target_card(source, find_target(source, text))
else:
    example_buttons()

with st.grid(3, min_column_width=260):
    with st.container(border=True):
        st.page_link(
            "tesscut.py", label="**TESSCut**: brightness over time", icon=":material/show_chart:"
        )
        st.write(
            "TESS takes a picture every few minutes, for about 27 days at a time. See how bright a "
            "star was from hour to hour, find planets in front of it, or follow an asteroid."
        )
    with st.container(border=True):
        st.page_link("zcut.py", label="**Zcut**: deep fields", icon=":material/blur_on:")
        st.write(
            "A few small windows on the sky that Hubble and others watched for days. Nearly every "
            "spot in them is a galaxy, seen in many kinds of light."
        )
    with st.container(border=True):
        st.page_link(
            "hapcut.py", label="**HAPCut**: Hubble pictures", icon=":material/photo_camera:"
        )
        st.write(
            "Everything that Hubble has looked at, camera by camera and filter by filter. Look "
            "closely, compare, and mix your own colour picture."
        )
