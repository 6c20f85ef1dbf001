"""How models write tool calls: each format has a grammar that guarantees them and a parser that streams them."""
