"""A mail to a provider's developers."""

from typing import Any

from django import forms

from access.announcements.models import Announcement, AnnouncementKind, Audience
from access.models import PlanVisibility
from accounts.models import Organization

_ABOUT = "about"


class AnnouncementForm(forms.Form):
    """Whom it is for is one choice: `everybody`, `api:id` or `plan:id`."""

    about = forms.ChoiceField(label="To")
    kind = forms.ChoiceField(label="Kind", choices=AnnouncementKind.choices)
    subject = forms.CharField(label="Subject", max_length=150)
    text = forms.CharField(
        label="Text", max_length=10_000, widget=forms.Textarea(attrs={"rows": 12}), help_text="Plain text."
    )

    def __init__(
        self, *args: Any, organization: Organization, announcement: Announcement | None = None, **kwargs: Any
    ) -> None:
        if announcement is not None:
            about = announcement.audience
            if announcement.audience != Audience.EVERYBODY:
                about = f"{announcement.audience}:{announcement.api_id or announcement.plan_id or ''}"
            kwargs["initial"] = {"about": about} | {
                name: getattr(announcement, name) for name in ("kind", "subject", "text")
            }
        super().__init__(*args, **kwargs)
        self._apis = {each.pk: each for each in organization.apis.all()}
        plans = organization.usage_plans.exclude(visibility=PlanVisibility.ARCHIVED)
        self._plans = {each.pk: each for each in plans}
        choices = [(Audience.EVERYBODY.value, "All developers with a subscription")]
        choices += [(f"api:{pk}", f"Developers of the API {each.name}") for pk, each in self._apis.items()]
        choices += [(f"plan:{pk}", f"Developers on the plan {each.name}") for pk, each in self._plans.items()]
        self.fields[_ABOUT].choices = choices  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """Return what the verbs take."""
        given = dict(self.cleaned_data)
        audience, _, pk = given.pop(_ABOUT).partition(":")
        return given | {"audience": audience, "api": self._apis.get(pk), "plan": self._plans.get(pk)}
