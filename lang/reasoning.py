"""Thoughts that a model writes before its answer, between markers that differ by model family."""

from slipform.errors import ProgramError

# Model types as SGLang names them: markers, and whether the thoughts may begin without the first marker (the template
# of such a model writes it at the end of the prompt).
_MARKERS: dict[str, tuple[str, str, bool]] = {
    "deepseek-r1": ("<think>", "</think>", True),
    "deepseek-v3": ("<think>", "</think>", False),
    "glm45": ("<think>", "</think>", False),
    "gpt-oss": ("<|channel|>analysis<|message|>", "<|end|>", True),
    "kimi": ("◁think▷", "◁/think▷", False),
    "qwen3": ("<think>", "</think>", False),
    "qwen3-thinking": ("<think>", "</think>", True),
    "step3": ("<think>", "</think>", True),
}

MODEL_TYPES = tuple(_MARKERS)


def check_model_type(model_type: str) -> str:
    if model_type not in _MARKERS:
        raise ProgramError(
            f"unknown model type {model_type!r}; known: {', '.join(MODEL_TYPES)}", primitive="separate_reasoning"
        )
    return model_type


def split_reasoning(text: str, model_type: str) -> tuple[str, str]:
    """Thoughts and answer of `text`, without the markers and the blank lines beside them.

    A text that ends before the closing marker is all thoughts.
    """
    begin, end, begins_inside = _MARKERS[model_type]
    before, opened, rest = text.partition(begin)
    if opened:
        head = before
    elif begins_inside:
        head, rest = "", text
    else:
        return "", text
    thoughts, closed, answer = rest.partition(end)
    if not closed and not opened and begins_inside:
        return text.strip(), ""
    return thoughts.strip(), (head + answer.lstrip("\n")) if closed else head
