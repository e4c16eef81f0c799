"""Names -> positions, by MAST's name resolver SANTA, which asks TIC, SIMBAD, NED and others."""

import math
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from cutout_core.errors import (
    InputWarning,
    InvalidQueryError,
    ResolverError,
    UnexpectedReplyError,
)
from cutout_core.mast.session import MastSession, QueryValue
from cutout_core.target import quoted

# In SANTA's own order: without a choice, the first that knows the name answers.
RESOLVERS = ("TIC", "KEPLER", "K2", "DADS", "EXO", "SIMBAD", "SIMBADCFA", "NED")

# SANTA takes more, but the address of the request grows with every name.
NAMES_PER_REQUEST = 30

# A star and its entry in an input catalogue are the same if they are this close.
CATALOGUE_TOLERANCE_ARCSEC = 1.0

_CATALOGUES = {"TIC ": "TIC", "KIC ": "KEPLER", "EPIC ": "K2"}


@dataclass(frozen=True, slots=True)
class Match:
    """
    What one resolver knows about a name.

    Attributes
    ----------
    search_text : str
        The name that was asked for.
    canonical_name : str
        What the resolver calls the object.
    ra, dec : float
        ICRS position in degrees.
    resolver : str
        One of `RESOLVERS`.
    object_type : str or None
        The resolver's code for the kind of object, such as "HighPM*"; `describe_object_type`
        puts it in words. `None` if it does not say.
    radius_deg : float or None
        Angular radius of an extended object.
    note : str or None
        What is odd about the match, in a sentence.
    """

    search_text: str
    canonical_name: str
    ra: float
    dec: float
    resolver: str
    object_type: str | None = None
    radius_deg: float | None = None
    note: str | None = None


def resolve_name(session: MastSession, name: str, *, resolver: str | None = None) -> Match:
    """
    Find the position of a named object.

    Parameters
    ----------
    session : MastSession
    name : str
    resolver : str, optional
        One of `RESOLVERS`, in any case. Default: the first that knows the name, in that order.

    Returns
    -------
    match : Match

    Raises
    ------
    ResolverError
        If the name is not known.
    InvalidQueryError
        If there is no such resolver.
    ServiceError
        If the resolver cannot be asked.

    Warns
    -----
    InputWarning
        If the name is a catalogue number and the chosen resolver's position is more than
        1 arcsec away from the catalogue's. The sentence also is the match's `note`.
    """
    name = _squeezed(name)
    chosen = _checked_resolver(resolver)
    catalogue = _catalogue_of(name) if chosen else None
    asked = tuple(dict.fromkeys(r for r in (chosen, catalogue) if r))
    matches = _ask(session, [name], resolvers=asked)[name]
    if chosen:
        found = next((m for m in matches if m.resolver == chosen), None)
    else:
        found = matches[0] if matches else None
    if found is None:
        raise ResolverError(_not_resolved(name, chosen))
    own = next((m for m in matches if m.resolver == catalogue), None)
    return _compared(found, own) if own else found


def resolve_all(session: MastSession, name: str) -> list[Match]:
    """
    Find what every resolver says about a name.

    Parameters
    ----------
    session : MastSession
    name : str

    Returns
    -------
    matches : list of Match
        At least one, in the order of SANTA.

    Raises
    ------
    ResolverError
        If no resolver knows the name.
    ServiceError
        If the resolver cannot be asked.
    """
    name = _squeezed(name)
    matches = _ask(session, [name], resolve_all=True)[name]
    if not matches:
        raise ResolverError(_not_resolved(name, None))
    return matches


def resolve_names(session: MastSession, names: Iterable[str]) -> dict[str, Match | None]:
    """
    Find the positions of several objects, `NAMES_PER_REQUEST` names a request.

    Parameters
    ----------
    session : MastSession
    names : iterable of str

    Returns
    -------
    matches : dict of str to Match or None
        In the order of the names, each once; `None` for a name that no resolver knows and for a
        blank one.

    Raises
    ------
    ServiceError
        If the resolver cannot be asked.
    """
    squeezed = {name: _squeezed(name) for name in names}
    to_ask = list(dict.fromkeys(text for text in squeezed.values() if text))
    found: dict[str, list[Match]] = {}
    for start in range(0, len(to_ask), NAMES_PER_REQUEST):
        found |= _ask(session, to_ask[start : start + NAMES_PER_REQUEST])
    return {name: next(iter(found.get(text, ())), None) for name, text in squeezed.items()}


def separation_arcsec(ra1: float, dec1: float, ra2: float, dec2: float) -> float:
    """
    Return the angle between two positions.

    The haversine formula, which is exact for small angles, too.

    Parameters
    ----------
    ra1, dec1, ra2, dec2 : float
        In degrees.

    Returns
    -------
    separation : float
        In arcsec.
    """
    ra1, dec1, ra2, dec2 = (math.radians(angle) for angle in (ra1, dec1, ra2, dec2))
    haversine = (
        math.sin((dec2 - dec1) / 2) ** 2
        + math.cos(dec1) * math.cos(dec2) * math.sin((ra2 - ra1) / 2) ** 2
    )
    return math.degrees(2 * math.asin(math.sqrt(min(1.0, haversine)))) * 3600


def describe_object_type(code: str | None) -> str | None:
    """
    Put a resolver's code for a kind of object in words.

    Parameters
    ----------
    code : str or None
        As SIMBAD (label or short form) or NED write it.

    Returns
    -------
    words : str or None
        Such as "high proper-motion star"; the code itself if it is not known here.
    """
    if not code:
        return None
    certain = code.removesuffix("_Candidate").removesuffix("?")
    if certain == code:
        return _OBJECT_TYPES.get(code, code)
    # SIMBAD's "EB?" is a candidate for "EB*".
    words = _OBJECT_TYPES.get(certain) or _OBJECT_TYPES.get(f"{certain}*")
    return f"{words} (candidate)" if words else code


def _squeezed(name: str) -> str:
    return " ".join(name.split())


def _checked_resolver(resolver: str | None) -> str | None:
    if resolver is None:
        return None
    chosen = str(resolver).strip().upper()
    if chosen not in RESOLVERS:
        msg = (
            f"There is no name resolver {quoted(str(resolver))}. "
            f"Choose one of {', '.join(RESOLVERS)}, or none to take the first that knows the name."
        )
        raise InvalidQueryError(msg)
    return chosen


def _catalogue_of(name: str) -> str | None:
    upper = name.upper()
    return next((r for prefix, r in _CATALOGUES.items() if upper.startswith(prefix)), None)


def _not_resolved(name: str, resolver: str | None) -> str:
    if resolver:
        return (
            f'Could not resolve "{name}" to a sky position using resolver "{resolver}". '
            "Try another resolver, or none to take the first that knows the name."
        )
    return (
        f'Could not resolve "{name}" to a sky position. Check the spelling, or give coordinates '
        'such as "84.2912 -80.4691". Asteroids and comets have no fixed position.'
    )


def _ask(
    session: MastSession,
    names: list[str],
    *,
    resolvers: Iterable[str] = (),
    resolve_all: bool = False,
) -> dict[str, list[Match]]:
    """Send one request, and sort its matches by name; parameters as astroquery sends them."""
    query: list[tuple[str, QueryValue]] = [
        ("outputFormat", "json"),
        ("resolveAll", str(resolve_all)),
        *(("resolver", resolver) for resolver in resolvers),
        *(("name", name) for name in names),
    ]
    entries = list(_entries(session.resolver_get(query).json))
    # Everything that comes back for a single name is about that name, however SANTA spells it.
    if len(names) == 1 and not any(_is_about(e, names[0]) for e in entries):
        return {names[0]: _matches(entries, names[0])}
    return {name: _matches([e for e in entries if _is_about(e, name)], name) for name in names}


def _entries(reply: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    """Yield the entries of a reply; where nothing was found the list is empty, null or absent."""
    entries = (reply or {}).get("resolvedCoordinate")
    if entries is None:
        return
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        msg = "The name resolver sent a list of unknown form. Try again later, or give RA and Dec."
        raise UnexpectedReplyError(msg)
    yield from entries


def _is_about(entry: dict[str, Any], name: str) -> bool:
    return _squeezed(str(entry.get("searchString"))) == name.lower()


def _matches(entries: list[dict[str, Any]], name: str) -> list[Match]:
    matches = [match for entry in entries if (match := _match(entry, name))]
    if entries and not matches:
        msg = f'The name resolver knows "{name}", but sent no usable position. Give RA and Dec.'
        raise UnexpectedReplyError(msg)
    return matches


def _match(entry: dict[str, Any], name: str) -> Match | None:
    ra, dec = _number(entry.get("ra")), _number(entry.get("decl"))
    if ra is None or dec is None or not (0 <= ra <= 360 and abs(dec) <= 90):
        return None
    return Match(
        search_text=name,
        canonical_name=_squeezed(str(entry.get("canonicalName") or name)),
        ra=ra,
        dec=dec,
        resolver=str(entry.get("resolver") or "unknown"),
        object_type=str(entry["objectType"]) if entry.get("objectType") else None,
        radius_deg=_number(entry.get("radius")),
    )


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _compared(match: Match, own: Match) -> Match:
    """Warn if a resolver puts a catalogue's star elsewhere than the catalogue itself."""
    apart = separation_arcsec(match.ra, match.dec, own.ra, own.dec)
    if apart <= CATALOGUE_TOLERANCE_ARCSEC:
        return match
    note = (
        f'{match.resolver} puts "{match.search_text}" {apart:.1f} arcsec away from its position '
        f"in {own.resolver}, more than {CATALOGUE_TOLERANCE_ARCSEC:g} arcsec: check which is meant."
    )
    warnings.warn(note, InputWarning, stacklevel=3)
    return replace(match, note=note)


# SIMBAD's short forms and labels (simbad.cds.unistra.fr/guide/otypes.htx) and NED's codes, as far
# as a TESS or Hubble target is likely to be one.
_CODES = {
    "star": "* Star",
    "double or multiple star": "** DoubleStar",
    "high proper-motion star": "PM* HighPM*",
    "variable star": "V* Variable*",
    "low-mass star": "LM* Low-Mass*",
    "brown dwarf": "BD* BrownD*",
    "planet": "Pl Planet",
    "main-sequence star": "MS* MainSequence*",
    "massive star": "Ma* MassiveStar",
    "evolved star": "Ev* Evolved*",
    "red giant branch star": "RG* RGB*",
    "horizontal branch star": "HB* HorBranch*",
    "asymptotic giant branch star": "AB* AGB*",
    "supergiant": "sg* Supergiant",
    "red supergiant": "s*r RedSG",
    "blue supergiant": "s*b BlueSG",
    "Wolf-Rayet star": "WR* WolfRayet*",
    "Be star": "Be*",
    "emission-line star": "Em* EmLine*",
    "chemically peculiar star": "Pe* ChemPec*",
    "alpha2 CVn variable": "a2* alf2CVnV*",
    "young stellar object": "Y*O YSO",
    "T Tauri star": "TT* TTauri*",
    "Orion variable": "Or* OrionV*",
    "eruptive variable star": "Er* Eruptive*",
    "rotating variable star": "Ro* RotV*",
    "BY Draconis variable": "BY* BYDraV*",
    "RS Canum Venaticorum variable": "RS* RSCVnV*",
    "eclipsing binary": "EB* EclBin",
    "ellipsoidal variable star": "El* EllipVar",
    "spectroscopic binary": "SB*",
    "cataclysmic variable": "CV* CataclyV*",
    "nova": "No* Nova",
    "symbiotic star": "Sy* Symbiotic*",
    "X-ray binary": "XB* XrayBin",
    "low-mass X-ray binary": "LXB LowMassXBin",
    "high-mass X-ray binary": "HXB HighMassXBin",
    "pulsating variable star": "Pu* PulsV*",
    "RR Lyrae variable": "RR* RRLyrae",
    "Cepheid variable": "Ce* Cepheid",
    "classical Cepheid": "cC* ClassicalCep",
    "type II Cepheid": "WV* Type2Cep",
    "delta Scuti variable": "dS* delSctV*",
    "gamma Doradus variable": "gD* gammaDorV*",
    "beta Cephei variable": "bC* bCepV*",
    "SX Phoenicis variable": "SX* SXPheV*",
    "RV Tauri variable": "RV* RVTauV*",
    "long-period variable": "LP* LongPeriodV*",
    "Mira variable": "Mi* Mira",
    "carbon star": "C*",
    "hot subdwarf": "HS* HotSubdwarf",
    "white dwarf": "WD* WhiteDwarf",
    "neutron star": "N* Neutron*",
    "pulsar": "Psr Pulsar",
    "supernova": "SN* SN Supernova",
    "supernova remnant": "SNR SNRemnant",
    "planetary nebula": "PN PlanetaryNeb",
    "HII region": "HII HIIReg",
    "reflection nebula": "RNe RfN RefNeb",
    "dark nebula": "DNe DarkNeb",
    "molecular cloud": "MoC MCld MolCld",
    "nebula": "Neb GNe",
    "star cluster": "Cl* *Cl Cluster*",
    "open cluster": "OpC OpenCluster",
    "globular cluster": "GlC GlobCluster",
    "stellar association": "As* *Ass Association",
    "galaxy": "G Galaxy",
    "galaxy in a pair": "GiP GinPair",
    "galaxy in a group": "GiG GinGroup",
    "galaxy in a cluster": "GiC GinCl GinCluster",
    "brightest galaxy of a cluster": "BiC BrightestCG",
    "interacting galaxies": "IG InteractingG",
    "pair of galaxies": "PaG PairG GPair",
    "group of galaxies": "GrG GroupG GGroup",
    "cluster of galaxies": "ClG GClstr",
    "starburst galaxy": "SBG StarburstG",
    "emission-line galaxy": "EmG EmissionG",
    "radio galaxy": "rG RadioG",
    "LINER galaxy": "LIN LINER",
    "Seyfert galaxy": "SyG Seyfert",
    "Seyfert 1 galaxy": "Sy1 Seyfert1",
    "Seyfert 2 galaxy": "Sy2 Seyfert2",
    "active galactic nucleus": "AGN",
    "quasar": "QSO",
    "blazar": "Bla Blazar",
    "BL Lacertae object": "BLL BLLac",
    "radio source": "Rad Radio RadioS",
    "infrared source": "IR Infrared IrS",
    "ultraviolet source": "UV UV-emission UvS",
    "X-ray source": "X X-ray XrayS",
    "gamma-ray source": "gam gamma GammaS",
}
_OBJECT_TYPES = {code: words for words, codes in _CODES.items() for code in codes.split()}
