"""`bad_words`: strings that an answer must not contain, as a constraint on its text.

The text is what counts, however tokens spell it, so the words are excluded by an automaton and not token by token.
"""

import re
from collections.abc import Sequence

from slipform.grammars.spec import AnyText, Except, GrammarSpec, Regex
from slipform.runtime.server.http_errors import bad_request
from slipform.runtime.server.settings import Bounds


def without_words(answer: GrammarSpec | None, words: Sequence[str] | None, bounds: Bounds) -> GrammarSpec | None:
    """The texts of `answer` (None: any) that contain none of `words`.

    Raises: ApiError 400 naming `bad_words` for too many of them or one that is too long.
    """
    if not words:
        return answer
    if len(words) > bounds.bad_words:
        raise bad_request(f"at most {bounds.bad_words} words, got {len(words)}", "bad_words")
    if max(map(len, words)) > bounds.stop_chars:
        raise bad_request(f"longer than {bounds.stop_chars} characters", "bad_words")
    listed = "|".join(re.escape(word) for word in sorted(set(words)))
    return Except(AnyText() if answer is None else answer, Regex(f"(?s:.*(?:{listed}).*)"))
