"""The primitives that programs are written with, but for roles.py: they check their arguments and build nodes."""

import inspect
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, overload

from slipform.errors import ArgumentError, ConstraintError, GrammarError, InvalidRequest, ProgramError
from slipform.grammars.spec import Ebnf, GrammarSpec, Lark, Regex
from slipform.lang import ir
from slipform.lang.arguments import check_name, checked
from slipform.lang.calls import CALL_OPTIONS, make_call
from slipform.lang.choices import TOKEN_LENGTH_NORMALIZED, check_choices, check_method
from slipform.lang.ir import at
from slipform.lang.options import SamplingOptions
from slipform.lang.program import Program
from slipform.lang.reasoning import check_model_type
from slipform.lang.shape import Shape
from slipform.lang.tools import as_tools
from slipform.lang.types import ValueType, json_type, plain_type
from slipform.runtime.request import Finish


@overload
def function(func: Callable[..., Any]) -> Program: ...
@overload
def function(
    func: None = None, *, num_api_spec_tokens: int | None = None
) -> Callable[[Callable[..., Any]], Program]: ...
@checked()
def function(
    func: Callable[..., Any] | None = None, *, num_api_spec_tokens: int | None = None
) -> Program | Callable[[Callable[..., Any]], Program]:
    """Make a program of a Python function whose first parameter is `s`, the state.

    `async def` functions work too; they await their looks (`await s.aget("x")`).

    `num_api_spec_tokens` is for backends whose API fills one hole a call: a hole with a stop string is asked for at
    least so many tokens, and the holes behind it are read out of the same answer as far as it goes on as the program
    does. Other backends fill all holes of a straight run in one request anyway.

    Raises: ProgramError when the first parameter is not named `s`.
    """
    if func is not None and not callable(func):
        raise ArgumentError(f"{func!r} is no function{at(ir.caller_origin())}", primitive="function")
    if func is None:
        return lambda inner: Program(inner, num_api_spec_tokens=num_api_spec_tokens)
    return Program(func, num_api_spec_tokens=num_api_spec_tokens)


@checked(elsewhere={"pattern": "regex", "guided_regex": "regex", "options": "choices", "json": "schema"})
def gen(
    name: str | None = None,
    max_tokens: int | None = None,
    min_tokens: int | None = None,
    n: int | None = None,
    stop: str | Sequence[str] | None = None,
    stop_token_ids: int | Sequence[int] | None = None,
    stop_regex: str | Sequence[str] | None = None,
    temperature: float | None = None,
    top_p: float | None = None,
    top_k: int | None = None,
    min_p: float | None = None,
    frequency_penalty: float | None = None,
    presence_penalty: float | None = None,
    ignore_eos: bool | None = None,
    return_logprob: bool | None = None,
    logprob_start_len: int | None = None,
    top_logprobs_num: int | None = None,
    return_text_in_logprobs: bool | None = None,
    dtype: Any = None,
    choices: Sequence[str] | None = None,
    choices_method: Any = None,
    regex: str | None = None,
    json_schema: str | Mapping[str, Any] | None = None,
    *,
    schema: Any = None,
    ebnf: str | None = None,
    lark: str | None = None,
    grammar: Shape | GrammarSpec | None = None,
    seed: int | None = None,
    logit_bias: Mapping[int, float] | None = None,
    repetition_penalty: float | None = None,
    finish: Finish | None = None,
) -> ir.Expr:
    """A hole that the model fills.

    Args:
        name: the variable that holds the result; None only appends.
        max_tokens, min_tokens, n, stop … return_text_in_logprobs: as in SGLang; what is None comes from `run`.
            With n > 1 the variable is a list, and the text goes on with the first.
        schema: the result is JSON of this shape, and `s[name]` the validated object: a JSON Schema (dict or JSON text),
            or any type that Pydantic knows (a model, dataclass, TypedDict, Enum, Literal, `list[Ticket]`, `X | None`,
            date, Decimal, UUID …).
        dtype: the result is the bare text of this type. int, float, bool and str leave `s[name]` text, as in SGLang;
            an Enum, Literal, date, time, UUID or Decimal gives the value; any other type means `schema`.
        json_schema: as `schema` with a dict or JSON text, but `s[name]` stays text, as in SGLang.
        choices, choices_method: makes this a `select`.
        regex: Python `re` syntax; the whole result matches. ebnf: a GBNF grammar with rule `root`.
        lark: a Lark grammar with rule `start`. grammar: a shape of `sf.shapes`, whose captures become variables, or any
            spec of `slipform.grammars.spec`.
        finish: what happens when a constrained hole runs out of tokens. "valid" (default for `schema`,
            `json_schema` and shapes): the text is closed along the shortest way to a match, within `max_tokens`; the
            metadata says `closed`. "cut": it ends as it stands.

    Raises: ArgumentError naming the argument that is wrong, or two constraints of which only one can hold.
    """
    origin = ir.caller_origin()
    check_name(name, primitive="gen", origin=origin)
    primitive = f"gen({name!r})"
    values = {
        "max_tokens": max_tokens,
        "min_tokens": min_tokens,
        "n": n,
        "stop": stop,
        "stop_token_ids": stop_token_ids,
        "stop_regex": stop_regex,
        "temperature": temperature,
        "top_p": top_p,
        "top_k": top_k,
        "min_p": min_p,
        "frequency_penalty": frequency_penalty,
        "presence_penalty": presence_penalty,
        "repetition_penalty": repetition_penalty,
        "logit_bias": logit_bias,
        "seed": seed,
        "ignore_eos": ignore_eos,
        "return_logprob": return_logprob,
        "logprob_start_len": logprob_start_len,
        "top_logprobs_num": top_logprobs_num,
        "return_text_in_logprobs": return_text_in_logprobs,
        "finish": finish,
    }
    try:
        options = SamplingOptions.of(values)
    except (InvalidRequest, TypeError, ValueError) as error:
        raise ArgumentError(f"{error}{at(origin)}", primitive=primitive) from error
    shapes = {
        "dtype": dtype,
        "choices": choices,
        "regex": regex,
        "json_schema": json_schema,
        "schema": schema,
        "ebnf": ebnf,
        "lark": lark,
        "grammar": grammar,
    }
    given = [key for key, value in shapes.items() if value is not None]
    if given == ["dtype", "regex"]:
        warnings.warn(f"{primitive}: dtype wins over regex, which is ignored{at(origin)}", stacklevel=2)
        given = ["dtype"]
    if len(given) > 1:
        raise ArgumentError(f"{' and '.join(given)} exclude each other{at(origin)}", primitive=primitive)
    if choices is not None:
        return _select(name, choices, choices_method, options, origin)
    constraint, value_type, shape = (
        _shape(given[0], shapes[given[0]], primitive, origin) if given else (None, None, None)
    )
    if shape is not None:
        _check_shape(shape, options, primitive, origin)
        if finish is None:
            options = replace(options, finish="valid")
    if finish == "valid" and constraint is None:
        raise ArgumentError(f'finish="valid" needs a constraint to end with{at(origin)}', primitive=primitive)
    return ir.Gen(name, options, constraint, value_type, origin, shape)


def _shape(
    kind: str, value: Any, primitive: str, origin: ir.Origin | None
) -> tuple[GrammarSpec, ValueType | None, Shape | None]:
    if kind in ("schema", "dtype", "json_schema"):
        value_type = _value_type(kind, value, primitive, origin)
        return value_type.spec, value_type if kind != "json_schema" else None, None
    if kind == "grammar" and isinstance(value, Shape):
        return value.spec, value.value_type, value
    if kind == "grammar":
        if not isinstance(value, GrammarSpec):
            advice = "; the text of a grammar goes to ebnf= or lark=" if isinstance(value, str) else ""
            raise ArgumentError(
                f"grammar={value!r} is no shape and no grammar spec{advice}{at(origin)}", primitive=primitive
            )
        return value, None, None
    if not isinstance(value, str):
        raise ArgumentError(f"{kind}={value!r} is no text{at(origin)}", primitive=primitive)
    return {"regex": Regex, "ebnf": Ebnf, "lark": Lark}[kind](value), None, None


def _value_type(kind: str, value: Any, primitive: str, origin: ir.Origin | None) -> ValueType:
    """Raises: ConstraintError for JSON text that is no schema, ArgumentError for what is no type."""
    try:
        return plain_type(value) if kind == "dtype" else json_type(value)
    except GrammarError as error:
        raise ConstraintError(f"{type(error).__name__}: {error}{at(origin)}", primitive=primitive) from error
    except ProgramError as error:
        raise ArgumentError(f"{error}{at(origin)}", primitive=primitive) from error


def _check_shape(shape: Shape, options: SamplingOptions, primitive: str, origin: ir.Origin | None) -> None:
    """Raises: ArgumentError for several completions of what has captures or parts with options of their own."""
    try:
        several_parts = len(shape.pieces()) > 1
    except ArgumentError as error:
        raise ArgumentError(f"{error}{at(origin)}", primitive=primitive) from error
    if (options.n or 1) > 1 and (several_parts or shape.captures):
        raise ArgumentError(
            f"n={options.n} and captures, or parts with options of their own, exclude each other{at(origin)}",
            primitive=primitive,
        )


_CONSTRAINTS = {"dtype", "choices", "choices_method", "regex", "json_schema", "schema", "ebnf", "lark", "grammar"}
# No variable is named with these, and few patterns do without.
_PATTERN_SIGNS = frozenset("\\[](){}*+?|^$")
# What `gen` takes beside the constraint that these give it.
_GEN_OPTIONS = frozenset(inspect.signature(gen).parameters) - _CONSTRAINTS


@checked(options=_GEN_OPTIONS)
def gen_int(
    name: str | None = None,
    max_tokens: int | None = None,
    n: int | None = None,
    stop: str | Sequence[str] | None = None,
    **options: Any,
) -> ir.Expr:
    """`gen` of a whole number, as text (`int(s[name])` always works); takes `gen`'s other arguments.

    For an `int` in `s[name]`, write `gen(name, schema=int)`.
    """
    return gen(name, max_tokens, n=n, stop=stop, dtype=int, **options)


@checked(options=_GEN_OPTIONS)
def gen_string(
    name: str | None = None,
    max_tokens: int | None = None,
    n: int | None = None,
    stop: str | Sequence[str] | None = None,
    **options: Any,
) -> ir.Expr:
    """`gen` of text in double quotes, the quotes included; takes `gen`'s other arguments."""
    return gen(name, max_tokens, n=n, stop=stop, dtype=str, **options)


@checked(options=_GEN_OPTIONS, elsewhere={"regex": "pattern"})
def regex(pattern: str, name: str | None = None, **options: Any) -> ir.Expr:
    """`gen` of a text that `pattern` (Python `re` syntax) matches as a whole; takes `gen`'s other arguments.

    Raises: ArgumentError where the two are swapped: `pattern` could name a variable, `name` is written as a pattern.
    """
    if isinstance(name, str) and isinstance(pattern, str) and pattern.isidentifier() and _PATTERN_SIGNS & set(name):
        raise ArgumentError(
            f"the pattern comes first: write regex({name!r}, name={pattern!r}){at(ir.caller_origin())}",
            primitive=f"regex({pattern!r}, {name!r})",
        )
    return gen(name, regex=pattern, **options)


@checked(elsewhere={"options": "choices"})
def select(
    name: str | None = None,
    choices: Sequence[str] | None = None,
    temperature: float = 0.0,
    choices_method: Any = None,
) -> ir.Expr:
    """A hole that takes the option which the model finds best; `s[name]` is that option.

    The model reads every option in one batch over the shared prefix. `s.get_meta_info(name)` holds the distribution
    over the options (`probabilities`, which sum to 1), its `entropy` and `margin`, and each option's log-probabilities.

    Args:
        choices_method: `sf.token_length_normalized` (default), `sf.greedy_token_selection`,
            `sf.unconditional_likelihood_normalized`, or `sf.masked_decoding`: the model writes one of the options under
            a mask, which needs no scoring and fuses with the fills around it, but gives no distribution.
        temperature: 0 only; scoring has nothing to sample.

    Raises: ArgumentError for no options, repeated ones, or an unknown method.
    """
    origin = ir.caller_origin()
    check_name(name, primitive="select", origin=origin)
    if temperature > 1e-5:
        raise ArgumentError(
            f"scores options, so temperature must be 0, got {temperature!r}{at(origin)}", primitive=f"select({name!r})"
        )
    if choices is None:
        raise ArgumentError(f"needs choices{at(origin)}", primitive=f"select({name!r})")
    return _select(name, choices, choices_method, SamplingOptions(), origin)


def _select(
    name: str | None, choices: Sequence[str], method: Any, options: SamplingOptions, origin: ir.Origin | None
) -> ir.Expr:
    texts = check_choices(choices, primitive=f"select({name!r})", where=at(origin))
    rule = check_method(method if method is not None else TOKEN_LENGTH_NORMALIZED)
    return ir.Select(name, texts, rule, options, origin)


@checked(options=CALL_OPTIONS)
def call(
    name: str,
    tools: Sequence[Any],
    *,
    max_calls: int = 8,
    parallel: bool = False,
    text: bool = True,
    required: bool = False,
    final: bool = True,
    format_error: Callable[[Exception], str] | None = None,
    **options: Any,
) -> ir.Expr:
    """Let the model call tools: it writes calls, they run, and it is told their results until it answers.

    `s[name]` is the answer, and `s["NAME_calls"]` the list of `ToolCall`s. It writes messages of its own, so no role
    may be open. The model learns of the tools by `sf.tool_prompt(tools)` in a message of yours. Calls have the form
    that the model's chat template gives them, and results are messages of role `tool`; models whose template knows no
    tools write Hermes' form, and get results in messages of the user. In an `async def` program write
    `await s.acall(...)`.

    Args:
        tools: made with `sf.tool` or `sf.mcp_tools`, or plain functions.
        max_calls: calls in all; after the last one the model can only answer. Where one turn asks for more, the ones
            beyond it are not run, and the model is told so.
        parallel: several calls in one turn, which run at the same time.
        text: the model may write text before a call, where its format allows that.
        required: its first turn must be a call.
        final: it answers after its calls. Without that, the loop ends with the last of `max_calls` calls.
        format_error: what the model is told of an exception; by default its kind and message.
        options: of each turn, as of `gen`.

    Raises: ArgumentError for tools that are none, or arguments that are out of range.
    """
    return make_call(
        name,
        tools,
        max_calls=max_calls,
        parallel=parallel,
        text=text,
        required=required,
        final=final,
        format_error=format_error,
        **options,
    )


@checked()
def tool_prompt(tools: Sequence[Any]) -> ir.ToolPrompt:
    """Tells the model of tools, in a message of yours: `sf.system("You run a shop. " + sf.tool_prompt([stock]))`.

    A model whose chat template has a place for tools is told there, in its own format. Any other one is told in words,
    which stand where this does; `.text` holds them.

    Raises: ArgumentError for what is no list of tools.
    """
    return ir.ToolPrompt(as_tools(tools))


@checked()
def image(path: str | bytes) -> ir.Expr:
    """An image, for backends that see; others raise BackendError when the program runs."""
    return ir.Image(path)


@checked()
def video(path: str, num_frames: int) -> ir.Expr:
    """Frames of a video, for backends that see; others raise BackendError when the program runs."""
    return ir.Video(path, num_frames)


@checked()
def separate_reasoning(expr: ir.Expr, model_type: str) -> ir.Expr:
    """The fills in `expr` lose their thoughts: `s["x"]` is the answer, `s["x_reasoning_content"]` what came before it.

    The thoughts are not part of the text that follows. Such a fill gets a request of its own.

    Args:
        model_type: whose markers to look for: "deepseek-r1", "qwen3", …
    """
    return ir.Reasoning(expr, check_model_type(model_type))
