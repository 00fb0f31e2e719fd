"""`manage.py rebuild_usage`: records made anew from finer ones, or from the batches."""

from argparse import ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.errors import Refused
from metering.rebuild import rebuild


def day(text: str) -> datetime:
    """Read a day as its start, UTC."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a day such as 2026-11-27") from None


class Command(BaseCommand):
    help = "Make the hours and days of usage anew from the minutes. May run while usage comes in."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="start", type=day, required=True, help="First day (UTC).")
        parser.add_argument("--to", dest="end", type=day, required=True, help="The day after the last.")
        parser.add_argument(
            "--from-batches", action="store_true", help="Make the minutes first, from what nodes sent."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = rebuild(start=options["start"], end=options["end"], from_batches=options["from_batches"])
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        print(f"{count} days rebuilt")
