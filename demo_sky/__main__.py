"""Starts the demo sky from the command line: ``python -m demo_sky``."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Sequence

from demo_sky.server import MAX_PARALLEL, base_url, listen, make_app, make_server


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        msg = f"must be at least 1: {text}"
        raise argparse.ArgumentTypeError(msg)
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not 0.0 <= value < float("inf"):
        msg = f"must be zero or a positive number of seconds: {text}"
        raise argparse.ArgumentTypeError(msg)
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m demo_sky",
        description="Serve a simulated TESS archive that speaks MAST's protocol.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument(
        "--port", type=int, default=8765, help="port; 0 takes a free one (%(default)s)"
    )
    parser.add_argument(
        "--max-parallel",
        type=_positive,
        default=MAX_PARALLEL,
        help="requests answered at once; more get a 503 (%(default)s)",
    )
    parser.add_argument(
        "--latency",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="wait before each reply of the cutout service (%(default)s)",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Serve until interrupted.

    Parameters
    ----------
    arguments : sequence of str, optional
        Command line without the program's name; None takes the process's own.

    Returns
    -------
    status : int
        0, or 1 if the address cannot be listened on.
    """
    options = _parser().parse_args(arguments)
    try:
        listener = listen(options.host, options.port)
    except (OSError, OverflowError) as exc:
        sys.stderr.write(f"Cannot listen on {options.host}:{options.port}: {exc}\n")
        return 1
    url = base_url(listener)
    sys.stdout.write(f"Skystamp demo sky (simulated data) at {url} - stop it with Ctrl-C\n")
    sys.stdout.flush()
    app = make_app(max_parallel=options.max_parallel, latency_s=options.latency)
    # uvicorn ends in good order at Ctrl-C, and then raises it again.
    with contextlib.suppress(KeyboardInterrupt):
        make_server(app).run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
