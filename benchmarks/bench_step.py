"""One decode step of a model on this machine: ours, transformers' with its DynamicCache, and the memory's ceiling.

    python benchmarks/bench_step.py                       # the embedded model's geometry with random weights
    python benchmarks/bench_step.py --model DIR --dtype bfloat16 --context 1000

Both run the same weights on the same tokens; before anything is timed, their logits are compared. The ceiling is the
time to read every weight once, at the speed at which this machine reads a tensor of the weights' size again and again.
"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from common import measure_in_turn, print_result, print_table
from transformers import AutoConfig, AutoModelForCausalLM, DynamicCache
from transformers.utils import logging

from slipform.runtime.batch import ForwardBatch
from slipform.runtime.config import EMBEDDED_MODEL
from slipform.runtime.kv_pool import KVPool
from slipform.runtime.model_runner import ModelRunner
from slipform.runtime.models.loader import load_model

TOLERANCE = {"float32": 1e-3, "bfloat16": 0.25}


@dataclass(frozen=True, slots=True)
class Subject:
    """The two implementations over one context, batch size and set of tokens."""

    runner: ModelRunner
    theirs: Any
    context: int

    def fill(self, ids: torch.Tensor) -> DynamicCache:
        """Compute all but the last token on both sides. ids: (B, context)."""
        self.runner.forward(_batch(ids[:, :-1], self.context - 1))
        cache = DynamicCache(config=self.theirs.config)
        self.theirs(ids[:, :-1], past_key_values=cache, logits_to_keep=1)
        return cache

    def their_step(self, ids: torch.Tensor, cache: DynamicCache) -> torch.Tensor:
        logits: torch.Tensor = self.theirs(ids[:, -1:], past_key_values=cache).logits[:, -1]
        cache.crop(-1)
        return logits


def _batch(ids: torch.Tensor, seq_len: int) -> ForwardBatch:
    """The last ids.shape[1] tokens of B sequences of seq_len tokens; sequence i owns an equal share of the slots."""
    num_sequences, extend_len = ids.shape
    slots = torch.arange(seq_len)[None] + torch.arange(num_sequences)[:, None] * 4096
    new = slots[:, seq_len - extend_len :]
    return ForwardBatch(
        input_ids=ids.flatten().contiguous(),
        positions=torch.arange(seq_len - extend_len, seq_len).repeat(num_sequences),
        out_slots=new.flatten().contiguous(),
        cu_seqlens=torch.arange(num_sequences + 1, dtype=torch.int32) * extend_len,
        seq_lens=torch.full((num_sequences,), seq_len, dtype=torch.int32),
        slot_table=slots.to(torch.int32),
        logits_rows=torch.arange(1, num_sequences + 1) * extend_len - 1,
        max_extend_len=extend_len,
        max_seq_len=seq_len,
    )


def read_seconds(num_bytes: int) -> float:
    """Seconds to read that many bytes, as torch sums a float32 tensor of this size."""
    tensor = torch.ones(num_bytes // 4)
    return measure_in_turn({"read": lambda: tensor.sum()}, repeats=20, warmup=3)["read"].median


def save_random_checkpoint(path: Path) -> None:
    """The geometry of the embedded model with random weights, in bfloat16 as checkpoints are published."""
    torch.manual_seed(0)
    config = AutoConfig.from_pretrained(EMBEDDED_MODEL)
    AutoModelForCausalLM.from_config(config).bfloat16().save_pretrained(path)


@torch.inference_mode()
def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a checkpoint directory; default: random weights")
    parser.add_argument("--dtype", choices=list(TOLERANCE), action="append", help="default: both")
    parser.add_argument("--batch", type=int, action="append", help="default: 1, 4, 16")
    parser.add_argument("--context", type=int, default=300, help="tokens per sequence, the new one included")
    parser.add_argument("--repeats", type=int, default=30)
    options = parser.parse_args(arguments)
    logging.disable_progress_bar()
    dtypes, batches = options.dtype or list(TOLERANCE), options.batch or [1, 4, 16]
    rows, figures = [], {}
    with tempfile.TemporaryDirectory() as temporary:
        path = options.model or Path(temporary)
        if options.model is None:
            save_random_checkpoint(path)
        for name in dtypes:
            dtype: torch.dtype = getattr(torch, name)
            model = load_model(path, dtype=dtype, device="cpu")
            theirs = AutoModelForCausalLM.from_pretrained(path, dtype=dtype).eval()
            pool = KVPool(4096 * max(batches), kv_shapes=model.config.kv_shapes, dtype=dtype)
            subject = Subject(ModelRunner(model, pool), theirs, options.context)
            ceiling = read_seconds(sum(weight.nbytes for weight in theirs.parameters()))
            for size in batches:
                ids = torch.randint(3, model.config.vocab_size, (size, options.context))
                cache = subject.fill(ids)
                batch = _batch(ids[:, -1:], options.context)
                difference = (subject.runner.forward(batch) - subject.their_step(ids, cache)).abs().max().item()
                if difference > TOLERANCE[name]:
                    raise SystemExit(f"{name}, batch {size}: logits differ by {difference:.3g}")
                times = measure_in_turn(
                    {
                        "ours": lambda batch=batch, subject=subject: subject.runner.forward(batch),
                        "theirs": lambda ids=ids, cache=cache, subject=subject: subject.their_step(ids, cache),
                    },
                    repeats=options.repeats,
                    warmup=3,
                )
                ours, other = times["ours"].median * 1e3, times["theirs"].median * 1e3
                share = ceiling * 1e3 / ours
                spread = f"{times['ours'].percentile(0.2) * 1e3:.2f}-{times['ours'].percentile(0.8) * 1e3:.2f}"
                rows.append((name, size, f"{ours:.2f}", spread, f"{other:.2f}", f"{other / ours:.2f}", f"{share:.0%}"))
                figures[f"{name}_b{size}_ms"] = round(ours, 3)
                figures[f"{name}_b{size}_ratio"] = round(other / ours, 3)
                figures[f"{name}_b{size}_ceiling_share"] = round(share, 3)
    columns = ("dtype", "batch", "ours, ms", "20-80 %", "transformers, ms", "ratio", "of reading the weights once")
    print_table(
        f"One decode step, {options.context} tokens of context, {torch.get_num_threads()} threads", columns, rows
    )
    print_result(figures, vars(options))


if __name__ == "__main__":
    main()
