"""The small bodies that the demo sky knows, and the names under which JPL Horizons knows them."""

from __future__ import annotations

import csv
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, cast

Kind = Literal["asteroid", "comet"]

_TABLE = Path(__file__).parents[1] / "data" / "moving_targets.csv"

# Bowell et al. 1989 (Asteroids II, 524): the value for bodies without one of their own.
_DEFAULT_SLOPE_G = 0.15

# Gauss's constant: the mean motion of a massless body at 1 au, radian per day.
_GAUSS_DEG_PER_DAY = 0.9856076686

# What may stand between the parts of a name: "C/2020 F3 (NEOWISE)", "67P/Churyumov-Gerasimenko".
_NAME_MARKS = re.compile(r"[\s()/_'’-]+")


@dataclass(frozen=True, slots=True)
class Elements:
    """
    An osculating orbit around the Sun, in the ecliptic and equinox of J2000.

    Attributes
    ----------
    epoch : float
        Julian date (TDB) at which the true orbit touches this one.
    perihelion_distance : float
        au.
    eccentricity : float
        0 or more: ellipses, parabola and hyperbolas alike.
    inclination, node, perihelion : float
        Inclination, longitude of the ascending node, argument of perihelion; degrees.
    perihelion_time : float
        Julian date (TDB) of the perihelion nearest to the epoch.
    """

    epoch: float
    perihelion_distance: float
    eccentricity: float
    inclination: float
    node: float
    perihelion: float
    perihelion_time: float


@dataclass(frozen=True, slots=True)
class Body:
    """
    An asteroid or a comet.

    Attributes
    ----------
    name : str
        Name without number: that of a comet is its discoverer's.
    number : int or None
        Of a numbered asteroid.
    designations : tuple of str
        Provisional or comet designations, the usual one first.
    kind : {"asteroid", "comet"}
    elements : Elements
    h_mag : float
        V magnitude at 1 au from Sun and Earth: H of an asteroid, total magnitude of a comet.
    slope : float
        G of an asteroid; of a comet the factor of log10(distance from the Sun).
    rotation_period_h : float or None
        Hours; None if not known.
    amplitude_mag : float
        Peak to peak of the rotation's light curve; 0 without a period.
    amplitude_is_assumed : bool
        Whether the amplitude is ours rather than from the body's axes.
    source : str
        Where the elements and magnitudes are from.
    """

    name: str
    number: int | None
    designations: tuple[str, ...]
    kind: Kind
    elements: Elements
    h_mag: float
    slope: float
    rotation_period_h: float | None
    amplitude_mag: float
    amplitude_is_assumed: bool
    source: str

    @property
    def label(self) -> str:
        """Full name in Horizons' form: ``1 Ceres``, ``46P/Wirtanen``, ``C/2020 F3 (NEOWISE)``."""
        if self.number is not None:
            return f"{self.number} {self.name}"
        first = self.designations[0]
        return f"{first} ({self.name})" if "/" in first else f"{first}/{self.name}"

    @property
    def spellings(self) -> tuple[str, ...]:
        """All names that find the body; capitals, blanks, brackets and strokes do not matter."""
        names = [self.name, self.label]
        for designation in self.designations:
            names += [designation, f"{designation} {self.name}", f"{self.label} {designation}"]
        if self.number is not None:
            # JPL's old and new numbers of its ephemeris files.
            names += [str(n) for n in (self.number, 2_000_000 + self.number)]
            names.append(str(20_000_000 + self.number))
        return tuple(names)


def _elements(row: dict[str, str]) -> Elements:
    eccentricity, epoch = float(row["e"]), float(row["epoch_jd_tdb"])
    if row["q_au"]:
        distance, perihelion_time = float(row["q_au"]), float(row["tp_jd_tdb"])
    else:
        axis = float(row["a_au"])
        distance = axis * (1.0 - eccentricity)
        anomaly = (float(row["m_deg"]) + 180.0) % 360.0 - 180.0
        perihelion_time = epoch - anomaly / (_GAUSS_DEG_PER_DAY * axis**-1.5)
    return Elements(
        epoch=epoch,
        perihelion_distance=distance,
        eccentricity=eccentricity,
        inclination=float(row["i_deg"]),
        node=float(row["node_deg"]),
        perihelion=float(row["peri_deg"]),
        perihelion_time=perihelion_time,
    )


def _body(row: dict[str, str]) -> Body:
    return Body(
        name=row["name"],
        number=int(row["number"]) if row["number"] else None,
        designations=tuple(row["designation"].split("|")),
        kind=cast("Kind", row["kind"]),
        elements=_elements(row),
        h_mag=float(row["h_mag"]),
        slope=float(row["slope"] or _DEFAULT_SLOPE_G),
        rotation_period_h=float(row["rotation_period_h"]) if row["rotation_period_h"] else None,
        amplitude_mag=float(row["amplitude_mag"] or 0.0),
        amplitude_is_assumed=row["amplitude_from"] == "assumed",
        source=row["source"],
    )


@lru_cache(maxsize=1)
def bodies() -> tuple[Body, ...]:
    """
    Read the table of bodies.

    Returns
    -------
    bodies : tuple of Body
        In the table's order.
    """
    with _TABLE.open(encoding="utf-8", newline="") as lines:
        return tuple(_body(row) for row in csv.DictReader(x for x in lines if x[0] != "#"))


def _key(name: str) -> str:
    """Reduce a name to what is compared."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    # Horizons takes a number with a semicolon for a small body's: "1;" is Ceres, "1" Mercury.
    return _NAME_MARKS.sub("", plain.strip().removesuffix(";").casefold())


@lru_cache(maxsize=1)
def _by_key() -> dict[str, tuple[Body, ...]]:
    by_key: dict[str, tuple[Body, ...]] = {}
    for body in bodies():
        for key in sorted({_key(name) for name in body.spellings}):
            by_key[key] = (*by_key.get(key, ()), body)
    return by_key


def find_bodies(name: str, body_type: str = "") -> tuple[Body, ...]:
    """
    Find bodies by name, number or designation, as Horizons does.

    Parameters
    ----------
    name : str
        Such as ``Ceres``, ``1``, ``1 Ceres``, ``A801 AA``, ``46P``, ``C/2020 F3 (NEOWISE)``.
    body_type : str, optional
        ``majorbody`` finds none: there are no planets here. Types with ``asteroid`` or ``comet``
        in them leave the other kind out. Anything else means all small bodies.

    Returns
    -------
    found : tuple of Body
        Several if the name alone does not tell: two comets are called NEOWISE.
    """
    wanted = re.sub(r"[^a-z]", "", body_type.casefold())
    found = _by_key().get(_key(name), ()) if "major" not in wanted else ()
    for kind in ("asteroid", "comet"):
        if kind in wanted:
            found = tuple(body for body in found if body.kind == kind)
    return found
