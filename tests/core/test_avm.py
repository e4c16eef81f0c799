"""The metadata packet itself; that it puts stars on their pixels is tested with the pictures."""

from xml.etree import ElementTree as ET

import pytest

from cutout_core.avm import PictureBand, PictureFacts, xmp_packet
from cutout_core.local_sky import local_sky
from tests.image_factories import DEC, RA, make_wcs

AVM = "{http://www.communicatingastronomy.org/avm/1.0/}"
LI = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li"


def parsed(packet: bytes) -> ET.Element:
    body = packet.decode().split("?>", 1)[1].rsplit("<?xpacket", 1)[0]
    return ET.fromstring(body)


def values(root: ET.Element, key: str) -> list[str]:
    (element,) = root.iter(AVM + key)
    return [item.text or "" for item in element.iter(LI)] or [element.text or ""]


def test_packet_is_wrapped_as_xmp_asks():
    packet = xmp_packet((10, 20), PictureFacts())

    assert packet.startswith(b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>')
    assert packet.endswith(b'<?xpacket end="r"?>')
    assert values(parsed(packet), "Type") == ["Observation"]


def test_place_is_written_in_fits_counting_and_degrees():
    sky = local_sky(make_wcs((40, 60), scale_arcsec=0.36, rotation_deg=25), 29.5, 19.5)

    root = parsed(xmp_packet((200, 150), PictureFacts(), sky=sky, at=(90.0, 70.0), zoom=3))

    # A place 90 pixels from the edge is in the middle between pixels 90 and 91, counted from 1.
    assert values(root, "Spatial.ReferencePixel") == ["90.5", "70.5"]
    assert values(root, "Spatial.ReferenceDimension") == ["200", "150"]
    assert [float(v) for v in values(root, "Spatial.ReferenceValue")] == pytest.approx([RA, DEC])
    assert [float(v) for v in values(root, "Spatial.Scale")] == pytest.approx(
        [-0.36 / 3600 / 3, 0.36 / 3600 / 3], rel=1e-6
    )
    assert float(values(root, "Spatial.Rotation")[0]) == pytest.approx(25)


def test_mirrored_place_is_written_as_a_matrix():
    sky = local_sky(make_wcs((40, 60), scale_arcsec=0.36, mirrored=True), 29.5, 19.5)

    root = parsed(xmp_packet((60, 40), PictureFacts(), sky=sky))

    assert [float(v) for v in values(root, "Spatial.CDMatrix")] == pytest.approx(
        [1e-4, 0, 0, 1e-4], abs=1e-10
    )
    assert not list(root.iter(AVM + "Spatial.Scale"))


def test_lists_of_bands_have_an_entry_for_each():
    facts = PictureFacts(
        bands=(
            PictureBand("Hubble", "WFC3", "F160W", 1.5369, "Red"),
            PictureBand(),
        )
    )

    root = parsed(xmp_packet((1, 1), facts))

    assert values(root, "Facility") == ["Hubble", "-"]
    assert values(root, "Spectral.Bandpass") == ["F160W", "-"]
    assert values(root, "Spectral.CentralWavelength") == ["1536.9", "-"]
    assert values(root, "Spectral.ColorAssignment") == ["Red", "Grayscale"]


def test_text_of_any_kind_stays_well_formed():
    facts = PictureFacts(title="a<b>&\"'\x00\x1b\n é", credit="\ud7ff ok", simulated=True)

    root = parsed(xmp_packet((1, 1), facts))

    assert values(root, "Type") == ["Simulation"]
    (title,) = [e.text for e in root.iter(LI) if e.text and e.text.startswith("a")]
    assert title == "a<b>&\"'    é"
