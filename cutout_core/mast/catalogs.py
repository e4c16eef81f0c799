"""Stars around a position, from MAST's copy of the TESS Input Catalog (TIC)."""

import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cutout_core.errors import InvalidQueryError, ServiceError, UnexpectedReplyError
from cutout_core.mast.resolver import separation_arcsec
from cutout_core.mast.session import MastSession

# Four times a pixel of TESS, whose light reaches into a star's aperture.
NEIGHBOUR_RADIUS_ARCSEC = 60.0

# The position and the star it belongs to: proper motion since J2000, at which the TIC gives its
# positions, and the errors of older names.
_NEAREST_RADIUS_ARCSEC = 60.0

_PATH = "api/v0/invoke"
_SERVICE = "Mast.Catalogs.TIC.Cone"
_PAGE_ROWS = 50_000

# MAST answers EXECUTING while a query runs; mostly the second question gets the rows.
_POLL_S = 0.5
_PATIENCE_S = 60.0

# Entries that stand for no star of their own (TIC 8.2: Paegert et al. 2021, arXiv:2108.04778).
_NO_STAR = {"DUPLICATE", "ARTIFACT", "SPLIT"}


@dataclass(frozen=True, slots=True)
class TicStar:
    """
    One entry of the TESS Input Catalog.

    Attributes
    ----------
    tic : int
        Its number.
    ra, dec : float
        ICRS position at J2000, in degrees.
    separation_arcsec : float
        From the position that was asked for.
    tmag : float or None
        Brightness in TESS's light, in magnitudes.
    teff_k, radius_rsun, distance_pc : float or None
        Effective temperature in K, radius in those of the Sun, distance in parsec. `None`: not
        known.
    is_extended : bool
        Whether the catalogue takes it for a galaxy or the like.
    is_simulated : bool
        Whether it is a star of the demo sky that does not exist.
    """

    tic: int
    ra: float
    dec: float
    separation_arcsec: float
    tmag: float | None
    teff_k: float | None
    radius_rsun: float | None
    distance_pc: float | None
    is_extended: bool = False
    is_simulated: bool = False

    @property
    def name(self) -> str:
        """As MAST's resolver takes it: "TIC 261136679"."""
        return f"TIC {self.tic}"

    @property
    def facts(self) -> str:
        """What is known of it, in words: "Tmag 5.1, 5,870 K, 1.1 solar radii, 18 pc"."""
        known = (
            (self.tmag, "Tmag {:.1f}"),
            (self.teff_k, "{:,.0f} K"),
            (self.radius_rsun, "{:.2g} solar radii"),
            (self.distance_pc, "{:.3g} pc"),
        )
        words = [form.format(value) for value, form in known if value is not None]
        return ", ".join([*words, *["extended"] * self.is_extended]) or "nothing else known"


@dataclass(frozen=True, slots=True)
class StarNeighbourhood:
    """
    The star at a position, and what shines beside it.

    Attributes
    ----------
    star : TicStar or None
        The target's own number, if it has one, else the nearest entry within an arcmin.
    brighter : tuple of TicStar
        Stars within `NEIGHBOUR_RADIUS_ARCSEC` that are brighter than `star`, the nearest first.
    words : str
        A sentence on it for the reader.
    """

    star: TicStar | None
    brighter: tuple[TicStar, ...]
    words: str


def stars_near(session: MastSession, ra: float, dec: float, radius_deg: float) -> list[TicStar]:
    """
    Find the stars of the TESS Input Catalog around a position.

    Parameters
    ----------
    session : MastSession
    ra, dec : float
        ICRS, in degrees.
    radius_deg : float
        0 to 2 degrees: more are tens of thousands of stars.

    Returns
    -------
    stars : list of TicStar
        The nearest first; without entries that the catalogue itself calls duplicates or
        artifacts. Empty if there are none.

    Raises
    ------
    InvalidQueryError
        If the position or the radius is impossible.
    ServiceError
        If MAST cannot be asked, or its query fails.
    """
    if not (abs(ra) <= 360 and abs(dec) <= 90 and 0 <= radius_deg <= 2):
        msg = (
            f"Stars cannot be looked up around RA {ra}, Dec {dec} within {radius_deg} degrees: RA "
            "goes from 0 to 360, Dec from -90 to 90, and the radius to 2."
        )
        raise InvalidQueryError(msg)
    rows = _rows(session, {"ra": float(ra), "dec": float(dec), "radius": float(radius_deg)})
    stars = [
        star
        for row in rows
        if row.get("disposition") not in _NO_STAR and (star := _star(row, ra, dec)) is not None
    ]
    return sorted(stars, key=lambda star: star.separation_arcsec)


def star_neighbourhood(
    session: MastSession, ra: float, dec: float, tic: int | None = None
) -> StarNeighbourhood:
    """
    Find the TIC star at a position, and its brighter neighbours.

    Parameters
    ----------
    session : MastSession
    ra, dec : float
        ICRS, in degrees.
    tic : int, optional
        The target's number, if it is known: then that entry counts and not the nearest.

    Returns
    -------
    neighbourhood : StarNeighbourhood
        `star` is `None` if the catalogue has none within an arcmin.

    Raises
    ------
    InvalidQueryError, ServiceError
        As `stars_near`.
    """
    radius = _NEAREST_RADIUS_ARCSEC + NEIGHBOUR_RADIUS_ARCSEC
    return describe_neighbourhood(stars_near(session, ra, dec, radius / 3600), tic)


def describe_neighbourhood(stars: Sequence[TicStar], tic: int | None = None) -> StarNeighbourhood:
    """
    Choose the target among the stars around a position, and the brighter ones around it.

    Parameters
    ----------
    stars : sequence of TicStar
        The nearest first.
    tic : int, optional
        As for `star_neighbourhood`.

    Returns
    -------
    neighbourhood : StarNeighbourhood
    """
    near = [star for star in stars if star.separation_arcsec <= _NEAREST_RADIUS_ARCSEC]
    star = next((star for star in near if star.tic == tic), None)
    star = star or next(iter(near), None)
    if star is None:
        return StarNeighbourhood(None, (), "The TESS Input Catalog has no star within an arcmin.")
    around = sorted(
        (separation_arcsec(star.ra, star.dec, other.ra, other.dec), i, other)
        for i, other in enumerate(stars)
        if _is_brighter(other, star)
    )
    brighter = tuple(other for apart, _, other in around if apart <= NEIGHBOUR_RADIUS_ARCSEC)
    words = f"{star.name}: {star.facts}."
    if star.tic != tic:
        words = f"The nearest star is {star.separation_arcsec:.1f} arcsec away, {words}"
    if brighter:
        n, nearest = len(brighter), around[0]
        which = "A brighter star is" if n == 1 else f"{n} brighter stars are"
        words += (
            f" {which} within an arcmin, the nearest {nearest[2].name}, {nearest[0]:.0f} arcsec "
            "off: its light reaches into the same pixels."
        )
    return StarNeighbourhood(star, brighter, words)


def _is_brighter(star: TicStar, than: TicStar) -> bool:
    if star.tmag is None or star.tic == than.tic:
        return False
    return than.tmag is None or star.tmag < than.tmag


def _rows(session: MastSession, params: dict[str, float]) -> list[dict[str, Any]]:
    """Ask until the rows have come."""
    asked = {
        "service": _SERVICE,
        "params": params,
        "format": "json",
        "pagesize": _PAGE_ROWS,
        "page": 1,
    }
    form = [("request", json.dumps(asked))]
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        reply = session.post(_PATH, form).json or {}
        status = reply.get("status")
        if status != "EXECUTING":
            return _checked(reply)
        if time.monotonic() + _POLL_S > deadline:
            msg = (
                f"MAST has looked for stars for {_PATIENCE_S:.0f} s without an answer. This is "
                "not your fault. Try again later."
            )
            raise ServiceError(msg)
        time.sleep(_POLL_S)


def _checked(reply: dict[str, Any]) -> list[dict[str, Any]]:
    status, rows = reply.get("status"), reply.get("data")
    if status == "ERROR":
        says = " ".join(str(reply.get("msg") or "").split())[:200]
        msg = "MAST could not look for stars. This is not your fault; try again later." + (
            f" It says: {says}" if says else ""
        )
        raise ServiceError(msg)
    if status != "COMPLETE" or not isinstance(rows, list):
        msg = (
            "MAST sent a list of stars of an unknown form. This is not your fault. Try again later."
        )
        raise UnexpectedReplyError(msg)
    return [row for row in rows if isinstance(row, dict)]


def _star(row: dict[str, Any], ra: float, dec: float) -> TicStar | None:
    """Read a row; `None` if it lacks its number or place."""
    star_ra, star_dec = _number(row.get("ra")), _number(row.get("dec"))
    try:
        tic = int(str(row.get("ID")))
    except ValueError:
        return None
    if star_ra is None or star_dec is None:
        return None
    return TicStar(
        tic=tic,
        ra=star_ra,
        dec=star_dec,
        separation_arcsec=separation_arcsec(ra, dec, star_ra, star_dec),
        tmag=_number(row.get("Tmag")),
        teff_k=_number(row.get("Teff")),
        radius_rsun=_number(row.get("rad")),
        distance_pc=_number(row.get("d")),
        is_extended=row.get("objType") == "EXTENDED",
        is_simulated=row.get("version") == "simulated",
    )


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
