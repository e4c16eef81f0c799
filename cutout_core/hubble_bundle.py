"""What a visitor fetched from Zcut or HAPCut -> the zip to take away."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from cutout_core.archive import plain_name
from cutout_core.bundle import BundleEntry, build_bundle
from cutout_core.deep_fields import describe_survey
from cutout_core.display import PictureStyle, for_screen
from cutout_core.image import ImageCutout
from cutout_core.imagelook import ImageLook, PictureLook
from cutout_core.light import wavelength_text
from cutout_core.picture import Annotations, picture_of_image
from cutout_core.spreadsheet import Cell

# Longest side of the pictures in the zip: to look through, the files have every pixel.
_PICTURE_SIDE = 800

_ASTROCUT = (
    "The service: Brasseur, C. E., et al. 2019, Astrocut: Tools for creating cutouts of TESS "
    "images, Astrophysics Source Code Library, ascl:1905.007."
)
_HUBBLE = (
    "The acknowledgement that STScI asks for: Based on observations made with the NASA/ESA Hubble "
    "Space Telescope, obtained from the data archive at the Space Telescope Science Institute. "
    "STScI is operated by the Association of Universities for Research in Astronomy, Inc. under "
    "NASA contract NAS 5-26555."
)


def citations(service: str, surveys: Sequence[str]) -> list[str]:
    """
    Say what to cite for images of Zcut or HAPCut.

    Parameters
    ----------
    service : str
        "Zcut" or "HAPCut".
    surveys : sequence of str
        In Zcut's spelling; not used for HAPCut.

    Returns
    -------
    sentences : list of str
    """
    cited = []
    if service == "Zcut":
        known = [describe_survey(name) for name in surveys]
        papers = {survey.title: survey.reference for survey in known if survey.reference}
        cited += [f"The survey {title}: {reference}." for title, reference in papers.items()]
    else:
        cited.append(
            "The images: Hubble Advanced Products (HAP), made by STScI of all public exposures "
            "of a place."
        )
    return [*cited, _ASTROCUT, _HUBBLE]


def credit_line(image: ImageCutout, service: str) -> str:
    """
    Give the line that goes under a picture of an image.

    Parameters
    ----------
    image : ImageCutout
    service : str
        "Zcut" or "HAPCut".

    Returns
    -------
    credit : str
    """
    if image.simulated:
        return "Skystamp demo sky"
    if service == "Zcut":
        return f"{describe_survey(image.survey).title}, MAST (STScI)"
    return "NASA, ESA, Hubble; MAST (STScI)"


def hubble_bundle(
    target: str,
    service: str,
    images: Sequence[ImageLook],
    pictures: Sequence[PictureLook] = (),
    *,
    style: PictureStyle,
    created: datetime,
    notes: Sequence[str] = (),
) -> bytes:
    """
    Pack fetched images with pictures of them.

    Parameters
    ----------
    target : str
        What the visitor calls the target.
    service : str
        "Zcut" or "HAPCut".
    images : sequence of ImageLook
        Their files go in whole, each once.
    pictures : sequence of PictureLook, optional
        Pictures that the service has drawn.
    style : PictureStyle
        Of the pictures that are drawn here.
    created : datetime
        When the bundle is made, with its time zone.
    notes : sequence of str, optional
        Sentences for the README, such as which requests failed.

    Returns
    -------
    content : bytes
        A zip archive, see `build_bundle`.

    Raises
    ------
    InvalidQueryError
        If the style cannot be used.
    """
    by_file: dict[tuple[int, str], list[ImageLook]] = {}
    for look in images:
        by_file.setdefault((id(look.archive), look.member.name), []).append(look)
    entries = [_entry(target, service, looks, style) for looks in by_file.values()]
    entries += [_picture_entry(service, look) for look in pictures]
    observed = any(not entry.simulated for entry in entries)
    surveys = dict.fromkeys(
        [look.image.survey for look in images] + [look.picture.survey for look in pictures]
    )
    cited = [f"To cite. {line}" for line in citations(service, list(surveys))] if observed else []
    return build_bundle(title=target, entries=entries, created=created, notes=[*notes, *cited])


def bundle_name(target: str, service: str, *, part: str = "") -> str:
    """
    Name the bundle after its target and service, such as ``skystamp_M51_hapcut.zip``.

    Parameters
    ----------
    target, service : str
    part : str, optional
        What tells it from the bundle of everything, such as "chosen".

    Returns
    -------
    name : str
        A name that is safe on every file system.
    """
    # A slash in a name, as in "C/2020 F3", is no folder.
    label = target.replace(" ", "_").replace("/", "-").replace("\\", "-")
    parts = ["skystamp", label, service.lower(), part]
    return plain_name("_".join(word for word in parts if word) + ".zip")


def _entry(
    target: str, service: str, looks: Sequence[ImageLook], style: PictureStyle
) -> BundleEntry:
    first = looks[0]
    several = len(looks) > 1
    previews = {
        (f"_{look.image.filter.lower() or look.image.hdu_number}" if several else ""): _picture(
            target, service, look.image, style
        )
        for look in looks
        if not look.image.is_blank
    }
    return BundleEntry(
        archive=first.archive,
        member=first.member,
        service=service,
        facts=_facts([look.image for look in looks]),
        simulated=any(look.image.simulated for look in looks),
        previews=previews,
        sha256=first.sha256,
    )


def _picture_entry(service: str, look: PictureLook) -> BundleEntry:
    picture = look.picture
    facts: dict[str, Cell] = {
        "survey": picture.survey or None,
        "camera": _camera(picture.instrument, picture.detector),
        "filters": picture.filter or None,
        "wavelengths_um": _rounded(picture.wavelength_um),
        "size": f"{picture.shape[1]} x {picture.shape[0]}",
    }
    return BundleEntry(
        look.archive, look.member, service, facts, simulated=look.simulated, sha256=look.sha256
    )


def _picture(target: str, service: str, image: ImageCutout, style: PictureStyle) -> bytes:
    screen = for_screen(image, longest=_PICTURE_SIDE)
    small = replace(image, data=screen.data, wcs=screen.wcs, weight=None)
    wavelength = wavelength_text(image.wavelength_um)
    notes = Annotations(
        title=f"{target}, {image.label}",
        caption=f"Wavelength {wavelength}" if wavelength else "",
        credit=credit_line(image, service),
    )
    return picture_of_image(
        small,
        notes,
        scaling=style.scaling(small.data),
        colour_map=style.colour_map,
        invert=style.invert,
    )


def _facts(images: Sequence[ImageCutout]) -> dict[str, Cell]:
    """Give what the manifest says about a file: of several images, what each of them has."""
    ny, nx = images[0].shape
    return {
        "survey": _joined([image.survey for image in images]),
        "camera": _joined([_camera(i.instrument, i.detector) or "" for i in images]),
        "filters": " + ".join(image.filter or "?" for image in images),
        "wavelengths_um": _rounded(*(image.wavelength_um for image in images)),
        "ra": _or_none(images[0].ra, 7),
        "dec": _or_none(images[0].dec, 7),
        "size": f"{nx} x {ny}",
        "pixel_arcsec": _rounded(*(image.pixel_scale_arcsec for image in images)),
        "exposure_s": _rounded(*(image.exposure_s for image in images)),
        "covered": _rounded(*(image.coverage for image in images)),
    }


def _camera(instrument: str, detector: str) -> str | None:
    return "/".join(part for part in (instrument, detector) if part) or None


def _joined(words: Sequence[str]) -> str | None:
    return " + ".join(dict.fromkeys(word for word in words if word)) or None


def _rounded(*values: float) -> str | None:
    """Write numbers in the order of the images; one that all have in common once."""
    if not any(math.isfinite(value) for value in values):
        return None
    texts = [f"{value:.5g}" if math.isfinite(value) else "?" for value in values]
    return texts[0] if len(set(texts)) == 1 else " + ".join(texts)


def _or_none(value: float, digits: int) -> float | None:
    return round(value, digits) if math.isfinite(value) else None
