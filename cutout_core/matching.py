"""What was typed into the target box -> one place on the sky, and what is known to be there."""

from collections.abc import Sequence
from dataclasses import dataclass

from cutout_core.errors import ResolverError
from cutout_core.mast.resolver import (
    Match,
    describe_object_type,
    resolve_all,
    resolve_name,
    separation_arcsec,
)
from cutout_core.mast.session import MastSession
from cutout_core.solar_system import find_body, read_body_name
from cutout_core.spelling import similar_names
from cutout_core.target import ObjectName, SkyPosition, format_position, parse_target, quoted

#: Resolvers that put an object within this angle of each other agree: half of a pixel of TESS.
AGREEMENT_ARCSEC = 10.0


@dataclass(frozen=True, slots=True)
class MatchedTarget:
    """
    A target whose place is known.

    Attributes
    ----------
    label : str
        What to call it: the typed name, or the position.
    ra, dec : float
        ICRS position in degrees.
    canonical_name, resolver, object_type : str or None
        What the resolver calls it, which resolver that was, and what kind of object it is, in
        words. `None` for a typed position, and where the resolver did not say.
    constellation : str
        IAU name of the constellation.
    note : str or None
        What is odd about the match, in a sentence.
    """

    label: str
    ra: float
    dec: float
    canonical_name: str | None
    resolver: str | None
    object_type: str | None
    constellation: str
    note: str | None = None

    @property
    def decimal(self) -> str:
        """Position as decimal degrees, "84.29120 -80.46912"."""
        return format_position(self.ra, self.dec)[0]

    @property
    def sexagesimal(self) -> str:
        """Position in hours and degrees."""
        return format_position(self.ra, self.dec)[1]

    @property
    def galactic(self) -> str:
        """Galactic longitude and latitude in degrees, "l = 292.5295, b = -29.7899"."""
        from astropy.coordinates import SkyCoord

        place = SkyCoord(self.ra, self.dec, unit="deg").galactic
        return f"l = {float(place.l.deg):.4f}, b = {float(place.b.deg):+.4f}"


@dataclass(frozen=True, slots=True)
class MovingTarget:
    """
    A target that moves across the sky, by name: MAST takes its path from JPL Horizons.

    Attributes
    ----------
    name : str
        What to ask for.
    label : str
        What to call it, such as "1 Ceres".
    mt_type : str or None
        "majorbody" or "smallbody"; `None` leaves it to MAST.
    """

    name: str
    label: str
    mt_type: str | None = None


def match_moving_target(text: str, *, mt_type: str | None = None) -> MovingTarget:
    """
    Read the name of an asteroid, comet, planet or moon.

    Parameters
    ----------
    text : str
        What was typed.
    mt_type : str, optional
        "majorbody" or "smallbody".

    Returns
    -------
    target : MovingTarget
        Called by its full name where the table of well-known bodies has it.

    Raises
    ------
    TargetError
        If the text can't be a name.
    """
    name = read_body_name(text)
    body = find_body(name)
    return MovingTarget(name, body.label if body else name, mt_type)


def match_target(session: MastSession, text: str, *, resolver: str | None = None) -> MatchedTarget:
    """
    Find the place on the sky that a text means.

    Parameters
    ----------
    session : MastSession
        Where names are looked up; a position needs no look-up.
    text : str
        A position or a name, as typed.
    resolver : str, optional
        Who is to look the name up, see `resolve_name`; a position does not need it.

    Returns
    -------
    target : MatchedTarget

    Raises
    ------
    TargetError
        If the text is neither a position nor a name.
    ResolverError
        If no resolver knows the name. Its attributes say whether it may be a body of the Solar
        System, or misspelt.
    ServiceError
        If the resolver cannot be asked.
    """
    parsed = parse_target(text)
    if isinstance(parsed, SkyPosition):
        label = format_position(parsed.ra, parsed.dec)[0]
        where = _constellation(parsed.ra, parsed.dec)
        return MatchedTarget(label, parsed.ra, parsed.dec, None, None, None, where)
    try:
        match = resolve_name(session, parsed.name, resolver=resolver)
    except ResolverError as exc:
        raise _with_a_way_out(exc, parsed.name) from exc
    return target_of(match, parsed.name)


def target_of(match: Match, label: str) -> MatchedTarget:
    """
    Make a target of one resolver's match, such as one that was chosen from `find_alternatives`.

    Parameters
    ----------
    match : Match
    label : str
        What to call the target.

    Returns
    -------
    target : MatchedTarget
    """
    return MatchedTarget(
        label=label,
        ra=match.ra,
        dec=match.dec,
        canonical_name=match.canonical_name,
        resolver=match.resolver,
        object_type=describe_object_type(match.object_type),
        constellation=_constellation(match.ra, match.dec),
        note=match.note,
    )


def find_alternatives(session: MastSession, text: str) -> list[Match]:
    """
    Ask all resolvers for a name, to put their positions side by side.

    It takes a second longer than `match_target`, because the slowest resolver has to answer.

    Parameters
    ----------
    session : MastSession
    text : str
        What was typed.

    Returns
    -------
    matches : list of Match
        One of each resolver that knows the name, in the order of SANTA, which is also that in
        which `match_target` takes them. Empty for a position.

    Raises
    ------
    TargetError, ResolverError, ServiceError
        As `match_target`.
    """
    parsed = parse_target(text)
    if not isinstance(parsed, ObjectName):
        return []
    try:
        matches = resolve_all(session, parsed.name)
    except ResolverError as exc:
        raise _with_a_way_out(exc, parsed.name) from exc
    return list({match.resolver: match for match in reversed(matches)}.values())[::-1]


def describe_disagreement(matches: Sequence[Match]) -> str | None:
    """
    Say in words how far apart resolvers put an object.

    Parameters
    ----------
    matches : sequence of Match
        Of one name.

    Returns
    -------
    words : str or None
        Such as "SIMBAD and NED differ by 57.8 arcmin: choose." `None` if all are within
        `AGREEMENT_ARCSEC` of the first.
    """
    if not matches:
        return None
    first = matches[0]
    agreeing, others = [first.resolver], []
    for match in matches[1:]:
        apart = separation_arcsec(first.ra, first.dec, match.ra, match.dec)
        if apart > AGREEMENT_ARCSEC:
            others.append((match.resolver, describe_angle(apart)))
        else:
            agreeing.append(match.resolver)
    if not others:
        return None
    if len(agreeing) == len(others) == 1:
        return f"{agreeing[0]} and {others[0][0]} differ by {others[0][1]}: choose."
    differ = "differs" if len(agreeing) == 1 else "differ"
    apart_from = " and ".join(f"from {other} by {angle}" for other, angle in others)
    return f"{' and '.join(agreeing)} {differ} {apart_from}: choose."


def describe_angle(arcsec: float) -> str:
    """
    Write an angle in the unit that suits it, to a tenth of it.

    Parameters
    ----------
    arcsec : float
        Zero or more.

    Returns
    -------
    words : str
        Such as "57.8 arcmin".
    """
    # Below the number that would be written as 60.0.
    if arcsec < 59.95:
        return f"{arcsec:.1f} arcsec"
    if arcsec / 60 < 59.95:
        return f"{arcsec / 60:.1f} arcmin"
    return f"{arcsec / 3600:.1f} degrees"


def _with_a_way_out(error: ResolverError, name: str) -> ResolverError:
    """Add to an error what the name may have been meant to be."""
    body = find_body(name)
    if body is not None:
        article = "an" if body.kind[0] in "aeiou" else "a"
        is_designation = body.label == body.name and any(c.isdigit() for c in body.name)
        what = (
            f"the designation of {article} {body.kind}"
            if is_designation
            else (f"the {body.kind} {body.label}")
        )
        msg = (
            f"Could not resolve {quoted(name)} to a sky position: it looks like {what}, which "
            "moves across the sky. Look for it as a moving target."
        )
        return ResolverError(msg, moving_name=body.name)
    similar = similar_names(name)
    if not similar:
        return error
    meant = " or ".join(quoted(n) for n in similar)
    return ResolverError(f"{error} Did you mean {meant}?", similar=similar)


def _constellation(ra: float, dec: float) -> str:
    from astropy.coordinates import SkyCoord, get_constellation

    return str(get_constellation(SkyCoord(ra, dec, unit="deg")))
