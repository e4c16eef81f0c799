"""Where and when TESS looked at a target: a map of the sky, and its sectors in time."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from cutout_core.mast.tesscut import Sector
from cutout_core.sky_map import (
    PredictedSector,
    SectorState,
    StripRow,
    camera_outlines,
    predicted_sectors,
    sector_strip,
    sky_map_png,
)

SkyPath: TypeAlias = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]

# Each state has a line of its own in the strip, a form and a colour.
_LINES = {
    SectorState.FOUND: "in archive",
    SectorState.MISSING: "predicted",
    SectorState.PLANNED: "planned",
}
_LOOKS: dict[SectorState, dict[str, Any]] = {
    SectorState.FOUND: {"symbol": "rect", "symbolSize": [4, 22], "itemStyle": {"color": "#3a78c9"}},
    SectorState.MISSING: {"symbol": "rect", "symbolSize": [4, 18]},
    SectorState.PLANNED: {"symbol": "circle", "symbolSize": 7},
}
# Hollow: nothing of it can be fetched. Readable on light and dark pages.
_HOLLOW = {"color": "transparent", "borderColor": "#d9730d", "borderWidth": 1.5}
_FIRST_DAY = date(2018, 7, 1)  # the strip begins with the month of TESS's first sector


def where_tess_looked(
    target_label: str,
    ra: float,
    dec: float,
    sectors: Sequence[Sector],
    path: SkyPath | None = None,
) -> None:
    """
    Show a map of the sky and a strip of sectors, once a visitor opens them.

    Parameters
    ----------
    target_label : str
        For readers of the alternative texts.
    ra, dec : float
        ICRS position in degrees; for a body that moves, one on its path.
    sectors : sequence of Sector
        What the archive has.
    path : (ndarray, ndarray), optional
        RA and Dec along the path of a body that moves; NaN breaks the line. Nothing is predicted
        for it: tess-point knows fixed positions only.
    """
    opened = st.expander(
        "Where TESS looked",
        key="where_tess_looked",
        on_change="rerun",
        icon=":material/public:",
    )
    if not opened.open:
        return
    found = tuple(sectors)
    today = datetime.now(UTC).date()
    predicted = () if path else _predicted(ra, dec, found, today)
    dark = st.context.theme.type == "dark"
    # Side by side if there is room for both; the width leaves none for a third column.
    side_by_side = opened.grid(
        min_column_width=440, gap="medium", vertical_alignment="center", width=1240
    )
    with side_by_side:
        st.image(
            _map(ra, dec, found, predicted, path, dark=dark),
            width="stretch",
            output_format="PNG",
            alt=_map_alt(target_label, found, predicted, moving=path is not None),
        )
        with st.container():
            _strip(target_label, sector_strip(found, predicted), today)
            st.caption(_words(found, predicted))


@st.cache_data(max_entries=500, show_spinner=False)
def _predicted(
    ra: float, dec: float, found: tuple[Sector, ...], today: date
) -> tuple[PredictedSector, ...]:
    return tuple(predicted_sectors(ra, dec, found, today=today))


@st.cache_data(max_entries=200, show_spinner=False)
def _map(
    ra: float,
    dec: float,
    found: tuple[Sector, ...],
    predicted: tuple[PredictedSector, ...],
    path: SkyPath | None,
    *,
    dark: bool,
) -> bytes:
    return sky_map_png(ra=ra, dec=dec, found=found, predicted=predicted, path=path, dark=dark)


def _strip(target_label: str, rows: Sequence[StripRow], today: date) -> None:
    if not rows:
        return
    states = [state for state in _LINES if any(row.state is state for row in rows)]
    st.echarts_chart(
        _strip_spec(rows, states, today),
        key="where_tess_looked_strip",
        height=90 + 44 * len(states),
        alt=_strip_alt(target_label, rows),
    )


def _strip_spec(
    rows: Sequence[StripRow], states: Sequence[SectorState], today: date
) -> dict[str, Any]:
    points = pd.DataFrame(
        {
            "Middle": [(row.start + (row.end - row.start) / 2).isoformat() for row in rows],
            "Line": [_LINES[row.state] for row in rows],
            "Sector": [f"Sector {row.sector}" for row in rows],
            "First image": [_day(row.start) for row in rows],
            "Last image": [_day(row.end) for row in rows],
        }
    )
    series: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "name": str(state),
            "data": points[points["Line"] == _LINES[state]].to_numpy().tolist(),
            "dimensions": list(points),
            "encode": {
                "x": "Middle",
                "y": "Line",
                "itemName": "Sector",
                "tooltip": ["First image", "Last image"],
            },
            **({"itemStyle": _HOLLOW} | _LOOKS[state]),
        }
        for state in states
    ]
    series[0]["markLine"] = {
        "symbol": "none",
        "silent": True,
        "label": {"formatter": "today", "position": "end"},
        "lineStyle": {"type": "dashed", "color": "#808a99"},
        "data": [{"xAxis": today.isoformat()}],
    }
    return {
        "animation": False,
        "useUTC": True,
        "tooltip": {"trigger": "item"},
        "grid": {"left": 8, "right": 16, "top": 24, "bottom": 4, "containLabel": True},
        "xAxis": {
            "type": "time",
            "min": _FIRST_DAY.isoformat(),
            "max": max(today, rows[-1].end).isoformat(),
            "axisLabel": {"hideOverlap": True},
        },
        "yAxis": {
            "type": "category",
            # The first category is the lowest line.
            "data": [_LINES[state] for state in reversed(states)],
            "axisTick": {"show": False},
            "splitLine": {"show": True},
        },
        "series": series,
    }


def _words(found: Sequence[Sector], predicted: Sequence[PredictedSector]) -> str:
    """Say what map and strip cannot show by themselves."""
    words = [
        "The map is in ecliptic coordinates: the horizontal line is the plane of the Earth's "
        "orbit, north is up and east to the left. Each camera sees a square of 24 degrees."
    ]
    if predicted:
        words.append(
            "Predictions are tess-point's, from TESS's published pointings; plans may change, and "
            "a place in a gap or at an edge may come out differently."
        )
    unknown = sorted({s.sector for s in found if camera_outlines(s.sector) is None})
    if unknown:
        words.append(f"Not on the map, since their pointing is not known here: {_list(unknown)}.")
    return " ".join(words)


def _map_alt(
    target_label: str,
    found: Sequence[Sector],
    predicted: Sequence[PredictedSector],
    *,
    moving: bool,
) -> str:
    cameras = ", ".join(f"{s.sector} (camera {s.camera})" for s in found)
    parts = [
        f"Map of the whole sky with {'the path of ' if moving else ''}{target_label} "
        "and what TESS's cameras saw",
        f"in the archive: sectors {cameras}" if found else "nothing in the archive",
    ]
    for state in (SectorState.MISSING, SectorState.PLANNED):
        numbers = sorted({p.sector for p in predicted if p.state is state})
        if numbers:
            parts.append(f"{state}: {_list(numbers)}")
    return "; ".join(parts)


def _strip_alt(target_label: str, rows: Sequence[StripRow]) -> str:
    parts = [
        f"{len(some)} {state}, {some[0].start:%b %Y} to {some[-1].end:%b %Y}"
        for state in _LINES
        if (some := [row for row in rows if row.state is state])
    ]
    return f"Sectors of {target_label} in time: {'; '.join(parts)}"


def _list(numbers: Sequence[int]) -> str:
    return f"sector{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
