"""Tiny random checkpoints, and what transformers makes of them."""

from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM
from transformers.utils import logging

VOCAB_SIZE = 97

# Large weights make logits that differ clearly from token to token, so that greedy text is a sharp test.
TINY: dict[str, Any] = {
    "vocab_size": VOCAB_SIZE,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "initializer_range": 0.2,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}


def save_random(config: Any, path: Path, seed: int = 0, *, exact_in_bfloat16: bool = False, **options: Any) -> Any:
    """Write a checkpoint with random weights, biases and norms included. Returns transformers' model, in float32.

    `exact_in_bfloat16`: as published checkpoints have them, which CPU kernels keep in half the memory.
    """
    logging.disable_progress_bar()
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config).eval().requires_grad_(False)
    for name, weight in model.named_parameters():
        if "norm" in name or "ln_" in name or name.endswith("bias"):
            weight.add_(torch.randn_like(weight) * 0.1)
        if exact_in_bfloat16:
            weight.copy_(weight.bfloat16())
    model.save_pretrained(path, **options)
    return model


def prompts(count: int, longest: int, seed: int = 0) -> list[list[int]]:
    """Random token ids of mixed lengths, the shortest of one token and the last of `longest`."""
    generator = torch.Generator().manual_seed(seed)
    lengths = [1 + (longest - 1) * index // max(1, count - 1) for index in range(count)]
    return [torch.randint(3, VOCAB_SIZE, (length,), generator=generator).tolist() for length in lengths]


@torch.inference_mode()
def last_logits(model: Any, prompt: list[int]) -> torch.Tensor:
    """(V,) float32 after the prompt."""
    logits: torch.Tensor = model(torch.tensor([prompt]), use_cache=False).logits[0, -1]
    return logits.float()


def generate(model: Any, prompt: list[int], num_tokens: int) -> list[int]:
    """Greedy tokens by transformers, end tokens ignored."""
    ids = torch.tensor([prompt])
    out = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=num_tokens,
        do_sample=False,
        eos_token_id=None,
        pad_token_id=0,
    )
    tokens: list[int] = out[0, len(prompt) :].tolist()
    return tokens
