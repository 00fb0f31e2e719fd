"""`manage.py up`, with nodes that reach the control plane by the doors of the fault suite (`FAULTS_DOOR_<n>`)."""

import os
import resource
import sys

from django.core.management import execute_from_command_line

from portal.supervisor import services
from portal.supervisor.layout import Layout
from portal.supervisor.services import Addresses

_plain = services.node_environment


def _by_our_door(layout: Layout, addresses: Addresses, number: int, token: str) -> dict[str, str]:
    door = {"GATEHOUSE_CONTROL_URL": os.environ[f"FAULTS_DOOR_{number}"]}
    return _plain(layout, addresses, number, token) | door


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    services.node_environment = _by_our_door
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # what dies by SIGBUS must not fill the disk
    execute_from_command_line([sys.argv[0], "up"])
