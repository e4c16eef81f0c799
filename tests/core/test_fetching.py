import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from cutout_core.errors import ServiceBusyError
from cutout_core.fetching import FetchJob, FetchState


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def wait_for(claim, timeout_s: float = 10.0) -> None:
    end = time.monotonic() + timeout_s
    while not claim():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.005)


def test_results_come_in_the_order_of_the_requests(executor):
    first_may_go = threading.Event()

    def fetch(n):
        if n == 0:
            assert first_may_go.wait(10)
        return n * 10

    job = FetchJob([0, 1, 2], fetch, executor)
    wait_for(lambda: job.n_ended == 2)
    assert job.results == [10, 20]
    assert job.running

    first_may_go.set()
    wait_for(lambda: not job.running)
    assert job.results == [0, 10, 20]


def test_failed_request_does_not_touch_the_others(executor):
    def fetch(n):
        if n == 1:
            msg = "MAST is busy. Try again in a minute."
            raise ServiceBusyError(msg)
        return n

    job = FetchJob([0, 1, 2], fetch, executor)
    wait_for(lambda: not job.running)

    assert job.results == [0, 2]
    assert [(i.request, i.problem) for i in job.failed] == [
        (1, "MAST is busy. Try again in a minute.")
    ]


def test_nothing_there_is_an_empty_item_and_no_failure(executor):
    job = FetchJob(["a"], lambda _: None, executor)
    wait_for(lambda: not job.running)

    assert job.items[0].state is FetchState.EMPTY
    assert job.results == []
    assert job.failed == []


def test_bug_is_loud_in_the_log_and_a_plain_sentence_on_the_page(executor, caplog):
    def fetch(_):
        raise ZeroDivisionError

    with caplog.at_level(logging.ERROR):
        job = FetchJob(["a"], fetch, executor)
        wait_for(lambda: not job.running)

    assert job.failed[0].problem == (
        "This is a mistake in Skystamp, not yours. The server's log has it."
    )
    assert "ZeroDivisionError" in caplog.text


def test_stop_keeps_what_is_done_and_drops_what_comes_later(executor):
    may_go = threading.Event()
    started = threading.Event()

    def fetch(n):
        if n > 0:
            started.set()
            assert may_go.wait(10)
        return n

    job = FetchJob(range(5), fetch, executor)
    wait_for(lambda: job.n_ended == 1)
    assert started.wait(10)

    job.stop()
    assert not job.running

    may_go.set()
    executor.shutdown(wait=True)
    assert job.results == [0]
    assert [i.state for i in job.items[1:]] == [FetchState.STOPPED] * 4


def test_what_failed_or_was_stopped_can_be_asked_for_again(executor):
    broken = {1}

    def fetch(n):
        if n in broken:
            msg = "MAST is busy. Try again in a minute."
            raise ServiceBusyError(msg)
        return n

    job = FetchJob([0, 1], fetch, executor)
    wait_for(lambda: not job.running)
    broken.clear()

    job.retry_failed()
    wait_for(lambda: not job.running)

    assert job.results == [0, 1]
    assert job.failed == []


def test_request_stopped_while_under_way_and_asked_for_again_is_not_ended_by_the_old_thread(
    executor,
):
    calls = iter([threading.Event(), threading.Event()])
    under_way: list[threading.Event] = []

    def fetch(_):
        gate = next(calls)
        under_way.append(gate)
        assert gate.wait(10)
        return under_way.index(gate)

    job = FetchJob(["a"], fetch, executor)
    wait_for(lambda: len(under_way) == 1)
    job.stop()
    job.retry_failed()
    wait_for(lambda: len(under_way) == 2)

    under_way[0].set()
    time.sleep(0.05)
    assert job.running

    under_way[1].set()
    wait_for(lambda: not job.running)
    assert job.results == [1]


def test_what_waited_at_a_stop_is_asked_for_once_when_it_is_asked_for_again():
    may_go, asked = threading.Event(), []

    def fetch(n):
        asked.append(n)
        assert may_go.wait(10)
        return n

    with ThreadPoolExecutor(1) as pool:
        job = FetchJob(range(4), fetch, pool)
        wait_for(lambda: asked == [0])
        job.stop()
        job.retry_failed()
        may_go.set()
        wait_for(lambda: not job.running)

    # The first was under way when the stop came, and is asked for again.
    assert asked == [0, 0, 1, 2, 3]
    assert job.results == [0, 1, 2, 3]
