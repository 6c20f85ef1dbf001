"""Unknown words in training examples, made of random pieces of the vocabulary.

A small model copies badly what it has rarely met. Words that an answer copies are replaced throughout the example, in the
prompt and in the answer alike, by words made of one to three random tokens, so that every token of the vocabulary is copied
hundreds of times in training. And it must not stumble over a word that it does not know: now and then a word of a passage
that nothing depends on is replaced, too.

What is to be learnt is how things are tied together, not the few hundred tools and kinds of fact of the material: a word that
ties a request to its tool, or a property name to the words beside its value, often becomes a made-up word on both sides.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from tokenizers import Tokenizer

from slipform.runtime.embedded.examples import Example
from slipform.runtime.embedded.generate import pieces
from slipform.runtime.embedded.source import Source
from slipform.runtime.embedded.tool_parts import STEM
from slipform.runtime.embedded.values import CURRENCIES

WORD = re.compile(r"[^\W\d_]{3,}")
# Currency codes stand for signs as well: no surface to copy.
KEPT = frozenset(CURRENCIES) | frozenset(
    "the and for with room Room from null true false Dr Mr Mrs Prof Ltd GmbH Inc LLC Group Sons".split()
)
EXAMPLES_SHARE = 0.45
WORDS_SHARE = 0.35
NOISY_SHARE = 0.3
NOISE = (0.04, 0.08, 0.15)
RELATIONS = frozenset("from until till after before since with without not old new was now but than instead rather used per each total first last next both other".split())  # fmt: skip
ACCENT_SHARE = 0.25
LINKS_SHARE = 0.45
HUMP = re.compile(r"[A-Z]?[a-z]{3,}|[A-Z]{4,}")
ACCENTED = "áàâäãåæçčćéèêëěęíìîïñńóòôöõøœšśşťúùûüýžźżłďřăąğı"


def vocabulary_words(tokenizer: Tokenizer) -> list[str]:
    """Tokens that spell two or more letters, sorted."""
    words = {tokenizer.decode([i]) for i in range(tokenizer.get_vocab_size())}
    return sorted(word for word in words if len(word) >= 2 and word.isalpha())


def copied_strings(value: Any, rule: dict[str, Any] | None) -> Iterator[str]:
    """Strings of a target that stand in it as the passage has them: no labels, dates or times."""
    if rule is not None and "anyOf" in rule and isinstance(value, str):
        rule = rule["anyOf"][0]
    if isinstance(value, dict):
        properties = (rule or {}).get("properties", {})
        for key, item in value.items():
            yield from copied_strings(item, properties.get(key, {}))
    elif isinstance(value, list):
        items = (rule or {}).get("items", {})
        for item in value:
            yield from copied_strings(item, items)
    elif isinstance(value, str) and not {"enum", "const", "format", "pattern"} & (rule or {}).keys():
        yield value


def swappable_words(example: Example) -> list[str]:
    """Words of copied strings that no key, label or tool name holds."""
    if example.task == "extract":
        strings = list(copied_strings(example.target, example.schema))
        reserved = json.dumps(example.schema)
    elif example.task == "copy":
        strings = [turn.content for turn in example.turns if turn.learn and ":" not in turn.content]
        reserved = "unknown"
    elif example.task == "tool":
        calls = example.target if isinstance(example.target, list) else [example.target]
        strings = [text for call in calls for text in copied_strings(call.get("arguments", call), {})]
        reserved = json.dumps(example.schema) + json.dumps(example.tools)
    else:
        return []
    taken = {word.lower() for word in WORD.findall(reserved)} | {"name", "arguments"}
    found = dict.fromkeys(word for text in strings for word in WORD.findall(text))
    return [word for word in found if word not in KEPT and word.lower() not in taken]


def random_word(s: Source, words: list[str], capital: bool) -> str:
    text = "".join(s.pick(words) for _ in range(s.pick((1, 1, 1, 2, 2, 3))))
    if capital and s.chance(ACCENT_SHARE):
        place = s.integer(1, len(text) - 1)
        text = text[:place] + s.pick(ACCENTED) + text[place + s.pick((0, 1)) :]
    return text[:1].upper() + text[1:] if capital and s.chance(0.8) else text


def swapped(example: Example, s: Source, words: list[str]) -> list[tuple[str, bool]]:
    """The pieces of `example`, with some of its copied words replaced."""
    parts = pieces(example)
    swaps: dict[str, str] = {}
    if s.chance(EXAMPLES_SHARE):
        share = s.pick((WORDS_SHARE, WORDS_SHARE, WORDS_SHARE, 1.0))
        swaps = {word: random_word(s, words, word[0].isupper()) for word in swappable_words(example) if s.chance(share)}
    if example.task == "extract" and example.noisy and s.chance(NOISY_SHARE):
        swaps = noise(example, s, words) | swaps
    if swaps:
        parts = [(WORD.sub(lambda m: swaps.get(m.group(), m.group()), text), learn) for text, learn in parts]
    if example.linking and s.chance(LINKS_SHARE):
        share = s.pick((0.5, 0.8, 1.0))
        links = {stem: random_word(s, words, False).lower() for stem in example.linking if s.chance(share)}
        parts = [(relinked(text, links), learn) for text, learn in parts]
    return parts


def relinked(text: str, links: dict[str, str]) -> str:
    """`text` with other beginnings of words, inside names such as `bookTable` and `book_table` too; endings stay."""

    def put(match: re.Match[str]) -> str:
        word = match.group()
        new = links.get(word[:STEM].lower())
        if new is None:
            return word
        if word.isupper():
            return new.upper()
        new += word[STEM:]
        return new[:1].upper() + new[1:] if word[0].isupper() else new

    return HUMP.sub(put, text)


def noise(example: Example, s: Source, words: list[str]) -> dict[str, str]:
    """Replacements for a few words of the prompt that neither the schema nor an answer holds."""
    if '"enum"' in json.dumps(example.schema) or '"boolean"' in json.dumps(example.schema):
        return {}
    kept = " ".join([json.dumps(example.schema), *(turn.content for turn in example.turns if turn.learn)])
    taken = {word.lower() for word in WORD.findall(kept)}
    prompt = {word for turn in example.turns if not turn.learn for word in WORD.findall(turn.content)}
    free = sorted(word for word in prompt if word.islower() and word not in taken and word not in RELATIONS)
    share = s.pick(NOISE)
    return {word: random_word(s, words, False) for word in free if s.chance(share)}
