"""Heals entries that differ from the models."""

from typing import Any

from django.core.management.base import BaseCommand

from nodes.rebuild import rebuild


class Command(BaseCommand):
    help = "Compare everything that nodes must know with the models, and write what differs."

    def handle(self, *_args: Any, **_options: Any) -> None:
        self.stdout.write(f"{rebuild()} entries written.")
