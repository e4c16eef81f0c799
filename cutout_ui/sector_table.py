"""The table of sectors at a position, with ticks."""

from collections.abc import Sequence
from datetime import date

import pandas as pd
import streamlit as st

from cutout_core.mast.tesscut import Sector, find_sectors
from cutout_core.matching import MatchedTarget
from cutout_core.sectors import PredictedPixel, cadence_s, predict_pixels, sector_dates
from cutout_ui.problems import problems_shown
from cutout_ui.source import DataSource

_KEY = "tesscut_sectors"


def find_target_sectors(source: DataSource, target: MatchedTarget) -> list[Sector]:
    """Ask which sectors hold the target, or show why that is not known and end the page."""
    with problems_shown(source), st.spinner("Asking which sectors TESS observed it in …"):
        return _sectors(source.base_url, target.ra, target.dec, _source=source)


@st.cache_data(ttl="1h", max_entries=1000, show_spinner=False)
def _sectors(base_url: str, ra: float, dec: float, *, _source: DataSource) -> list[Sector]:
    return find_sectors(_source.session, ra, dec)


def sector_table(target: MatchedTarget, sectors: Sequence[Sector]) -> list[Sector]:
    """Show the sectors, the newest ticked, and return the ticked ones in ascending order."""
    newest_first = sorted(sectors, key=lambda s: s.sector, reverse=True)
    rows = _rows(target.ra, target.dec, tuple(newest_first))
    choice = st.dataframe(
        rows,
        # Another target is another table: its ticks start afresh.
        key=f"{_KEY}_{target.ra:.6f}_{target.dec:.6f}",
        hide_index=True,
        height=min(35 * (len(rows) + 1) + 3, 290),
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [0]}},
        column_config={
            "Sector": st.column_config.NumberColumn(format="%d", width="small"),
            "Observed": st.column_config.TextColumn(width="medium"),
            "Cadence": st.column_config.TextColumn(
                width="small", help="Time from one image to the next"
            ),
            "Camera": st.column_config.NumberColumn(format="%d", width="small"),
            "CCD": st.column_config.NumberColumn(format="%d", width="small"),
            "Column": st.column_config.NumberColumn(
                format="%.0f", width="small", help="Predicted column on the CCD, counted from 1"
            ),
            "Row": st.column_config.NumberColumn(
                format="%.0f", width="small", help="Predicted row on the CCD, counted from 1"
            ),
            "Note": st.column_config.TextColumn(width="medium"),
        },
        alt=f"{len(rows)} sectors with dates, camera, CCD and predicted position",
    )
    ticked = [newest_first[i] for i in choice["selection"]["rows"] if i < len(newest_first)]
    return sorted(ticked, key=lambda s: s.sector)


@st.cache_data(max_entries=200, show_spinner=False)
def _rows(ra: float, dec: float, sectors: tuple[Sector, ...]) -> pd.DataFrame:
    predicted = predict_pixels(ra, dec)
    table = []
    for sector in sectors:
        pixel = predicted.get(sector.sector)
        if pixel is not None and (pixel.camera, pixel.ccd) != (sector.camera, sector.ccd):
            pixel = None
        start, end = sector_dates(sector.sector) or (None, None)
        cadence = cadence_s(sector.sector)
        table.append(
            {
                "Sector": sector.sector,
                "Observed": _span(start, end),
                "Cadence": f"{cadence // 60} min" if cadence >= 600 else f"{cadence} s",
                "Camera": sector.camera,
                "CCD": sector.ccd,
                "Column": pixel.column if pixel else None,
                "Row": pixel.row if pixel else None,
                "Note": _note(sector, pixel),
            }
        )
    rows = pd.DataFrame(table)
    return rows if rows["Note"].any() else rows.drop(columns="Note")


def _note(sector: Sector, pixel: PredictedPixel | None) -> str:
    if pixel is None:
        # MAST counts the whole image, tess-point only the part of it that sees light.
        return "at the very rim: may be empty" if sector.sector < 1000 else ""
    return "near the edge of the CCD" if pixel.edge else ""


def _span(start: date | None, end: date | None) -> str:
    if start is None or end is None:
        return "special pointing"
    first = f"{start.day} {start:%b}" + (f" {start.year}" if start.year != end.year else "")
    return f"{first} to {end.day} {end:%b %Y}"
