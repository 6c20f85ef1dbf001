"""Settings that all tests share.

Triton's kernels run on the GPU where there is one, else on the CPU through Triton's interpreter. Triton decides when a
kernel is defined, so the variable is set here, before any test imports one.
"""

import os

import torch
from hypothesis import HealthCheck, settings

# The first call of a compiled kernel takes seconds, and the machines that run the tests are busy: no deadlines.
settings.register_profile("slipform", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("slipform")

if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"
