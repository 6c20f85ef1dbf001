"""Running everything that is compiled on first use once, before a client waits for it.

Numba compiles a kernel when it is first called and keeps the result on disk: tens of seconds after an installation,
a fraction of a second from then on. Without this the first constraint would pay, and could run out of its own time.
"""

import numpy as np
import torch

from slipform.grammars.compiler import compile_grammar
from slipform.grammars.limits import Limits
from slipform.grammars.matcher import fill_batch
from slipform.grammars.spec import Choice, GrammarSpec, JsonSchema, Regex
from slipform.grammars.vocabulary import Vocabulary
from slipform.runtime.kv_pool import KVPool
from slipform.runtime.model_runner import ModelRunner
from slipform.runtime.params import SamplingParams
from slipform.runtime.sampler import Sampler, token_logprobs

_UNHURRIED = Limits(seconds=3600.0)
_SPECS: tuple[tuple[GrammarSpec, bytes], ...] = (
    (Choice.of(["first", "second"]), b"fir"),
    (Regex(r"[a-z]{2,40}(?: \d{1,3})?"), b"ab"),
    (
        JsonSchema.of(
            {
                "type": "object",
                "properties": {
                    "a": {"type": "string", "maxLength": 20},
                    "b": {"type": "array", "items": {"type": "integer"}, "maxItems": 3},
                },
                "required": ["a"],
            }
        ),
        b'{"a": "x", "b": [1',
    ),
)


def warm_up_model(runner: ModelRunner, pool: KVPool) -> None:
    """Run a few tiny batches. The pool is fresh: nobody holds a slot of it."""
    slots = pool.allocate(min(2, pool.num_slots))
    if slots is None or len(slots) < 2:
        return
    runner.warm_up(torch.from_numpy(slots).to(pool.device, torch.int64))
    pool.release(slots)


def warm_up_sampler(sampler: Sampler, vocab_size: int, num_words: int) -> None:
    """Draw from flat logits once with and once without each of the filters. Row 0 is left as it was used."""
    logits = np.zeros((1, vocab_size), np.float32)
    row = np.zeros(1, np.int64)
    masks = np.full((1, num_words), -1, np.int32)
    for params in (SamplingParams(temperature=0.0), SamplingParams(top_p=0.9, top_k=2, min_p=0.1)):
        sampler.bind(0, params, 0, row, [])
        sampler.sample(logits, row, row, row, masks, np.ones(1, np.uint8))
    token_logprobs(logits, [0], [0], [1])


def warm_up_grammars(vocabulary: Vocabulary) -> None:
    """Compile and walk a constraint of each kind, with no limit on the time."""
    masks = np.zeros((1, vocabulary.num_words), np.int32)
    for spec, text in _SPECS:
        matcher = compile_grammar(spec, vocabulary, _UNHURRIED).matcher(b" ")
        matcher.accept_bytes(b" " + text)
        fill_batch([matcher], masks, [0])
        token_id = int(masks[0].view(np.uint8).nonzero()[0][0]) * 8
        token_id += int(
            np.unpackbits(masks[0].view(np.uint8)[token_id // 8 : token_id // 8 + 1], bitorder="little").argmax()
        )
        matcher.forced_tokens(text)
        matcher.accept_token(token_id)
