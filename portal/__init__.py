"""The Django project and the pages: catalogue, developer console, provider dashboards."""

from portal.celery import app as celery_app

__all__ = ["celery_app"]
