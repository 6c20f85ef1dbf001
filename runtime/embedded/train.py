"""Train the embedded model: one command, about ten minutes on one H100.

    python -m slipform.runtime.embedded.train --tokenizer runtime/embedded/model --out build/embedded

Writes the checkpoint and `log.jsonl` (one line per reported step) into `--out`. Everything is drawn from `--seed`.
"""

import argparse
import json
import math
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy.typing as npt
import torch

from slipform.runtime.embedded.batches import Batch, Batches
from slipform.runtime.embedded.checkpoint import load, save
from slipform.runtime.embedded.network import Decoder, Shape
from slipform.runtime.embedded.optimizer import Muon

WARMUP_STEPS = 150
DECAY_SHARE = 0.45


def learning_rate(step: int, steps: int) -> float:
    """Factor of the peak rate: linear warm-up, flat, then linear to zero over the last part."""
    warm = min(1.0, (step + 1) / min(WARMUP_STEPS, max(1, steps // 10)))
    left = (steps - step) / max(1.0, steps * DECAY_SHARE)
    return min(warm, left, 1.0)


class Trainer:
    """The model, its two optimizers and one compiled step."""

    def __init__(
        self, shape: Shape, device: str, *, seed: int, compile_step: bool, muon_lr: float, adam_lr: float
    ) -> None:
        torch.manual_seed(seed)
        self.device = device
        self.model = Decoder(shape).to(device)
        hidden = [p for n, p in self.model.named_parameters() if p.ndim == 2 and not n.startswith("embed")]
        others = [p for n, p in self.model.named_parameters() if p.ndim != 2 or n.startswith("embed")]
        self.muon = Muon(hidden)
        self.adam = torch.optim.AdamW(others, lr=adam_lr, betas=(0.9, 0.98), weight_decay=0.0, fused=device == "cuda")
        self.muon_lr, self.adam_lr = muon_lr, adam_lr
        self.losses = torch.compile(self.model.losses, dynamic=False) if compile_step else self.model.losses
        if compile_step:
            self.muon.orthogonalise = torch.compile(self.muon.orthogonalise, dynamic=False)

    def step(self, batch: Batch, factor: float) -> tuple[torch.Tensor, torch.Tensor]:
        """One update. Returns the mean loss over answers and over prompts, on the device."""
        ids, positions = self._move(batch.ids, torch.long), self._move(batch.positions, torch.long)
        borders, learnt = self._move(batch.borders, torch.int32), self._move(batch.learnt, torch.long)
        weights = self._move(batch.weights, torch.float32)
        with torch.autocast(self.device, torch.bfloat16):
            losses = self.losses(ids, positions, borders, learnt)
        loss = (losses * weights).sum() / weights.sum()
        loss.backward()  # type: ignore[no-untyped-call]
        self.adam.param_groups[0]["lr"] = self.adam_lr * factor
        self.muon.step(self.muon_lr * factor)
        self.adam.step()
        self.model.zero_grad(set_to_none=True)
        answers = weights == 1.0
        prompts = (weights > 0) & ~answers
        losses = losses.detach()
        return (losses * answers).sum() / answers.sum(), (losses * prompts).sum() / prompts.sum().clamp_min(1)

    def _move(self, array: npt.NDArray[Any], dtype: torch.dtype) -> torch.Tensor:
        return torch.from_numpy(array).to(dtype).to(self.device, non_blocking=True)


def run(trainer: Trainer, batches: Iterator[Batch], steps: int, out: Path, *, deadline_s: float) -> None:
    """Train for `steps`, reporting every hundredth part; saves half-way and at the end."""
    out.mkdir(parents=True, exist_ok=True)
    every = max(1, steps // 150)
    began = time.perf_counter()
    waited = 0.0
    tokens = 0
    with (out / "log.jsonl").open("w") as log:
        for step in range(steps):
            before = time.perf_counter()
            batch = next(batches)
            waited += time.perf_counter() - before
            answer, prompt = trainer.step(batch, learning_rate(step, steps))
            tokens += len(batch.ids)
            if step % every == 0 or step == steps - 1:
                seconds = time.perf_counter() - began
                row = {
                    "step": step,
                    "tokens": tokens,
                    "seconds": round(seconds, 1),
                    "waited_s": round(waited, 1),
                    "answer_loss": round(answer.item(), 4),
                    "prompt_loss": round(prompt.item(), 4),
                    "lr_factor": round(learning_rate(step, steps), 4),
                }
                print(json.dumps(row), flush=True)
                log.write(json.dumps(row) + "\n")
                log.flush()
                if not math.isfinite(row["answer_loss"]):
                    raise SystemExit("the loss is not finite")
                if seconds > deadline_s:
                    print("deadline reached", flush=True)
                    break
            if step == steps // 2:
                save(trainer.model, out)
    save(trainer.model, out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokenizer", type=Path, required=True, help="directory that holds tokenizer.json")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--tokens", type=int, default=65536, help="tokens of one batch")
    parser.add_argument("--workers", type=int, default=14, help="processes that generate data")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--muon-lr", type=float, default=0.02)
    parser.add_argument("--adam-lr", type=float, default=0.004)
    parser.add_argument("--layers", type=int, default=Shape().num_layers)
    parser.add_argument("--hidden", type=int, default=Shape().hidden_size)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--resume", type=Path, help="a checkpoint whose weights to start from")
    parser.add_argument("--no-compile", action="store_true")
    parser.add_argument("--deadline", type=float, default=1e9, help="stop after this many seconds of training")
    options = parser.parse_args()
    shape = replace(Shape(), num_layers=options.layers, hidden_size=options.hidden)
    maker = Batches(
        options.tokenizer / "tokenizer.json",
        workers=options.workers,
        seed=options.seed,
        num_tokens=options.tokens,
        max_sequences=options.tokens // 64,
        context=shape.context,
    )
    with maker as batches:
        trainer = Trainer(
            shape,
            options.device,
            seed=options.seed,
            compile_step=not options.no_compile,
            muon_lr=options.muon_lr,
            adam_lr=options.adam_lr,
        )
        if options.resume:
            load(trainer.model, options.resume)
        print(f"{sum(p.numel() for p in trainer.model.parameters()):,} parameters", flush=True)
        run(trainer, batches, options.steps, options.out, deadline_s=options.deadline)


if __name__ == "__main__":
    main()
