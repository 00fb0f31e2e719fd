"""Code that calls an operation, in the languages that callers use. Pure functions.

`call_of` makes a call of an operation and example values; `samples` writes it as programs that run as they stand.
"""

from apis.samples.call import KEY_PLACE, Call, Field
from apis.samples.from_operation import call_of
from apis.samples.languages import Sample, samples

__all__ = ["KEY_PLACE", "Call", "Field", "Sample", "call_of", "samples"]
