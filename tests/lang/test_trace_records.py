"""What a run's trace holds, against the model itself, against the grammars, and against the run's own text."""

import asyncio
import json
import string
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import regex
import torch
from transformers import AutoModelForCausalLM

import slipform as sf
from slipform.errors import FillError, InvalidRequest, VariableError
from slipform.lang.backend import Backend
from slipform.lang.backends.engine import EngineBackend
from slipform.lang.config import as_backend
from slipform.lang.run_trace import RunTrace
from slipform.lang.trace_build import full_text
from slipform.lang.trace_record import Segment
from slipform.runtime.config import EMBEDDED_MODEL
from slipform.runtime.engine import Engine
from slipform.runtime.request import Event, GenerateRequest, RequestFinished
from tests.fakes import scripted_engine

MAIL = "Hi, my name is Priya Nair. I was charged twice for order SO-20094: 49.90 EUR on 3 November 2026."
DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
SCHEMA = {
    "type": "object",
    "properties": {"customer": {"type": "string"}, "category": {"enum": ["billing", "technical"]}},
    "required": ["customer", "category"],
}


@sf.function
def triage(s: sf.ProgramState, mail: str) -> None:
    s += sf.user_begin() + mail + "\n\n"
    ticket, mood = s.fork(2)
    ticket += "Extract the ticket as JSON." + sf.user_end()
    ticket += sf.assistant(sf.gen("ticket", json_schema=SCHEMA, temperature=0))
    ticket += sf.user("Extract the date.")
    ticket += sf.assistant("On " + sf.gen("date", regex=DATE) + "!")
    mood += "How does the customer sound?" + sf.user_end()
    mood += sf.assistant(sf.select("mood", ["calm", "angry"]) + ", " + sf.gen("more", n=2, max_tokens=6))
    s += "Done." + sf.user_end()
    s.fork(1)[0].copy()


class Recording(EngineBackend):
    """Keeps the terminal event of every request."""

    def __init__(self, engine: Any) -> None:
        super().__init__(engine)
        self.finished: dict[str, RequestFinished] = {}

    def submit(self, request: GenerateRequest, listener: Callable[[Event], None]) -> Any:
        def listen(event: Event) -> None:
            if isinstance(event, RequestFinished):
                self.finished[request.request_id] = event
            listener(event)

        return super().submit(request, listen)


@pytest.fixture(scope="module")
def embedded() -> Iterator[Recording]:
    with Engine(dtype="float32", warm_up=False, pool_slots=4096) as engine:
        yield Recording(engine)


@pytest.fixture(scope="module")
def traced(embedded: Recording) -> RunTrace:
    return triage.run(mail=MAIL, backend=embedded, trace="full", seed=7).trace


def holes(trace: RunTrace) -> dict[str, Segment]:
    return {segment.name: segment for segment in trace.segments() if segment.name is not None}


# Against the model


def test_log_probabilities_are_those_of_a_plain_forward_pass(embedded: Recording, traced: RunTrace) -> None:
    model = AutoModelForCausalLM.from_pretrained(EMBEDDED_MODEL, dtype=torch.float32).eval()
    checked = 0
    for segment in traced.segments():
        if not segment.tokens:
            continue
        request = traced.requests[segment.request]  # type: ignore[index]
        filled = embedded.finished[request.request_id]
        all_tokens = [segment.tokens, *(sample.tokens for sample in segment.samples)]
        for sequence, tokens in zip(filled.sequences, all_tokens, strict=True):
            (start,) = [fill.start for fill in sequence.fills if fill.name == segment.name]
            with torch.inference_mode():
                logits = model(torch.tensor([sequence.token_ids])).logits[0].float()
            for position, token in enumerate(tokens, start):
                logprobs = torch.log_softmax(logits[position - 1], dim=-1)
                assert sequence.token_ids[position] == token.token_id
                assert token.logprob == pytest.approx(logprobs[token.token_id].item(), abs=2e-3)
                likeliest = torch.topk(logprobs, 5)
                known = {alternative.token_id: alternative.logprob for alternative in token.alternatives}
                known[token.token_id] = token.logprob
                for value, token_id in zip(likeliest.values.tolist(), likeliest.indices.tolist(), strict=True):
                    if value > likeliest.values[-1].item() + 1e-2:  # a tie at the end may go either way
                        assert known[token_id] == pytest.approx(value, abs=2e-3)
                assert len({alternative.token_id for alternative in token.alternatives}) == len(token.alternatives)
                checked += 1
    assert checked > 30


def test_forced_tokens_are_those_that_the_grammar_leaves_no_choice_in(traced: RunTrace) -> None:
    """Every letter of a forced token is the only one that any match goes on with; a sampled token had a choice."""
    date = holes(traced)["date"]
    written = ""
    for token in date.tokens:
        for letter in token.text:
            choices = [c for c in string.printable if regex.fullmatch(DATE, written + c, partial=True)]
            if token.source == "forced":
                assert choices == [letter]
            written += letter
        assert (token.num_allowed == 1) == (token.source == "forced")
    assert regex.fullmatch(DATE, date.text)
    keys = "".join(token.text for token in holes(traced)["ticket"].tokens if token.source == "forced")
    assert "customer" in keys
    assert "category" in keys


def test_under_the_mask_probabilities_are_renormalised(traced: RunTrace) -> None:
    for token in traced.tokens():
        assert token.logprob is not None
        assert token.constrained is not None
        assert token.constrained >= token.logprob - 1e-6
        if token.source == "forced":
            assert token.constrained == 0.0
            assert all(alternative.constrained is None for alternative in token.alternatives)
        gain = token.constrained - token.logprob
        for alternative in token.alternatives:
            if alternative.constrained is not None:
                assert alternative.constrained - alternative.logprob == pytest.approx(gain, abs=1e-6)


# Against the run's text


def test_the_parts_make_up_the_text(embedded: Recording) -> None:
    state = triage.run(mail=MAIL, backend=embedded, trace=True, seed=7)
    trace = state.trace
    assert trace.text == state.text()
    machines = list(state.machine.everything())  # type: ignore[attr-defined]
    assert [full_text(trace.branches, index) for index in range(len(machines))] == [m.text() for m in machines]
    for segment in trace.segments():
        if segment.tokens:
            assert "".join(token.text for token in segment.tokens) == segment.text
        for sample in segment.samples:
            assert "".join(token.text for token in sample.tokens) == sample.text


def test_roles_names_and_lines(traced: RunTrace) -> None:
    found = holes(traced)
    assert list(found) == ["ticket", "date", "mood", "more"]
    assert {segment.role for segment in found.values()} == {"assistant"}
    assert [segment.role for segment in traced.branches[0].segments if segment.kind == "text"] == ["user"] * 3
    for name, segment in found.items():
        path, line = segment.origin.rsplit(":", 1)  # type: ignore[union-attr]
        assert path == __file__
        with open(__file__, encoding="utf-8") as source:
            assert f'"{name}"' in source.readlines()[int(line) - 1]


def test_branches_are_a_tree(traced: RunTrace) -> None:
    assert [branch.path for branch in traced.branches] == [(), (0,), (1,), (2,), (2, 0)]
    assert [branch.parent for branch in traced.branches] == [None, 0, 0, 0, 3]
    assert [branch.fork for branch in traced.branches] == [0, 0, 0, 1, 0]
    assert list(traced.branches[1].variables) == ["ticket", "date"]
    assert traced.branches[2].variables["mood"] in ("calm", "angry")
    assert len(traced.branches[2].variables["more"]) == 2


def test_a_select_has_its_distribution(traced: RunTrace) -> None:
    mood = holes(traced)["mood"]
    assert [choice.text for choice in mood.choices] == ["calm", "angry"]
    assert sum(choice.probability for choice in mood.choices) == pytest.approx(1.0)
    assert mood.text in ("calm", "angry")
    assert mood.margin == pytest.approx(abs(mood.choices[0].probability - mood.choices[1].probability))


def test_requests_have_times_and_cache_hits(embedded: Recording) -> None:
    embedded.flush_cache()
    first = triage.run(mail=MAIL, backend=embedded, trace=True, seed=7).trace
    again = triage.run(mail=MAIL, backend=embedded, trace=True, seed=7).trace
    for trace in (first, again):
        kinds = [request.kind for request in trace.requests]
        assert kinds.count("prefix") >= 1
        assert kinds.count("select") == 1
        for request in trace.requests:
            assert 0 <= request.sent_s <= request.ended_s <= trace.duration_s
            finished = embedded.finished.get(request.request_id)
            if finished is not None:
                assert request.cached_len == finished.sequences[0].cached_len
                assert request.prompt_len == finished.sequences[0].prompt_len
                assert request.total_s == finished.times.total_s
                assert request.queue_s <= request.first_token_s <= request.total_s
        for token in trace.tokens():
            assert 0 <= token.at_s <= trace.duration_s
    fill = next(index for index, request in enumerate(again.requests) if request.kind == "fill")
    assert again.requests[fill].cached_len > 20
    text = full_text(again.branches, again.requests[fill].branch)
    known = embedded.encode(text[: again.requests[fill].cached_chars], parse_special=True)
    assert len(known) == again.requests[fill].cached_len


def test_counts(embedded: Recording, traced: RunTrace) -> None:
    counts = traced.counts
    assert counts.tokens == counts.sampled + counts.forced + counts.closing
    assert counts.branches == 5
    assert 0 < counts.passes < counts.tokens  # branches share steps, and forced tokens cost none
    assert str(traced).startswith("triage on this engine")
    assert f"{counts.sampled} sampled, {counts.forced} forced" in str(traced)


def test_seeds_repeat_what_was_drawn(embedded: Recording) -> None:
    state = triage.run(mail=MAIL, backend=embedded)
    more = holes(state.trace)["more"]
    assert more.seed is not None
    assert holes(state.trace)["ticket"].sampling["temperature"] == 0


# What is noted without being asked for


def test_every_run_has_a_trace(embedded: Recording) -> None:
    trace = triage.run(mail=MAIL, backend=embedded, seed=7).trace
    assert trace.detail == "kept"
    assert trace.missing == ("log-probabilities", "token times")
    ticket = holes(trace)["ticket"]
    assert "".join(token.text for token in ticket.tokens) == ticket.text
    assert {token.source for token in ticket.tokens} == {"sampled", "forced"}
    assert all(token.num_allowed and token.step is not None for token in ticket.tokens)
    assert all(token.logprob is None and token.at_s is None for token in ticket.tokens)
    assert all(request.ended_s is not None for request in trace.requests)


@pytest.mark.parametrize("trace", [None, False, True, "full"])
def test_a_trace_changes_nothing(embedded: Recording, trace: Any) -> None:
    plain = triage.run(mail=MAIL, backend=embedded, seed=7)
    state = triage.run(mail=MAIL, backend=embedded, seed=7, trace=trace)
    machines = [list(one.machine.everything()) for one in (plain, state)]  # type: ignore[attr-defined]
    assert [m.text() for m in machines[0]] == [m.text() for m in machines[1]]


def test_only_true_false_and_full(embedded: Recording) -> None:
    with pytest.raises(FillError, match="trace: must be True, False or \"full\", got 'some'"):
        triage.run(mail=MAIL, backend=embedded, trace="some")


def test_a_parameter_named_trace_is_the_programs_own() -> None:
    @sf.function
    def explain(s: sf.ProgramState, trace: str) -> None:
        s += "Explain: " + trace + sf.gen("why")

    state = explain.run(trace="line 3", backend=sf.ScriptedBackend({"why": " because"}))
    assert state.text() == "Explain: line 3 because"
    assert state.trace.arguments == {"trace": "line 3"}


def test_a_trace_ends_the_tracing_of_a_program() -> None:
    @sf.function
    def looks(s: sf.ProgramState) -> None:
        s += "a" + sf.gen("b")
        print(s.trace)

    assert looks.trace().open_end == "reads the trace of the run"


# While it runs, and when it fails


def test_what_is_not_there_yet_is_pending() -> None:
    seen: list[RunTrace] = []

    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += "a" + sf.gen("first")
        seen.append(s.trace)
        s["first"]
        s += sf.gen("second")
        seen.append(s.trace)

    program.run(backend=sf.ScriptedBackend({"first": "1", "second": "2"}))
    assert [(s.text, s.state) for s in seen[0].segments()] == [("a", "done"), ("", "pending")]
    assert [(s.text, s.state) for s in seen[1].segments()] == [("a", "done"), ("1", "done"), ("", "pending")]
    assert not seen[0].requests
    for trace in seen:
        assert "second" in trace.to_html() or trace is seen[0]
        assert "not written yet" in trace._repr_html_()


def test_a_failed_run_says_where() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += "a" + sf.gen("first") + sf.gen("second", regex="[0-9]")

    backend = sf.ScriptedBackend({"first": "1", "second": "x"})
    (state,) = program.run_batch([{}], backend=backend)
    trace = state.trace
    assert trace.error is not None
    assert "which" in trace.error
    assert [segment.state for segment in trace.segments()] == ["done", "done", "failed"]
    assert trace.requests[0].error is not None


def test_traces_of_batches_streams_and_async_programs() -> None:
    @sf.function
    async def asks(s: sf.ProgramState, number: int) -> None:
        s += f"{number}: " + sf.gen("answer")
        await s.aget("answer")

    backend = sf.ScriptedBackend(default="yes")
    states = asks.run_batch([{"number": 1}, {"number": 2}], backend=backend, trace="full")
    assert [state.trace.text for state in states] == ["1: yes", "2: yes"]
    assert asyncio.run(asks.arun(number=3, backend=backend, trace=True)).trace.detail == "tokens"
    stream = asks.stream(number=4, backend=backend, trace=True)
    assert "".join(stream) == stream.state.trace.text == "4: yes"


# Tools, thoughts


def test_calls_of_tools_stand_at_the_turn_that_asked_for_them() -> None:
    @sf.tool
    def stock(article: str) -> int:
        """How many there are.

        Args:
            article: its name.
        """
        if article == "ink":
            raise ValueError("no ink")
        return 12

    @sf.function
    def shop(s: sf.ProgramState) -> None:
        s += sf.user("How many pens and inks?")
        s += sf.call("answer", tools=[stock])

    turn = '<tool_call>\n{{"name": "stock", "arguments": {{"article": "{}"}}}}\n</tool_call>'
    backend = sf.ScriptedBackend({"answer": [turn.format("pen"), turn.format("ink"), "12 pens."]})
    trace = shop.run(backend=backend).trace
    turns = [segment for segment in trace.segments() if segment.kind == "call"]
    assert [[(call.tool, call.arguments, call.failed) for call in segment.calls] for segment in turns] == [
        [("stock", '{"article": "pen"}', False)],
        [("stock", '{"article": "ink"}', True)],
        [],
    ]
    assert turns[0].calls[0].told == "12"


def test_thoughts_are_written_and_not_in_the_text() -> None:
    @sf.function
    def thinks(s: sf.ProgramState) -> None:
        s += "Q" + sf.separate_reasoning(sf.gen("answer"), model_type="qwen3")

    state = thinks.run(backend=sf.ScriptedBackend({"answer": "<think>hm</think>yes"}))
    (segment,) = [s for s in state.trace.segments() if s.kind == "fill"]
    assert segment.text == "yes"
    assert "".join(token.text for token in segment.tokens) == segment.written == "<think>hm</think>yes"


# Backends that tell less


def test_a_script_tells_no_numbers_that_it_made_up() -> None:
    @sf.function
    def program(s: sf.ProgramState) -> None:
        s += "a " + sf.gen("b")

    trace = program.run(backend=sf.ScriptedBackend({"b": "two words"}), trace="full").trace
    assert trace.missing == ("log-probabilities", "masks", "seeds", "steps", "times")
    assert [token.text for token in trace.tokens()] == ["two", " words"]
    for token in trace.tokens():
        assert (token.num_allowed, token.logprob, token.step, token.cost_ms, token.at_s) == (None,) * 5
    assert trace.requests[0].queue_s is None
    assert trace.counts.passes is None


def openai(logprobs: list[dict[str, Any]] | None, requests: list[dict[str, Any]]) -> sf.OpenAI:
    """An API that answers `Paris!`."""

    def answer(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        requests.append(body)
        asked = {"logprobs": {"content": logprobs}} if logprobs and body.get("logprobs") else {}
        choice = {"index": 0, "finish_reason": "stop", **asked}
        usage = {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}}
        if not body.get("stream"):
            return httpx.Response(200, json={"choices": [{**choice, "message": {"content": "Paris!"}}], "usage": usage})
        chunk = {"choices": [{**choice, "delta": {"content": "Paris!"}}], "usage": usage}
        return httpx.Response(200, text=f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n")

    return sf.OpenAI("some-model", api_key="none", transport=httpx.MockTransport(answer))


@sf.function
def capital(s: sf.ProgramState) -> None:
    s += sf.user("Capital of France?")
    s += sf.assistant(sf.gen("city"))


def test_an_api_tells_its_tokens_and_their_log_probabilities() -> None:
    requests: list[dict[str, Any]] = []
    entries = [
        {
            "token": "Par",
            "logprob": -0.1,
            "top_logprobs": [{"token": "Par", "logprob": -0.1}, {"token": "L", "logprob": -3}],
        },
        {"token": "is!", "logprob": -0.2, "top_logprobs": []},
    ]
    backend = openai(entries, requests)
    trace = capital.run(backend=backend, trace="full").trace
    backend.close()
    assert requests[0]["logprobs"] is True
    assert requests[0]["top_logprobs"] == 5
    city = holes(trace)["city"]
    assert [(token.text, token.logprob, token.source) for token in city.tokens] == [
        ("Par", -0.1, None),
        ("is!", -0.2, None),
    ]
    assert [(other.text, other.logprob) for other in city.tokens[0].alternatives] == [("Par", -0.1), ("L", -3)]
    assert trace.missing == ("masks", "seeds", "sources", "steps", "times")
    assert (trace.requests[0].prompt_len, trace.requests[0].cached_len) == (9, 4)
    assert trace.requests[0].queue_s is None
    assert trace.requests[0].first_text_s is not None


def test_an_api_that_was_not_asked_tells_no_tokens() -> None:
    requests: list[dict[str, Any]] = []
    backend = openai(None, requests)
    trace = capital.run(backend=backend, trace=True).trace
    backend.close()
    assert "logprobs" not in requests[0]
    city = holes(trace)["city"]
    assert city.text == "Paris!"
    assert not city.tokens
    assert trace.counts.tokens == 0


# Storing


def test_a_trace_comes_back_from_json(traced: RunTrace, tmp_path: Any) -> None:
    path = traced.save(tmp_path / "trace.json")
    loaded = sf.RunTrace.load(path)
    assert loaded == traced
    assert loaded.to_json() == traced.to_json()
    assert loaded.to_html() == traced.to_html()
    # Seeds are longer than JavaScript's numbers are exact.
    stored = [s["seed"] for b in json.loads(path.read_text())["branches"] for s in b["segments"] if "seed" in s]
    assert stored
    assert all(isinstance(seed, str) for seed in stored)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "Invalid JSON"), ('{"program": 3}', "program: "), ("[]", "trace: ")],
)
def test_what_is_no_trace_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        RunTrace.from_json(text)


def test_a_trace_of_another_version_is_refused(traced: RunTrace) -> None:
    newer = json.dumps({**json.loads(traced.to_json()), "version": 2})
    with pytest.raises(InvalidRequest, match="version: Input should be 1"):
        RunTrace.from_json(newer)


def test_an_unknown_fill_is_a_key_error(traced: RunTrace) -> None:
    assert traced.fill("date").name == "date"
    with pytest.raises(KeyError):
        traced.fill("unknown")


def test_many_runs_at_once_keep_their_traces_apart() -> None:
    with scripted_engine(model_seed=5) as engine:
        backend: Backend = as_backend(engine)

        @sf.function
        def program(s: sf.ProgramState, text: str) -> None:
            s += text + sf.gen("word", regex="[a-z]{3}")

        with ThreadPoolExecutor(4) as pool:
            states = list(pool.map(lambda text: program.run(text=text, backend=backend, trace="full"), "abcd" * 3))
        for state in states:
            assert state.trace.text == state.text()
            assert len(state.trace.requests) == 1
            with pytest.raises(VariableError):
                state["unknown"]
