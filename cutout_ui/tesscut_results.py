"""The results of a TESSCut fetch: one file at a time, its pixels beside its light curve."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from cutout_core.archive import distinct_names
from cutout_core.mast.tesscut_requests import Sector
from cutout_core.quality import MEANINGS, quality_bits
from cutout_core.quicklook import QuickLook
from cutout_core.render import compass
from cutout_ui.light_curve_chart import light_curve_chart
from cutout_ui.mover_results import mover_movie, mover_rotation, sky_path
from cutout_ui.problems import plain
from cutout_ui.stamp import stamp
from cutout_ui.tesscut_fetch import TesscutFetch
from cutout_ui.where_tess_looked import where_tess_looked


def choose_result(fetch: TesscutFetch) -> QuickLook:
    """Return the file to look at; ask which where there are several. The newest comes first."""
    looks = fetch.looks[::-1]
    sectors = [look.tpf.sector for look in looks]
    names = distinct_names(_name(look, alone=sectors.count(look.tpf.sector) == 1) for look in looks)
    by_name = dict(zip(names, looks, strict=True))
    if len(by_name) == 1:
        return looks[0]
    chosen = st.pills("Look at", names, key="tesscut_look", default=names[0], required=True)
    return by_name.get(chosen or "", looks[0])


def show_result(fetch: TesscutFetch, look: QuickLook) -> None:
    """Show pixels and light curve of one file."""
    label = f"{fetch.target.label}, {_name(look).lower()}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(plain(label), width="content")
        if look.tpf.simulated:
            st.badge("simulated, not observed", icon=":material/science:", color="orange")
    if not (look.tpf.is_moving or look.tpf.aperture.any()):
        st.info(
            "The target falls on the rim of the detector that is never lit, so this sector has "
            "no image of it. The file is in the zip all the same.",
            icon=":material/visibility_off:",
        )
        return
    left, right = st.columns([1, 2.1], gap="large")
    with left:
        if look.tpf.is_moving:
            mover_movie(look, label)
        else:
            stamp(look, f"Mean image of {label}")
            st.caption(
                "Mean of all good images. Orange: the pixels that are added up. "
                f"White cross: the target.{_mirrored(look)}"
            )
    with right:
        light_curve_chart(look, label)
        st.caption(_summary(look))
        if look.tpf.is_moving:
            mover_rotation(look)


def where_the_mover_was(fetch: TesscutFetch, sectors: Sequence[Sector]) -> None:
    """Show the path of a moving target over the sky, as far as it was fetched."""
    ra, dec = sky_path(fetch.looks)
    if ra.size:
        where = float(ra[0]), float(dec[0])
        where_tess_looked(fetch.target.label, *where, sectors, path=(ra, dec))


def _name(look: QuickLook, *, alone: bool = True) -> str:
    return f"Sector {look.tpf.sector}" + ("" if alone else f", camera {look.tpf.camera}")


def _mirrored(look: QuickLook) -> str:
    rose = compass(look.tpf.wcs, look.tpf.shape)
    if rose is None:
        return ""
    # On the sky, seen from the inside, east is counter-clockwise from north.
    turned = rose.north[0] * rose.east[1] - rose.north[1] * rose.east[0]
    return " TESS shows the sky mirrored." if turned < 0 else ""


def _summary(look: QuickLook) -> str:
    curve = look.light_curve
    n = len(curve.time)
    parts = [f"{curve.n_good:,} of {n:,} images used."]
    flagged = curve.quality[~curve.good] & quality_bits(curve.mask)
    reasons = [
        f"{meaning} ({count:,})"
        for bit, meaning in MEANINGS.items()
        if (count := int(np.count_nonzero(flagged & int(bit))))
    ]
    if reasons:
        parts.append(f"Left out: {'; '.join(reasons)}.")
    return plain(" ".join([*parts, *curve.notes]))
