"""The state of one hole while it is being filled. Plain data, written by the segment runner and the constraints."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from slipform.grammars.compiler import CompiledGrammar
from slipform.grammars.matcher import Matcher
from slipform.grammars.session import ForcedRun
from slipform.runtime.program import FillPart
from slipform.runtime.request import TokenLogprob, TokenSource
from slipform.runtime.stopping import FillText


@dataclass(slots=True, eq=False)
class TokenNote:
    """What a trace says of one token, as long as its text is not known; see `TokenTrace`."""

    token_id: int
    source: TokenSource
    num_allowed: int
    step: int
    cost_ms: float
    at_s: float | None
    logprob: TokenLogprob | None


@dataclass(slots=True, eq=False)
class FillConstraint:
    """The cursor of one fill in its grammar, and the seam it has to respell first. Moved by `Constraints` only.

    Attributes:
        grammar, matcher: None for free text behind a healed seam.
        seam: bytes that the next tokens must begin with.
        run: tokens that the grammar forces, where it stands before them; forced: what of them is still to come.
        is_complete: the text matches and nothing may follow it.
        jumps: whether forced tokens are looked for.
    """

    grammar: CompiledGrammar | None
    matcher: Matcher | None
    seam: bytes
    run: ForcedRun | None = None
    forced: tuple[int, ...] = ()
    is_complete: bool = False
    jumps: bool = True


@dataclass(slots=True, eq=False)
class FillState:
    """A fill while it is being filled.

    Attributes:
        start: position in the context of its first token. token_ids: its tokens so far.
        num_counted: tokens that count towards `max_tokens`: all but those that only respell a healed seam.
        seam: bytes of the text before the fill that its tokens begin with.
        constraint: its grammar's cursor, or None for free text whose seam is behind it.
        allowed: (W,) int32 mask row of `allowed_token_ids`, or None where all are allowed.
        seed: 64 bits; with a position they determine a draw.
        jumps: forced tokens are appended without a step for each.
        in_runs: and all at once: nothing looks at single tokens.
        wants_logprobs: a sampled token's log-probability is wanted, by the fill or by the request.
        mask_s: seconds spent on masks and automata.
    """

    part: FillPart
    start: int
    text: FillText
    seam: bytes
    constraint: FillConstraint | None
    seed: int
    jumps: bool
    in_runs: bool
    wants_logprobs: bool
    allowed: npt.NDArray[np.int32] | None = None
    token_ids: list[int] = field(default_factory=list)
    num_counted: int = 0
    num_forced: int = 0
    num_sampled: int = 0
    num_closing: int = 0
    logprobs: list[TokenLogprob] = field(default_factory=list)
    trace: list[TokenNote] = field(default_factory=list)
    mask_s: float = 0.0
