"""
The way to MAST: the only importer of requests, and the only place that speaks HTTP.

Here are the limits (time, requests in flight), here foreign errors become ours, and here a reply
is judged by what it is: a zip archive, JSON, a web page, nothing.
"""

import contextlib
import io
import json
import os
import platform
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Literal, TypeAlias
from urllib.parse import urlencode, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from cutout_core.errors import (
    CutoutError,
    InvalidQueryError,
    LimitError,
    ServiceBusyError,
    ServiceError,
    ServiceUnreachableError,
    UnexpectedReplyError,
)
from cutout_core.version import PROJECT_URL, __version__

MAST_URL = "https://mast.stsci.edu"
RESOLVER_URL = "https://mastresolver.stsci.edu"

# TESSCut answers 503 to an address with more than ten requests at once.
MAX_IN_FLIGHT = 10

# A connection comes within a second or not at all. TESSCut is silent while it cuts: 69 s were
# seen for two sectors, its gateway gives up after some minutes.
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 300.0
RESOLVER_READ_TIMEOUT_S = 60.0

_CHUNK_BYTES = 1 << 20

# Enough to find a sentence in; a page of an error is not read to its end.
_MAX_ERROR_BYTES = 1 << 16
_MAX_SAYING = 200

QueryValue: TypeAlias = str | int | float
Query: TypeAlias = Sequence[tuple[str, QueryValue]]
ReplyKind: TypeAlias = Literal["zip", "json"]

# Shared by all sessions of the process, because MAST counts the address. Each server has slots of
# its own, so that one that hangs holds nobody up who asks another; the resolver, which may be the
# same server, has its own too, so that a typed name does not wait behind ten long cutouts.
_SLOTS: dict[str, threading.BoundedSemaphore] = {}
_SLOTS_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True, eq=False)
class Reply:
    """
    An answer that is one of the kinds that a service gives.

    Attributes
    ----------
    url : str
        The request.
    content : bytes
        The body as it came.
    kind : {"zip", "json"}
        What the body is; a service that has nothing to send answers JSON where a zip archive was
        asked for.
    json : dict or None
        The body as an object, if `kind` is "json".
    """

    url: str
    content: bytes
    kind: ReplyKind
    json: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came back over the wire, before it is judged."""

    status: int
    content: bytes


class MastSession:
    """
    A connection to MAST, or to a server that speaks its protocol.

    Safe to share between threads. All sessions of a process together have at most
    `MAX_IN_FLIGHT` requests to a server under way; more wait.

    Parameters
    ----------
    base_url : str, optional
        Root of the cutout services. Default: the environment variable SKYSTAMP_MAST_URL, else
        ``https://mast.stsci.edu``.
    resolver_url : str, optional
        Root of the name resolver. Default: the environment variable SKYSTAMP_RESOLVER_URL, else
        ``https://mastresolver.stsci.edu``.
    connect_timeout_s, read_timeout_s : float, optional
        How long to wait for a connection, and for the next bytes of an answer.

    Raises
    ------
    InvalidQueryError
        If a root is not an http or https address.
    """

    def __init__(
        self,
        base_url: str | None = None,
        resolver_url: str | None = None,
        *,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        self.base_url = _checked_url(base_url or os.environ.get("SKYSTAMP_MAST_URL") or MAST_URL)
        self.resolver_url = _checked_url(
            resolver_url or os.environ.get("SKYSTAMP_RESOLVER_URL") or RESOLVER_URL
        )
        self._connect_timeout_s = connect_timeout_s
        self._read_timeout_s = read_timeout_s
        self._http = _http_session()

    def __enter__(self) -> "MastSession":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back. The session may be used again, with new ones."""
        self._http.close()

    def url_for(self, service_path: str, query: Query) -> str:
        """Return the address that `get` asks, as it can be pasted into a browser."""
        return _url(self.base_url, service_path, query)

    def get(self, service_path: str, query: Query, *, expect: ReplyKind) -> Reply:
        """
        Ask a cutout service.

        Parameters
        ----------
        service_path : str
            Such as ``tesscut/api/v0.1/astrocut``.
        query : sequence of (str, str or number)
            The parameters, in the order in which they are sent.
        expect : {"zip", "json"}
            What a good answer is. Where a zip archive is expected, JSON is let through: it says
            why there is none.

        Returns
        -------
        reply : Reply

        Raises
        ------
        InvalidQueryError
            If the service calls the query wrong (`LimitError`: too large).
        ServiceBusyError, ServiceUnreachableError, UnexpectedReplyError, ServiceError
            If the service or the way to it failed.
        """
        url = self.url_for(service_path, query)
        answer = self._send(url, _slots(self.base_url), self._read_timeout_s, {"Accept": "*/*"})
        return _judge(answer, url, expect)

    def post(self, service_path: str, form: Query) -> Reply:
        """
        Ask a service that looks something up and takes forms, such as a catalogue.

        It does not wait behind cutouts.

        Parameters
        ----------
        service_path : str
            Such as ``api/v0/invoke``.
        form : sequence of (str, str or number)
            Its fields.

        Returns
        -------
        reply : Reply
            Of kind "json". Its `url` has the form as a query, which MAST answers alike.

        Raises
        ------
        ServiceError, InvalidQueryError
            As `get`.
        """
        answer = self._send(
            f"{self.base_url}/{service_path}",
            _slots(f"{self.base_url} look-ups"),
            min(self._read_timeout_s, RESOLVER_READ_TIMEOUT_S),
            {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"},
            form=urlencode(form),
        )
        return _judge(answer, self.url_for(service_path, form), "json")

    def resolver_get(self, query: Query) -> Reply:
        """
        Ask the name resolver.

        Parameters
        ----------
        query : sequence of (str, str or number)

        Returns
        -------
        reply : Reply
            Of kind "json".

        Raises
        ------
        ServiceError
            As `get`.
        """
        url = _url(self.resolver_url, "Santa-war/query", query)
        read_timeout_s = min(self._read_timeout_s, RESOLVER_READ_TIMEOUT_S)
        answer = self._send(
            url, _slots(f"{self.resolver_url} names"), read_timeout_s, {"Accept": "text/plain"}
        )
        return _judge(answer, url, "json")

    def is_reachable(self, timeout_s: float = 3.0) -> bool:
        """
        Tell whether the root of the cutout services answers at all.

        It asks for the root page, which costs MAST next to nothing and so takes none of the
        request slots. An error of the server (status 500 and above) counts as no answer.

        Parameters
        ----------
        timeout_s : float, optional
            The answer comes within this time, whatever happens to the name look-up.

        Returns
        -------
        reachable : bool
        """
        answered = threading.Event()

        def ask() -> None:
            # A session of its own: the shared one may be closed while this thread still waits.
            with (
                contextlib.suppress(
                    requests.RequestException, urllib3.exceptions.HTTPError, OSError
                ),
                _http_session() as http,
                http.get(
                    self.base_url,
                    timeout=timeout_s,
                    stream=True,
                    allow_redirects=False,
                    proxies=_proxies(self.base_url),
                ) as response,
            ):
                if response.status_code < 500:
                    answered.set()

        # The time limits of sockets do not cover the look-up of the host's name, which can hang
        # for a minute on a broken network.
        asker = threading.Thread(target=ask, name="skystamp-reach", daemon=True)
        asker.start()
        asker.join(timeout_s)
        return answered.is_set()

    def _send(
        self,
        url: str,
        slots: threading.BoundedSemaphore,
        read_timeout_s: float,
        headers: Mapping[str, str],
        *,
        form: str | None = None,
    ) -> _Answer:
        """Send one request and read its answer: the place for whatever is done about failures."""
        with slots, _foreign_errors_mapped(url):
            response = self._http.request(
                "GET" if form is None else "POST",
                url,
                data=form,
                headers=headers,
                timeout=(self._connect_timeout_s, read_timeout_s),
                stream=True,
                proxies=_proxies(url),
            )
            with response:
                if form is not None and response.request.method != "POST":
                    raise UnexpectedReplyError(_lost_form(url))
                return _Answer(response.status_code, _body(response))


def _slots(server: str) -> threading.BoundedSemaphore:
    with _SLOTS_LOCK:
        return _SLOTS.setdefault(server, threading.BoundedSemaphore(MAX_IN_FLIGHT))


def _lost_form(url: str) -> str:
    # After a redirect of status 301 to 303 a client asks by GET, without the form.
    host = urlsplit(url).hostname or url
    return (
        f"{host} sends the question elsewhere, in a way that loses what was asked. "
        f"This is MAST's fault; try again later."
    )


def user_agent() -> str:
    """Return what Skystamp calls itself: who asks, and where to complain."""
    return (
        f"skystamp/{__version__} (+{PROJECT_URL}) "
        f"Python/{platform.python_version()} python-requests/{requests.__version__}"
    )


def _http_session() -> requests.Session:
    http = requests.Session()
    http.headers["User-Agent"] = user_agent()
    http.max_redirects = 10
    # Nothing is carried from one visitor's request to another's.
    http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("http://", "https://"):
        http.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=MAX_IN_FLIGHT))
    return http


def _proxies(url: str) -> dict[str, str] | None:
    """Keep a proxy that the environment sets away from this machine's own servers."""
    host = urlsplit(url).hostname or ""
    is_own = host == "localhost" or host.startswith("127.") or host == "::1"
    return {"no_proxy": host} if is_own else None


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment:
        msg = (
            f'"{url}" is not the address of a server. Give one that begins with http:// or '
            f"https://, such as {MAST_URL}, or leave SKYSTAMP_MAST_URL and "
            "SKYSTAMP_RESOLVER_URL unset."
        )
        raise InvalidQueryError(msg)
    return url.strip().rstrip("/")


def _url(root: str, path: str, query: Query) -> str:
    return f"{root}/{path}?{urlencode(query)}"


def _body(response: requests.Response) -> bytes:
    """Read a body into one buffer; `BytesIO` hands it over without a copy."""
    limit = _MAX_ERROR_BYTES if response.status_code >= 400 else None
    buffer = io.BytesIO()
    for chunk in response.iter_content(_CHUNK_BYTES):
        buffer.write(chunk)
        if limit is not None and buffer.tell() >= limit:
            break
    return buffer.getvalue()


# Everything that requests, what lies under it, and the operating system raise.
_FOREIGN_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)

_AGAIN = "Try again in a minute."

# The first entry that fits counts, so special errors stand before their parents.
_MAPPING: tuple[tuple[tuple[type[Exception], ...], type[CutoutError], str], ...] = (
    (
        (requests.exceptions.ConnectTimeout,),
        ServiceUnreachableError,
        "{host} did not take the connection in time. Check your network, or try again later.",
    ),
    (
        (requests.exceptions.Timeout,),
        ServiceUnreachableError,
        "{host} did not answer in time. Ask for a smaller cutout, or try again later.",
    ),
    (
        (requests.exceptions.ProxyError, requests.exceptions.InvalidProxyURL),
        ServiceUnreachableError,
        "The proxy on the way to {host} does not work. Check the proxy settings of this machine.",
    ),
    (
        (requests.exceptions.SSLError,),
        ServiceUnreachableError,
        "The connection to {host} is not secure, so it was given up. Check the date and the "
        "certificates of this machine, and whether a firewall steps in.",
    ),
    (
        (requests.exceptions.ChunkedEncodingError,),
        ServiceUnreachableError,
        "{host} broke off in the middle of its answer. " + _AGAIN,
    ),
    (
        (requests.exceptions.ConnectionError, requests.exceptions.RetryError),
        ServiceUnreachableError,
        "There is no connection to {host}. Check your network, or try again later.",
    ),
    (
        (requests.exceptions.TooManyRedirects,),
        UnexpectedReplyError,
        "{host} sends the request in circles. This is MAST's fault; try again later.",
    ),
    (
        (requests.exceptions.ContentDecodingError, requests.exceptions.InvalidJSONError),
        UnexpectedReplyError,
        "The answer of {host} cannot be decoded. " + _AGAIN,
    ),
    (
        (
            requests.exceptions.InvalidURL,
            requests.exceptions.InvalidSchema,
            requests.exceptions.MissingSchema,
            requests.exceptions.URLRequired,
            requests.exceptions.InvalidHeader,
        ),
        UnexpectedReplyError,
        "{host} points to an address that cannot be used. This is MAST's fault; try again later.",
    ),
    (
        (
            requests.exceptions.HTTPError,
            requests.exceptions.StreamConsumedError,
            requests.exceptions.UnrewindableBodyError,
        ),
        ServiceError,
        "The exchange with {host} failed. " + _AGAIN,
    ),
)


@contextlib.contextmanager
def _foreign_errors_mapped(url: str) -> Iterator[None]:
    """Turn whatever the HTTP library raises inside the block into one of our errors."""
    try:
        yield
    except _FOREIGN_ERRORS as exc:
        raise _our_error(exc, urlsplit(url).hostname or url) from exc


def _our_error(exc: Exception, host: str) -> CutoutError:
    # A stall in the middle of a body comes as a ConnectionError around urllib3's timeout.
    if exc.args and isinstance(exc.args[0], urllib3.exceptions.ReadTimeoutError):
        exc = requests.exceptions.ReadTimeout()
    for kinds, error, text in _MAPPING:
        if isinstance(exc, kinds):
            return error(text.format(host=host))
    if isinstance(exc, requests.RequestException | urllib3.exceptions.HTTPError):
        return ServiceError(f"The exchange with {host} failed ({type(exc).__name__}). {_AGAIN}")
    # Such as REQUESTS_CA_BUNDLE that names a missing file: on this side, not MAST's.
    return ServiceError(f"This machine cannot speak to {host}: {exc}.")


def _judge(answer: _Answer, url: str, expect: ReplyKind) -> Reply:
    """Accept a reply for what it is, or raise what is wrong with it."""
    content, host = answer.content, urlsplit(url).hostname or url
    if not 200 <= answer.status < 300:
        raise _status_error(answer, host)
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        if expect == "zip":
            return Reply(url, content, "zip", None)
        raise UnexpectedReplyError(_unexpected(host, expect, "a zip archive"))
    parsed = _json_object(content)
    if parsed is not None:
        return Reply(url, content, "json", parsed)
    raise UnexpectedReplyError(_unexpected(host, expect, _description(content)))


def _unexpected(host: str, expect: ReplyKind, what: str) -> str:
    wanted = "a zip archive" if expect == "zip" else "JSON"
    return f"{host} sent {what} instead of {wanted}. This is not your fault. {_AGAIN}"


def _description(content: bytes) -> str:
    start = content[:1024].lstrip()
    if not start:
        return "an empty answer"
    if start.startswith(b"<"):
        return "a web page"
    if start[:1] in {b"{", b"["}:
        return "unusual or broken JSON"
    return f"{len(content):,} bytes of something else"


def _json_object(content: bytes) -> dict[str, Any] | None:
    if not content[:1024].lstrip().startswith(b"{"):
        return None
    try:
        parsed = json.loads(content)
    # RecursionError: brackets nested a thousandfold.
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _status_error(answer: _Answer, host: str) -> CutoutError:
    status, saying = answer.status, _saying(answer.content)
    says = f" It says: {saying}" if saying else ""
    if status in {413, 414}:
        return LimitError(
            f"{host} finds the request too large (status {status}). Ask for a smaller cutout.{says}"
        )
    if status in {400, 422}:
        return InvalidQueryError(
            f"{host} does not accept the request (status {status}). "
            f"Check the target, the size and the sectors.{says}"
        )
    if status in {429, 503}:
        return ServiceBusyError(
            f"{host} is busy (status {status}): it serves a limited number of requests at once. "
            f"{_AGAIN}{says}"
        )
    if status in {408, 504}:
        return ServiceError(
            f"{host} took too long (status {status}). This is MAST's fault, not yours. "
            f"Ask for a smaller cutout or fewer sectors, or try again later.{says}"
        )
    if status >= 500:
        return ServiceError(
            f"{host} had an error of its own (status {status}). This is MAST's fault, not yours. "
            f"{_AGAIN}{says}"
        )
    return UnexpectedReplyError(
        f"{host} refused with status {status}, which it should not. "
        f"Try again later; if it stays, this version of Skystamp may be too old.{says}"
    )


def _saying(content: bytes) -> str:
    """Return the service's own words if they are plain and short, never a web page."""
    parsed = _json_object(content)
    if parsed is None:
        text = content[: 4 * _MAX_SAYING + 1].decode("utf-8", errors="replace")
    else:
        words = (parsed.get(key) for key in ("msg", "message", "detail", "error"))
        text = next((word for word in words if isinstance(word, str) and word.strip()), "")
    text = " ".join(text.split())
    is_plain = text.isprintable() and not any(c in "<>{}\ufffd" for c in text)
    return text if is_plain and len(text) <= _MAX_SAYING else ""
