"""Importing API documents, and what their policies may ask for."""

from portal.settings.environment import PRODUCTION, env

# The largest OpenAPI document that is imported, in bytes.
DOCUMENT_MAX_BYTES = env.int("GATEHOUSE_DOCUMENT_MAX_BYTES", 50_000_000)
# Whether a document may be fetched from private and loopback addresses.
FETCH_PRIVATE = env.bool("GATEHOUSE_FETCH_PRIVATE", not PRODUCTION)
# The longest wait for a backend that a provider may ask for, in milliseconds; AWS's bound is 29 seconds.
GATEHOUSE_MAX_TIMEOUT_MS = env.int("GATEHOUSE_MAX_TIMEOUT_MS", 29_000)
# A pasted document is a form field; uploads and fetched documents have the limit above.
DATA_UPLOAD_MAX_MEMORY_SIZE = 10_000_000
