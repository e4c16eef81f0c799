"""The row of downloads under a result; nothing is built before somebody asks."""

from datetime import UTC, datetime

import streamlit as st

from cutout_core.lightcurve import to_csv
from cutout_core.quicklook import QuickLook
from cutout_core.tess_bundle import bundle_name, tess_bundle
from cutout_ui.mover_results import movie_downloads
from cutout_ui.tesscut_fetch import TesscutFetch


def download_row(fetch: TesscutFetch, look: QuickLook) -> None:
    """Offer everything as a zip, and the light curve in sight as a table."""
    looks = fetch.looks
    label = fetch.target.label
    n = len({entry.tpf.sector for entry in looks})
    notes = fetch.notes
    with st.container(horizontal=True):
        st.download_button(
            "Everything as zip" if n == 1 else f"All {n} sectors as zip",
            # A callable runs when the button is clicked, outside this run: it holds plain values.
            data=lambda: tess_bundle(label, looks, created=datetime.now(UTC), notes=notes),
            file_name=bundle_name(label, looks),
            mime="application/zip",
            key="tesscut_zip",
            type="primary",
            icon=":material/folder_zip:",
            on_click="ignore",
        )
        st.download_button(
            "This light curve as CSV",
            data=lambda: to_csv(look.light_curve),
            file_name=look.member.name.removesuffix(".fits") + "_light_curve.csv",
            mime="text/csv",
            key="tesscut_csv",
            icon=":material/table:",
            on_click="ignore",
        )
        if look.tpf.is_moving:
            movie_downloads(label, look)
    st.caption(
        "The zip holds the original files as the service sent them, the light curves as "
        "tables, pictures, and a README with the exact requests and how to cite."
    )
