"""The command line: `slipform run`, `slipform serve`, `slipform check`, `slipform explain`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from slipform import __version__, cli_serve
from slipform.errors import ConfigError, SlipformError

app = typer.Typer(
    name="slipform",
    help="Programs with holes, filled by a language model, in a guaranteed shape.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

ModelOption = Annotated[
    Path | None,
    typer.Option("--model", "-m", metavar="DIR", help="A Hugging Face checkpoint; by default the embedded model."),
]

OK, ROWS_FAILED, UNUSABLE = 0, 1, 2

app.command(epilog=cli_serve.EPILOG)(cli_serve.serve)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"slipform {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Programs with holes, filled by a language model, in a guaranteed shape."""


@app.command(
    epilog="[bold]Examples[/bold]\n\n"
    "slipform run examples/tickets.py\n\n"
    "slipform run examples/invoices.py --input examples/invoices.jsonl --output found.jsonl\n\n"
    "slipform run examples/tickets.py --model ~/models/Qwen3-0.6B --temperature 0 --limit 10\n\n"
    "slipform run job.py --input mails.csv --output found.parquet --as-completed --resume\n\n"
    "slipform run examples/review.py --trace review.html\n\n"
    "[bold]Exit codes[/bold]: 0 all rows done, 1 some rows failed (the output holds their errors), 2 nothing could run."
)
def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A Python file with a program, made with @sf.function.")],
    model: ModelOption = None,
    rows: Annotated[
        str | None,
        typer.Option(
            "--input",
            "-i",
            metavar="ROWS",
            help="JSON Lines, one object of program arguments a line; .csv or .parquet, a column for each argument; "
            "- reads JSON Lines from the standard input. By default the list ROWS in FILE.",
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="Write JSON Lines here, one line a row, with its input, its variables and its error if it failed; "
            "each is on disk as soon as its row is finished. .csv and .parquet are made of OUT.jsonl at the end. "
            "- writes lines to the standard output. By default a table is shown.",
        ),
    ] = None,
    program: Annotated[
        str | None, typer.Option(help="Which program of FILE to run; needed when it holds several.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Run only the first rows.")] = None,
    temperature: Annotated[float | None, typer.Option(min=0.0, help="For fills that do not say; 0 is greedy.")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="For fills that do not say.")] = None,
    seed: Annotated[int | None, typer.Option(help="Makes sampling repeatable.")] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, help="Rows in flight at once.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a job that was stopped: run the rows that OUT does not hold.")
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="With --resume: run the rows that failed again, too.")
    ] = False,
    as_completed: Annotated[
        bool, typer.Option("--as-completed", help="Write rows as they finish instead of in their order.")
    ] = False,
    retries: Annotated[
        int, typer.Option(min=0, help="How often a row is begun anew that fails for a reason that passes.")
    ] = 2,
    price: Annotated[
        str | None,
        typer.Option(metavar="IN,OUT", help="Money for a million tokens read and written; shows the cost so far."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress bar and no summary.")] = False,
    trace: Annotated[
        Path | None,
        typer.Option(
            metavar="PAGE",
            help="Run one row, and write a page that shows how its text came to be; or JSON, where the name ends so.",
        ),
    ] = None,
    row: Annotated[int, typer.Option(min=0, help="With --trace: which row.")] = 0,
) -> None:
    """Run a program over rows.

    Every row is run for itself: one that fails is reported in its place and the others go on.
    """
    from slipform import cli_run

    given = {"temperature": temperature, "max_tokens": max_tokens, "seed": seed}
    sampling = {key: value for key, value in given.items() if value is not None}
    if trace is not None:
        if output is not None or limit is not None:
            raise ConfigError("runs one row and shows it; --output and --limit have no place there", field="--trace")
        failed = cli_run.trace_row(
            file, model=model, rows=rows, program=program, row=row, page=trace, sampling=sampling
        )
        raise typer.Exit(ROWS_FAILED if failed else OK)
    options = cli_run.RunOptions(
        concurrency=concurrency,
        limit=limit,
        ordered=not as_completed,
        prices=cli_run.parse_prices(price),
        quiet=quiet,
        resume=resume or retry_failed,
        retries=retries,
        retry_failed=retry_failed,
        sampling=sampling,
    )
    num_failed = cli_run.run_file(
        file,
        model=model,
        rows=rows,
        output=output,
        program=program,
        options=options,
    )
    raise typer.Exit(ROWS_FAILED if num_failed else OK)


@app.command(
    epilog="[bold]Examples[/bold]\n\n"
    "slipform check\n\n"
    "slipform check --model ~/models/Qwen3-0.6B\n\n"
    "slipform check --no-load"
)
def check(
    model: ModelOption = None,
    load: Annotated[bool, typer.Option(help="Load the model and fill one hole with it.")] = True,
) -> None:
    """Say what this machine has, and what Slipform will use.

    Shows the machine, the versions of what matters, the model, and how an engine would run it here; then loads the
    model and fills one hole.
    """
    from slipform import cli_check

    cli_check.report(model, load=load)


@app.command(
    epilog="[bold]Examples[/bold]\n\n"
    "slipform explain 'The invoice was issued on ' --regex '[0-9]{4}-[0-9]{2}-[0-9]{2}'\n\n"
    'slipform explain \'Ada Lovelace, 36\' --chat --schema \'{"type": "object", "properties": '
    '{"name": {"type": "string"}, "age": {"type": "integer"}}, "required": ["name", "age"]}\' --html ada.html\n\n'
    "slipform explain examples/tickets.py --fill ticket --row 2 --html ticket.html"
)
def explain(
    what: Annotated[
        str,
        typer.Argument(metavar="PROMPT|FILE", help="The text before the hole, or a Python file with a program."),
    ],
    model: ModelOption = None,
    regex: Annotated[str | None, typer.Option(help="The fill matches this regular expression.")] = None,
    schema: Annotated[
        str | None, typer.Option(help="The fill is JSON of this schema: JSON text, or a file that holds it.")
    ] = None,
    choices: Annotated[str | None, typer.Option(help="The fill is one of these, separated by commas.")] = None,
    chat: Annotated[bool, typer.Option(help="PROMPT is a user message, the fill the assistant's answer.")] = False,
    max_tokens: Annotated[int, typer.Option(min=1, help="Most tokens of the fill.")] = 128,
    temperature: Annotated[float, typer.Option(min=0.0, help="0 is greedy.")] = 0.0,
    seed: Annotated[int | None, typer.Option(help="Makes sampling repeatable.")] = None,
    program: Annotated[str | None, typer.Option(help="With FILE: which program.")] = None,
    fill: Annotated[str | None, typer.Option(help="With FILE: which variable; by default the first.")] = None,
    row: Annotated[int, typer.Option(min=0, help="With FILE: which of its ROWS.")] = 0,
    html: Annotated[
        Path | None, typer.Option(metavar="PAGE", help="Also write one self-contained page to look at.")
    ] = None,
) -> None:
    """Show how one fill came to be, token by token.

    Each token was forced by the grammar (only one was possible) or sampled out of those that the mask allowed.
    """
    from slipform import cli_explain

    cli_explain.explain(
        what,
        model=model,
        shape={"regex": regex, "schema": schema, "choices": choices},
        chat=chat,
        options={"max_tokens": max_tokens, "temperature": temperature, "seed": seed},
        program=program,
        fill=fill,
        row=row,
        html=html,
    )


def main() -> None:
    """Entry point: errors that Slipform raises on purpose become one line and exit code 2."""
    try:
        app()
    except SlipformError as error:
        print(f"slipform: {type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(UNUSABLE)


if __name__ == "__main__":
    main()
