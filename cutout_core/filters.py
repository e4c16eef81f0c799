"""
Which filter an image was taken through, and at what wavelength.

Headers of mosaics name the filter wheels of one exposure and are often inherited; the names of
the files follow fixed rules and name the filter of the mosaic. So the name is asked first.
"""

import csv
import functools
import math
import re
from dataclasses import dataclass
from pathlib import Path

_TABLE = Path(__file__).parent / "data" / "hubble_filters.csv"

# Hubble's filters: F606W, F850LP, FQ508N, F1042M. In files they are in small letters, between
# underscores, as in "..._wfc3_ir_f160w_coarse.fits".
_HUBBLE_FILTER = re.compile(r"FQ?(?P<number>\d{3,4})(?:LP|W|M|N|X)(?:W|2)?")
_IN_NAME = re.compile(r"(?:^|[_-])(fq?\d{3,4}(?:lp|w|m|n|x))(?=[_.-]|$)", re.IGNORECASE)

# MAST's rule for high-level science products:
# hlsp_<project>_<telescope>_<instrument>_<target>_<filter>_<version>_<type>
_HLSP = re.compile(
    r"hlsp_(?P<project>[^_]+)_(?P<telescope>[^_]+)_(?P<instrument>[^_]+)_"
    r"(?P<target>.+?)_(?P<filter>[^_]+)_v\d[^_]*_",
    re.IGNORECASE,
)
# Names of the GOODS release of 2008: h_nz_sect23_v2.0_drz_img.fits is the z band of the north.
_GOODS = re.compile(r"h_(?P<field>[ns])(?P<band>[bviz])_sect\d+", re.IGNORECASE)
_GOODS_FILTERS = {"b": "F435W", "v": "F606W", "i": "F775W", "z": "F850LP"}

# Names of HAP files: hst_skycell-p2007x09y05_wfc3_ir_f160w_coarse-all_drz.fits, and of cutouts
# hst_cutout_skycell-p2007x09y05-ra351d3478-decn28d4978_wfc3_ir_f160w_coarse.fits.
_HAP = re.compile(
    r"skycell-(?P<cell>p\d+x\d+y\d+)[^_]*_(?:(?P<instrument>acs|wfc3|wfpc2)_)?"
    r"(?P<detector>wfc|hrc|sbc|uvis|ir|pc|wf\w?)_(?P<filter>[a-z0-9]+)",
    re.IGNORECASE,
)

# Intermediate bands of Subaru: IA484 is centred on 484 nm.
_INTERMEDIATE = re.compile(r"I[AB](?P<number>\d{3})")

_CLEAR = re.compile(r"CLEAR.*|N/?A|NONE|INDEF|OPEN|BLANK|MIRROR|ANY|DETECTION|", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NamedBand:
    """
    What a file's name says about the image in it; "" where it says nothing.

    Attributes
    ----------
    instrument, detector : str
        In capitals, such as "WFC3" and "IR"; for other telescopes the camera.
    filter : str
        In capitals.
    project : str
        Survey, such as "candels", or the sky cell of a HAP mosaic, "p2007x09y05".
    """

    instrument: str = ""
    detector: str = ""
    filter: str = ""
    project: str = ""


def band_from_name(name: str) -> NamedBand:
    """
    Read instrument, detector and filter out of a file's name.

    Parameters
    ----------
    name : str
        Name of a file of Zcut, of HAPCut, or of a survey's release (keyword ORIG_FLE).

    Returns
    -------
    band : NamedBand
    """
    hap = _HAP.search(name)
    if hap:
        detector = hap["detector"].upper()
        instrument = (hap["instrument"] or _INSTRUMENT_OF.get(detector, "")).upper()
        return NamedBand(instrument, detector, hap["filter"].upper(), hap["cell"].lower())
    hubble = _IN_NAME.search(name)
    hlsp = _HLSP.search(name)
    if hlsp:
        # The camera may carry the pixel scale or a calibration: "acs-30mas-selfcal".
        instrument = hlsp["instrument"].split("-")[0].upper()
        band = hubble[1] if hubble else hlsp["filter"]
        return NamedBand(instrument, "", band.upper(), hlsp["project"].lower())
    goods = _GOODS.match(name)
    if goods:
        return NamedBand("ACS", "WFC", _GOODS_FILTERS[goods["band"].lower()], "goods")
    return NamedBand(filter=hubble[1].upper() if hubble else "")


_INSTRUMENT_OF = {"UVIS": "WFC3", "IR": "WFC3", "WFC": "ACS", "HRC": "ACS", "SBC": "ACS"}


def filter_from_wheels(*wheels: str) -> str:
    """
    Choose the filter among what stands in the filter wheels.

    Parameters
    ----------
    *wheels : str
        Values of FILTER, FILTER1, FILTER2, in this order; "" where absent.

    Returns
    -------
    filter : str
        In capitals; two filters that were both in the beam are joined by "+". "" if every
        wheel was clear.
    """
    elements = [wheel.strip().upper() for wheel in wheels]
    # FILTER of a HAP mosaic repeats what FILTER1 and FILTER2 say: "F606W;CLEAR2L".
    parts = [part for element in elements for part in re.split(r"[;,+]", element)]
    kept = dict.fromkeys(part for part in parts if not _CLEAR.fullmatch(part))
    return "+".join(kept)


def wavelength_um(filter_name: str, *, instrument: str = "", detector: str = "") -> float:
    """
    Give the wavelength that a filter stands for.

    It is the pivot wavelength of the whole system (telescope, filter, detector). Where the table
    does not have the camera, Hubble's rule for names is used (F606W: 606 nm; infrared: F160W:
    1600 nm) or the band's usual wavelength.

    Parameters
    ----------
    filter_name : str
        Such as "F160W", "IRAC1" or "ks".
    instrument, detector : str, optional
        Such as "WFC3" and "IR".

    Returns
    -------
    wavelength : float
        In micrometres; NaN if it cannot be told.

    References
    ----------
    .. [1] The column ``source`` of cutout_core/data/hubble_filters.csv has the reference of every
       row.
    """
    name = filter_name.strip().upper().partition("+")[0]
    camera, chip = instrument.strip().upper(), detector.strip().upper()
    table = _filter_table()
    for key in ((camera, chip, name), (camera, "", name)):
        if key in table:
            return table[key]
    if camera and not chip:
        # Detectors of one camera differ by a per cent; the large mosaics are from the first.
        for (row_camera, _, row_name), wavelength in table.items():
            if (row_camera, row_name) == (camera, name):
                return wavelength
    return _from_the_name_alone(name, camera, chip)


def _from_the_name_alone(name: str, camera: str, chip: str) -> float:
    hubble = _HUBBLE_FILTER.fullmatch(name)
    if hubble:
        number = float(hubble["number"])
        # Infrared filters count in tens of nanometres, up to NICMOS's F240M. Without a camera
        # numbers below 200 are taken for infrared: the others are of ACS's far-ultraviolet one.
        infrared = number < 250 and (chip == "IR" or camera == "NICMOS")
        infrared |= number < 200 and chip != "SBC" and camera not in {"ACS", "WFPC2"}
        return number / (100 if infrared else 1000)
    intermediate = _INTERMEDIATE.fullmatch(name)
    if intermediate:
        return float(intermediate["number"]) / 1000
    spitzer = re.fullmatch(r"(?:IRAC|CH|I)([1-4])", name)
    if spitzer:
        return _filter_table()["IRAC", "", f"IRAC{spitzer[1]}"]
    return _filter_table().get(("", "", name), math.nan)


@functools.cache
def _filter_table() -> dict[tuple[str, str, str], float]:
    """Give the wavelengths by instrument, detector and filter."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return {
            (row["instrument"], row["detector"], row["filter"]): float(row["wavelength_um"])
            for row in csv.DictReader(file)
        }


_TELESCOPES = {"ACS": "Hubble", "WFC3": "Hubble", "WFPC2": "Hubble", "NICMOS": "Hubble"}
_TELESCOPES |= {"IRAC": "Spitzer", "SUPRIMECAM": "Subaru", "MOIRCS": "Subaru"}
_TELESCOPES |= {"MEGACAM": "CFHT", "WIRCAM": "CFHT", "WFCAM": "UKIRT", "VIRCAM": "VISTA"}
_TELESCOPES |= {"ISAAC": "VLT", "VIMOS": "VLT", "HAWKI": "VLT", "LRIS": "Keck", "MOSFIRE": "Keck"}


def telescope_of(instrument: str) -> str:
    """
    Name the telescope that a camera is at.

    Parameters
    ----------
    instrument : str
        Such as "WFC3".

    Returns
    -------
    telescope : str
        Such as "Hubble"; "" if it is not known.
    """
    return _TELESCOPES.get(instrument.strip().upper(), "")
