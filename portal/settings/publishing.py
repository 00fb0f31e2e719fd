"""Importing API documents."""

from portal.settings.environment import PRODUCTION, env

# The largest OpenAPI document that is imported, in bytes.
DOCUMENT_MAX_BYTES = env.int("GATEHOUSE_DOCUMENT_MAX_BYTES", 50_000_000)
# Whether a document may be fetched from private and loopback addresses.
FETCH_PRIVATE = env.bool("GATEHOUSE_FETCH_PRIVATE", not PRODUCTION)
# A pasted document is a form field; uploads and fetched documents have the limit above.
DATA_UPLOAD_MAX_MEMORY_SIZE = 10_000_000
