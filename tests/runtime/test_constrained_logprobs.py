"""Log-probabilities among the tokens that a constraint allows, against the softmax written out."""

import math

import numpy as np
import pytest

from slipform.grammars.compiler import compile_grammar
from slipform.grammars.spec import Regex
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import Fill, Text
from tests.fakes import scripted_engine
from tests.runtime.driving import drive, one, request, streamed

SPEC = Regex("(yes|no|maybe), [0-9]{2}")


def test_they_are_the_softmax_over_the_mask() -> None:
    engine = scripted_engine()
    size = len(engine.tokenizer.vocabulary)
    params = SamplingParams(temperature=0.7, seed=4, logprobs=True, top_logprobs=size)
    result = one(engine, Text("Answer:"), Fill("x", params, SPEC, heal=False)).fills[0]
    assert len(result.logprobs) == len(result.token_ids)
    matcher = compile_grammar(SPEC, engine.tokenizer.vocabulary).matcher()
    row = np.zeros(engine.tokenizer.vocabulary.num_words, np.int32)
    for entry in result.logprobs:
        matcher.fill_bitmask(row)
        allowed = [(i, lp) for i, lp in entry.top if row[i >> 5] >> (i & 31) & 1]
        total = math.log(sum(math.exp(lp) for _, lp in allowed))
        assert entry.constrained == pytest.approx(entry.logprob - total, abs=1e-5)
        assert matcher.accept_token(entry.token_id)
    assert any(entry.constrained == 0.0 for entry in result.logprobs)  # forced: there was no choice


def test_free_text_has_equal_ones_and_a_prompt_none() -> None:
    params = SamplingParams(max_tokens=4, logprobs=True)
    sequence = one(scripted_engine(), Text("Answer: yes"), Fill("x", params, heal=False), prompt_logprobs_from=1)
    assert all(entry.constrained == entry.logprob for entry in sequence.fills[0].logprobs)
    assert sequence.prompt_logprobs[0].constrained is None


def test_a_stream_carries_them_with_their_tokens() -> None:
    params = SamplingParams(max_tokens=12, logprobs=True, stop=("zz",), seed=1)
    events = drive(scripted_engine(), [request("r", Text("Answer: yes"), Fill("x", params))])
    result = events[-1].sequences[0].fills[0]  # type: ignore[union-attr]
    shown = tuple(entry for event in events for entry in getattr(event, "logprobs", ()))
    assert shown == result.logprobs
    assert streamed(events, "r", 0, 0)[1] == tuple(entry.token_id for entry in shown)
