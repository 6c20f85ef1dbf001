"""A byte-level BPE tokenizer made for copying: a word is spelt the same wherever it stands.

Most byte-level tokenizers glue the space to the word behind it, so that `Anna` at the start of a JSON string is another
token than ` Anna` in the passage, and a small model has to learn both. Here white space, words, digits and punctuation
never share a token; only the punctuation of JSON (`":"`, `","`, `"},{"`) merges with itself.

    python -m slipform.runtime.embedded.train_tokenizer --out runtime/embedded/model
"""

import argparse
import itertools
import json
import re
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from slipform.runtime.embedded import sentencepiece_copy
from slipform.runtime.embedded.generate import CHAT_TEMPLATE, END, PAD, SPECIAL_TOKENS, examples, pieces

VOCAB_SIZE = 4096
NUM_EXAMPLES = 24_000
CONTEXT = 2048

WORDS = r"[\p{L}\p{M}]+"
DIGIT = r"\p{N}"
JSON_MARKS = r'[\[\]{},:]*"[\[\]{},:"]*'
MARKS = r'[^\s\p{L}\p{M}\p{N}"]+'
SPACE = r"\s+"
PATTERN = "|".join((JSON_MARKS, WORDS, DIGIT, MARKS, SPACE))


def train(num_examples: int = NUM_EXAMPLES, vocab_size: int = VOCAB_SIZE) -> Tokenizer:
    """Learn the merges from training examples. A fixed seed makes the result reproducible."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=8,
        special_tokens=[AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    stream = itertools.islice(examples("train", "tokenizer"), num_examples)
    texts = ("".join(text for text, _ in pieces(example)) for example in stream)
    special = "|".join(token.replace("|", r"\|") for token in SPECIAL_TOKENS)

    split = re.compile(special)
    tokenizer.train_from_iterator((part for text in texts for part in split.split(text) if part), trainer)
    return tokenizer


def save(tokenizer: Tokenizer, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(out / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": CONTEXT,
        "eos_token": END,
        "pad_token": PAD,
        "clean_up_tokenization_spaces": False,
        "add_bos_token": False,
        "add_prefix_space": False,
        "additional_special_tokens": [t for t in SPECIAL_TOKENS if t not in (END, PAD)],
        "chat_template": CHAT_TEMPLATE,
    }
    (out / "tokenizer_config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n")
    sentencepiece_copy.save(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    save(train(), options.out)


if __name__ == "__main__":
    main()
