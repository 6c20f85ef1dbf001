"""The runtime: from a request to its tokens (scheduler, prefix cache, models, sampling, engine)."""
