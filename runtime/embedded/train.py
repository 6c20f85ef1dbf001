"""Train the embedded model: one command, about ten minutes on one H100.

    python -m slipform.runtime.embedded.train --out build/embedded

Trains the tokenizer, then the network, and writes the checkpoint and `log.jsonl` (one line per reported step) into `--out`.
Everything is drawn from `--seed`.
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
from slipform.runtime.embedded.checkpoint import save
from slipform.runtime.embedded.network import Decoder, Shape
from slipform.runtime.embedded.optimizer import Muon
from slipform.runtime.embedded.train_tokenizer import save as save_tokenizer
from slipform.runtime.embedded.train_tokenizer import train as train_tokenizer

WARMUP_STEPS = 150
REPORT_EVERY = 60
DECAY_SHARE = 0.7


def learning_rate(step: int, progress: float) -> float:
    """Factor of the peak rate: linear warm-up, flat, then linear to zero over the last part. `progress` is in [0, 1]."""
    return min(1.0, (step + 1) / WARMUP_STEPS, (1.0 - progress) / DECAY_SHARE)


class Trainer:
    """The model, its two optimizers and one compiled step."""

    def __init__(
        self,
        shape: Shape,
        device: str,
        *,
        seed: int,
        compile_step: bool,
        muon_lr: float,
        adam_lr: float,
        weight_decay: float,
        dropout: float,
    ) -> None:
        torch.manual_seed(seed)
        self.device = device
        self.model = Decoder(shape, dropout=dropout).to(device)
        hidden = [p for n, p in self.model.named_parameters() if p.ndim == 2 and not n.startswith("embed")]
        others = [p for n, p in self.model.named_parameters() if p.ndim != 2 or n.startswith("embed")]
        self.muon = Muon(hidden, weight_decay=weight_decay)
        self.adam = torch.optim.AdamW(others, lr=adam_lr, betas=(0.9, 0.98), weight_decay=0.0, fused=device == "cuda")
        self.muon_lr, self.adam_lr = muon_lr, adam_lr
        self.losses = self.model.losses
        if compile_step:
            # CUDA graphs: the launches do not depend on how busy the processes that make the data keep the CPU.
            mode = "reduce-overhead" if device == "cuda" else None
            self.losses = torch.compile(self.model.losses, dynamic=False, mode=mode)
            self.muon.orthogonalise = torch.compile(self.muon.orthogonalise, dynamic=False)

    def step(self, batch: Batch, factor: float) -> tuple[torch.Tensor, torch.Tensor]:
        """One update. Returns the mean loss over answers, and over everything of a smaller weight, on the device."""
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
        tensor = torch.from_numpy(array)
        if self.device == "cuda":
            tensor = tensor.pin_memory()
        return tensor.to(self.device, non_blocking=True).to(dtype)


def run(
    trainer: Trainer,
    batches: Iterator[Batch],
    steps: int,
    seconds: float | None,
    save_every: float,
    out: Path,
    *,
    in_8_bits: bool,
) -> None:
    """Train for `steps` or, where given, for `seconds` behind the first step, reporting now and then; saves at the end
    and every `save_every` seconds."""
    out.mkdir(parents=True, exist_ok=True)
    began = first_done = time.perf_counter()
    waited = 0.0
    tokens = step = 0
    progress = 0.0
    saved = began
    with (out / "log.jsonl").open("w") as log:
        while progress < 1.0:
            before = time.perf_counter()
            batch = next(batches)
            waited += time.perf_counter() - before
            factor = learning_rate(step, progress)
            answer, prompt = trainer.step(batch, factor)
            tokens += len(batch.ids)
            if step % REPORT_EVERY == 0 or step == steps - 1:
                row = {
                    "step": step,
                    "tokens": tokens,
                    "answer_loss": round(answer.item(), 4),
                    "prompt_loss": round(prompt.item(), 4),
                    "lr_factor": round(factor, 4),
                    "seconds": round(time.perf_counter() - began, 1),
                    "waited_s": round(waited, 1),
                }
                print(json.dumps(row), flush=True)
                log.write(json.dumps(row) + "\n")
                log.flush()
                if not math.isfinite(row["answer_loss"]):
                    raise SystemExit("the loss is not finite")
            if step == 0:
                first_done = time.perf_counter()
            if time.perf_counter() - saved > save_every:
                saved = time.perf_counter()
                save(trainer.model, out, in_8_bits=in_8_bits)
            step += 1
            progress = step / steps if seconds is None else (time.perf_counter() - first_done) / seconds
    print(f"{step} steps", flush=True)
    save(trainer.model, out, in_8_bits=in_8_bits)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--tokenizer", type=Path, help="a directory that holds tokenizer.json; without it one is trained"
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=17543)
    parser.add_argument("--seconds", type=float, help="train for so long instead of for a number of steps")
    parser.add_argument(
        "--save-every",
        type=float,
        default=math.inf,
        help="also save the weights so far, after so many seconds each time",
    )
    parser.add_argument("--tokens", type=int, default=65536, help="tokens of one batch")
    parser.add_argument("--workers", type=int, default=12, help="processes that generate data")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--muon-lr", type=float, default=0.02)
    parser.add_argument("--adam-lr", type=float, default=0.004)
    parser.add_argument("--weight-decay", type=float, default=0.02, help="of the matrices that Muon updates")
    parser.add_argument("--dropout", type=float, default=0.0, help="share of each layer's output left out in training")
    parser.add_argument("--layers", type=int, default=Shape().num_layers)
    parser.add_argument("--hidden", type=int, default=Shape().hidden_size)
    parser.add_argument("--intermediate", type=int, default=Shape().intermediate_size)
    parser.add_argument("--heads", type=int, default=Shape().num_heads)
    parser.add_argument("--kv-heads", type=int, default=Shape().num_kv_heads)
    parser.add_argument("--bits", type=int, choices=(8, 16), default=16, help="of the weights that are written")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--no-compile", action="store_true")
    options = parser.parse_args()
    shape = replace(
        Shape(),
        num_layers=options.layers,
        hidden_size=options.hidden,
        intermediate_size=options.intermediate,
        num_heads=options.heads,
        num_kv_heads=options.kv_heads,
    )
    if options.tokenizer is None:
        save_tokenizer(train_tokenizer(), options.out)
    maker = Batches(
        (options.tokenizer or options.out) / "tokenizer.json",
        workers=options.workers,
        seed=options.seed,
        num_tokens=options.tokens,
        max_sequences=options.tokens // 160,
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
            weight_decay=options.weight_decay,
            dropout=options.dropout,
        )
        print(f"{sum(p.numel() for p in trainer.model.parameters()):,} parameters", flush=True)
        run(
            trainer,
            batches,
            options.steps,
            options.seconds,
            options.save_every,
            options.out,
            in_8_bits=options.bits == 8,
        )


if __name__ == "__main__":
    main()
