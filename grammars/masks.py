"""Whole mask rows of one vocabulary, for masks that are no short list: equal ones once, old ones forgotten."""

import threading

import numpy as np
import numpy.typing as npt

from slipform.kernels.mask_rows import fingerprint

Int32 = npt.NDArray[np.int32]

DEFAULT_POOL_BYTES = 192 * 1024 * 1024
_SERIALS = 1 << 31


class MaskPool:
    """A bounded table of mask rows. A row is named by its slot and the slot's serial number, which changes when the
    slot is given to another row. Thread-safe.

    Attributes:
        rows: (capacity, W) int32. Memory is touched only as slots are filled. Read them under `lock`, or in one call
            that keeps Python's global lock, after a look at `serial`: a slot gets its new number before its new row.
        serial: (capacity,) int32, the number of the row in each slot, -1 for none.
        used: (capacity,) int32, when a row was last read or put; `clock` holds the present.
        lock: held while rows move.
    """

    def __init__(self, num_words: int, max_bytes: int = DEFAULT_POOL_BYTES) -> None:
        capacity = max(16, max_bytes // (4 * num_words)) if num_words else 16
        self.rows: Int32 = np.empty((capacity, num_words), np.int32)
        self.serial: Int32 = np.full(capacity, -1, np.int32)
        self.used: Int32 = np.zeros(capacity, np.int32)
        self.clock: Int32 = np.zeros(1, np.int32)
        self.lock = threading.Lock()
        self._row_bytes = 4 * num_words
        self._num_slots = 0
        self._fingerprints: list[int] = []
        self._slot_of: dict[int, int] = {}
        self._free: list[int] = []
        self._next_serial = 0

    @property
    def num_bytes(self) -> int:
        """Memory of the rows in use."""
        return (self._num_slots - len(self._free)) * self._row_bytes

    def put(self, row: Int32) -> tuple[int, int]:
        """(slot, serial) of a row equal to `row`, stored now if it is new. May forget the rows used longest ago."""
        key = int(fingerprint(row))
        with self.lock:
            slot = self._slot_of.get(key)
            while slot is not None and not np.array_equal(self.rows[slot], row):
                key += 1
                slot = self._slot_of.get(key)
            if slot is None:
                slot = self._take_slot()
                self.rows[slot] = row
                self._slot_of[key] = slot
                self._fingerprints[slot] = key
            self.clock += 1
            self.used[slot] = self.clock[0]
            return slot, int(self.serial[slot])

    def _take_slot(self) -> int:
        if not self._free and self._num_slots < len(self.rows):
            slot = self._num_slots
            self._num_slots += 1
            self._fingerprints.append(0)
        else:
            if not self._free:
                self._forget_half()
            slot = self._free.pop()
        self.serial[slot] = self._next_serial
        self._next_serial = (self._next_serial + 1) % _SERIALS
        return slot

    def _forget_half(self) -> None:
        oldest = np.argsort(self.used, kind="stable")[: len(self.rows) // 2 + 1].tolist()
        for slot in oldest:
            self.serial[slot] = -1
            del self._slot_of[self._fingerprints[slot]]
        self._free = oldest
