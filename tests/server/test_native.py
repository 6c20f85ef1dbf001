"""Slipform's own routes, and SGLang's."""

import json
import math
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slipform import errors
from slipform.errors import InvalidRequest, SlipformError
from slipform.grammars import spec as specs
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import (
    Event,
    Fill,
    FillFinished,
    FillResult,
    GenerateRequest,
    RequestFailed,
    RequestFinished,
    RequestTimes,
    SequenceResult,
    Text,
    TextDelta,
    TokenIds,
    TokenLogprob,
)
from slipform.runtime.wire import (
    error_from_plain,
    error_to_plain,
    event_from_plain,
    event_to_plain,
    request_from_plain,
    request_to_plain,
    spec_from_plain,
    spec_to_plain,
)
from tests.fakes import EOS, MARK, scripted_engine
from tests.server.serving import RunningServer, chat_tokenizer, events_of

REQUEST = GenerateRequest(
    "mine",
    (
        Text("Name: "),
        Fill("name", SamplingParams(max_tokens=9, seed=4), specs.Regex("[A-Z][a-z]{2,5}")),
        Text("\nAge: "),
        Fill("age", SamplingParams(max_tokens=9, seed=4), specs.Choice(("12", "34"))),
        Text("."),
    ),
    n=2,
)


# Plain values

texts = st.text(max_size=8)
leaves = st.one_of(
    st.builds(specs.Regex, texts),
    st.builds(specs.Choice, st.lists(texts, max_size=3).map(tuple)),
    st.builds(specs.JsonSchema, texts, st.sampled_from(["declared", "any"])),
    st.builds(specs.Ebnf, texts, texts),
    st.builds(specs.Substring, texts),
    st.builds(specs.AnyText, st.none() | st.integers(0, 99)),
)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(specs.Series, st.lists(inner, max_size=3).map(tuple)),
        st.builds(specs.Repeated, inner, st.integers(0, 3), st.none(), st.none() | inner),
        st.builds(specs.Capture, texts, inner),
        st.builds(specs.Except, inner, inner),
        st.builds(
            specs.StructuralTag,
            st.lists(st.builds(specs.Tag, texts, inner, texts), max_size=2).map(tuple),
            st.lists(texts, max_size=2).map(tuple),
        ),
    ),
    max_leaves=6,
)


@given(trees)
@settings(max_examples=60)
def test_constraints_survive_json(spec: Any) -> None:
    assert spec_from_plain(json.loads(json.dumps(spec_to_plain(spec)))) == spec


def test_requests_and_events_survive_json() -> None:
    request = GenerateRequest("a", (TokenIds((1, 2)), *REQUEST.segments), prompt_logprobs_from=1, deadline_s=2.5)
    assert request_from_plain(json.loads(json.dumps(request_to_plain(request)))) == request
    result = FillResult("x", "text", (1, 2), "stop", 7, (TokenLogprob(1, -0.5, ((2, -1.5),)),))
    sequence = SequenceResult(0, (1, 2), "text", (result,), "stop", 1, 0)
    events: list[Event] = [
        TextDelta("a", 0, 1, "x", (5,), (TokenLogprob(5, -1.0),)),
        FillFinished("a", 0, 1, result),
        RequestFinished("a", (sequence,), RequestTimes(0.1, 0.2, 0.3)),
    ]
    for event in events:
        assert event_from_plain(json.loads(json.dumps(event_to_plain(event)))) == event
    failure = RequestFailed("a", errors.QueueFull(3), (sequence,))
    failed = event_from_plain(json.loads(json.dumps(event_to_plain(failure))))
    assert isinstance(failed, RequestFailed)
    assert isinstance(failed.error, errors.QueueFull)
    assert (failed.error.limit, str(failed.error)) == (3, str(errors.QueueFull(3)))


def test_a_number_that_json_lacks_is_null() -> None:
    plain = event_to_plain(TextDelta("a", 0, 0, "", (1,), (TokenLogprob(1, math.nan),)))
    assert json.loads(json.dumps(plain, allow_nan=False))["logprobs"][0]["logprob"] is None
    read = event_from_plain(plain)
    assert isinstance(read, TextDelta)
    assert math.isnan(read.logprobs[0].logprob)


@pytest.mark.parametrize(
    "error",
    [
        errors.UnsupportedGrammar("not", path="/a/b", reason="why"),
        errors.DeadlineExceeded("r", 2.0),
        errors.PromptTooLong(9, 5),
        SlipformError("plain"),
    ],
)
def test_errors_keep_class_message_and_attributes(error: SlipformError) -> None:
    read = error_from_plain(json.loads(json.dumps(error_to_plain(error))))
    assert type(read) is type(error)
    assert str(read) == str(error)
    assert vars(read) == vars(error)
    assert type(error_from_plain({"class": "os.system", "message": "x"})) is SlipformError


@pytest.mark.parametrize(
    ("plain", "field"),
    [
        ({}, "request_id"),
        ({"request_id": "a", "segments": "x"}, "segments"),
        ({"request_id": "a", "segments": [{"type": "code", "text": "x"}]}, "segments[0].type"),
        ({"request_id": "a", "segments": [{"type": "text", "text": 3}]}, "segments[0].text"),
        ({"request_id": "a", "segments": [{"type": "text", "text": "x", "more": 1}]}, "segments[0].more"),
        ({"request_id": "a", "segments": [], "n": True}, "n"),
        ({"request_id": "a", "segments": [{"type": "fill", "sampling": {"top_p": 7}}]}, "segments[0].sampling.top_p"),
    ],
)
def test_bad_plain_values_are_refused_by_place(plain: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        request_from_plain(plain)
    assert caught.value.field == field


# /v1/programs


def test_a_program_runs_as_in_the_same_process(http: httpx.Client) -> None:
    with scripted_engine(tokenizer=chat_tokenizer(), eos_bias=-2.0) as engine:
        expected = engine.submit(REQUEST).result(60)
    answer = http.post("/v1/programs", json=request_to_plain(REQUEST))
    event = event_from_plain(answer.json())
    assert isinstance(event, RequestFinished)
    assert [sequence.text for sequence in event.sequences] == [sequence.text for sequence in expected.sequences]
    assert event.request_id == "mine"
    with http.stream("POST", "/v1/programs", json={**request_to_plain(REQUEST), "stream": True}) as response:
        events = [event_from_plain(json.loads(data)) for data in events_of(response) if data != "[DONE]"]
    assert isinstance(events[-1], RequestFinished)
    for sequence in expected.sequences:
        for index, fill in enumerate(sequence.fills):
            place = (sequence.index, index)
            deltas = [e for e in events if isinstance(e, TextDelta) and (e.sequence_index, e.fill_index) == place]
            assert "".join(delta.text for delta in deltas) == fill.text


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"segments": []}, "segments"),
        ({"segments": [{"type": "nope"}]}, "segments[0].type"),
        ({"bogus": 1}, "bogus"),
        ({"n": 1000}, "n"),
        ({"segments": [{"type": "token_ids", "ids": [10**6]}]}, "segments[0].ids"),
        ({"segments": [{"type": "text", "text": "a"}, {"type": "fill", "sampling": {"max_tokens": 10**7}}]},
         "segments[1].sampling.max_tokens"),
        ({"segments": [{"type": "text", "text": "a"}] * 5000}, "segments"),
    ],
)  # fmt: skip
def test_bad_programs_are_refused_by_name(http: httpx.Client, changes: dict[str, Any], param: str) -> None:
    response = http.post("/v1/programs", json={"segments": [{"type": "text", "text": "a"}], **changes})
    assert response.status_code == 400, response.text
    assert response.json()["error"]["param"] == param


# Grammars


@pytest.mark.parametrize("body", [{"regex": "a+b"}, {"constraint": {"type": "regex", "pattern": "a+b"}}])
def test_grammar_compile_and_match(http: httpx.Client, body: dict[str, Any]) -> None:
    compiled = http.post("/v1/grammar/compile", json=body).json()
    assert compiled["constraint"] == {"type": "regex", "pattern": "a+b"}
    assert compiled["bytes"] > 0
    for text, matches, is_prefix, accepted in (("aab", True, True, 3), ("aa", False, True, 2), ("ac", False, False, 1)):
        answer = http.post("/v1/grammar/match", json={**body, "text": text}).json()
        assert answer == {"matches": matches, "is_prefix": is_prefix, "accepted_bytes": accepted}


def test_a_refused_grammar_says_where(http: httpx.Client) -> None:
    schema = {"properties": {"a": {"$ref": "#/nowhere"}}}
    response = http.post("/v1/grammar/compile", json={"json_schema": schema})
    assert response.status_code == 400
    error = response.json()["error"]
    assert error["code"] == "invalid_grammar"
    assert error["details"][0]["pointer"].startswith("/properties/a")
    assert http.post("/v1/grammar/compile", json={}).json()["error"]["param"] == "constraint"


# Tokens


def test_tokenize_and_detokenize(http: httpx.Client) -> None:
    tokenizer = chat_tokenizer()
    text = f"The quick {EOS} naïve 東京"
    plain = http.post("/tokenize", json={"prompt": text, "return_token_strs": True}).json()
    assert plain["tokens"] == tokenizer.encode(text, at_start=True)
    special = http.post("/tokenize", json={"prompt": text, "parse_special": True}).json()
    assert special["tokens"] == tokenizer.encode(text, parse_special=True, at_start=True)
    assert special["count"] == len(special["tokens"]) < plain["count"] == len(plain["token_strs"])
    assert http.post("/detokenize", json={"tokens": special["tokens"]}).json() == {"prompt": text, "text": text}
    chat = http.post("/tokenize", json={"messages": [{"role": "user", "content": "Hi"}]}).json()
    assert chat["tokens"] == tokenizer.encode(f"{MARK}user: Hi\n{EOS}{MARK}assistant:", parse_special=True)
    for body in ({}, {"prompt": "x", "messages": [{"role": "user", "content": "x"}]}):
        assert http.post("/tokenize", json=body).status_code == 400
    assert http.post("/detokenize", json={"tokens": [10**6]}).json()["error"]["param"] == "tokens"


# /generate


def test_generate_in_sglangs_shape(http: httpx.Client) -> None:
    params = {"max_new_tokens": 6, "temperature": 0, "ignore_eos": True}
    body = {"text": "The quick", "sampling_params": params, "return_logprob": True, "logprob_start_len": 0}
    answer = http.post("/generate", json={**body, "top_logprobs_num": 2, "return_text_in_logprobs": True}).json()
    meta = answer["meta_info"]
    assert meta["finish_reason"] == {"type": "length", "length": 6}
    assert meta["completion_tokens"] == len(answer["output_ids"]) == len(meta["output_token_logprobs"]) == 6
    assert len(meta["input_token_logprobs"]) == len(meta["input_top_logprobs"]) == meta["prompt_tokens"]
    assert meta["input_token_logprobs"][0][0] is None
    assert [entry[1] for entry in meta["output_token_logprobs"]] == answer["output_ids"]
    pieces = [entry[2] for entry in meta["output_token_logprobs"]]
    assert all(piece in answer["text"] for piece in pieces[1:] if not piece.startswith("bytes:"))
    ids = http.post("/tokenize", json={"prompt": "The quick"}).json()["tokens"]
    batch = http.post("/generate", json={"input_ids": [ids, ids], "sampling_params": {**params, "n": 1}}).json()
    assert len(batch) == 2
    with http.stream("POST", "/generate", json={**body, "stream": True}) as response:
        events = list(events_of(response))
    chunks = [json.loads(event) for event in events[:-1]]
    assert events[-1] == "[DONE]"
    assert chunks[-1]["text"] == answer["text"]
    assert all(answer["text"].startswith(chunk["text"]) for chunk in chunks)
    regex = http.post("/generate", json={"text": "x", "sampling_params": {"regex": "[ab]{3}"}}).json()
    assert set(regex["text"]) <= {"a", "b"}
    assert regex["meta_info"]["finish_reason"]["type"] == "stop"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "text"),
        ({"text": "a", "input_ids": [1]}, "text"),
        ({"text": ["a", "b"], "sampling_params": [{}]}, "sampling_params"),
        ({"text": "a", "sampling_params": {"regex": "a", "ebnf": "b"}}, "regex"),
        ({"text": "a", "lora_path": "x"}, "lora_path"),
        ({"text": "a", "custom_logit_processor": "gASVAAAA"}, "custom_logit_processor"),
        ({"text": "a", "session_params": {"id": 1}}, "session_params"),
        ({"text": "a", "sampling_params": {"n": 99}}, "sampling_params.n"),
        ({"input_ids": [10**7]}, "input_ids"),
    ],
)
def test_generate_refuses_by_name(http: httpx.Client, body: dict[str, Any], param: str) -> None:
    response = http.post("/generate", json=body)
    assert response.status_code == 400, response.text
    assert response.json()["error"]["param"] == param


# Operations


def test_information_routes(http: httpx.Client, server: RunningServer) -> None:
    assert http.get("/health").json() == {"status": "ok"}
    assert http.get("/health_generate").json() == {"status": "ok"}
    assert http.get("/ready").json()["engine"] == "ready"
    info = http.get("/server_info").json()
    assert info["max_context"] == server.client.info.max_context
    assert info["statistics"]["pool_slots"] == 4096
    models = http.get("/v1/models").json()
    assert models["data"][0]["id"] == "slipform"
    assert http.get("/v1/models/slipform").json() == models["data"][0]
    other = http.get("/v1/models/other")
    assert (other.status_code, "'slipform'" in other.json()["error"]["message"]) == (404, True)
    assert http.post("/flush_cache").json()["freed_slots"] >= 0
    assert http.get("/metrics").status_code == 200
    missing = http.get("/no/such/route")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "unknown_route")
    assert "GET /openapi.json" in missing.json()["error"]["message"]
    near = http.post("/v1/chat/completion", json={}).json()["error"]["message"]
    assert near.endswith("did you mean /v1/chat/completions?")
    wrong = http.get("/v1/completions")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
    assert wrong.json()["error"]["code"] == "method_not_allowed"
    assert wrong.json()["error"]["message"] == "/v1/completions does not take GET, but POST"
    assert http.get("/health", headers={"x-request-id": "abc-1"}).headers["x-request-id"] == "abc-1"
    assert len(http.get("/health", headers={"x-request-id": "a b"}).headers["x-request-id"]) == 32


def test_names_of_other_servers(http: httpx.Client) -> None:
    """The same answers under the names that their clients ask for."""
    assert http.get("/ping").json() == http.get("/ready").json()
    assert http.get("/version").json() == {"version": http.get("/server_info").json()["version"]}
    assert http.get("/load").json() == {"server_load": 0}
    info = http.get("/get_model_info").json()
    assert info["model_path"] == http.get("/v1/models").json()["data"][0]["id"]
    assert info["is_generation"] is True
    assert "freed_slots" in http.post("/reset_prefix_cache").json()


def test_a_template_applied_is_what_is_tokenized(http: httpx.Client) -> None:
    chat = {"messages": [{"role": "user", "content": "Hi"}], "add_generation_prompt": False}
    text = http.post("/apply-template", json=chat).json()["prompt"]
    assert "user: Hi" in text
    tokens = http.post("/tokenize", json={"prompt": text, "parse_special": True}).json()["tokens"]
    assert tokens == http.post("/tokenize", json=chat).json()["tokens"]
