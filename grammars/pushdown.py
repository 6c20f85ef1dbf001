"""The run-time of a grammar: a pushdown automaton that is determinised, and whose rules are built, as it is walked."""

import functools
import threading
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import types

from slipform.errors import GrammarTooLarge, VocabularyMismatch
from slipform.grammars.builder import NODE_COLUMNS, Builder, Node
from slipform.grammars.mask_tables import MaskTables
from slipform.grammars.masks import MaskPool
from slipform.grammars.members import Progress
from slipform.grammars.turn import Turn
from slipform.kernels import masks
from slipform.kernels import pushdown as kernel
from slipform.kernels import pushdown_steps as steps
from slipform.kernels import pushdown_tables as tables
from slipform.kernels.mask_rows import fingerprint
from slipform.kernels.mask_walks import part_below
from slipform.kernels.pushdown_batch import advance_tokens

Int32 = npt.NDArray[np.int32]

# Tables that mirror lists of the builder and of the automaton.
_PROGRAM = range(tables.NODES, tables.BOUNDS + 1)
_START_ROOM = 256
_MAX_PART_STATES = 64
_START_SIZES = dict.fromkeys(_PROGRAM, _START_ROOM) | {
    tables.REGISTERS: tables.NUM_REGISTERS,
    tables.FRAMES: tables.FRAME_COLUMNS * _START_ROOM,
    tables.FRAME_HASH: 2 * _START_ROOM,
    tables.ITEMS: 4 * _START_ROOM,
    tables.CONFIGS: tables.CONFIG_COLUMNS * _START_ROOM,
    tables.CONFIG_HASH: 2 * _START_ROOM,
    tables.SEED_PAIRS: 4 * _START_ROOM,
    tables.SEED_SETS: tables.SEED_COLUMNS * _START_ROOM,
    tables.SEED_HASH: 2 * _START_ROOM,
    tables.EDGES: 4 * tables.EDGE_COLUMNS * _START_ROOM,
    tables.ROWS: 16 * _START_ROOM,
    tables.WORK: 2 * _START_ROOM,
    tables.WORK_HASH: 8 * _START_ROOM,
    tables.OUT: 2 * _START_ROOM,
    tables.LEAF_BASE: _START_ROOM,
    tables.FOUND: 4 * _START_ROOM,
    tables.LOST: _START_ROOM,
    tables.MASKS: tables.MASK_COLUMNS * _START_ROOM,
    tables.MASK_TOKENS: 16 * _START_ROOM,
}


class _Entry(NamedTuple):
    """One member that may be written at a place: what leads behind it is found when it has been written."""

    solver: int
    before: Progress
    number: int
    is_extra: bool
    text: bytes | None = None  # the key of a unique extra, once it is written


@functools.cache
def _compile_kernels() -> None:
    """Compile what a small grammar does not need, or load it from Numba's cache, before a text is being written."""
    number, row, numbers = types.int64, types.int32[::1], types.int64[::1]
    masks.write_mask.compile((number, number, number, row))
    masks.find_mask.compile((number, number))
    masks.found_row.compile((number, number, number))
    masks.add_mask.compile((number,) * 8)
    tables.rehash.compile((number,))
    fingerprint.compile((row,))
    advance_tokens.compile((numbers, numbers, numbers, number, number, numbers))


class Automaton:
    """Configurations of one grammar, by id: 0 is dead. Thread-safe: one walk at a time, without the GIL.

    A configuration id is valid for the automaton's life and equal ids mean equal continuations.
    """

    def __init__(
        self, builder: Builder, vocabulary: MaskTables, pool: MaskPool, lock: "threading.RLock | None" = None
    ) -> None:
        """Args:
        vocabulary, pool: whose tokens masks speak of, and where rows go that are no list of tokens.
        lock: guards the builder where several automata share it.
        """
        _compile_kernels()
        self.builder = builder
        self._vocabulary = vocabulary
        self._pool = pool
        self._vocabulary_pairs = vocabulary.heap(pool)
        self._places: dict[tuple[int, Progress], int] = {}
        self._place_progress: list[tuple[int, Progress]] = []
        self._place_choices: list[tuple[list[int], list[int]]] = []  # declared members and extras that may come
        self._text_entries: dict[int, _Entry] = {}  # entries that know their text; they belong to no place
        self._member_nodes: dict[int, tuple[list[Node], list[Node]]] = {}
        self._place_flags: list[int] = []
        self._place_first: list[int] = []
        self._place_end: list[int] = []
        self._entry_node: list[int] = []
        self._entry_next: list[int] = []
        self._entry_seen: list[int] = []
        self._seen: list[int] = []  # tries of written texts
        self._seen_edges: list[int] = []
        self._seen_roots: dict[frozenset[bytes], int] = {}
        # Tables and the lists that they mirror. Lists only ever grow at their end.
        self._program_sources: list[tuple[int, Sequence[int]]] = [
            (tables.NODES, builder.nodes),
            (tables.KIDS, builder.kids),
            (tables.LITERALS, builder.literal_pool),
            (tables.LEAF_FIRST, builder.leaf_first),
            (tables.LEAF_FLAGS, builder.leaf_flags),
            (tables.RANGE_LOW, builder.range_low),
            (tables.RANGE_HIGH, builder.range_high),
            (tables.RANGE_TARGET, builder.range_target),
            (tables.LEAF_WORDS, builder.leaf_words),
            (tables.BOUNDS, builder.bounds),
        ]
        self._place_sources: list[tuple[int, Sequence[int]]] = [
            (tables.PLACE_FLAGS, self._place_flags),
            (tables.PLACE_FIRST, self._place_first),
            (tables.PLACE_END, self._place_end),
            (tables.ENTRY_NODE, self._entry_node),
            (tables.ENTRY_NEXT, self._entry_next),
            (tables.ENTRY_SEEN, self._entry_seen),
            (tables.SEEN, self._seen),
            (tables.SEEN_EDGES, self._seen_edges),
        ]
        self._synced = dict.fromkeys(_PROGRAM, 0)
        self._tables: dict[int, Int32] = {}
        self._pairs = np.zeros(2 * tables.NUM_TABLES, np.int64)
        self._pairs[2 * tables.VOCABULARY] = self._vocabulary_pairs.ctypes.data
        self._pairs[2 * tables.STEP] = steps.step_function().address
        self._pairs[2 * tables.FIND] = masks.find_function().address
        self.heap: int = self._pairs.ctypes.data
        depth = vocabulary.max_depth + 1
        self._allocate(
            _START_SIZES
            | dict.fromkeys((tables.PATH, tables.LEAF_PATH, tables.OTHER_PATH), depth)
            | {tables.MARKS: vocabulary.num_words}
        )
        for table in (tables.FRAME_HASH, tables.CONFIG_HASH, tables.SEED_HASH, tables.LEAF_BASE):
            self._tables[table].fill(-1)
        for table in (tables.REGISTERS, tables.WORK_HASH, tables.MARKS):
            self._tables[table].fill(0)
        self._tables[tables.FRAMES][: tables.FRAME_COLUMNS] = 0
        self._tables[tables.CONFIGS][: tables.CONFIG_COLUMNS] = 0
        self._registers = self._tables[tables.REGISTERS]
        self.lock = Turn(lock or threading.RLock(), self._registers)
        self._registers[tables.NUM_FRAMES] = 1
        self._registers[tables.NUM_CONFIGS] = 1
        self._sync()

    # Walking

    def start(self, root: Node) -> int:
        """The configuration before any byte of `root`."""
        with self.lock:
            self._sync()
            while (start := kernel.start_config(self.heap, root)) < 0:
                self._serve(-start)
            return int(start)

    def advance(self, config: int, text: bytes) -> tuple[int, int]:
        """Follow `text`; returns (configuration reached, position of the first byte that was not taken)."""
        registers = self._registers
        wide = np.frombuffer(text, np.uint8).astype(np.int32)
        begin = 0
        with self.lock:
            while True:
                status = kernel.advance(self.heap, config, wide.ctypes.data, begin, len(text))
                config, begin = int(registers[tables.WALKED]), int(registers[tables.RESUME_AT])
                if status == tables.OK:
                    return config, begin
                self._serve(status)

    def fill_row(self, config: int, row: Int32) -> None:
        """Write the mask of `config` to `row`, at least W words; words beyond are zeroed.

        Raises:
            VocabularyMismatch: no token can follow and the text is not complete.
            ValueError: the row is too short.
        """
        if not row.flags.c_contiguous:
            whole = np.empty_like(row, order="C", subok=False)
            self.fill_row(config, whole)
            row[:] = whole
            return
        with self.lock:
            while (status := masks.write_mask(self.heap, config, 1, row)) != tables.OK:
                if status == tables.NEED_WALK:
                    status = masks.find_mask(self.heap, config)
                self.serve(status)

    def mask_number(self, config: int) -> int:
        """A number that configurations with the same mask may share. Raises: VocabularyMismatch as `fill_row`."""
        with self.lock:
            self._run(lambda: masks.find_mask(self.heap, config))
            return int(self._registers[tables.ARGUMENT])

    def allowed_count(self, config: int) -> int:
        """How many tokens the mask of `config` allows. Raises: VocabularyMismatch as `fill_row`."""
        with self.lock:
            return int(self._tables[tables.MASKS][self.mask_number(config) * tables.MASK_COLUMNS + 5])

    def after_token(self, config: int, token: int) -> int:
        """The configuration behind a token; 0 if it cannot be read, or spells nothing."""
        after = kernel.advance_token(self.heap, config, token, 0)
        if after < 0:
            with self.lock:
                while (after := kernel.advance_token(self.heap, config, token, 1)) < 0:
                    self.serve(-after)
        return int(after)

    def serve(self, status: int) -> None:
        """Do what a kernel wants that returned `status`, if anything. The caller holds `lock`."""
        if status != tables.OK:
            self._serve(status)

    def forced_bytes(self, config: int) -> tuple[bytes, int]:
        """The bytes that every text from `config` begins with, as far as each is the only one; and where they lead."""
        with self.lock:
            out = np.empty(256, np.int32)
            count = 0
            while True:
                status = kernel.forced_bytes(self.heap, config, out.ctypes.data, len(out), count)
                config, count = int(self._registers[tables.WALKED]), int(self._registers[tables.RESUME_AT])
                if status == tables.OK and count < len(out):
                    return bytes(out[:count].tolist()), config
                if status == tables.OK:
                    out = np.concatenate((out, np.empty_like(out)))
                else:
                    self._serve(status)

    def successors(self, config: int) -> Int32:
        """(256,) the configuration after each byte, 0 where there is none."""
        with self.lock:
            out = np.empty(256, np.int32)
            self._run(lambda: kernel.expand(self.heap, config, out.ctypes.data))
            return out

    def is_accepting(self, config: int) -> bool:
        """Whether the text so far is complete."""
        return bool(self._tables[tables.CONFIGS][config * tables.CONFIG_COLUMNS + 2])

    def items(self, config: int) -> list[tuple[int, list[tuple[int, int]]]]:
        """The ways to read the text so far: (leaf state, frames from the top as (node, value))."""
        with self.lock:
            first, count = self._tables[tables.CONFIGS][config * tables.CONFIG_COLUMNS :][:2].tolist()
            frames = self._tables[tables.FRAMES]
            result = []
            for state, frame in self._tables[tables.ITEMS][2 * first : 2 * (first + count)].reshape(-1, 2).tolist():
                above = []
                while frame:
                    parent, node, value = frames[frame * tables.FRAME_COLUMNS :][:3].tolist()
                    above.append((node, value))
                    frame = parent
                result.append((state, above))
            return result

    @property
    def num_configs(self) -> int:
        return int(self._registers[tables.NUM_CONFIGS])

    @property
    def num_bytes(self) -> int:
        """Memory of all tables."""
        return sum(table.nbytes for table in self._tables.values())

    def place(self, place: int) -> tuple[int, Progress]:
        """The members solver and progress that place number `place` stands for."""
        return self._place_progress[place]

    def entry(self, entry: int) -> tuple[int, Progress]:
        """The members solver and the progress behind entry number `entry`."""
        origin = self._origin(entry)
        return origin.solver, self._after(origin, origin.text)

    def after_entry(self, entry: int, text: bytes | None) -> Progress:
        """The progress behind an entry; `text` is the key of a unique extra."""
        return self._after(self._origin(entry), text)

    def _after(self, origin: _Entry, text: bytes | None) -> Progress:
        solver = self.builder.members_solvers[origin.solver]
        if origin.is_extra:
            return solver.add_extra(origin.before, origin.number, text)
        return solver.add(origin.before, origin.number)

    def entry_origin(self, entry: int) -> tuple[int, Progress]:
        """The members solver and the progress before entry number `entry`."""
        return self._origin(entry).solver, self._origin(entry).before

    def _origin(self, entry: int) -> _Entry:
        known = self._text_entries.get(entry)
        if known is not None:
            return known
        place = bisect_right(self._place_first, entry) - 1
        while self._place_end[place] <= entry:  # places without entries begin where the next one does
            place -= 1
        solver, progress = self._place_progress[place]
        declared, extras = self._place_choices[place]
        offset = entry - self._place_first[place]
        if offset < len(declared):
            return _Entry(solver, progress, declared[offset], False)
        return _Entry(solver, progress, extras[offset - len(declared)], True)

    def unique_text(self, text_frame: int) -> bytes:
        """The bytes of a key that must be unique, as far as written: what the value of its frame stands for."""
        frames = self._tables[tables.FRAMES].reshape(-1, tables.FRAME_COLUMNS)
        text = bytearray()
        while frames[text_frame, 1] == tables.TEXT:
            text.append(frames[text_frame, 2])
            text_frame = frames[text_frame, 0]
        return bytes(reversed(text))

    # Serving the kernels' needs

    def _run(self, call: Callable[[], int]) -> None:
        while (status := call()) != tables.OK:
            self._serve(status)

    def _serve(self, status: int) -> None:
        argument = int(self._registers[tables.ARGUMENT])
        if status == tables.NEED_LONGER_LIST:
            for table in (tables.FOUND, tables.LOST):
                self._enlarge(table, 4 * len(self._tables[table]))
            return
        if status == tables.NEED_MASK_TOKENS:
            self._enlarge(tables.MASK_TOKENS, 2 * len(self._tables[tables.MASK_TOKENS]))
            return
        if status == tables.NEED_BASE:
            self._tables[tables.LEAF_BASE][argument] = self._leaf_base(argument)
            return
        if status == tables.NEED_POOL_ROW:
            self._put_row(argument)
            return
        if status == tables.UNFIT_ROW:
            raise ValueError(f"mask rows of this vocabulary have {self._vocabulary.num_words} words")
        if status == tables.NOTHING_FITS:
            missing = bytes(np.flatnonzero(self.successors(argument)).astype(np.uint8))
            raise VocabularyMismatch(argument, missing)
        if status == tables.NEED_ROOM:
            self._grow()
        elif status == tables.NEED_RULE:
            self.builder.budget.restart_clock()
            body = self.builder.body_of(Node(argument))
            self._tables[tables.NODES][argument * NODE_COLUMNS + 1] = body
        elif status == tables.NEED_START:
            solver = self.builder.nodes[argument * NODE_COLUMNS + 1]
            place = self._place(solver, self.builder.members_solvers[solver].start())
            self._tables[tables.NODES][argument * NODE_COLUMNS + 3] = place
        elif status == tables.NEED_ENTRY:
            place = self._place(*self.entry(argument))
            self._entry_next[argument] = place
            self._tables[tables.ENTRY_NEXT][argument] = place
        elif status == tables.NEED_TEXT:
            entry = self._entry_with_text(argument)
            self._tables[tables.FRAMES][argument * tables.FRAME_COLUMNS + 4] = entry
        else:
            raise GrammarTooLarge(
                "states",
                tables.MAX_WORK,
                path="one position: it can be read in too many ways, or recursion on the left",
            )
        self._sync()

    def _leaf_base(self, state: int) -> int:
        """The vocabulary's base row of a looping leaf state, NO_BASE if there is none."""
        part = part_below(
            self._tables[tables.LEAF_FIRST],
            self._tables[tables.RANGE_LOW],
            self._tables[tables.RANGE_HIGH],
            self._tables[tables.RANGE_TARGET],
            self._tables[tables.LEAF_FLAGS],
            state,
            _MAX_PART_STATES,
        )
        base = self._vocabulary.leaf_base(part) if len(part[-1]) else None
        return tables.NO_BASE if base is None else base

    def _put_row(self, config: int) -> None:
        """The mask of `config` as a row of the pool: the tokens found are too many for a list."""
        base, reach = int(self._registers[tables.RESUME_AT]), int(self._registers[tables.DEEPEST])
        row = np.empty(self._vocabulary.num_words, np.int32)
        allowed = masks.found_row(self.heap, base, row.ctypes.data)
        slot, serial = self._pool.put(row)
        self._run(lambda: masks.add_mask(self.heap, config, masks.POOL_BASE - slot, serial, 0, 0, allowed, reach))

    def _place(self, solver_index: int, progress: Progress) -> int:
        key = (solver_index, progress)
        place = self._places.get(key)
        if place is not None:
            return place
        place = self._places[key] = len(self._place_flags)
        self._place_progress.append(key)
        self._place_first.append(len(self._entry_node))
        solver = self.builder.members_solvers[solver_index]
        nodes, extra_nodes = self._nodes_of(solver_index)
        declared, extras = solver.next_declared(progress), solver.next_extras(progress)
        self._place_choices.append((declared, extras))
        self._entry_node.extend([nodes[index] for index in declared])
        self._entry_seen.extend([tables.NO_TEXTS] * len(declared))
        for index in extras:
            seen = tables.NO_TEXTS
            extra = solver.spec.extras[index]
            if extra.unique:
                # Texts of other extras are none of this one's, and would be counted among those that it has left.
                written = frozenset(text for text in progress.texts if self.builder.is_word(Node(extra.key), text))
                seen = self._seen_root(written)
                if progress.pending:
                    seen = tables.UNKNOWN_BASE - len(written)
            self._entry_node.append(extra_nodes[index])
            self._entry_seen.append(seen)
        self._entry_next.extend([-1] * (len(declared) + len(extras)))
        self._place_flags.append(int(solver.may_end(progress)) | 2 * progress.started)
        self._place_end.append(len(self._entry_node))
        return place

    def _entry_with_text(self, link: int) -> int:
        """The entry that `link`, a frame (entry, WITH_TEXT, text frame), stands for. It belongs to no place."""
        at = link * tables.FRAME_COLUMNS
        entry, _, text_frame = self._tables[tables.FRAMES][at : at + 3].tolist()
        known = len(self._entry_node)
        self._text_entries[known] = self._origin(entry)._replace(text=self.unique_text(text_frame))
        self._entry_node.append(self._entry_node[entry])
        self._entry_next.append(-1)
        self._entry_seen.append(tables.NO_TEXTS)
        return known

    def _seen_root(self, texts: frozenset[bytes]) -> int:
        """The root of the trie of `texts` in SEEN; NO_TEXTS for none."""
        if not texts:
            return tables.NO_TEXTS
        root = self._seen_roots.get(texts)
        if root is None:
            root = self._seen_roots[texts] = self._add_seen(texts)
        return root

    def _add_seen(self, texts: frozenset[bytes]) -> int:
        """Append the trie of `texts`; returns its root."""
        children: list[dict[int, int]] = [{}]
        below = [0]
        ends: set[int] = set()
        for text in sorted(texts):
            node = 0
            below[0] += 1
            for byte in text:
                if byte not in children[node]:
                    children[node][byte] = len(children)
                    children.append({})
                    below.append(0)
                node = children[node][byte]
                below[node] += 1
            ends.add(node)
        root = len(self._seen) // tables.SEEN_COLUMNS
        for node, edges in enumerate(children):
            self._seen += (len(self._seen_edges) // 2, len(edges), int(node in ends), below[node])
            for byte, child in edges.items():
                self._seen_edges += (byte, root + child)
        return root

    def _nodes_of(self, solver_index: int) -> tuple[list[Node], list[Node]]:
        """The nodes `key assign value` of declared members and of extras."""
        known = self._member_nodes.get(solver_index)
        if known is None:
            builder, spec = self.builder, self.builder.members_solvers[solver_index].spec
            assign = Node(spec.assign)
            declared = [builder.seq(Node(one.key), assign, Node(one.value)) for one in spec.declared]
            extras = [
                builder.unique_text(Node(one.key), builder.seq(assign, Node(one.value)))
                if one.unique
                else builder.seq(Node(one.key), assign, Node(one.value))
                for one in spec.extras
            ]
            known = self._member_nodes[solver_index] = (declared, extras)
        return known

    # Tables

    def _set(self, table: int, array: Int32) -> None:
        self._tables[table] = array
        self._pairs[2 * table] = array.ctypes.data
        self._pairs[2 * table + 1] = len(array)

    def _allocate(self, sizes: dict[int, int]) -> None:
        """Tables of these lengths, out of one block: asking numpy for an address costs more than the memory."""
        block = np.empty(sum(sizes.values()), np.int32)
        address, begin = block.ctypes.data, 0
        for table, size in sizes.items():
            self._tables[table] = block[begin : begin + size]
            self._pairs[2 * table] = address + 4 * begin
            self._pairs[2 * table + 1] = size
            begin += size

    def _set_scratch(self, room: int) -> None:
        self._set(tables.WORK, np.empty(room * 2, np.int32))
        self._set(tables.WORK_HASH, np.zeros(room * 8, np.int32))
        self._set(tables.OUT, np.empty(room * 2, np.int32))

    def _sync(self) -> None:
        """Copy what was appended to the builder's lists, and to those of places, since the last time."""
        self._copy_new(self._place_sources)
        if len(self.builder.nodes) == self._synced[tables.NODES]:
            return  # whatever else a builder makes, it makes for a new node
        self._copy_new(self._program_sources)
        known = len(self._tables[tables.LEAF_BASE])
        if known < len(self._tables[tables.LEAF_FLAGS]):
            self._enlarge(tables.LEAF_BASE, len(self._tables[tables.LEAF_FLAGS]))
            self._tables[tables.LEAF_BASE][known:] = tables.UNKNOWN

    def _copy_new(self, sources: list[tuple[int, Sequence[int]]]) -> None:
        for table, source in sources:
            begin, end = self._synced[table], len(source)
            if begin == end:
                continue
            if end > len(self._tables[table]):
                self._enlarge(table, max(end, 2 * len(self._tables[table])))
            self._tables[table][begin:end] = source[begin:]
            self._synced[table] = end

    def _enlarge(self, table: int, length: int) -> None:
        array = np.empty(length, np.int32)
        old = self._tables[table]
        array[: len(old)] = old
        self._set(table, array)

    def _grow(self) -> None:
        """Double what is more than half full; if nothing is, the scratch tables of one step were too small."""
        registers = self._registers
        grown = False
        for table, register, columns in (
            (tables.FRAMES, tables.NUM_FRAMES, tables.FRAME_COLUMNS),
            (tables.ITEMS, tables.NUM_ITEMS, 2),
            (tables.CONFIGS, tables.NUM_CONFIGS, tables.CONFIG_COLUMNS),
            (tables.SEED_PAIRS, tables.NUM_SEED_PAIRS, 2),
            (tables.SEED_SETS, tables.NUM_SEED_SETS, tables.SEED_COLUMNS),
            (tables.EDGES, tables.NUM_EDGES, tables.EDGE_COLUMNS),
            (tables.ROWS, tables.NUM_ROWS, 256),
            (tables.MASKS, tables.NUM_MASKS, tables.MASK_COLUMNS),
        ):
            if 2 * int(registers[register]) * columns > len(self._tables[table]):
                self._enlarge(table, 2 * len(self._tables[table]))
                grown = True
        if not grown:
            self._set_scratch(len(self._tables[tables.OUT]))
            # A single configuration may need more than half of the tables that it goes to.
            for table in (tables.ITEMS, tables.SEED_PAIRS):
                self._enlarge(table, 2 * len(self._tables[table]))
        for table, counted, columns in (
            (tables.FRAME_HASH, tables.FRAMES, tables.FRAME_COLUMNS),
            (tables.CONFIG_HASH, tables.CONFIGS, tables.CONFIG_COLUMNS),
            (tables.SEED_HASH, tables.SEED_SETS, tables.SEED_COLUMNS),
        ):
            size = 2 * len(self._tables[counted]) // columns
            self._set(table, np.full(1 << (size - 1).bit_length(), -1, np.int32))
        tables.rehash(self.heap)
        limit = self.builder.budget.limits.memory_bytes
        if self.num_bytes > limit:
            raise GrammarTooLarge("memory_bytes", limit)
