"""Probabilities: distributions over given texts, and log-probabilities among the tokens that a constraint allows."""

import asyncio
import math
from collections.abc import Iterator
from typing import Any

import pytest

import slipform as sf
from slipform.lang.backend import Backend
from slipform.lang.config import as_backend
from slipform.lang.distribution import Distribution
from slipform.runtime.request import GenerateRequest, TokenIds
from tests.fakes import scripted_engine

CHOICES = ["yes", "no", "maybe, who knows"]


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    with scripted_engine(seed=6) as engine:
        yield as_backend(engine)
        engine.check()


def logprob_of(backend: Any, prompt: str, choice: str) -> float:
    """Of `choice` behind `prompt`, by scoring the tokens of the joined text; they must not merge across the seam."""
    before, both = backend.encode(prompt), backend.encode(prompt + choice)
    assert both[: len(before)] == before
    request = GenerateRequest("oracle", (TokenIds(both),), prompt_logprobs_from=len(before))
    result = backend.engine.submit(request).result()
    return sum(entry.logprob for entry in result.sequences[0].prompt_logprobs)


def test_score_is_the_softmax_of_the_texts_own_log_probabilities(backend: Backend) -> None:
    prompt = "Is it? Answer:\n"
    found = sf.score(prompt, CHOICES, backend=backend)
    expected = [logprob_of(backend, prompt, choice) for choice in CHOICES]
    assert found.logprobs == pytest.approx(expected, abs=1e-4)
    total = sum(map(math.exp, expected))
    assert found.probabilities == pytest.approx([math.exp(value) / total for value in expected], abs=1e-5)
    assert sum(found.probabilities) == pytest.approx(1.0)
    assert found.entropy == pytest.approx(-sum(p * math.log(p) for p in found.probabilities))
    ranked = sorted(found.probabilities)
    assert found.margin == pytest.approx(ranked[-1] - ranked[-2])
    assert found[found.best] == ranked[-1]
    assert list(found) == CHOICES
    with pytest.raises(KeyError):
        found["perhaps"]


def test_one_text_has_its_log_probability(backend: Backend) -> None:
    found = sf.score("Is it? Answer:\n", "maybe", backend=backend)
    assert (found.probabilities, len(found)) == ((1.0,), 1)
    assert found.logprobs[0] == pytest.approx(logprob_of(backend, "Is it? Answer:\n", "maybe"), abs=1e-4)
    assert sum(entry[0] for entry in found.token_logprobs[0]) == pytest.approx(found.logprobs[0])


def test_scoring_inside_a_program_appends_nothing(backend: Backend) -> None:
    @sf.function
    def program(s: sf.ProgramState) -> Distribution:
        s += "Is it? Answer:\n"
        found = s.score(CHOICES)
        s += found.best
        return found

    @sf.function
    async def asynchronous(s: sf.ProgramState) -> Distribution:
        s += "Is it? Answer:\n"
        return await s.ascore(CHOICES)

    state = program.run(backend=backend)
    assert state.text() == "Is it? Answer:\n" + state.result.best
    assert state.variables() == []
    assert state.result == sf.score("Is it? Answer:\n", CHOICES, backend=backend)
    assert asyncio.run(asynchronous.arun(backend=backend)).result == state.result
    assert "looks at" in str(program.plan())


def test_the_choices_share_one_computed_prefix() -> None:
    with scripted_engine(seed=6) as engine:
        engine.start()
        prompt = "word " * 60
        before = engine.statistics().computed_tokens
        sf.score(prompt, CHOICES, backend=engine)
        computed = engine.statistics().computed_tokens - before
        num_prompt = len(engine.tokenizer.encode(prompt))
        assert computed < num_prompt + 40


def test_messages_may_stand_before_the_choices() -> None:
    backend = sf.ScriptedBackend({"scored": {"yes": 0.75, "no": 0.25}})
    found = sf.score(sf.user("Is it?") + sf.assistant_begin(), ["yes", "no"], backend=backend)
    assert found.probabilities == pytest.approx((0.75, 0.25))


@pytest.mark.parametrize("choices", [[], ["a", "a"], [""], 3, ["a", 3]])
def test_choices_are_checked(choices: Any) -> None:
    with pytest.raises(sf.ArgumentError, match=r"score: choices=.*test_score\.py:\d+"):
        sf.score("x", choices, backend=sf.ScriptedBackend())


def test_constrained_log_probabilities_stand_beside_the_raw_ones(backend: Backend) -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += "Answer:\n" + sf.regex("(yes|no), [0-9]{3}", name="x", return_logprob=True, temperature=0)
        s += sf.gen("free", max_tokens=3, return_logprob=True)

    state = program.run(backend=backend, return_text_in_logprobs=True)
    meta = state.get_meta_info("x")
    raw = [logprob for logprob, _, _ in meta["output_token_logprobs"]]
    among_allowed = meta["output_constrained_logprobs"]
    assert len(raw) == len(among_allowed) == meta["completion_tokens"]
    assert all(a >= b - 1e-6 for a, b in zip(among_allowed, raw, strict=True))
    forced = [a for a, (_, _, text) in zip(among_allowed, meta["output_token_logprobs"], strict=True) if text == ","]
    assert forced in ([0.0], [])
    free = state.get_meta_info("free")
    assert free["output_constrained_logprobs"] == [logprob for logprob, _, _ in free["output_token_logprobs"]]
