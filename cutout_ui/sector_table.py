"""The table of sectors at a position, with ticks."""

from collections.abc import Sequence
from datetime import date

import pandas as pd
import streamlit as st

from cutout_core.mast.tesscut_requests import (
    MovingSectors,
    Sector,
    find_moving_sectors,
    find_sectors,
)
from cutout_core.matching import MatchedTarget, MovingTarget
from cutout_core.sectors import PredictedPixel, cadence_s, predict_pixels, sector_dates
from cutout_ui.problems import plain, problems_shown
from cutout_ui.source import DataSource

_KEY = "tesscut_sectors"


def find_target_sectors(source: DataSource, target: MatchedTarget) -> list[Sector]:
    """Ask which sectors hold the target; say so if none does."""
    with problems_shown(source), st.spinner("Asking which sectors TESS observed it in …"):
        found = _sectors(source.base_url, target.ra, target.dec, _source=source)
    if not found:
        st.info(
            "TESS has not observed this place, or its images are not in the archive yet. "
            "TESS has looked at most of the sky, but not at all of it: try another target.",
            icon=":material/visibility_off:",
        )
    return found


@st.cache_data(ttl="1h", max_entries=1000, show_spinner=False)
def _sectors(base_url: str, ra: float, dec: float, *, _source: DataSource) -> list[Sector]:
    return find_sectors(_source.session, ra, dec)


def find_mover_sectors(source: DataSource, mover: MovingTarget) -> list[Sector]:
    """Ask which sectors saw a moving target; say so if none did."""
    with problems_shown(source), st.spinner("Asking where it was while TESS was looking …"):
        found = _mover_sectors(source.base_url, mover.name, mover.mt_type, _source=source)
    if not found.sectors:
        st.info(
            plain(found.message)
            or f"TESS has not seen {plain(mover.label)}, or its images are not in the archive yet.",
            icon=":material/visibility_off:",
        )
    return found.sectors


@st.cache_data(ttl="1h", max_entries=500, show_spinner=False)
def _mover_sectors(
    base_url: str, name: str, mt_type: str | None, *, _source: DataSource
) -> MovingSectors:
    return find_moving_sectors(_source.session, name, mt_type)


def sectors_in_words(sectors: Sequence[Sector]) -> str:
    """Say how many sectors there are; where cameras overlap, one has two rows."""
    n = len({sector.sector for sector in sectors})
    return f"Observed in {n} sector{'s' if n > 1 else ''}"


def sector_table(target: MatchedTarget | MovingTarget, sectors: Sequence[Sector]) -> list[Sector]:
    """Show the sectors, the newest ticked, and return the ticked ones in ascending order."""
    newest_first = sorted(sectors, key=lambda s: s.sector, reverse=True)
    place = (target.ra, target.dec) if isinstance(target, MatchedTarget) else None
    rows = _rows(place, tuple(newest_first))
    choice = st.dataframe(
        rows,
        # Another target is another table: its ticks start afresh.
        key=f"{_KEY}_{place or target.label}",
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
        alt=f"{len(rows)} sectors with dates, camera and CCD",
    )
    ticked = [newest_first[i] for i in choice["selection"]["rows"] if i < len(newest_first)]
    return sorted(ticked, key=lambda s: s.sector)


@st.cache_data(max_entries=200, show_spinner=False)
def _rows(place: tuple[float, float] | None, sectors: tuple[Sector, ...]) -> pd.DataFrame:
    rows = pd.DataFrame([_facts(sector) for sector in sectors])
    if place is None:
        return rows
    predicted = predict_pixels(*place)
    by_ccd = {
        (number, pixel.camera, pixel.ccd): pixel
        for number, pixels_of_sector in predicted.items()
        for pixel in pixels_of_sector
    }
    pixels = [by_ccd.get((s.sector, s.camera, s.ccd)) for s in sectors]
    rows["Column"] = [pixel.column if pixel else None for pixel in pixels]
    rows["Row"] = [pixel.row if pixel else None for pixel in pixels]
    notes = [_note(sector, pixel) for sector, pixel in zip(sectors, pixels, strict=True)]
    if any(notes):
        rows["Note"] = notes
    return rows


def _facts(sector: Sector) -> dict[str, int | str]:
    start, end = sector_dates(sector.sector) or (None, None)
    cadence = cadence_s(sector.sector)
    return {
        "Sector": sector.sector,
        "Observed": _span(start, end),
        "Cadence": f"{cadence // 60} min" if cadence >= 600 else f"{cadence} s",
        "Camera": sector.camera,
        "CCD": sector.ccd,
    }


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
