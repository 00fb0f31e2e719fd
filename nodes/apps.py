from django.apps import AppConfig


class NodesConfig(AppConfig):
    name = "nodes"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to the rooms below (what they change becomes entries), and to the end of the process."""
        from apis.stage_notes import register  # noqa: PLC0415 -- models must be loaded first
        from nodes import receivers, waiting  # noqa: F401, PLC0415
        from nodes.stage_notes import notes  # noqa: PLC0415

        register(notes)
        waiting.end_on_signals()
