"""`slipform check`: what this machine has, and what an engine here would use."""

import importlib.metadata
import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from rich import box
from rich.console import Console
from rich.table import Table

import slipform
from slipform.runtime.config import resolve
from slipform.runtime.engine import Engine
from slipform.runtime.gpu_memory import estimate, slot_bytes
from slipform.runtime.models.config import read_config
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import Fill, GenerateRequest, Text

_PACKAGES = ("torch", "transformers", "tokenizers", "safetensors", "numpy", "numba", "pydantic")


def report(model: Path | None, *, load: bool) -> None:
    """Print the report. Raises: ConfigError when the model cannot be used, EngineStopped when it fails to run."""
    console = Console(highlight=False)
    table = Table(box=box.SIMPLE, show_header=False, padding=(0, 1))
    table.add_column(style="bold")
    table.add_column()
    for name, value in _machine():
        table.add_row(name, value)
    table.add_section()
    for name in _PACKAGES:
        table.add_row(name, _version(name))
    table.add_section()
    config = resolve(model, {}, cuda=torch.cuda.is_available())
    table.add_row("model", f"{config.model}" + (" (embedded)" if model is None else ""))
    for name, value in _checkpoint(config.model):
        table.add_row(name, value)
    table.add_row("device", f"{config.device}, {config.dtype}, {torch.get_num_threads()} threads")
    if torch.cuda.is_available():
        for name, value in gpu_plan(config.model, torch.cuda.get_device_properties(0).total_memory):
            table.add_row(f'with device="cuda": {name}', value)
        *_, (name, value) = gpu_plan(config.model, torch.cuda.get_device_properties(0).total_memory, kv_dtype="fp8")
        table.add_row(f'with kv_dtype="fp8": {name}', value)
    console.print(table)
    if load:
        with console.status("loading the model"):
            began = time.monotonic()
            engine = Engine(model)
            loaded_s = time.monotonic() - began
        with engine:
            _try_out(console, engine, loaded_s)


def _machine() -> Iterator[tuple[str, str]]:
    yield "slipform", slipform.__version__
    yield "python", f"{platform.python_version()} on {platform.system()} {platform.release()} {platform.machine()}"
    yield "processor", f"{_processor()}, {os.cpu_count()} cores, {_memory_gib():.0f} GiB memory"
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            found = torch.cuda.get_device_properties(index)
            yield f"GPU {index}", f"{found.name}, {found.total_memory / 2**30:.0f} GiB"
    else:
        yield "GPU", "none that torch can use"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _checkpoint(path: Path) -> Iterator[tuple[str, str]]:
    sizes = [file.stat().st_size for file in path.glob("*.safetensors")]
    if sizes:
        yield "weights", f"{sum(sizes) / 2**20:.1f} MiB in {len(sizes)} file{'s' if len(sizes) > 1 else ''}"


def gpu_plan(model: Path, total_bytes: int, *, kv_dtype: str = "auto") -> list[tuple[str, str]]:
    """(what, how much) of a GPU's memory a checkpoint would take, in bfloat16. Raises: ConfigError as `read_config`."""
    config = resolve(model, {"device": "cuda", "kv_dtype": kv_dtype}, cuda=True)
    sizes = [file.stat().st_size for file in config.model.glob("*.safetensors")]
    slot = slot_bytes(read_config(config.model).kv_shapes, config.torch_dtype, in_float8=config.kv_in_float8)
    return estimate(total=total_bytes, weights=sum(sizes), slot=slot, fraction=config.memory_fraction)


def _try_out(console: Console, engine: Engine, loaded_s: float) -> None:
    """One fill, to see that everything works together."""
    sampling = SamplingParams(max_tokens=16, temperature=0.0, ignore_eos=True)
    request = GenerateRequest("check", (Text("The quick brown fox"), Fill("text", sampling)))
    finished = engine.submit(request).result(300)
    fill = finished.sequences[0].fills[0]
    statistics: Any = engine.statistics()
    per_token_ms = 1000 * finished.times.total_s / max(1, len(fill.token_ids))
    template = "with a chat template" if engine.tokenizer.chat_template else "without a chat template"
    console.print(
        f"Loaded in {loaded_s:.1f} s: {len(engine.tokenizer.vocabulary)} tokens in the vocabulary, {template}, "
        f"room for {statistics.pool_slots} tokens of KV."
    )
    console.print(
        f"Filled a hole of {len(fill.token_ids)} tokens, {per_token_ms:.1f} ms each. [green]All is well.[/green]"
    )
