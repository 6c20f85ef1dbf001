"""What holds on a CPU holds on a GPU: text of tiny checkpoints, with graphs and overlap on and off."""

import gc
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config

from slipform.runtime import cuda_graph, shared_prefixes
from slipform.runtime.engine import Engine
from slipform.runtime.models.loader import load_model
from slipform.runtime.request import RequestFinished
from tests.fakes import byte_tokenizer
from tests.runtime.checkpoints import TINY, save_random
from tests.runtime.driving import drive
from tests.runtime.test_equalities import run_all, workload

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

VOCAB = 400
SHAPE: dict[str, Any] = {
    **TINY, "vocab_size": VOCAB, "hidden_size": 64, "intermediate_size": 96, "num_key_value_heads": 2,
    "max_position_embeddings": 2048, "eos_token_id": 398,
}  # fmt: skip
CONFIGS = {
    "llama": LlamaConfig(**SHAPE),
    "mistral window": MistralConfig(**SHAPE, sliding_window=33),
    "qwen2": Qwen2Config(**SHAPE),
    "qwen3": Qwen3Config(**SHAPE, head_dim=32),
}
OPTIONS = [
    {},
    {"overlap": False},
    {"cuda_graphs": False},
    {"overlap": False, "cuda_graphs": False},
    {"jump_forward": False},
    {"chunk_size": 7, "prefix_cache": False},
    {"pool_slots": 420},
]


@pytest.fixture(scope="module", params=CONFIGS)
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint")
    save_random(CONFIGS[request.param], path)
    byte_tokenizer(VOCAB).save_pretrained(path)
    return path


def make_engine(path: Path, **options: Any) -> Engine:
    return Engine(path, **{"pool_slots": 6000, "max_sequences": 32, "token_budget": 512, "seed": 0, **options})


@pytest.fixture(scope="module")
def expected(checkpoint: Path) -> dict[str, object]:
    return run_all(make_engine(checkpoint, device="cpu"), workload(1, 40))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_text_in_float32_equals_the_cpu(checkpoint: Path, expected: dict[str, object], options: dict[str, Any]) -> None:
    engine = make_engine(checkpoint, device="cuda", dtype="float32", **options)
    found = run_all(engine, workload(1, 40))
    different = [name for name in expected if found[name] != expected[name]]
    assert not different, [(expected[name], found[name]) for name in different[:2]]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_text_in_float32_equals_the_cpu_with_prefixes_read_together(
    checkpoint: Path, expected: dict[str, object], options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_prefixes, "MIN_PREFIX_LEN", 3)
    monkeypatch.setattr(shared_prefixes, "sharing_pays", lambda *_: True)
    engine = make_engine(checkpoint, device="cuda", dtype="float32", **options)
    found = run_all(engine, workload(1, 40))
    different = [name for name in expected if found[name] != expected[name]]
    assert not different, [(expected[name], found[name]) for name in different[:2]]


# What must not change a bit where results do not depend on the batch.
DIVISIONS = [
    {"overlap": False, "cuda_graphs": False},
    {"jump_forward": False},
    {"chunk_size": 7, "prefix_cache": False},
    {"pool_slots": 420},
]


@pytest.fixture(scope="module")
def expected_in_bfloat16(checkpoint: Path) -> dict[str, object]:
    return run_all(make_engine(checkpoint, device="cuda", deterministic=True), workload(1, 40))


@pytest.mark.parametrize("options", DIVISIONS, ids=str)
def test_deterministic_text_in_bfloat16_is_equal_in_any_division(
    checkpoint: Path, expected_in_bfloat16: dict[str, object], options: dict[str, Any]
) -> None:
    engine = make_engine(checkpoint, device="cuda", deterministic=True, **options)
    assert run_all(engine, workload(1, 40)) == expected_in_bfloat16


def test_deterministic_samples_do_not_depend_on_the_batch(
    checkpoint: Path, expected_in_bfloat16: dict[str, object]
) -> None:
    engine = make_engine(checkpoint, device="cuda", deterministic=True)
    for program in workload(1, 40)[:12]:
        assert run_all(engine, [program])[program[0]] == expected_in_bfloat16[program[0]]


def test_text_with_keys_and_values_in_8_bits_does_not_depend_on_graphs(checkpoint: Path) -> None:
    found = [
        run_all(make_engine(checkpoint, device="cuda", kv_dtype="fp8", deterministic=True, **options), workload(1, 20))
        for options in ({}, {"cuda_graphs": False, "overlap": False}, {"chunk_size": 7})
    ]
    assert found[0] == found[1] == found[2]


def test_logits_in_bfloat16_are_near(checkpoint: Path) -> None:
    """Half a percent of the logits' spread, root mean square: what rounding to 8 bits leaves after two layers."""
    from slipform.kernels.attention_plan import plan_attention
    from slipform.runtime.batch import ForwardBatch
    from slipform.runtime.kv_pool import KVPool

    ids = torch.randint(0, VOCAB, (90,), generator=torch.Generator().manual_seed(0))
    outcomes = []
    for device, dtype in (("cpu", torch.float32), ("cuda", torch.bfloat16)):
        model = load_model(checkpoint, dtype=dtype, device=device)
        pool = KVPool(90, kv_shapes=model.config.kv_shapes, dtype=dtype, device=device)
        group = model.config.num_heads // model.config.num_kv_heads
        plan = plan_attention([90], group=group, num_kv_heads=model.config.num_kv_heads, device=device)
        numbers = torch.arange(90, device=device)
        batch = ForwardBatch(
            input_ids=ids.to(device), positions=numbers, out_slots=numbers,
            cu_seqlens=torch.tensor([0, 90], dtype=torch.int32, device=device),
            seq_lens=torch.tensor([90], dtype=torch.int32, device=device),
            slot_table=numbers.int()[None], logits_rows=numbers, max_extend_len=90, max_seq_len=90,
            attention_plan=None if device == "cpu" else plan,
        )  # fmt: skip
        outcomes.append(model.forward(batch, pool).float().cpu())
    exact, rounded = outcomes
    error = (rounded - exact).square().mean().sqrt() / exact.std()
    print(f"relative error of bfloat16 logits: {error:.4f}")
    assert error < 0.05


def test_streams_end_once_under_pressure(checkpoint: Path) -> None:
    engine = make_engine(checkpoint, device="cuda", dtype="float32", pool_slots=420)
    requests = []
    for name, segments in workload(3, 80):
        from tests.runtime.driving import request

        requests.append(request(name, *segments))
    finished = [event for event in drive(engine, requests) if isinstance(event, RequestFinished)]
    assert len(finished) == 80
    engine.flush_cache()
    assert engine.statistics().free_slots == 420


def test_engines_that_go_while_another_one_records_do_not_disturb_it(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine becomes garbage in the midst of a recording, and a collector that is on looks at everything then."""
    ring: list[object] = [make_engine(checkpoint, device="cuda", dtype="float32")]
    ring.append(ring)
    rings = [ring]
    del ring
    usual = cuda_graph.run_forward

    def forward(*arguments: Any) -> torch.Tensor:
        if torch.cuda.is_current_stream_capturing() and rings:
            rings.clear()
            if gc.isenabled():
                gc.collect()
        return usual(*arguments)

    monkeypatch.setattr(cuda_graph, "run_forward", forward)
    engine = make_engine(checkpoint, device="cuda", dtype="float32")
    assert not rings
    assert run_all(engine, workload(1, 4))
