"""What to fetch from HAPCut: every Hubble image of a place, in one request."""

import streamlit as st

from cutout_core.mast.hapcut import CutoutRequest, plan_cutouts, swap_note, visitor_size
from cutout_core.matching import MatchedTarget
from cutout_core.size import CutoutSize
from cutout_ui.image_fetch import ImageFetch, fetch_button
from cutout_ui.image_size import bytes_in_words, size_in_words
from cutout_ui.source import DataSource

# Side of the fine pixels of Hubble Advanced Products; an image comes with its weight map.
_FINE_ARCSEC = 0.04
_BYTES = 8


def cost_line(size: CutoutSize) -> None:
    """Say what the size means and what one image will cost."""
    ny, nx = size.in_pixels(_FINE_ARCSEC)
    st.caption(
        f"{size_in_words(size, _FINE_ARCSEC)}. Up to {bytes_in_words(ny * nx * _BYTES)} for each "
        "image; how many there are shows when they come, often about ten."
    )


def hapcut_fetch_button(source: DataSource, target: MatchedTarget, size: CutoutSize) -> None:
    """Offer to fetch; a click asks for all images at once."""

    def plan() -> list[CutoutRequest]:
        # The service swaps the sides of its cutouts.
        return plan_cutouts(source.session, target.ra, target.dec, visitor_size(size))

    fetch_button(
        "Fetch all Hubble images",
        source,
        target,
        "HAPCut",
        plan,
        size=size,
        code=_code(target, size),
    )


def waiting_note(fetch: ImageFetch) -> None:
    """Say why nothing shows for a while."""
    if fetch.job.running:
        st.caption(
            "The service cuts every image and sends all of them at once. Large cutouts of much "
            "observed places can take a minute."
        )


def warn_of_swap(fetch: ImageFetch) -> None:
    """Say so if the service has stopped to swap width and height."""
    for look in fetch.images:
        note = swap_note(fetch.size, look.image.shape, look.image.pixel_scale_arcsec)
        if note:
            st.warning(note)
            return


def _code(target: MatchedTarget, size: CutoutSize) -> str:
    where = f'"{target.ra:.6f} {target.dec:+.6f}"'
    sides, unit = f"[{size.nx:g}, {size.ny:g}]", ""
    if size.unit == "deg":
        sides = f"[{size.nx * 3600:g}, {size.ny * 3600:g}] * u.arcsec"
        unit = "import astropy.units as u\n"
    note = "# width before height: HAPCut swaps the two\n" if size.nx != size.ny else ""
    return (
        f"{unit}from cutout_core import Hapcut  # or: from astroquery.mast import Hapcut\n\n"
        f"{note}images = Hapcut.get_cutouts({where}, size={sides})\n"
    )
