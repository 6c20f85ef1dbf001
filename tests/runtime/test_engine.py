"""The engine as its clients see it: refusals, failures, aborts, deadlines, threads, streams, statistics."""

import asyncio
import random
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from transformers import PreTrainedTokenizerFast

from slipform.errors import (
    ConfigError,
    EngineStopped,
    GrammarSyntaxError,
    InvalidRequest,
    PoolExhausted,
    PromptTooLong,
    QueueFull,
    RequestAborted,
    VocabularyMismatch,
)
from slipform.grammars.spec import Regex
from slipform.runtime.config import resolve
from slipform.runtime.engine import Engine
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import (
    Event,
    Fill,
    FillFinished,
    GenerateRequest,
    RequestFailed,
    RequestFinished,
    Text,
    TextDelta,
    TokenIds,
)
from slipform.runtime.tokenizer import Tokenizer
from tests.fakes import EOS, MARK, ScriptedModel, byte_backend, byte_tokenizer, scripted_engine
from tests.runtime.driving import GREEDY, TERMINAL, drive, one, outcome, request, results

LONG = SamplingParams(temperature=0.0, max_tokens=400, ignore_eos=True)


def ends(events: list[Event]) -> dict[str, Event]:
    """The terminal event of each request; none may have two."""
    terminal = [event for event in events if isinstance(event, TERMINAL)]
    assert max(Counter(event.request_id for event in terminal).values()) == 1
    return {event.request_id: event for event in terminal}


# Refusals


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (request("r"), "segments"),
        (request("r", Text("")), "segments"),
        (request("r", TokenIds((1, 4000))), "segments"),
        (request("r", TokenIds((-1,))), "segments"),
        (request("r", Text("a"), n=0), "n"),
        (request("r", Text("a"), n=129), "n"),
        (request("r", Text("a"), prompt_logprobs_from=-1), "prompt_logprobs_from"),
        (request("r", Text("a"), deadline_s=0.0), "deadline_s"),
        (request("r", Text("a"), Fill(None, SamplingParams(stop_token_ids=(400,)))), "stop_token_ids"),
        (request("r", Text("a"), Fill(None, SamplingParams(logit_bias=((400, 1.0),)))), "logit_bias"),
        (request("r", Text("a"), Fill(None, SamplingParams(top_logprobs=401))), "top_logprobs"),
        (request("r", Text("a"), Fill(None, SamplingParams(stop_regex=("[",)))), "stop_regex"),
    ],
    ids=str,
)
def test_bad_requests_are_refused_by_field(bad: GenerateRequest, field: str) -> None:
    engine = scripted_engine()
    with pytest.raises(InvalidRequest) as caught:
        engine.add(bad)
    assert caught.value.field == field
    assert not engine.has_work


def test_too_long_prompt_is_refused() -> None:
    engine = scripted_engine(max_context=20)
    with pytest.raises(PromptTooLong) as caught:
        engine.add(request("r", TokenIds(tuple(range(20))), Fill()))
    assert (caught.value.prompt_len, caught.value.limit) == (21, 20)
    assert len(one(engine, TokenIds(tuple(range(19))), Fill(None, LONG)).token_ids) == 20


def test_text_that_no_longer_fits_fails_its_own_request() -> None:
    engine = scripted_engine(max_context=40)
    long = request("long", Text("The quick"), Fill(None, LONG), Text(" and the lazy dog"), Fill(None, LONG))
    found = ends(drive(engine, [long, request("short", Text("The quick"), Fill(None, GREEDY))]))
    assert isinstance(found["short"], RequestFinished)
    assert isinstance(found["long"], RequestFailed)
    assert isinstance(found["long"].error, PromptTooLong)


def test_prompt_larger_than_the_pool_is_refused() -> None:
    model = ScriptedModel(400, eos_id=398)
    engine = scripted_engine(model=model, pool_slots=30)
    with pytest.raises(PoolExhausted) as caught:
        engine.add(request("r", TokenIds(tuple(range(30))), Fill()))
    assert (caught.value.needed, caught.value.free) == (31, 30)


def test_queue_is_bounded() -> None:
    engine = scripted_engine(max_queue=2)
    for name in "ab":
        engine.add(request(name, Text("a"), Fill(None, GREEDY)))
    with pytest.raises(QueueFull):
        engine.add(request("c", Text("a"), Fill(None, GREEDY)))
    engine.step()
    engine.add(request("c", Text("a"), Fill(None, GREEDY)))


def test_request_ids_are_unique_among_those_in_flight() -> None:
    engine = scripted_engine()
    engine.add(request("r", Text("a"), Fill(None, GREEDY)))
    with pytest.raises(InvalidRequest, match="in flight"):
        engine.add(request("r", Text("a"), Fill(None, GREEDY)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"chunksize": 4}, "chunksize: unknown option; did you mean chunk_size?"),
        ({"chunk_size": 0}, "chunk_size: must be a whole number"),
        ({"prefix_cache": 1}, "prefix_cache: must be True or False"),
        ({"dtype": "int8"}, "dtype: must be one of"),
        ({"device": "tpu"}, "device: must be cpu or cuda"),
        ({"device": "cuda"}, "device: cuda is asked for"),
        ({"memory_fraction": 2}, "memory_fraction: must be in"),
        ({"seed": "x"}, "seed: must be a whole number"),
    ],
)
def test_options_are_checked(options: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message.replace("?", r"\?")):
        resolve(tmp_path, options, cuda=False)


def test_a_machine_with_a_gpu_still_starts_without_options() -> None:
    assert resolve(None, {}, cuda=True).device == "cpu"


def test_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere is not a directory"):
        Engine(tmp_path / "nowhere")


# Failures of one request


def test_bad_grammar_fails_its_own_request() -> None:
    engine = scripted_engine()
    bad = request("bad", Text("a"), Fill("x", GREEDY, Regex("(")))
    found = ends(drive(engine, [bad, request("good", Text("a"), Fill("x", GREEDY, Regex("[a-z]{3}")))]))
    assert isinstance(found["bad"], RequestFailed)
    assert isinstance(found["bad"].error, GrammarSyntaxError)
    assert isinstance(found["good"], RequestFinished)


def hold_compilation(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Let every compilation wait until the event that comes back is set."""
    from slipform.runtime import grammar_cache

    release = threading.Event()
    compile_grammar = grammar_cache.compile_grammar

    def slow(*arguments: object, **options: object) -> object:
        assert release.wait(60)
        return compile_grammar(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(grammar_cache, "compile_grammar", slow)
    return release


def test_compiling_holds_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    release = hold_compilation(monkeypatch)
    engine = scripted_engine()
    engine.add(request("slow", Text("a"), Fill("x", GREEDY, Regex("[a-z]{3}"))))
    assert isinstance(ends(drive(engine, [request("quick", Text("a"), Fill("x", GREEDY))]))["quick"], RequestFinished)
    assert engine.statistics().requests_compiling == 1
    release.set()
    events: list[Event] = []
    while engine.statistics().requests_finished < 2:
        events += engine.step()
    assert isinstance(ends(events)["slow"], RequestFinished)


def test_seeds_are_drawn_in_the_order_of_arrival(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which request begins first depends on how long its constraint compiles; its text does not."""
    sampled = SamplingParams(temperature=1.3, max_tokens=12, ignore_eos=True)
    requests = [
        request("constrained", Text("a"), Fill("x", sampled, Regex("[a-z]{8}"))),
        request("free", Text("b"), Fill("x", sampled)),
    ]
    engine = scripted_engine(max_sequences=1)
    engine.compile(Regex("[a-z]{8}")).result(60)
    expected = {name: outcome(sequence) for name, (sequence,) in results(engine, requests).items()}
    release = hold_compilation(monkeypatch)
    engine = scripted_engine(max_sequences=1)
    engine.add(requests[0])
    events = drive(engine, requests[1:])
    release.set()
    while engine.statistics().requests_finished < 2:
        events += engine.step()
    finished = [event for event in events if isinstance(event, RequestFinished)]
    assert [event.request_id for event in finished] == ["free", "constrained"]
    assert {event.request_id: outcome(event.sequences[0]) for event in finished} == expected


def test_broken_logits_end_their_own_request() -> None:
    tokenizer = Tokenizer(byte_tokenizer())
    poison = tokenizer.encode("poison")
    model = ScriptedModel(400, eos_id=398, eos_bias=1.0, fail=lambda context: context[: len(poison)] == poison)
    engine = scripted_engine(tokenizer=tokenizer, model=model)
    others = [request(f"{i}", Text(f"fine {i}"), Fill(None, GREEDY)) for i in range(5)]
    expected = {name: outcome(found[0]) for name, found in results(scripted_engine(), others).items()}
    bad = request("bad", Text("poison"), Fill(None, GREEDY, heal=False), n=3)
    found = ends(drive(engine, [*others[:2], bad, *others[2:]]))
    assert isinstance(found["bad"], RequestFailed)
    assert "not numbers" in str(found["bad"].error)
    for name, sequence in expected.items():
        event = found[name]
        assert isinstance(event, RequestFinished)
        assert outcome(event.sequences[0]) == sequence
    engine.flush_cache()
    assert engine.statistics().free_slots == engine.statistics().pool_slots


def test_defect_in_one_sequence_ends_that_request_only(monkeypatch: pytest.MonkeyPatch) -> None:
    from slipform.runtime.stopping import FillText

    push = FillText.push

    def fragile(self: FillText, spelling: bytes) -> None:
        if self.text.count(" ") >= 0 and self._finder is not None:
            raise ZeroDivisionError("a defect")
        push(self, spelling)

    monkeypatch.setattr(FillText, "push", fragile)
    engine = scripted_engine()
    bad = request("bad", Text("a"), Fill(None, GREEDY.replace(stop=("x",))))
    found = ends(drive(engine, [bad, request("good", Text("a"), Fill(None, GREEDY))]))
    assert isinstance(found["good"], RequestFinished)
    assert isinstance(found["bad"], RequestFailed)
    assert isinstance(found["bad"].error.__cause__, ZeroDivisionError)


def test_grammar_that_fails_on_the_way_ends_its_own_request(monkeypatch: pytest.MonkeyPatch) -> None:
    from slipform.grammars.matcher import Matcher
    from slipform.runtime import constraints

    fill_batch, fill_bitmask, start = constraints.fill_batch, Matcher.fill_bitmask, constraints.Constraints.start
    dead_ends: list[Matcher] = []

    def watched_start(self: constraints.Constraints, grammar: object, *rest: object) -> object:
        constraint = start(self, grammar, *rest)  # type: ignore[arg-type]
        if constraint is not None and constraint.matcher is not None and grammar is not fine.result():
            dead_ends.append(constraint.matcher)
        return constraint

    def check(matcher: Matcher) -> None:
        if any(matcher is dead_end for dead_end in dead_ends):
            raise VocabularyMismatch(matcher.state_id, b"x")

    def checked_batch(matchers: list[Matcher], *rest: object) -> None:
        for matcher in matchers:
            check(matcher)
        fill_batch(matchers, *rest)  # type: ignore[arg-type]

    def checked_bitmask(matcher: Matcher, row: object) -> None:
        check(matcher)
        fill_bitmask(matcher, row)

    monkeypatch.setattr(constraints, "fill_batch", checked_batch)
    monkeypatch.setattr(Matcher, "fill_bitmask", checked_bitmask)
    monkeypatch.setattr(constraints.Constraints, "start", watched_start)
    engine = scripted_engine()
    fine = engine.compile(Regex("[a-z]{8}"))
    good = [request(f"{i}", Text("a"), Fill("x", GREEDY, Regex("[a-z]{8}"))) for i in range(3)]
    bad = request("bad", Text("a"), Fill("x", GREEDY, Regex("[a-z]{9}")), n=2)
    found = ends(drive(engine, [good[0], bad, *good[1:]]))
    assert isinstance(found["bad"], RequestFailed)
    assert isinstance(found["bad"].error, VocabularyMismatch)
    assert all(isinstance(found[item.request_id], RequestFinished) for item in good)


def test_sequence_that_outgrows_the_pool_alone_fails() -> None:
    model = ScriptedModel(400, eos_id=398, max_position=4096)
    engine = scripted_engine(model=model, pool_slots=64)
    sequence = one(engine, Text("The quick brown fox"), Fill(None, LONG))
    assert (len(sequence.token_ids), sequence.finish_reason) == (64, "length")


def test_pool_too_small_for_the_batch_preempts_and_everyone_finishes() -> None:
    requests = [
        request(f"{i}", Text(f"The quick brown fox {i}"), Fill(None, LONG.replace(max_tokens=40))) for i in range(8)
    ]
    expected = {name: outcome(found[0]) for name, found in results(scripted_engine(), requests).items()}
    engine = scripted_engine(pool_slots=120)
    assert {name: outcome(found[0]) for name, found in results(engine, requests).items()} == expected
    assert engine.statistics().preemptions > 0


def test_progress_where_a_few_of_many_sequences_fit() -> None:
    """Sequences that all grow to most of the pool: nobody is preempted again and again, little is computed twice."""
    rng = random.Random(0)
    prompts = [Text("".join(rng.choices("abcdefgh ", k=rng.randint(1, 20)))) for _ in range(30)]
    lengths = [rng.randint(1, 120) for _ in prompts]
    requests = [
        request(f"{i}", prompt, Fill(None, LONG.replace(max_tokens=length)), n=rng.choice([1, 1, 3]), priority=i % 3)
        for i, (prompt, length) in enumerate(zip(prompts, lengths, strict=True))
    ]
    engine = scripted_engine(pool_slots=180, max_sequences=48)
    sequences = [sequence for found in results(engine, requests, check=False).values() for sequence in found]
    statistics = engine.statistics()
    assert statistics.preemptions > 10
    # One after the other they would take a step a token; together they must take far fewer.
    assert statistics.steps < 0.7 * sum(len(sequence.fills[0].token_ids) for sequence in sequences)
    assert statistics.computed_tokens < 2 * sum(len(sequence.token_ids) for sequence in sequences)
    assert statistics.preemptions < 3 * len(sequences)


def test_priority_goes_first_and_nobody_starves() -> None:
    engine = scripted_engine(max_sequences=1)
    order: list[str] = []
    short = GREEDY.replace(max_tokens=2)
    engine.add(request("low", Text("low"), Fill(None, short)))
    for number in range(200):
        engine.add(request(f"high {number}", Text(f"high {number}"), Fill(None, short), priority=1))
    while engine.has_work:
        order += [event.request_id for event in engine.step() if isinstance(event, RequestFinished)]
    assert order[0] == "high 0"
    assert 64 <= order.index("low") < 140


def test_longest_cached_prefix_goes_first() -> None:
    engine = scripted_engine(max_sequences=1)
    one(engine, Text("The quick brown fox jumps over the lazy dog"))
    short = GREEDY.replace(max_tokens=2)
    engine.add(request("cold", Text("another beginning of a text"), Fill(None, short)))
    engine.add(request("warm", Text("The quick brown fox jumps over the cat"), Fill(None, short)))
    order: list[str] = []
    while engine.has_work:
        order += [event.request_id for event in engine.step() if isinstance(event, RequestFinished)]
    assert order == ["warm", "cold"]


def test_common_prefix_of_a_batch_is_computed_once() -> None:
    shared = tuple(range(200)) * 2
    requests = [request(f"{i}", TokenIds((*shared, i)), Fill(None, GREEDY.replace(max_tokens=4))) for i in range(16)]
    model = ScriptedModel(400, eos_id=398)
    engine = scripted_engine(model=model, chunk_size=128)
    before = model.num_tokens
    found = results(engine, requests)
    assert model.num_tokens - before < len(shared) + 16 * 8
    assert sum(sequences[0].cached_len for sequences in found.values()) == 15 * len(shared)
    assert engine.statistics().hit_rate > 0.9


# Aborts and deadlines


def test_abort_frees_slots_within_a_step_and_says_so() -> None:
    engine = scripted_engine(prefix_cache=False)
    expected = outcome(one(scripted_engine(), Text("Other"), Fill(None, LONG)))
    engine.add(request("gone", Text("The quick brown fox"), Fill(None, LONG), n=3))
    engine.add(request("stays", Text("Other"), Fill(None, LONG)))
    for _ in range(5):
        engine.step()
    engine.abort("gone")
    engine.abort("never existed")
    (terminal,) = [event for event in engine.step() if isinstance(event, TERMINAL)]
    assert isinstance(terminal, RequestFailed)
    assert isinstance(terminal.error, RequestAborted)
    engine.check()
    statistics = engine.statistics()
    assert statistics.sequences_running == 1
    assert statistics.pool_slots - statistics.free_slots < 20
    events: list[Event] = []
    while engine.has_work:
        events += engine.step()
    assert [outcome(event.sequences[0]) for event in events if isinstance(event, RequestFinished)] == [expected]


def test_abort_while_waiting_or_compiling() -> None:
    engine = scripted_engine(max_sequences=1)
    engine.add(request("runs", Text("a"), Fill(None, LONG)))
    engine.step()
    engine.add(request("waits", Text("b"), Fill(None, LONG)))
    engine.add(request("compiles", Text("c"), Fill(None, LONG, Regex("[a-z]{7}[0-9]{9}x"))))
    for name in ("waits", "compiles", "runs"):
        engine.abort(name)
    events = engine.step()
    assert {event.request_id for event in events if isinstance(event, RequestFailed)} == {"waits", "compiles", "runs"}
    assert not engine.has_work
    engine.check()


def test_deadline_aborts() -> None:
    with scripted_engine() as engine:
        handle = engine.submit(request("late", Text("a"), Fill(None, LONG.replace(max_tokens=4000)), deadline_s=0.05))
        with pytest.raises(RequestAborted, match=r"deadline of 0\.05 s"):
            handle.result(60)


# Threads


def test_many_threads_share_one_engine() -> None:
    requests = [request(f"{i}", Text(f"Thread {i % 7} says "), Fill(None, GREEDY)) for i in range(40)]
    expected = {name: outcome(found[0]) for name, found in results(scripted_engine(), requests).items()}
    found: dict[str, object] = {}
    with scripted_engine(max_sequences=8) as engine:

        def client(part: list[GenerateRequest]) -> None:
            for item in part:
                handle = engine.submit(item)
                events = list(handle) if int(item.request_id) % 2 else []
                finished = handle.result(60)
                assert not events or events[-1] is finished
                found[item.request_id] = outcome(finished.sequences[0])

        threads = [threading.Thread(target=client, args=(requests[i::4],)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        engine.check()
        assert engine.statistics().requests_finished == 40
    assert found == expected


def test_coroutines_iterate_and_wait() -> None:
    async def main(engine: Engine) -> tuple[str, RequestFinished]:
        handle = engine.submit(request("a", Text("Say "), Fill(None, GREEDY)))
        other = engine.submit(request("b", Text("Say "), Fill(None, GREEDY)))
        text = ""
        async for event in handle:
            if isinstance(event, TextDelta):
                text += event.text
        return text, await other.wait()

    with scripted_engine() as engine:
        text, finished = asyncio.run(main(engine))
    assert text == finished.sequences[0].fills[0].text != ""


def test_on_event_gets_everything_in_order_and_may_submit() -> None:
    seen: list[Event] = []
    done = threading.Event()
    with scripted_engine() as engine:

        def second(event: Event) -> None:
            seen.append(event)
            if isinstance(event, RequestFinished):
                done.set()

        def first(event: Event) -> None:
            seen.append(event)
            if isinstance(event, RequestFinished):
                engine.submit(request("second", TokenIds(event.sequences[0].token_ids), Fill(None, GREEDY)), second)

        engine.submit(request("first", Text("Say "), Fill(None, GREEDY)), first)
        assert done.wait(60)
    kinds = [type(event) for event in seen if event.request_id == "first"]
    assert kinds[-2:] == [FillFinished, RequestFinished]
    assert kinds.count(TextDelta) == len(kinds) - 2 > 0


def test_failing_on_event_does_not_stop_the_engine(caplog: pytest.LogCaptureFixture) -> None:
    def broken(event: Event) -> None:
        raise ValueError("client's own")

    with scripted_engine() as engine:
        handle = engine.submit(request("broken", Text("a"), Fill(None, GREEDY)), broken)
        assert handle.result(60).sequences
        assert engine.submit(request("fine", Text("a"), Fill(None, GREEDY))).result(60).sequences
    assert "on_event failed" in caplog.text


def test_nobody_reading_costs_others_nothing() -> None:
    with scripted_engine() as engine:
        unread = engine.submit(request("unread", Text("a"), Fill(None, GREEDY)))
        assert engine.submit(request("read", Text("a"), Fill(None, GREEDY))).result(60).sequences
        unread.result(60)
        assert isinstance(list(unread)[-1], RequestFinished)


def test_abort_from_a_handle() -> None:
    with scripted_engine() as engine:
        handle = engine.submit(request("r", Text("a"), Fill(None, LONG.replace(max_tokens=4000))))
        next(iter(handle))
        handle.abort()
        with pytest.raises(RequestAborted):
            handle.result(60)
        handle.abort()


def test_engine_failure_reaches_everyone_in_flight_and_later() -> None:
    all_submitted = threading.Event()

    class Failing(ScriptedModel):
        def forward(self, batch: object, pool: object) -> object:  # type: ignore[override]
            assert all_submitted.wait(60)
            if batch.num_sequences == 3:  # type: ignore[attr-defined]
                raise MemoryError("out of memory")
            return super().forward(batch, pool)  # type: ignore[arg-type]

    engine = scripted_engine(model=Failing(400, eos_id=398))
    with engine:
        handles = [
            engine.submit(request(f"{i}", Text("a"), Fill(None, LONG.replace(max_tokens=4000)))) for i in range(3)
        ]
        all_submitted.set()
        for handle in handles:
            with pytest.raises(EngineStopped, match="out of memory") as caught:
                handle.result(60)
            assert isinstance(caught.value.__cause__, MemoryError)
        with pytest.raises(EngineStopped, match="out of memory"):
            engine.submit(request("later", Text("a"), Fill(None, LONG)))


def test_closing_ends_what_is_in_flight() -> None:
    engine = scripted_engine()
    before = set(threading.enumerate())
    handle = engine.submit(request("r", Text("a"), Fill(None, LONG.replace(max_tokens=4000))))
    (thread,) = set(threading.enumerate()) - before
    assert thread.name == "slipform-engine"
    engine.close()
    with pytest.raises(EngineStopped):
        handle.result(60)
    with pytest.raises(EngineStopped):
        engine.submit(request("later", Text("a"), Fill(None, LONG)))
    assert not thread.is_alive()
    engine.close()


def test_refusals_of_submit_leave_no_trace() -> None:
    with scripted_engine(max_queue=1) as engine:
        with pytest.raises(InvalidRequest):
            engine.submit(request("r", Text("")))
        assert engine.submit(request("r", Text("a"), Fill(None, GREEDY))).result(60).sequences
        with pytest.raises(RuntimeError, match="use submit"):
            engine.step()


def test_result_times_out() -> None:
    with scripted_engine() as engine:
        handle = engine.submit(request("r", Text("a"), Fill(None, LONG.replace(max_tokens=4000))))
        with pytest.raises(TimeoutError):
            handle.result(0.0)
        assert not handle.is_done


def test_times_and_statistics_add_up() -> None:
    engine = scripted_engine()
    started = time.monotonic()
    (finished,) = [
        event
        for event in drive(engine, [request("r", Text("The quick brown"), Fill(None, GREEDY, heal=False), n=2)])
        if isinstance(event, RequestFinished)
    ]
    assert 0 <= finished.times.queue_s <= finished.times.first_token_s <= finished.times.total_s
    assert finished.times.total_s <= time.monotonic() - started
    statistics = engine.statistics()
    made = sum(len(fill.token_ids) for sequence in finished.sequences for fill in sequence.fills)
    assert statistics.sampled_tokens + statistics.forced_tokens == made
    assert statistics.prompt_tokens == 2 * finished.sequences[0].prompt_len
    assert statistics.free_slots + statistics.cached_slots == statistics.pool_slots
    assert statistics.steps > 0
    assert statistics.step_s > 0


# Tokenizer


def test_tokenizer_spells_every_token() -> None:
    tokenizer = Tokenizer(byte_tokenizer())
    text = f"naïve 東京 😀 {MARK} http://x\n\n"
    for special in (False, True):
        ids = tokenizer.encode(text, parse_special=special)
        assert tokenizer.decode(ids, skip_special_tokens=False) == text
        assert b"".join(tokenizer.token_bytes(i, skip_special_tokens=False) for i in ids).decode() == text
    assert tokenizer.decode(tokenizer.encode(text, parse_special=True)) == text.replace(MARK, "")
    assert tokenizer.special_tokens["eos_token"] == "<|end|>"


def test_sentencepiece_like_tokenizer_marks_only_the_start_of_a_text() -> None:
    from tokenizers import AddedToken, decoders, models, normalizers, processors
    from tokenizers import Tokenizer as Backend

    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "a", "b", "▁a", "ab", "▁ab"]
    merges = [("▁", "a"), ("a", "b"), ("▁a", "b")]
    backend = Backend(
        models.BPE({p: i for i, p in enumerate(pieces)}, merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    )
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    backend.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    backend.add_special_tokens([AddedToken(t, special=True) for t in ("<unk>", "<s>", "</s>")])
    backend.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    fast = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    tokenizer = Tokenizer(fast)
    assert tokenizer.prefix_ids == (1,)
    names = {index: piece for piece, index in fast.get_vocab().items()}
    assert [names[i] for i in tokenizer.encode("ab a", at_start=True)] == ["<s>", "▁ab", "▁a"]
    assert [names[i] for i in tokenizer.encode("ab a")] == ["ab", "▁a"]
    assert tokenizer.encode("<s>ab", parse_special=True, at_start=True)[0] == 1
    assert tokenizer.encode("<s>ab", parse_special=True, at_start=True).count(1) == 1
    assert tokenizer.decode(tokenizer.encode("é b")) == "é b"
    engine = scripted_engine(tokenizer=tokenizer)
    sequence = one(engine, Text("ab a"), Fill(None, GREEDY, heal=False), Text("ab"))
    assert [names[i] for i in sequence.token_ids[:3]] == ["<s>", "▁ab", "▁a"]
    assert names[sequence.token_ids[-1]] == "ab"
    assert one(engine, Fill(None, GREEDY)).token_ids[0] == 1


@pytest.mark.parametrize(("named", "start"), [({"bos_token": MARK}, MARK), ({}, EOS)], ids=["BOS", "end token"])
def test_a_fill_without_text_before_it_follows_the_token_that_starts_texts(named: dict[str, str], start: str) -> None:
    """Neither tokenizer writes a BOS token by itself: where one is named it serves, else the end token does."""
    fast = PreTrainedTokenizerFast(tokenizer_object=byte_backend(), eos_token=EOS, **named)
    tokenizer = Tokenizer(fast)
    assert tokenizer.prefix_ids == ()
    engine = scripted_engine(tokenizer=tokenizer)
    sequence = one(engine, Fill(None, GREEDY))
    assert sequence.token_ids[0] == fast.convert_tokens_to_ids(start)
    assert sequence.prompt_len == 1
    assert one(engine, Text("a"), Fill(None, GREEDY)).token_ids[0] == tokenizer.encode("a")[0]


def test_a_fill_without_anything_to_start_with_is_refused() -> None:
    tokenizer = Tokenizer(PreTrainedTokenizerFast(tokenizer_object=byte_backend()))
    engine = scripted_engine(tokenizer=tokenizer, model=ScriptedModel(len(tokenizer.vocabulary), eos_id=0))
    with pytest.raises(InvalidRequest, match="neither a BOS nor an end token"):
        one(engine, Fill(None, GREEDY))
    assert one(engine, Text("a"), Fill(None, GREEDY)).fills[0].finish_reason == "length"
