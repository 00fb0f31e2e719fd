"""The end of an organization: what stands in its way, what is kept, and closing it.

Owns: the order of an ending across rooms. Does not own: how each thing ends (its own verb does).
"""
