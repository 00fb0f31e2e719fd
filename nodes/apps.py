from django.apps import AppConfig


class NodesConfig(AppConfig):
    name = "nodes"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to the rooms below (what they change becomes entries), and to the end of the process."""
        from nodes import receivers, waiting  # noqa: F401, PLC0415 -- models must be loaded first

        waiting.end_on_signals()
