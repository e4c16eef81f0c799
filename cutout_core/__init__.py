"""
Cutouts of the sky from MAST, the archive of NASA's Hubble, TESS and other space telescopes.

>>> from cutout_core import Tesscut
>>> sectors = Tesscut.get_sectors(object_name="Pi Mensae")  # doctest: +SKIP

What costs time to import is imported when it is first asked for.
"""

from typing import TYPE_CHECKING, Any

from cutout_core.errors import (
    ArchiveError,
    CutoutError,
    CutoutWarning,
    InputWarning,
    InvalidQueryError,
    LimitError,
    NoResultsWarning,
    ProductError,
    ResolverError,
    ServiceBusyError,
    ServiceError,
    ServiceUnreachableError,
    SizeError,
    TargetError,
    UnexpectedReplyError,
)
from cutout_core.version import __version__

if TYPE_CHECKING:
    from cutout_core.mast.hapcut import Hapcut
    from cutout_core.mast.session import MastSession
    from cutout_core.mast.tesscut import Tesscut
    from cutout_core.mast.zcut import Zcut

__all__ = [
    "ArchiveError",
    "CutoutError",
    "CutoutWarning",
    "Hapcut",
    "InputWarning",
    "InvalidQueryError",
    "LimitError",
    "MastSession",
    "NoResultsWarning",
    "ProductError",
    "ResolverError",
    "ServiceBusyError",
    "ServiceError",
    "ServiceUnreachableError",
    "SizeError",
    "TargetError",
    "Tesscut",
    "UnexpectedReplyError",
    "Zcut",
    "__version__",
]

_LATE = {
    "Hapcut": "cutout_core.mast.hapcut",
    "MastSession": "cutout_core.mast.session",
    "Tesscut": "cutout_core.mast.tesscut",
    "Zcut": "cutout_core.mast.zcut",
}


def __getattr__(name: str) -> Any:
    if name not in _LATE:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module

    value = getattr(import_module(_LATE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
