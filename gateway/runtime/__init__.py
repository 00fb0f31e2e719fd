"""The runtime of a node: does for the gate what needs thinking; so far it asks Lambda authorizers."""
