"""`slipform serve`: the command's options. The server itself is `slipform.runtime.server`."""

import inspect
from pathlib import Path
from typing import Annotated

import typer

from slipform.errors import ConfigError

EPILOG = (
    "[bold]Examples[/bold]\n\n"
    "slipform serve\n\n"
    "slipform serve --model ~/models/Qwen3-0.6B --name qwen3 --port 8000\n\n"
    "slipform serve --host 0.0.0.0 --keys-file keys.txt --tls-certificate cert.pem --tls-key key.pem\n\n"
    "[bold]Keys[/bold]: a line each of --keys-file, or SLIPFORM_API_KEYS separated by semicolons: "
    "KEY[:SCOPE,SCOPE] [NAME]. Scopes are infer (default), metrics and admin."
)


def serve(
    model: Annotated[
        Path | None,
        typer.Option("--model", "-m", metavar="DIR", help="A Hugging Face checkpoint; by default the embedded model."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8000,
    name: Annotated[
        str | None, typer.Option(help="What clients call the model; by default its directory's name.")
    ] = None,
    alias: Annotated[list[str] | None, typer.Option(help="A further name; may be repeated.")] = None,
    keys_file: Annotated[Path | None, typer.Option(metavar="FILE", help="API keys, one a line.")] = None,
    allow_anonymous: Annotated[
        bool, typer.Option("--allow-anonymous", help="Listen beyond this machine without any key.")
    ] = False,
    allowed_host: Annotated[
        list[str] | None, typer.Option(help="A name that Host headers may carry; may be repeated.")
    ] = None,
    cors_origin: Annotated[list[str] | None, typer.Option(help="A web origin that may call; may be repeated.")] = None,
    tls_certificate: Annotated[
        Path | None, typer.Option(metavar="PEM", help="Certificate to serve HTTPS with.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="PEM", help="Its private key.")] = None,
    tls_client_ca: Annotated[
        Path | None, typer.Option(metavar="PEM", help="Clients must present a certificate of this authority.")
    ] = None,
    max_waiting: Annotated[int, typer.Option(min=0, help="Sequences that may wait; more are answered 429.")] = 512,
    max_connections: Annotated[int, typer.Option(min=1, help="Open connections.")] = 2048,
    request_timeout: Annotated[float, typer.Option(min=0.001, help="Longest generation in seconds (504).")] = 600.0,
    drain_timeout: Annotated[
        float, typer.Option(min=0.0, help="Seconds that requests may go on after SIGTERM.")
    ] = 30.0,
    keep_alive: Annotated[
        float, typer.Option(min=0.0, help="Seconds of silence before a stream gets a comment; 0 for none.")
    ] = 15.0,
    max_n: Annotated[int, typer.Option(min=1, help="Largest n of a request.")] = 64,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Longest answer; by default the context.")] = None,
    max_body: Annotated[int, typer.Option(min=1024, help="Largest request body in bytes (413).")] = 8 * 2**20,
    tool_format: Annotated[str | None, typer.Option(help="How the model writes tool calls; by its template.")] = None,
    reasoning_format: Annotated[str | None, typer.Option(help="How it marks its reasoning, or none.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Unknown request fields are errors.")] = False,
    device: Annotated[str | None, typer.Option(help="cpu or cuda.")] = None,
    dtype: Annotated[str | None, typer.Option(help="float32 or bfloat16.")] = None,
    kv_dtype: Annotated[str | None, typer.Option(help="auto, or fp8 on a GPU: keys and values in 8 bits.")] = None,
    deterministic: Annotated[
        bool, typer.Option("--deterministic", help="On a GPU: results do not depend on the batch; slower.")
    ] = False,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of the CPU's tensor operations.")] = None,
    max_sequences: Annotated[
        int | None, typer.Option(min=1, help="Sequences that run at a time; by default 128, on a GPU 256.")
    ] = None,
    max_context: Annotated[int | None, typer.Option(min=1, help="Longest sequence in tokens.")] = None,
    pool_slots: Annotated[int | None, typer.Option(min=1, help="Tokens that the KV pool holds.")] = None,
    memory_fraction: Annotated[
        float | None,
        typer.Option(min=0.01, max=1.0, help="Share of free memory for the KV pool; by default 0.25, on a GPU 0.95."),
    ] = None,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Serve a model over HTTP: the OpenAI API, SGLang's /generate, and Slipform's own routes.

    Listens on this machine only, unless told otherwise. SIGTERM lets requests in flight finish.
    """
    from slipform.runtime.server.observers import observers_for
    from slipform.runtime.server.serve import serve as run
    from slipform.runtime.server.settings import Bounds, ServerSettings

    settings = ServerSettings(
        model_name=name or (model.resolve().name if model is not None else "slipform"),
        aliases=tuple(alias or ()),
        host=host,
        port=port,
        allowed_hosts=tuple(allowed_host or ()),
        keys_file=keys_file,
        cors_origins=tuple(cors_origin or ()),
        tls_certificate=tls_certificate,
        tls_key=tls_key,
        tls_client_ca=tls_client_ca,
        bounds=Bounds(n=max_n, max_tokens=max_tokens, body_bytes=max_body),
        max_waiting=max_waiting,
        max_connections=max_connections,
        request_timeout_s=request_timeout,
        drain_timeout_s=drain_timeout,
        keep_alive_s=keep_alive,
        tool_format=tool_format,
        reasoning_format=reasoning_format,
        strict_fields=strict,
    )
    options = {
        "device": device,
        "dtype": dtype,
        "kv_dtype": kv_dtype,
        "deterministic": deterministic or None,
        "threads": threads,
        "max_sequences": max_sequences,
        "max_context": max_context,
        "pool_slots": pool_slots,
        "memory_fraction": memory_fraction,
    }
    try:
        run(
            model,
            settings,
            {option: value for option, value in options.items() if value is not None},
            observer=observers_for(settings),
            allow_anonymous=allow_anonymous,
            log_level=log_level,
        )
    except ConfigError as error:
        raise _as_option(error) from error


def _as_option(error: ConfigError) -> ConfigError:
    """The same error about the option of the command line, where one sets the field that it names."""
    if error.field is None or error.field not in inspect.signature(serve).parameters:
        return error
    return ConfigError(str(error).removeprefix(f"{error.field}: "), field=f"--{error.field.replace('_', '-')}")
