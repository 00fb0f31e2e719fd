"""The request log: what happened to single calls, for their callers and for the APIs' providers."""
