"""
The deep fields that Zcut cuts from: what they are, and which is nearest.

MAST's service tells which surveys cover a spot, but neither what they are nor where else to look.
These are published facts; what the service says about a spot counts more.
"""

import csv
import functools
import math
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

_DATA = Path(__file__).parent / "data"

# The parts of survey names that stand for a field.
_FIELD_WORDS = {
    "gn": "GOODS-North",
    "goods-n": "GOODS-North",
    "north": "GOODS-North",
    "gs": "GOODS-South",
    "goods-s": "GOODS-South",
    "south": "GOODS-South",
    "cos": "COSMOS",
    "cosmos": "COSMOS",
    "egs": "EGS",
    "aegis": "EGS",
    "uds": "UDS",
}


@dataclass(frozen=True, slots=True)
class DeepField:
    """
    A field with deep images.

    Attributes
    ----------
    name : str
        Such as "GOODS-North".
    ra, dec : float
        A spot in it that several surveys cover, ICRS, in degrees.
    about : str
        What and where it is, as the end of a sentence.
    """

    name: str
    ra: float
    dec: float
    about: str


@dataclass(frozen=True, slots=True)
class Survey:
    """
    A survey of Zcut in plain words.

    Attributes
    ----------
    name : str
        As the service spells it: "candels_gn_30mas".
    title : str
        Such as "CANDELS"; the name where nothing is known.
    field : str
        Such as "GOODS-North", "" where the name does not say.
    telescope : str
        Who took the images, "" where that is not known.
    about : str
        What is special about it, "" where nothing is known.
    pixel_arcsec : float
        Side of a pixel in arcsec.
    n_images : int
        How many images a cutout has, as a rule.
    reference : str
        The paper that describes it, "" where nothing is known.
    """

    name: str
    title: str
    field: str
    telescope: str
    about: str
    pixel_arcsec: float
    n_images: int
    reference: str = ""


# What is assumed of a survey that the table does not have.
_UNKNOWN_PIXEL_ARCSEC = 0.06
_UNKNOWN_IMAGES = 4


@functools.cache
def deep_fields() -> tuple[DeepField, ...]:
    """
    Give the fields that have deep images.

    Returns
    -------
    fields : tuple of DeepField
        Blank fields first, then clusters of galaxies.
    """
    return tuple(
        DeepField(row["name"], float(row["ra"]), float(row["dec"]), row["about"])
        for row in _rows("deep_fields.csv")
    )


def nearest_field(ra: float, dec: float) -> tuple[DeepField, float]:
    """
    Find the deep field nearest to a position.

    Parameters
    ----------
    ra, dec : float
        ICRS, in degrees.

    Returns
    -------
    field : DeepField
    separation_deg : float
        Distance to its spot, in degrees.
    """
    separations = [(_separation_deg(ra, dec, f.ra, f.dec), f) for f in deep_fields()]
    separation, field = min(separations, key=lambda pair: pair[0])
    return field, separation


def _separation_deg(ra1: float, dec1: float, ra2: float, dec2: float) -> float:
    """Give the angle between two positions (haversines: exact for small ones, too)."""
    d1, d2, half = math.radians(dec1), math.radians(dec2), math.radians(ra2 - ra1) / 2
    h = math.sin((d2 - d1) / 2) ** 2 + math.cos(d1) * math.cos(d2) * math.sin(half) ** 2
    return math.degrees(2 * math.asin(math.sqrt(min(1.0, h))))


@functools.lru_cache(maxsize=256)
def describe_survey(name: str) -> Survey:
    """
    Say what a survey of Zcut is.

    Parameters
    ----------
    name : str
        As the service spells it.

    Returns
    -------
    survey : Survey
        Of a survey that nothing is known about: its name, and usual numbers.
    """
    for row in _rows("deep_surveys.csv"):
        if any(fnmatchcase(name.lower(), pattern) for pattern in row["names"].split("|")):
            return Survey(
                name=name,
                title=row["title"],
                field=_field_in(name),
                telescope=row["telescope"],
                about=row["about"],
                pixel_arcsec=float(row["pixel_arcsec"]),
                n_images=int(row["images"]),
                reference=row["source"].split(";")[0],
            )
    return Survey(name, name, _field_in(name), "", "", _UNKNOWN_PIXEL_ARCSEC, _UNKNOWN_IMAGES)


def _field_in(name: str) -> str:
    words = (_FIELD_WORDS.get(part, "") for part in name.lower().split("_"))
    return next((word for word in words if word), "")


@functools.cache
def _rows(name: str) -> tuple[dict[str, str], ...]:
    lines = (_DATA / name).read_text(encoding="utf-8").splitlines()
    return tuple(csv.DictReader(line for line in lines if not line.startswith("#")))
