"""Mask rows of one vocabulary, shared by all its grammars: identical rows are kept once, old ones are forgotten."""

import threading

import numpy as np
import numpy.typing as npt

from slipform.kernels.mask_rows import fingerprint

Int32 = npt.NDArray[np.int32]

DEFAULT_POOL_BYTES = 192 * 1024 * 1024


class MaskPool:
    """A bounded table of mask rows. A row is named by its slot and the slot's serial number, which changes when the
    slot is given to another row. Thread-safe.

    Attributes:
        rows: (capacity, W) int32. Memory is touched only as slots are filled.
        serial: per slot, the number of the row in it.
    """

    def __init__(self, num_words: int, max_bytes: int = DEFAULT_POOL_BYTES) -> None:
        capacity = max(16, max_bytes // (4 * num_words)) if num_words else 16
        self.rows: Int32 = np.empty((capacity, num_words), np.int32)
        self._row_bytes = 4 * num_words
        self.serial: list[int] = []
        self._num_allowed: list[int] = []
        self._lock = threading.Lock()
        self._used: list[int] = []
        self._fingerprints: list[int] = []
        self._slot_of: dict[int, int] = {}
        self._free: list[int] = []
        self._clock = 0
        self._next_serial = 0

    @property
    def num_bytes(self) -> int:
        """Memory of the rows in use."""
        return (len(self.serial) - len(self._free)) * self._row_bytes

    def put(self, row: Int32) -> tuple[int, int]:
        """(slot, serial) of a row equal to `row`, stored now if it is new. May forget the rows used longest ago."""
        key = int(fingerprint(row))
        with self._lock:
            slot = self._slot_of.get(key)
            while slot is not None and not np.array_equal(self.rows[slot], row):
                key += 1
                slot = self._slot_of.get(key)
            if slot is None:
                slot = self._take_slot()
                self.rows[slot] = row
                self._num_allowed[slot] = -1
                self._slot_of[key] = slot
                self._fingerprints[slot] = key
            self._clock += 1
            self._used[slot] = self._clock
            return slot, self.serial[slot]

    def count(self, slot: int) -> int:
        """How many tokens the row in `slot` allows."""
        if self._num_allowed[slot] < 0:
            self._num_allowed[slot] = int(np.bitwise_count(self.rows[slot].view(np.uint32)).sum())
        return self._num_allowed[slot]

    def touch(self, slot: int) -> None:
        """Note that the row is in use."""
        self._clock += 1
        self._used[slot] = self._clock

    def _take_slot(self) -> int:
        if not self._free:
            if len(self.serial) < len(self.rows):
                self.serial.append(self._number())
                self._num_allowed.append(-1)
                self._used.append(0)
                self._fingerprints.append(0)
                return len(self.serial) - 1
            self._forget_half()
        slot = self._free.pop()
        self.serial[slot] = self._number()
        return slot

    def _number(self) -> int:
        self._next_serial += 1
        return self._next_serial

    def _forget_half(self) -> None:
        oldest = sorted(range(len(self.serial)), key=self._used.__getitem__)[: len(self.serial) // 2 + 1]
        for slot in oldest:
            self.serial[slot] = -1
            del self._slot_of[self._fingerprints[slot]]
        self._free = oldest
