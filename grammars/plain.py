"""Front ends of the two plain specs: a choice of strings and any text."""

import numpy as np
import numpy.typing as npt

from slipform.errors import EmptyGrammar, GrammarSyntaxError
from slipform.grammars.builder import Builder, Node
from slipform.grammars.spec import AnyText, Choice

_CONTINUATION = (0x80, 0xBF)

# Lead bytes of well-formed UTF-8 (Unicode standard, table 3-7) and the ranges of the bytes that must follow.
_UTF8_SEQUENCES = (
    ((0x00, 0x7F),),
    ((0xC2, 0xDF), _CONTINUATION),
    ((0xE0, 0xE0), (0xA0, 0xBF), _CONTINUATION),
    ((0xE1, 0xEC), _CONTINUATION, _CONTINUATION),
    ((0xED, 0xED), (0x80, 0x9F), _CONTINUATION),
    ((0xEE, 0xEF), _CONTINUATION, _CONTINUATION),
    ((0xF0, 0xF0), (0x90, 0xBF), _CONTINUATION, _CONTINUATION),
    ((0xF1, 0xF3), _CONTINUATION, _CONTINUATION, _CONTINUATION),
    ((0xF4, 0xF4), (0x80, 0x8F), _CONTINUATION, _CONTINUATION),
)


def build_choice(spec: Choice, builder: Builder) -> Node:
    """Exactly one of the options. Raises: EmptyGrammar without options, GrammarSyntaxError for a lone surrogate."""
    if not spec.options:
        raise EmptyGrammar("a choice needs at least one option")
    options = []
    for index, option in enumerate(spec.options):
        builder.budget.check_source(option, path=f"option {index}")
        try:
            options.append(option.encode("utf-8"))
        except UnicodeEncodeError as error:
            raise GrammarSyntaxError("a lone surrogate has no UTF-8 form", path=f"option {index}") from error
    return builder.choice(options)


def build_any_text(spec: AnyText, builder: Builder) -> Node:
    """Any well-formed UTF-8 text of at most `max_bytes` bytes. Raises: EmptyGrammar for a negative bound."""
    if spec.max_bytes is None:
        return builder.dfa(Utf8Text())
    if spec.max_bytes < 0:
        raise EmptyGrammar("max_bytes is negative")
    builder.budget.add_states(9 * spec.max_bytes)
    return builder.dfa(Utf8Text(spec.max_bytes))


class Utf8Text:
    """Well-formed UTF-8 of at most `max_bytes` bytes, as an automaton (see `slipform.grammars.leaf_tables.ByteDfa`)."""

    start = 0

    def __init__(self, max_bytes: int | None = None) -> None:
        self.max_bytes = max_bytes
        borders = sorted(
            {0, *(low for parts in _UTF8_SEQUENCES for low, _ in parts)}
            | {high + 1 for parts in _UTF8_SEQUENCES for _, high in parts if high < 255}
        )
        self.byte_class: npt.NDArray[np.uint8] = np.searchsorted(borders, np.arange(256), side="right").astype(np.uint8)
        self.byte_class -= 1
        suffixes = list(dict.fromkeys(parts[skip:] for parts in _UTF8_SEQUENCES for skip in range(1, len(parts))))
        names: dict[tuple[int, tuple[tuple[int, int], ...]], int] = {}
        rows: list[list[int]] = []
        accepting: list[bool] = []

        def state(left: int, pending: tuple[tuple[int, int], ...]) -> int:
            key = (left, pending)
            if key not in names:
                names[key] = len(names)
                rows.append([-1] * len(borders))
                accepting.append(not pending)
            return names[key]

        lengths = [0] if max_bytes is None else range(max_bytes, -1, -1)
        for left in lengths:
            for pending in ((), *suffixes):
                if (left, pending) not in names and (left, pending) != (lengths[0], ()):
                    continue
                source = state(left, pending)
                after = 0 if max_bytes is None else left - 1
                for parts in (pending,) if pending else _UTF8_SEQUENCES:
                    if max_bytes is not None and len(parts) > left:
                        continue
                    (low, high), rest = parts[0], parts[1:]
                    target = state(after, rest)
                    for index, border in enumerate(borders):
                        if low <= border <= high:
                            rows[source][index] = target
        self.table: npt.NDArray[np.int32] = np.array(rows, np.int32)
        self.accepting: npt.NDArray[np.bool_] = np.array(accepting, bool)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Utf8Text) and other.max_bytes == self.max_bytes

    def __hash__(self) -> int:
        return hash(("utf-8 text", self.max_bytes))
