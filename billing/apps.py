from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "billing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from billing import prepaid, regions  # noqa: F401, PLC0415 -- models are there only now; they add themselves
