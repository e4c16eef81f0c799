"""The chart of a light curve: zoom by slider or Ctrl and wheel, hover with date."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from cutout_core.lightcurve import LightCurve, utc_texts
from cutout_core.quicklook import QuickLook


def light_curve_chart(look: QuickLook, label: str) -> None:
    """Draw the good cadences of a light curve, relative to their median."""
    curve = look.light_curve
    if not curve.good.any():
        st.info("No image of this sector can be used, so there is no light curve.")
        return
    relative = _has_relative_brightness(curve)
    flux = curve.normalised()[0] if relative else curve.flux
    points = pd.DataFrame(
        {
            "Time": curve.time[curve.good],
            "Brightness": flux[curve.good],
            "Date (UTC)": [t[:16].replace("T", " ") for t in utc_texts(curve.time[curve.good])],
        }
    )
    st.echarts_chart(
        _spec(points, "Brightness (1 = usual)" if relative else "Brightness (electrons/s)"),
        key="tesscut_light_curve",
        height=420,
        alt=_alt(points, label, "of its median" if relative else "electrons/s"),
    )
    st.caption(
        "Each dot is one image. Drag the handles below the chart to zoom, or turn the wheel with "
        "Ctrl held; point at a dot for its date. BTJD counts days."
        + ("" if relative else " The star is hardly brighter than the noise of the sky.")
    )


def _has_relative_brightness(curve: LightCurve) -> bool:
    """Tell whether the star is seen at all: else "1 = usual" would be a part of the noise."""
    flux = curve.flux[curve.good]
    scatter = 1.4826 * float(np.median(np.abs(flux - curve.median_flux)))
    return curve.median_flux > 5 * scatter


def _spec(points: pd.DataFrame, brightness: str) -> dict[str, Any]:
    return {
        "dataset": {"source": points},
        "animation": False,
        "tooltip": {"trigger": "item"},
        "grid": {"left": 30, "right": 12, "top": 12, "bottom": 72},
        "xAxis": {
            "type": "value",
            "scale": True,
            "name": "Time (BTJD, days)",
            "nameLocation": "middle",
            "nameGap": 28,
        },
        "yAxis": {
            "type": "value",
            "scale": True,
            "name": brightness,
            "nameLocation": "middle",
            "nameGap": 52,
        },
        "dataZoom": [{"type": "inside"}, {"type": "slider", "height": 24, "bottom": 12}],
        "series": [
            {
                "type": "scatter",
                "symbolSize": 2.5,
                "large": True,
                "encode": {
                    "x": "Time",
                    "y": "Brightness",
                    "tooltip": ["Date (UTC)", "Time", "Brightness"],
                },
            }
        ],
    }


def _alt(points: pd.DataFrame, label: str, unit: str) -> str:
    low, high = np.percentile(points["Brightness"], [1, 99])
    first, last = points["Date (UTC)"].iloc[[0, -1]]
    return (
        f"Light curve of {label}: {len(points)} points from {first} to {last} UTC; "
        f"98 percent of them between {low:.5g} and {high:.5g} {unit}"
    )
