"""What changes speed must not change text: one mixed workload, run in every way there is, compared token for token.

The model's logits are a hash of the whole context as it lies in the KV pool, so that any wrong slot, position or
token changes everything after it.
"""

import random

import pytest

from slipform.grammars.spec import Choice, Regex
from slipform.runtime.engine import Engine
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import Fill, RequestFinished, Segment, Text, TokenIds
from tests.fakes import EOS, MARK, scripted_engine
from tests.runtime.driving import drive as drive_events
from tests.runtime.driving import outcome, request, results, streamed, unfused

WORDS = [
    *[
        "the",
        "quick",
        "brown",
        "fox",
        "jumps",
        "over",
        "a",
        "lazy",
        "dog",
        "answer",
        "name",
        "http",
        "example",
        "naïve",
        "東京",
        "😀",
        "12",
        "then",
    ],
    '{"name":',
    '"Ada"}',
]
CONSTRAINTS = [
    Regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    Regex(r"(yes|no|maybe), because [a-z ]{3,20}\."),
    Regex(r'\{"name": "[A-Z][a-z]{1,8}", "age": [0-9]{1,3}, "city": "(London|Zürich|東京)"\}'),
    Choice.of(["the first of the options", "the first one", "another option", "東京"]),
    None,
    None,
]


def workload(seed: int, count: int) -> list[tuple[str, list[Segment]]]:
    """Programs of one to three fills: free and constrained, greedy and seeded, with stops and penalties."""
    rng = random.Random(seed)
    shared = " ".join(rng.choice(WORDS) for _ in range(60))
    programs = []
    for number in range(count):
        segments: list[Segment] = []
        if rng.random() < 0.5:
            segments.append(Text(shared))
        if rng.random() < 0.3:
            segments.append(Text(f"{MARK}turn{EOS}", parse_special=True))
        for fill in range(rng.randint(1, 3)):
            segments.append(Text(" ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 30)))))
            if rng.random() < 0.3:
                segments.append(Text(rng.choice([" ", ": ", '"', "\n"])))
            params = SamplingParams(
                temperature=rng.choice([0.0, 0.7, 1.3]),
                top_p=rng.choice([1.0, 0.9]),
                top_k=rng.choice([-1, 20]),
                max_tokens=rng.randint(3, 40),
                min_tokens=rng.choice([0, 0, 2]),
                seed=rng.randint(0, 2**40),
                frequency_penalty=rng.choice([0.0, 0.5]),
                repetition_penalty=rng.choice([1.0, 1.3]),
                stop=rng.choice([(), ("e", "\n\n"), ("in", "q", ". "), ("o", "th")]),
                include_stop=rng.random() < 0.3,
                logprobs=rng.random() < 0.2,
            )
            segments.append(Fill(str(fill), params, rng.choice(CONSTRAINTS), heal=rng.random() < 0.7))
        if rng.random() < 0.3:
            segments.append(Text(" the end"))
        programs.append((f"{number}", segments))
    return programs


def run_all(engine: Engine, programs: list[tuple[str, list[Segment]]]) -> dict[str, object]:
    found = results(engine, [request(name, *segments) for name, segments in programs])
    return {name: outcome(sequence) for name, (sequence,) in found.items()}


@pytest.fixture(scope="module")
def expected() -> dict[str, object]:
    """Each program alone, fused, in an engine without cache and without jump-forward."""
    found: dict[str, object] = {}
    for program in workload(1, 60):
        engine = scripted_engine(prefix_cache=False, jump_forward=False)
        found |= run_all(engine, [program])
    return found


def test_workload_is_worth_running(expected: dict[str, object]) -> None:
    """Enough of every kind happens for the comparisons to mean something."""
    fills = [fill for _, _, fills in expected.values() for fill in fills]  # type: ignore[attr-defined]
    assert sum(bool(stop) for _, _, _, stop, _ in fills) > 5
    assert sum(forced for _, _, _, _, forced in fills) > 100
    assert {reason for _, _, reason, _, _ in fills} == {"stop", "length"}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"jump_forward": False},
        {"prefix_cache": False},
        {"chunk_size": 1},
        {"chunk_size": 7},
        {"chunk_size": 64, "token_budget": 96},
        {"max_sequences": 3},
        {"trace": False, "token_budget": 33},
    ],
    ids=str,
)
def test_batched_equals_alone(expected: dict[str, object], options: dict[str, int]) -> None:
    engine = scripted_engine(**options)
    assert run_all(engine, workload(1, 60)) == expected
    # Once more with everything in the cache, in another order.
    assert run_all(engine, workload(1, 60)[::-1]) == expected


def test_preempted_equals_undisturbed(expected: dict[str, object]) -> None:
    engine = scripted_engine(pool_slots=420)
    assert run_all(engine, workload(1, 60)) == expected
    statistics = engine.statistics()
    assert statistics.preemptions > 5
    assert statistics.evicted_slots > 100
    engine.flush_cache()
    assert engine.statistics().free_slots == 420


def test_fused_equals_unfused(expected: dict[str, object]) -> None:
    engine = scripted_engine()
    for name, segments in workload(1, 60):
        assert unfused(engine, name, segments) == expected[name]


def test_streams_add_up_to_results() -> None:
    engine = scripted_engine()
    events = drive_events(engine, [request(name, *segments) for name, segments in workload(2, 40)])
    finished = [event for event in events if isinstance(event, RequestFinished)]
    assert len(finished) == 40
    for event in finished:
        for index, fill in enumerate(event.sequences[0].fills):
            assert streamed(events, event.request_id, 0, index) == (fill.text, fill.token_ids)


def test_each_of_n_equals_its_own_request() -> None:
    segments = (Text("The quick brown fox jumps over the lazy dog and then "), Fill(None, SamplingParams(seed=5)))
    engine = scripted_engine(seed=3)
    together = results(engine, [request("n", *segments, n=4)])["n"]
    assert [sequence.index for sequence in together] == [0, 1, 2, 3]
    assert len({sequence.token_ids for sequence in together}) == 4
    (first,) = results(scripted_engine(), [request("1", *segments)])["1"]
    assert outcome(together[0]) == outcome(first)
    # The prompt was computed once.
    assert engine.statistics().cached_tokens >= 3 * (together[0].prompt_len - 2)


def test_seeded_sample_depends_on_seed_and_position_alone() -> None:
    params = SamplingParams(seed=77, max_tokens=30)
    prompt = (TokenIds(tuple(range(40, 80))),)
    alone = results(scripted_engine(), [request("x", *prompt, Fill(None, params))])["x"][0].token_ids
    crowd = [request(f"{i}", Text(f"noise {i}"), Fill(None, SamplingParams(max_tokens=9))) for i in range(20)]
    crowd.insert(7, request("x", *prompt, Fill(None, params)))
    assert results(scripted_engine(seed=None), crowd)["x"][0].token_ids == alone
    # Taken up in the middle, the same tokens follow.
    rest = Fill(None, params.replace(max_tokens=20))
    assert results(scripted_engine(), [request("x", TokenIds(alone[:50]), rest)])["x"][0].token_ids == alone
