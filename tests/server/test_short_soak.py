"""The short form of benchmarks/soak.py."""

import asyncio
import importlib.util
import sys
from pathlib import Path
from typing import Any

from tests.fakes import scripted_engine
from tests.server.serving import ThreadLauncher, chat_tokenizer


def soak_module() -> Any:
    path = Path(__file__).parents[2] / "benchmarks" / "soak.py"
    spec = importlib.util.spec_from_file_location("soak", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["soak"] = module
    spec.loader.exec_module(module)
    return module


def test_everything_ends_and_nothing_leaks() -> None:
    launcher = ThreadLauncher(lambda: scripted_engine(tokenizer=chat_tokenizer(), eos_bias=-4.0, max_sequences=16))
    result = asyncio.run(soak_module().soak(launcher, 6.0, 1))
    assert result["broken"] == []
    assert result["lost"] == 0
    assert result["accepted"] == result["terminal"] > 0
    assert result["leaked_slots"] == 0
    assert result["engine_restarts"] == len(launcher.launched) - 1 == 2
    assert {"200", "400", "stream", "left"} <= result["endings"].keys()
    assert result["open_connections"] == 0
