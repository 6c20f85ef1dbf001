"""The embedded network's weights in 8 bits: what is written is what every reader computes with."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from compressed_tensors.compressors.pack_quantized.helpers import unpack_from_int32
from transformers import AutoModelForCausalLM

from slipform.runtime.embedded.checkpoint import save
from slipform.runtime.embedded.network import Decoder, Shape
from slipform.runtime.embedded.packing import GROUP_SIZE, pack
from slipform.runtime.models.loader import load_model
from tests.runtime.checkpoints import last_logits
from tests.runtime.running_models import Runner, Stream

SMALL = replace(
    Shape(), vocab_size=64, hidden_size=128, num_layers=2, num_heads=4, num_kv_heads=2, intermediate_size=192
)


def unpacked(parts: dict[str, torch.Tensor]) -> torch.Tensor:
    rows, columns = parts["_shape"].tolist()
    integers = unpack_from_int32(parts["_packed"], 8, torch.Size((rows, columns))).float()
    return (integers.view(rows, -1, GROUP_SIZE) * parts["_scale"].float()[:, :, None]).view(rows, columns)


@pytest.mark.parametrize("spread", [1e-6, 0.02, 3.0, 1e5])
def test_rounding_is_within_half_a_step_and_exact_in_bfloat16(spread: float) -> None:
    weight = torch.randn((24, 3 * GROUP_SIZE), generator=torch.Generator().manual_seed(1)) * spread
    weight[3] = 0.0
    weight[4, :GROUP_SIZE] = torch.tensor([127.0, -128.0] * (GROUP_SIZE // 2))
    weight[5, 7] = weight.abs().max() * 50
    parts = pack(weight)
    found = unpacked(parts)
    assert torch.equal(found.bfloat16().float(), found)
    steps = parts["_scale"].float().repeat_interleave(GROUP_SIZE, dim=1)
    assert bool(((found - weight).abs() <= steps / 2 * (1 + 1e-6)).all())
    # No coarser than needed: half the scale would not hold the largest element.
    largest = weight.view(24, 3, GROUP_SIZE).abs().amax(-1)
    assert bool((largest > parts["_scale"].float() / 2 * 127)[largest > 1e-30].all())


def test_zeros_stay_zeros() -> None:
    assert not unpacked(pack(torch.zeros((2, GROUP_SIZE)))).any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_packed_checkpoint_computes_as_in_transformers(tmp_path: Path, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    network = Decoder(SMALL)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if "norm" not in name:
                weight.normal_(std=0.15)
    save(network, tmp_path, in_8_bits=True)
    reference: Any = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32).eval()
    prompts = [[3], list(range(5, 40)), [9, 8, 7] * 8]
    expected = torch.stack([last_logits(reference, prompt) for prompt in prompts])
    found = Runner(load_model(tmp_path, dtype=dtype, device="cpu")).step([Stream(list(prompt)) for prompt in prompts])
    tolerance = 1e-4 if dtype == torch.float32 else 0.05 * float(expected.abs().max())
    torch.testing.assert_close(found.float(), expected, rtol=0.0, atol=tolerance)
