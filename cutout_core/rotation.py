"""
How fast an asteroid turns: the period of its brightness, and which turn that makes.

An elongated body shows its long side twice a turn, so that its brightness repeats twice as often as
it turns. A period alone cannot tell; what can be said for one or the other is said in words.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from cutout_core.lightcurve import LightCurve

FloatArray: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]

#: A period stands out if a chance one of its power is rarer than this, and if a sine of it
#: explains at least this share of the variation.
FALSE_ALARM, LEAST_SHARE = 1e-4, 0.2

#: A body whose brightness varies by more than this, in magnitudes, shows two maxima a turn: dark
#: and bright sides alone cannot do it (Harris et al. 2014, Icarus 235, 55).
TWO_MAXIMA_MAG = 0.4

#: The shortest time between maxima that is looked for, in hours, if the cadence allows.
SHORTEST_H = 0.5

# A period needs this many cadences, and has to be seen this often.
_CADENCES_PER_PERIOD = 2.5
_PERIODS_IN_DATA = 2.0

# Frequencies per width of a peak. With a parabola through three of them it is found to 1 %.
_OVERSAMPLING = 5

# Terms of the Fourier series of a turn: Harris et al. find that four describe most asteroids.
_N_TERMS = 4

# A maximum counts if it rises over the lower of its valleys by this part of the whole range.
_LEAST_RISE = 0.15

# Alternating maxima differ, if the odd terms of the longer period hold this share of what varies,
# and make the fit better by this value of F.
_LEAST_ODD_SHARE = 0.005
_LEAST_F = 10.0

# Points farther than this from the trend, in standard deviations, are not the body's.
_OUTLIER_SIGMA = 5.0
_MAD_TO_SIGMA = 1.4826

# With the distances to Sun and Earth, and the phase, the brightness changes over weeks as a
# parabola.
_TREND_DEGREE = 2
_LEAST_POINTS = 30

_HOURS = 24.0


@dataclass(frozen=True, slots=True)
class PeriodCandidate:
    """
    One period that the rotation may have.

    Attributes
    ----------
    period_h : float
        In hours.
    error_h : float
        Its error (1 sigma).
    n_maxima : int
        How often the brightness peaks in a turn of this period.
    words : str
        What speaks for it, in a sentence.
    """

    period_h: float
    error_h: float
    n_maxima: int
    words: str


@dataclass(frozen=True, slots=True, eq=False)
class Rotation:
    """
    What a light curve says about rotation.

    Attributes
    ----------
    candidates : tuple of PeriodCandidate
        The likeliest first; empty if no period stands out.
    words : str
        All of it in a few sentences, for the reader.
    amplitude_mag : float
        From the faintest to the brightest of a turn, in magnitudes; NaN without a period.
    share : float
        Share of the variation that a sine of the best period explains, 0 to 1.
    false_alarm : float
        How probable so high a peak is in pure noise.
    time : float64 ndarray of shape (n,)
        BTJD of the cadences that were used.
    relative_flux : float64 ndarray of shape (n,)
        Their brightness without the slow trend; 1 is the mean.
    period_grid_h, power : float64 ndarrays of shape (m,)
        The periodogram: times between maxima in hours, and the share that each explains.
    """

    candidates: tuple[PeriodCandidate, ...]
    words: str
    amplitude_mag: float
    share: float
    false_alarm: float
    time: FloatArray
    relative_flux: FloatArray
    period_grid_h: FloatArray
    power: FloatArray

    def phase(self, period_h: float) -> FloatArray:
        """Fold the times with a period: 0 to 1, from the first one on."""
        turns = (self.time - self.time[0]) * _HOURS / period_h if self.time.size else self.time
        return np.asarray(turns % 1.0)


def find_rotation(curves: LightCurve | Sequence[LightCurve]) -> Rotation:
    """
    Find the period of an asteroid's rotation, by a Lomb-Scargle periodogram.

    Parameters
    ----------
    curves : LightCurve, or a sequence of them
        Of one body. Several, such as those of the CCDs that it crossed in a sector, are put
        together, each without its own trend.

    Returns
    -------
    rotation : Rotation
        Without candidates where there are too few good cadences or no period stands out; `words`
        then says so.

    References
    ----------
    .. [1] VanderPlas 2018, ApJS 236, 16, for the periodogram.
    .. [2] Montgomery and O'Donoghue 1999, Delta Scuti Star Newsletter 13, 28, for the error of a
       frequency.
    """
    if isinstance(curves, LightCurve):
        curves = [curves]
    bright = [curve for curve in curves if curve.median_flux > 0]
    if any(curve.n_good for curve in curves) and not bright:
        words = "The target is not brighter than the sky around it, so that no period can be told."
        return _nothing(words, np.empty(0), np.empty(0))
    time, flux = _joined(bright)
    cadence_d = max((curve.cadence_s for curve in curves), default=math.nan) / 86400
    span = float(np.ptp(time)) if time.size else 0.0
    lowest = _PERIODS_IN_DATA / span if span > 0 else math.inf
    highest = min(_HOURS / SHORTEST_H, 1 / (_CADENCES_PER_PERIOD * cadence_d))
    if time.size < _LEAST_POINTS or not highest > lowest:
        words = f"There are {time.size} good cadences, too few to tell a period."
        return _nothing(words, time, flux)
    return _search(time, flux, lowest, highest)


def _joined(curves: Sequence[LightCurve]) -> tuple[FloatArray, FloatArray]:
    """Put the good cadences of several curves together, each without its trend."""
    parts = [part for curve in curves if (part := _without_trend(curve)) is not None]
    if not parts:
        return np.empty(0), np.empty(0)
    time, flux = (np.concatenate(values) for values in zip(*parts, strict=True))
    order = np.argsort(time)
    return time[order], flux[order]


def _without_trend(curve: LightCurve) -> tuple[FloatArray, FloatArray] | None:
    """Divide a curve by a parabola, without its outliers; `None` if it is too short."""
    if curve.n_good <= _TREND_DEGREE + 1:
        return None
    time, flux = curve.time[curve.good], curve.flux[curve.good] / curve.median_flux
    scaled = (time - time.mean()) / max(float(np.ptp(time)), 1e-9)
    kept = np.ones(time.size, dtype=bool)
    for _ in range(3):
        trend = np.polynomial.Polynomial.fit(scaled[kept], flux[kept], _TREND_DEGREE)(scaled)
        rest = flux - trend
        middle = np.median(rest[kept])
        scatter = _MAD_TO_SIGMA * float(np.median(np.abs(rest[kept] - middle)))
        kept = np.abs(rest - middle) <= _OUTLIER_SIGMA * scatter
        if np.count_nonzero(kept) <= _TREND_DEGREE + 1:
            return None
    usable = kept & (trend > 0)
    return time[usable], flux[usable] / trend[usable]


def _search(time: FloatArray, flux: FloatArray, lowest: float, highest: float) -> Rotation:
    from astropy.timeseries import LombScargle

    span = float(np.ptp(time))
    n = math.ceil((highest - lowest) * span * _OVERSAMPLING)
    grid = np.linspace(lowest, highest, max(n, 3))
    # Times are counted from the first one, to keep their digits.
    model = LombScargle(time - time[0], flux)
    power = np.asarray(model.power(grid, method="fast", assume_regular_frequency=True))
    best = int(np.argmax(power))
    share = float(power[best])
    false_alarm = float(
        model.false_alarm_probability(
            min(share, 1.0), minimum_frequency=lowest, maximum_frequency=highest
        )
    )
    found = {"time": time, "relative_flux": flux, "period_grid_h": _HOURS / grid, "power": power}
    if share < LEAST_SHARE or not false_alarm < FALSE_ALARM:
        words = (
            "No period stands out: the best sine explains "
            f"{share:.0%} of the variation. More cadences, or a brighter body, may show one."
        )
        return Rotation((), words, math.nan, share, false_alarm, **found)
    frequency = _refined(time, flux, _peak(grid, power, best))
    return _interpreted(time, flux, frequency, share, false_alarm, found)


def _peak(grid: FloatArray, power: FloatArray, best: int) -> float:
    """Give the top of the parabola through a peak and its neighbours."""
    if not 0 < best < len(grid) - 1:
        return float(grid[best])
    left, top, right = (float(power[best + i]) for i in (-1, 0, 1))
    bend = left - 2 * top + right
    shift = 0.5 * (left - right) / bend if bend else 0.0
    return float(grid[best] + shift * (grid[1] - grid[0]))


def _refined(time: FloatArray, flux: FloatArray, frequency: float) -> float:
    """Improve a frequency with a Fourier series of the turn that has two maxima."""
    width = 1 / float(np.ptp(time))
    step = width / 4
    for _ in range(3):
        trials = frequency + step * np.linspace(-1, 1, 9)
        sums = [_squares_left(time, flux, trial / 2) for trial in trials]
        frequency, step = float(trials[int(np.argmin(sums))]), step / 4
    return frequency


def _fit(
    time: FloatArray, flux: FloatArray, frequency: float, terms: Sequence[int]
) -> tuple[FloatArray, FloatArray]:
    """Fit a Fourier series; give its coefficients (1, then sine and cosine), and what is left."""
    design = _design((time - time[0]) * frequency, terms)
    coefficients = np.asarray(np.linalg.lstsq(design, flux, rcond=None)[0], dtype=np.float64)
    return coefficients, flux - design @ coefficients


def _squares_left(time: FloatArray, flux: FloatArray, frequency: float) -> float:
    return float(np.square(_fit(time, flux, frequency, range(1, _N_TERMS + 1))[1]).sum())


def _frequency_error(time: FloatArray, rest: FloatArray, half_range: float) -> float:
    """
    Give the error of a frequency: Montgomery & O'Donoghue 1999, equation 10.

    Neighbouring residuals that are alike count as one: by the mean length of runs of one sign,
    which is two for independent ones (Schwarzenberg-Czerny 1991, MNRAS 253, 198).
    """
    n_runs = 1 + int(np.count_nonzero(np.diff(np.signbit(rest))))
    alike = max(1.0, len(rest) / n_runs / 2)
    error = math.sqrt(6 / len(time)) * float(np.std(rest)) / (math.pi * float(np.ptp(time)))
    return error / half_range * math.sqrt(alike)


def _design(phase: FloatArray, terms: Sequence[int]) -> FloatArray:
    columns = [np.ones_like(phase)]
    for k in terms:
        columns += [np.sin(2 * np.pi * k * phase), np.cos(2 * np.pi * k * phase)]
    return np.stack(columns, axis=1)


def _interpreted(
    time: FloatArray,
    flux: FloatArray,
    frequency: float,
    share: float,
    false_alarm: float,
    found: dict[str, FloatArray],
) -> Rotation:
    """Say which turns a frequency may mean."""
    terms = range(1, _N_TERMS + 1)
    curve, rest = _fit(time, flux, frequency, range(1, _N_TERMS // 2 + 1))
    phase = np.linspace(0, 1, 400, endpoint=False)
    shape = _design(phase, range(1, _N_TERMS // 2 + 1)) @ curve
    amplitude_mag = _magnitudes(shape)
    error = _frequency_error(time, rest, float(np.ptp(shape)) / 2)
    n_maxima = _count_maxima(shape)
    once_h = _HOURS / frequency
    once_error_h = once_h * error / frequency
    alternates = _maxima_alternate(time, flux, frequency)
    full, _ = _fit(time, flux, frequency / 2, terms)
    twice = _design(phase, terms) @ full
    if n_maxima > 1:
        candidates = _of_a_turn_with_two_maxima(once_h, once_error_h)
    else:
        candidates = _of_a_ramp(once_h, once_error_h, amplitude_mag, alternates=alternates)
        amplitude_mag = _magnitudes(twice)
    words = " ".join(
        [
            f"The brightness repeats every {_hours(once_h, once_error_h)}.",
            *(c.words for c in candidates),
        ]
    )
    turns = float(np.ptp(time)) * _HOURS / candidates[0].period_h
    if turns < 2 * _PERIODS_IN_DATA:
        words += f" The light curve covers {turns:.1f} such turns only."
    return Rotation(tuple(candidates), words, amplitude_mag, share, false_alarm, **found)


def _of_a_turn_with_two_maxima(once_h: float, error_h: float) -> list[PeriodCandidate]:
    words = (
        f"In that time it has two different maxima, as an elongated body shows in one turn: it "
        f"turns once in {_hours(once_h, error_h)}."
    )
    return [PeriodCandidate(once_h, error_h, 2, words)]


def _of_a_ramp(
    once_h: float, error_h: float, amplitude_mag: float, *, alternates: bool
) -> list[PeriodCandidate]:
    twice_h, twice_error_h = 2 * once_h, 2 * error_h
    turn = f"it turns once in {_hours(twice_h, twice_error_h)}"
    if alternates:
        longer = f"Every other maximum differs, so that two of them make a turn: {turn}."
    elif amplitude_mag > TWO_MAXIMA_MAG:
        longer = (
            f"It varies by {amplitude_mag:.1f} mag, which takes an elongated body, and that shows "
            f"two maxima a turn: {turn}."
        )
    else:
        longer = (
            "Most asteroids are elongated and show two maxima a turn, which look alike here: then "
            f"{turn}."
        )
    shorter = (
        f"If its sides are dark and bright instead, there is one maximum a turn: half of that, "
        f"{_hours(once_h, error_h)}."
    )
    candidates = [PeriodCandidate(twice_h, twice_error_h, 2, longer)]
    if not (alternates or amplitude_mag > TWO_MAXIMA_MAG):
        candidates.append(PeriodCandidate(once_h, error_h, 1, shorter))
    return candidates


def _maxima_alternate(time: FloatArray, flux: FloatArray, frequency: float) -> bool:
    """Tell whether neighbouring maxima differ: whether the odd terms of the double turn matter."""
    _, rest = _fit(time, flux, frequency, range(1, _N_TERMS // 2 + 1))
    full, rest_of_full = _fit(time, flux, frequency / 2, range(1, _N_TERMS + 1))
    powers = np.square(full[1:]).reshape(-1, 2).sum(axis=1)
    odd_share = float(powers[::2].sum() / powers.sum())
    left, left_of_full = (float(np.square(values).sum()) for values in (rest, rest_of_full))
    n_free = len(time) - len(full)
    f_value = ((left - left_of_full) / _N_TERMS) / (left_of_full / n_free)
    return odd_share > _LEAST_ODD_SHARE and f_value > _LEAST_F


def _count_maxima(shape: FloatArray) -> int:
    """Count the maxima of a closed curve that stand out of their valleys."""
    from scipy.signal import find_peaks

    # From the lowest point on, so that no maximum is cut in two.
    opened = np.roll(shape, -int(np.argmin(shape)))
    return len(find_peaks(opened, prominence=_LEAST_RISE * float(np.ptp(shape)))[0])


def _magnitudes(shape: FloatArray) -> float:
    low, high = float(shape.min()), float(shape.max())
    return 2.5 * math.log10(high / low) if low > 0 else math.inf


def _hours(period_h: float, error_h: float) -> str:
    """Write a period to the digits that its error leaves, as "4.277 h" or "30.4 h"."""
    digits = min(4, max(0, 1 - math.floor(math.log10(max(error_h, 1e-6)))))
    return f"{period_h:.{digits}f} h"


def _nothing(words: str, time: FloatArray, flux: FloatArray) -> Rotation:
    return Rotation((), words, math.nan, 0.0, 1.0, time, flux, np.empty(0), np.empty(0))
