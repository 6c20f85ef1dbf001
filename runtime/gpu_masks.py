"""Mask rows on a device: a copy of the vocabulary's mask pool, to which a row goes when it is first used.

A step names one row of the pool for each sequence. Rows that a rule outside the grammar edited, and rows of a single
forced token, are put into the vocabulary's pool like any other, so that equal rows are sent once.
"""

from collections.abc import Iterable

import numpy as np
import torch

from slipform.errors import SlipformError
from slipform.grammars.vocabulary import Vocabulary
from slipform.runtime.constraints import Constraints, is_short, needs_edit
from slipform.runtime.fill_state import FillState
from slipform.runtime.staging import Staging

NO_MASK = -1


class GpuMasks:
    """Finds the pool's row of each fill and sees to it that the device has it.

    Attributes:
        pool: (P, W) int32 on the device.
    """

    def __init__(self, vocabulary: Vocabulary, constraints: Constraints, device: torch.device) -> None:
        self._host = vocabulary.mask_pool
        self._constraints = constraints
        self._device = device
        self.pool = torch.zeros(self._host.rows.shape, dtype=torch.int32, device=device)
        # The number of the row that the device has in each slot; see `MaskPool`.
        self._sent = [-1] * len(self._host.rows)
        self._staged_rows = Staging(torch.int32, device)
        self._staged_slots = Staging(torch.int64, device)
        self._forced: dict[int, tuple[int, int]] = {}

    def slots(self, fills: Iterable[tuple[int, FillState]]) -> tuple[dict[int, int], dict[int, SlipformError]]:
        """By table row: the slot of each fill's mask, or NO_MASK; and the errors of grammars that have no mask here.

        Mutates: the pool; copies are under way when this returns, before all that is launched later.
        """
        found: dict[int, int] = {}
        edited: list[tuple[int, FillState]] = []
        missing: list[int] = []
        errors: dict[int, SlipformError] = {}
        for row, fill in fills:
            constraint = fill.constraint
            if constraint is None and not is_short(fill) and fill.allowed is None:
                found[row] = NO_MASK
            elif constraint is not None and constraint.forced:
                self._want(row, self._forced_slot(constraint.forced[0]), found, missing)
            elif constraint is None or constraint.matcher is None or needs_edit(fill):
                edited.append((row, fill))
            else:
                try:
                    named = constraint.matcher.mask_slot()
                except SlipformError as error:
                    errors[row] = error
                    continue
                if named is None:  # its text is over: nothing is allowed
                    edited.append((row, fill))
                else:
                    self._want(row, named, found, missing)
        if edited:
            errors |= self._constraints.write_masks(edited)
            for row, _ in edited:
                if row not in errors:
                    self._want(row, self._host.put(self._constraints.masks[row]), found, missing)
        if missing:
            self._send(missing)
        return found, errors

    def _want(self, row: int, named: tuple[int, int], found: dict[int, int], missing: list[int]) -> None:
        slot, serial = named
        found[row] = slot
        if self._sent[slot] != serial:
            self._sent[slot] = serial
            missing.append(slot)

    def _forced_slot(self, token_id: int) -> tuple[int, int]:
        """The slot of the mask that admits one token."""
        known = self._forced.get(token_id)
        if known is None or self._host.serial[known[0]] != known[1]:
            mask = np.zeros(self._host.rows.shape[1], np.int32)
            mask.view(np.uint32)[token_id >> 5] = np.uint32(1 << (token_id & 31))
            known = self._forced[token_id] = self._host.put(mask)
        self._host.used[known[0]] = self._host.clock[0]
        return known

    def _send(self, slots: list[int]) -> None:
        rows = self._staged_rows.take(len(slots), self.pool.shape[1])
        with self._host.lock:
            np.take(self._host.rows, slots, axis=0, out=rows.numpy())
        self._staged_slots.take(len(slots)).numpy()[:] = slots
        self.pool.index_copy_(0, self._staged_slots.send(), self._staged_rows.send())
