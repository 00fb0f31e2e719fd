"""The management API under /api/v1/ and the key-validation endpoint."""
