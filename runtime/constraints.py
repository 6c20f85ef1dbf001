"""Constraints in the batched loop: cursors of fills, mask rows, forced tokens.

The mask of a step is made in one place, `Constraints.write_masks`, by these rules, each of which leaves something:

1. a forced token: only the first of the forced tokens, and nothing below applies;
2. the grammar's mask (end tokens exactly where the text may end), or everything the tokenizer knows without a grammar;
   of it only `allowed_token_ids`, if there are some: where that leaves nothing, the request ends in an error;
3. a healed seam: only tokens that begin with its bytes, unless the grammar has none of them;
4. where the grammar lets the text end, the fill's own special stop tokens too;
5. `min_tokens` not reached: no end token and no stop token; `ignore_eos` under a grammar: no end token; unless nothing
   else is left.

A grammar that admits nothing but an end is complete: the fill is over before a mask is asked for.
"""

import time
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import torch

from slipform.errors import InvalidRequest, SlipformError, TokenRejected, VocabularyMismatch
from slipform.grammars.compiler import CompiledGrammar
from slipform.grammars.matcher import Matcher, fill_batch, successors
from slipform.grammars.vocabulary import Vocabulary
from slipform.runtime.faults import as_slipform_error
from slipform.runtime.fill_state import FillConstraint, FillState
from slipform.runtime.params import SamplingParams
from slipform.runtime.radix_cache import IdArray
from slipform.runtime.seams import SeamIndex

# How much text before a forced run is looked at to find its canonical tokens.
TAIL_BYTES, TAIL_TOKENS = 128, 64
# These are looked at first: mostly the tokenizer cuts within them.
_NEAR_TOKENS = 3


class Constraints:
    """Starts, advances and masks the constraints of all running fills. Owns the mask buffer, one row a table row."""

    def __init__(self, vocabulary: Vocabulary, *, num_rows: int, num_ids: int, eos_ids: Iterable[int]) -> None:
        """`num_ids`: token ids the tokenizer knows."""
        self.seams = SeamIndex(vocabulary)
        self._eos_ids = np.array(sorted(set(eos_ids)), dtype=np.int64)
        self._special_ids = frozenset(vocabulary.special_ids)
        self._spellings = vocabulary.token_bytes
        self._fewest_tokens = vocabulary.spelling.fewest
        self._jump_forward = vocabulary.jump_forward
        num_words = (num_ids + 31) // 32
        self.masks = np.zeros((num_rows, num_words), dtype=np.int32)
        self.is_masked = np.zeros(num_rows, dtype=np.uint8)
        self._masks_tensor = torch.from_numpy(self.masks)
        bits = np.zeros(num_words * 32, dtype=np.uint8)
        bits[:num_ids] = 1
        self._everything = np.packbits(bits, bitorder="little").view(np.int32)

    def start(
        self, grammar: CompiledGrammar | None, seam: bytes, context: IdArray, jumps: bool = True
    ) -> FillConstraint | None:
        """A cursor for a new fill behind the tokens `context`, whose text begins with `seam`.

        Args:
            jumps: whether tokens that the grammar forces may be taken without a mask.
        Returns: None for free text without a seam.
        """
        if grammar is None:
            return FillConstraint(None, None, seam) if seam else None
        constraint = FillConstraint(grammar, grammar.matcher(seam), seam, jumps=jumps)
        self._look_ahead(constraint, context)
        return constraint

    def allowed_mask(self, params: SamplingParams) -> npt.NDArray[np.int32] | None:
        """The mask row of `allowed_token_ids`, or None where all are allowed."""
        if not params.allowed_token_ids:
            return None
        mask = np.zeros_like(self._everything)
        ids = np.array(params.allowed_token_ids, dtype=np.int64)
        _set_bits(mask, ids[ids < 32 * len(mask)])
        mask &= self._everything
        return mask

    def successors(self, constraints: list[FillConstraint | None], token_ids: list[int]) -> list[int | None]:
        """Where each grammar's cursor would stand behind its token, for `accept`; None where there is no grammar."""
        found: list[int | None] = [None] * len(constraints)
        walking = [
            (at, one.matcher) for at, one in enumerate(constraints) if one is not None and one.matcher is not None
        ]
        if not walking:
            return found
        try:
            after = successors([matcher for _, matcher in walking], [token_ids[at] for at, _ in walking])
        except Exception:  # of one grammar; each finds out by itself, so that only its request pays
            return found
        for (at, _), successor in zip(walking, after, strict=True):
            found[at] = successor
        return found

    def accept(
        self, constraint: FillConstraint, token_id: int, spelling: bytes, context: IdArray, successor: int | None = None
    ) -> None:
        """Advance over one token that became part of the fill, the last of `context`.

        Args:
            successor: what `successors` found, if that was asked.

        Raises: TokenRejected if the grammar does not admit it, which masks should have prevented.
        """
        if constraint.seam:
            constraint.seam = constraint.seam[len(spelling) :]
        matcher = constraint.matcher
        if matcher is None:
            return
        if successor:
            matcher.enter(successor)
        elif successor == 0 or not matcher.accept_token(token_id):
            raise TokenRejected(matcher.state_id, token_id)
        constraint.forced = constraint.forced[1:]
        if not constraint.forced:
            self._look_ahead(constraint, context)

    def accept_forced(self, constraint: FillConstraint, context: IdArray) -> None:
        """Advance over a whole forced run, whose tokens are the last of `context`."""
        assert constraint.matcher is not None
        assert constraint.run is not None
        constraint.matcher.enter(constraint.run.after)
        self._look_ahead(constraint, context)

    def admits_end(self, constraint: FillConstraint | None) -> bool:
        """Whether the fill may end here."""
        return constraint is None or constraint.matcher is None or constraint.matcher.is_accepting

    def admits_text(self, constraint: FillConstraint | None, text: str) -> bool:
        """Whether `text` as a whole would satisfy the grammar."""
        if constraint is None or constraint.grammar is None:
            return True
        matcher = constraint.grammar.matcher()
        spelling = text.encode()
        return matcher.accept_bytes(spelling) == len(spelling) and matcher.is_accepting

    def num_closing(self, constraint: FillConstraint, after: int | None = None) -> int:
        """Tokens of `max_tokens` that the shortest completion takes from here, or behind the token `after`."""
        assert constraint.matcher is not None
        seam = constraint.seam
        if after is None:
            completion: bytes | None = constraint.matcher.shortest_completion()
        else:
            completion = constraint.matcher.shortest_completion_after(after)
            seam = seam[len(self._spellings[after]) :]
        return len(self._spelled(completion or b"")) - self._num_in_seam(completion or b"", seam)

    def leaves_room(self, constraint: FillConstraint, token_id: int, room: int) -> bool:
        """Whether the match can still be completed within `room` tokens behind `token_id`."""
        assert constraint.matcher is not None
        completion = constraint.matcher.shortest_completion_after(token_id)
        # A token spells one byte at least, so that few need a closer look.
        return completion is None or len(completion) <= room or self.num_closing(constraint, token_id) <= room

    def closing(self, constraint: FillConstraint, context: IdArray, room: int) -> tuple[int, ...]:
        """The shortest completion behind `context`: as the tokenizer writes it where that fits in `room` tokens."""
        assert constraint.matcher is not None
        completion = constraint.matcher.shortest_completion()
        own = tuple(self._jump_forward.tokens(self._tail(context), completion, None))
        spelled = b"".join(self._spellings[token_id] for token_id in own)
        return own if spelled == completion and len(own) <= room else self._spelled(completion)

    def _spelled(self, completion: bytes) -> tuple[int, ...]:
        """Raises: VocabularyMismatch if no tokens spell it."""
        ids = self._fewest_tokens(completion)
        if ids is None:
            raise VocabularyMismatch(0, completion)
        return ids

    def _num_in_seam(self, completion: bytes, seam: bytes) -> int:
        """Tokens of the completion that only respell the seam: they do not count towards `max_tokens`."""
        count = length = 0
        for token_id in self._spelled(completion) if seam else ():
            length += len(self._spellings[token_id])
            count += length <= len(seam)
        return count

    def write_masks(self, fills: Iterable[tuple[int, FillState]]) -> dict[int, SlipformError]:
        """Write the mask rows of the fills that sample in this step, given as (table row, fill).

        Returns: by row, the errors of grammars that have no mask here (a dead end for this vocabulary, a bound of
            theirs reached while they are explored); their rows admit everything and must not be used.
        """
        matchers: list[Matcher] = []
        rows: list[int] = []
        walking: list[FillState] = []
        errors: dict[int, SlipformError] = {}
        edited: list[tuple[int, FillState]] = []
        for row, fill in fills:
            constraint = fill.constraint
            if constraint is None:
                self.is_masked[row] = is_short(fill) or fill.allowed is not None
                if self.is_masked[row]:
                    self.masks[row] = self._everything
                    edited.append((row, fill))
                continue
            self.is_masked[row] = 1
            if constraint.forced:
                self.masks[row] = 0
                _set_bits(self.masks[row], np.array([constraint.forced[0]]))
                continue
            if constraint.matcher is None:
                self.masks[row] = self._everything
            else:
                matchers.append(constraint.matcher)
                rows.append(row)
                walking.append(fill)
            if needs_edit(fill):
                edited.append((row, fill))
        if matchers:
            begin = time.perf_counter()
            errors = self._walk(matchers, rows)
            share = (time.perf_counter() - begin) / len(matchers)
            for fill in walking:
                fill.mask_s += share
        for row, fill in edited:
            if fill.allowed is not None:
                self.masks[row] &= fill.allowed
                if not self.masks[row].any() and row not in errors:
                    self.is_masked[row] = 0
                    errors[row] = InvalidRequest("none of them may come next", field="allowed_token_ids")
            self._edit(self.masks[row], fill)
        return errors

    def _walk(self, matchers: list[Matcher], rows: list[int]) -> dict[int, SlipformError]:
        errors: dict[int, SlipformError] = {}
        try:
            fill_batch(matchers, self._masks_tensor, rows)
        except Exception:  # of one matcher; find out which, so that only its request pays
            for matcher, row in zip(matchers, rows, strict=True):
                try:
                    matcher.fill_bitmask(self.masks[row])
                except Exception as error:
                    self.is_masked[row] = 0
                    errors[row] = as_slipform_error(error)
        return errors

    def _edit(self, mask: npt.NDArray[np.int32], fill: FillState) -> None:
        """Rules 3 to 5."""
        constraint = fill.constraint
        params = fill.part.fill.sampling
        short = is_short(fill)
        if constraint is not None and constraint.seam:
            narrowed = mask & self.seams.mask(constraint.seam)
            if narrowed.any():
                mask[:] = narrowed
            return
        stop_ids = np.array(params.stop_token_ids, dtype=np.int64)
        if short or (params.ignore_eos and constraint is not None):
            banned = np.concatenate([self._eos_ids, stop_ids]) if short else self._eos_ids
            narrowed = mask.copy()
            _clear_bits(narrowed, banned)
            if narrowed.any():
                mask[:] = narrowed
        elif self.admits_end(constraint):
            stops = [i for i in params.stop_token_ids if i in self._special_ids]
            if fill.allowed is not None:
                stops = [i for i in stops if i in params.allowed_token_ids]
            _set_bits(mask, np.array(stops, dtype=np.int64))

    def _look_ahead(self, constraint: FillConstraint, context: IdArray) -> None:
        assert constraint.matcher is not None
        facts = constraint.matcher.facts
        constraint.run = None
        constraint.forced = ()
        constraint.is_complete = facts is not None and facts.is_complete
        if constraint.jumps and facts is not None and facts.forced_byte >= 0:
            last = self._tail(context[-_NEAR_TOKENS:])
            constraint.run = constraint.matcher.forced_run(facts, last, lambda: self._tail(context))
            constraint.forced = constraint.run.ids

    def _tail(self, context: IdArray) -> bytes:
        """The text that the context ends with, back to a special token or for a line."""
        spellings = self._spellings
        pieces = [spellings[token_id] for token_id in context[-TAIL_TOKENS:].tolist()]
        if b"" in pieces:
            last_special = len(pieces) - 1 - pieces[::-1].index(b"")
            pieces = pieces[last_special + 1 :]
        tail = b"".join(pieces)[-TAIL_BYTES:]
        # A tail that was cut inside a character is no text.
        cut = next((at for at, byte in enumerate(tail[:4]) if byte & 0xC0 != 0x80), 0)
        return tail[cut:]


def is_short(fill: FillState) -> bool:
    """Whether a fill has not reached its `min_tokens`."""
    return fill.num_counted < fill.part.fill.sampling.min_tokens


def needs_edit(fill: FillState) -> bool:
    """Whether rules 2 to 5 can change the mask of a fill's grammar."""
    constraint = fill.constraint
    return fill.part.edits_masks or (constraint is not None and bool(constraint.seam))


def _set_bits(mask: npt.NDArray[np.int32], ids: npt.NDArray[np.int64]) -> None:
    np.bitwise_or.at(mask.view(np.uint32), ids >> 5, np.uint32(1) << (ids & 31).astype(np.uint32))


def _clear_bits(mask: npt.NDArray[np.int32], ids: npt.NDArray[np.int64]) -> None:
    np.bitwise_and.at(mask.view(np.uint32), ids >> 5, ~(np.uint32(1) << (ids & 31).astype(np.uint32)))
