"""The stages that plans open, loaded for pages: with their versions' names, without their documents."""

from django.db.models import Prefetch

from apis.models import Stage


def opened_stages(lookup: str = "stages") -> Prefetch:
    """A prefetch of plans' stages with version and API. Documents can be megabytes; no page needs them."""
    stages = Stage.objects.select_related("version__api").defer("version__document", "version__findings")
    return Prefetch(lookup, stages.prefetch_related("mappings"))
