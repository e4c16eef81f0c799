"""
Header cards of Zcut's and HAPCut's files: the keys, their order and their number are MAST's.

Sources: a real Zcut file of 2020 (CANDELS, 11 and 177 cards), the lengths that astroquery's manual
prints for HAPCut (754, 102 and 56), and drizzlepac's documentation. All files say that they are
simulated, and no value claims to come from an archive.
"""

from __future__ import annotations

from demo_sky import __version__
from demo_sky.hubble.bandpasses import Bandpass
from demo_sky.hubble.mosaics import DITHERS, Mosaic
from demo_sky.hubble.projection import Grid, Window
from demo_sky.tess.product import ORIGIN, Cards

# Lengths of headers that are filled up with remarks.
_CANDELS_CARDS = 177
_HAP_CARDS = {"PRIMARY": 754, "SCI": 102, "WHT": 56}

# Same cutout, same bytes: files are dated by the archive, not by the clock.
_DATE = "2026-01-01"

_SIMULATED = ("SIMDATA", True, "file is based on simulated data")
_REMARKS = (
    "",
    "SIMULATED DATA. This image was made by the Skystamp demo sky.",
    "It follows the layout of the survey named in ORIG_FLE; sky, noise and",
    "calibration are drawn from published statistics. Not for science.",
    "",
)
_CHECKSUMS: Cards = [
    ("CHECKSUM", "0" * 16, "HDU checksum"),
    ("DATASUM", "0", "data unit checksum"),
]


def _filled(cards: Cards, total: int, closing: Cards) -> Cards:
    """Put remarks between cards and closing cards so that there are `total` in all."""
    missing = total - len(cards) - len(closing)
    remarks: Cards = [
        ("HISTORY", _REMARKS[i] if i < len(_REMARKS) else "", "") for i in range(missing)
    ]
    return cards + remarks + closing


def _section(title: str) -> Cards:
    return [("", "", ""), ("", f"              / {title}", ""), ("", "", "")]


def _image_start(window: Window) -> Cards:
    return [
        ("XTENSION", "IMAGE", "Image extension"),
        ("BITPIX", -32, "array data type"),
        ("NAXIS", 2, "number of array dimensions"),
        ("NAXIS1", window.nx, ""),
        ("NAXIS2", window.ny, ""),
        ("PCOUNT", 0, "number of parameters"),
        ("GCOUNT", 1, "number of groups"),
    ]


def _old_wcs(grid: Grid, window: Window) -> Cards:
    """Write the WCS as the mosaic has it: CD matrix, and a CDELT that does not belong to it."""
    m = grid.to_plane / 3600.0
    return [
        ("CTYPE1", "RA---TAN", ""),
        ("CTYPE2", "DEC--TAN", ""),
        ("CRVAL1", grid.frame.ra, ""),
        ("CRVAL2", grid.frame.dec, ""),
        ("CRPIX1", grid.x0 + 1.0 - window.x, ""),
        ("CRPIX2", grid.y0 + 1.0 - window.y, ""),
        ("CDELT1", 1.0, ""),
        ("CDELT2", 1.0, ""),
        ("CROTA2", 0, ""),
        ("CD1_1", float(m[0, 0]), ""),
        ("CD2_1", float(m[1, 0]), ""),
        ("CD1_2", float(m[0, 1]), ""),
        ("CD2_2", float(m[1, 1]), ""),
    ]


def _new_wcs(grid: Grid, radesys: str) -> Cards:
    """Write what astrocut adds: the PC matrix."""
    m = grid.to_plane / 3600.0
    cards: Cards = [("PC1_1", float(m[0, 0]), "")]
    if grid.turn:
        cards += [("PC1_2", float(m[0, 1]), ""), ("PC2_1", float(m[1, 0]), "")]
    return [
        *cards,
        ("PC2_2", float(m[1, 1]), ""),
        ("CUNIT1", "deg", ""),
        ("CUNIT2", "deg", ""),
        ("LONPOLE", 180.0, ""),
        ("LATPOLE", grid.frame.dec, ""),
        ("RADESYS", radesys, ""),
    ]


def _photometry(band: Bandpass) -> Cards:
    # RMS width of a box.
    width = band.width * 1e4 / 12.0**0.5
    mode = " ".join(part for part in band.key if part)
    return [
        ("PHOTMODE", mode, "observation con"),
        ("PHOTFLAM", float(f"{band.photflam:.7e}"), "inverse sensitivity, ergs/cm2/Ang/electron"),
        ("PHOTZPT", -21.1, "ST magnitude zero point"),
        ("PHOTPLAM", band.pivot * 1e4, "Pivot wavelength (Angstroms)"),
        ("PHOTBW", width, "RMS bandwidth of filter plus detector"),
    ]


# --- Zcut -----------------------------------------------------------------------------------------


def zcut_primary(ra: float, dec: float) -> Cards:
    """
    Give the header of a Zcut file's empty first HDU: 11 cards.

    Parameters
    ----------
    ra, dec : float
        The position asked for, degrees.

    Returns
    -------
    cards : list of tuple
    """
    return [
        ("SIMPLE", True, "conforms to FITS standard"),
        ("BITPIX", 8, "array data type"),
        ("NAXIS", 0, "number of array dimensions"),
        ("EXTEND", True, ""),
        ("ORIGIN", f"{ORIGIN} (simulated)", "who made this file"),
        ("DATE", _DATE, "file creation date"),
        ("PROCVER", __version__, "software version"),
        ("RA_OBJ", ra, "[deg] right ascension"),
        ("DEC_OBJ", dec, "[deg] declination"),
        *_CHECKSUMS,
    ]


def zcut_image(mosaic: Mosaic, window: Window) -> Cards:
    """
    Give the header of one image of a Zcut file.

    Parameters
    ----------
    mosaic : Mosaic
    window : Window

    Returns
    -------
    cards : list of tuple
        177 of Hubble's, in the order of a real CANDELS file; fewer of others.
    """
    cards = _image_start(window)
    cards += [("COMMENT", " FITS (Flexible Image Transport System): see the standard at", "")]
    cards += [("COMMENT", " https://fits.gsfc.nasa.gov/fits_standard.html", "")]
    cards += _old_wcs(mosaic.grid, window)
    closing: Cards = [
        ("EXTNAME", "CUTOUT", ""),
        ("ORIG_FLE", mosaic.file_name, ""),
        _SIMULATED,
    ]
    band = mosaic.bandpass
    if not band.is_hubble:
        cards += _ground_cards(band)
        return cards + _new_wcs(mosaic.grid, "FK5") + closing + _CHECKSUMS
    cards += _camera_cards(band)
    cards += _section("PHOTOMETRY KEYWORDS") + _photometry(band)
    cards += _section("World Coordinate System and Related Parameters")
    cards += [
        ("WCSAXES", 2, ""),
        ("LTV1", 0.0, "offset in X to subsection start"),
        ("LTV2", 0.0, "offset in Y to subsection start"),
        ("LTM1_1", 1.0, "reciprocal of sampling rate in X"),
        ("LTM2_2", 1.0, "reciprocal of sampling rate in Y"),
    ]
    if not mosaic.collection.startswith("candels"):
        # CANDELS's headers leave these out.
        cards += [("BUNIT", "ELECTRONS/S", "brightness units")]
        cards += [("EXPTIME", longest_exposure(mosaic), "[s] exposure time of a pointing")]
    cards += _new_wcs(mosaic.grid, "FK5") + closing + _CHECKSUMS + [("", "", "")]
    return _filled(cards, _CANDELS_CARDS, [])


def _ground_cards(band: Bandpass) -> Cards:
    return [
        ("FILETYPE", "SCI", "type of data found in data file"),
        ("TELESCOP", band.telescope, "telescope used to acquire data"),
        ("INSTRUME", band.instrument, "instrument used to acquire data"),
        ("FILTER", band.name, "filter"),
        ("EQUINOX", 2000.0, "equinox of celestial coord. system"),
        ("PHOTPLAM", band.pivot * 1e4, "Pivot wavelength (Angstroms)"),
        ("MAGZPT", band.zero_point, "AB magnitude zero point"),
        ("FWHM", band.seeing, "[arcsec] of point sources"),
        ("WCSAXES", 2, ""),
    ]


# Steps of the calibration, as a real header of ACS lists them.
_STEPS = (
    ("STATFLAG", False, "Calculate statistics?"),
    ("WRTERR", True, "write out error array extension"),
    ("DQICORR", "COMPLETE", "data quality initialization"),
    ("ATODCORR", "OMIT", "correct for A to D conversion errors"),
    ("BLEVCORR", "COMPLETE", "subtract bias level computed from overscan img"),
    ("BIASCORR", "COMPLETE", "Subtract bias image"),
    ("FLSHCORR", "OMIT", "post flash correction"),
    ("CRCORR", "OMIT", "combine observations to reject cosmic rays"),
    ("EXPSCORR", "COMPLETE", "process individual observations after cr-reject"),
    ("SHADCORR", "OMIT", "apply shutter shading correction"),
    ("DARKCORR", "COMPLETE", "Subtract dark image"),
    ("FLATCORR", "COMPLETE", "flat field data"),
    ("PHOTCORR", "COMPLETE", "populate photometric header keywords"),
    ("RPTCORR", "OMIT", "add individual repeat observations"),
    ("DRIZCORR", "PERFORM", "drizzle processing"),
)
# ACS's first filter wheel; its other filters are in the second.
_FIRST_WHEEL = ("F475W", "F502N", "F550M", "F555W", "F606W", "F625W", "F658N", "F775W", "F850LP")


def _wheels(band: Bandpass) -> Cards:
    """Name the filter as the instrument does: ACS has two wheels, WFC3 one."""
    if band.instrument != "ACS":
        return [("FILTER", band.name, "element selected from filter wheel")]
    first, second = (band.name, "CLEAR2L") if band.name in _FIRST_WHEEL else ("CLEAR1L", band.name)
    return [
        ("FILTER1", first, "element selected from filter wheel 1"),
        ("FILTER2", second, "element selected from filter wheel 2"),
    ]


def _camera_cards(band: Bandpass) -> Cards:
    """Give instrument, filter, calibration and read-out, sections as in a real header of ACS."""
    camera = band.camera
    noise = camera.read_noise
    return [
        ("", "", ""),
        ("FILETYPE", "SCI", "type of data found in data file"),
        ("TELESCOP", "HST", "telescope used to acquire data"),
        ("INSTRUME", band.instrument, "instrument used to acquire data"),
        ("EQUINOX", 2000.0, "equinox of celestial coord. system"),
        *_section("DATA DESCRIPTION KEYWORDS"),
        ("IMAGETYP", "EXT", "type of exposure identifier"),
        ("PRIMESI", band.instrument, "instrument designated as prime"),
        *_section("PROPOSAL INFORMATION"),
        ("PROPOSID", 0, "PEP proposal identifier"),
        ("PR_INV_L", "none: simulated", "last name of principal investigator"),
        ("PR_INV_F", "", "first name of principal investigator"),
        ("PR_INV_M", "", "middle name / initial of principal investigator"),
        *_section("SCIENCE INSTRUMENT CONFIGURATION"),
        ("OBSTYPE", "IMAGING", "observation type - imaging or spectroscopic"),
        ("OBSMODE", "ACCUM", "operating mode"),
        ("CTEIMAGE", "NONE", "type of Charge Transfer Image, if applicable"),
        ("SCLAMP", "NONE", "lamp status, NONE or name of lamp which is on"),
        ("NRPTEXP", 1, "number of repeat exposures in set: default 1"),
        ("SUBARRAY", False, "data from a subarray (T) or full frame (F)"),
        ("DETECTOR", band.detector, "detector in use"),
        *_wheels(band),
        ("FW1OFFST", 0, "computed filter wheel offset"),
        ("FW1ERROR", False, "filter wheel position error flag"),
        ("FW2OFFST", 0, "computed filter wheel offset"),
        ("FW2ERROR", False, "filter wheel position error flag"),
        ("FWSOFFST", 0, "computed filter wheel offset"),
        ("FWSERROR", False, "filter wheel position error flag"),
        ("LRFWAVE", 0.0, "proposed linear ramp filter wavelength"),
        ("APERTURE", band.detector, "aperture name"),
        ("PROPAPER", band.detector, "proposed aperture name"),
        ("DIRIMAGE", "NONE", "direct image for grism or prism exposure"),
        ("CTEDIR", "NONE", "CTE measurement direction: serial or parallel"),
        ("CRSPLIT", 1, "number of cosmic ray split exposures"),
        *_section("CALIBRATION SWITCHES: PERFORM, OMIT, COMPLETE"),
        *_STEPS,
        *_section("ENGINEERING PARAMETERS"),
        ("CCDAMP", "ABCD", "CCD Amplifier Readout Configuration"),
        ("CCDGAIN", 1.0, "commanded gain of CCD"),
        *((f"CCDOFST{amp}", 1, f"commanded CCD bias offset for amplifier {amp}") for amp in "ABCD"),
        *_section("CALIBRATED ENGINEERING PARAMETERS"),
        *((f"ATODGN{amp}", 1.0, f"calibrated gain for amplifier {amp}") for amp in "ABCD"),
        *((f"READNSE{amp}", noise, f"calibrated read noise for amplifier {amp}") for amp in "ABCD"),
        *((f"BIASLEV{amp}", 0.0, f"bias level for amplifier {amp}") for amp in "ABCD"),
    ]


# --- HAPCut ---------------------------------------------------------------------------------------


def hap_primary(mosaic: Mosaic, ra: float, dec: float, file_name: str) -> Cards:
    """
    Give the header of a HAPCut file's empty first HDU: that of the mosaic.

    Parameters
    ----------
    mosaic : Mosaic
    ra, dec : float
        The position asked for, degrees.
    file_name : str
        Of the cutout.

    Returns
    -------
    cards : list of tuple
        754, or more if it has very many exposures.
    """
    band = mosaic.bandpass
    exposures = mosaic.footprint.exposures
    camera = band.camera
    cards: Cards = [
        ("SIMPLE", True, "conforms to FITS standard"),
        ("BITPIX", 8, "array data type"),
        ("NAXIS", 0, "number of array dimensions"),
        ("EXTEND", True, ""),
        ("ORIGIN", f"{ORIGIN} (simulated)", "who made this file"),
        ("DATE", _DATE, "file creation date"),
        _SIMULATED,
        ("PROCVER", __version__, "software version"),
        ("FILENAME", file_name, "name of file"),
        ("FILETYPE", "SCI", "type of data found in data file"),
        ("TELESCOP", "HST", "telescope used to acquire data"),
        ("INSTRUME", band.instrument, "instrument used to acquire data"),
        ("EQUINOX", 2000.0, "equinox of celestial coord. system"),
        ("TARGNAME", mosaic.collection, "field"),
        ("RA_TARG", ra, "right ascension of the target (deg) (J2000)"),
        ("DEC_TARG", dec, "declination of the target (deg) (J2000)"),
        ("PROPOSID", mosaic.proposal, "programme whose layout is followed"),
        ("OBSTYPE", "IMAGING", "observation type - imaging or spectroscopic"),
        ("DETECTOR", band.detector, "detector in use"),
        *_wheels(band),
        ("APERTURE", band.detector, "aperture name"),
        ("CCDGAIN", 1.0, "commanded gain of CCD"),
        ("READNSEA", camera.read_noise, "[electrons] read noise"),
        ("DARKTIME", exposures[0].seconds, "[s] dark time of one exposure"),
        ("EXPTIME", longest_exposure(mosaic), "exposure duration (seconds)--calculated"),
        ("NCOMBINE", len(exposures), "number of image sets combined"),
        ("NDRIZIM", len(exposures), "Drizzle, number of images"),
        ("SCELLID", f"skycell-{mosaic.cell.name if mosaic.cell else ''}", "SkyCell of this mosaic"),
        *_photometry(band),
    ]
    for number, exposure in enumerate(exposures, start=1):
        cards += _drizzle_cards(number, exposure.seconds, mosaic.grid.scale)
    closing: Cards = [
        ("RA_OBJ", ra, "[deg] right ascension"),
        ("DEC_OBJ", dec, "[deg] declination"),
        ("ORIG_FLE", mosaic.file_name, ""),
        *_CHECKSUMS,
    ]
    return _filled(cards, _HAP_CARDS["PRIMARY"], closing)


def longest_exposure(mosaic: Mosaic) -> float:
    """
    Give the exposure time of a pointing.

    Parameters
    ----------
    mosaic : Mosaic
        Of Hubble.

    Returns
    -------
    seconds : float
    """
    return DITHERS * max(exposure.seconds for exposure in mosaic.footprint.exposures)


def _drizzle_cards(number: int, seconds: float, scale: float) -> Cards:
    """Say how one exposure was drizzled."""
    start = f"D{number:03d}"
    return [
        (f"{start}VER", "none: simulated", "Drizzle, task version"),
        (f"{start}GEOM", "TAN", "Drizzle, source of geometric information"),
        (f"{start}DATA", f"exposure {number}", "Drizzle, input data image"),
        (f"{start}DEXP", seconds, "Drizzle, input image exposure time (s)"),
        (f"{start}MASK", "", "Drizzle, input weighting image"),
        (f"{start}WTSC", seconds, "Drizzle, weighting factor for input image"),
        (f"{start}KERN", "square", "Drizzle, form of weight distribution kernel"),
        (f"{start}PIXF", 1.0, "Drizzle, linear size of drop"),
        (f"{start}COEF", "TAN", "Drizzle, source of coefficients"),
        (f"{start}OUUN", "cps", "Drizzle, units of output image"),
        (f"{start}FVAL", "INDEF", "Drizzle, fill value for zero weight pixels"),
        (f"{start}WKEY", "EXP", "Input image weighting option"),
        (f"{start}SCAL", scale, "Drizzle, scale (pixel size) of output image"),
    ]


def hap_science(mosaic: Mosaic, window: Window) -> Cards:
    """
    Give the header of a HAPCut file's image: 102 cards.

    Parameters
    ----------
    mosaic : Mosaic
    window : Window

    Returns
    -------
    cards : list of tuple
    """
    band = mosaic.bandpass
    cards = [
        *_image_start(window),
        *_old_wcs(mosaic.grid, window),
        ("WCSAXES", 2, ""),
        *_new_wcs(mosaic.grid, "ICRS"),
        ("WCSNAME", "Simulated", "sky-cell grid of drizzlepac"),
        ("LTV1", 0.0, "offset in X to subsection start"),
        ("LTV2", 0.0, "offset in Y to subsection start"),
        ("LTM1_1", 1.0, "reciprocal of sampling rate in X"),
        ("LTM2_2", 1.0, "reciprocal of sampling rate in Y"),
        ("ORIENTAT", 0.0, "position angle of image y axis (deg. e of n)"),
        ("BUNIT", "ELECTRONS/S", "brightness units"),
        *_photometry(band),
        ("PHOTFNU", float(f"{_jansky(band):.7e}"), "inverse sensitivity, Jy*sec/electron"),
        ("NCOMBINE", len(mosaic.footprint.exposures), "number of image sets combined"),
        ("SAMPTIME", longest_exposure(mosaic), "total integration time (sec)"),
        ("IDCSCALE", band.camera.pixel, "pixel scale of the detector (arcsec)"),
    ]
    return _filled(cards, _HAP_CARDS["SCI"], _hap_closing("SCI", mosaic))


def _jansky(band: Bandpass) -> float:
    """Flux of 1 e-/s in Jy: 3631 Jy is AB magnitude 0."""
    return 3631.0 / band.counts_per_maggy


def hap_weight(mosaic: Mosaic, window: Window) -> Cards:
    """
    Give the header of a HAPCut file's weight map: 56 cards.

    Parameters
    ----------
    mosaic : Mosaic
    window : Window

    Returns
    -------
    cards : list of tuple
    """
    cards = [
        *_image_start(window),
        *_old_wcs(mosaic.grid, window),
        ("WCSAXES", 2, ""),
        *_new_wcs(mosaic.grid, "ICRS"),
        ("BUNIT", "SECONDS", "units: exposure time (EXP weighting)"),
    ]
    return _filled(cards, _HAP_CARDS["WHT"], _hap_closing("WHT", mosaic))


def _hap_closing(name: str, mosaic: Mosaic) -> Cards:
    return [
        ("EXTNAME", name, "extension name"),
        ("EXTVER", 1, "extension version number"),
        ("O_EXT_NM", name, "Original extension name."),
        ("ORIG_FLE", mosaic.file_name, ""),
        ("ORIG_EXT", 1 if name == "SCI" else 2, "Extension in original file."),
        _SIMULATED,
        *_CHECKSUMS,
    ]
