"""From a checkpoint directory to a model that runs."""

from pathlib import Path

import torch

from slipform.errors import ConfigError
from slipform.runtime.config import LoadFormat
from slipform.runtime.models.config import read_config
from slipform.runtime.models.dummy_weights import DummyCheckpoint
from slipform.runtime.models.fallback import TransformersModel
from slipform.runtime.models.interface import CausalModel
from slipform.runtime.models.llama import LlamaModel, flags_of
from slipform.runtime.models.packed_weights import packed_form
from slipform.runtime.models.weights import Checkpoint


def load_model(
    path: str | Path,
    *,
    dtype: torch.dtype,
    device: torch.device | str,
    max_position: int | None = None,
    load_format: LoadFormat = "auto",
    deterministic: bool = False,
) -> CausalModel:
    """Load a Hugging Face checkpoint directory.

    Args:
        dtype: float32 or bfloat16; weights are converted, those in 4 or 8 bits too (see `packed_weights`).
        load_format: "dummy" makes random weights; the directory need hold no more than a config.json.
        max_position: longest sequence wanted, if shorter than the model's own limit.
        deterministic: see `EngineConfig`.

    Raises: ConfigError for a directory, architecture, weight or device that cannot be used.
    """
    directory = Path(path)
    device = torch.device(device)
    if dtype not in (torch.float32, torch.bfloat16):
        raise ConfigError(f"{dtype} is not supported; choose float32 or bfloat16", field="dtype")
    config = read_config(directory, max_position=max_position)
    flags = flags_of(config)
    if load_format == "dummy":
        if flags is None:
            raise ConfigError(f"random weights are not made for {config.architecture}", field="load_format")
        dummy = DummyCheckpoint(dtype=dtype, device=device)
        return LlamaModel(config, flags, dummy, dtype=dtype, device=device, batch_invariant=deterministic)
    if flags is None and deterministic:
        raise ConfigError(f"{config.architecture} runs in transformers' code, not in ours", field="deterministic")
    if flags is None:
        return TransformersModel(config, directory, dtype=dtype, device=device)
    packed = packed_form(getattr(config.hf, "quantization_config", None))
    with Checkpoint(directory, dtype=dtype, device=device, packed=packed) as checkpoint:
        return LlamaModel(config, flags, checkpoint, dtype=dtype, device=device, batch_invariant=deterministic)
