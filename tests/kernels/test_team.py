"""Parallel regions on torch's OpenMP team."""

import numpy as np
import pytest
from numba import njit

from slipform.kernels._numba import c_function, float32_at
from slipform.kernels._team import parallel, team


def _share(place, value, num_threads, thread):  # type: ignore[no-untyped-def]
    float32_at(place, num_threads)[thread] += np.float32(value + thread)


@njit
def _run(library, body, place, num_threads):  # type: ignore[no-untyped-def]
    parallel(library, body, (place, 0.5), num_threads)


@pytest.mark.parametrize("library", [team(), (0, 0, 0)], ids=["torch's", "none"])
@pytest.mark.parametrize("num_threads", [1, 2, 5])
def test_each_share_runs_once(library: tuple[int, int, int], num_threads: int) -> None:
    """Also where the team is smaller than the number of shares, or there is none."""
    found = np.zeros(num_threads, np.float32)
    _run(library, c_function(_share, "idii").address, found.ctypes.data, num_threads)
    assert found.tolist() == [0.5 + thread for thread in range(num_threads)]


def test_torch_brings_a_team() -> None:
    assert all(team())
