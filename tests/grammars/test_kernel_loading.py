"""Everything that a grammar needs compiled is compiled before any time limit counts."""

import subprocess
import sys

WALK = """
import json
import numpy as np
from numba.core.dispatcher import Dispatcher
from transformers import PreTrainedTokenizerFast
from slipform.grammars.compiler import compile_grammar, load_kernels
from slipform.grammars.matcher import fill_batch
from slipform.grammars.spec import JsonSchema
from slipform.grammars.vocabulary import Vocabulary
from slipform.runtime.config import EMBEDDED_MODEL

load_kernels()
compile_signature, late = Dispatcher.compile, []

def noted(self, signature):
    if signature not in self.overloads:
        late.append(self.py_func.__name__)
    return compile_signature(self, signature)

Dispatcher.compile = noted
tokenizer = PreTrainedTokenizerFast.from_pretrained(EMBEDDED_MODEL)
vocabulary = Vocabulary.from_huggingface(tokenizer)
call = {
    "type": "object",
    "properties": {
        "name": {"const": "table_book"},
        "arguments": {
            "type": "object",
            "properties": {
                "day": {"type": "string", "format": "date"},
                "at": {"type": "string", "format": "time"},
                "area": {"enum": ["inside", "terrace"]},
                "guests": {"type": "integer"},
            },
            "required": ["day"],
            "additionalProperties": False,
        },
    },
    "required": ["name", "arguments"],
    "additionalProperties": False,
}
other = json.loads(json.dumps(call).replace("table_book", "table_cancel"))
schema = {"type": "array", "items": {"anyOf": [call, other]}}
text = '[{"name":"table_book","arguments":{"day":"2026-03-02","area":"terrace","guests":4}}]'
for order in ("declared", "any"):
    matcher = compile_grammar(JsonSchema.of(schema, property_order=order), vocabulary).matcher()
    row = np.zeros((1, vocabulary.num_words), np.int32)
    for token in tokenizer.encode(text, add_special_tokens=False):
        fill_batch([matcher], row, [0])
        matcher.forced_tokens()
        assert matcher.accept_token(token)
print(sorted(set(late)))
"""


def test_a_first_grammar_compiles_no_kernel() -> None:
    done = subprocess.run([sys.executable, "-c", WALK], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n", done.stdout
