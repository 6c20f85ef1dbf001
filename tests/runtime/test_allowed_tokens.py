"""`allowed_token_ids`, `logprob_token_ids` and `reserve_tokens`, against unrestricted log-probabilities."""

import pytest

from slipform.errors import InvalidRequest, OutputTooLong
from slipform.grammars.spec import Regex
from slipform.runtime.engine import Engine
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import Fill, FillResult, GenerateRequest, Text, TokenIds
from tests.fakes import scripted_engine

PROMPT = Text("The quick brown")


@pytest.fixture(scope="module")
def engine() -> Engine:
    with scripted_engine() as made:
        yield made


def fill_of(engine: Engine, fill: Fill, **request: object) -> FillResult:
    result = engine.submit(GenerateRequest("r", (PROMPT, fill), **request)).result(60)  # type: ignore[arg-type]
    return result.sequences[0].fills[0]


def test_only_allowed_tokens_and_the_likeliest_of_them(engine: Engine) -> None:
    allowed = (40, 41, 42, 300)
    params = SamplingParams(max_tokens=20, temperature=0, allowed_token_ids=allowed, logprob_token_ids=allowed)
    fill = fill_of(engine, Fill(None, params))
    assert len(fill.token_ids) == 20
    assert set(fill.token_ids) <= set(allowed)
    for token_id, entry in zip(fill.token_ids, fill.logprobs, strict=True):
        logprobs = dict(entry.top)
        assert list(logprobs) == list(allowed)
        assert token_id == max(allowed, key=lambda one: logprobs[one])
        assert entry.constrained == pytest.approx(0, abs=3)
    sampled = fill_of(engine, Fill(None, SamplingParams(max_tokens=30, seed=3, allowed_token_ids=allowed)))
    assert set(sampled.token_ids) == set(allowed)


def test_the_end_token_is_one_like_others(engine: Engine) -> None:
    (eos,) = engine.tokenizer.eos_ids
    params = SamplingParams(max_tokens=5, temperature=0, allowed_token_ids=(eos,))
    assert fill_of(engine, Fill(None, params)).finish_reason == "stop"
    with_stop = SamplingParams(max_tokens=5, temperature=0, allowed_token_ids=(60,), stop_token_ids=(eos, 61))
    assert fill_of(engine, Fill(None, with_stop)).token_ids == (60,) * 5


@pytest.mark.parametrize("pattern", ["[0-9]{6}", "abcabc", "(a|b)[0-9]{3}c"])
def test_a_grammar_and_allowed_tokens_hold_together(engine: Engine, pattern: str) -> None:
    """Also where the grammar forces text: its tokens are single bytes then, not the longer ones."""
    single = tuple(range(256)) + tuple(engine.tokenizer.eos_ids)
    fill = fill_of(
        engine, Fill(None, SamplingParams(max_tokens=40, temperature=0, allowed_token_ids=single), Regex(pattern))
    )
    assert fill.finish_reason == "stop"
    assert len(fill.token_ids) == len(fill.text)
    assert fill.num_forced == 0
    assert engine.tokenizer.decode(list(fill.token_ids)) == fill.text


def test_where_nothing_is_left_the_request_ends_in_an_error(engine: Engine) -> None:
    digit, letter = engine.tokenizer.encode("7")[0], engine.tokenizer.encode("x")[0]
    fill = Fill(None, SamplingParams(max_tokens=9, temperature=0, allowed_token_ids=(digit,)), Regex("7{3}x"))
    with pytest.raises(InvalidRequest, match="allowed_token_ids"):
        fill_of(engine, fill)
    both = SamplingParams(max_tokens=9, temperature=0, allowed_token_ids=(digit, letter))
    assert fill_of(engine, Fill(None, both, Regex("7{3}x"))).text == "777x"
    engine.check()


def test_closing_cannot_be_promised(engine: Engine) -> None:
    params = SamplingParams(max_tokens=9, allowed_token_ids=(60,))
    with pytest.raises(InvalidRequest, match="allowed_token_ids"):
        fill_of(engine, Fill(None, params, Regex("a+"), finish="valid"))
    with pytest.raises(InvalidRequest, match="allowed_token_ids"):
        fill_of(engine, Fill(None, SamplingParams(allowed_token_ids=(10**6,))))


def test_chosen_tokens_stand_behind_the_likeliest(engine: Engine) -> None:
    plain = fill_of(engine, Fill(None, SamplingParams(max_tokens=4, temperature=0, top_logprobs=400)))
    chosen = fill_of(
        engine, Fill(None, SamplingParams(max_tokens=4, temperature=0, top_logprobs=2, logprob_token_ids=(7, 9)))
    )
    for full, entry in zip(plain.logprobs, chosen.logprobs, strict=True):
        assert entry.top[:2] == full.top[:2]
        assert dict(entry.top).items() <= dict(full.top).items()
        assert {7, 9} <= dict(entry.top).keys()


def test_a_reserve_must_fit_the_context(engine: Engine) -> None:
    limit = engine.limits.max_context
    fill = Fill(None, SamplingParams(max_tokens=2, temperature=0))
    prompt = TokenIds((65,) * (limit - 10))
    engine.submit(GenerateRequest("fits", (prompt, fill), reserve_tokens=10)).result(60)
    with pytest.raises(OutputTooLong) as caught:
        engine.submit(GenerateRequest("large", (prompt, fill), reserve_tokens=11))
    assert (caught.value.field, caught.value.output_len, caught.value.limit) == ("max_tokens", 11, limit)
