"""The engine's options: read, checked and resolved once. The only file of this folder that looks at the machine."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, get_args

import torch

from slipform.errors import ConfigError

DtypeName = Literal["float32", "bfloat16"]
LoadFormat = Literal["auto", "dummy"]
KVDtypeName = Literal["auto", "fp8"]

EMBEDDED_MODEL = Path(__file__).parent / "embedded" / "model"


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """How an engine runs; frozen after `resolve`.

    Attributes:
        model: directory of the checkpoint.
        device: "cpu", "cuda" or "cuda:N"; None stands for the CPU.
        dtype: of weights and KV; None stands for float32 on a CPU (exact and repeatable), bfloat16 on a GPU.
        kv_dtype: "auto" keeps keys and values in `dtype`; "fp8", on GPUs that have it, in 8 bits with a scale for each
            token and head: nearly twice the context in the same memory, and attention's results differ by about 3 %.
        deterministic: on a GPU, each token's logits are the same, bit for bit, whatever shares its batch and however
            its text was divided into steps; steps take longer. Not for models that run in transformers' code.
        threads: threads of the CPU's tensor operations; None leaves torch's own choice.
        pool_slots: tokens that the KV pool holds; None takes what `memory_fraction` allows.
        load_format: "auto" reads the checkpoint's weights, "dummy" makes random ones of its geometry, for benchmarks.
        memory_fraction: share of the memory free at start that the KV pool may take; on a GPU, of what is free beside
            the weights, the largest step and a reserve, 0.95 by default.
        token_budget: most tokens that one step computes, over all sequences; 8192 by default on a GPU.
        chunk_size: most tokens that one step computes of one sequence; 8192 by default on a GPU.
        max_sequences: most sequences that run at a time; 256 by default on a GPU.
        max_queue: most requests that wait; more are refused.
        max_n: largest `n` of a request. max_context: longest sequence; None takes the model's limit.
        prefix_cache: reuse computed prefixes. jump_forward: append forced tokens without a step for each.
            Both change speed only.
        cuda_graphs: record the steps of few tokens and replay them. overlap: launch a step before the tokens of the
            last one are known on the host. Both are for GPUs, and change speed only.
        trace: keep how each output token came to be (`FillResult.trace`).
        seed: makes the seeds drawn for unseeded requests repeatable; None takes one from the system.
        compile_threads: constraints that are compiled at a time; those that take long mostly wait, and new ones are
            compiled past them. grammar_cache: compiled constraints kept.
        warm_up: run a few tiny steps at start, so that no client waits for code compiled on first use.
    """

    model: Path
    device: str | None = None
    dtype: DtypeName | None = None
    kv_dtype: KVDtypeName = "auto"
    deterministic: bool = False
    load_format: LoadFormat = "auto"
    threads: int | None = None
    pool_slots: int | None = None
    memory_fraction: float = 0.25
    token_budget: int = 2048
    chunk_size: int = 512
    max_sequences: int = 128
    max_queue: int = 8192
    max_n: int = 128
    max_context: int | None = None
    prefix_cache: bool = True
    jump_forward: bool = True
    cuda_graphs: bool = True
    overlap: bool = True
    trace: bool = True
    seed: int | None = None
    compile_threads: int = 16
    grammar_cache: int = 512
    warm_up: bool = True

    @property
    def kv_in_float8(self) -> bool:
        return self.kv_dtype == "fp8"

    @property
    def torch_dtype(self) -> torch.dtype:
        return torch.bfloat16 if self.dtype == "bfloat16" else torch.float32


_COUNTS = (
    "threads",
    "pool_slots",
    "token_budget",
    "chunk_size",
    "max_sequences",
    "max_queue",
    "max_n",
    "max_context",
    "compile_threads",
    "grammar_cache",
)
_SWITCHES = ("prefix_cache", "jump_forward", "cuda_graphs", "overlap", "trace", "warm_up", "deterministic")
_GPU_DEFAULTS = {"memory_fraction": 0.95, "token_budget": 8192, "chunk_size": 8192, "max_sequences": 256}


def resolve(model: str | Path | None, options: Mapping[str, Any], *, cuda: bool) -> EngineConfig:
    """Check the options, fill in what was left open, and freeze the result.

    Args:
        model: a checkpoint directory; None is the embedded one.
        options: fields of `EngineConfig` except `model`.
        cuda: whether this machine has a usable CUDA device.

    Raises: ConfigError naming the option that is unknown or whose value is not usable.
    """
    known = {field.name for field in fields(EngineConfig)} - {"model"}
    for name in options:
        if name not in known:
            close = get_close_matches(name, known, 1)
            raise ConfigError("unknown option" + (f"; did you mean {close[0]}?" if close else ""), field=name)
    for name in _COUNTS:
        value = options.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise ConfigError(f"must be a whole number of at least 1, got {value!r}", field=name)
    for name in _SWITCHES:
        if not isinstance(options.get(name, True), bool):
            raise ConfigError(f"must be True or False, got {options[name]!r}", field=name)
    fraction = options.get("memory_fraction", 0.25)
    if not isinstance(fraction, int | float) or not 0 < fraction <= 1:
        raise ConfigError(f"must be in (0, 1], got {fraction!r}", field="memory_fraction")
    seed = options.get("seed")
    if seed is not None and not isinstance(seed, int):
        raise ConfigError(f"must be a whole number, got {seed!r}", field="seed")
    device = options.get("device") or "cpu"
    if device.partition(":")[0] not in ("cpu", "cuda"):
        raise ConfigError(f"must be cpu or cuda, got {device!r}", field="device")
    if device.startswith("cuda") and not cuda:
        raise ConfigError(f"{device} is asked for, and torch finds no CUDA device", field="device")
    dtype = options.get("dtype") or ("float32" if device == "cpu" else "bfloat16")
    if dtype not in get_args(DtypeName):
        raise ConfigError(f"must be one of {', '.join(get_args(DtypeName))}, got {dtype!r}", field="dtype")
    load_format = options.get("load_format") or "auto"
    if load_format not in get_args(LoadFormat):
        raise ConfigError(f"must be one of {', '.join(get_args(LoadFormat))}, got {load_format!r}", field="load_format")
    kv_dtype = options.get("kv_dtype") or "auto"
    if kv_dtype not in get_args(KVDtypeName):
        raise ConfigError(f"must be one of {', '.join(get_args(KVDtypeName))}, got {kv_dtype!r}", field="kv_dtype")
    if device == "cpu":
        for name, asked in (("kv_dtype", kv_dtype == "fp8"), ("deterministic", options.get("deterministic"))):
            if asked:
                raise ConfigError(f"{options[name]!r} is for GPUs, and the device is the CPU", field=name)
    path = EMBEDDED_MODEL if model is None else Path(model)
    if not path.is_dir():
        raise ConfigError(
            f"{path} is not a directory; it takes a local folder with config.json, a tokenizer and safetensors",
            field="model",
        )
    given = {name: value for name, value in options.items() if value is not None}
    if device != "cpu":
        given = {**_GPU_DEFAULTS, **given}
    return EngineConfig(**{**given, "model": path, "device": device, "dtype": dtype})


def plan_pool_slots(config: EngineConfig, slot_bytes: int, max_context: int) -> int:
    """Number of KV slots: what was asked for, else what memory allows and the running sequences could ever use.

    Args:
        slot_bytes: keys and values of one token over all layers.
        max_context: longest sequence in tokens.

    Raises: ConfigError if memory does not hold a single token.
    """
    if config.pool_slots is not None:
        return config.pool_slots
    free_bytes = _free_bytes(config.device or "cpu")
    affordable = int(free_bytes * config.memory_fraction) // slot_bytes
    if affordable < 1:
        raise ConfigError(f"{free_bytes} bytes are free, and one token needs {slot_bytes}", field="memory_fraction")
    return min(affordable, config.max_sequences * max_context)


def _free_bytes(device: str) -> int:
    if device != "cpu":
        return torch.cuda.mem_get_info(device)[0]
    free = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    meminfo = Path("/proc/meminfo")
    if meminfo.is_file():
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                free = int(line.split()[1]) * 1024
    limit = Path("/sys/fs/cgroup/memory.max")
    used = Path("/sys/fs/cgroup/memory.current")
    if limit.is_file() and used.is_file() and (text := limit.read_text().strip()) != "max":
        free = min(free, max(0, int(text) - int(used.read_text())))
    return free
