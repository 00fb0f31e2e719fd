"""One draft a thing: the fields that would change."""

from django.db import models

from accounts.fields import ShortIdField


class Draft(models.Model):
    """Changes to a text that is shown already. `fields` are what its own verb takes."""

    id = ShortIdField()
    organization = models.ForeignKey(
        "accounts.Organization",
        null=True,
        on_delete=models.CASCADE,
        related_name="drafts",
        help_text="Empty for the website's own.",
    )
    kind = models.CharField(max_length=40, help_text="Such as api or productpage.")
    target_id = models.CharField(max_length=40)
    fields = models.JSONField(default=dict)
    created_by = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "target_id"], name="draft_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.target_id}"
