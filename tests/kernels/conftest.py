"""Where Triton's kernels run; see `tests/conftest.py`."""

import pytest
import torch


@pytest.fixture(scope="session")
def gpu() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
