"""Running everything that is compiled on first use once, before a client waits for it.

Numba compiles a kernel when it is first called and keeps the result on disk: tens of seconds after an installation,
a fraction of a second from then on. Grammars bring their own `load_kernels`.
"""

import subprocess
import sys

import numpy as np
import torch

from slipform.grammars.compiler import load_kernels
from slipform.kernels.masked_sampling import uniform
from slipform.runtime.kv_pool import KVPool
from slipform.runtime.model_runner import ModelRunner
from slipform.runtime.params import SamplingParams
from slipform.runtime.sampler import Sampler, token_logprobs

_LOAD_GRAMMAR_KERNELS = "from slipform.grammars.compiler import load_kernels; load_kernels()"


def warm_up(runner: ModelRunner, pool: KVPool, sampler: Sampler, *, vocab_size: int, num_words: int) -> None:
    """Make every kernel ready. On the first start after an installation, say so, and let two processes compile."""
    helper = None
    if _kernels_are_cold():
        print("Slipform: first start on this machine, compiling kernels (kept for later starts) …", file=sys.stderr)
        helper = subprocess.Popen([sys.executable, "-c", _LOAD_GRAMMAR_KERNELS])
    if pool.device.type == "cpu":  # on a GPU, steps are run and recorded when they are made
        _warm_up_model(runner, pool)
    _warm_up_sampler(sampler, vocab_size, num_words)
    if helper is not None:
        helper.wait()
    load_kernels()


def _kernels_are_cold() -> bool:
    """Whether a kernel that every engine uses, and that compiles in no time, was not found on disk."""
    uniform(np.uint64(0), np.uint64(0))
    return bool(uniform.stats.cache_misses)


def _warm_up_model(runner: ModelRunner, pool: KVPool) -> None:
    """Run a few tiny batches. The pool is fresh: nobody holds a slot of it."""
    slots = pool.allocate(min(2, pool.num_slots))
    if slots is None or len(slots) < 2:
        return
    runner.warm_up(torch.from_numpy(slots).to(pool.device, torch.int64))
    pool.release(slots)


def _warm_up_sampler(sampler: Sampler, vocab_size: int, num_words: int) -> None:
    """Draw from flat logits once with and once without each of the filters. Row 0 is left as it was used."""
    logits = np.zeros((1, vocab_size), np.float32)
    row = np.zeros(1, np.int64)
    masks = np.full((1, num_words), -1, np.int32)
    for params in (SamplingParams(temperature=0.0), SamplingParams(top_p=0.9, top_k=2, min_p=0.1)):
        sampler.bind(0, params, 0, row, [])
        sampler.sample(logits, row, row, row, masks, np.ones(1, np.uint8))
    token_logprobs(logits, [0], [0], [1])
