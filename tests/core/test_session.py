import inspect
import json
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
import requests
import urllib3

from cutout_core.errors import (
    CutoutError,
    InvalidQueryError,
    LimitError,
    ServiceBusyError,
    ServiceError,
    ServiceUnreachableError,
    UnexpectedReplyError,
)
from cutout_core.mast import session as session_module
from cutout_core.mast.session import MAX_IN_FLIGHT, MastSession, user_agent
from cutout_core.version import __version__
from tests.core.recording_server import Answer, RecordingServer, json_answer

PATH = "tesscut/api/v0.1/astrocut"
QUERY = (("ra", 107.18696), ("dec", -70.50919), ("x", 5), ("units", "px"))
ZIP = b"PK\x05\x06" + b"\0" * 18


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


@pytest.fixture
def session(server: RecordingServer) -> Iterator[MastSession]:
    with MastSession(server.url, server.url) as opened:
        yield opened


def ask(session: MastSession, expect: str = "zip"):
    return session.get(PATH, QUERY, expect=expect)


def test_query_is_sent_by_get_in_its_order(server, session):
    server.answer(f"/{PATH}", Answer(ZIP))

    reply = ask(session)

    (request,) = server.requests
    assert request.method == "GET"
    assert request.query == [
        ("ra", "107.18696"),
        ("dec", "-70.50919"),
        ("x", "5"),
        ("units", "px"),
    ]
    assert reply.url == session.url_for(PATH, QUERY)
    assert reply.url == f"{server.url}/{PATH}?ra=107.18696&dec=-70.50919&x=5&units=px"


def test_session_says_who_asks_and_where_to_complain(server, session):
    server.answer(f"/{PATH}", Answer(ZIP))

    ask(session)

    sent = server.requests[0].headers["User-Agent"]
    assert sent == user_agent()
    assert sent.startswith(f"skystamp/{__version__} (+https://github.com/skystamp/skystamp)")


def test_form_is_sent_by_post_as_a_browser_sends_it(server, session):
    server.answer("/api/v0/invoke", json_answer({"status": "COMPLETE"}))

    reply = session.post("api/v0/invoke", [("request", '{"a": "b c"}')])

    (request,) = server.requests
    assert (request.method, request.query) == ("POST", [])
    assert request.body == b"request=%7B%22a%22%3A+%22b+c%22%7D"
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.headers["Accept"] == "application/json"
    assert reply.json == {"status": "COMPLETE"}
    assert reply.url == f"{server.url}/api/v0/invoke?request=%7B%22a%22%3A+%22b+c%22%7D"


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (Answer(b"<html>", status=200), UnexpectedReplyError, "a web page instead of JSON"),
        (Answer(status=503), ServiceBusyError, "busy"),
        (Answer(status=500), ServiceError, "error of its own"),
        (Answer(hang_up=True), ServiceUnreachableError, "no connection"),
    ],
)
def test_answer_to_a_form_is_judged_like_any_other(answer, error, words, server, session):
    server.answer("/api/v0/invoke", answer)

    with pytest.raises(error, match=words):
        session.post("api/v0/invoke", [])


def test_form_that_is_lost_in_a_redirect_is_not_taken_for_asked(server, session):
    server.answer("/old", Answer(status=302, headers={"Location": f"{server.url}/new"}))
    server.answer("/new", json_answer({"status": "COMPLETE", "data": []}))

    with pytest.raises(UnexpectedReplyError, match="loses what was asked"):
        session.post("old", [("request", "x")])


def test_form_is_sent_again_where_a_redirect_keeps_it(server, session):
    server.answer("/old", Answer(status=308, headers={"Location": f"{server.url}/new"}))
    server.answer("/new", json_answer({"status": "COMPLETE"}))

    session.post("old", [("request", "x")])

    assert [(r.method, r.body) for r in server.asked("/new")] == [("POST", b"request=x")]


def test_resolver_is_asked_at_its_own_address_as_astroquery_asks(server):
    server.answer("/Santa-war/query", json_answer({"resolvedCoordinate": []}))

    with MastSession("http://127.0.0.1:9", server.url) as session:
        reply = session.resolver_get([("name", "Barnard's Star"), ("name", "α & β")])

    assert reply.json == {"resolvedCoordinate": []}
    assert server.requests[0].headers["Accept"] == "text/plain"
    assert server.requests[0].query == [("name", "Barnard's Star"), ("name", "α & β")]


def test_addresses_come_from_the_environment_where_none_are_given(monkeypatch):
    monkeypatch.setenv("SKYSTAMP_MAST_URL", "http://localhost:8765/")
    monkeypatch.setenv("SKYSTAMP_RESOLVER_URL", "https://127.0.0.1/names")

    with MastSession() as session, MastSession("http://a.example") as other:
        assert session.base_url == "http://localhost:8765"
        assert session.resolver_url == "https://127.0.0.1/names"
        assert other.base_url == "http://a.example"


def test_addresses_are_mast_by_default(monkeypatch):
    monkeypatch.delenv("SKYSTAMP_MAST_URL", raising=False)
    monkeypatch.setenv("SKYSTAMP_RESOLVER_URL", "")

    with MastSession() as session:
        assert session.base_url == "https://mast.stsci.edu"
        assert session.resolver_url == "https://mastresolver.stsci.edu"


@pytest.mark.parametrize(
    "url",
    [
        "mast.stsci.edu",
        "ftp://mast.stsci.edu",
        "file:///etc/passwd",
        "http://",
        "http://a.example:port",
        "http://a.example:99999",
        "http://[::1",
        "http://a.example/?x=1",
        "http://a.example/#top",
        " ",
    ],
)
def test_address_that_is_no_server_is_refused(url):
    with pytest.raises(InvalidQueryError, match=r"is not the address of a server.*https://"):
        MastSession(url)
    with pytest.raises(InvalidQueryError, match="is not the address of a server"):
        MastSession("http://127.0.0.1", url)


@pytest.mark.parametrize("chunk", [None, 1000, 3_000_000])
def test_body_arrives_whole_with_and_without_its_length(chunk, server, session):
    body = ZIP + bytes(range(256)) * 10_000
    server.answer(f"/{PATH}", Answer(body, chunk=chunk))

    reply = ask(session)

    assert reply.kind == "zip"
    assert reply.content == body
    assert reply.json is None


def test_zip_is_known_by_its_bytes_and_not_by_its_label(server, session):
    server.answer(f"/{PATH}", Answer(ZIP, content_type="text/html"))

    assert ask(session).kind == "zip"


def test_json_is_let_through_where_a_zip_was_asked_for(server, session):
    server.answer(f"/{PATH}", Answer(b'\n {"msg": "none"}', content_type="application/zip"))

    reply = ask(session)

    assert (reply.kind, reply.json) == ("json", {"msg": "none"})


@pytest.mark.parametrize(
    ("body", "expect", "words"),
    [
        pytest.param(b"<!DOCTYPE html>", "zip", "sent a web page instead of a zip", id="page"),
        pytest.param(b" <html>", "json", "sent a web page instead of JSON", id="page for JSON"),
        pytest.param(b"", "zip", "sent an empty answer", id="empty"),
        pytest.param(b" \r\n", "json", "sent an empty answer", id="blank"),
        pytest.param(ZIP, "json", "sent a zip archive instead of JSON", id="zip for JSON"),
        pytest.param(b"SIMPLE  =", "zip", "sent 9 bytes of something else", id="bare FITS"),
        pytest.param(b'{"msg": ', "json", "unusual or broken JSON", id="broken JSON"),
        pytest.param(b"[1, 2]", "json", "unusual or broken JSON", id="JSON list"),
        pytest.param(b'{"a":' * 100_000, "json", "broken JSON", id="deep JSON"),
        pytest.param(b'{"a": "\xff"}', "json", "broken JSON", id="not UTF-8"),
        pytest.param(b'{"a": 1' + b"0" * 5000 + b"}", "json", "broken JSON", id="long number"),
    ],
)
def test_reply_with_status_200_is_judged_by_what_it_is(body, expect, words, server, session):
    server.answer(f"/{PATH}", Answer(body, content_type="application/zip"))

    with pytest.raises(UnexpectedReplyError, match=words):
        ask(session, expect)


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (400, InvalidQueryError, "does not accept the request .status 400.. Check the target"),
        (401, UnexpectedReplyError, "refused with status 401"),
        (403, UnexpectedReplyError, "refused with status 403"),
        (404, UnexpectedReplyError, "refused with status 404.*may be too old"),
        (408, ServiceError, "took too long .status 408."),
        (413, LimitError, "too large .status 413.. Ask for a smaller cutout"),
        (414, LimitError, "too large .status 414."),
        (418, UnexpectedReplyError, "refused with status 418"),
        (422, InvalidQueryError, "does not accept the request"),
        (429, ServiceBusyError, "is busy .status 429.*Try again in a minute"),
        (500, ServiceError, "error of its own .status 500.. This is MAST's fault, not yours"),
        (502, ServiceError, "status 502.. This is MAST's fault"),
        (503, ServiceBusyError, "is busy .status 503."),
        (504, ServiceError, "took too long .status 504.. This is MAST's fault.*smaller cutout"),
        (599, ServiceError, "status 599"),
        (304, UnexpectedReplyError, "refused with status 304"),
    ],
)
def test_status_says_whose_fault_it_is(status, error, words, server, session):
    server.answer(f"/{PATH}", Answer(b"<html>secret</html>", status, "text/html"))

    with pytest.raises(CutoutError, match=words) as caught:
        ask(session)

    assert type(caught.value) is error
    assert "<" not in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "saying"),
    [
        (b"radius: unknown unit 'x'\n", "It says: radius: unknown unit 'x'"),
        (b'{"msg": "dec is missing"}', "It says: dec is missing"),
        (b'{"detail": "too  many\\npixels"}', "It says: too many pixels"),
        (b"<p>no</p>", None),
        (b"x" * 201, None),
        (b"\x00\x01", None),
        (b'{"msg": "<script>"}', None),
        (b'{"msg": {"a": 1}}', None),
        (b"\xff\xfe", None),
        (b"", None),
    ],
)
def test_words_of_the_service_are_passed_on_if_they_are_plain_and_short(
    body, saying, server, session
):
    server.answer(f"/{PATH}", Answer(body, status=400))

    with pytest.raises(InvalidQueryError) as caught:
        ask(session)

    if saying:
        assert str(caught.value).endswith(saying)
    else:
        assert "It says" not in str(caught.value)


def test_long_page_of_an_error_is_not_read_to_its_end(server, session):
    server.answer(f"/{PATH}", Answer(b"x" * 50_000_000, status=500))

    tracemalloc.start()
    with pytest.raises(ServiceError, match="status 500"):
        ask(session)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 5_000_000


def test_real_gateway_timeout_page_is_named_as_one(server, session, real_replies):
    page = (real_replies / "tesscut_504_saved_as_astrocut.zip.html").read_bytes()
    server.answer(f"/{PATH}", Answer(page, 504, "text/html"), Answer(page, 200, "text/html"))

    with pytest.raises(ServiceError, match="took too long"):
        ask(session)
    with pytest.raises(UnexpectedReplyError, match="sent a web page instead of a zip archive"):
        ask(session)


def test_redirect_is_followed_with_the_query(server, session):
    target = f"{server.url}/elsewhere?{quote('a=1', safe='=')}"
    server.answer(f"/{PATH}", Answer(status=302, headers={"Location": target}))
    server.answer("/elsewhere", Answer(ZIP))

    reply = ask(session)

    assert reply.kind == "zip"
    assert [(r.method, r.path) for r in server.requests] == [
        ("GET", f"/{PATH}"),
        ("GET", "/elsewhere"),
    ]


def test_redirects_in_circles_end(server, session):
    server.answer(f"/{PATH}", Answer(status=302, headers={"Location": f"/{PATH}"}))

    with pytest.raises(UnexpectedReplyError, match="sends the request in circles"):
        ask(session)
    assert len(server.requests) <= 12


def test_redirect_to_no_address_is_the_fault_of_the_service(server, session):
    server.answer(f"/{PATH}", Answer(status=302, headers={"Location": "ftp://a.example/"}))

    with pytest.raises(UnexpectedReplyError, match="points to an address that cannot be used"):
        ask(session)


def test_cookies_are_not_carried_from_one_request_to_the_next(server, session):
    server.answer(f"/{PATH}", Answer(ZIP, headers={"Set-Cookie": "visitor=1; Path=/"}))

    ask(session)
    ask(session)

    assert "Cookie" not in server.requests[1].headers


def test_connections_are_used_again(server, session):
    server.answer(f"/{PATH}", Answer(ZIP))
    connections = set()
    server.answer(f"/{PATH}", lambda _: connections.update(server.connections) or Answer(ZIP))

    for _ in range(5):
        ask(session)

    assert len(connections) == 1


def unused_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_refused_connection_is_unreachable():
    with (
        MastSession(f"http://127.0.0.1:{unused_port()}") as session,
        pytest.raises(ServiceUnreachableError, match=r"no connection to 127\.0\.0\.1"),
    ):
        ask(session)


def test_silence_is_unreachable_after_the_time_limit(server):
    server.answer(f"/{PATH}", Answer(ZIP, delay_s=1.0))

    with (
        MastSession(server.url, read_timeout_s=0.1) as session,
        pytest.raises(ServiceUnreachableError, match="did not answer in time"),
    ):
        ask(session)


def test_stall_in_the_middle_of_the_body_is_unreachable_after_the_time_limit(server):
    server.answer(f"/{PATH}", Answer(ZIP + bytes(100_000), stall_s=1.0))

    with (
        MastSession(server.url, read_timeout_s=0.1) as session,
        pytest.raises(ServiceUnreachableError, match="did not answer in time"),
    ):
        ask(session)


def test_body_that_ends_early_is_not_taken_for_whole(server, session):
    server.answer(f"/{PATH}", Answer(ZIP, claimed_length=1000))

    with pytest.raises(ServiceUnreachableError, match="broke off in the middle"):
        ask(session)


def test_connection_that_is_cut_before_the_answer_is_unreachable(server, session):
    server.answer(f"/{PATH}", Answer(hang_up=True))

    with pytest.raises(ServiceUnreachableError, match="no connection to"):
        ask(session)


def test_body_that_cannot_be_decoded_is_unexpected(server, session):
    server.answer(f"/{PATH}", Answer(b"not gzip", headers={"Content-Encoding": "gzip"}))

    with pytest.raises(UnexpectedReplyError, match="cannot be decoded"):
        ask(session)


def test_missing_certificates_of_this_machine_are_named(monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")

    with (
        MastSession("https://127.0.0.1:9") as session,
        pytest.raises(ServiceError, match=r"This machine cannot speak to 127.*ca\.pem"),
    ):
        ask(session)


def foreign_errors() -> list[type[Exception]]:
    return [
        kind
        for _, kind in inspect.getmembers(requests.exceptions, inspect.isclass)
        if issubclass(kind, requests.RequestException) and kind is not requests.RequestException
    ]


@pytest.mark.parametrize("kind", foreign_errors(), ids=lambda kind: kind.__name__)
def test_every_error_of_requests_has_an_entry_of_its_own(kind):
    exc = kind.__new__(kind)

    ours = session_module._our_error(exc, "mast.stsci.edu")

    assert isinstance(ours, ServiceError)
    assert "mast.stsci.edu" in str(ours)
    # The catch-all names the class of what it does not know.
    assert kind.__name__ not in str(ours)


def test_errors_below_requests_are_mapped_too():
    ours = session_module._our_error(urllib3.exceptions.LocationParseError("x"), "a.example")

    assert str(ours) == (
        "The exchange with a.example failed (LocationParseError). Try again in a minute."
    )


def test_original_error_stays_attached(server, session):
    server.answer(f"/{PATH}", Answer(hang_up=True))

    with pytest.raises(ServiceUnreachableError) as caught:
        ask(session)

    assert isinstance(caught.value.__cause__, requests.ConnectionError)


def test_at_most_ten_requests_are_in_flight_whatever_the_number_of_sessions(server):
    server.answer(f"/{PATH}", Answer(ZIP, delay_s=0.2))

    with (
        MastSession(server.url) as first,
        MastSession(server.url) as second,
        ThreadPoolExecutor(40) as pool,
    ):
        replies = list(pool.map(ask, [first, second] * 20))

    assert len(replies) == 40
    assert server.most_in_flight == MAX_IN_FLIGHT == 10


def test_slot_is_free_again_after_a_failure(server, session):
    server.answer(f"/{PATH}", *[Answer(hang_up=True)] * 15, Answer(ZIP))

    for _ in range(15):
        with pytest.raises(ServiceUnreachableError):
            ask(session)

    assert ask(session).kind == "zip"


def test_name_look_up_does_not_wait_behind_ten_cutouts(server, session):
    may_end = threading.Event()

    def hold(_):
        may_end.wait(10)
        return Answer(ZIP)

    server.answer(f"/{PATH}", hold)
    server.answer("/Santa-war/query", json_answer({}))

    with ThreadPoolExecutor(MAX_IN_FLIGHT) as pool:
        cutouts = [pool.submit(ask, session) for _ in range(MAX_IN_FLIGHT)]
        while len(server.requests) < MAX_IN_FLIGHT:
            time.sleep(0.005)
        reply = session.resolver_get([("name", "M1")])
        may_end.set()
        assert all(c.result().kind == "zip" for c in cutouts)

    assert reply.json == {}


@pytest.mark.parametrize(
    ("answer", "reachable"),
    [
        (Answer(b"<html>"), True),
        (Answer(status=404), True),
        (Answer(status=302, headers={"Location": "http://192.0.2.1/"}), True),
        (Answer(status=503), False),
        (Answer(hang_up=True), False),
        (Answer(delay_s=1.0), False),
    ],
)
def test_server_is_reachable_if_its_root_answers_in_time(answer, reachable, server, session):
    server.answer("/", answer)

    assert session.is_reachable(timeout_s=0.5) is reachable


def test_nobody_there_is_not_reachable():
    with MastSession(f"http://127.0.0.1:{unused_port()}") as session:
        assert session.is_reachable() is False


def test_name_look_up_that_hangs_does_not_keep_the_caller(monkeypatch):
    may_end = threading.Event()

    def hang(*args, **kwargs):
        may_end.wait(10)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    start = time.perf_counter()

    with MastSession("http://mast.example") as session:
        assert session.is_reachable(timeout_s=0.2) is False

    assert time.perf_counter() - start < 5
    may_end.set()
    for thread in threading.enumerate():
        if thread.name == "skystamp-reach":
            thread.join(10)


def test_proxy_of_the_environment_does_not_get_between_this_machine_and_itself(
    server, session, monkeypatch
):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_port()}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{unused_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    server.answer(f"/{PATH}", Answer(ZIP))
    server.answer("/", Answer(b"here"))

    assert ask(session).kind == "zip"
    assert session.is_reachable() is True


def test_proxy_of_the_environment_is_used_on_the_way_to_mast(server, monkeypatch):
    monkeypatch.setenv("http_proxy", server.url)
    server.answer(f"/{PATH}", Answer(ZIP))

    with MastSession("http://mast.example") as session:
        assert ask(session).kind == "zip"

    assert server.requests[0].headers["Host"] == "mast.example"


def test_broken_proxy_is_named(monkeypatch):
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{unused_port()}")

    with (
        MastSession("https://mast.example") as session,
        pytest.raises(ServiceUnreachableError, match=r"proxy on the way to mast\.example"),
    ):
        ask(session)


def test_body_is_held_once(server, session):
    size = 20_000_000
    server.answer(f"/{PATH}", Answer(ZIP + bytes(size)))
    ask(session)

    tracemalloc.start()
    reply = ask(session)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(reply.content) == size + len(ZIP)
    # One buffer, which grows by an eighth at a time, and pieces of a mebibyte.
    assert peak < 1.3 * size


def test_session_can_be_used_again_after_it_was_closed(server, session):
    server.answer(f"/{PATH}", Answer(ZIP))
    ask(session)

    session.close()

    assert ask(session).kind == "zip"


def test_json_numbers_arrive_as_python_reads_them(server, session):
    server.answer(f"/{PATH}", Answer(json.dumps({"results": [{"sector": "0006"}]}).encode()))

    assert ask(session, "json").json == {"results": [{"sector": "0006"}]}
