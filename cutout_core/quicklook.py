"""A reply of TESSCut -> what the page shows at first: pixels, aperture, light curve."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cutout_core.archive import CutoutArchive, Member
from cutout_core.lightcurve import LightCurve
from cutout_core.moving_photometry import follow_target
from cutout_core.photometry import first_light_curve, mean_image
from cutout_core.tpf import TargetPixelFile, read_tpf


@dataclass(frozen=True, slots=True, eq=False)
class QuickLook:
    """
    One target pixel file with its first light curve.

    Attributes
    ----------
    archive, member : CutoutArchive, Member
        The original file, as the service sent it.
    sha256 : str
        Its checksum, in hexadecimal.
    tpf : TargetPixelFile
    mean_image : ndarray of shape (ny, nx)
        Mean of the good cadences, in electron/s; NaN beyond the edge of the detector. The frames
        of a moving target follow it, so that it stands still and the stars leave trails.
    light_curve : LightCurve
        With the automatic aperture; with a `track` if the target moves.
    """

    archive: CutoutArchive
    member: Member
    sha256: str
    tpf: TargetPixelFile
    mean_image: NDArray[np.float64]
    light_curve: LightCurve


def look_at(archive: CutoutArchive, target: str = "") -> list[QuickLook]:
    """
    Open every target pixel file of a reply and make its first light curve.

    Parameters
    ----------
    archive : CutoutArchive
    target : str, optional
        What the visitor calls the target.

    Returns
    -------
    looks : list of QuickLook
        One for each file, in the order of the archive.

    Raises
    ------
    ProductError
        If a file is damaged or not a target pixel file.
    """
    looks = []
    for member in archive.members:
        content = archive.read(member)
        sha256 = hashlib.sha256(content).hexdigest()
        tpf = read_tpf(content, name=member.name)
        del content  # three times what its arrays take
        curve = (
            follow_target(tpf, target=target)
            if tpf.is_moving
            else first_light_curve(tpf, target=target)
        )
        looks.append(QuickLook(archive, member, sha256, tpf, mean_image(tpf, curve.good), curve))
    return looks
