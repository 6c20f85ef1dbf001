"""One server for the tests that only ask questions."""

from collections.abc import Iterator

import httpx
import pytest

from slipform.runtime.server.launcher import ProcessLauncher
from slipform.runtime.server.metrics import PrometheusObserver
from tests.fakes import scripted_engine
from tests.server.serving import RunningServer, chat_tokenizer, running


@pytest.fixture(scope="session")
def server() -> Iterator[RunningServer]:
    """A scripted model behind a server without keys."""
    with running(lambda: scripted_engine(tokenizer=chat_tokenizer(), eos_bias=-2.0)) as started:
        yield started


@pytest.fixture(scope="session")
def http(server: RunningServer) -> Iterator[httpx.Client]:
    with server.http() as client:
        yield client


@pytest.fixture(scope="session")
def embedded() -> Iterator[RunningServer]:
    """The embedded model behind a server without keys, for clients that want sensible answers."""
    # One thread: teams of threads wait for each other at every barrier, for long where the machine is busy.
    options = {"pool_slots": 16384, "max_sequences": 16, "seed": 0, "warm_up": False, "threads": 1}
    with running(ProcessLauncher(None, options), observer=PrometheusObserver("slipform")) as started:
        yield started
