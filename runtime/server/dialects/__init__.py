"""The constraint fields of other servers' requests, each turned into one specification."""
