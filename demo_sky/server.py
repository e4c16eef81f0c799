"""
The HTTP face of the demo sky: MAST's paths and refusals around the services' own modules.

Where MAST's behaviour is not known (contract, section 7), the choice is the tolerant one.
"""

from __future__ import annotations

import asyncio
import html
import logging
import os
import socket
import threading
import time
from types import TracebackType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo_sky import names, tesscut, tic
from demo_sky.hubble import routes as hubble
from demo_sky.movers import routes as movers
from demo_sky.parameters import BadRequestError, is_true, number, position, read_parameters
from demo_sky.sky.catalogue import stars_in_cone
from demo_sky.sky.variability import truth
from demo_sky.tess.geometry import NOMINAL_PIXEL_ARCSEC

# MAST serves at most this many requests of one user at once.
MAX_PARALLEL = 10

_WHAT_THIS_IS = (
    "Skystamp demo sky: a simulated archive that speaks MAST's protocol (TESSCut, Zcut, HAPCut,\n"
    "name resolver).\n"
    "All data are simulated. Nothing here comes from MAST.\n"
)

# Planted truth is told for cutouts, not for surveys of the simulated sky.
_LARGEST_TRUTH_PX = 100.0

_POLL_S = 0.005
_STOP_TIMEOUT_S = 10.0


def _html(status: int, title: str, message: str) -> HTMLResponse:
    text = f"<html><head><title>{status} {title}</title></head>\n<body><h1>{status} {title}</h1>\n"
    return HTMLResponse(f"{text}<p>{html.escape(message)}</p></body></html>\n", status)


async def _bad_request(_request: Request, error: Exception) -> Response:
    return _html(400, "Bad Request", str(error))


async def _gone(_request: Request, _error: Exception) -> Response:
    # Nobody reads it: the client has left.
    return Response(status_code=499)


def _is_last(message: Message) -> bool:
    return message["type"] == "http.response.body" and not message.get("more_body", False)


class ParallelLimit:
    """
    Refuses requests beyond a number that are in flight at once, as MAST does: 503.

    Parameters
    ----------
    app : ASGIApp
        What answers the others.
    max_parallel : int
        Requests served at once, from their arrival to the last byte of the reply.
    latency_s : float
        Wait before each reply, seconds: a stand-in for a far and busy service.
    """

    def __init__(self, app: ASGIApp, max_parallel: int, latency_s: float) -> None:
        self._app = app
        self._free = max_parallel
        self._latency_s = latency_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. All runs in one event loop, so the count needs no lock."""
        if self._free <= 0:
            message = "The server is temporarily unable to service your request."
            await _html(503, "Service Temporarily Unavailable", message)(scope, receive, send)
            return
        self._free -= 1
        in_flight = True

        async def send_and_release(message: Message) -> None:
            nonlocal in_flight
            # The client may ask again as soon as it has the last byte: the place is free by then.
            if in_flight and _is_last(message):
                in_flight = False
                self._free += 1
            await send(message)

        try:
            if self._latency_s > 0.0:
                await asyncio.sleep(self._latency_s)
            await self._app(scope, receive, send_and_release)
        finally:
            if in_flight:
                self._free += 1


async def _say_what_this_is(_request: Request) -> Response:
    return PlainTextResponse(_WHAT_THIS_IS)


async def _resolve_names(request: Request) -> Response:
    parameters = await read_parameters(request)
    wanted = [name for name in parameters.get("name", []) if name]
    if not wanted:
        msg = "The parameter name is missing."
        raise BadRequestError(msg)
    resolvers = [name for name in parameters.get("resolver", []) if name]
    reply = await run_in_threadpool(
        names.resolve,
        wanted,
        resolvers=resolvers,
        resolve_all=is_true(parameters, "resolveAll"),
    )
    return JSONResponse(reply)


async def _tell_truth(request: Request) -> Response:
    parameters = await read_parameters(request)
    ra, dec = position(parameters)
    size = number(parameters, "size", default=11.0)
    if not 0.0 < size <= _LARGEST_TRUTH_PX:
        msg = f"The size is not between 0 and {_LARGEST_TRUTH_PX:.0f} pixels: {size!r}"
        raise BadRequestError(msg)
    # A cutout is turned differently in each sector: the circle through its corners holds them all.
    radius = size / 2**0.5 * NOMINAL_PIXEL_ARCSEC / 3600.0

    def look_up() -> list[dict[str, Any]]:
        return truth(stars_in_cone(ra, dec, radius))

    return JSONResponse({"simulated": True, "stars": await run_in_threadpool(look_up)})


def make_app(*, max_parallel: int = MAX_PARALLEL, latency_s: float = 0.0) -> Starlette:
    """
    Make the application.

    Parameters
    ----------
    max_parallel : int, optional
        Requests that each cutout service answers at once; more get a 503.
    latency_s : float, optional
        Wait before each of their replies, seconds.

    Returns
    -------
    app : Starlette
        An ASGI application.

    Raises
    ------
    ValueError
        If `max_parallel` is below 1 or `latency_s` negative.
    """
    if max_parallel < 1:
        msg = f"max_parallel must be at least 1, got {max_parallel}"
        raise ValueError(msg)
    if not 0.0 <= latency_s < float("inf"):
        msg = f"latency_s must be zero or positive, got {latency_s}"
        raise ValueError(msg)
    both = ["GET", "POST"]

    def service(name: str, routes: list[Route]) -> Mount:
        app = Starlette(
            routes=routes,
            exception_handlers={BadRequestError: _bad_request, ClientDisconnect: _gone},
        )
        return Mount(f"/{name}/api/v0.1", ParallelLimit(app, max_parallel, latency_s))

    return Starlette(
        routes=[
            Route("/", _say_what_this_is),
            service("tesscut", [*tesscut.routes(), *movers.routes()]),
            service("zcut", hubble.zcut_routes()),
            service("hapcut", hubble.hapcut_routes()),
            Route("/Santa-war/query", _resolve_names, methods=both),
            Route("/demo/truth", _tell_truth, methods=both),
            *movers.truth_routes(),
            *hubble.truth_routes(),
            *tic.routes(),
        ],
        exception_handlers={BadRequestError: _bad_request, ClientDisconnect: _gone},
    )


def listen(host: str, port: int) -> socket.socket:
    """
    Open the server's socket.

    Parameters
    ----------
    host : str
        Name or address of this machine.
    port : int
        0 takes a free one.

    Returns
    -------
    listener : socket.socket
        To be closed by the caller, or by the server that it is given to.

    Raises
    ------
    OSError
        If the port is taken, or the address is not this machine's.
    """
    # With protocol 0 asyncio leaves Nagle's algorithm on, and every reply stalls for 44 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def base_url(listener: socket.socket) -> str:
    """
    Give the URL under which a socket is reached from this machine.

    Parameters
    ----------
    listener : socket.socket
        Of `listen`.

    Returns
    -------
    url : str
        Without a slash at the end.
    """
    host, port = listener.getsockname()
    return f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"


def make_server(app: ASGIApp) -> uvicorn.Server:
    """
    Make the HTTP server around an application; quiet but for warnings.

    Parameters
    ----------
    app : ASGIApp
        Of `make_app`.

    Returns
    -------
    server : uvicorn.Server
        Not running yet.
    """
    config = uvicorn.Config(
        app,
        # Warnings and errors go where the process's own go; requests are not logged.
        log_config=None,
        log_level=logging.WARNING,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


class RunningServer:
    """
    A demo sky in a thread of this process; a context manager that stops it.

    Parameters
    ----------
    app : ASGIApp
        What answers.
    host : str
        Address to listen on.
    port : int
        0 takes a free one.

    Attributes
    ----------
    url : str
        Base URL, without a slash at the end.
    """

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        listener = listen(host, port)
        self.url = base_url(listener)
        self._server = make_server(app)
        self._thread = threading.Thread(
            target=self._server.run,
            kwargs={"sockets": [listener]},
            name="demo sky",
            daemon=True,
        )
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(_POLL_S)

    def stop(self) -> None:
        """Stop the server and wait until its sockets are closed; the second time does nothing."""
        self._server.should_exit = True
        self._thread.join(_STOP_TIMEOUT_S)

    def __enter__(self) -> RunningServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def start(
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    max_parallel: int = MAX_PARALLEL,
    latency_s: float = 0.0,
) -> RunningServer:
    """
    Start a demo sky in a thread.

    Parameters
    ----------
    host : str, optional
        Address to listen on.
    port : int, optional
        0 takes a free one.
    max_parallel : int, optional
        As in `make_app`.
    latency_s : float, optional
        As in `make_app`.

    Returns
    -------
    server : RunningServer
        Answers already; ends with its ``stop()`` or as a context manager.

    Raises
    ------
    OSError
        If the port is taken, or the address is not this machine's.
    """
    return RunningServer(make_app(max_parallel=max_parallel, latency_s=latency_s), host, port)
