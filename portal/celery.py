"""The Celery application. Tasks live in each room's `tasks.py`."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init

from portal import collector

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("gatehouse")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect(weak=False)
def _settle(**_: Any) -> None:
    collector.settle()
