"""Whole checkpoints: greedy text against `transformers.generate`, token for token in float32, and constrained fills."""

import random
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    BloomConfig,
    FalconConfig,
    GemmaConfig,
    GPT2Config,
    LlamaConfig,
    MistralConfig,
    PhiConfig,
    Qwen2Config,
    Qwen3Config,
)

from slipform.grammars.spec import Regex
from slipform.runtime.engine import Engine
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import Fill, Segment, Text, TokenIds
from tests.fakes import byte_tokenizer
from tests.runtime.checkpoints import TINY, save_random
from tests.runtime.driving import request, results, unfused
from tests.runtime.test_equalities import run_all, workload

NUM_TOKENS = 8
VOCAB_SIZE = 400
BASE = {**TINY, "vocab_size": VOCAB_SIZE, "bos_token_id": None, "eos_token_id": 398, "pad_token_id": None}
GATED = {**BASE, "intermediate_size": 48, "num_key_value_heads": 2, "max_position_embeddings": 640}
CONFIGS = {
    "llama": LlamaConfig(**GATED),
    "llama, weights that bfloat16 holds": LlamaConfig(**GATED),
    "mistral": MistralConfig(**GATED, sliding_window=None),
    "qwen2": Qwen2Config(**GATED),
    "qwen3": Qwen3Config(**GATED, head_dim=16),
    "gpt2": GPT2Config(
        vocab_size=VOCAB_SIZE, n_embd=32, n_layer=2, n_head=4, n_positions=256, initializer_range=0.2, eos_token_id=398
    ),
    "falcon": FalconConfig(**BASE, multi_query=True, alibi=False, new_decoder_architecture=False),
    "bloom": BloomConfig(
        vocab_size=VOCAB_SIZE, hidden_size=32, n_layer=2, n_head=4, initializer_range=0.2, eos_token_id=398
    ),
    "phi": PhiConfig(**BASE, intermediate_size=48, max_position_embeddings=256),
    "gemma": GemmaConfig(**{**GATED, "head_dim": 16}),
}


def prompts() -> dict[str, tuple[int, ...]]:
    """Fifty prompts of 1 to 99 tokens; every other one begins as its neighbour does."""
    rng = random.Random(4)
    found: dict[str, tuple[int, ...]] = {}
    shared = [rng.randrange(256) for _ in range(48)]
    for number in range(50):
        own = [rng.randrange(256) for _ in range(1 + number)]
        found[f"{number}"] = tuple(shared + own if number % 2 else own)
    return found


@torch.inference_mode()
def generate(model: Any, prompt: tuple[int, ...]) -> list[int]:
    ids = torch.tensor([prompt])
    out = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=NUM_TOKENS,
        do_sample=False,
        pad_token_id=0,
        eos_token_id=398,
    )
    tokens: list[int] = out[0, len(prompt) :].tolist()
    return tokens[:-1] if tokens[-1] == 398 else tokens


@pytest.mark.parametrize("architecture", CONFIGS)
def test_greedy_text_equals_generate(architecture: str, tmp_path: Path) -> None:
    model = save_random(CONFIGS[architecture], tmp_path, exact_in_bfloat16="bfloat16" in architecture)
    byte_tokenizer(VOCAB_SIZE).save_pretrained(tmp_path)
    expected = {name: generate(model, ids) for name, ids in prompts().items()}
    assert len({tuple(tokens) for tokens in expected.values()}) > 25
    fill = Fill(None, SamplingParams(temperature=0.0, max_tokens=NUM_TOKENS))
    requests = [request(name, TokenIds(ids), fill) for name, ids in prompts().items()]
    for options in (
        {},
        {"prefix_cache": False, "max_sequences": 1},
        {"chunk_size": 1, "max_sequences": 64},
        {"chunk_size": 7, "token_budget": 40},
        {"chunk_size": 64, "pool_slots": 420},
    ):
        engine = Engine(tmp_path, **{"pool_slots": 8192, "warm_up": False, **options})
        for _ in range(1 if options else 2):  # the second time out of the cache
            found = results(engine, requests, check=False)
            assert {name: list(found[name][0].fills[0].token_ids) for name in expected} == expected, options
        engine.check()
        assert (engine.statistics().cached_tokens > 0) == engine.config.prefix_cache


def test_programs_on_a_real_model_do_not_depend_on_how_they_run(tmp_path: Path) -> None:
    """Constraints, seeds, stops, penalties and seams on Llama weights; see `test_equalities` for the workload."""
    save_random(CONFIGS["llama"], tmp_path)
    byte_tokenizer(VOCAB_SIZE).save_pretrained(tmp_path)
    programs = workload(3, 16)
    common = {"pool_slots": 8192, "warm_up": False}
    expected: dict[str, object] = {}
    alone = Engine(tmp_path, **common, prefix_cache=False, jump_forward=False)
    for program in programs:
        expected |= run_all(alone, [program])
    for options in ({}, {"chunk_size": 7}, {"chunk_size": 64, "jump_forward": False}, {"pool_slots": 420}):
        assert run_all(Engine(tmp_path, **{**common, **options}), programs) == expected, options


def test_fused_programs_equal_unfused_ones(tmp_path: Path) -> None:
    """Programs of two fills behind each of the fifty prompts: as one request, and fill by fill."""
    save_random(CONFIGS["llama"], tmp_path)
    byte_tokenizer(VOCAB_SIZE).save_pretrained(tmp_path)
    rng = random.Random(6)
    programs: dict[str, list[Segment]] = {}
    for name, ids in prompts().items():
        greedy, seeded = SamplingParams(temperature=0.0, max_tokens=NUM_TOKENS), SamplingParams(seed=7, max_tokens=12)
        second = Fill("second", seeded, rng.choice([Regex("(yes|no), [a-z]{2,6}!"), None]))
        programs[name] = [TokenIds(ids), Fill("first", greedy), Text(rng.choice([" and", "\n", ": "])), second]
    engine = Engine(tmp_path, pool_slots=8192, warm_up=False)
    together = run_all(engine, list(programs.items()))
    for name, segments in programs.items():
        assert unfused(engine, name, segments) == together[name]
    apart = Engine(tmp_path, pool_slots=8192, warm_up=False, prefix_cache=False, chunk_size=7, jump_forward=False)
    texts = {name: outcome[:2] for name, outcome in together.items()}  # type: ignore[index]
    assert {name: outcome[:2] for name, outcome in run_all(apart, list(programs.items())).items()} == texts  # type: ignore[index]


PATTERNS = [
    r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
    r"(?:[a-z]{1,8} ){1,4}[a-z]{1,8}\.",
    r"[A-Z][a-zé]{1,10}(-[A-Z][a-z]{1,10})?",
    r'\{"id": [0-9]{1,6}, "ok": (true|false)\}',
    r"(\+|-)?[0-9]{1,5}(\.[0-9]{1,3})?",
]


@pytest.mark.parametrize("jump_forward", [True, False])
def test_a_thousand_sampled_fills_match(tmp_path: Path, jump_forward: bool) -> None:
    """A checkpoint with random weights, at a temperature where anything that a mask admits can come."""
    save_random(CONFIGS["llama"], tmp_path)
    byte_tokenizer(VOCAB_SIZE).save_pretrained(tmp_path)
    engine = Engine(tmp_path, pool_slots=32768, warm_up=False, jump_forward=jump_forward, trace=False)
    requests = {}
    for number in range(500):
        pattern = PATTERNS[number % len(PATTERNS)]
        params = SamplingParams(temperature=1.5, seed=number, max_tokens=200)
        requests[f"{number}"] = pattern, [Text(f"Question {number}: "), Fill(None, params, Regex(pattern))]
    found = results(engine, [request(name, *segments) for name, (_, segments) in requests.items()], check=False)
    texts = set()
    for name, (pattern, _) in requests.items():
        fill = found[name][0].fills[0]
        assert fill.finish_reason == "stop"
        assert re.fullmatch(pattern, fill.text), (pattern, fill.text)
        texts.add(fill.text)
    assert len(texts) > 400
    engine.check()
