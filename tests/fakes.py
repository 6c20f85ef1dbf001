"""Stand-ins for tests: a small real tokenizer made here, and models whose logits are a function of their context."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import AddedToken, decoders, models, pre_tokenizers, trainers
from tokenizers import Tokenizer as Backend
from transformers import PreTrainedTokenizerFast

from slipform.runtime.batch import ForwardBatch
from slipform.runtime.config import EngineConfig
from slipform.runtime.engine import Engine
from slipform.runtime.kv_pool import KVPool
from slipform.runtime.models.config import ModelConfig
from slipform.runtime.tokenizer import Tokenizer

CORPUS = [
    "The quick brown fox jumps over the lazy dog. Answer: yes, no, maybe. Name: Ada Lovelace, born 1815-12-10.",
    '{"name": "Ada", "age": 36, "tags": ["a", "b"], "ok": true, "city": "London", "price": 12.50, "none": null}',
    "http://example.com/index.html https://example.org the then them these those there their  \n\n  \t end stop done.",
    "naïve café Zürich 東京 привет 😀 ünïcödé – and ordinary words: question, answer, ticket, invoice, order, date.",
]
EOS, MARK = "<|end|>", "<|user|>"


def byte_backend(vocab_size: int = 400) -> Backend:
    """A byte-level BPE tokenizer: all 256 bytes, some merges, two special tokens at the end."""
    backend = Backend(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size - 2,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=[],
        show_progress=False,
    )
    backend.train_from_iterator(CORPUS, trainer)
    backend.add_special_tokens([AddedToken(EOS, special=True), AddedToken(MARK, special=True)])
    return backend


def byte_tokenizer(vocab_size: int = 400) -> PreTrainedTokenizerFast:
    """`byte_backend` as transformers sees it."""
    return PreTrainedTokenizerFast(tokenizer_object=byte_backend(vocab_size), eos_token=EOS)


class ScriptedModel:
    """Logits that depend on the whole context as it lies in the KV pool, so that a wrong slot changes the text.

    Each token leaves itself and its position in its slot; the logits are a hash of all that the slot table points to.

    Args:
        script: maps context ids to the id that shall win clearly, or to None.
        seed: changes all logits. eos_bias: added to the logit of `eos_id`.
        fail: maps context ids to True where the logits shall be NaN.
    """

    def __init__(
        self,
        vocab_size: int,
        *,
        eos_id: int,
        seed: int = 0,
        eos_bias: float = 0.0,
        script: Callable[[list[int]], int | None] | None = None,
        fail: Callable[[list[int]], bool] | None = None,
        max_position: int = 4096,
    ) -> None:
        self.config = ModelConfig(
            architecture="ScriptedModel",
            num_layers=1,
            hidden_size=4,
            vocab_size=vocab_size,
            num_heads=1,
            kv_shapes=((1, 2),),
            max_position=max_position,
            eos_ids=(eos_id,),
            bos_id=None,
            hf=None,
        )
        self.dtype = torch.float32
        self.device = torch.device("cpu")
        self.num_steps = 0
        self.num_tokens = 0
        self._seed = seed
        self._eos_id = eos_id
        self._eos_bias = eos_bias
        self._script = script
        self._fail = fail
        self._id_hash = _mix(np.arange(vocab_size, dtype=np.uint64) + np.uint64(1))

    def forward(self, batch: ForwardBatch, pool: Any) -> torch.Tensor:
        self.num_steps += 1
        self.num_tokens += batch.num_tokens
        keys = pool.keys[0]
        keys[batch.out_slots, 0, 0] = batch.input_ids.to(torch.float32)
        keys[batch.out_slots, 0, 1] = batch.positions.to(torch.float32)
        stored = keys.numpy()[:, 0]
        borders = batch.cu_seqlens.tolist()
        rows = batch.logits_rows.tolist()
        logits = np.empty((len(rows), self.config.vocab_size), np.float32)
        for index, row in enumerate(rows):
            owner = next(i for i in range(batch.num_sequences) if borders[i] <= row < borders[i + 1])
            length = int(batch.positions[row]) + 1
            context = stored[batch.slot_table[owner, :length].numpy()]
            logits[index] = self._logits(context[:, 0].astype(np.uint64), context[:, 1].astype(np.uint64))
        return torch.from_numpy(logits)

    def _logits(self, ids: np.ndarray, positions: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):
            state = _mix(ids * np.uint64(0x9E3779B97F4A7C15) + positions * np.uint64(1000003)).sum(dtype=np.uint64)
            words = _mix(self._id_hash ^ (state + np.uint64(self._seed)))
        logits = ((words >> np.uint64(40)).astype(np.float32) / 2**24 - 0.5) * 8
        logits[self._eos_id] += self._eos_bias
        context = ids.astype(int).tolist()
        if self._fail is not None and self._fail(context):
            logits[:] = np.nan
        winner = self._script(context) if self._script is not None else None
        if winner is not None:
            logits[winner] = 1000.0
        return logits


def _mix(words: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def says(prompt: list[int], answer: list[int]) -> Callable[[list[int]], int | None]:
    """A script: after any context that contains `prompt`, the rest of `answer` wins, token by token."""

    def script(context: list[int]) -> int | None:
        for begin in range(len(context) - len(prompt), -1, -1):
            if context[begin : begin + len(prompt)] == prompt:
                done = context[begin + len(prompt) :]
                if done == answer[: len(done)] and len(done) < len(answer):
                    return answer[len(done)]
                return None
        return None

    return script


def scripted_engine(
    *,
    tokenizer: Tokenizer | None = None,
    model: ScriptedModel | None = None,
    model_seed: int = 0,
    eos_bias: float = 1.0,
    script: Callable[[list[int]], int | None] | None = None,
    **options: Any,
) -> Engine:
    """An engine over `ScriptedModel` and `byte_tokenizer`; `options` are those of EngineConfig."""
    tokenizer = tokenizer or Tokenizer(byte_tokenizer())
    model = model or ScriptedModel(
        len(tokenizer.vocabulary), eos_id=tokenizer.eos_ids[0], seed=model_seed, eos_bias=eos_bias, script=script
    )
    options.setdefault("pool_slots", 4096)
    options.setdefault("max_sequences", 32)
    options.setdefault("seed", 0)
    options.setdefault("warm_up", False)
    config = EngineConfig(model=Path("."), device="cpu", dtype="float32", **options)
    return Engine.from_parts(config, model, tokenizer)


__all__ = ["EOS", "MARK", "KVPool", "ScriptedModel", "byte_tokenizer", "says", "scripted_engine"]
