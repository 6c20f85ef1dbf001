"""Decoder-only models over flat batches of tokens."""
