"""Fields about single tokens: which may come, which are scored, how many were written so far."""

import json
from typing import Any

import httpx
import pytest

from slipform.runtime.engine import Engine
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import Fill, GenerateRequest, SequenceResult, Text
from tests.fakes import scripted_engine
from tests.server.serving import RunningServer, chat_tokenizer, events_of

PROMPT = "The quick brown"
CHAT = {"messages": [{"role": "user", "content": "Hello there"}]}


@pytest.fixture(scope="module")
def engine() -> Any:
    """The same model in this process: what answers must be."""
    with scripted_engine(tokenizer=chat_tokenizer(), eos_bias=-2.0) as made:
        yield made


def scored(engine: Engine, params: SamplingParams) -> SequenceResult:
    request = GenerateRequest("oracle", (Text(PROMPT), Fill(None, params)), prompt_logprobs_from=0)
    return engine.submit(request).result(60).sequences[0]


def post(http: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    response = http.post(path, json=body)
    assert response.status_code == 200, response.text
    return dict(response.json())


def chunks(http: httpx.Client, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    with http.stream("POST", path, json={**body, "stream": True}) as response:
        assert response.status_code == 200, response.read()
        events = list(events_of(response))
    assert events[-1] == "[DONE]"
    return [json.loads(event) for event in events[:-1]]


def test_allowed_token_ids(http: httpx.Client) -> None:
    allowed = [40, 41, 42]
    body = {"max_tokens": 10, "allowed_token_ids": allowed, "return_token_ids": True, "seed": 1}
    answers = [
        post(http, "/v1/completions", {**body, "prompt": PROMPT})["choices"][0]["token_ids"],
        post(http, "/v1/chat/completions", {**body, **CHAT})["choices"][0]["token_ids"],
        post(
            http, "/generate", {"text": PROMPT, "sampling_params": {"max_new_tokens": 10, "allowed_token_ids": allowed}}
        )["output_ids"],
    ]
    for ids in answers:
        assert len(ids) == 10
        assert set(ids) <= set(allowed)


@pytest.mark.parametrize("constraint", [{}, {"regex": "[a-f]{1,30}"}], ids=["free", "regex"])
def test_bad_words_never_occur(http: httpx.Client, constraint: dict[str, Any]) -> None:
    """Each letter that the unhindered answers begin with is forbidden in turn."""
    body = {"prompt": PROMPT, "max_tokens": 30, "n": 16, "seed": 2, **constraint}
    free = [choice["text"] for choice in post(http, "/v1/completions", body)["choices"]]
    words = [*sorted({text[:2] for text in free if len(text) > 1}), "a", "é", "Th"]
    for choice in post(http, "/v1/completions", {**body, "bad_words": words})["choices"]:
        assert not any(word in choice["text"] for word in words)
    chat = post(http, "/v1/chat/completions", {**CHAT, "max_tokens": 30, "bad_words": words})
    assert not any(word in chat["choices"][0]["message"]["content"] for word in words)


def test_log_probabilities_of_chosen_tokens(http: httpx.Client, engine: Engine) -> None:
    ids = [40, 50, 60]
    oracle = scored(engine, SamplingParams(max_tokens=5, temperature=0, top_logprobs=400)).fills[0]
    body = {"prompt": PROMPT, "max_tokens": 5, "temperature": 0, "logprobs": 0, "logprob_token_ids": ids}
    found = post(http, "/v1/completions", body)["choices"][0]["logprobs"]["top_logprobs"]
    spelled = [engine.tokenizer.decode([one]) for one in ids]
    for entry, known in zip(found, oracle.logprobs, strict=True):
        assert list(entry) == spelled
        assert list(entry.values()) == pytest.approx([dict(known.top)[one] for one in ids])
    chat = post(http, "/v1/chat/completions", {**CHAT, "max_tokens": 2, "logprobs": True, "logprob_token_ids": ids})
    for entry in chat["choices"][0]["logprobs"]["content"]:
        assert [top["token"] for top in entry["top_logprobs"]] == spelled
    native = {"text": PROMPT, "sampling_params": {"max_new_tokens": 5, "temperature": 0}}
    native |= {"return_logprob": True, "top_logprobs_num": 1, "token_ids_logprob": ids}
    meta = post(http, "/generate", native)["meta_info"]
    assert [len(entry) for entry in meta["output_top_logprobs"]] == [1] * 5
    for entry, known in zip(meta["output_token_ids_logprobs"], oracle.logprobs, strict=True):
        assert [token_id for _, token_id, _ in entry] == ids
        assert [logprob for logprob, _, _ in entry] == pytest.approx([dict(known.top)[one] for one in ids])


def test_log_probabilities_of_the_prompt(http: httpx.Client, engine: Engine) -> None:
    oracle = scored(engine, SamplingParams(max_tokens=3, temperature=0))
    ids = [entry.token_id for entry in oracle.prompt_logprobs[: oracle.prompt_len]]
    assert ids[:-1] == engine.tokenizer.encode(PROMPT)[:-1]  # the last one may be spelled anew
    body = {"prompt": PROMPT, "max_tokens": 3, "temperature": 0, "prompt_logprobs": 2}
    found = post(http, "/v1/completions", body)["choices"][0]["prompt_logprobs"]
    assert found[0] is None
    assert len(found) == oracle.prompt_len
    for entry, token_id, known in zip(found[1:], ids[1:], oracle.prompt_logprobs[1:], strict=False):
        assert entry[str(token_id)]["logprob"] == pytest.approx(known.logprob)
        assert entry[str(token_id)]["decoded_token"] == engine.tokenizer.decode([token_id])
    for entry in found[1:-1]:
        likeliest = [one for one in entry.values() if one["rank"] is not None]
        assert sorted(one["rank"] for one in likeliest) == [1, 2]
        assert max(entry.values(), key=lambda one: one["logprob"])["rank"] == 1
    chat = post(http, "/v1/chat/completions", {**CHAT, "max_tokens": 2, "prompt_logprobs": 0})
    assert len(chat["prompt_logprobs"]) == chat["usage"]["prompt_tokens"]
    assert all(len(entry) == 1 for entry in chat["prompt_logprobs"][1:])


@pytest.mark.parametrize("path", ["/v1/completions", "/v1/chat/completions"])
def test_usage_with_every_chunk(http: httpx.Client, path: str) -> None:
    prompt = {"prompt": PROMPT} if path == "/v1/completions" else CHAT
    options = {"include_usage": True, "continuous_usage_stats": True}
    sent = chunks(http, path, {**prompt, "max_tokens": 12, "n": 2, "seed": 1, "stream_options": options})
    total = sent[-1]["usage"]
    last = {}
    for chunk in sent[:-1]:
        usage = chunk["usage"]
        assert usage["prompt_tokens"] == total["prompt_tokens"]
        assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
        index = chunk["choices"][0]["index"]
        assert usage["completion_tokens"] >= last.get(index, 0)
        last[index] = usage["completion_tokens"]
    assert sum(last.values()) == total["completion_tokens"]


def test_a_streamed_echo_has_the_prompts_log_probabilities(http: httpx.Client) -> None:
    """Joined, the chunks are what the same request gives unstreamed."""
    body = {"prompt": [PROMPT, "Answer: yes"], "max_tokens": 6, "temperature": 0, "echo": True, "logprobs": 1}
    for max_tokens in (6, 0):
        whole = post(http, "/v1/completions", {**body, "max_tokens": max_tokens})["choices"]
        sent = chunks(http, "/v1/completions", {**body, "max_tokens": max_tokens})
        for choice in whole:
            own = [part for chunk in sent for part in chunk["choices"] if part["index"] == choice["index"]]
            assert "".join(part["text"] for part in own) == choice["text"]
            shapes = [part["logprobs"] for part in own if part["logprobs"]]
            for name in ("token_logprobs", "tokens", "top_logprobs"):
                joined = [value for shape in shapes for value in shape[name]]
                assert joined[0] == choice["logprobs"][name][0]
                assert joined[-max_tokens or 1 :] == choice["logprobs"][name][-max_tokens or 1 :]
    counted = chunks(http, "/v1/completions", {**body, "stream_options": {"include_usage": True}})
    assert counted[-1]["usage"]["completion_tokens"] == 12


def test_offsets_behind_a_healed_seam(server: RunningServer, http: httpx.Client, engine: Engine) -> None:
    """The token before the answer may be spelled anew; offsets speak of the text that is sent."""
    prompts = [PROMPT, "http:/", "The quick brown fox ju", "Answer: ye"]
    healed = 0
    for prompt in prompts:
        for echo in (False, True):
            body = {"prompt": prompt, "max_tokens": 6, "temperature": 0, "logprobs": 0, "echo": echo}
            body["regex"] = "[ -~]{30}"  # characters of one byte, so that tokens are texts
            choice = post(http, "/v1/completions", body)["choices"][0]
            text, shape = choice["text"], choice["logprobs"]
            begins = [*shape["text_offset"], len(text)]
            for position, token in enumerate(shape["tokens"]):
                piece = text[begins[position] : begins[position + 1]]
                if not echo and position == 0 and piece != token:
                    healed += 1
                    assert token.endswith(piece)
                else:
                    assert piece == token
    assert healed, "no seam was healed: the test shows nothing"


@pytest.mark.parametrize(
    ("path", "fields", "param"),
    [
        ("/v1/completions", {"allowed_token_ids": []}, "allowed_token_ids"),
        ("/v1/completions", {"allowed_token_ids": [10**6]}, "allowed_token_ids"),
        ("/v1/completions", {"allowed_token_ids": [40], "regex": "7+"}, "allowed_token_ids"),
        ("/v1/completions", {"allowed_token_ids": [40], "regex": "7+", "finish": "valid"}, "allowed_token_ids"),
        ("/v1/completions", {"bad_words": [""]}, "bad_words[0]"),
        ("/v1/completions", {"bad_words": ["x" * 2000]}, "bad_words"),
        ("/v1/completions", {"bad_words": ["x"] * 300}, "bad_words"),
        ("/v1/completions", {"bad_words": ["7"], "regex": "7+"}, None),
        ("/v1/completions", {"logprob_token_ids": [1]}, "logprob_token_ids"),
        ("/v1/completions", {"logprobs": 0, "logprob_token_ids": [10**6]}, "logprob_token_ids"),
        ("/v1/completions", {"logprobs": 0, "logprob_token_ids": list(range(300))}, "logprob_token_ids"),
        ("/v1/completions", {"prompt_logprobs": 21}, "prompt_logprobs"),
        ("/v1/completions", {"prompt_logprobs": 1, "stream": True}, "prompt_logprobs"),
        ("/v1/chat/completions", {"prompt_logprobs": -1}, "prompt_logprobs"),
        ("/v1/chat/completions", {"prompt_logprobs": 1, "stream": True}, "prompt_logprobs"),
        ("/v1/responses", {"prompt_logprobs": 1}, "prompt_logprobs"),
        ("/generate", {"token_ids_logprob": [1]}, "token_ids_logprob"),
    ],
)
def test_what_cannot_be_is_refused_by_name(http: httpx.Client, path: str, fields: dict[str, Any], param: str) -> None:
    prompts = {"/v1/completions": {"prompt": "x"}, "/v1/responses": {"input": "x"}, "/generate": {"text": "x"}}
    response = http.post(path, json={**prompts.get(path, CHAT), **fields})
    assert response.status_code == 400, response.text
    assert response.json()["error"]["param"] == param


@pytest.mark.parametrize("path", ["/v1/completions", "/v1/chat/completions", "/v1/responses", "/generate"])
def test_more_than_the_context_leaves_is_refused(http: httpx.Client, server: RunningServer, path: str) -> None:
    """As OpenAI and vLLM do, but only where the number was given: a default takes what is left."""
    limit = server.call(lambda: server.client.info.max_context)
    text = "x" * (limit - 60)
    bodies: dict[str, tuple[dict[str, Any], str]] = {
        "/v1/completions": ({"prompt": text}, "max_tokens"),
        "/v1/chat/completions": ({"messages": [{"role": "user", "content": text}]}, "max_tokens"),
        "/v1/responses": ({"input": text}, "max_output_tokens"),
        "/generate": ({"text": text}, "max_new_tokens"),
    }
    body, name = bodies[path]
    own = {name: 100}
    refused = http.post(path, json={**body, **({"sampling_params": own} if path == "/generate" else own)})
    assert refused.status_code == 400
    error = refused.json()["error"]
    assert error["code"] == "context_length_exceeded"
    assert error["param"] == name
    served = http.post(path, json=body)
    assert served.status_code == 200, served.text
