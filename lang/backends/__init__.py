"""Backends of the language: what executes the segments of a program."""
