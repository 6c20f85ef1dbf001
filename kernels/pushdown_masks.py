"""Numba questions about masks: which configurations have the same one, and how many plain characters one takes."""

from typing import Any

from slipform.kernels.bounded_text import free_characters, is_free_to_the_end
from slipform.kernels.int32_tables import Int, inner, table
from slipform.kernels.plain_text import COMPLETES, GOES_ON, is_plain_lead
from slipform.kernels.pushdown_steps import close
from slipform.kernels.pushdown_tables import (
    ARGUMENT,
    BOUNDED,
    CONFIG_COLUMNS,
    CONFIGS,
    FRAME_COLUMNS,
    FRAMES,
    ITEMS,
    LEAF_FIRST,
    LEAF_FLAGS,
    LITERAL_BASE,
    LITERALS,
    NEED_ROOM,
    NO_TEXTS,
    NODE_COLUMNS,
    NODES,
    NUM_OUT,
    NUM_WORK,
    OK,
    OUT,
    RANGE_HIGH,
    RANGE_LOW,
    REGISTERS,
    REPEAT,
    RESUME,
    SEEN_BASE,
    UNIQUE,
    WORK,
    intern_config,
    push_frame,
    sort_pairs,
)
from slipform.kernels.unique_text import seen_of


@inner
def _clamped(heap: Any, node: Int, value: Int, reach: Int) -> Any:
    """A count that allows the same texts of up to `reach` bytes: counts far from both bounds are alike."""
    nodes = table(heap, NODES)
    at = node * NODE_COLUMNS
    if nodes[at] == UNIQUE and value >= 0:
        seen = seen_of(heap, value)
        return NO_TEXTS if seen < 0 else SEEN_BASE - seen
    if nodes[at] == BOUNDED and value >= nodes[at + 3] and free_characters(heap, node, value) >= reach:
        return nodes[at + 3]
    if nodes[at] != REPEAT:
        return value
    minimum, maximum = nodes[at + 2], nodes[at + 3]
    count = value >> 1
    if maximum >= 0 and count + reach >= maximum:
        return value
    if count >= minimum:
        count = minimum
    elif count + reach < minimum:
        count = 0
    return 2 * count + (value & 1)


@inner
def _frame_for_mask(heap: Any, frame: Int, reach: Int, keep: Int) -> Any:
    """The frame with all counts clamped; -1 if there is no room. With `keep`, answers are kept with the frames."""
    registers = table(heap, REGISTERS)
    frames = table(heap, FRAMES)
    work = table(heap, WORK)
    # Up to the first frame whose answer is known, then down again, keeping the way in `work`.
    way = 0
    here = frame
    while here != 0 and (not keep or frames[here * FRAME_COLUMNS + 4] < 0):
        if way >= len(work):
            registers[NUM_WORK] = way >> 1
            return -1
        work[way] = here
        way += 1
        here = frames[here * FRAME_COLUMNS]
    known = 0 if here == 0 else frames[here * FRAME_COLUMNS + 4]
    while way > 0:
        way -= 1
        here = work[way]
        node, value = frames[here * FRAME_COLUMNS + 1], frames[here * FRAME_COLUMNS + 2]
        known = push_frame(heap, known, node, _clamped(heap, node, value, reach))
        if known < 0:
            return known
        if keep:
            frames[here * FRAME_COLUMNS + 4] = known
    return known


@inner
def config_for_mask(heap: Any, config: Int, reach: Int, keep: Int) -> Int:
    """A configuration with the same mask for tokens of up to `reach` bytes, in ARGUMENT.

    Counts that are further than `reach` copies from their bounds are replaced by one that stands for all of them, so
    that one mask serves them all. `keep` must go with one value of `reach` only. Returns a status.
    """
    registers = table(heap, REGISTERS)
    items = table(heap, ITEMS)
    configs = table(heap, CONFIGS)
    out = table(heap, OUT)
    at = config * CONFIG_COLUMNS
    first, count, accepting = configs[at], configs[at + 1], configs[at + 2]
    frames = table(heap, FRAMES)
    counts = False
    for i in range(first, first + count):
        counts = counts or frames[items[2 * i + 1] * FRAME_COLUMNS + 6] != 0
    if not counts:
        registers[ARGUMENT] = config
        return OK
    if 2 * count > len(out):
        registers[NUM_OUT] = count
        return NEED_ROOM
    changed = False
    for i in range(count):
        frame = items[2 * (first + i) + 1]
        mapped = _frame_for_mask(heap, frame, reach, keep)
        if mapped < 0:
            return NEED_ROOM
        changed = changed or mapped != frame
        out[2 * i] = items[2 * (first + i)]
        out[2 * i + 1] = mapped
    registers[ARGUMENT] = config
    if changed:
        mapped = intern_config(heap, sort_pairs(out, count), accepting)
        if mapped < 0:
            return NEED_ROOM
        registers[ARGUMENT] = mapped
    return OK


@inner
def _reads_plain(heap: Any, state: Int) -> Any:
    """Whether some plain character can begin at `state`."""
    literals = table(heap, LITERALS)
    leaf_first = table(heap, LEAF_FIRST)
    range_low = table(heap, RANGE_LOW)
    range_high = table(heap, RANGE_HIGH)
    if state >= LITERAL_BASE:
        return is_plain_lead(literals[state - LITERAL_BASE])
    for k in range(leaf_first[state], leaf_first[state + 1]):
        for byte in range(range_low[k], range_high[k] + 1):
            if is_plain_lead(byte):
                return True
    return False


@inner
def plain_room(heap: Any, config: Int, longest: Int) -> Int:
    """How many plain characters `config` takes, whatever they are, in ARGUMENT; at most `longest`. Returns a status.

    0: that cannot be said; n < longest: any n plain characters, and never more; longest: any number up to that.
    """
    registers = table(heap, REGISTERS)
    nodes = table(heap, NODES)
    leaf_flags = table(heap, LEAF_FLAGS)
    frames = table(heap, FRAMES)
    items = table(heap, ITEMS)
    configs = table(heap, CONFIGS)
    at = config * CONFIG_COLUMNS
    first, count = configs[at], configs[at + 1]
    registers[ARGUMENT] = 0
    loop = -1
    for i in range(first, first + count):
        state, frame = items[2 * i], items[2 * i + 1]
        if state >= LITERAL_BASE:
            continue
        flags = leaf_flags[state] >> 1
        node, value = frames[frame * FRAME_COLUMNS + 1], frames[frame * FRAME_COLUMNS + 2]
        if flags & GOES_ON:
            if frame == 0 or nodes[node * NODE_COLUMNS] != BOUNDED or free_characters(heap, node, value) >= longest:
                registers[ARGUMENT] = longest
                return OK
            loop = i
            continue
        in_copy = frame != 0 and nodes[node * NODE_COLUMNS] == REPEAT and value & 1 == 0
        if in_copy and flags & COMPLETES and nodes[node * NODE_COLUMNS + 4] < 0:
            loop = i
    if loop < 0:
        return OK
    frame = items[2 * loop + 1]
    resumed, node = frames[frame * FRAME_COLUMNS], frames[frame * FRAME_COLUMNS + 1]
    if nodes[node * NODE_COLUMNS] == BOUNDED:
        room = free_characters(heap, node, frames[frame * FRAME_COLUMNS + 2])
        if room <= 0 or not is_free_to_the_end(heap, node):
            return OK
        resumed = frame
    else:
        maximum = nodes[node * NODE_COLUMNS + 3]
        room = maximum - (frames[frame * FRAME_COLUMNS + 2] >> 1)
        if maximum < 0 or room >= longest:
            registers[ARGUMENT] = longest
            return OK
    for i in range(first, first + count):
        if i != loop and _reads_plain(heap, items[2 * i]):
            return OK
    # What follows the loop must not read plain characters either, or longer tokens could run out of it.
    after = close(heap, RESUME, resumed)
    if after < 0:
        return -after
    at = after * CONFIG_COLUMNS
    for i in range(configs[at], configs[at] + configs[at + 1]):
        if _reads_plain(heap, items[2 * i]):
            return OK
    registers[ARGUMENT] = room
    return OK
