"""A machine without Triton has everything but the GPU."""

import subprocess
import sys

SCRIPT = """
import sys
sys.modules["triton"] = None  # import triton raises ImportError
import torch
from slipform.errors import ConfigError
from slipform.kernels.interface import kernels_for
from slipform.runtime import engine, gpu_memory

assert kernels_for(torch.device("cpu"))
try:
    kernels_for(torch.device("cuda"))
except ConfigError as error:
    assert "triton" in str(error), error
else:
    raise SystemExit("no error")
"""


def test_engine_imports_and_says_what_a_gpu_needs() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == 0, done.stderr
