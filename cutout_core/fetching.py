"""
Fetch several things at once, and know at any time how far each of them is.

A `FetchJob` is plain Python: the page that shows it may be redrawn, left and come back to while
the work goes on in the threads of an executor.
"""

import enum
import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Generic, TypeVar

from cutout_core.errors import CutoutError

_LOG = logging.getLogger(__name__)

RequestT = TypeVar("RequestT")
ResultT = TypeVar("ResultT")


class FetchState(enum.Enum):
    """How far a request is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    EMPTY = "nothing there"
    FAILED = "failed"
    STOPPED = "stopped"


_ENDED = {FetchState.DONE, FetchState.EMPTY, FetchState.FAILED, FetchState.STOPPED}


@dataclass(slots=True)
class FetchItem(Generic[RequestT, ResultT]):
    """
    One request of a job.

    Attributes
    ----------
    request : object
        What was asked for.
    state : FetchState
    result : object or None
        What came of it, in state DONE.
    problem : str or None
        In state FAILED, a sentence for the visitor.
    """

    request: RequestT
    state: FetchState = FetchState.WAITING
    result: ResultT | None = None
    problem: str | None = None


class FetchJob(Generic[RequestT, ResultT]):
    """
    Run a function on each of several requests, in the threads of an executor.

    One request that fails does not touch the others.

    Parameters
    ----------
    requests : iterable
        Handed to `fetch` one by one.
    fetch : callable
        Returns a result, or `None` where the service has nothing there; raises `CutoutError`.
    executor : Executor
        Whose threads do the work; may be shared with other jobs.
    """

    def __init__(
        self,
        requests: Iterable[RequestT],
        fetch: Callable[[RequestT], ResultT | None],
        executor: Executor,
    ) -> None:
        self._fetch = fetch
        self._executor = executor
        # Each round of requests has an event of its own: what a stop has ended does not come back
        # to life in the next round. The lock keeps a stop from falling between a look and a step.
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.items: list[FetchItem[RequestT, ResultT]] = [FetchItem(r) for r in requests]
        for item in self.items:
            executor.submit(self._work, item, self._stop)

    @property
    def running(self) -> bool:
        """Whether any request is still waiting or under way."""
        return any(item.state not in _ENDED for item in self.items)

    @property
    def n_ended(self) -> int:
        """Number of requests that are done, empty, failed or stopped."""
        return sum(item.state in _ENDED for item in self.items)

    @property
    def results(self) -> list[ResultT]:
        """What has come so far, in the order of the requests."""
        return [item.result for item in self.items if item.result is not None]

    @property
    def failed(self) -> list[FetchItem[RequestT, ResultT]]:
        """The items that failed."""
        return [item for item in self.items if item.state is FetchState.FAILED]

    def stop(self) -> None:
        """Start nothing more; what is done stays, what is under way is dropped when it comes."""
        with self._lock:
            self._stop.set()
            for item in self.items:
                if item.state not in _ENDED:
                    item.state = FetchState.STOPPED

    def retry_failed(self) -> None:
        """Ask again for what failed or was stopped."""
        with self._lock:
            self._stop = threading.Event()
            for item in self.items:
                if item.state in {FetchState.FAILED, FetchState.STOPPED}:
                    item.state, item.problem = FetchState.WAITING, None
                    self._executor.submit(self._work, item, self._stop)

    def _work(self, item: FetchItem[RequestT, ResultT], stop: threading.Event) -> None:
        with self._lock:
            if stop.is_set():
                return
            item.state = FetchState.RUNNING
        problem = None
        try:
            result = self._fetch(item.request)
        except CutoutError as exc:
            end, result, problem = FetchState.FAILED, None, str(exc)
        except Exception:  # noqa: BLE001 - a bug must not leave the item running for ever
            _LOG.exception("fetching %r failed", item.request)
            end, result = FetchState.FAILED, None
            problem = "This is a mistake in Skystamp, not yours. The server's log has it."
        else:
            end = FetchState.DONE if result is not None else FetchState.EMPTY
        with self._lock:
            if not stop.is_set():
                item.result, item.problem, item.state = result, problem, end
