"""The server's options and the bounds of one request, each with its default."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one request may ask for; more is answered with 400 (a body that is too large with 413), naming the field.

    Attributes:
        body_bytes: size of a request body. json_depth: nesting of its arrays and objects.
        n: sequences grown from one prompt. prompts: prompts of one request. sequences: n times prompts.
        max_tokens: tokens of one answer; None leaves it to the model's context.
        logprobs: alternatives to each token. logprob_ids: tokens that `logprob_token_ids` names.
        stops: stop strings, patterns and tokens together.
        stop_chars: length of one of them. bad_words: of one request, each at most as long.
        schema_bytes: size of one constraint as JSON or text. schema_depth: nesting of a JSON schema.
        tools: tools of one request. messages: messages of one request. segments: segments of one program.
    """

    body_bytes: int = 8 * 2**20
    json_depth: int = 100
    n: int = 64
    prompts: int = 256
    sequences: int = 512
    max_tokens: int | None = None
    logprobs: int = 20
    logprob_ids: int = 256
    stops: int = 64
    stop_chars: int = 1024
    bad_words: int = 256
    schema_bytes: int = 2**20
    schema_depth: int = 64
    tools: int = 256
    messages: int = 4096
    segments: int = 4096


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How the server behaves towards clients.

    Attributes:
        model_name: what clients call the model. aliases: further names that are accepted.
        host, port: where to listen. Loopback unless told otherwise.
        allowed_hosts: names that the Host header may carry, without ports; empty stands for any. On loopback it
            guards against web pages that resolve their own name to this machine.
        keys_file: API keys, one a line. cors_origins: origins of web pages that may call.
        tls_certificate, tls_key, tls_client_ca: PEM files; with `tls_client_ca` clients must present a certificate.
        bounds: of one request.
        max_waiting: sequences that may wait for a place in the engine's batch; more are answered with 429.
        max_connections: open connections; more take the place of idle ones, or are answered with 503 and closed.
        request_timeout_s: default and largest deadline of a generation (504 when it passes).
        header_timeout_s, body_timeout_s: a client must have sent its header, and its body, by then.
        write_timeout_s: a stream whose client takes in nothing for so long is ended.
        stream_buffer_bytes: text kept for a client that reads too slowly; beyond it the stream is ended.
        keep_alive_s: silence on a stream after which a comment is sent; 0 sends none.
        drain_timeout_s: how long requests in flight may go on after SIGTERM.
        tool_format, reasoning_format: names of formats, or None to choose them from the chat template.
        strict_fields: unknown fields are errors in all requests, not only in those with `?strict=1`.
    """

    model_name: str = "slipform"
    aliases: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8000
    allowed_hosts: tuple[str, ...] = ()
    keys_file: Path | None = None
    cors_origins: tuple[str, ...] = ()
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    bounds: Bounds = field(default_factory=Bounds)
    max_waiting: int = 512
    max_connections: int = 2048
    request_timeout_s: float = 600.0
    header_timeout_s: float = 10.0
    body_timeout_s: float = 30.0
    write_timeout_s: float = 30.0
    stream_buffer_bytes: int = 2**18
    keep_alive_s: float = 15.0
    drain_timeout_s: float = 30.0
    tool_format: str | None = None
    reasoning_format: str | None = None
    strict_fields: bool = False
