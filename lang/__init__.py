"""The language: primitives, intermediate representation, tracing, the interpreter and its backends."""
