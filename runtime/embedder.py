"""Embeddings of texts: the last layer's states of the served model, pooled into one vector a text.

The engine's own passes end in logits and never show these states, so the checkpoint is loaded a second time, without
its head and through transformers, when the first embedding is asked for. That is bounded: a checkpoint over
`MAX_CHECKPOINT_BYTES` is refused, so that no request can double a large model's memory.
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import AutoModel

from slipform.errors import UnsupportedField

Pooling = Literal["mean", "last"]
MAX_CHECKPOINT_BYTES = 2 * 2**30
# Tokens of one pass; texts are padded to the longest beside them.
_BATCH_TOKENS = 4096


class Embedder:
    """Embeds token ids with the checkpoint in `path`; loads it on first use. Thread-safe, one text batch at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._model: Any = None

    def embed(self, texts: Sequence[Sequence[int]], pooling: Pooling) -> list[list[float]]:
        """One vector of length 1 for each of `texts`, which are not empty.

        Args:
            pooling: "mean" of the states of all tokens, or the state of the "last" one.
        Raises: UnsupportedField if the checkpoint is too large to be held twice, or transformers cannot load it.
        """
        with self._lock:
            model = self._loaded()
            vectors: list[list[float]] = [[]] * len(texts)
            order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
            while order:
                # From the shortest up, as many as fit when all are padded to the longest of them.
                count = 1
                while count < len(order) and (count + 1) * len(texts[order[count]]) <= _BATCH_TOKENS:
                    count += 1
                batch, order = order[:count], order[count:]
                for index, vector in zip(batch, _pooled(model, [texts[i] for i in batch], pooling), strict=True):
                    vectors[index] = vector
            return vectors

    def _loaded(self) -> Any:
        if self._model is None:
            num_bytes = sum(file.stat().st_size for file in self._path.glob("*.safetensors"))
            if num_bytes > MAX_CHECKPOINT_BYTES:
                raise UnsupportedField(
                    "model", f"embeddings load the checkpoint a second time; at most {MAX_CHECKPOINT_BYTES} bytes"
                )
            try:
                self._model = AutoModel.from_pretrained(
                    self._path,
                    dtype=torch.float32,
                    local_files_only=True,
                    use_safetensors=True,
                    trust_remote_code=False,
                ).eval()
            except (OSError, ValueError) as error:
                raise UnsupportedField("model", f"its states cannot be had for embeddings: {error}") from error
        return self._model


@torch.inference_mode()
def _pooled(model: Any, texts: Sequence[Sequence[int]], pooling: Pooling) -> list[list[float]]:
    lengths = torch.tensor([len(text) for text in texts])
    longest = int(lengths.max())
    ids = torch.zeros((len(texts), longest), dtype=torch.int64)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = torch.tensor(text)
    mask = torch.arange(longest) < lengths[:, None]
    states = model(input_ids=ids, attention_mask=mask.to(torch.int64), use_cache=False).last_hidden_state
    if pooling == "last":
        vectors = states[torch.arange(len(texts)), lengths - 1]
    else:
        vectors = (states * mask[:, :, None]).sum(1) / lengths[:, None]
    rows: list[list[float]] = torch.nn.functional.normalize(vectors, dim=1).tolist()
    return rows
