"""Constraints: from a specification to an automaton, its token masks and its forced tokens."""
