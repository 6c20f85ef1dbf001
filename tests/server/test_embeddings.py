"""/v1/embeddings: the last layer's states, pooled; alone or beside others, over the wire or not."""

from pathlib import Path

import httpx
import openai
import pytest
import torch
from transformers import AutoModelForCausalLM

from slipform.errors import UnsupportedField
from slipform.runtime import embedder
from slipform.runtime.config import EMBEDDED_MODEL
from slipform.runtime.embedder import Embedder, Pooling
from tests.server.serving import RunningServer

TEXTS = [[5, 6, 7, 8], [300, 301], [9], list(range(40, 100))]


@pytest.mark.parametrize("pooling", ["mean", "last"])
def test_against_the_states_of_the_whole_model(pooling: Pooling) -> None:
    model = AutoModelForCausalLM.from_pretrained(EMBEDDED_MODEL, dtype=torch.float32, local_files_only=True)
    vectors = Embedder(EMBEDDED_MODEL).embed(TEXTS, pooling)
    for ids, vector in zip(TEXTS, vectors, strict=True):
        with torch.inference_mode():
            states = model(torch.tensor([ids]), output_hidden_states=True).hidden_states[-1][0]
        pooled = states.mean(0) if pooling == "mean" else states[-1]
        expected = pooled / pooled.norm()
        assert torch.allclose(torch.tensor(vector), expected, atol=1e-4)


def test_batches_are_cut_by_their_padded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Embedder(EMBEDDED_MODEL)
    whole = one.embed(TEXTS, "mean")
    monkeypatch.setattr(embedder, "_BATCH_TOKENS", 8)
    for left, right in zip(one.embed(TEXTS, "mean"), whole, strict=True):
        assert left == pytest.approx(right, abs=1e-5)


def test_a_large_checkpoint_is_not_loaded_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"x" * 100)
    monkeypatch.setattr(embedder, "MAX_CHECKPOINT_BYTES", 99)
    with pytest.raises(UnsupportedField, match="second time"):
        Embedder(tmp_path).embed([[1]], "mean")


def test_a_directory_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedField, match="cannot be had"):
        Embedder(tmp_path).embed([[1]], "mean")


def test_over_the_wire(embedded: RunningServer) -> None:
    with openai.OpenAI(base_url=f"{embedded.url}/v1", api_key="none", max_retries=0) as client:
        answer = client.embeddings.create(model="slipform", input=["an invoice", "a bill"])
        plain = client.embeddings.create(model="slipform", input="a bill", encoding_format="float")
    assert [item.index for item in answer.data] == [0, 1]
    assert answer.data[1].embedding == pytest.approx(plain.data[0].embedding, abs=1e-5)
    assert sum(value * value for value in plain.data[0].embedding) == pytest.approx(1.0, abs=1e-4)
    raw = httpx.post(f"{embedded.url}/v1/embeddings", json={"input": [5, 6, 7], "pooling": "last"}, timeout=60).json()
    assert raw["pooling"] == "last"
    assert raw["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"input": []}, "input"),
        ({"input": ""}, "input[0]"),
        ({"input": ["a", ""]}, "input[1]"),
        ({"input": [10**6]}, "input[0]"),
        ({"input": "a " * 3000}, "input[0]"),
        ({"input": ["a"] * 300}, "input"),
        ({"input": "a", "dimensions": 3}, "dimensions"),
        ({"input": "a", "encoding_format": "int8"}, "encoding_format"),
    ],
)
def test_what_is_wrong_is_named(embedded: RunningServer, body: dict[str, object], param: str) -> None:
    answer = httpx.post(f"{embedded.url}/v1/embeddings", json=body, timeout=60)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param
