"""Thoughts are found, bounded and kept out of the constraint; streaming changes nothing."""

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipform.errors import ConfigError, InvalidRequest
from slipform.grammars.spec import JsonSchema
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import Fill, Text
from slipform.runtime.server.chat_parser import ChatParser
from slipform.runtime.server.pieces import ContentPiece, PieceParser, ReasoningPiece, ToolCallArguments, ToolCallStart
from slipform.runtime.server.reasoning import FORMATS, ReasoningFormat, Start, choose_reasoning
from slipform.runtime.server.tool_calls.registry import FORMATS as TOOL_FORMATS
from slipform.runtime.server.tool_calls.tools import Tool
from tests.server.grammar_texts import matches

THINK = FORMATS["think"]
NUMBER = JsonSchema.of({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]})


def split(parser: PieceParser, pieces: Sequence[str]) -> tuple[str, str]:
    thoughts = content = ""
    for piece in [*(piece for text in pieces for piece in parser.push(text)), *parser.finish()]:
        if isinstance(piece, ReasoningPiece):
            assert not content
            thoughts += piece.text
        else:
            assert isinstance(piece, ContentPiece)
            content += piece.text
    return thoughts, content


@pytest.mark.parametrize(
    ("start", "text", "thoughts", "content"),
    [
        ("outside", "<think>\nTwo and two.\n</think>\n\nFour.\n", "Two and two.", "Four.\n"),
        ("outside", "  <think>a < b </thin> c</think>d", "a < b </thin> c", "d"),
        ("outside", "Four.", "", "Four."),
        ("outside", " \n four <think>x</think>", "", " \n four <think>x</think>"),
        ("outside", "<thin", "", "<thin"),
        ("outside", "", "", ""),
        ("outside", "<think>cut off </thi", "cut off </thi", ""),
        ("outside", "<think>\n\n</think>\n\nFour.", "", "Four."),
        ("inside", "Two and two.\n</think>\n\nFour.", "Two and two.", "Four."),
        ("inside", "<think>again</think>x", "again", "x"),
        ("inside", "a\n\n b", "a\n\n b", ""),
        ("inside", "</think>", "", ""),
        ("inside", "a</think> b </think> c", "a", "b </think> c"),
        ("closed", " <think> is text here</think>", "", " <think> is text here</think>"),
    ],
)
def test_parts_and_every_cut(start: Start, text: str, thoughts: str, content: str) -> None:
    assert split(THINK.parser(start), [text]) == (thoughts, content)
    assert split(THINK.parser(start), list(text)) == (thoughts, content)
    for border in range(len(text)):
        assert split(THINK.parser(start), [text[:border], text[border:]]) == (thoughts, content)


@given(
    text=st.lists(st.sampled_from(["<think>", "</think>", "<", "/", "think", ">", " ", "\n", "x"]), max_size=12).map(
        "".join
    ),
    borders=st.lists(st.integers(0, 60), max_size=5),
    start=st.sampled_from(["inside", "outside", "closed"]),
)
def test_cuts_change_nothing(text: str, borders: list[int], start: Start) -> None:
    places = sorted({0, *(min(border, len(text)) for border in borders), len(text)})
    pieces = [text[begin:end] for begin, end in itertools.pairwise(places)]
    assert split(THINK.parser(start), pieces) == split(THINK.parser(start), [text])


def test_the_prompt_says_where_the_answer_begins() -> None:
    assert THINK.start("<|im_start|>assistant\n<think>\n") == "inside"
    assert THINK.start("<|im_start|>assistant\n<think>\n\n</think>\n\n") == "closed"
    assert THINK.start("<|im_start|>assistant\n") == "outside"


def test_only_the_answer_is_constrained() -> None:
    outside, inside = THINK.constraint(NUMBER, "outside"), THINK.constraint(NUMBER, "inside")
    assert outside is not None
    assert inside is not None
    assert matches(outside, '<think>{"n": no}</think>\n\n{"n": 1}')
    assert matches(outside, '{"n": 1}')
    assert not matches(outside, '<think>hm</think>\n\n{"n": "1"}')
    assert matches(inside, 'hm</think>{"n": 1}')
    assert not matches(inside, '{"n": 1}')
    assert THINK.constraint(NUMBER, "closed") == NUMBER
    assert THINK.constraint(None, "inside") is None


def test_a_budget_closes_the_thoughts() -> None:
    fill = Fill(None, SamplingParams(max_tokens=100, temperature=0.0, stop=("STOP",), seed=3), NUMBER)
    opening, thoughts, closing, answer = THINK.budgeted(fill, 30, "outside")
    assert opening == Text("<think>\n", parse_special=True)
    assert isinstance(thoughts, Fill)
    assert thoughts.sampling == SamplingParams(max_tokens=30, temperature=0.0, stop=("</think>",), seed=3)
    assert thoughts.constraint is None
    assert closing == Text("</think>\n\n", parse_special=True)
    assert answer == Fill(None, fill.sampling.replace(max_tokens=70), NUMBER, heal=False)
    assert THINK.budgeted(fill, 30, "inside") == (thoughts, closing, answer)
    assert THINK.budgeted(fill, 30, "closed") == (fill,)
    assert len(THINK.budgeted(fill, 0, "inside")) == 2
    for budget in (-1, 100, 101):
        with pytest.raises(InvalidRequest, match="thinking_token_budget"):
            THINK.budgeted(fill, budget, "outside")


def test_calls_behind_thoughts() -> None:
    hermes = TOOL_FORMATS["hermes"].parser([Tool.of("now")])
    text = '<think>I need <tool_call>.</think>\n\nWait.\n<tool_call>\n{"name": "now", "arguments": {}}\n</tool_call>'
    parser = ChatParser(THINK.parser("outside"), hermes)
    pieces = [*(piece for character in text for piece in parser.push(character)), *parser.finish()]
    assert "".join(piece.text for piece in pieces if isinstance(piece, ReasoningPiece)) == "I need <tool_call>."
    assert "".join(piece.text for piece in pieces if isinstance(piece, ContentPiece)) == "Wait."
    assert [piece for piece in pieces if isinstance(piece, ToolCallStart)] == [ToolCallStart(0, "now")]
    assert "".join(piece.text for piece in pieces if isinstance(piece, ToolCallArguments)) == "{}"
    assert split(ChatParser(None, None), ["a", "b"]) == ("", "ab")


@pytest.mark.parametrize(
    ("name", "template", "found"),
    [
        (None, "{% if thinking %}<think>{% endif %}</think>", THINK),
        (None, "[/THINK]", FORMATS["mistral"]),
        (None, "{{ messages }}", None),
        (None, None, None),
        ("think", None, THINK),
        ("none", "</think>", None),
    ],
)
def test_choice_of_the_format(name: str | None, template: str | None, found: ReasoningFormat | None) -> None:
    assert choose_reasoning(name, template) == found


def test_unknown_format() -> None:
    with pytest.raises(ConfigError, match="known: none, think"):
        choose_reasoning("harmony", None)


def closing_token(form: ReasoningFormat, start: Start, tokens: Sequence[str]) -> int:
    """How many tokens the thoughts take, found by asking the parser behind each token whether more would be content."""
    joined = ["".join(tokens[:count]).lstrip() for count in range(len(tokens) + 1)]
    opened = [count for count, text in enumerate(joined) if text.startswith(form.begin)]
    if start == "closed" or (start == "outside" and not opened):
        return 0
    for count in range(opened[0] if opened else 1, len(tokens) + 1):
        if split(form.parser(start), [*tokens[:count], "?"])[1]:
            return count
    return len(tokens)


@given(
    tokens=st.lists(
        st.sampled_from(["<think>", "</think>", "<thi", "nk>", "</", "think", ">", " ", "\n", "ü", "x</think>y"]),
        max_size=10,
    ),
    start=st.sampled_from(["inside", "outside", "closed"]),
)
def test_tokens_of_thoughts(tokens: list[str], start: Start) -> None:
    expected = closing_token(THINK, start, tokens)
    assert THINK.num_tokens([token.encode() for token in tokens], start) == expected


def test_what_a_healed_token_spells_of_the_prompt_is_no_answer() -> None:
    spellings = [b":\xc3\xbc<think>", b"a", b"</think>", b"b"]
    assert THINK.num_tokens(spellings, "outside", seam_len=2) == 3
    assert THINK.num_tokens(spellings, "outside") == 0
