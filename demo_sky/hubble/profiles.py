"""
Light profiles of galaxies as sums of Gaussians, after an idea of Hogg & Lang 2013 (PASP 125, 719).

Fitted to the Sersic law by least squares, in units of the half-light radius: fine ones to profile
and enclosed light (disc 0.1 % of the light and 1 % of the profile from 0.1 to 4 radii; spheroid
0.2 % and 3 %), coarse ones to enclosed light only (0.3 % and 0.8 %), for galaxies that the image
hardly resolves.
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
        (0.09621, 0.24228, 0.46819, 0.78775, 1.21834, 1.81364),
        (0.003873, 0.03739, 0.164361, 0.362365, 0.344368, 0.087644),
    ),
    Profile.SPHEROID: (
        (0.01305, 0.0442, 0.117, 0.27353, 0.59437, 1.23694, 2.53755, 5.65915),
        (0.006952, 0.030181, 0.080009, 0.150767, 0.212446, 0.226106, 0.181483, 0.112057),
    ),
}
_COARSE = {
    Profile.DISC: ((0.2908, 0.7193, 1.3794), (0.097, 0.4973, 0.4057)),
    Profile.SPHEROID: (
        (0.0471, 0.1972, 0.5983, 1.6772, 5.3538),
        (0.056, 0.1721, 0.2924, 0.3053, 0.1742),
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
