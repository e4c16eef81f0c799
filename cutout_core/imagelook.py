"""A reply of Zcut or HAPCut -> what the page shows: images with numbers, or finished pictures."""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass

from cutout_core.archive import CutoutArchive, Member
from cutout_core.errors import ProductError
from cutout_core.image import ImageCutout, ServicePicture, read_images, read_picture


@dataclass(frozen=True, slots=True, eq=False)
class ImageLook:
    """
    One image of a fetched file.

    Attributes
    ----------
    archive, member : CutoutArchive, Member
        The original file, as the service sent it.
    sha256 : str
        Of the plain file, in hexadecimal.
    image : ImageCutout
    """

    archive: CutoutArchive
    member: Member
    sha256: str
    image: ImageCutout

    @property
    def key(self) -> str:
        """Tells it from the others of one fetch."""
        return f"{self.member.name} {self.image.hdu_number}"


@dataclass(frozen=True, slots=True, eq=False)
class PictureLook:
    """
    One picture that the service has drawn.

    Attributes
    ----------
    archive, member : CutoutArchive, Member
        The original file, as the service sent it.
    sha256 : str
        Of the plain file, in hexadecimal.
    picture : ServicePicture
    simulated : bool
        Whether it comes from a simulated sky: the file itself does not say so.
    """

    archive: CutoutArchive
    member: Member
    sha256: str
    picture: ServicePicture
    simulated: bool


@dataclass(frozen=True, slots=True, eq=False)
class OpenedReply:
    """
    What a reply held.

    Attributes
    ----------
    images : tuple of ImageLook
        In the order of the reply.
    pictures : tuple of PictureLook
        Where jpg or png was asked for.
    problems : tuple of str
        A sentence for each file that could not be opened.
    """

    images: tuple[ImageLook, ...]
    pictures: tuple[PictureLook, ...]
    problems: tuple[str, ...]


def open_reply(archive: CutoutArchive, *, simulated: bool = False) -> OpenedReply:
    """
    Open every file of a reply; a file that is damaged does not take the others with it.

    Parameters
    ----------
    archive : CutoutArchive
    simulated : bool, optional
        Whether it comes from a simulated sky.

    Returns
    -------
    opened : OpenedReply

    Raises
    ------
    ProductError
        If not a single file can be opened.
    """
    images: list[ImageLook] = []
    pictures: list[PictureLook] = []
    problems: list[ProductError] = []
    for member in archive.members:
        try:
            content = archive.read(member)
            sha256 = hashlib.sha256(content).hexdigest()
            if member.name.lower().endswith((".jpg", ".jpeg", ".png")):
                picture = read_picture(content, member.name)
                pictures.append(PictureLook(archive, member, sha256, picture, simulated))
            else:
                found = read_images(content, member.name)
                images += [ImageLook(archive, member, sha256, image) for image in found]
        except ProductError as exc:
            problems.append(exc)
    if problems and not images and not pictures:
        raise problems[0]
    return OpenedReply(tuple(images), tuple(pictures), tuple(str(exc) for exc in problems))


def by_wavelength(looks: Iterable[ImageLook]) -> list[ImageLook]:
    """
    Sort images from short to long wavelength, fine pixels before coarse ones.

    Parameters
    ----------
    looks : iterable of ImageLook

    Returns
    -------
    looks : list of ImageLook
        Those whose wavelength is not known come last.
    """

    def place(look: ImageLook) -> tuple[float, float, str]:
        wavelength, scale = look.image.wavelength_um, look.image.pixel_scale_arcsec
        return (_or_last(wavelength), _or_last(scale), look.key)

    return sorted(looks, key=place)


def _or_last(value: float) -> float:
    return value if math.isfinite(value) else math.inf


def common_field_arcsec(images: Iterable[ImageCutout]) -> float:
    """
    Find the field that every image shows.

    Parameters
    ----------
    images : iterable of ImageCutout
        Blank ones do not count.

    Returns
    -------
    field : float
        The shortest side of all, in arcsec; NaN if none has sky coordinates.
    """
    sides = (min(image.size_arcsec) for image in images if not image.is_blank)
    return min((side for side in sides if math.isfinite(side)), default=math.nan)
