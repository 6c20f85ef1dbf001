"""Numba fingerprint of packed mask rows."""

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def fingerprint(row: Any) -> Any:
    """A 62-bit hash of an int32 row. Zero words cost little: most rows are sparse."""
    value = np.uint64(0x9E3779B97F4A7C15)
    for index in range(len(row)):
        word = row[index]
        if word != 0:
            value ^= (np.uint64(np.uint32(word)) << np.uint64(20)) ^ np.uint64(index)
            value *= np.uint64(0xBF58476D1CE4E5B9)
            value ^= value >> np.uint64(31)
    return np.int64(value >> np.uint64(2))
