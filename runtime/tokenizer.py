"""A checkpoint's tokenizer as engine and language see it: text to ids, ids to bytes, template and end tokens."""

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tokenizers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from slipform.errors import ConfigError
from slipform.grammars.vocabulary import Vocabulary

# Special tokens with which models mark up their answers: part of the text, so that grammars can ask for them and
# parsers find them. All other special tokens are control tokens.
ANSWER_MARKERS = frozenset(
    {"<think>", "</think>", "[THINK]", "[/THINK]", "<tool_call>", "</tool_call>", "<|python_tag|>"}
    | {"[TOOL_CALLS]", "[ARGS]"}
)


class Tokenizer:
    """Encodes program text and spells tokens. Immutable as seen from outside; safe for several threads.

    Attributes:
        vocabulary: the token bytes that grammars work on; its length is the number of token ids.
        eos_ids: tokens that end a text. prefix_ids: what a new text begins with (a BOS token, or nothing).
        start_ids: what a fill without any text before it follows: prefix_ids, else the BOS token that the tokenizer
            names and does not write by itself, else the end token, which separates texts in training (the convention
            of lm-evaluation-harness); nothing if there is none of them.
        chat_template: Jinja source, or None. special_tokens: texts of bos_token, eos_token, … for the template.
    """

    def __init__(self, fast: PreTrainedTokenizerFast, *, eos_ids: Sequence[int] = ()) -> None:
        """`eos_ids`: of the model's configuration; the tokenizer's own end token where it names none."""
        self._source = fast.backend_tokenizer.to_str()
        self._variants: dict[tuple[bool, bool], tokenizers.Tokenizer] = {}
        self._lock = threading.Lock()
        if not eos_ids and fast.eos_token_id is not None:
            eos_ids = (fast.eos_token_id,)
        self.eos_ids = tuple(eos_ids)
        self.vocabulary = Vocabulary.from_huggingface(fast, eos_ids=self.eos_ids, spelled=ANSWER_MARKERS)
        self.prefix_ids = self._find_prefix()
        named = fast.bos_token_id if fast.bos_token_id is not None else next(iter(self.eos_ids), None)
        self.start_ids = self.prefix_ids or (() if named is None else (int(named),))
        template = fast.chat_template
        self.chat_template: str | None = template.get("default") if isinstance(template, dict) else template
        self.special_tokens: Mapping[str, str] = {
            name: str(value) for name, value in fast.special_tokens_map.items() if isinstance(value, str)
        }
        self._added = {
            index: (token.content.encode(), token.special and token.content not in ANSWER_MARKERS)
            for index, token in fast.added_tokens_decoder.items()
        }

    @classmethod
    def from_directory(cls, path: Path, *, eos_ids: Sequence[int] = ()) -> "Tokenizer":
        """Load from a checkpoint. Raises: ConfigError if it holds no tokenizer that has a fast form."""
        try:
            if (path / "tokenizer.json").is_file():
                fast = PreTrainedTokenizerFast.from_pretrained(path, local_files_only=True)
            else:
                fast = AutoTokenizer.from_pretrained(path, local_files_only=True)
        except Exception as error:  # a file that the tokenizers library cannot read raises Exception itself
            raise ConfigError(f"{path} holds no tokenizer that can be read: {error}", field="model") from error
        if not isinstance(fast, PreTrainedTokenizerFast):
            raise ConfigError(f"{path}: {type(fast).__name__} has no fast form", field="model")
        return cls(fast, eos_ids=eos_ids)

    def encode(self, text: str, *, parse_special: bool = False, at_start: bool = False) -> list[int]:
        """Token ids of `text`.

        Args:
            parse_special: read the texts of special tokens as these tokens; otherwise they are ordinary characters.
            at_start: the text begins a context: `prefix_ids` come first unless they are there already, and a tokenizer
                that marks the beginning of a text (SentencePiece's dummy space) does so. Elsewhere neither happens.
        """
        if not text:
            return list(self.prefix_ids) if at_start else []
        ids: list[int] = self._variant(parse_special, at_start).encode(text, add_special_tokens=False).ids
        if at_start and tuple(ids[: len(self.prefix_ids)]) != self.prefix_ids:
            ids = [*self.prefix_ids, *ids]
        return ids

    def encode_array(self, text: str) -> npt.NDArray[np.int64]:
        """`encode` of text within a context, as (T,) int64."""
        return np.array(self.encode(text), dtype=np.int64)

    def decode(self, ids: Iterable[int], *, skip_special_tokens: bool = True) -> str:
        """Text of `ids`; ill-formed UTF-8 becomes U+FFFD."""
        pieces = [self.token_bytes(index, skip_special_tokens=skip_special_tokens) for index in ids]
        return b"".join(pieces).decode("utf-8", "replace")

    def token_bytes(self, index: int, *, skip_special_tokens: bool = True) -> bytes:
        """What one token spells; special tokens spell nothing, or their name if they are not to be skipped."""
        added = self._added.get(index)
        if added is not None:
            spelling, special = added
            return b"" if special and skip_special_tokens else spelling
        return self.vocabulary.token_bytes[index]

    def _variant(self, parse_special: bool, at_start: bool) -> tokenizers.Tokenizer:
        key = (parse_special, at_start)
        with self._lock:
            variant = self._variants.get(key)
            if variant is None:
                source = self._source if at_start else json.dumps(_without_start_mark(json.loads(self._source)))
                variant = tokenizers.Tokenizer.from_str(source)
                variant.encode_special_tokens = not parse_special
                self._variants[key] = variant
            return variant

    def _find_prefix(self) -> tuple[int, ...]:
        encoder = self._variant(False, True)
        bare = encoder.encode("a", add_special_tokens=False).ids
        full = encoder.encode("a", add_special_tokens=True).ids
        for begin in range(len(full) - len(bare) + 1):
            if full[begin : begin + len(bare)] == bare:
                return tuple(full[:begin])
        return ()


def _without_start_mark(source: Any) -> Any:
    """The same tokenizer, without what it puts before the first character of a text."""
    if isinstance(source, list):
        kept = [_without_start_mark(part) for part in source]
        return [part for part in kept if part is not None]
    if not isinstance(source, dict):
        return source
    if source.get("type") == "Prepend":
        return None
    edited = {
        name: _without_start_mark(part)
        if name in ("normalizer", "pre_tokenizer", "normalizers", "pretokenizers")
        else part
        for name, part in source.items()
    }
    if source.get("type") == "Metaspace":
        edited["prepend_scheme"] = "never"
    if source.get("type") == "ByteLevel":
        edited["add_prefix_space"] = False
    return edited
