"""Backends that fill one hole a call: several holes out of one long answer, cut here."""

from typing import Any

import pytest

import slipform as sf
from slipform.grammars.spec import Regex
from slipform.lang.speculation import Cut, cut_hole
from slipform.runtime.params import SamplingParams
from slipform.runtime.request import Fill

SHEET = "Name: Ada Lovelace\nBorn: 1815\nTrade: mathematician\n"


class OneHole(sf.ScriptedBackend):
    """Continues the sheet from wherever the text before a hole stands, as a completion API does: one hole a call."""

    fuses = False

    def __init__(self, sheet: str = SHEET) -> None:
        super().__init__(self._go_on, chat_template=None)
        self.sheet = sheet

    def _go_on(self, name: str, before: str) -> str:
        last = before.rsplit("\n", 1)[-1]
        return self.sheet[self.sheet.index(last) + len(last) :]

    @property
    def prompt_tokens(self) -> int:
        return sum(
            len(self.encode(getattr(part, "text", ""))) for request in self.requests for part in request.segments
        )


def sheet(s: sf.ProgramState, **options: Any) -> None:
    s += "Fill in.\nName:" + sf.gen("name", stop="\n", **options) + "\nBorn:" + sf.gen("born", stop="\n", **options)
    s += "\nTrade:" + sf.gen("trade", stop="\n", **options) + "\n"


VALUES = {"name": " Ada Lovelace", "born": " 1815", "trade": " mathematician"}


def test_one_call_and_fewer_prompt_tokens_for_the_same_values() -> None:
    speculating, plain = OneHole(), OneHole()
    fast = sf.function(num_api_spec_tokens=64)(sheet)
    states = [fast.run(backend=speculating), sf.function(sheet).run(backend=plain)]
    for state in states:
        assert {name: state[name] for name in VALUES} == VALUES
        assert state.text() == "Fill in.\n" + SHEET
    assert (len(speculating.requests), len(plain.requests)) == (1, 3)
    assert speculating.prompt_tokens < plain.prompt_tokens
    assert states[0].get_meta_info("born")["prompt_tokens"] == 0
    assert states[0].get_meta_info("born")["finish_reason"] == {"type": "stop", "matched": "\n"}


def test_streams_read_on_in_the_same_answer() -> None:
    backend = OneHole()
    state = sf.function(num_api_spec_tokens=64)(sheet).run(backend=backend, stream=True)
    assert "".join(state.text_iter()) == "Fill in.\n" + SHEET
    assert {name: state[name] for name in VALUES} == VALUES
    assert len(backend.requests) == 1


def test_text_that_does_not_follow_is_forgotten_and_asked_for_again() -> None:
    backend = OneHole("Name: Ada\nAge: 36\nBorn: 1815\nTrade: x\n")
    state = sf.function(num_api_spec_tokens=64)(sheet).run(backend=backend)
    assert [state[name] for name in VALUES] == [" Ada", " 1815", " x"]
    assert len(backend.requests) == 2


def test_a_stop_beyond_the_speculation_is_looked_for_as_usual() -> None:
    @sf.function(num_api_spec_tokens=2)
    def program(s: sf.ProgramState) -> None:
        s += "Name:" + sf.gen("name", stop="\n", max_tokens=2) + "!"

    backend = OneHole("Name: one two three four\n")
    state = program.run(backend=backend)
    assert state["name"] == " one two"
    assert state.get_meta_info("name")["finish_reason"]["type"] == "length"


def test_a_select_is_scored_behind_what_was_written_ahead() -> None:
    @sf.function(num_api_spec_tokens=64)
    def program(s: sf.ProgramState) -> None:
        s += "Name:" + sf.gen("name", stop="\n") + "\nBorn: " + sf.gen("born", regex="[0-9]{4}")
        s += "\n" + sf.gen("choice", choices=["Trade", "None"])

    class Backend(OneHole):
        def _go_on(self, name: str, before: str) -> str:
            return {"born": "1815", "choice": "Trade"}.get(name) or super()._go_on(name, before)

    backend = Backend()
    state = program.run(backend=backend)
    assert [state[name] for name in ("name", "born", "choice")] == [" Ada Lovelace", "1815", "Trade"]
    assert len(backend.requests) == 1
    assert len(backend.scored) == 1


def test_looks_and_forks_read_on_in_the_right_place() -> None:
    @sf.function(num_api_spec_tokens=64)
    def program(s: sf.ProgramState) -> None:
        s += "Name:" + sf.gen("name", stop="\n")
        assert s["name"] == " Ada Lovelace"
        s += "\n"
        assert s.text().endswith("Lovelace\n")
        s += "Born:" + sf.gen("born", stop="\n")

    backend = OneHole()
    assert program.run(backend=backend)["born"] == " 1815"
    assert len(backend.requests) == 1


@pytest.mark.parametrize(
    ("text", "stop", "include", "found"),
    [
        ("ab\ncd", ("\n",), False, ("ab", "\n", "\ncd")),
        ("ab\ncd", ("\n",), True, ("ab\n", "\n", "cd")),
        ("abcd", ("d", "b"), False, ("a", "b", "bcd")),
        ("abcd", ("x",), False, None),
    ],
)
def test_free_text_ends_at_its_first_stop(text: str, stop: tuple[str, ...], include: bool, found: Any) -> None:
    fill = Fill("x", SamplingParams(stop=stop, include_stop=include))
    assert cut_hole(text, fill, is_whole=False) == (None if found is None else Cut(*found))


@pytest.mark.parametrize(
    ("text", "pattern", "is_whole", "found"),
    [
        ("1815\nx", "[0-9]{4}", False, Cut("1815", None, "\nx")),
        ("1815", "[0-9]{4}", False, Cut("1815", None, "")),  # nothing can follow
        ("181", "[0-9]+", False, None),  # more digits may have followed
        ("181", "[0-9]+", True, Cut("181", None, "")),
        ("3 of 5", "[0-9]+( of [0-9]+)?", False, None),
        ("3 of 5.", "[0-9]+( of [0-9]+)?", False, Cut("3 of 5", None, ".")),
        ("3 off", "[0-9]+( of [0-9]+)?", False, Cut("3", None, " off")),
        ("none", "[0-9]+", True, None),
        ("größe!", "[a-zöß]+", False, Cut("größe", None, "!")),
    ],
)
def test_a_constrained_hole_takes_the_longest_match_that_is_certain(
    text: str, pattern: str, is_whole: bool, found: Cut | None
) -> None:
    assert cut_hole(text, Fill("x", constraint=Regex(pattern)), is_whole=is_whole) == found


def test_a_pattern_may_end_a_hole_and_a_model_that_ends_by_itself_too() -> None:
    fill = Fill("x", SamplingParams(stop_regex=("[.!]",)))
    assert cut_hole("Yes! No.", fill, is_whole=False) == Cut("Yes", "[.!]", "! No.")
    assert cut_hole("Yes", fill, is_whole=False) is None
    assert cut_hole("Yes", fill, is_whole=True) == Cut("Yes", None, "")


def test_a_hole_never_holds_more_than_its_tokens() -> None:
    @sf.function(num_api_spec_tokens=64)
    def program(s: sf.ProgramState) -> None:
        s += "Name:" + sf.gen("name", stop="\n", max_tokens=4) + "\nBorn:" + sf.gen("born", stop="\n", max_tokens=2)

    backend = OneHole("Name: Ada\nBorn: one two three four\n")
    state = program.run(backend=backend)
    assert state["name"] == " Ada"
    assert state["born"] == " one two"
    assert state.get_meta_info("born")["finish_reason"]["type"] == "length"


def test_regexes_choices_and_numbers_are_read_out_of_the_same_text() -> None:
    @sf.function(num_api_spec_tokens=64)
    def program(s: sf.ProgramState) -> None:
        s += "Name:" + sf.gen("name", stop="\n") + "\nBorn: " + sf.gen("born", regex="[0-9]{4}") + "\nSex: "
        s += sf.select("sex", ["f", "m"], choices_method=sf.masked_decoding) + "\nAge: " + sf.gen("age", dtype=int)
        s += "\nNote: " + sf.gen("note", schema=list[int])

    backend = OneHole("Name: Ada\nBorn: 1815\nSex: f\nAge: 36\nNote: [1, 2]\nEnd")
    state = program.run(backend=backend)
    assert [state[name] for name in ("name", "born", "sex", "age", "note")] == [" Ada", "1815", "f", "36", [1, 2]]
    assert len(backend.requests) == 1


def test_one_call_for_the_holes_of_a_message() -> None:
    class Chat(sf.ScriptedBackend):
        fuses = False

    def go_on(name: str, before: str) -> str:
        written = before.rsplit("assistant\n", 1)[1]
        return "Name: Ada\nBorn: 1815\n".removeprefix(written)

    def program(s: sf.ProgramState) -> None:
        s += sf.user("Who wrote the first program?")
        s += sf.assistant("Name:" + sf.gen("name", stop="\n") + "\nBorn:" + sf.gen("born", stop="\n") + "\n")
        s += sf.user("Thanks.")

    speculating, plain = Chat(go_on), Chat(go_on)
    states = [
        sf.function(num_api_spec_tokens=32)(program).run(backend=speculating),
        sf.function(program).run(backend=plain),
    ]
    assert states[0].messages() == states[1].messages()
    assert [states[0]["name"], states[0]["born"]] == [" Ada", " 1815"]
    assert (len(speculating.requests), len(plain.requests)) == (1, 2)
