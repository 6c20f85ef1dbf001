"""What a request with `trace` says of each token, against the log-probabilities of the whole text read at once, against
the masks, and against the same request without a trace."""

import itertools
import math
from dataclasses import replace
from typing import Any

import pytest

from slipform.errors import InvalidRequest
from slipform.grammars.spec import JsonSchema, Regex
from slipform.runtime.engine import Engine
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import Fill, GenerateRequest, SequenceResult, Text, TokenIds
from tests.fakes import scripted_engine

NUM_TOP = 4
PERSON = (
    '{"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}, '
    '"required": ["name", "age"]}'
)
_numbers = itertools.count()


def fill(name: str, constraint: Any = None, **sampling: Any) -> Fill:
    return Fill(name, SamplingParams(**{"max_tokens": 24, **sampling}), constraint)


SEGMENTS: dict[str, tuple[Any, ...]] = {
    "free text": (Text("The quick "), fill("free", seed=3)),
    "json": (Text("Name: Ada. As JSON: "), fill("person", JsonSchema(PERSON), seed=5, max_tokens=60)),
    "forced from the start": (Text("Answer: "), fill("words", Regex("quick brown (fox|dog) jumps over"))),
    "two fills and text between": (
        Text("born "),
        fill("year", Regex("[0-9]{4}-12-10")),
        Text(", ticket "),
        fill("word", Regex("(order|invoice) date")),
        Text(" end stop done."),
    ),
    "fills side by side": (Text("http"), fill("one", Regex("://example")), fill("two", Regex("[.]com|[.]org/index"))),
    "closed": (Text("x "), replace(fill("closed", JsonSchema(PERSON), max_tokens=30), finish="valid")),
    "stopped": (Text("the "), fill("stopped", stop=("e", "o"))),
    "characters of several tokens": (Text("naïve "), fill("cafe", Regex("(Zürich|東京|😀😀){2}"), seed=1)),
    "several sequences": (Text("Answer: "), fill("many", Regex("(yes|no|maybe), the [a-z]{3}"))),
}


def run(engine: Engine, segments: tuple[Any, ...], **options: Any) -> tuple[SequenceResult, ...]:
    request = GenerateRequest(f"traced-{next(_numbers)}", segments, **options)
    return engine.submit(request).result(60).sequences


def scored(engine: Engine, ids: tuple[int, ...]) -> dict[int, Any]:
    """The log-probabilities of a known text by position: the model reads all of it at once."""
    (sequence,) = run(engine, (TokenIds(ids),), prompt_logprobs_from=0, prompt_top_logprobs=NUM_TOP)
    return dict(enumerate(sequence.prompt_logprobs))


@pytest.mark.parametrize("name", SEGMENTS)
def test_the_trace_says_what_the_model_says_of_the_finished_text(name: str) -> None:
    number = 3 if name == "several sequences" else 1
    with scripted_engine() as engine:
        plain = run(engine, SEGMENTS[name], n=number)
    with scripted_engine() as engine:
        traced = run(engine, SEGMENTS[name], n=number, trace=True, trace_top_logprobs=NUM_TOP)
        for before, sequence in zip(plain, traced, strict=True):
            assert (sequence.text, sequence.token_ids) == (before.text, before.token_ids)
            expected = scored(engine, sequence.token_ids)
            for was, result in zip(before.fills, sequence.fills, strict=True):
                assert [entry.source for entry in result.trace] == [entry.source for entry in was.trace]
                assert [entry.num_allowed for entry in result.trace] == [entry.num_allowed for entry in was.trace]
                assert sequence.token_ids[result.start : result.start + len(result.token_ids)] == result.token_ids
                for position, entry in enumerate(result.trace, start=result.start):
                    assert entry.logprob is not None
                    oracle = expected[position]
                    assert entry.logprob.logprob == pytest.approx(oracle.logprob, abs=1e-5)
                    assert [token for token, _ in entry.logprob.top] == [token for token, _ in oracle.top]
                    if entry.source != "sampled":
                        assert entry.logprob.constrained == 0.0
            assert not sequence.prompt_logprobs
        engine.check()


def test_the_likeliest_allowed_tokens_are_those_of_the_mask() -> None:
    segments = (Text("Answer: "), replace(fill("digits", Regex("[0-9]{3}"), temperature=0), heal=False))
    with scripted_engine() as engine:
        (traced,) = run(engine, segments, trace=True, trace_top_logprobs=NUM_TOP)
        vocabulary = len(engine.tokenizer.vocabulary)
        everything = run(engine, (TokenIds(traced.token_ids),), prompt_logprobs_from=0, prompt_top_logprobs=vocabulary)[
            0
        ].prompt_logprobs
        (result,) = traced.fills
        written = ""
        for position, entry in enumerate(result.trace, start=result.start):
            assert entry.logprob is not None
            left = 3 - len(written)
            texts = {token: engine.tokenizer.decode([token]) for token, _ in everything[position].top}
            allowed = [
                (token, value)
                for token, value in everything[position].top
                if texts[token].isdigit() and texts[token].isascii() and len(texts[token]) <= left
            ]
            mass = math.log(sum(math.exp(value) for _, value in allowed))
            assert entry.num_allowed == len(allowed)
            assert [token for token, _ in entry.logprob.top_allowed] == [token for token, _ in allowed[:NUM_TOP]]
            for (_, found), (_, value) in zip(entry.logprob.top_allowed, allowed, strict=False):
                assert found == pytest.approx(value - mass, abs=1e-5)
            assert entry.logprob.constrained == pytest.approx(entry.logprob.top_allowed[0][1], abs=1e-6)
            written += texts[entry.token_id]


@pytest.mark.parametrize("name", SEGMENTS)
def test_the_texts_of_the_tokens_make_up_the_text_of_the_fill(name: str) -> None:
    with scripted_engine() as engine:
        for result in run(engine, SEGMENTS[name], trace=True)[0].fills:
            ends = [0, *(entry.text_end for entry in result.trace)]
            assert ends == sorted(ends)
            assert ends[-1] <= len(result.text)
            if not result.matched_stop and "\N{REPLACEMENT CHARACTER}" not in result.text:
                assert ends[-1] == len(result.text)
            for entry, begin, end in zip(result.trace, ends, ends[1:], strict=False):
                alone = engine.tokenizer.decode([entry.token_id])
                share = result.text[begin:end]
                if "\N{REPLACEMENT CHARACTER}" not in alone + share:  # otherwise it holds a part of a character
                    assert alone.endswith(share)


def test_a_trace_costs_forced_tokens_no_steps_of_their_own() -> None:
    """Forced tokens are read together with what follows; the model's view of them comes out of that step."""
    segments = SEGMENTS["json"]
    with scripted_engine() as engine:
        run(engine, segments)
        plain = engine.statistics().steps
    with scripted_engine() as engine:
        run(engine, segments, trace=True, trace_top_logprobs=NUM_TOP)
        traced = engine.statistics().steps
    # One more where the text ends with forced tokens: nobody else would have had them read.
    assert plain <= traced <= plain + 1


def test_times_ascend_and_lie_within_the_request() -> None:
    with scripted_engine(trace=False) as engine:
        finished = engine.submit(GenerateRequest("timed", SEGMENTS["json"], trace=True)).result(60)
        times = [entry.at_s for entry in finished.sequences[0].fills[0].trace]
        assert all(time is not None for time in times)
        assert times == sorted(times)
        assert finished.times.queue_s <= times[-1] <= finished.times.total_s
        assert not run(engine, SEGMENTS["json"])[0].fills[0].trace, "the engine's own setting holds for other requests"


def test_the_seed_of_a_fill_repeats_its_draws() -> None:
    segments = (Text("The "), fill("free", max_tokens=12))
    with scripted_engine() as engine:
        first = run(engine, segments, n=3)
        seed = first[0].fills[0].seed
        assert seed is not None
        again = run(engine, (Text("The "), fill("free", max_tokens=12, seed=seed)), n=3)
        assert [s.token_ids for s in again] == [s.token_ids for s in first]
        assert len({s.token_ids for s in first}) == 3


def test_log_probabilities_that_were_asked_for_are_as_without_a_trace() -> None:
    segments = (
        Text("Answer: "),
        fill("words", Regex("quick (brown|fox) jumps"), seed=2, logprobs=True, top_logprobs=2),
    )
    with scripted_engine() as engine:
        plain = run(engine, segments)[0].fills[0].logprobs
        traced = run(engine, segments, trace=True, trace_top_logprobs=NUM_TOP)[0].fills[0].logprobs
    assert traced == plain


def test_a_trace_of_alternatives_needs_a_trace() -> None:
    with scripted_engine() as engine, pytest.raises(InvalidRequest, match="trace_top_logprobs: needs trace"):
        run(engine, SEGMENTS["json"], trace_top_logprobs=2)
