"""
The errors and warnings that a visitor or a caller may see.

Everything that can go wrong for a reason outside this code is one of these; each message says what
happened with the actual value, and what to do next. Anything else that is raised is a bug.

* CutoutError
  * InvalidQueryError        what was typed or asked for
    * TargetError            the text in the target box
    * SizeError              the size of the cutout
    * LimitError             more than the service or this machine can give
  * ResolverError            a name that no resolver knows
  * ServiceError             what MAST did
    * ServiceUnreachableError    no connection, or no answer in time
    * ServiceBusyError           MAST asks to come back later (429, 503)
    * UnexpectedReplyError       an answer that is not what was asked for
  * ProductError             what a file held
    * ArchiveError           the zip around the files
* CutoutWarning
  * NoResultsWarning         nothing there: an empty result, no error
  * InputWarning             something in the call was ignored or changed
"""


class CutoutError(Exception):
    """Base of every error whose message is meant for the visitor."""


class InvalidQueryError(CutoutError):
    """What was asked for cannot be sent: the message says what would be accepted."""


class TargetError(InvalidQueryError):
    """The target text is neither a position nor a name."""


class SizeError(InvalidQueryError):
    """The cutout size is not usable."""


class LimitError(InvalidQueryError):
    """The request is well formed, but larger than the service or this machine allows."""


class ResolverError(CutoutError):
    """
    No name resolver of MAST knows the name.

    Attributes
    ----------
    similar : tuple of str
        Known names that are spelled alike.
    moving_name : str or None
        What to ask for as a moving target, if the name is that of an asteroid, comet or planet.
    """

    def __init__(
        self, message: str, *, similar: tuple[str, ...] = (), moving_name: str | None = None
    ) -> None:
        super().__init__(message)
        self.similar = similar
        self.moving_name = moving_name


class ServiceError(CutoutError):
    """MAST, or the way to it, did not do its part."""


class ServiceUnreachableError(ServiceError):
    """No connection, or no answer within the time limit."""


class ServiceBusyError(ServiceError):
    """MAST asked to come back later (status 429 or 503)."""


class UnexpectedReplyError(ServiceError):
    """MAST answered, but not with what was asked for."""


class ProductError(CutoutError):
    """A file is damaged, or is not what its name says."""


class ArchiveError(ProductError):
    """The zip archive around the files is damaged or not safe to open."""


class CutoutWarning(UserWarning):
    """Base of the warnings of this package."""


class NoResultsWarning(CutoutWarning):
    """The query was fine, and nothing is there."""


class InputWarning(CutoutWarning):
    """A part of the call was ignored or changed."""
