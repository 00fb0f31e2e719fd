"""`manage.py reencrypt`: encrypt all private keys with the newest of GATEHOUSE_ENCRYPTION_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.encryption import UnreadableError
from apis.reencrypt import reencrypt_private_keys


class Command(BaseCommand):
    help = "Encrypt all private keys with the newest of GATEHOUSE_ENCRYPTION_KEYS; older ones can go then."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = reencrypt_private_keys()
        except UnreadableError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{count} private keys encrypted anew.")
