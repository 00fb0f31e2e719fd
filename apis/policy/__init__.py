"""Policies: what a stage or an operation asks of the gate, read from JSON into checked values.

Owns: the JSON forms (`read_policy`, `read_key_source`, `read_responses`, `read_access_log`), how levels are put
together (`effective`), what is worth a warning. Pure: no Django. The stage's settings, REST, the admin console
and the document's extensions all come through here.
Does not own: AWS's spelling of the same things (`apis/openapi`), rows of the database, entries (`nodes`).
"""

from apis.policy.access_log import read_access_log
from apis.policy.key_source import read_key_source
from apis.policy.levels import effective, remarks
from apis.policy.limits import MAX_TIMEOUT_MS, MIN_TIMEOUT_MS, Limits
from apis.policy.policy import FIELDS, read_policy
from apis.policy.reading import PolicyError
from apis.policy.responses import TYPES, read_responses
from apis.policy.sizes import read_compress_from

__all__ = [
    "FIELDS",
    "MAX_TIMEOUT_MS",
    "MIN_TIMEOUT_MS",
    "TYPES",
    "Limits",
    "PolicyError",
    "effective",
    "read_access_log",
    "read_compress_from",
    "read_key_source",
    "read_policy",
    "read_responses",
    "remarks",
]
