"""Short texts that complete a match: from a node, from a state of a regular part, from a configuration."""

from collections import deque
from collections.abc import Callable, Iterable

import numpy as np

from slipform.grammars.builder import END_OF_LITERAL, NODE_COLUMNS, Builder, Kind, Node
from slipform.grammars.members import Extra, Member, Progress
from slipform.grammars.pushdown import Automaton
from slipform.kernels.bounded_text import BOUND_HEADER, is_completable
from slipform.kernels.pushdown_tables import LITERAL_BASE


class Completions:
    """Shortest completions of one grammar, memoised. Rules with a witness count as their witness; members as the few
    that their conditions need. Not thread-safe: call under the automaton's lock."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._of_node: dict[int, bytes] = {}
        self._of_state: dict[int, bytes] = {}
        self._avoided: dict[int, int] = {}  # by members solver: declared members that need the object itself

    def of_config(self, automaton: Automaton, config: int) -> bytes:
        """A short completion of the text at `config`; b"" where it is accepting."""
        if automaton.is_accepting(config):
            return b""
        best: bytes | None = None
        for state, frames in automaton.items(config):
            if frames and self._operands(frames[0][0])[0] == Kind.UNIQUE:
                parts = [self._rest_of_unique(automaton, state, frames)]
                frames = frames[2:]
            elif frames and self._operands(frames[0][0])[0] == Kind.BOUNDED:
                parts = [self._rest_of_bounded(frames[0][0], state, frames[0][1])]
                frames = frames[1:]
            else:
                parts = [self._rest_of_leaf(state)]
            length = len(parts[0])
            for node, value in frames:
                if best is not None and length >= len(best):
                    break
                parts.append(self._rest_of_frame(automaton, node, value))
                length += len(parts[-1])
            if best is None or length < len(best):
                best = b"".join(parts)
        if best is None:
            raise ValueError(f"configuration {config} has no continuation")
        return best

    def _rest_of_unique(self, automaton: Automaton, state: int, frames: list[tuple[int, int]]) -> bytes:
        """The rest of a key that must be unique, of its member and of the object: the first two frames."""
        (node, text_frame), (_, value) = frames[:2]
        begun = automaton.unique_text(text_frame)
        index, before = automaton.entry_origin(value >> 1)
        key = self._unused(state, begun, before.texts)
        after = automaton.after_entry(value >> 1, begun + key)
        rest = self.of_node(self._operands(node)[1][1])
        return key + rest + (self._members(index, after, self.of_node) or b"")

    def of_node(self, node: int) -> bytes:
        """A short text of the node's language."""
        known = self._of_node.get(node)
        if known is None:
            self._solve(node)
            known = self._of_node[node]
        return known

    def _solve(self, root: int) -> None:
        """Shortest texts of everything below `root`, by relaxation: recursion makes this a fixed point.

        Members are completed with few others; where these turn out to need `root` themselves, with different ones.
        Rules whose bodies nobody needed before are made here, long after compilation: the time for that begins now.
        """
        self._builder.budget.restart_clock()
        order = self._relax(root)
        while root not in self._of_node and self._avoid_unknown(order):
            order = self._relax(root)

    def _avoid_unknown(self, order: list[int]) -> bool:
        """Give up declared members without a text, in objects that have none either. False if nothing changed."""
        changed = False
        for node in order:
            kind, operands = self._operands(node)
            if kind != Kind.MEMBERS or node in self._of_node:
                continue
            solver = self._builder.members_solvers[operands[0]]
            avoided = self._avoided.get(operands[0], 0)
            declared, _ = solver.completion(solver.start(), avoided) or ([], [])
            for index in declared:
                member = solver.spec.declared[index]
                if member.key not in self._of_node or member.value not in self._of_node:
                    avoided |= 1 << index
            if avoided != self._avoided.get(operands[0], 0) and solver.completion(solver.start(), avoided) is not None:
                self._avoided[operands[0]] = avoided
                changed = True
        return changed

    def _relax(self, root: int) -> list[int]:
        """Find texts of what is below `root`, as far as they can be found; returns the nodes, children first."""
        order: list[int] = []
        seen = {root}
        stack = [root]
        while stack:
            node = stack.pop()
            order.append(node)
            for child in self._children(node):
                if child not in seen and child not in self._of_node:
                    seen.add(child)
                    stack.append(child)
        order.reverse()
        found: dict[int, bytes] = {}

        def known(child: int) -> bytes | None:
            return self._of_node.get(child, found.get(child))

        changed = True
        while changed:
            changed = False
            for node in order:
                text = self._combine(node, known)
                if text is not None and (node not in found or len(text) < len(found[node])):
                    found[node] = text
                    changed = True
        self._of_node.update(found)
        return order

    def _operands(self, node: int) -> tuple[Kind, list[int]]:
        row = self._builder.nodes[node * NODE_COLUMNS : (node + 1) * NODE_COLUMNS]
        return Kind(row[0]), row[1:]

    def _kids(self, node: int) -> list[int]:
        _, (first, count, *_) = self._operands(node)
        return self._builder.kids[first : first + count]

    def _children(self, node: int) -> Iterable[int]:
        kind, operands = self._operands(node)
        if kind in (Kind.SEQ, Kind.ALT):
            return self._kids(node)
        if kind == Kind.REPEAT:
            return [operands[0]] + ([operands[3]] if operands[3] >= 0 else [])
        if kind == Kind.RULE:
            if self._builder.rule_witness[operands[1]] is not None:
                return []
            return [self._builder.body_of(Node(node))]
        if kind == Kind.UNIQUE:
            return operands[:2]
        if kind == Kind.MEMBERS:
            solver = self._builder.members_solvers[operands[0]]
            spec = solver.spec
            declared, extras = solver.completion(solver.start(), self._avoided.get(operands[0], 0)) or ([], [])
            chosen = [spec.declared[index] for index in declared] + [spec.extras[index] for index in extras]
            return [spec.assign, spec.separator, *(part for one in chosen for part in (one.key, one.value))]
        return []

    def _combine(self, node: int, known: Callable[[int], bytes | None]) -> bytes | None:
        kind, operands = self._operands(node)
        if kind == Kind.EMPTY:
            return b""
        if kind == Kind.LITERAL:
            return bytes(self._builder.literal_pool[operands[0] : operands[0] + operands[1]])
        if kind == Kind.LEAF:
            return self._rest_of_leaf(operands[0])
        if kind == Kind.SEQ:
            return _join(map(known, self._kids(node)))
        if kind == Kind.ALT:
            texts = [text for text in map(known, self._kids(node)) if text is not None]
            return min(texts, key=len, default=None)
        if kind == Kind.REPEAT:
            return self._copies(node, operands[1], known)
        if kind == Kind.UNIQUE:
            return _join(map(known, operands[:2]))
        if kind == Kind.BOUNDED:
            start = self._operands(operands[0])[1][0]
            return self._rest_of_bounded(node, start, 0)
        if kind == Kind.RULE:
            witness = self._builder.rule_witness[operands[1]]
            return witness if witness is not None else known(self._builder.body_of(Node(node)))
        if kind == Kind.MEMBERS:
            return self._members(operands[0], self._builder.members_solvers[operands[0]].start(), known)
        return None

    def _copies(self, node: int, count: int, known: Callable[[int], bytes | None]) -> bytes | None:
        """`count` copies of a repetition's body with separators between."""
        _, (body, _, _, separator, _) = self._operands(node)
        if count == 0:
            return b""
        text, between = known(body), b"" if separator < 0 else known(separator)
        if text is None or (between is None and count > 1):
            return None
        return (between or b"").join([text] * count)

    def _members(self, index: int, progress: Progress, known: Callable[[int], bytes | None]) -> bytes | None:
        """The members still needed behind `progress`, and the separator before the first of them where one is due."""
        solver = self._builder.members_solvers[index]
        spec = solver.spec
        avoided = self._avoided.get(index, 0)
        chosen_members = solver.completion(progress, avoided) if avoided else None
        declared, extras = chosen_members or solver.completion(progress) or ([], [])
        chosen: list[Member | Extra] = [
            *(spec.declared[one] for one in declared),
            *(spec.extras[one] for one in extras),
        ]
        written = set(progress.texts)
        parts: list[bytes | None] = []
        for number, one in enumerate(chosen):
            if number or progress.started:
                parts.append(known(spec.separator))
            if isinstance(one, Extra) and one.unique:
                start = self._builder.nodes[one.key * NODE_COLUMNS + 1]
                key = self._unused(start, b"", written)
                written.add(key)
                parts.append(key)
            else:
                parts.append(known(one.key))
            parts += [known(spec.assign), known(one.value)]
        return _join(parts)

    def _unused(self, state: int, begun: bytes, written: Iterable[bytes]) -> bytes:
        """A shortest text from leaf `state` on that, behind `begun`, is not among those `written`."""
        rests = {text[len(begun) :] for text in written if text.startswith(begun)}
        if not rests:
            return self._rest_of_leaf(state)
        builder = self._builder
        prefixes = {rest[:length] for rest in rests for length in range(len(rest) + 1)}
        seen: set[tuple[int, bytes | None]] = {(state, b"")}
        queue = deque([(state, b"")])
        while queue:
            here, text = queue.popleft()
            if builder.leaf_flags[here] & 1 and text not in rests:
                return text
            for index in range(builder.leaf_first[here], builder.leaf_first[here + 1]):
                for byte in range(builder.range_low[index], builder.range_high[index] + 1):
                    longer = text + bytes([byte])
                    key = (builder.range_target[index], longer if longer in prefixes else None)
                    if key not in seen:
                        seen.add(key)
                        queue.append((key[0], longer))
        raise ValueError("every text of a unique key is written")

    def _rest_of_bounded(self, node: int, state: int, count: int) -> bytes:
        """A shortest text that completes a part whose characters are counted, from leaf `state` behind `count`."""
        builder = self._builder
        leaf, offset, least = self._operands(node)[1][:3]
        first_state = self._operands(leaf)[1][1]
        words = builder.bounds[offset + 2]
        end = offset + BOUND_HEADER + (words + 1) * self._operands(leaf)[1][2]
        table = np.array(builder.bounds[offset:end], np.int32)
        seen = {(state, count)}
        queue = deque([(state, count, b"")])
        while queue:
            here, characters, text = queue.popleft()
            if builder.leaf_flags[here] & 1 and characters >= least:
                return text
            for index in range(builder.leaf_first[here], builder.leaf_first[here + 1]):
                target = builder.range_target[index]
                number = target - first_state
                after = characters + table[BOUND_HEADER + number * (words + 1)]
                if (target, after) not in seen and is_completable(table, number, after):
                    seen.add((target, after))
                    queue.append((target, after, text + bytes([builder.range_low[index]])))
        raise ValueError("a part whose characters are counted cannot be completed")

    def _rest_of_frame(self, automaton: Automaton, node: int, value: int) -> bytes:
        kind, operands = self._operands(node)
        if kind == Kind.SEQ:
            return b"".join(map(self.of_node, self._kids(node)[value:]))
        if kind == Kind.REPEAT:
            count, in_separator = value >> 1, value & 1
            missing = max(0, operands[1] - count - (not in_separator))
            if in_separator:
                missing = max(1, missing)
            text = self._copies(node, missing, self.of_node) or b""
            separator = b"" if operands[3] < 0 or in_separator or not missing else self.of_node(operands[3])
            return separator + text
        if value & 1:
            return self._at_least_one(*automaton.place(value >> 1))
        index, progress = automaton.entry(value >> 1)
        return self._members(index, progress, self.of_node) or b""

    def _at_least_one(self, index: int, progress: Progress) -> bytes:
        """One more member and those needed then; the separator before it is written."""
        solver = self._builder.members_solvers[index]
        spec = solver.spec
        texts = []
        for number in solver.next_declared(progress):
            member = spec.declared[number]
            texts.append((self.of_node(member.key), member.value, solver.add(progress, number)))
        for number in solver.next_extras(progress):
            extra = spec.extras[number]
            key = self._key(extra, progress)
            texts.append((key, extra.value, solver.add_extra(progress, number, key if extra.unique else None)))
        assign = self.of_node(spec.assign)
        return min(
            (
                key + assign + self.of_node(value) + (self._members(index, after, self.of_node) or b"")
                for key, value, after in texts
            ),
            key=len,
        )

    def _key(self, extra: Extra, progress: Progress) -> bytes:
        if extra.unique:
            return self._unused(self._builder.nodes[extra.key * NODE_COLUMNS + 1], b"", progress.texts)
        return self.of_node(extra.key)

    def _rest_of_leaf(self, state: int) -> bytes:
        """The shortest text from a leaf state to an accepting one."""
        builder = self._builder
        if state >= LITERAL_BASE:
            begin = state - LITERAL_BASE
            return bytes(builder.literal_pool[begin : builder.literal_pool.index(END_OF_LITERAL, begin)])
        known = self._of_state.get(state)
        if known is not None:
            return known
        came: dict[int, tuple[int, int]] = {}
        queue = deque([state])
        here = state
        while queue and not builder.leaf_flags[here := queue.popleft()] & 1:
            for index in range(builder.leaf_first[here], builder.leaf_first[here + 1]):
                target = builder.range_target[index]
                if target not in came and target != state:
                    came[target] = (here, builder.range_low[index])
                    queue.append(target)
        text = bytearray()
        while here != state:
            here, byte = came[here]
            text.append(byte)
        result = self._of_state[state] = bytes(reversed(text))
        return result


def _join(parts: Iterable[bytes | None]) -> bytes | None:
    texts = list(parts)
    if any(text is None for text in texts):
        return None
    return b"".join(text for text in texts if text is not None)
