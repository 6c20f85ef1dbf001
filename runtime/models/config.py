"""Reading a checkpoint's config.json: what every part of the runtime needs to know of a model."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub.errors import StrictDataclassError
from transformers import AutoConfig, GenerationConfig

from slipform.errors import ConfigError


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """A decoder-only model's geometry.

    Attributes:
        architecture: class name that the checkpoint gives, such as LlamaForCausalLM.
        vocab_size: V, rows of the output head (padding rows included).
        kv_shapes: per layer (Hkv, D), the shape of one token's key and value.
        max_position: longest sequence in tokens, prompt and output together.
        eos_ids: tokens that end a text; those of generation_config.json where it names any.
        hf: the configuration as transformers reads it.
    """

    architecture: str
    num_layers: int
    hidden_size: int
    vocab_size: int
    num_heads: int
    kv_shapes: tuple[tuple[int, int], ...]
    max_position: int
    eos_ids: tuple[int, ...]
    bos_id: int | None
    hf: Any

    @property
    def num_kv_heads(self) -> int:
        return self.kv_shapes[0][0]

    @property
    def head_dim(self) -> int:
        return self.kv_shapes[0][1]


def read_config(path: Path, *, max_position: int | None = None) -> ModelConfig:
    """Read `config.json` (and `generation_config.json` if there) of a checkpoint directory.

    Args:
        max_position: a lower bound than the model's own on the length of sequences.

    Raises: ConfigError if the directory holds no configuration of a decoder-only language model.
    """
    if not (path / "config.json").is_file():
        raise ConfigError(f"{path} holds no config.json", field="model")
    try:
        hf = AutoConfig.from_pretrained(path, local_files_only=True)
    except (ValueError, KeyError, OSError, StrictDataclassError) as error:
        raise ConfigError(f"{path / 'config.json'} cannot be read: {error}", field="model") from error
    hf = hf.get_text_config(decoder=True)
    if hf.is_encoder_decoder:
        raise ConfigError(
            f"a {hf.model_type} model is an encoder-decoder; a decoder-only model is needed", field="model"
        )
    architectures = hf.architectures or []
    if len(architectures) != 1:
        raise ConfigError(f"config.json names {len(architectures)} architectures, and one is needed", field="model")
    limit = _first(hf, "max_position_embeddings", "n_positions", "seq_length", "max_seq_len", "seq_len")
    limit = limit if limit is not None else _UNBOUNDED
    if max_position is not None:
        if not 1 <= max_position <= limit:
            raise ConfigError(f"{max_position} is not between 1 and the model's limit, {limit}", field="max_position")
        limit = max_position
    num_layers = _needed(hf, "num_hidden_layers")
    hidden_size = _needed(hf, "hidden_size")
    num_heads = _needed(hf, "num_attention_heads")
    head_dim = _first(hf, "head_dim") or hidden_size // num_heads
    return ModelConfig(
        architecture=architectures[0],
        num_layers=num_layers,
        hidden_size=hidden_size,
        vocab_size=_needed(hf, "vocab_size"),
        num_heads=num_heads,
        kv_shapes=((_num_kv_heads(hf, num_heads), head_dim),) * num_layers,
        max_position=limit,
        eos_ids=_eos_ids(path, hf),
        bos_id=_first(hf, "bos_token_id"),
        hf=hf,
    )


# Models without a table of positions (ALiBi) name no limit; the KV pool then bounds sequences.
_UNBOUNDED = 1 << 20


def _first(hf: Any, *names: str) -> int | None:
    for name in names:
        value = getattr(hf, name, None)
        if value is not None:
            return int(value)
    return None


def _needed(hf: Any, name: str) -> int:
    value = getattr(hf, name, None)
    if value is None:
        raise ConfigError(f"config.json of a {hf.model_type} model gives no {name}", field="model")
    return int(value)


def _num_kv_heads(hf: Any, num_heads: int) -> int:
    """Falcon spells multi-query attention its own way; others name the number or share nothing."""
    if hf.model_type == "falcon":
        if hf.new_decoder_architecture:
            return int(hf.num_kv_heads)
        return 1 if hf.multi_query else num_heads
    return _first(hf, "num_key_value_heads") or num_heads


def _eos_ids(path: Path, hf: Any) -> tuple[int, ...]:
    ids = getattr(hf, "eos_token_id", None)
    if (path / "generation_config.json").is_file():
        generation = GenerationConfig.from_pretrained(path, local_files_only=True)
        if generation.eos_token_id is not None:
            ids = generation.eos_token_id
    if ids is None:
        return ()
    return (ids,) if isinstance(ids, int) else tuple(ids)
