"""Formats: what our automata admit passes the checkers of jsonschema; who asks for which."""

import random
from typing import Any

import jsonschema
import numpy as np
import pytest

from slipform.errors import UnsupportedGrammar
from slipform.grammars.dfa import Dfa
from slipform.grammars.json_schema.formats import FORMATS, format_dfa
from tests.grammars.json_schema_help import accepts, compiled

CHECKER = jsonschema.Draft202012Validator.FORMAT_CHECKER
BASE = "https://json-schema.org/draft/2020-12/"


def _sample(dfa: Dfa, rng: random.Random, length: int) -> str:
    """A random walk of at most `length` bytes, then the shortest way to the end."""
    state, text = 0, b""
    for _ in range(length):
        if dfa.accepting[state] and rng.random() < 0.08:
            break
        row = dfa.transitions[state]
        following = np.flatnonzero(row >= 0).tolist()
        if not following:
            break
        target = rng.choice(sorted({int(row[byte]) for byte in following}))
        text += bytes([rng.choice([byte for byte in following if row[byte] == target])])
        state = target
    return (text + (dfa.shortest(state) or b"")).decode()


@pytest.mark.parametrize("name", FORMATS)
def test_every_text_of_a_format_passes_its_checker(name: str) -> None:
    dfa, rng = format_dfa(name), random.Random(5)
    for _ in range(150):
        text = _sample(dfa, rng, rng.choice([3, 8, 20, 50]))
        assert CHECKER.conforms(text, name), text


def test_rare_formats_are_asserted_on_request() -> None:
    schema = {"type": "string", "format": "uri-template"}
    assert accepts(compiled(schema), '"{"')
    assert not accepts(compiled(schema, formats="all"), '"{"')
    assert accepts(compiled(schema, formats="all"), '"/users/{id}{?page,size}"')


def test_formats_are_annotations_on_request() -> None:
    schema = {"type": "string", "format": "date"}
    assert not accepts(compiled(schema), '"soon"')
    assert accepts(compiled(schema, formats="annotation"), '"soon"')


@pytest.mark.parametrize(("vocabulary", "asserted"), [("format-assertion", True), ("format-annotation", False)])
def test_a_metaschema_may_assert_formats(vocabulary: str, asserted: bool) -> None:
    metaschema = {"$id": "https://example.com/meta", "$vocabulary": {f"{BASE}vocab/{vocabulary}": True}}
    metaschema["$vocabulary"][f"{BASE}vocab/validation"] = True
    schema: Any = {"$schema": "https://example.com/meta", "type": "string", "format": "date"}
    grammar = compiled(schema, formats="annotation", resources={"https://example.com/meta": metaschema})
    assert accepts(grammar, '"soon"') != asserted
    assert not accepts(grammar, "1")


def test_an_unknown_vocabulary_that_is_required_is_refused() -> None:
    metaschema = {"$vocabulary": {"https://example.com/vocab/units": True}}
    with pytest.raises(UnsupportedGrammar, match=r"at /\$schema: the vocabulary 'https://example.com/vocab/units'"):
        compiled({"$schema": "https://example.com/meta"}, resources={"https://example.com/meta": metaschema})
