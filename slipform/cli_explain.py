"""`slipform explain`: how one fill came to be."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from slipform.cli_run import find_program, load_module, open_backend, row_arguments, rows_of
from slipform.errors import ConfigError
from slipform.explain_page import render_page
from slipform.lang import api, roles
from slipform.lang.backend import Backend
from slipform.lang.ir import Expr
from slipform.lang.plan import describe_constraint
from slipform.lang.program import Program
from slipform.lang.state import ProgramState
from slipform.runtime.request import FillResult, TokenLogprob

NUM_ALTERNATIVES = 5


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One output token.

    Attributes:
        forced: the grammar left no choice. num_allowed: tokens that the mask admitted.
        probability: of this token before masking, or None. alternatives: the likeliest tokens and their probabilities.
        step: engine step that made it. cost_ms: its share of that step's time.
    """

    text: str
    token_id: int
    forced: bool
    num_allowed: int
    probability: float | None
    alternatives: tuple[tuple[str, float], ...]
    step: int
    cost_ms: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """One fill, for people. Lengths in tokens."""

    title: str
    constraint: str
    before: str
    text: str
    tokens: tuple[TokenRow, ...]
    finish_reason: str
    prompt_len: int
    cached_len: int
    mask_ms: float

    @property
    def num_forced(self) -> int:
        return sum(token.forced for token in self.tokens)

    @property
    def num_steps(self) -> int:
        """Engine steps that this fill took part in."""
        return len({token.step for token in self.tokens})

    @property
    def cost_ms(self) -> float:
        return sum(token.cost_ms for token in self.tokens)


def explain(
    what: str,
    *,
    model: Path | None,
    shape: Mapping[str, str | None],
    chat: bool,
    options: Mapping[str, Any],
    program: str | None,
    fill: str | None,
    row: int,
    html: Path | None,
) -> None:
    """Run, print the table, and write the page if asked for one."""
    if what.endswith(".py"):
        module = load_module(Path(what))
        chosen = find_program(module, program)
        arguments = dict(row_arguments(rows_of(None, module, chosen), row))
        limits: dict[str, Any] = {}
    else:
        chosen, arguments = _program_of(what, shape, chat), {}
        limits = dict(options)
        fill = "fill"
    backend = open_backend(model)
    found = explain_fill(chosen, arguments, fill, backend, {**limits, "temperature": options["temperature"]})
    console = Console(highlight=False)
    _print(console, found)
    if html is not None:
        try:
            html.write_text(render_page(found), encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"{html} cannot be written: {error}", field="--html") from error
        console.print(f"Wrote {html}.")


def explain_fill(
    program: Program, arguments: Mapping[str, Any], name: str | None, backend: Backend, options: Mapping[str, Any]
) -> Explanation:
    """Run `program` and explain its variable `name` (by default the first that a fill made).

    It runs twice, with the same seed: asking for log-probabilities makes the model score forced tokens one by one, so
    the first run shows what a plain run does and the second only adds the alternatives.

    Raises: ConfigError when there is no such fill.
    """
    wanted = {"seed": 0, **{key: value for key, value in options.items() if value is not None}}
    state = program.run(**{**arguments, **wanted}, backend=backend)
    scored = program.run(
        **{**arguments, **wanted}, backend=backend, return_logprob=True, top_logprobs_num=NUM_ALTERNATIVES
    )
    filled = [variable for variable in state.variables() if state.get_fills(variable)]
    if not filled:
        raise ConfigError(f"{program.name} filled no hole", field="--fill")
    chosen = name or filled[0]
    if chosen not in filled:
        raise ConfigError(f"{chosen!r} is none of the fills {', '.join(filled)}", field="--fill")
    return _explanation(program, state, scored, chosen, backend)


def _explanation(
    program: Program, state: ProgramState, scored: ProgramState, name: str, backend: Backend
) -> Explanation:
    result = state.get_fills(name)[0]
    again = scored.get_fills(name)[0] if name in scored else result
    logprobs = again.logprobs if again.token_ids == result.token_ids else ()
    meta = state.get_meta_info(name)
    meta = meta[0] if isinstance(meta, list) else meta
    text = state.text()
    place = text.find(result.text)
    node = next(leaf.node for leaf in state.machine.cell(name).leaves())  # type: ignore[attr-defined]
    label = node.value_type.label if node.value_type is not None else None
    return Explanation(
        title=f"{program.name}: {name}" if name != "fill" else "One fill",
        constraint=describe_constraint(node.constraint, label),
        before=text[:place] if place >= 0 else "",
        text=result.text,
        tokens=_token_rows(result, logprobs, backend),
        finish_reason=result.finish_reason,
        prompt_len=meta["prompt_tokens"],
        cached_len=meta["cached_tokens"],
        mask_ms=result.mask_ms,
    )


def _token_rows(result: FillResult, logprobs: Sequence[TokenLogprob], backend: Backend) -> tuple[TokenRow, ...]:
    rows = []
    for index, trace in enumerate(result.trace):
        scored = logprobs[index] if index < len(logprobs) else None
        rows.append(
            TokenRow(
                text=backend.decode((trace.token_id,)),
                token_id=trace.token_id,
                forced=trace.source == "forced",
                num_allowed=trace.num_allowed,
                probability=None if scored is None or math.isnan(scored.logprob) else math.exp(scored.logprob),
                alternatives=tuple((backend.decode((token,)), math.exp(value)) for token, value in scored.top)
                if scored is not None
                else (),
                step=trace.step,
                cost_ms=trace.cost_ms,
            )
        )
    return tuple(rows)


def _program_of(prompt: str, shape: Mapping[str, str | None], chat: bool) -> Program:
    """A program with one hole behind a prompt."""
    given = {key: value for key, value in shape.items() if value is not None}
    if len(given) > 1:
        raise ConfigError(f"{' and '.join('--' + key for key in given)} exclude each other", field="explain")
    hole = _hole(given)

    def explain(s: ProgramState) -> None:
        if chat:
            s += roles.user(prompt)
            s += roles.assistant(hole)
        else:
            s += prompt + hole

    return Program(explain)


def _hole(given: Mapping[str, str]) -> Expr:
    if "choices" in given:
        options = [option.strip() for option in given["choices"].split(",")]
        return api.select("fill", options, choices_method="masked_decoding")
    if "schema" in given:
        return api.gen("fill", json_schema=_schema_text(given["schema"]))
    return api.gen("fill", regex=given.get("regex"))


def _schema_text(value: str) -> str:
    if value.lstrip().startswith("{") or value in ("true", "false"):
        return value
    try:
        return json.dumps(json.loads(Path(value).read_text(encoding="utf-8")))
    except (OSError, json.JSONDecodeError) as error:
        raise ConfigError(f"{value} is neither JSON nor a file that holds JSON: {error}", field="--schema") from error


def _print(console: Console, found: Explanation) -> None:
    table = Table(box=box.SIMPLE_HEAD, title=f"{found.title} · {found.constraint}", title_justify="left")
    table.add_column("#", justify="right", style="dim")
    table.add_column("token")
    table.add_column("how")
    table.add_column("allowed", justify="right")
    table.add_column("chance", justify="right")
    table.add_column("step", justify="right", style="dim")
    table.add_column("ms", justify="right", style="dim")
    for index, token in enumerate(found.tokens):
        how = Text("forced", style="cyan") if token.forced else Text("sampled", style="green")
        chance = "" if token.probability is None else f"{token.probability:.1%}"
        shown = Text(json.dumps(token.text, ensure_ascii=False)[1:-1].replace('\\"', '"'))
        table.add_row(str(index), shown, how, f"{token.num_allowed:,}", chance, str(token.step), f"{token.cost_ms:.2f}")
    console.print(table)
    sampled = len(found.tokens) - found.num_forced
    console.print(
        f"{len(found.tokens)} tokens in {found.num_steps} steps: {sampled} sampled, {found.num_forced} forced · "
        f"{found.cached_len} of {found.prompt_len} prompt tokens cached · masks {found.mask_ms:.2f} ms, "
        f"compute {found.cost_ms:.1f} ms · ended by {found.finish_reason}"
    )
    console.print(Text(found.text, style="bold"))
