"""
Where a picture lies on the sky, written into the picture: Astronomy Visualization Metadata (AVM).

Planetarium programs and Aladin read it from the XMP packet of a PNG, JPEG or WebP file. The packet
is written here and not by PyAVM, because PyAVM 0.9.9 turns a WCS into a scale of the wrong sign
where north is more than 90 degrees from up or the image is mirrored (its own reader then puts the
corners of a 120 x 100 image 250 pixels off) and cannot write WebP; what would be left of it are
the fifty lines below. The tests read the packets back with PyAVM.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from cutout_core.local_sky import LocalSky

_X = "adobe:ns:meta/"
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_AVM = "http://www.communicatingastronomy.org/avm/1.0/"
_DC = "http://purl.org/dc/elements/1.1/"
_PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

# What XMP asks for around the packet, with the byte order mark in the first line.
_BEGIN = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
_END = '\n<?xpacket end="r"?>'


@dataclass(frozen=True, slots=True)
class PictureBand:
    """
    One filter in a picture.

    Attributes
    ----------
    facility, instrument, filter : str
        Such as "Hubble", "WFC3", "F160W"; "" where not known.
    wavelength_um : float
        In micrometres, NaN where not known.
    colour : str
        What it is shown in: "Red", "Green", "Blue", or "Grayscale".
    """

    facility: str = ""
    instrument: str = ""
    filter: str = ""
    wavelength_um: float = math.nan
    colour: str = "Grayscale"


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """
    What is said about a picture inside its file; "" and empty where there is nothing to say.

    Attributes
    ----------
    title, description, credit : str
    bands : tuple of PictureBand
    simulated : bool
        Whether the data are simulated.
    """

    title: str = ""
    description: str = ""
    credit: str = ""
    bands: tuple[PictureBand, ...] = ()
    simulated: bool = False


def xmp_packet(
    size: tuple[int, int],
    facts: PictureFacts,
    *,
    sky: LocalSky | None = None,
    at: tuple[float, float] = (0.0, 0.0),
    zoom: float = 1.0,
) -> bytes:
    """
    Write the XMP packet of a picture.

    Parameters
    ----------
    size : tuple of int
        Width and height of the picture in pixels.
    facts : PictureFacts
    sky : LocalSky, optional
        The sky around one pixel of the image in the picture. `None` leaves the place out.
    at : tuple of float, optional
        Where that pixel's centre is in the picture: how far from the left and from the *lower*
        edge, in pixels.
    zoom : float, optional
        Side of an image pixel in pixels of the picture.

    Returns
    -------
    packet : bytes
        In UTF-8.

    References
    ----------
    .. [1] Hurt, Gauthier, Christensen and Wyatt, "Sharing Images Intelligently: The Astronomical
       Visualization Metadata Standard", version 1.2, Virtual Astronomy Multimedia Project.
    """
    for prefix, uri in (("x", _X), ("rdf", _RDF), ("avm", _AVM), ("dc", _DC)):
        ET.register_namespace(prefix, uri)
    ET.register_namespace("photoshop", _PHOTOSHOP)
    root = ET.Element(f"{{{_X}}}xmpmeta")
    about = ET.SubElement(ET.SubElement(root, f"{{{_RDF}}}RDF"), f"{{{_RDF}}}Description")
    about.set(f"{{{_RDF}}}about", "")
    _say(about, "MetadataVersion", "1.2")
    _write_facts(about, facts)
    if sky is not None:
        _write_place(about, size, sky, at, zoom)
    return (_BEGIN + ET.tostring(root, encoding="unicode") + _END).encode()


def _write_facts(about: ET.Element, facts: PictureFacts) -> None:
    for key, text in (("title", facts.title), ("description", facts.description)):
        if text:
            choice = ET.SubElement(ET.SubElement(about, f"{{{_DC}}}{key}"), f"{{{_RDF}}}Alt")
            item = ET.SubElement(choice, f"{{{_RDF}}}li")
            item.set(_LANG, "x-default")
            item.text = _printable(text)
    if facts.credit:
        ET.SubElement(about, f"{{{_PHOTOSHOP}}}Credit").text = _printable(facts.credit)
    _say(about, "Type", "Simulation" if facts.simulated else "Observation")
    # AVM pairs these lists: an entry of each per filter, "-" where there is nothing to say.
    bands = facts.bands
    if bands:
        _say(about, "Facility", [band.facility or "-" for band in bands])
        _say(about, "Instrument", [band.instrument or "-" for band in bands])
        _say(about, "Spectral.ColorAssignment", [band.colour or "-" for band in bands])
        _say(about, "Spectral.Bandpass", [band.filter or "-" for band in bands])
        # In nanometres, as AVM has it.
        nm = (band.wavelength_um * 1000 for band in bands)
        lengths = [f"{length:.5g}" if length > 0 else "-" for length in nm]
        _say(about, "Spectral.CentralWavelength", lengths)


def _write_place(
    about: ET.Element,
    size: tuple[int, int],
    sky: LocalSky,
    at: tuple[float, float],
    zoom: float,
) -> None:
    _say(about, "Spatial.CoordinateFrame", "ICRS")
    _say(about, "Spatial.Equinox", "2000.0")
    _say(about, "Spatial.ReferenceValue", [f"{sky.ra:.10f}", f"{sky.dec:.10f}"])
    _say(about, "Spatial.ReferenceDimension", [str(side) for side in size])
    # FITS counts from 1 at the centre of the first pixel, half a pixel from the edge.
    _say(about, "Spatial.ReferencePixel", [f"{distance + 0.5:.6g}" for distance in at])
    if sky.mirrored:
        # Readers take the scale without its sign: a mirrored image can only be told by the matrix.
        cells = [cell for row in sky.arcsec_per_pixel for cell in row]
        _say(about, "Spatial.CDMatrix", [f"{cell / 3600 / zoom:.12e}" for cell in cells])
    else:
        scale = sky.scale_arcsec / 3600 / zoom
        _say(about, "Spatial.Scale", [f"{-scale:.12e}", f"{scale:.12e}"])
        _say(about, "Spatial.Rotation", f"{sky.north_deg:.8f}")
    _say(about, "Spatial.CoordsystemProjection", "TAN")
    _say(about, "Spatial.Quality", "Full")


def _say(about: ET.Element, key: str, value: str | Sequence[str]) -> None:
    element = ET.SubElement(about, f"{{{_AVM}}}{key}")
    if isinstance(value, str):
        element.text = value
        return
    sequence = ET.SubElement(element, f"{{{_RDF}}}Seq")
    for entry in value:
        ET.SubElement(sequence, f"{{{_RDF}}}li").text = entry


def _printable(text: str) -> str:
    """Leave out control characters, which XML forbids even when escaped."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
