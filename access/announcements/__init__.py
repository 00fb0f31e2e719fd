"""Mails from a provider to the developers who use what it sells: written, tested, queued, sent in chunks."""
