"""What was typed into the target box -> one place on the sky, and what is known to be there."""

from dataclasses import dataclass

from cutout_core.mast.resolver import describe_object_type, resolve_name
from cutout_core.mast.session import MastSession
from cutout_core.target import SkyPosition, format_position, parse_target


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


def match_target(session: MastSession, text: str) -> MatchedTarget:
    """
    Find the place on the sky that a text means.

    Parameters
    ----------
    session : MastSession
        Where names are looked up; a position needs no look-up.
    text : str
        A position or a name, as typed.

    Returns
    -------
    target : MatchedTarget

    Raises
    ------
    TargetError
        If the text is neither a position nor a name.
    ResolverError
        If no resolver knows the name.
    ServiceError
        If the resolver cannot be asked.
    """
    parsed = parse_target(text)
    if isinstance(parsed, SkyPosition):
        label = format_position(parsed.ra, parsed.dec)[0]
        where = _constellation(parsed.ra, parsed.dec)
        return MatchedTarget(label, parsed.ra, parsed.dec, None, None, None, where)
    match = resolve_name(session, parsed.name)
    return MatchedTarget(
        label=parsed.name,
        ra=match.ra,
        dec=match.dec,
        canonical_name=match.canonical_name,
        resolver=match.resolver,
        object_type=describe_object_type(match.object_type),
        constellation=_constellation(match.ra, match.dec),
        note=match.note,
    )


def _constellation(ra: float, dec: float) -> str:
    from astropy.coordinates import SkyCoord, get_constellation

    return str(get_constellation(SkyCoord(ra, dec, unit="deg")))
