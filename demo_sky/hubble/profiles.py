"""
Light profiles of galaxies as sums of Gaussians, after an idea of Hogg & Lang 2013 (PASP 125, 719).

Fitted to the Sersic law by least squares, in units of the half-light radius: fine ones to profile
and enclosed light (of the light 0.01 % for discs, 0.1 % for spheroids; of the profile from 0.1 to 4
radii 1 % and 3 %), coarse ones mostly to enclosed light (0.3 % and 0.7 %), for galaxies that the
image hardly resolves.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import numpy as np

FloatArray = np.ndarray[Any, np.dtype[np.float64]]


class Profile(Enum):
    """Sersic's law with index 1 (exponential) and 4 (de Vaucouleurs)."""

    DISC = 1
    SPHEROID = 4


_FINE = {
    Profile.DISC: (
        (0.1082, 0.2712, 0.52, 0.87, 1.336, 1.964),
        (0.00554, 0.05073, 0.2072, 0.39813, 0.29051, 0.04789),
    ),
    Profile.SPHEROID: (
        (0.01403, 0.04898, 0.1329, 0.3185, 0.7121, 1.535, 3.271, 7.117, 16.77),
        (0.00804, 0.03495, 0.092, 0.16995, 0.23021, 0.227, 0.15629, 0.0675, 0.01406),
    ),
}
_COARSE = {
    Profile.DISC: ((0.2947, 0.7283, 1.395), (0.10047, 0.50586, 0.39367)),
    Profile.SPHEROID: (
        (0.05448, 0.2344, 0.734, 2.149, 7.061),
        (0.06847, 0.20247, 0.321, 0.29164, 0.11643),
    ),
}


def mixture(profile: Profile, *, fine: bool = True) -> tuple[FloatArray, FloatArray]:
    """
    Give a profile as Gaussians.

    Parameters
    ----------
    profile : Profile
    fine : bool, optional
        Whether the image resolves the galaxy.

    Returns
    -------
    weight : ndarray of shape (k,)
        Shares of the light; they sum to 1.
    variance : ndarray of shape (k,)
        In square half-light radii.
    """
    sigma, weight = (_FINE if fine else _COARSE)[profile]
    share = np.array(weight)
    return share / share.sum(), np.square(sigma)
