"""A trace in a notebook: a compact piece of HTML without scripts and style sheets, since notebooks remove both from
what they do not trust. Colours are washes that read on light and on dark paper."""

import html
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slipform.lang.run_trace import RunTrace
    from slipform.lang.trace_record import Branch, Segment

MAX_CHARS = 20_000  # of text; what lies behind it is left out
MAX_BRANCHES = 24

_WASHES = {
    "sampled": "rgba(245, 158, 11, .26)",
    "forced": "rgba(6, 182, 212, .24)",
    "closing": "rgba(244, 63, 94, .26)",
    "select": "rgba(139, 92, 246, .26)",
    "written": "rgba(100, 116, 139, .24)",
}
_LABELS = {"select": "selected"}
_FAINT = "opacity: .55"
_TEXT = "font-family: monospace; white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.7; margin: .3em 0"


def notebook_html(trace: "RunTrace") -> str:
    """The text of every branch, coloured by where it came from, under a line of counts."""
    used: dict[str, None] = {}
    root, *others = trace.branches
    body = _text(root, used)
    folded = "".join(_folded(branch, used) for branch in others[:MAX_BRANCHES])
    if len(others) > MAX_BRANCHES:
        folded += f'<div style="{_FAINT}">… and {len(others) - MAX_BRANCHES} more branches</div>'
    error = f'<div><b style="color: #e11d48">{html.escape(trace.error)}</b></div>' if trace.error is not None else ""
    return f"<div>{_head(trace, used)}{error}{body}{folded}</div>"


def _head(trace: "RunTrace", used: "Collection[str]") -> str:
    counts = trace.counts
    facts = [f"{counts.tokens} tokens"] if counts.tokens else []
    if counts.passes is not None:
        facts.append(f"{counts.passes} passes")
    if counts.prompt:
        facts.append(f"{counts.cached} of {counts.prompt} prompt tokens cached")
    if trace.duration_s is not None:
        facts.append(f"{trace.duration_s * 1e3:.0f} ms")
    legend = " ".join(_washed(kind, _LABELS.get(kind, kind)) for kind in _WASHES if kind in used)
    shown = f' <span style="{_FAINT}">{" · ".join(facts)}</span>' if facts else ""
    return f"<div><b>{html.escape(trace.program)}</b>{shown} {legend}</div>"


def _folded(branch: "Branch", used: dict[str, None]) -> str:
    name = ".".join(map(str, branch.path))
    return f"<details><summary>branch {name}</summary>{_text(branch, used)}</details>"


def _text(branch: "Branch", used: dict[str, None]) -> str:
    """Neighbours of one kind share an element, so that a long text stays small."""
    parts: list[str] = []
    room = MAX_CHARS
    run_kind, run_text = "", ""

    def close() -> None:
        if run_text:
            used.setdefault(run_kind)
            parts.append(_washed(run_kind, run_text))

    for kind, text in _pieces(branch.segments):
        if len(text) > room:
            text = text[:room] + " …"
        room -= len(text)
        if kind != run_kind:
            close()
            run_kind, run_text = kind, ""
        run_text += text
        if room <= 0:
            break
    close()
    return f'<div style="{_TEXT}">{"".join(parts)}</div>'


def _pieces(segments: "Sequence[Segment]") -> "Iterator[tuple[str, str]]":
    for segment in segments:
        if segment.state != "done":
            yield "template", f"⟨{segment.name or segment.kind}: {segment.error or 'not written yet'}⟩"
        elif segment.kind in ("text", "template", "select"):
            yield segment.kind, segment.text
        elif segment.tokens and segment.written is None:
            for token in segment.tokens:
                yield token.source if token.source in _WASHES else "written", token.text
        else:
            yield "written", segment.text


def _washed(kind: str, text: str) -> str:
    shown = html.escape(text, quote=False)
    if kind == "text":
        return shown
    if kind == "template":
        return f'<span style="{_FAINT}">{shown}</span>'
    return f'<span style="background: {_WASHES[kind]}; border-radius: 3px">{shown}</span>'
