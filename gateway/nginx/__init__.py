"""nginx of a node: its configuration, made of the operator's settings alone, and its start."""
