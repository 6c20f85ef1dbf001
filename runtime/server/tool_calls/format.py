"""The interface of a tool-call format."""

from collections.abc import Sequence
from typing import Protocol

from slipform.grammars.spec import GrammarSpec
from slipform.runtime.server.pieces import PieceParser
from slipform.runtime.server.tool_calls.tools import Tool, ToolUse


class ToolCallFormat(Protocol):
    """How one family of models writes tool calls. Immutable.

    Attributes:
        name: what a flag calls it. markers: texts that begin or separate calls and that a tokenizer may hold as special
            tokens; grammar and parser read them as text.
    """

    @property
    def name(self) -> str: ...

    @property
    def markers(self) -> tuple[str, ...]: ...

    def constraint(self, use: ToolUse, answer: GrammarSpec | None = None) -> GrammarSpec | None:
        """What the whole answer matches.

        Args:
            answer: what an answer without calls matches; None is free text.
        Returns: None if nothing restricts the answer.
        """

    def text(self, tools: Sequence[Tool]) -> GrammarSpec:
        """What an answer without calls matches: any text that would not be read as calls."""

    def parser(self, tools: Sequence[Tool]) -> PieceParser:
        """A parser of one answer. Text of a call that was cut off before its name was known becomes content."""

    def instructions(self, tools: Sequence[Tool]) -> str:
        """What a system message says to a model whose chat template does not write tools."""
