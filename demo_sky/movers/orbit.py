"""
How a small body moves around the Sun, drawn by the planets.

From one set of osculating elements the body is integrated through all of TESS's sectors. Two-body
motion from 2025 would be off by up to 27 arcmin (Ceres) or 110 (Juno) in earlier sectors. What
remains, measured against JPL's and the Minor Planet Center's ephemerides and elements of other
epochs: Ceres 0.2 arcsec, other asteroids 1.5, comets near the perihelion that their elements were
fitted to 1, years away from it up to 30 arcsec. Left out are the pull of other asteroids,
relativity, and the jets of comets.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import erfa  # type: ignore[import-untyped]
import numpy as np

from demo_sky.movers.bodies import Body, Elements

FloatArray = np.ndarray[Any, np.dtype[np.float64]]

# Gauss's gravitational constant squared: the Sun's GM in au^3/day^2.
GM_SUN = 0.01720209895**2

# ERFA's numbers of the planets, and the Sun's mass over theirs (IAU 2009 system of astronomical
# constants, Luzum et al. 2011, Celest. Mech. Dyn. Astr. 110, 293). Number 3 is Earth plus Moon.
_PLANETS = np.array([1, 2, 3, 4, 5, 6, 7, 8])
_GM_PLANETS = GM_SUN / np.array(
    [
        6.0236e6,
        4.08523719e5,
        3.28900561e5,
        3.09870359e6,
        1.047348644e3,
        3.4979018e3,
        2.290298e4,
        1.941226e4,
    ]
)

# Obliquity of the ecliptic of J2000 in JPL's elements (IAU 1976), arcsec.
_OBLIQUITY_ARCSEC = 84381.448

_JD_ZERO = 2400000.5

# Of position (au) and velocity (au/day): Ceres comes back from seven years within 1 km.
_RELATIVE_ERROR, _ABSOLUTE_ERROR = 1e-11, 1e-13


def _two_body(_time: float, state: FloatArray) -> FloatArray:
    position = state[:3]
    pull = -GM_SUN / (position @ position) ** 1.5
    return np.concatenate([state[3:], pull * position])


def _perturbed(time: float, state: FloatArray) -> FloatArray:
    """Add the planets' pull on the body and on the Sun."""
    # Heliocentric, mean equator and equinox of J2000, as is all here; 0.1 arcsec from the ICRS.
    planets = erfa.plan94(_JD_ZERO, time - _JD_ZERO, _PLANETS)["p"]
    away = planets - state[:3]
    change = _two_body(time, state)
    change[3:] += (_GM_PLANETS / np.einsum("ij,ij->i", away, away) ** 1.5) @ away
    change[3:] -= (_GM_PLANETS / np.einsum("ij,ij->i", planets, planets) ** 1.5) @ planets
    return change


def _integrate(
    motion: Callable[[float, FloatArray], FloatArray], state: FloatArray, start: float, stop: float
) -> Any:
    # 0.2 s to import: not at our own import.
    from scipy.integrate import solve_ivp

    return solve_ivp(
        motion,
        (start, stop),
        state,
        method="DOP853",
        rtol=_RELATIVE_ERROR,
        atol=_ABSOLUTE_ERROR,
        dense_output=True,
    )


def state_at_epoch(elements: Elements) -> FloatArray:
    """
    Turn osculating elements into position and velocity.

    The body starts at perihelion and follows the two-body orbit to the epoch: the same for
    ellipses, parabolas and hyperbolas.

    Parameters
    ----------
    elements : Elements

    Returns
    -------
    state : ndarray of shape (6,)
        Heliocentric position (au) and velocity (au/day), equator and equinox of J2000.
    """
    inclination, node, perihelion = (
        math.radians(angle) for angle in (elements.inclination, elements.node, elements.perihelion)
    )
    # Unit vectors to the perihelion and a quarter turn on, in the ecliptic.
    along_node = np.array([math.cos(node), math.sin(node), 0.0])
    across_node = np.array(
        [
            -math.sin(node) * math.cos(inclination),
            math.cos(node) * math.cos(inclination),
            math.sin(inclination),
        ]
    )
    to_perihelion = math.cos(perihelion) * along_node + math.sin(perihelion) * across_node
    onward = math.cos(perihelion) * across_node - math.sin(perihelion) * along_node
    distance = elements.perihelion_distance
    speed = math.sqrt(GM_SUN * (1.0 + elements.eccentricity) / distance)
    at_perihelion = np.concatenate([distance * to_perihelion, speed * onward])
    solution = _integrate(_two_body, at_perihelion, elements.perihelion_time, elements.epoch)

    tilt = math.radians(_OBLIQUITY_ARCSEC / 3600.0)
    to_equator = np.array(
        [
            [1.0, 0.0, 0.0],
            [0.0, math.cos(tilt), -math.sin(tilt)],
            [0.0, math.sin(tilt), math.cos(tilt)],
        ]
    )
    return np.asarray((to_equator @ solution.y[:, -1].reshape(2, 3).T).T.reshape(6))


class Orbit:
    """
    A body's way around the Sun through a span of time.

    Parameters
    ----------
    elements : Elements
        At any epoch.
    first, last : float
        Julian dates (TDB) between which it will be asked for.
    """

    def __init__(self, elements: Elements, first: float, last: float) -> None:
        self._epoch = elements.epoch
        self._first, self._last = first, last
        state = state_at_epoch(elements)
        # A day beyond the span: there is something to integrate even if it ends at the epoch.
        self._before = _integrate(_perturbed, state, self._epoch, min(first, self._epoch) - 1.0).sol
        self._after = _integrate(_perturbed, state, self._epoch, max(last, self._epoch) + 1.0).sol

    def position(self, time: FloatArray) -> FloatArray:
        """
        Tell where the body is.

        Parameters
        ----------
        time : ndarray of shape (n,)
            Julian dates (TDB).

        Returns
        -------
        position : ndarray of shape (n, 3)
            Heliocentric, au, equator and equinox of J2000.

        Raises
        ------
        ValueError
            If a time is outside the span.
        """
        if np.any(time < self._first) or np.any(time > self._last):
            msg = f"times must be between JD {self._first} and {self._last}"
            raise ValueError(msg)
        positions = np.empty((len(time), 3))
        early = time < self._epoch
        for solution, chosen in ((self._before, early), (self._after, ~early)):
            if chosen.any():
                positions[chosen] = solution(time[chosen])[:3].T
        return positions


@lru_cache(maxsize=64)
def orbit(body: Body, first: float, last: float) -> Orbit:
    """
    Integrate a body's orbit, once.

    Parameters
    ----------
    body : Body
    first, last : float
        As in `Orbit`.

    Returns
    -------
    orbit : Orbit
    """
    return Orbit(body.elements, first, last)
