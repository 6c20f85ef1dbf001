"""Batches of matchers, and forced runs kept by configuration, against one matcher at a time."""

import random

import pytest

from slipform.errors import GrammarTooLarge
from slipform.grammars.compiler import compile_grammar
from slipform.grammars.matcher import Matcher, successors
from slipform.grammars.pushdown import Automaton
from slipform.grammars.spec import Choice, JsonSchema, Regex
from slipform.grammars.vocabulary import Vocabulary
from tests.grammars.real_vocabularies import tekken_vocabulary

SCHEMA = {
    "type": "object",
    "properties": {"colour": {"enum": ["red", "dark blue"]}, "note": {"type": "string"}, "count": {"type": "integer"}},
    "required": ["colour", "note", "count"],
    "additionalProperties": False,
}
SPECS = (JsonSchema.of(SCHEMA, whitespace="compact"), Regex(r"[a-z ]{3,40}-20[0-9]{2}-[0-9]{2}"), Choice(("ab", "abc")))


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return tekken_vocabulary()


def test_a_batch_goes_where_each_goes_alone(vocabulary: Vocabulary) -> None:
    rng = random.Random(5)
    matchers = [compile_grammar(rng.choice(SPECS), vocabulary).matcher() for _ in range(40)]
    matchers[0].accept_bytes(b'{"colour":"red","note":"","count":1}')
    assert matchers[3].accept_token(vocabulary.eos_ids[0]) is matchers[3].is_accepting
    for _ in range(12):
        token_ids = [_some_token(matcher, vocabulary, rng) for matcher in matchers]
        found = successors(matchers, token_ids)
        for matcher, token_id, successor in zip(matchers, token_ids, found, strict=True):
            alone = matcher.fork()
            if not alone.accept_token(token_id):
                assert successor == 0
                continue
            matcher.enter(successor)
            assert (matcher.state_id, matcher.is_terminated) == (alone.state_id, alone.is_terminated)


def _some_token(matcher: Matcher, vocabulary: Vocabulary, rng: random.Random) -> int:
    """A token that is mostly allowed: the end, the beginning of the shortest completion, or any other."""
    completion = matcher.shortest_completion()
    encoded = vocabulary.encode(completion.decode()) if completion and vocabulary.encode is not None else []
    return rng.choice([vocabulary.eos_ids[0], rng.randrange(len(vocabulary)), *encoded[:1] * 6])


def test_a_defect_of_one_grammar_comes_out(vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = {"type": "object", "properties": {f"p{index}": {"type": "string"} for index in range(50)}}
    matchers = [compile_grammar(Choice(("ab",)), vocabulary).matcher()]
    matchers.append(compile_grammar(JsonSchema.of(fresh), vocabulary).matcher())

    def refuse(self: Automaton, status: int) -> None:
        raise GrammarTooLarge("states", 1)

    monkeypatch.setattr(Automaton, "serve", refuse)
    with pytest.raises(GrammarTooLarge):
        successors(matchers, vocabulary.encode("ab")[:1] + vocabulary.encode('{"p7":')[:1])


def test_a_kept_run_is_what_is_forced_behind_this_text(vocabulary: Vocabulary) -> None:
    """Asked again behind other texts, with and without a place to cut near their ends."""
    assert vocabulary.encode is not None
    prompts = ["Fill in:", "日本", "x\n", '"', "a b", "", "the answer is 7", "end.  "]
    texts = ['{"colour":"red', '{"colour":"dark blue', '{"colour":"red","note":"it\'s ok', '{"colour":"red","note":"7"']
    for prompt in prompts * 2:
        for text in texts:
            matcher = compile_grammar(SPECS[0], vocabulary).matcher()
            assert matcher.accept_bytes(text.encode()) == len(text)
            facts = matcher.facts
            assert facts is not None
            if facts.forced_byte < 0:
                continue
            tail = (prompt + text).encode()
            run = matcher.forced_run(facts, tail[-3:], lambda tail=tail: tail)
            assert list(run.ids) == matcher.forced_tokens(tail)
            for token_id in run.ids:
                assert matcher.accept_token(token_id)
            other = compile_grammar(SPECS[0], vocabulary).matcher()
            other.accept_bytes(text.encode())
            other.enter(run.after)
            assert other.state_id == matcher.state_id
