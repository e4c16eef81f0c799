"""
From planned requests to results, for all cutout services alike.

A reply is held only until it is opened or saved, and a request that fails does not take the
others with it.
"""

import os
import sys
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Generic, TypeVar

from cutout_core.archive import CutoutArchive, distinct_names, plain_name, read_archive
from cutout_core.errors import (
    CutoutError,
    CutoutWarning,
    InvalidQueryError,
    NoResultsWarning,
    ProductError,
    UnexpectedReplyError,
)
from cutout_core.mast.session import MAX_IN_FLIGHT, MastSession, QueryValue, Reply

ResultT = TypeVar("ResultT")

_NOTHING = "There is nothing at this position."

# Frames from a warning of `fetch_all` up to the user's line: `fetch_all`, the service's method for
# fetching, its public method.
_USER_LINE = 4


@dataclass(frozen=True, slots=True)
class CutoutRequest:
    """
    One request for cutouts, as it will be sent.

    Attributes
    ----------
    path : str
        Below the root of MAST, such as ``tesscut/api/v0.1/astrocut``.
    query : tuple of (str, str or number)
        The parameters, in the order in which they are sent.
    label : str
        What it asks for, in the reader's words: "sector 33".
    sector : int or None
        For TESSCut.
    url : str
        The whole address, for the record.
    survey : str or None
        For Zcut.
    """

    path: str
    query: tuple[tuple[str, QueryValue], ...]
    label: str
    sector: int | None
    url: str
    survey: str | None = None


class CutoutService:
    """
    What the objects for the cutout services have in common: one way to MAST.

    Parameters
    ----------
    session : MastSession, optional
        Default: one that follows the environment variables SKYSTAMP_MAST_URL and
        SKYSTAMP_RESOLVER_URL, made when it is first needed.
    """

    def __init__(self, session: MastSession | None = None) -> None:
        self._session = session

    @property
    def session(self) -> MastSession:
        """The way to MAST."""
        if self._session is None:
            self._session = MastSession()
        return self._session


def fetch_cutout(session: MastSession, request: CutoutRequest) -> CutoutArchive | None:
    """
    Send one request for cutouts.

    Parameters
    ----------
    session : MastSession
    request : CutoutRequest

    Returns
    -------
    archive : CutoutArchive or None
        `None` if the service says that there is nothing.

    Raises
    ------
    ArchiveError
        If the reply is a zip archive that is damaged or unsafe.
    InvalidQueryError, ServiceError
        See `MastSession.get`.
    """
    outcome = _fetch(session, request)
    return outcome if isinstance(outcome, CutoutArchive) else None


def fetch_all(
    session: MastSession,
    requests: Sequence[CutoutRequest],
    receive: Callable[[CutoutRequest, CutoutArchive], ResultT],
    *,
    nothing_is_news: bool,
) -> list[ResultT]:
    """
    Send several requests at once, and hand each reply over as it comes.

    Parameters
    ----------
    session : MastSession
    requests : sequence of CutoutRequest
        At least one.
    receive : callable
        Called in a thread with a request and its reply. What it returns is kept; the reply is
        not.
    nothing_is_news : bool
        Whether to warn of each request that the service has nothing for. If not, there is a
        warning only when nothing came at all.

    Returns
    -------
    results : list
        What `receive` returned, in the order of the requests, without those that failed or have
        nothing.

    Raises
    ------
    CutoutError
        If nothing came, the first request's that failed.

    Warns
    -----
    NoResultsWarning
        If the service has nothing.
    CutoutWarning
        If a request failed and others did not.
    """
    outcomes = _in_parallel(lambda request: _outcome(session, request, receive), requests)
    results = [outcome.value for outcome in outcomes if isinstance(outcome, _Received)]
    failed = [o for o in outcomes if isinstance(o, CutoutError)]
    if failed and not results:
        raise failed[0]
    if nothing_is_news or not results:
        for message in _nothing_messages(requests, outcomes):
            warnings.warn(message, NoResultsWarning, stacklevel=_USER_LINE)
    for request, outcome in zip(requests, outcomes, strict=True):
        if isinstance(outcome, CutoutError):
            message = f"Only a part came; {request.label} is missing: {outcome}"
            warnings.warn(message, CutoutWarning, stacklevel=_USER_LINE)
    return results


def open_hdus(request: CutoutRequest, archive: CutoutArchive) -> list[Any]:
    """
    Open the FITS files of a reply.

    Parameters
    ----------
    request : CutoutRequest
    archive : CutoutArchive

    Returns
    -------
    hdus : list of `~astropy.io.fits.HDUList`
        As astroquery opens them: from memory, writable, `filename` set to the file's name. Data
        are read when they are looked at.

    Raises
    ------
    ProductError
        If a file is damaged or not FITS.
    """
    from astropy.io import fits

    opened = []
    for member in archive.members:
        try:
            hdus = fits.open(BytesIO(archive.read(member)))
        except OSError as exc:
            msg = (
                f'"{member.name}" ({request.label}) is {member.size:,} bytes that are not a FITS '
                "file. Fetch it again."
            )
            raise ProductError(msg) from exc
        hdus.filename = member.name
        opened.append(hdus)
    return opened


class DownloadFolder:
    """
    Write the files of one call into a folder; safe to use from several threads.

    A file is complete or absent, whatever happens while it is written. A file of the same name
    that was there before is replaced, but two files of this call never get the same name.

    Parameters
    ----------
    path : str or path-like
        Made if it is not there.
    service : str
        For the names of zip archives: "tesscut".
    n_requests : int
        How many replies there may be.
    verbose : bool
        Whether to say on standard output what is written.

    Raises
    ------
    InvalidQueryError
        If there can be no such folder.
    """

    def __init__(
        self, path: str | os.PathLike[str], service: str, *, n_requests: int, verbose: bool
    ) -> None:
        self._path = os.fspath(path)
        self._stem = f"{service}_{time.strftime('%Y%m%d%H%M%S')}"
        self._is_single = n_requests == 1
        self._verbose = verbose
        self._lock = threading.Lock()
        self._names: list[str] = []
        try:
            Path(self._path).mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            msg = f'Cutouts cannot be saved in "{self._path}": {exc.strerror or exc}.'
            raise InvalidQueryError(msg) from exc

    def save_members(self, request: CutoutRequest, archive: CutoutArchive) -> list[str]:
        """
        Write the files of a reply, each inflated straight to the disk.

        Returns
        -------
        paths : list of str
        """
        names = self._claim([member.name for member in archive.members])
        return [
            self._write(request, name, archive.pieces(member))
            for name, member in zip(names, archive.members, strict=True)
        ]

    def save_archive(self, request: CutoutRequest, archive: CutoutArchive) -> list[str]:
        """
        Write a reply as the zip archive that it is.

        A single one is named as astroquery names it, ``tesscut_<YYYYMMDDhhmmss>.zip``; several
        have what they were asked for behind the time.

        Returns
        -------
        paths : list of str
            One path.
        """
        part = ""
        if not self._is_single and request.sector is not None:
            part = f"_s{request.sector:04d}"
        elif not self._is_single and request.survey is not None:
            part = f"_{request.survey}"
        (name,) = self._claim([plain_name(f"{self._stem}{part}.zip")])
        return [self._write(request, name, [archive.content])]

    def _claim(self, names: list[str]) -> list[str]:
        with self._lock:
            claimed = distinct_names([*self._names, *names])[len(self._names) :]
            self._names += claimed
        return claimed

    def _write(self, request: CutoutRequest, name: str, pieces: Any) -> str:
        # os.path.join keeps the "./" that astroquery's table of paths begins with.
        path = os.path.join(self._path, name)  # noqa: PTH118
        part = Path(self._path) / f".{uuid.uuid4().hex}.part"
        try:
            with part.open("xb") as file:
                for piece in pieces:
                    file.write(piece)
            part.replace(path)
        except OSError as exc:
            msg = f'"{path}" cannot be written: {exc.strerror or exc}.'
            raise CutoutError(msg) from exc
        finally:
            part.unlink(missing_ok=True)
        if self._verbose:
            sys.stdout.write(f"Downloaded {request.url} to {path}\n")
        return path


@dataclass(frozen=True, slots=True)
class _Received(Generic[ResultT]):
    value: ResultT


def _fetch(session: MastSession, request: CutoutRequest) -> CutoutArchive | str:
    """Return the reply, or the service's words if there is nothing."""
    reply = session.get(request.path, request.query, expect="zip")
    if reply.kind == "json":
        return _words_for_nothing(reply)
    archive = read_archive(reply.content, request.url)
    return archive if archive.members else _NOTHING


def _words_for_nothing(reply: Reply) -> str:
    parsed = reply.json or {}
    message = parsed.get("msg")
    if isinstance(message, str) and message.strip():
        return " ".join(message.split())
    if parsed.get("results", 0) in ([], None):
        return _NOTHING
    msg = (
        "MAST sent JSON of an unknown form instead of cutouts. This is not your fault. "
        "Try again in a minute."
    )
    raise UnexpectedReplyError(msg)


def _outcome(
    session: MastSession,
    request: CutoutRequest,
    receive: Callable[[CutoutRequest, CutoutArchive], ResultT],
) -> "_Received[ResultT] | CutoutError | str":
    try:
        fetched = _fetch(session, request)
        return fetched if isinstance(fetched, str) else _Received(receive(request, fetched))
    except CutoutError as exc:
        return exc


def _in_parallel(
    work: Callable[[CutoutRequest], ResultT], requests: Sequence[CutoutRequest]
) -> list[ResultT]:
    if len(requests) == 1:
        return [work(requests[0])]
    pool = ThreadPoolExecutor(
        min(MAX_IN_FLIGHT, len(requests)), thread_name_prefix="skystamp-fetch"
    )
    try:
        return list(pool.map(work, requests))
    finally:
        # After Ctrl-C nothing new is started, and nobody waits for what is under way.
        pool.shutdown(wait=False, cancel_futures=True)


def _nothing_messages(requests: Sequence[CutoutRequest], outcomes: Sequence[object]) -> list[str]:
    """Return the service's words, each once; with more requests than one, say which it is."""
    messages = [
        f"{request.label.capitalize()}: {outcome}" if len(requests) > 1 else outcome
        for request, outcome in zip(requests, outcomes, strict=True)
        if isinstance(outcome, str)
    ]
    return list(dict.fromkeys(messages))
