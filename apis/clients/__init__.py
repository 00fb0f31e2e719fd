"""Programs' clients made of a version's document.

Owns: making a document fit for the generator, running it, and packing what it made. Does not own: who may have it,
for how long it is kept.
"""

from apis.clients.python import make_python_client

__all__ = ["make_python_client"]
