"""/v1/score against a plain forward pass of transformers, and what it refuses."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx
import pytest
import torch
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from slipform.runtime.config import EMBEDDED_MODEL
from slipform.runtime.server.auth import ApiKeys
from slipform.runtime.server.settings import Bounds, ServerSettings
from tests.fakes import scripted_engine
from tests.server.serving import RunningServer, chat_tokenizer, running

QUERY = "Is this a fruit? "
ITEMS = ["An apple. ", "A brick. ", "A long list of pears, plums and cherries. "]
LABELS = [300, 42, 300, 7, 2048]


@cache
def reference() -> tuple[Any, PreTrainedTokenizerFast]:
    model = AutoModelForCausalLM.from_pretrained(EMBEDDED_MODEL, dtype=torch.float32, local_files_only=True).eval()
    return model, PreTrainedTokenizerFast.from_pretrained(EMBEDDED_MODEL, local_files_only=True)


def expected(prompt: str | list[int], *, softmax: bool) -> torch.Tensor:
    """(labels,) probabilities of the next token, among all tokens or among the labels."""
    model, tokenizer = reference()
    ids = tokenizer.encode(prompt, add_special_tokens=False) if isinstance(prompt, str) else prompt
    with torch.inference_mode():
        logits = model(torch.tensor([ids])).logits[0, -1]
    probabilities: torch.Tensor = logits[LABELS].softmax(0) if softmax else logits.softmax(0)[LABELS]
    return probabilities


def scores(http: httpx.Client, **body: Any) -> torch.Tensor:
    answer = http.post("/v1/score", json={"label_token_ids": LABELS, **body})
    assert answer.status_code == 200, answer.text
    assert answer.json()["object"] == "scoring"
    return torch.tensor(answer.json()["scores"])


@pytest.fixture(scope="module")
def served(embedded: RunningServer) -> Iterator[httpx.Client]:
    with embedded.http() as http:
        yield http


@pytest.mark.parametrize("softmax", [False, True])
@pytest.mark.parametrize("item_first", [False, True])
def test_texts_against_transformers(served: httpx.Client, softmax: bool, item_first: bool) -> None:
    found = scores(served, query=QUERY, items=ITEMS, apply_softmax=softmax, item_first=item_first)
    prompts = [item + QUERY if item_first else QUERY + item for item in ITEMS]
    wanted = torch.stack([expected(prompt, softmax=softmax) for prompt in prompts])
    assert torch.allclose(found, wanted, atol=1e-4, rtol=1e-3)
    if softmax:
        assert torch.allclose(found.sum(1), torch.ones(len(ITEMS)))


def test_token_ids_against_transformers(served: httpx.Client) -> None:
    query, items = [300, 301, 302], [[5, 6], [7], []]
    found = scores(served, query=query, items=items)
    wanted = torch.stack([expected(query + item, softmax=False) for item in items])
    assert torch.allclose(found, wanted, atol=1e-4, rtol=1e-3)


def test_one_item_as_a_text_and_its_usage(served: httpx.Client) -> None:
    body = {"query": QUERY, "items": ITEMS[0], "label_token_ids": LABELS, "model": "slipform"}
    answer = served.post("/v1/score", json=body).json()
    num_tokens = len(reference()[1].encode(QUERY + ITEMS[0], add_special_tokens=False))
    assert len(answer["scores"]) == 1
    assert answer["model"] == "slipform"
    counts = {name: answer["usage"][name] for name in ("prompt_tokens", "completion_tokens", "total_tokens")}
    assert counts == {"prompt_tokens": num_tokens, "completion_tokens": 0, "total_tokens": num_tokens}


GOOD: dict[str, Any] = {"query": "a", "items": ["b"], "label_token_ids": [1]}


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"query": None}, "query"),
        ({"items": []}, "items"),
        ({"items": ["b"] * 9}, "items"),
        ({"items": [[5]]}, "items[0]"),
        ({"query": [5], "items": ["b"]}, "items[0]"),
        ({"query": [10**6], "items": [[5]]}, "query"),
        ({"query": [5], "items": [[5], [10**6]]}, "items[1]"),
        ({"label_token_ids": []}, "label_token_ids"),
        ({"label_token_ids": [10**6]}, "label_token_ids"),
        ({"label_token_ids": [1] * 300}, "label_token_ids"),
        ({"label_token_ids": [-1]}, "label_token_ids[0]"),
        ({"text_1": "a", "text_2": "b"}, "text_1"),
        ({"items": ["b" * 100_000]}, "items"),
    ],
)
def test_refusals_name_the_field(small: httpx.Client, changes: dict[str, Any], param: str) -> None:
    answer = small.post("/v1/score", json={**GOOD, **changes})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["param"] == param


@pytest.fixture(scope="module")
def small() -> Iterator[httpx.Client]:
    """A scripted model whose requests have at most eight sequences, behind keys."""
    settings = ServerSettings(bounds=Bounds(sequences=8))
    keys = ApiKeys(["sk-infer-only", "sk-metrics-only:metrics"])
    with (
        running(lambda: scripted_engine(tokenizer=chat_tokenizer()), settings, keys=keys) as server,
        server.http(headers={"authorization": "Bearer sk-infer-only"}) as http,
    ):
        yield http


def test_unknown_fields_and_keys(small: httpx.Client) -> None:
    answer = small.post("/v1/score", json={**GOOD, "user": "someone", "nonsense": 1})
    assert answer.headers["x-slipform-ignored-fields"] == "nonsense"
    assert small.post("/v1/score?strict=1", json={**GOOD, "nonsense": 1}).status_code == 400
    metrics_only = {"authorization": "Bearer sk-metrics-only"}
    assert small.post("/v1/score", json=GOOD, headers=metrics_only).status_code == 403


@pytest.mark.parametrize("path", ["/v1/rerank", "/v2/rerank", "/rerank", "/v1/classify", "/classify"])
def test_routes_that_need_a_head_say_so(small: httpx.Client, path: str) -> None:
    answer = small.post(path, json={"model": "slipform", "query": "a", "documents": ["b"]})
    assert answer.status_code == 501
    assert answer.json()["error"]["code"] == "unsupported_model"
