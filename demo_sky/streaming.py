"""Runs a generator of bytes in worker threads, so that the server can answer others meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request


def _next_chunk(chunks: Generator[bytes, None, None]) -> bytes | None:
    return next(chunks, None)


async def start_in_thread(chunks: Generator[bytes, None, None], request: Request) -> bytes:
    """
    Run a generator until it gives bytes.

    Parameters
    ----------
    chunks : generator of bytes
        Gives empty strings while it works, so that it can be stopped.
    request : Request
        Whose sender may go away meanwhile.

    Returns
    -------
    first : bytes
        Empty if there are none at all.

    Raises
    ------
    ClientDisconnect
        If the sender went away; the generator is closed.
    """
    while (chunk := await run_in_threadpool(_next_chunk, chunks)) is not None:
        if chunk:
            return chunk
        if await request.is_disconnected():
            chunks.close()
            raise ClientDisconnect
    return b""


async def in_threads(first: bytes, chunks: Generator[bytes, None, None]) -> AsyncIterator[bytes]:
    """
    Give the chunks of a generator, each made in a worker thread.

    Parameters
    ----------
    first : bytes
        Given before them.
    chunks : generator of bytes
        Empty strings are left out. Closed at the end, and when the reply is broken off.

    Yields
    ------
    chunk : bytes
    """
    try:
        yield first
        while (chunk := await run_in_threadpool(_next_chunk, chunks)) is not None:
            if chunk:
                yield chunk
    finally:
        chunks.close()
