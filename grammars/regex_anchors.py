"""Anchors at the edges of a pattern, dissolved: most patterns need no lookaround then."""

from dataclasses import dataclass
from typing import Final

from slipform.grammars import code_points as sets
from slipform.grammars.regex_syntax import EMPTY, Alternatives, Anchor, Concat, OneOf, Repeat, Text, Tree, concat

ANY_TEXT: Final = Repeat(OneOf(sets.EVERYTHING), 0, None)


def has_assertion(tree: Tree) -> bool:
    """Whether the tree holds an anchor or lookaround."""
    if isinstance(tree, Text | OneOf):
        return False
    if isinstance(tree, Concat):
        return any(map(has_assertion, tree.parts))
    if isinstance(tree, Alternatives):
        return any(map(has_assertion, tree.options))
    if isinstance(tree, Repeat):
        return has_assertion(tree.body)
    return True


@dataclass(frozen=True, slots=True)
class _Split:
    """A tree as the union of what follows an anchor at its edge and what needs none there; None for no text."""

    anchored: Tree | None
    free: Tree | None


def resolved(tree: Tree, *, search: bool) -> Tree:
    """A tree that matches the whole text, where `tree` may match a part of it (`search`) or all of it.

    Anchors at the edges are dissolved; what remains for `regex_lookaround` are anchors inside and lookaround.
    """
    if not has_assertion(tree):
        return concat([ANY_TEXT, tree, ANY_TEXT]) if search else tree
    options: list[Tree] = []
    by_start = _split(tree, at_end=False, search=search)
    for begins, start_part in ((True, by_start.anchored), (False, by_start.free)):
        if start_part is None:
            continue
        by_end = _split(start_part, at_end=True, search=search)
        for ends, part in ((True, by_end.anchored), (False, by_end.free)):
            if part is not None:
                before = [] if begins or not search else [ANY_TEXT]
                after = [] if ends or not search else [ANY_TEXT]
                options.append(concat([*before, part, *after]))
    return options[0] if len(options) == 1 else Alternatives(tuple(options))


def _split(tree: Tree, *, at_end: bool, search: bool) -> _Split:
    """Dissolve the anchors that stand first in `tree`, or last (`at_end`)."""
    if tree is (Anchor.END if at_end else Anchor.START):
        return _Split(EMPTY, None)
    if tree is Anchor.FINAL_END and at_end:
        return _Split(Repeat(Text("\n"), 0, 1) if search else EMPTY, None)
    if isinstance(tree, Concat) and tree.parts:
        edge = tree.parts[-1] if at_end else tree.parts[0]
        rest = tree.parts[:-1] if at_end else tree.parts[1:]
        if not has_assertion(edge):
            return _Split(None, tree)
        split = _split(edge, at_end=at_end, search=search)

        def joined(part: Tree | None) -> Tree | None:
            if part is None or part == EMPTY:
                return part if part is None else concat(list(rest))
            return concat([*rest, part] if at_end else [part, *rest])

        anchored = joined(split.anchored)
        if anchored is not None and split.anchored == EMPTY:
            # `^^a`: anchors behind one that has held hold as well.
            again = _split(anchored, at_end=at_end, search=search)
            anchored = _either([again.anchored, again.free])
        return _Split(anchored, joined(split.free))
    if isinstance(tree, Alternatives) and has_assertion(tree):
        splits = [_split(option, at_end=at_end, search=search) for option in tree.options]
        return _Split(_either([split.anchored for split in splits]), _either([split.free for split in splits]))
    return _Split(None, tree)


def _either(options: list[Tree | None]) -> Tree | None:
    present = [option for option in options if option is not None]
    if not present:
        return None
    return present[0] if len(present) == 1 else Alternatives(tuple(present))
