"""A slow, plain recogniser for context-free grammars: the oracle of the EBNF and Lark tests."""

import re
from collections.abc import Mapping

# ("text", str) | ("regex", str) | ("ref", name) | ("seq", [..]) | ("alt", [..]) | ("rep", body, minimum, maximum)
Expression = tuple[object, ...]


def derives(rules: Mapping[str, Expression], root: str, text: str) -> bool:
    """Whether `root` derives `text`: ends reachable from each start, iterated until nothing is added."""
    ends: dict[tuple[str, int], set[int]] = {}

    def run(expression: Expression, start: int) -> set[int]:
        kind, *operands = expression
        if kind == "text":
            (literal,) = operands
            return {start + len(literal)} if text.startswith(literal, start) else set()
        if kind == "regex":
            (pattern,) = operands
            compiled = re.compile(pattern, re.DOTALL)
            return {end for end in range(start, len(text) + 1) if compiled.fullmatch(text, start, end)}
        if kind == "ref":
            return set(ends.setdefault((operands[0], start), set()))
        if kind == "seq":
            reached = {start}
            for part in operands[0]:
                reached = {end for middle in reached for end in run(part, middle)}
            return reached
        if kind == "alt":
            return {end for option in operands[0] for end in run(option, start)}
        body, minimum, maximum = operands
        reached, result, count = {start}, set(), 0
        seen = []
        while True:
            if count >= minimum:
                result |= reached
            if count == maximum or not reached or (count >= minimum and reached in seen):
                return result
            seen.append(reached)
            reached = {end for middle in reached for end in run(body, middle)}
            count += 1

    changed = True
    while changed:
        changed = False
        for name, body in rules.items():
            for start in range(len(text) + 1):
                known = ends.setdefault((name, start), set())
                found = run(body, start)
                if not found <= known:
                    known |= found
                    changed = True
    return len(text) in ends.get((root, 0), set())
