"""Messages on pages, as sentences."""

from typing import Any

from django.contrib.messages.storage.fallback import FallbackStorage

from accounts.sentences import one_dot


class SentenceStorage(FallbackStorage):
    """Django's own, but for sentences that end in a name with a dot."""

    def add(self, level: int, message: Any, extra_tags: str | None = "") -> None:
        super().add(level, one_dot(message) if isinstance(message, str) else message, extra_tags)
