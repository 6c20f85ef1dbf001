"""Every error that Slipform raises on purpose, in one tree.

    SlipformError
    ├── ConfigError                     start-up: an option, a checkpoint or a device that cannot be used
    ├── InvalidRequest             400  the request itself is wrong
    │   ├── PromptTooLong
    │   ├── OutputTooLong               more tokens are asked for than the context leaves behind the prompt
    │   ├── BudgetTooSmall              no text that matches fits in a fill's tokens
    │   ├── UnsupportedField
    │   └── GrammarError                a constraint that cannot be honoured
    │       ├── GrammarSyntaxError      it does not parse
    │       ├── UnsupportedGrammar      it parses, and asks for what no automaton here can enforce
    │       ├── EmptyGrammar            it parses, and no text matches it
    │       ├── GrammarTooLarge         a bound of `Limits` was reached
    │       ├── GrammarTimeout          compilation ran out of its time, or was cancelled
    │       └── VocabularyMismatch      the tokenizer cannot spell some text that the grammar requires
    ├── CapacityError              503  no room now; the same request may succeed later
    │   ├── PoolExhausted
    │   └── QueueFull
    ├── RequestAborted                  the client ended the request
    │   └── DeadlineExceeded       504  its deadline passed
    ├── EngineStopped              500  the engine is not running
    ├── TokenRejected              500  a sampled token left the grammar: a defect, since masks forbid it
    └── ProgramError                    a program is wrong; names the program, the primitive and the value
        ├── TraceError
        ├── VariableError
        ├── RoleError
        ├── FillError                   a fill could not be done or its text could not be read as its type
        │   ├── ArgumentError           an argument of a primitive, a run or a program is wrong
        │   ├── ConstraintError         the constraint of a fill is wrong; its cause is a GrammarError
        │   │   ├── EmptyConstraint     no text matches it
        │   │   └── UnenforceableConstraint   the backend cannot enforce it
        │   └── BudgetError             no match of the constraint fits in max_tokens
        ├── RowError                    a row of a batch cannot be read
        └── BackendError                a backend cannot do what the program asks of it
            └── BackendUnreachable      it cannot be reached now, or broke off; the same request may succeed later

The module imports nothing, so that every folder may import it.
"""


class SlipformError(Exception):
    """Base of all errors below; `except SlipformError` catches what Slipform raises on purpose."""


class ConfigError(SlipformError):
    """An option, checkpoint or device that cannot be used. `field` names the option where there is one."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field


class InvalidRequest(SlipformError):
    """The request is wrong and stays wrong. `field` names the part of it to change."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field


class PromptTooLong(InvalidRequest):
    """The prompt and the room its fills need exceed what the model or the KV pool can hold (lengths in tokens)."""

    def __init__(self, prompt_len: int, limit: int, *, field: str = "prompt") -> None:
        super().__init__(f"{prompt_len} tokens, and the limit is {limit}", field=field)
        self.prompt_len = prompt_len
        self.limit = limit


class OutputTooLong(InvalidRequest):
    """The prompt and the output that is asked for exceed what the model or the KV pool can hold (lengths in tokens)."""

    def __init__(self, prompt_len: int, output_len: int, limit: int, *, field: str = "max_tokens") -> None:
        super().__init__(
            f"{output_len} tokens do not fit behind a prompt of {prompt_len}: the context has {limit}", field=field
        )
        self.prompt_len = prompt_len
        self.output_len = output_len
        self.limit = limit


class BudgetTooSmall(InvalidRequest):
    """A fill that must end with a match has `budget` tokens, and the shortest match takes `needed`."""

    def __init__(self, needed: int, budget: int, *, field: str = "max_tokens") -> None:
        super().__init__(f"{budget} tokens hold no match of the constraint; the shortest takes {needed}", field=field)
        self.needed = needed
        self.budget = budget


class UnsupportedField(InvalidRequest):
    """A known field that this engine, model or backend does not implement."""

    def __init__(self, name: str, reason: str = "not supported here") -> None:
        super().__init__(reason, field=name)
        self.name = name


class GrammarError(InvalidRequest):
    """A constraint that cannot be honoured, found before a token is made.

    `path` locates the cause: a JSON pointer in a schema, `line:column` in a grammar text, an offset in a regex.
    """

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(f"Grammar error at {path}: {message}" if path else f"Grammar error: {message}")
        self.path = path
        self.reason = message


class GrammarSyntaxError(GrammarError):
    """The text of a pattern, schema or grammar does not parse. `position` is an offset into `pattern`."""

    def __init__(self, message: str, *, pattern: str = "", position: int | None = None, path: str = "") -> None:
        where = path or (f"offset {position}" if position is not None else "")
        super().__init__(message, path=where)
        self.pattern = pattern
        self.position = position


class UnsupportedGrammar(GrammarError):
    """`feature` (a keyword or construct) at `path` cannot be enforced; it is refused, never loosened."""

    def __init__(self, feature: str, *, path: str = "", reason: str = "") -> None:
        super().__init__(f"{feature} cannot be enforced" + (f": {reason}" if reason else ""), path=path)
        self.feature = feature


class EmptyGrammar(GrammarError):
    """No text at all matches the part of the grammar at `path`."""


class GrammarTooLarge(GrammarError):
    """The bound `limit` (a field of `Limits`) was reached; `value` is the bound."""

    def __init__(self, limit: str, value: float, *, path: str = "") -> None:
        super().__init__(f"exceeds the limit {limit}={value:g}", path=path)
        self.limit = limit
        self.value = value


class GrammarTimeout(GrammarError):
    """Compilation took longer than `seconds`, or was cancelled."""

    def __init__(self, seconds: float, *, cancelled: bool = False) -> None:
        super().__init__("compilation was cancelled" if cancelled else f"compilation took longer than {seconds:g} s")
        self.seconds = seconds
        self.cancelled = cancelled


class VocabularyMismatch(GrammarError):
    """At automaton state `state` the grammar goes on only with bytes that no token of the vocabulary spells."""

    def __init__(self, state: int, missing: bytes, *, path: str = "") -> None:
        super().__init__(f"no token spells the required {missing!r} (state {state})", path=path)
        self.state = state
        self.missing = missing


class CapacityError(SlipformError):
    """There is no room now; the same request may succeed later."""


class PoolExhausted(CapacityError):
    """The KV pool cannot hold one more sequence (counts in slots)."""

    def __init__(self, needed: int, free: int, evictable: int) -> None:
        super().__init__(f"needs {needed} KV slots; {free} are free and {evictable} evictable")
        self.needed = needed
        self.free = free
        self.evictable = evictable


class QueueFull(CapacityError):
    """The waiting queue holds its maximum, `limit` requests."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the waiting queue is full ({limit} requests)")
        self.limit = limit


class RequestAborted(SlipformError):
    """The request was ended by its client or by a deadline."""

    def __init__(self, request_id: str, reason: str = "aborted") -> None:
        super().__init__(f"request {request_id}: {reason}")
        self.request_id = request_id
        self.reason = reason


class DeadlineExceeded(RequestAborted):
    """The request was not done within `seconds` of its arrival; None where a server does not say how many."""

    def __init__(self, request_id: str, seconds: float | None, reason: str | None = None) -> None:
        super().__init__(request_id, reason if reason is not None else f"deadline of {seconds} s passed")
        self.seconds = seconds


class EngineStopped(SlipformError):
    """The engine is not running: it was closed, or it failed (`__cause__` says how)."""


class TokenRejected(SlipformError):
    """A sampled token is outside the grammar although masks forbid it: a defect in Slipform, worth a report."""

    def __init__(self, state: int, token_id: int) -> None:
        super().__init__(f"token {token_id} is not allowed in state {state}")
        self.state = state
        self.token_id = token_id


class ProgramError(SlipformError):
    """A program is wrong. The message names the program, the primitive and the value."""

    def __init__(self, message: str, *, program: str | None = None, primitive: str | None = None) -> None:
        where = ": ".join(part for part in (program, primitive) if part)
        super().__init__(f"{where}: {message}" if where else message)
        self.program = program
        self.primitive = primitive


class TraceError(ProgramError):
    """The program does something with a placeholder that only a generated value allows."""


class VariableError(ProgramError):
    """A variable that is unknown, not yet generated, or whose fill failed."""


class RoleError(ProgramError):
    """Roles are nested, left open, or not in the order that the chat template accepts."""


class FillError(ProgramError):
    """A fill failed, or its text cannot be read as the wanted type."""


class ArgumentError(FillError, TypeError):
    """An argument of a primitive, a run or a program is wrong or unknown; nothing was sent."""


class ConstraintError(FillError):
    """The constraint of a fill is wrong; `__cause__` is the GrammarError that says where."""


class EmptyConstraint(ConstraintError):
    """No text at all matches the constraint."""


class UnenforceableConstraint(ConstraintError):
    """The backend cannot enforce the constraint; it is refused, never loosened."""


class BudgetError(FillError):
    """A fill must end with a match (`finish="valid"`), and no match fits in its `max_tokens`."""


class BackendError(ProgramError):
    """The backend cannot do what the program asks."""


class BackendUnreachable(BackendError):
    """The backend cannot be reached, or broke off in the middle; the same request may succeed later."""


class RowError(ProgramError):
    """A row of a batch cannot be read; it is never run."""
