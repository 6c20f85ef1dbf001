"""How models write tool calls: one format a file, each a grammar that guarantees them and a parser that streams them."""
