"""One self-contained HTML page that shows a fill: no script to load, no font, no picture from elsewhere."""

import html
import math
from importlib import resources
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slipform.cli_explain import Explanation, TokenRow


def render_page(found: "Explanation") -> str:
    """The page as text."""
    share = found.num_forced / len(found.tokens) if found.tokens else 0.0
    page = Template(resources.files("slipform").joinpath("explain_page.html").read_text(encoding="utf-8"))
    return page.substitute(
        title=html.escape(found.title),
        constraint=html.escape(found.constraint),
        cards="".join(f'<div class="card"><b>{value}</b><span>{label}</span></div>' for value, label in _cards(found)),
        share=f"{share:.1%}",
        before=html.escape(found.before),
        tokens="".join(_token(index, token) for index, token in enumerate(found.tokens)),
        chart=_chart(found.tokens),
        finish=html.escape(found.finish_reason),
    )


def _cards(found: "Explanation") -> list[tuple[str, str]]:
    sampled = len(found.tokens) - found.num_forced
    return [
        (str(len(found.tokens)), "tokens"),
        (str(found.num_forced), "forced by the grammar"),
        (str(sampled), "sampled by the model"),
        (str(found.num_steps), "steps of the engine"),
        (f"{found.cached_len}/{found.prompt_len}", "prompt tokens cached"),
        (f"{found.cost_ms:.1f} ms", "its share of compute"),
        (f"{found.mask_ms:.1f} ms", "spent on masks"),
    ]


def _token(index: int, token: "TokenRow") -> str:
    surprise = (
        0.0 if token.probability is None or token.forced else min(1.0, -math.log10(max(token.probability, 1e-6)) / 2)
    )
    kind = "t forced" if token.forced else "t"
    return (
        f'<span class="{kind}" tabindex="0" style="--u:{surprise:.2f}">{html.escape(_visible(token.text))}'
        f'<span class="tip">{_tip(index, token)}</span></span>'
    )


def _tip(index: int, token: "TokenRow") -> str:
    rows = "".join(
        f'<tr><td><code>{html.escape(repr(text))}</code><span class="bar" style="width:{max(1.0, 100 * chance):.0f}%">'
        f"</span></td><td>{chance:.1%}</td></tr>"
        for text, chance in token.alternatives
    )
    how = "forced: the only token possible" if token.forced else f"sampled out of {token.num_allowed:,} allowed"
    chance = "" if token.probability is None else f" · {token.probability:.1%}"
    return (
        f"<h2><code>{html.escape(repr(token.text))}</code>{chance}</h2>{how}<br>token {index}, id {token.token_id}, "
        f"step {token.step}, {token.cost_ms:.2f} ms<table>{rows}</table>"
    )


def _visible(text: str) -> str:
    return text.replace("\n", "⏎\n")


def _chart(tokens: "tuple[TokenRow, ...]") -> str:
    width, height, floor = 960, 150, 128
    if not tokens:
        return ""
    top = max(1.0, max(math.log10(max(1, token.num_allowed)) for token in tokens))
    pitch = (width - 40) / len(tokens)
    bars = []
    for index, token in enumerate(tokens):
        tall = max(2.0, 110 * math.log10(max(1, token.num_allowed)) / top)
        kind = "forced" if token.forced else "sampled"
        place = f'x="{30 + index * pitch:.1f}" y="{floor - tall:.1f}"'
        size = f'width="{max(1.0, pitch * 0.78):.1f}" height="{tall:.1f}"'
        label = f"{html.escape(repr(token.text))}: {token.num_allowed:,}"
        bars.append(f'<rect class="{kind}" {place} {size} rx="1.5"><title>{label}</title></rect>')
    marks = "".join(
        f'<line x1="30" x2="{width - 10}" y1="{floor - 110 * power / top:.1f}" y2="{floor - 110 * power / top:.1f}"/>'
        f'<text x="6" y="{floor - 110 * power / top + 4:.1f}">{_short(10**power)}</text>'
        for power in range(math.floor(top) + 1)
    )
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="allowed tokens">{marks}{"".join(bars)}</svg>'


def _short(number: int) -> str:
    return f"{number // 1000}k" if number >= 1000 else str(number)
