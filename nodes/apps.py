from django.apps import AppConfig


class NodesConfig(AppConfig):
    name = "nodes"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to the rooms below: what they change becomes entries for the nodes."""
        from nodes import receivers  # noqa: F401, PLC0415 -- connects on import
