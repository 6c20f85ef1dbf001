"""A Slipform server as a backend: programs run there as they would in this process, one round trip for fused fills."""

import functools
import ssl
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import httpx

from slipform.errors import BackendError, ConfigError, SlipformError
from slipform.grammars.spec import GrammarSpec
from slipform.lang.arguments import checked
from slipform.lang.backend import Call, Listener, ScoreRequest, Scores
from slipform.lang.backends.http_client import HttpCall, HttpClient
from slipform.lang.backends.scoring import score_options
from slipform.lang.chat_template import ChatTemplate
from slipform.lang.ids import program_of
from slipform.runtime.request import GenerateRequest, RequestFailed
from slipform.runtime.wire import event_from_plain, request_to_plain, spec_to_plain


class Endpoint:
    """Runs programs on a Slipform server.

        sf.set_default_backend(sf.Endpoint("http://127.0.0.1:8000", api_key="…"))

    Args:
        url: of the server, without `/v1`. api_key: one of its keys, where it asks for keys.
        max_connections: requests in flight at once; further ones wait here.
        timeout_s: longest silence of the server, which sends a sign of life every few seconds.
        retries: how often a request is sent again that the server refused for lack of room.
        transport: carries the requests instead of the network, for tests.
    """

    @checked(primitive="Endpoint")
    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        max_connections: int = 256,
        timeout_s: float = 120.0,
        retries: int = 5,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/").removesuffix("/v1")
        self._http = HttpClient(
            self.url,
            api_key=api_key,
            max_connections=max_connections,
            timeout_s=timeout_s,
            retries=retries,
            transport=transport,
        )

    @property
    def name(self) -> str:
        return f"the server at {self.url}"

    @functools.cached_property
    def chat_template(self) -> ChatTemplate | None:
        """As the server has it; asked for on first use. Raises: BackendError if the server cannot be reached."""
        info = self.server_info()
        if not info.get("chat_template"):
            return None
        return ChatTemplate(
            info["chat_template"], named_tokens=info["special_tokens"], special_tokens=info["special_texts"]
        )

    def submit(self, request: GenerateRequest, listener: Listener) -> Call:
        call = HttpCall(self._http, request.request_id, listener)
        call.follow(self._http.start(self._run(request, call)))
        return call

    async def _run(self, request: GenerateRequest, call: HttpCall) -> None:
        """Pass the server's events on; whatever happens, the last one is terminal."""
        failure: SlipformError = BackendError(f"{self.name} ended the stream before the request was over")
        body = {**request_to_plain(request), "stream": True}
        if (program := program_of(request.request_id)) is not None:
            body["program"] = program
        try:
            async for value in self._http.events("/v1/programs", body):
                call.deliver(event_from_plain(value, request_id=request.request_id))
                if call.is_over:
                    return
        except SlipformError as error:
            failure = error
        call.deliver(RequestFailed(request.request_id, failure))

    def score(self, request: ScoreRequest) -> "Future[Scores]":
        return score_options(self.submit, request)

    def prepare(self, specs: Sequence[GrammarSpec]) -> None:
        for spec in specs:
            self._http.json("POST", "/v1/grammar/compile", {"constraint": spec_to_plain(spec)})

    def encode(self, text: str, *, parse_special: bool = False) -> tuple[int, ...]:
        return self._encode(text, parse_special)

    @functools.lru_cache(maxsize=1024)  # noqa: B019 - few backends, and their texts are the template's
    def _encode(self, text: str, parse_special: bool) -> tuple[int, ...]:
        body = {"prompt": text, "add_special_tokens": False, "parse_special": parse_special}
        return tuple(self._http.json("POST", "/tokenize", body)["tokens"])

    def decode(self, token_ids: Sequence[int]) -> str:
        return str(self._http.json("POST", "/detokenize", {"tokens": list(token_ids)})["prompt"])

    def flush_cache(self) -> None:
        self._http.json("POST", "/flush_cache")

    def server_info(self) -> Mapping[str, Any]:
        info: Mapping[str, Any] = self._http.json("GET", "/server_info")
        return info

    def close(self) -> None:
        self._http.close()


class RuntimeEndpoint(Endpoint):
    """`Endpoint` by SGLang's name and arguments, for programs written for its frontend. The server is Slipform's.

    Args:
        base_url: of the server. api_key: as of `Endpoint`. verify: a file of certificates to trust, or False for any.
        chat_template_name: must be left out, as programs follow the template of the server's model.

    Raises: ConfigError for a `chat_template_name`.
    """

    @checked(primitive="RuntimeEndpoint")
    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        verify: str | bool | None = None,
        chat_template_name: str | None = None,
    ) -> None:
        if chat_template_name is not None:
            raise ConfigError(
                f"{chat_template_name!r} cannot be chosen here: messages follow the template of the server's model",
                field="chat_template_name",
            )
        trust: ssl.SSLContext | bool = True
        if isinstance(verify, str):
            trust = ssl.create_default_context(cafile=verify)
        elif verify is not None:
            trust = verify
        super().__init__(base_url, api_key=api_key, transport=httpx.AsyncHTTPTransport(verify=trust))
