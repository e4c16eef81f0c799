"""
Bytes of a Zcut or HAPCut file -> images with what is known about them, as plain values.

Zcut sends one file per survey with an image per filter, all called CUTOUT and told apart by
ORIG_FLE; HAPCut sends one file per image, with its weight.
"""

import io
import math
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from astropy.io import fits
from astropy.wcs import WCS

from cutout_core.errors import ProductError
from cutout_core.filters import (
    NamedBand,
    band_from_name,
    filter_from_wheels,
    wavelength_um,
)
from cutout_core.fits_file import (
    Hdu,
    card_number,
    card_text,
    file_label,
    read_image,
    split_hdus,
)
from cutout_core.local_sky import LocalSky, local_sky

# A few dead pixels do not make an image incomplete.
_WHOLE = 0.995

# PHOTPLAM is inherited from one exposure; if it is off by more than filters of a name ever differ
# between cameras, it belongs to another filter.
_WAVELENGTH_TOLERANCE = 0.06

_WCS_CARD = re.compile(
    r"WCSAXES|(CRPIX|CDELT|CUNIT|CTYPE|CRVAL|CROTA)[12]|(PC|CD)[12]_[12]|PV[12]_\d+"
    r"|LONPOLE|LATPOLE|RADESYS|EQUINOX"
)
_SIP_CARD = re.compile(r"(A|B|AP|BP)_(ORDER|\d_\d)")

# candels_gn_30mas_189.492060_62.206150_300.0pix-x-200.0pix_astrocut.fits
_SURVEY_FILE = re.compile(r"(?P<survey>.+?)_-?\d+\.\d+_-?\d+\.\d+_[\d.]+\w*-?x-?[\d.]+")


@dataclass(frozen=True, slots=True, eq=False)
class ImageCutout:
    """
    One image with its place on the sky.

    Arrays are read-only, so that they can be shared between visitors. Row 0 is the bottom row, and
    pixel (0, 0) the first FITS pixel.

    Attributes
    ----------
    data : float32 ndarray of shape (ny, nx)
        Brightness in `unit`. NaN: not covered, that is NaN or infinite in the file, of weight
        zero, or, in an image of floating-point numbers without weights, exactly zero, which is
        what mosaics are filled with where no exposure fell.
    weight : float32 ndarray of shape (ny, nx) or None
        Weight map of the same pixels, where the file has one.
    coverage : float
        Share of the pixels that are covered, 0 to 1.
    wcs : WCS or None
        Celestial WCS. Positions are taken as ICRS, those of the FK5 that older mosaics name too,
        as MAST does when it cuts (they differ by some 0.02 arcsec).
    sky : LocalSky or None
        Directions and scale at the centre of the image.
    instrument, detector, filter : str
        Such as "WFC3", "IR", "F160W"; "" where nothing tells it.
    wavelength_um : float
        Pivot wavelength of the filter in micrometres, NaN if not known.
    exposure_s : float
        Exposure time in s; NaN where the file does not say.
    unit : str
        BUNIT of the file, "" where it has none.
    survey : str
        Survey in Zcut's spelling, or the sky cell of a HAP mosaic.
    original_name : str
        File that it was cut from (ORIG_FLE).
    file_name, hdu_number : str, int
        Where it was read from.
    ra, dec : float
        Position that was asked for, in degrees; NaN where the file does not say.
    simulated : bool
        Whether the header says so (SIMDATA).
    notes : tuple of str
        Sentences for the reader on what is missing or doubtful.
    """

    data: npt.NDArray[np.float32]
    weight: npt.NDArray[np.float32] | None
    coverage: float
    wcs: WCS | None
    sky: LocalSky | None
    instrument: str
    detector: str
    filter: str
    wavelength_um: float
    exposure_s: float
    unit: str
    survey: str
    original_name: str
    file_name: str
    hdu_number: int
    ra: float
    dec: float
    simulated: bool
    notes: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Size in pixels, (ny, nx)."""
        return self.data.shape[0], self.data.shape[1]

    @property
    def is_blank(self) -> bool:
        """Whether nothing at all is covered."""
        return self.coverage == 0

    @property
    def is_partial(self) -> bool:
        """Whether a part is covered, and a part that one would notice is not."""
        return 0 < self.coverage < _WHOLE

    @property
    def is_coarse(self) -> bool:
        """Whether it is the coarse one of the two mosaics that HAP makes of infrared images."""
        return "_coarse" in self.file_name.lower() or "_coarse" in self.original_name.lower()

    @property
    def pixel_scale_arcsec(self) -> float:
        """Side of a pixel in arcsec, NaN without WCS."""
        return math.nan if self.sky is None else self.sky.scale_arcsec

    @property
    def size_arcsec(self) -> tuple[float, float]:
        """Height and width on the sky in arcsec, NaN without WCS."""
        scale = self.pixel_scale_arcsec
        return self.shape[0] * scale, self.shape[1] * scale

    @property
    def label(self) -> str:
        """Short name for a person, such as "WFC3/IR F160W (coarse)"."""
        camera = "/".join(part for part in (self.instrument, self.detector) if part)
        words = f"{camera} {self.filter}".strip() or self.original_name or self.file_name
        return f"{words} (coarse)" if self.is_coarse else words or "image"


def read_images(content: bytes | memoryview, name: str = "") -> list[ImageCutout]:
    """
    Read the images of a file as Zcut or HAPCut sends it.

    Parameters
    ----------
    content : bytes
        The whole file. It may be dropped afterwards: nothing of the result refers to it.
    name : str, optional
        What the file is called: it tells survey and filter where the headers do not.

    Returns
    -------
    images : list of ImageCutout
        In the order of the file, at least one.

    Raises
    ------
    ProductError
        If the content is not a FITS file, is cut short, or holds no image.
    """
    label = file_label(name)
    hdus = split_hdus(content, label)
    try:
        return _read_all(content, hdus, name, label)
    except fits.VerifyError as exc:
        msg = f"{label} has a damaged header ({exc}). Fetch the cutout again."
        raise ProductError(msg) from exc


def _read_all(
    content: bytes | memoryview, hdus: list[Hdu], name: str, label: str
) -> list[ImageCutout]:
    images: list[ImageCutout] = []
    for number, hdu in enumerate(hdus):
        if not _is_picture(hdu) or _role(hdu) != "science":
            continue
        weight = hdus[number + 1] if number + 1 < len(hdus) else None
        if weight is not None and (
            _role(weight) != "weight" or weight.image_shape != hdu.image_shape
        ):
            weight = None
        images.append(_read_one(content, hdus[0], hdu, weight, number, name, label))
    if not images:
        found = ", ".join(hdu.name or "unnamed" for hdu in hdus)
        msg = f"{label} holds no image (it has {found}). Fetch the cutout again."
        raise ProductError(msg)
    return images


def _is_picture(hdu: Hdu) -> bool:
    return len(hdu.image_shape) == 2 and 0 not in hdu.image_shape


def _role(hdu: Hdu) -> str:
    """Tell science from weight; context, error and quality images are neither."""
    # drizzlepac's own cutouts are called SCI_CUTOUT_<skycell>_<detector>_<filter>.
    first = hdu.name.partition("_")[0]
    if first in {"", "PRIMARY", "SCI", "CUTOUT"}:
        return "science"
    return "weight" if first == "WHT" else "other"


def _read_one(
    content: bytes | memoryview,
    primary: Hdu,
    hdu: Hdu,
    weight_hdu: Hdu | None,
    number: int,
    name: str,
    label: str,
) -> ImageCutout:
    headers = (hdu.header, primary.header)
    data = read_image(content, hdu, label)
    weight = None if weight_hdu is None else read_image(content, weight_hdu, label)
    coverage = _clear_uncovered(data, weight, fractional=card_number(hdu.header, "BITPIX") < 0)
    data.flags.writeable = False
    if weight is not None:
        weight.flags.writeable = False

    notes: list[str] = []
    wcs = _read_wcs(hdu.header, notes)
    ny, nx = data.shape
    sky = None if wcs is None else local_sky(wcs, (nx - 1) / 2, (ny - 1) / 2)
    if wcs is not None and sky is None:
        notes.append("The file's sky coordinates put the image beyond the edge of the sky.")
        wcs = None
    original = _first_text(headers, "ORIG_FLE")
    named = _named_band(original, name)
    instrument = _first_text(headers, "INSTRUME").upper() or named.instrument
    detector = _first_text(headers, "DETECTOR").upper() or named.detector
    band = named.filter or filter_from_wheels(
        *(_first_text(headers, key) for key in ("FILTER", "FILTER1", "FILTER2"))
    )
    return ImageCutout(
        data=data,
        weight=weight,
        coverage=coverage,
        wcs=wcs,
        sky=sky,
        instrument=instrument,
        detector=detector,
        filter=band,
        wavelength_um=_wavelength(headers, band, instrument, detector, notes),
        exposure_s=_exposure_s(headers),
        unit=_first_text(headers, "BUNIT"),
        survey=_survey(name, named),
        original_name=original,
        file_name=name,
        hdu_number=number,
        ra=_first_number(headers, "RA_OBJ"),
        dec=_first_number(headers, "DEC_OBJ"),
        simulated=any(header.get("SIMDATA") is True for header in headers),
        notes=tuple(notes),
    )


def _clear_uncovered(
    data: npt.NDArray[np.float32], weight: npt.NDArray[np.float32] | None, *, fractional: bool
) -> float:
    """Set what no exposure covered to NaN, in place; give the share of the rest."""
    covered = np.isfinite(data)
    if weight is not None:
        covered &= weight > 0
    elif fractional:
        covered &= data != 0
    n_covered = int(np.count_nonzero(covered))
    if n_covered < data.size:
        data[~covered] = np.nan
    return n_covered / data.size


def _first_text(headers: tuple[fits.Header, ...], key: str) -> str:
    return next((text for header in headers if (text := card_text(header, key))), "")


def _first_number(headers: tuple[fits.Header, ...], key: str) -> float:
    numbers = (card_number(header, key) for header in headers)
    return next((number for number in numbers if math.isfinite(number)), math.nan)


def _named_band(original: str, name: str) -> NamedBand:
    """Ask the original file's name before the cutout's: Zcut's has several filters inside."""
    first, second = band_from_name(original), band_from_name(name)
    return NamedBand(
        instrument=first.instrument or second.instrument,
        detector=first.detector or second.detector,
        filter=first.filter or second.filter,
        project=first.project or second.project,
    )


def _wavelength(
    headers: tuple[fits.Header, ...],
    band: str,
    instrument: str,
    detector: str,
    notes: list[str],
) -> float:
    """Take the pivot wavelength from the header, unless it belongs to another filter."""
    from_table = wavelength_um(band, instrument=instrument, detector=detector)
    from_header = _first_number(headers, "PHOTPLAM") / 1e4  # Angstrom
    if not from_header > 0:
        return from_table
    if abs(from_header / from_table - 1) > _WAVELENGTH_TOLERANCE:
        notes.append(
            f"The header gives a wavelength of {from_header:.3f} µm, which is not that of the "
            f"filter {band} ({from_table:.3f} µm)."
        )
        return from_table
    return from_header


def _exposure_s(headers: tuple[fits.Header, ...]) -> float:
    numbers = (_first_number(headers, key) for key in ("EXPTIME", "TEXPTIME"))
    return next((number for number in numbers if number > 0), math.nan)


def _survey(name: str, named: NamedBand) -> str:
    match = _SURVEY_FILE.match(name)
    if match and not match["survey"].startswith("hlsp_"):
        return match["survey"]
    return named.project


def _read_wcs(header: fits.Header, notes: list[str]) -> WCS | None:
    """
    Read the celestial WCS out of the cards that are true.

    astrocut leaves the CD matrix and the rotation of the whole mosaic in the header, beside the
    PC matrix and CDELT of the cutout that it adds. The standard forbids both together; PC counts.
    """
    cards = [card for card in header.cards if _WCS_CARD.fullmatch(card.keyword)]
    keywords = {card.keyword for card in cards}
    matrix = any(keyword.startswith(("PC", "CD")) and "_" in keyword for keyword in keywords)
    has_pc = any(keyword.startswith("PC") for keyword in keywords)
    kept = [
        (card.keyword, card.value)
        for card in cards
        if not (has_pc and card.keyword.startswith("CD") and "_" in card.keyword)
        and not (matrix and card.keyword.startswith("CROTA"))
    ]
    if card_text(header, "CTYPE1").endswith("-SIP"):
        kept += [(c.keyword, c.value) for c in header.cards if _SIP_CARD.fullmatch(c.keyword)]
    try:
        wcs = WCS(fits.Header(kept), naxis=2)
    except (ValueError, KeyError, MemoryError) as exc:
        notes.append(f"The file's sky coordinates cannot be read ({exc}).")
        return None
    if not wcs.has_celestial:
        notes.append("The file has no sky coordinates.")
        return None
    return wcs


@dataclass(frozen=True, slots=True)
class ServicePicture:
    """
    A picture that the service itself has drawn: Zcut's jpg and png.

    Attributes
    ----------
    content : bytes
        As it came.
    mime : str
        "image/jpeg" or "image/png".
    shape : tuple of int
        Size in pixels, (ny, nx).
    instrument, detector, filter : str
        What the file's name says.
    wavelength_um : float
        In micrometres, NaN if not known.
    survey : str
        Project that the original file belongs to.
    file_name : str
    """

    content: bytes
    mime: str
    shape: tuple[int, int]
    instrument: str
    detector: str
    filter: str
    wavelength_um: float
    survey: str
    file_name: str

    @property
    def label(self) -> str:
        """Short name for a person, such as "ACS F606W"."""
        camera = "/".join(part for part in (self.instrument, self.detector) if part)
        return f"{camera} {self.filter}".strip() or self.file_name or "picture"


def read_picture(content: bytes, name: str = "") -> ServicePicture:
    """
    Check a picture that the service has drawn, and read its name.

    Parameters
    ----------
    content : bytes
        The whole file.
    name : str, optional
        What the file is called.

    Returns
    -------
    picture : ServicePicture

    Raises
    ------
    ProductError
        If it is neither a JPEG nor a PNG, or is cut short.
    """
    from PIL import Image

    label = file_label(name)
    try:
        with Image.open(io.BytesIO(content), formats=["JPEG", "PNG"]) as picture:
            mime = Image.MIME[picture.format or ""]
            picture.load()
            nx, ny = picture.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as exc:
        msg = f"{label} is no picture that can be shown ({exc}). Fetch the cutout again."
        raise ProductError(msg) from exc
    band = band_from_name(name)
    return ServicePicture(
        content=content,
        mime=mime,
        shape=(ny, nx),
        instrument=band.instrument,
        detector=band.detector,
        filter=band.filter,
        wavelength_um=wavelength_um(
            band.filter, instrument=band.instrument, detector=band.detector
        ),
        survey=band.project,
        file_name=name,
    )
