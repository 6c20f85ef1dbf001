"""The page of a trace: one file with its style, its script and its data, which asks for nothing from elsewhere.

The data is JSON inside a script element of a type that browsers do not run, with every `<` written as `\\u003c`, and
the script puts text into the page as text only. A content security policy allows this script and this style, by their
hashes, and nothing else: not even a trace that found a way into the markup could run or load anything.
"""

import base64
import hashlib
import html
from functools import cache
from importlib import resources
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slipform.lang.run_trace import RunTrace

# In the order in which they build on each other.
_SCRIPTS = ("data.js", "card.js", "text.js", "timeline.js", "overview.js", "main.js")


def render_page(trace: "RunTrace") -> str:
    """The page as text."""
    style = _part("page.css")
    script = f'"use strict";\n{"".join(map(_part, _SCRIPTS))}'
    return Template(_part("page.html")).substitute(
        title=html.escape(f"{trace.program} · Slipform trace"),
        style=style,
        style_hash=_hash(style),
        script=script,
        script_hash=_hash(script),
        data=_inside_script(trace.to_json()),
        text=html.escape(trace.text),
    )


@cache
def _part(name: str) -> str:
    return resources.files("slipform.lang").joinpath("trace_page", name).read_text(encoding="utf-8")


def _hash(source: str) -> str:
    """How a content security policy names an inline script or style."""
    return f"sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}"


def _inside_script(data: str) -> str:
    """JSON that neither ends its script element nor begins a comment in it."""
    return data.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
