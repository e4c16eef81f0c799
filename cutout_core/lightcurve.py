"""The light curve of a cutout: what was summed, how, and how good each cadence is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from cutout_core.quality import quality_names
from cutout_core.spreadsheet import comment_line, safe_text

if TYPE_CHECKING:
    from astropy.time import Time

FloatArray: TypeAlias = npt.NDArray[np.float64]

#: BTJD is BJD less this number (keyword BJDREFI of TESS's files).
BTJD_ZERO = 2457000.0


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """
    Where a moving target was in each cadence, and what lay behind it.

    All arrays are read-only.

    Attributes
    ----------
    x, y : float64 ndarray of shape (n_cadences,)
        Its place in the frame in pixels, (0, 0) the centre of the first pixel: the middle of the
        aperture.
    ra, dec : float64 ndarray of shape (n_cadences,)
        Its ICRS position as seen from TESS, in degrees.
    radius_px : float
        Radius of the aperture in pixels; infinite if all pixels were added up.
    starlight, starlight_err : float64 ndarray of shape (n_cadences,)
        Light in the aperture of the stars behind the target, in electron/s, and its error. It is
        subtracted from the flux. NaN where a part of it is not known; then only the known part is
        subtracted.
    contaminated : bool ndarray of shape (n_cadences,)
        Whether that was much of the target's own light. Such a cadence is not good.
    """

    x: FloatArray
    y: FloatArray
    ra: FloatArray
    dec: FloatArray
    radius_px: float
    starlight: FloatArray
    starlight_err: FloatArray
    contaminated: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class LightCurve:
    """
    Brightness over time, with all cadences of the file: nothing is dropped, bad ones are marked.

    All arrays are read-only.

    Attributes
    ----------
    time : float64 ndarray of shape (n_cadences,)
        Middle of the exposure, BTJD (BJD - 2457000) in TDB; NaN where the file has none.
    flux, flux_err : float64 ndarray of shape (n_cadences,)
        Sum over the aperture less the background, and its error, in electron/s. NaN where no
        pixel of the aperture was collected.
    background : float64 ndarray of shape (n_cadences,)
        What was subtracted from every pixel, in electron/s/pixel; 0 where nothing was.
    quality : int32 ndarray of shape (n_cadences,)
        QUALITY bits, see `cutout_core.quality`.
    good : bool ndarray of shape (n_cadences,)
        `True` for a cadence that can be trusted: none of the bits of `mask`, a time, a flux, not
        an empty frame, and no pixel of the aperture missing that other cadences have. A moving
        target's are also free of stars behind it.
    aperture : bool ndarray of shape (ny, nx)
        The pixels that were summed. For a moving target, those in the circle where the target is
        in a middling frame.
    mask : str or int
        Name of the quality mask, or its bits.
    background_rule : str
        How the background was found, for the reader.
    target : str
        What the visitor calls the target; "" if unknown.
    sector, camera, ccd : int
        Where TESS observed it.
    cadence_s : float
        Time from one cadence to the next, in s.
    simulated : bool
        Whether the pixels come from a simulation.
    notes : tuple of str
        Sentences for the reader on what is missing or doubtful.
    track : Track or None
        For a moving target, where it was; `None` for a fixed one.
    """

    time: FloatArray
    flux: FloatArray
    flux_err: FloatArray
    background: FloatArray
    quality: npt.NDArray[np.int32]
    good: npt.NDArray[np.bool_]
    aperture: npt.NDArray[np.bool_]
    mask: str | int
    background_rule: str
    target: str
    sector: int
    camera: int
    ccd: int
    cadence_s: float
    simulated: bool
    notes: tuple[str, ...] = ()
    track: Track | None = None

    @property
    def n_good(self) -> int:
        """Number of good cadences."""
        return int(np.count_nonzero(self.good))

    @property
    def median_flux(self) -> float:
        """Median flux of the good cadences in electron/s; NaN if there is none."""
        return float(np.median(self.flux[self.good])) if self.good.any() else float("nan")

    def normalised(self) -> tuple[FloatArray, FloatArray]:
        """
        Divide by the median flux of the good cadences.

        Returns
        -------
        relative_flux, relative_flux_err : float64 ndarrays of shape (n_cadences,)
            1 is the median. All NaN where that median is not positive, as for a star that is
            fainter than the background's error: its relative flux has no meaning.
        """
        median = self.median_flux
        if not median > 0:
            nothing = np.full(self.flux.shape, np.nan)
            return nothing, nothing.copy()
        return self.flux / median, self.flux_err / median


_COLUMNS = {
    "btjd": "middle of the exposure, barycentric time BJD - 2457000 in TDB, days",
    "bjd": "the same as full Julian date, TDB, days",
    "utc": "the same in UTC: when the light reached the Solar System's barycentre, up to 8.3 "
    "minutes from when it reached TESS",
    "flux": "light in the aperture less the background, electrons per second",
    "flux_err": "its error (1 sigma, from the errors of the pixels), electrons per second",
    "background": "background that was subtracted from every pixel, electrons per second",
    "relative_flux": "flux divided by the median of the good cadences",
    "relative_flux_err": "its error",
    "quality": "TESS's quality bits; 0 is the best",
    "flags": "the same in words",
    "good": "1 where the cadence can be trusted, 0 where not",
}
_TRACK_COLUMNS = {
    "ra": "right ascension of the target as seen from TESS, ICRS, degrees",
    "dec": "its declination",
    "x": "place of the target in the frame, pixels; 0 is the centre of the first column",
    "y": "the same along the rows",
    "starlight": "light of stars behind the target in the aperture, electrons per second; it is "
    "subtracted from the flux. Empty where a part of it is not known",
    "starlight_err": "its error",
    "contaminated": "1 where that was so much that the cadence is not good",
}


def to_csv(light_curve: LightCurve) -> str:
    r"""
    Write a light curve as CSV, with every column explained in comment lines.

    Numbers keep what they hold: times 0.1 ms, fluxes nine digits. Unknown values are empty cells.

    Parameters
    ----------
    light_curve : LightCurve
        What to write; all its cadences, good or not.

    Returns
    -------
    text : str
        Lines that end in ``\n``; comment lines begin with ``#``, then a line with the names of the
        columns. No cell can be taken for a formula.
    """
    curve = light_curve
    relative, relative_err = curve.normalised()
    words = {int(q): safe_text(" + ".join(quality_names(q))) for q in np.unique(curve.quality)}
    columns = [
        _numbers(curve.time, "%.9f"),
        _numbers(curve.time + BTJD_ZERO, "%.9f"),
        utc_texts(curve.time),
        _numbers(curve.flux, "%.9g"),
        _numbers(curve.flux_err, "%.9g"),
        _numbers(curve.background, "%.9g"),
        _numbers(relative, "%.9g"),
        _numbers(relative_err, "%.9g"),
        [str(q) for q in curve.quality.tolist()],
        [words[q] for q in curve.quality.tolist()],
        _zeros_and_ones(curve.good),
    ]
    meanings = dict(_COLUMNS)
    if curve.track is not None:
        columns += _track_columns(curve.track)
        meanings |= _TRACK_COLUMNS
    rows = map(",".join, zip(*columns, strict=True))
    return "\n".join([*_header(curve, meanings), ",".join(meanings), *rows]) + "\n"


def _track_columns(track: Track) -> list[list[str]]:
    return [
        # A thousandth of a pixel, 0.02 arcsec, is 6e-6 degrees.
        _numbers(track.ra, "%.7f"),
        _numbers(track.dec, "%.7f"),
        _numbers(track.x, "%.4f"),
        _numbers(track.y, "%.4f"),
        _numbers(track.starlight, "%.9g"),
        _numbers(track.starlight_err, "%.9g"),
        _zeros_and_ones(track.contaminated),
    ]


def utc_texts(time: FloatArray) -> list[str]:
    """
    Write BTJD times as UTC dates.

    Parameters
    ----------
    time : float64 ndarray of shape (n,)
        BTJD in TDB; NaN for unknown.

    Returns
    -------
    texts : list of str
        ``2018-08-22T16:06:49.123``; "" for NaN. The instant is that of the barycentre: the
        correction for TESS's place in its orbit (up to 8.3 minutes) stays inside.
    """
    known = np.isfinite(time)
    texts = np.full(time.shape, "", dtype="U23")
    if known.any():
        parts = _utc(time[known]).ymdhms
        day = (parts["year"] - 1970).astype("datetime64[Y]").astype("datetime64[M]")
        day = (day + (parts["month"] - 1)).astype("datetime64[D]") + (parts["day"] - 1)
        seconds = (parts["hour"] * 60 + parts["minute"]) * 60 + parts["second"]
        milliseconds = np.rint(seconds * 1000).astype("timedelta64[ms]")
        texts[known] = np.datetime_as_string(day.astype("datetime64[ms]") + milliseconds)
    result: list[str] = texts.tolist()
    return result


def _utc(time: FloatArray) -> "Time":
    """
    Convert BTJD to UTC.

    TDB differs from terrestrial time by at most 1.7 ms, and slowly. astropy sums a series of some
    800 terms for it: 256 of them, and straight lines between, are right to a microsecond.
    """
    from astropy.time import Time

    exact = Time(BTJD_ZERO, time, format="jd", scale="tdb")
    knots = np.linspace(time.min(), time.max(), 256)
    if time.size > knots.size:
        delta = Time(BTJD_ZERO, knots, format="jd", scale="tdb").delta_tdb_tt
        exact.delta_tdb_tt = np.interp(time, knots, delta)
    return exact.utc


def _numbers(values: FloatArray, form: str) -> list[str]:
    texts = [form % value for value in values.tolist()]
    for i in np.flatnonzero(~np.isfinite(values)).tolist():
        texts[i] = ""
    return texts


def _zeros_and_ones(flags: npt.NDArray[np.bool_]) -> list[str]:
    return ["1" if flag else "0" for flag in flags.tolist()]


def _aperture_text(curve: LightCurve) -> str:
    if curve.track is not None and np.isfinite(curve.track.radius_px):
        return (
            f"Aperture: a circle of {curve.track.radius_px:g} pixels around the target, which it "
            "follows; a pixel that lies partly inside counts by its share"
        )
    return (
        f"Aperture: {np.count_nonzero(curve.aperture)} pixels; rows from the bottom, 1 is summed: "
        + (" ".join("".join("1" if p else "0" for p in row) for row in curve.aperture))
    )


def _header(curve: LightCurve, meanings: Mapping[str, str]) -> list[str]:
    lines = [
        f"Light curve of {curve.target or 'a target without a name'} from TESS",
        f"Sector {curve.sector}, camera {curve.camera}, CCD {curve.ccd}, "
        f"one cadence every {curve.cadence_s:g} s",
    ]
    if curve.simulated:
        lines.insert(0, "SIMULATED DATA: not an observation. Made by Skystamp's demo sky.")
    lines += [
        _aperture_text(curve),
        f"Background: {curve.background_rule}",
        f"Good: {curve.n_good} of {len(curve.time)} cadences, quality mask {curve.mask}",
        *curve.notes,
        "Columns:",
        *(f"  {name}: {meaning}" for name, meaning in meanings.items()),
    ]
    return [comment_line(line) for line in lines]
