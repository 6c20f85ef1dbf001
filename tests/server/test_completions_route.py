"""/v1/completions against the engine in the same process, asked directly."""

import json
import re
from typing import Any

import httpx
import pytest

from slipform.runtime.engine import Engine
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import Fill, GenerateRequest, SequenceResult, Text, TokenIds
from tests.fakes import scripted_engine
from tests.server.serving import RunningServer, chat_tokenizer, events_of

PROMPT = "The quick brown"


@pytest.fixture(scope="module")
def engine() -> Any:
    """The same model in this process: what answers must be."""
    with scripted_engine(tokenizer=chat_tokenizer(), eos_bias=-2.0) as made:
        yield made


def expected(engine: Engine, *segments: Any, **request: Any) -> tuple[SequenceResult, ...]:
    return engine.submit(GenerateRequest("oracle", segments, **request)).result(60).sequences


def post(http: httpx.Client, **body: Any) -> dict[str, Any]:
    response = http.post("/v1/completions", json=body)
    assert response.status_code == 200, response.text
    return dict(response.json())


def test_greedy_text_usage_and_shape(http: httpx.Client, engine: Engine) -> None:
    (sequence,) = expected(engine, Text(PROMPT), Fill(None, SamplingParams(max_tokens=12, temperature=0)))
    answer = post(http, prompt=PROMPT, max_tokens=12, temperature=0)
    (choice,) = answer["choices"]
    assert choice["text"] == sequence.fills[0].text
    assert choice["finish_reason"] == sequence.fills[0].finish_reason
    assert answer["object"] == "text_completion"
    assert answer["id"].startswith("cmpl-")
    usage = answer["usage"]
    assert usage["prompt_tokens"] == sequence.prompt_len
    assert usage["completion_tokens"] == len(sequence.fills[0].token_ids)
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_sampling_is_the_engines_own(http: httpx.Client, engine: Engine) -> None:
    """A seeded sample with penalties and bias is the same through the server."""
    params = SamplingParams(
        max_tokens=20, temperature=0.8, top_p=0.9, top_k=50, min_p=0.01, seed=7, presence_penalty=0.5,
        frequency_penalty=0.25, repetition_penalty=1.1, logit_bias=((65, 2.0),), min_tokens=5, ignore_eos=True,
    )  # fmt: skip
    sequences = expected(engine, Text(PROMPT), Fill(None, params), n=2)
    body = {
        "max_tokens": 20, "temperature": 0.8, "top_p": 0.9, "top_k": 50, "min_p": 0.01, "seed": 7, "n": 2,
        "presence_penalty": 0.5, "frequency_penalty": 0.25, "repetition_penalty": 1.1, "logit_bias": {"65": 2.0},
        "min_tokens": 5, "ignore_eos": True,
    }  # fmt: skip
    answer = post(http, prompt=PROMPT, **body)
    assert [choice["text"] for choice in answer["choices"]] == [sequence.fills[0].text for sequence in sequences]


def test_batches_of_texts_and_of_token_ids(http: httpx.Client, engine: Engine) -> None:
    prompts = ["one", "two three", "four"]
    ids = [engine.tokenizer.encode(prompt) for prompt in prompts]
    answer = post(http, prompt=ids, max_tokens=6, temperature=0, n=2)
    assert [choice["index"] for choice in answer["choices"]] == list(range(6))
    for position, prompt_ids in enumerate(ids):
        fill = Fill(None, SamplingParams(max_tokens=6, temperature=0))
        (sequence,) = expected(engine, TokenIds(tuple(prompt_ids)), fill)
        assert answer["choices"][2 * position]["text"] == sequence.fills[0].text
    texts = post(http, prompt=prompts, max_tokens=6, temperature=0)
    assert len(texts["choices"]) == 3
    assert texts["usage"]["prompt_tokens"] == sum(map(len, ids))


def test_scoring_a_prompt(http: httpx.Client, engine: Engine) -> None:
    (sequence,) = expected(engine, Text(PROMPT), prompt_logprobs_from=0, prompt_top_logprobs=3)
    (choice,) = post(http, prompt=PROMPT, max_tokens=0, echo=True, logprobs=3)["choices"]
    logprobs = choice["logprobs"]
    assert choice["text"] == PROMPT
    assert "".join(logprobs["tokens"]) == PROMPT
    assert logprobs["token_logprobs"][0] is None
    assert logprobs["token_logprobs"][1:] == pytest.approx([entry.logprob for entry in sequence.prompt_logprobs[1:]])
    assert [len(top) for top in logprobs["top_logprobs"][1:]] == [3] * (len(sequence.token_ids) - 1)
    for token, offset in zip(logprobs["tokens"], logprobs["text_offset"], strict=True):
        assert PROMPT[offset:].startswith(token)


def test_echo_with_logprobs_of_prompt_and_answer(http: httpx.Client) -> None:
    echoed = post(http, prompt=PROMPT, max_tokens=4, temperature=0, echo=True, logprobs=1)["choices"][0]
    bare = post(http, prompt=PROMPT, max_tokens=4, temperature=0, logprobs=1)["choices"][0]
    assert echoed["text"] == PROMPT + bare["text"]
    assert echoed["logprobs"]["token_logprobs"][-4:] == pytest.approx(bare["logprobs"]["token_logprobs"])


def test_stream_is_the_whole_answer_in_pieces(http: httpx.Client) -> None:
    body = {"prompt": ["one", "two"], "max_tokens": 10, "temperature": 0, "logprobs": 2, "n": 2}
    whole = post(http, **body)
    texts = dict.fromkeys(range(4), "")
    numbers: dict[int, list[float]] = {index: [] for index in range(4)}
    reasons: dict[int, str] = {}
    with http.stream("POST", "/v1/completions", json=body | _STREAM) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        events = list(events_of(response))
    assert events[-1] == "[DONE]"
    chunks = [json.loads(event) for event in events[:-1]]
    assert chunks[-1]["choices"] == []
    for chunk in chunks[:-1]:
        (choice,) = chunk["choices"]
        texts[choice["index"]] += choice["text"]
        if choice["logprobs"]:
            numbers[choice["index"]] += choice["logprobs"]["token_logprobs"]
        if choice["finish_reason"]:
            assert choice["index"] not in reasons
            reasons[choice["index"]] = choice["finish_reason"]
    for choice in whole["choices"]:
        assert texts[choice["index"]] == choice["text"]
        assert reasons[choice["index"]] == choice["finish_reason"]
        assert numbers[choice["index"]] == pytest.approx(choice["logprobs"]["token_logprobs"])
    assert {**chunks[-1]["usage"], "prompt_tokens_details": None} == {**whole["usage"], "prompt_tokens_details": None}


_STREAM = {"stream": True, "stream_options": {"include_usage": True}}


def test_stops(http: httpx.Client, engine: Engine) -> None:
    text = post(http, prompt=PROMPT, max_tokens=30, temperature=0, ignore_eos=True)["choices"][0]["text"]
    stop = text[5:8]
    (cut,) = post(http, prompt=PROMPT, max_tokens=30, temperature=0, ignore_eos=True, stop=[stop])["choices"]
    assert cut["text"] == text[: text.index(stop)]
    assert (cut["finish_reason"], cut["stop_reason"]) == ("stop", stop)
    kept = post(
        http, prompt=PROMPT, max_tokens=30, temperature=0, ignore_eos=True, stop=stop, include_stop_str_in_output=True
    )
    assert kept["choices"][0]["text"] == text[: text.index(stop) + len(stop)]


@pytest.mark.parametrize(
    ("fields", "pattern"),
    [
        ({"regex": "[a-c]{4}"}, r"[a-c]{4}"),
        ({"guided_choice": ["red", "blue"]}, r"red|blue"),
        ({"structured_outputs": {"regex": "x=[0-9]{3}"}}, r"x=[0-9]{3}"),
    ],
)
def test_constraints_hold(http: httpx.Client, fields: dict[str, Any], pattern: str) -> None:
    (choice,) = post(http, prompt=PROMPT, max_tokens=30, **fields)["choices"]
    assert re.fullmatch(pattern, choice["text"])
    assert choice["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"suffix": "x"}, "suffix"),
        ({"best_of": 3}, "best_of"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 10**9}, "max_tokens"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"n": 65}, "n"),
        ({"n": 0}, "n"),
        ({"logprobs": 21}, "logprobs"),
        ({"temperature": -1}, "temperature"),
        ({"top_p": 0}, "top_p"),
        ({"logit_bias": {"x": 1}}, "logit_bias"),
        ({"logit_bias": {"100000": 1}}, "logit_bias"),
        ({"stop": ["x" * 2000]}, "stop"),
        ({"stop": [""]}, "stop"),
        ({"stop": ["a"] * 100}, "stop"),
        ({"stop_regex": "("}, "stop_regex"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"use_beam_search": True}, "use_beam_search"),
        ({"prompt": []}, "prompt"),
        ({"prompt": [[1, -5]]}, "prompt[0][1]"),
        ({"prompt": [100000]}, "prompt"),
        ({"prompt": ["a"] * 300}, "prompt"),
        ({"regex": "a", "json_schema": {}}, "json_schema"),
        ({"regex": "("}, None),
        ({"prompt": None}, "prompt"),
        ({"seed": 2**64}, "seed"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(http: httpx.Client, fields: dict[str, Any], param: str | None) -> None:
    response = http.post("/v1/completions", json={"prompt": "x", "max_tokens": 2, **fields})
    error = response.json()["error"]
    assert response.status_code == 400, response.text
    assert error["type"] == "invalid_request_error"
    assert error["param"] == param or param is None


def test_unknown_model_is_404(http: httpx.Client) -> None:
    response = http.post("/v1/completions", json={"prompt": "x", "model": "gpt-9"})
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "model_not_found"


def test_unknown_fields_are_named_and_refused_when_strict(http: httpx.Client) -> None:
    body = {"prompt": "x", "max_tokens": 1, "frobnicate": 1, "user": "me"}
    response = http.post("/v1/completions", json=body)
    assert response.headers["x-slipform-ignored-fields"] == "frobnicate"
    strict = http.post("/v1/completions?strict=1", json=body)
    assert strict.status_code == 400
    assert strict.json()["error"]["param"] == "frobnicate"


def test_a_prompt_beyond_the_context_is_refused(http: httpx.Client, server: RunningServer) -> None:
    limit = server.client.info.max_context
    for prompt in ("word " * 2 * limit, [5] * (limit + 1)):
        response = http.post("/v1/completions", json={"prompt": prompt, "max_tokens": 1})
        assert response.status_code in (400, 503), response.text
        assert str(limit) in response.json()["error"]["message"]
