"""Where grammars keep files: the one place of this folder that reads the environment."""

import os
from pathlib import Path


def cache_directory() -> Path:
    """The folder of disk caches: $SLIPFORM_CACHE_DIR, else $XDG_CACHE_HOME/slipform, else ~/.cache/slipform.

    Changes nothing; the folder may not exist yet.
    """
    own = os.environ.get("SLIPFORM_CACHE_DIR")
    if own:
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "slipform"
