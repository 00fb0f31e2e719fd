"""Mail without a mail server: each message goes to the log and to a JSON file that the outbox page shows."""

import json
import logging
import os
import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

logger = logging.getLogger(__name__)

KEEP = 200  # messages; older files are removed


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `sent_at` in Unix seconds; `html` is '' when there is only text."""

    sent_at: float
    sender: str
    to: list[str]
    subject: str
    text: str
    html: str = ""
    id: str = field(default="", compare=False)


def messages(limit: int = 50) -> list[Message]:
    """Return the newest messages, newest first. A file that cannot be read is left out."""
    found = []
    for file in _files()[:limit]:
        try:
            found.append(Message(**json.loads(file.read_text()), id=file.stem))
        except (OSError, ValueError, TypeError):
            logger.warning("%s in the outbox cannot be read", file.name)
    return found


class OutboxBackend(BaseEmailBackend):
    """Django's mail backend that needs no server."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        for email in email_messages:
            message = _read(email)
            logger.info("Message to %s: %s\n%s", ", ".join(message.to), message.subject, message.text)
            _store(message)
        _remove_old()
        return len(email_messages)


def _read(email: EmailMessage) -> Message:
    alternatives = getattr(email, "alternatives", [])
    html = next((str(body) for body, kind in alternatives if kind == "text/html"), "")
    return Message(
        sent_at=time.time(),
        sender=email.from_email,
        to=list(email.recipients()),
        subject=str(email.subject),
        text=str(email.body),
        html=html,
    )


def _store(message: Message) -> None:
    """Write the whole file beside its place, then rename: a reader never sees half of it."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    content = {name: value for name, value in asdict(message).items() if name != "id"}
    # names sort by time; the tail tells messages of the same nanosecond apart
    place = folder / f"{time.time_ns()}-{secrets.token_hex(4)}.json"
    draft = place.with_suffix(".part")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file)
    draft.rename(place)


def _remove_old() -> None:
    for file in _files()[KEEP:]:
        file.unlink(missing_ok=True)


def _files() -> list[Path]:
    return sorted(_folder().glob("*.json"), reverse=True)


def _folder() -> Path:
    return Path(settings.OUTBOX_DIR)
