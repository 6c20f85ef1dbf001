"""Structured-generation engines behind one interface, for `bench_grammars.py`. Each is imported when asked for."""

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np


class Walk(Protocol):
    """One text being checked token by token."""

    def mask(self) -> None:
        """Compute the mask of the next token."""

    def allows(self, token: int) -> bool:
        """Whether the mask last computed allows `token`."""

    def advance(self, token: int) -> bool:
        """Accept `token`; False if it is refused."""

    def may_end(self) -> bool:
        """Whether the text may end here."""

    def forced(self, tail: bytes) -> list[int]:
        """Tokens that must come next, as the engine hands them out."""

    def forced_text(self) -> bytes:
        """Text that must come next, as far as the engine says."""


@dataclass(frozen=True)
class Engine:
    """`compile_schema` and `compile_regex` give a function that starts a walk; they raise what the engine raises."""

    name: str
    compile_schema: Callable[[Any], Callable[[], Walk]]
    compile_regex: Callable[[str], Callable[[], Walk]]
    compile_compact: Callable[[Any], Callable[[], Walk]] | None = None
    fill: Callable[[Sequence[Any]], None] | None = None


def load_tokenizer(path: Path) -> Any:
    """A fast tokenizer from a directory; `tokenizer.json` may be compressed with gzip."""
    from transformers import PreTrainedTokenizerFast

    packed = path / "tokenizer.json.gz"
    if not packed.exists():
        return PreTrainedTokenizerFast.from_pretrained(path)
    import gzip

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tokenizer.json"
        file.write_bytes(gzip.decompress(packed.read_bytes()))
        special = json.loads((path / "special_tokens_map.json").read_text())
        return PreTrainedTokenizerFast(tokenizer_file=str(file), **special)


def make_engine(name: str, tokenizer: Any) -> Engine:
    """`name`: slipform, slipform-declared, llguidance, llguidance-lenient, xgrammar or outlines-core."""
    if name.startswith("slipform"):
        return _slipform(name, tokenizer)
    if name.startswith("llguidance"):
        return _llguidance(name, tokenizer)
    return _xgrammar(tokenizer) if name == "xgrammar" else _outlines(tokenizer)


# Slipform ------------------------------------------------------------------------------------------------------------


class _SlipformWalk:
    def __init__(self, grammar: Any) -> None:
        self.matcher = grammar.matcher()
        self.row = np.empty(grammar.vocabulary.num_words, np.int32)

    def mask(self) -> None:
        self.matcher.fill_bitmask(self.row)

    def allows(self, token: int) -> bool:
        return bool(self.row[token >> 5] >> (token & 31) & 1)

    def advance(self, token: int) -> bool:
        return bool(self.matcher.accept_token(token))

    def may_end(self) -> bool:
        return bool(self.matcher.is_accepting)

    def forced(self, tail: bytes) -> list[int]:
        return list(self.matcher.forced_tokens(tail))

    def forced_text(self) -> bytes:
        return bytes(self.matcher.forced_bytes())


def _slipform(name: str, tokenizer: Any) -> Engine:
    from slipform.grammars.compiler import GrammarCache, compile_grammar
    from slipform.grammars.matcher import fill_batch
    from slipform.grammars.spec import JsonSchema, Regex
    from slipform.grammars.vocabulary import Vocabulary

    vocabulary = Vocabulary.from_huggingface(tokenizer)
    order = "declared" if name.endswith("declared") else "any"

    def started(spec: Any) -> Callable[[], Walk]:
        grammar = compile_grammar(spec, vocabulary, cache=GrammarCache(0))
        return lambda: _SlipformWalk(grammar)

    def fill(walks: Sequence[Any]) -> None:
        fill_batch([walk.matcher for walk in walks], out[: len(walks)], range(len(walks)))

    out = np.empty((256, vocabulary.num_words), np.int32)
    return Engine(
        name,
        lambda schema: started(JsonSchema.of(schema, property_order=order)),
        lambda pattern: started(Regex(pattern)),
        lambda schema: started(JsonSchema.of(schema, property_order=order, whitespace="compact", integers="plain")),
        fill,
    )


# llguidance ----------------------------------------------------------------------------------------------------------


class _LlguidanceWalk:
    def __init__(self, tokenizer: Any, grammar: str) -> None:
        import llguidance
        import llguidance.numpy as masks

        self.matcher = llguidance.LLMatcher(tokenizer, grammar)
        if self.matcher.is_error():
            raise ValueError(self.matcher.get_error())
        self.bits = masks.allocate_token_bitmask(1, tokenizer.vocab_size)
        self._fill = masks.fill_next_token_bitmask

    def mask(self) -> None:
        self._fill(self.matcher, self.bits, 0)

    def allows(self, token: int) -> bool:
        return bool(self.bits[0, token >> 5] >> (token & 31) & 1)

    def advance(self, token: int) -> bool:
        return bool(self.matcher.consume_token(token)) and not self.matcher.is_error()

    def may_end(self) -> bool:
        return bool(self.matcher.is_accepting())

    def forced(self, tail: bytes) -> list[int]:
        return list(self.matcher.compute_ff_tokens())

    def forced_text(self) -> bytes:
        return bytes(self.matcher.compute_ff_bytes())


def _llguidance(name: str, tokenizer: Any) -> Engine:
    import llguidance
    import llguidance.hf
    import llguidance.numpy as masks

    wrapped = llguidance.hf.from_tokenizer(tokenizer)
    overrides: dict[str, Any] = {"whitespace_flexible": True}
    tight: dict[str, Any] = {"whitespace_flexible": False, "item_separator": ",", "key_separator": ":"}
    if name.endswith("lenient"):
        overrides["lenient"] = True

    def schema_grammar(schema: Any, options: dict[str, Any] = overrides) -> Callable[[], Walk]:
        grammar = llguidance.LLMatcher.grammar_from_json_schema(schema, overrides=options)
        _LlguidanceWalk(wrapped, grammar)
        return lambda: _LlguidanceWalk(wrapped, grammar)

    def regex_grammar(pattern: str) -> Callable[[], Walk]:
        grammar = llguidance.LLMatcher.grammar_from_regex(pattern)
        _LlguidanceWalk(wrapped, grammar)
        return lambda: _LlguidanceWalk(wrapped, grammar)

    executor = llguidance.LLExecutor()
    bits = masks.allocate_token_bitmask(256, wrapped.vocab_size)

    def fill(walks: Sequence[Any]) -> None:
        pairs = [(walk.matcher, index) for index, walk in enumerate(walks)]
        masks.fill_next_token_bitmask_par(executor, pairs, bits)

    return Engine(
        name, schema_grammar, regex_grammar, lambda schema: schema_grammar(schema, {**overrides, **tight}), fill
    )


# xgrammar ------------------------------------------------------------------------------------------------------------


class _XgrammarWalk:
    def __init__(self, compiled: Any, vocab_size: int) -> None:
        import xgrammar

        self.matcher = xgrammar.GrammarMatcher(compiled)
        self.bits = xgrammar.allocate_token_bitmask(1, vocab_size)

    def mask(self) -> None:
        self.matcher.fill_next_token_bitmask(self.bits)

    def allows(self, token: int) -> bool:
        return bool(int(self.bits[0, token >> 5]) >> (token & 31) & 1)

    def advance(self, token: int) -> bool:
        return bool(self.matcher.accept_token(token))

    def may_end(self) -> bool:
        return bool(self.matcher.is_completed())

    def forced(self, tail: bytes) -> list[int]:
        return []

    def forced_text(self) -> bytes:
        return str(self.matcher.find_jump_forward_string()).encode()


def _xgrammar(tokenizer: Any) -> Engine:
    import xgrammar

    info = xgrammar.TokenizerInfo.from_huggingface(tokenizer)
    compiler = xgrammar.GrammarCompiler(info, max_threads=4)

    def from_schema(schema: Any, options: dict[str, Any] = {"any_whitespace": True}) -> Callable[[], Walk]:  # noqa: B006
        compiled = compiler.compile_json_schema(json.dumps(schema), strict_mode=False, **options)
        return lambda: _XgrammarWalk(compiled, info.vocab_size)

    def compact(schema: Any) -> Callable[[], Walk]:
        return from_schema(schema, {"any_whitespace": False, "separators": (",", ":")})

    def from_regex(pattern: str) -> Callable[[], Walk]:
        compiled = compiler.compile_regex(pattern)
        return lambda: _XgrammarWalk(compiled, info.vocab_size)

    return Engine("xgrammar", from_schema, from_regex, compact)


# outlines-core -------------------------------------------------------------------------------------------------------


class _OutlinesWalk:
    def __init__(self, index: Any, words: int) -> None:
        from outlines_core import Guide

        self.guide = Guide(index)
        self.bits = np.zeros(words, np.int32)

    def mask(self) -> None:
        self.bits[:] = 0
        self.guide.write_mask_into(self.bits.ctypes.data, self.bits.size, self.bits.itemsize)

    def allows(self, token: int) -> bool:
        return bool(self.bits[token >> 5] >> (token & 31) & 1)

    def advance(self, token: int) -> bool:
        self.guide.advance(token)
        return True

    def may_end(self) -> bool:
        return bool(self.guide.is_finished())

    def forced(self, tail: bytes) -> list[int]:
        return []

    def forced_text(self) -> bytes:
        return b""


def _outlines(tokenizer: Any) -> Engine:
    from outlines_core import Index
    from outlines_core import Vocabulary as TheirVocabulary
    from outlines_core.json_schema import build_regex_from_schema

    from slipform.grammars.vocabulary import Vocabulary

    ours = Vocabulary.from_huggingface(tokenizer)
    tokens: dict[bytes, list[int]] = {}
    for token, text in enumerate(ours.token_bytes):
        if text:
            tokens.setdefault(text, []).append(token)
    theirs = TheirVocabulary(ours.eos_ids[0], tokens)

    def from_regex(pattern: str) -> Callable[[], Walk]:
        index = Index(pattern, theirs)
        return lambda: _OutlinesWalk(index, ours.num_words)

    return Engine(
        "outlines-core", lambda schema: from_regex(build_regex_from_schema(json.dumps(schema), r"[ ]?")), from_regex
    )
