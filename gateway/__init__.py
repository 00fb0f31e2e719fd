"""The data plane: the contract with the control plane, nginx + Lua, and the agent. No Django here."""
