"""What an engine has done so far and what it holds now."""

from bisect import bisect_left
from dataclasses import dataclass, field

# Upper bounds of the classes in which steps are counted by their tokens; larger ones are the last class.
STEP_TOKENS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192)


@dataclass(frozen=True, slots=True)
class EngineStatistics:
    """A snapshot. Counts and times are totals since the engine started; slots and sequences are as of now.

    Attributes:
        prompt_tokens: known tokens of admitted sequences at first admission; cached_tokens: those found in the cache.
        forced_tokens, sampled_tokens: output tokens that grammars forced / that were sampled.
        computed_tokens: tokens that went through the model.
        plan_s, batch_s, forward_s, mask_s, sample_s, commit_s: where the time of steps went.
        compile_s: time of the compiling threads. grammar_bytes: memory of the compiled constraints that are kept.
        evicted_age_s: sum over the evicted slots of the seconds since their last use. radix_nodes: of the prefix cache.
        steps_by_tokens: steps in each class of `STEP_TOKENS`.
    """

    requests_accepted: int
    requests_finished: int
    requests_failed: int
    sequences_waiting: int
    sequences_running: int
    requests_compiling: int
    prompt_tokens: int
    cached_tokens: int
    forced_tokens: int
    sampled_tokens: int
    computed_tokens: int
    steps: int
    preemptions: int
    pool_slots: int
    free_slots: int
    cached_slots: int
    evicted_slots: int
    plan_s: float
    batch_s: float
    forward_s: float
    mask_s: float
    sample_s: float
    commit_s: float
    grammar_hits: int
    grammar_misses: int
    compile_s: float
    grammar_bytes: int
    evicted_age_s: float
    radix_nodes: int
    steps_by_tokens: tuple[int, ...]

    @property
    def hit_rate(self) -> float:
        """Share of prompt tokens that came out of the prefix cache."""
        return self.cached_tokens / self.prompt_tokens if self.prompt_tokens else 0.0

    @property
    def step_s(self) -> float:
        """Time of all steps."""
        return self.plan_s + self.batch_s + self.forward_s + self.mask_s + self.sample_s + self.commit_s


@dataclass(slots=True)
class Counters:
    """The running totals behind `EngineStatistics`; written by the engine thread."""

    requests_accepted: int = 0
    requests_finished: int = 0
    requests_failed: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    computed_tokens: int = 0
    steps: int = 0
    plan_s: float = field(default=0.0)
    batch_s: float = field(default=0.0)
    forward_s: float = field(default=0.0)
    mask_s: float = field(default=0.0)
    sample_s: float = field(default=0.0)
    commit_s: float = field(default=0.0)
    steps_by_tokens: list[int] = field(default_factory=lambda: [0] * (len(STEP_TOKENS) + 1))

    def note_tokens(self, num_tokens: int) -> None:
        """Count one step that computes so many tokens."""
        self.computed_tokens += num_tokens
        self.steps_by_tokens[bisect_left(STEP_TOKENS, num_tokens)] += 1
