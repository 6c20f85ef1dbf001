"""Reading the weights of a checkpoint directory: memory-mapped safetensors, whole or sharded by an index."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, Self, cast

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from slipform.errors import ConfigError
from slipform.runtime.models.packed_weights import PARTS, PackedForm


class WeightSource(Protocol):
    """Where a model gets its weights from, each once. See `Checkpoint` for what the methods do."""

    def take(self, name: str, shape: tuple[int, ...]) -> Tensor: ...

    def stack(self, parts: Sequence[tuple[str, tuple[int, ...]]]) -> Tensor: ...

    def ignore(self, name: str) -> None: ...

    def finish(self) -> None: ...


class Checkpoint:
    """Named weights, each taken once. A context manager: files stay mapped into memory while it is entered."""

    def __init__(
        self, path: Path, *, dtype: torch.dtype, device: torch.device, packed: PackedForm | None = None
    ) -> None:
        """`packed`: how weights that lie there in a few bits are read.

        Raises: ConfigError if the directory holds no safetensors or its index does not fit the files.
        """
        self._packed = packed
        self._dtype = dtype
        self._device = device
        self._files: list[Any] = []
        self._file_of: dict[str, Any] = {}
        self._path = path
        for name in _file_names(path):
            self._open(path / name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files:
            file.__exit__(None, None, None)
        self._files.clear()
        self._file_of.clear()

    def take(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """The weight, in the dtype and on the device asked for; its memory is its own.

        Raises: ConfigError if it is missing or has another shape.
        Mutates: the set of weights that are left.
        """
        return self.stack([(name, shape)])

    def stack(self, parts: Sequence[tuple[str, tuple[int, ...]]]) -> Tensor:
        """Several weights, joined along their first axis. Raises and mutates as `take`."""
        rows = sum(shape[0] for _, shape in parts)
        joined = torch.empty((rows, *parts[0][1][1:]), dtype=self._dtype, device=self._device)
        start = 0
        for name, shape in parts:
            weight = self._read(name, shape)
            if tuple(weight.shape) != shape:
                raise ConfigError(
                    f"{self._path}: weight {name} has shape {tuple(weight.shape)}, and the configuration says {shape}",
                    field="model",
                )
            joined[start : start + shape[0]].copy_(weight)
            start += shape[0]
        return joined

    def _read(self, name: str, shape: tuple[int, ...]) -> Tensor:
        """A weight as it is stored, or unpacked to float32."""
        file = self._file_of.pop(name, None)
        if file is not None:
            return cast(Tensor, file.get_tensor(name))
        parts = [self._file_of.pop(name + part, None) for part in PARTS]
        if self._packed is None or None in parts:
            raise ConfigError(f"{self._path}: weight {name} is missing", field="model")
        packed, scale, stored = (file.get_tensor(name + part) for file, part in zip(parts, PARTS, strict=True))
        try:
            return self._packed.unpack(packed, scale, tuple(stored.tolist()))
        except ValueError as error:
            raise ConfigError(f"{self._path}: weight {name}: {error}", field="model") from error

    def ignore(self, name: str) -> None:
        """Drop a weight that is known to be redundant, if it is there."""
        self._file_of.pop(name, None)

    def finish(self) -> None:
        """Raises: ConfigError naming weights that nobody took: the model computed would not be the one stored."""
        if self._file_of:
            names = sorted(self._file_of)
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            raise ConfigError(f"{self._path}: unexpected weights {', '.join(names[:5])}{more}", field="model")

    def _open(self, file_path: Path) -> None:
        try:
            file: Any = safe_open(file_path, framework="pt", device="cpu")
        except (SafetensorError, OSError) as error:
            raise ConfigError(f"{file_path} cannot be read: {error}", field="model") from error
        self._files.append(file)
        names: list[str] = list(file.keys())
        for name in names:
            if name in self._file_of:
                raise ConfigError(f"{self._path}: weight {name} is in two files", field="model")
            self._file_of[name] = file


def _file_names(path: Path) -> list[str]:
    index = path / "model.safetensors.index.json"
    if index.is_file():
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        missing = [name for name in names if not (path / name).is_file()]
        if missing:
            raise ConfigError(f"{index} names {missing[0]}, which is not there", field="model")
        return names
    if (path / "model.safetensors").is_file():
        return ["model.safetensors"]
    raise ConfigError(f"{path} holds no model.safetensors; other weight formats are not read", field="model")
