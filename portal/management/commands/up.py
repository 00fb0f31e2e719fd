"""`manage.py up`: run the whole of Gatehouse on this machine."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from portal.supervisor.launch import launch
from portal.supervisor.options import Options


class Command(BaseCommand):
    help = "Start the databases, web, worker, beat, the gateway and the demo's backend; Ctrl-C stops all."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(launch(Options.from_environment()))
