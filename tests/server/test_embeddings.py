"""/v1/embeddings: the last layer's states, pooled; alone or beside others, over the wire or not."""

from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
import torch
from transformers import AutoModelForCausalLM, BloomConfig, Gemma2Config, GPT2Config, Qwen3Config

from slipform.errors import InvalidRequest, UnsupportedField
from slipform.runtime.config import EMBEDDED_MODEL
from slipform.runtime.embedder import Embedder, Pooling
from slipform.runtime.engine import Engine
from slipform.runtime.kv_pool import KVPool
from slipform.runtime.models.interface import StatesModel
from slipform.runtime.models.loader import load_model
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import Fill, GenerateRequest, Text
from tests.fakes import scripted_engine
from tests.runtime.checkpoints import TINY, VOCAB_SIZE, prompts, save_random
from tests.server.serving import RunningServer

TEXTS = [[5, 6, 7, 8], [300, 301], [9], list(range(40, 100))]


def expected(path: Path, ids: list[int], pooling: Pooling) -> torch.Tensor:
    """By transformers, of one text alone."""
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, local_files_only=True).eval()
    with torch.inference_mode():
        states = model(torch.tensor([ids]), output_hidden_states=True).hidden_states[-1][0]
    pooled = states.mean(0) if pooling == "mean" else states[-1]
    return torch.nn.functional.normalize(pooled, dim=0)


@pytest.mark.parametrize("pooling", ["mean", "last"])
def test_against_the_states_of_transformers(pooling: Pooling) -> None:
    """Of the model with kernels of its own; several texts in a batch, and texts in chunks, while others generate."""
    with Engine(token_budget=16, chunk_size=16) as engine:
        beside = engine.submit(GenerateRequest("a", (Text("Once"), Fill(None, SamplingParams(max_tokens=60, seed=1)))))
        vectors = engine.embed(TEXTS, pooling)
        beside.result(60)
        engine.check()
        with pytest.raises(InvalidRequest, match="1 to"):
            engine.embed([[1], []], pooling)
    for ids, vector in zip(TEXTS, vectors, strict=True):
        assert torch.allclose(torch.tensor(vector), expected(EMBEDDED_MODEL, ids, pooling), atol=1e-4)


@pytest.mark.parametrize("pooling", ["mean", "last"])
@pytest.mark.parametrize(
    "config",
    [
        Qwen3Config(**TINY, intermediate_size=48, num_key_value_heads=2, head_dim=16, tie_word_embeddings=False),
        GPT2Config(vocab_size=VOCAB_SIZE, n_embd=32, n_layer=2, n_head=4, n_positions=128),
        BloomConfig(vocab_size=VOCAB_SIZE, hidden_size=32, n_layer=2, n_head=4),
        Gemma2Config(**TINY, intermediate_size=48, num_key_value_heads=2, head_dim=16, sliding_window=9),
    ],
    ids=lambda config: config.model_type,
)
def test_of_other_models(config: Any, pooling: Pooling, tmp_path: Path) -> None:
    """Those with kernels of their own and those that transformers runs."""
    save_random(config, tmp_path)
    model = load_model(tmp_path, dtype=torch.float32, device="cpu")
    assert isinstance(model, StatesModel)

    def new_pool(num_slots: int) -> KVPool:
        return KVPool(num_slots, kv_shapes=model.config.kv_shapes)

    texts = [*prompts(4, 20), list(range(3, 60))]
    vectors = Embedder(model.states, new_pool, token_budget=25).embed(texts, pooling)
    for ids, vector in zip(texts, vectors, strict=True):
        assert torch.allclose(torch.tensor(vector), expected(tmp_path, ids, pooling), atol=1e-4)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("pooling", ["mean", "last"])
def test_on_a_gpu(pooling: Pooling) -> None:
    with Engine(device="cuda", dtype="float32", token_budget=16, chunk_size=16, max_sequences=8) as engine:
        beside = engine.submit(GenerateRequest("a", (Text("Once"), Fill(None, SamplingParams(max_tokens=200, seed=1)))))
        vectors = engine.embed(TEXTS, pooling)
        beside.result(60)
        engine.check()
    for ids, vector in zip(TEXTS, vectors, strict=True):
        assert torch.allclose(torch.tensor(vector), expected(EMBEDDED_MODEL, ids, pooling), atol=1e-3)


def test_a_model_that_does_not_show_its_states() -> None:
    engine = scripted_engine()
    with pytest.raises(UnsupportedField, match="does not show"):
        engine.embed([[1, 2]])
    engine.close()


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
