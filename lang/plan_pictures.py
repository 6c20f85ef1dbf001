"""Plans as pictures: Graphviz and Mermaid sources of one graph."""

from dataclasses import dataclass, field

from slipform.lang.plan import Plan, Step

_SHAPES = {"prefix": "cylinder", "fork": "triangle", "join": "invtriangle", "look": "diamond", "end": "diamond"}
_MERMAID_SHAPES = {
    "prefix": ("[(", ")]"),
    "fork": ("([", "])"),
    "join": ("([", "])"),
    "look": ("{", "}"),
    "end": ("{", "}"),
}


@dataclass(slots=True)
class _Graph:
    """Boxes in order, with their kind and lines of text, and the arrows between them."""

    boxes: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    arrows: list[tuple[int, int, str]] = field(default_factory=list)

    def add(self, step: Step, before: list[int], arrow: str = "") -> int:
        lines = (step.label, *(_line(below) for below in step.below if step.kind != "fork"))
        self.boxes.append((step.kind, lines))
        number = len(self.boxes) - 1
        self.arrows.extend((other, number, arrow) for other in before)
        return number

    def add_all(self, steps: tuple[Step, ...], before: list[int], arrow: str = "") -> list[int]:
        """Add steps in a row; returns the boxes at their end."""
        ends = before
        for step in steps:
            box = self.add(step, ends, arrow)
            arrow = ""
            ends = [box]
            if step.kind == "fork":
                ends = [end for branch in step.below for end in self.add_all(branch.below, [box], branch.label)] or [
                    box
                ]
        return ends


def dot(plan: Plan) -> str:
    """The plan in Graphviz's language."""
    graph = _graph_of(plan)
    lines = [f"digraph {_dot_text(plan.program)} {{", '  node [shape=box, fontname="sans-serif"]']
    for number, (kind, texts) in enumerate(graph.boxes):
        label = "".join(_dot_line(text) for text in texts)
        lines.append(f'  n{number} [shape={_SHAPES.get(kind, "box")}, label="{label}"]')
    for begin, end, text in graph.arrows:
        lines.append(f"  n{begin} -> n{end}" + (f" [label={_dot_text(text)}]" if text else ""))
    return "\n".join([*lines, "}"])


def mermaid(plan: Plan) -> str:
    """The plan as a Mermaid flowchart, which GitHub and notebooks draw."""
    graph = _graph_of(plan)
    lines = ["flowchart TD"]
    for number, (kind, texts) in enumerate(graph.boxes):
        opening, closing = _MERMAID_SHAPES.get(kind, ("[", "]"))
        lines.append(f'  n{number}{opening}"{"<br/>".join(map(_mermaid_text, texts))}"{closing}')
    for begin, end, text in graph.arrows:
        middle = f'-- "{_mermaid_text(text)}" -->' if text else "-->"
        lines.append(f"  n{begin} {middle} n{end}")
    return "\n".join(lines)


def _graph_of(plan: Plan) -> _Graph:
    graph = _Graph()
    graph.add_all(plan.steps, [])
    return graph


def _line(step: Step) -> str:
    return f"{step.kind} {step.label}" if step.kind in ("fill", "select") else step.label


def _dot_text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


def _dot_line(text: str) -> str:
    """A line of a label, aligned to the left."""
    return _dot_text(text)[1:-1] + r"\l"


def _mermaid_text(text: str) -> str:
    """Text in quotes: characters that Mermaid or HTML would read are written as entities."""
    escaped = text.replace("#", "#35;").replace("&", "#amp;").replace('"', "#quot;").replace("\n", " ")
    return escaped.replace("<", "#lt;").replace(">", "#gt;")
