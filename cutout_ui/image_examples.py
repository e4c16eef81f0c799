"""Objects that Hubble has many images of, to try; and finished pictures of the service."""

import base64
from collections.abc import Sequence

import streamlit as st

from cutout_core.imagelook import PictureLook
from cutout_core.light import wavelength_text
from cutout_ui.problems import plain
from cutout_ui.target_box import set_target

# What to call it -> what to look for, and what it is. All of them exist in the demo sky.
_OBJECTS = {
    "M51": ("M51", "The Whirlpool, a spiral galaxy with a companion"),
    "Eagle nebula": ("274.717 -13.843", "The pillars of M16, where stars are born"),
    "M57": ("M57", "The Ring nebula, thrown off by a dying star"),
    "M104": ("M104", "The Sombrero, a galaxy seen from the edge"),
    "Antennae": ("NGC 4038", "Two galaxies that collide"),
    "NGC 1300": ("NGC 1300", "A spiral galaxy with a bar"),
    "Tarantula nebula": ("30 Doradus", "Newborn hot stars in the Large Magellanic Cloud"),
    "47 Tucanae": ("47 Tucanae", "A globular cluster of old stars"),
    "NGC 6302": ("NGC 6302", "The Butterfly nebula"),
}


def object_buttons() -> None:
    """Offer the objects as buttons that fill the target box."""
    with st.container(horizontal=True, gap="xsmall"):
        for i, (name, (text, about)) in enumerate(_OBJECTS.items()):
            st.button(
                name, key=f"hapcut_example_{i}", help=about, on_click=set_target, args=(text,)
            )


def picture_gallery(pictures: Sequence[PictureLook]) -> None:
    """Show pictures that the service has drawn."""
    with st.grid("auto", min_column_width=220, gap="small", key="zcut_pictures"):
        for look in pictures:
            picture = look.picture
            wavelength = wavelength_text(picture.wavelength_um)
            with st.container(border=True, gap="xxsmall"):
                # A data URL, because Streamlit would make another picture of one it is given.
                content = base64.b64encode(picture.content).decode()
                st.image(
                    f"data:{picture.mime};base64,{content}",
                    width="stretch",
                    alt=f"{picture.label}, drawn by the service",
                )
                st.caption(" · ".join(plain(p) for p in (picture.label, wavelength) if p))
    st.caption("Drawn by the service, with its own brightness curve.")
