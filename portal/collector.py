"""How often Python looks for unreachable cycles: less often than by default, in processes that serve.

Rows of usage come by the ten thousand and are all reachable while they are added up. With the default of 700 new
objects, Python goes through them and all of Django's objects again and again, which took a third of the time of
keeping a batch and adding it up (docs/metering.md).
"""

import gc

# new objects until the next look: tens of thousands of small ones are a few MB
NEW_OBJECTS = 50_000


def settle() -> None:
    """Leave out what is loaded by now, which stays anyway, and look less often. Call it before serving begins."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, 20, 10)
