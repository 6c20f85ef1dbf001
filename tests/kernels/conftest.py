"""Triton's kernels run on the GPU where there is one, else on the CPU through Triton's interpreter.

Triton decides when a kernel is defined, so the variable is set before any test imports one.
"""

import os

import pytest
import torch

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"


@pytest.fixture(scope="session")
def gpu() -> torch.device:
    """Where Triton's kernels run."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
