"""A canary beside the rest of its stage, since it has the deployment that it has now.

Usage records tell a canary's calls from the others (`canary`), not which deployment answered; so the comparison
begins when the canary got its deployment, as the audit trail knows. In that minute itself an earlier canary's calls
count along.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt

from django.utils.timezone import now

from accounts.models import AuditEvent
from apis.models import Stage
from metering.queries import Part, Scope, Span, Summary, breakdown

# for less the numbers tell nothing
FEWEST = 30
# standard errors by which a share is greater: chance alone gives that once in 200
BEYOND_CHANCE = 2.58
SLOWER = 1.25
LONGEST = timedelta(days=30)
NONE = Summary(0, 0, 0, 0, 0, 0, None, None, None, None)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`words` is what can be said of it: the tone (good, warning, error, '' = nothing yet) and a sentence."""

    since: datetime
    base: Summary
    canary: Summary
    tone: str
    words: str

    @property
    def share(self) -> float:
        """The canary's part of the calls, in percent."""
        calls = self.base.calls + self.canary.calls
        return 100 * self.canary.calls / calls if calls else 0.0


def compare(stage: Stage, at: datetime | None = None) -> Comparison:
    """Compare a stage's canary with its other calls. Three queries."""
    at = at or now()
    since = max(_since(stage), at - LONGEST).replace(second=0, microsecond=0)
    scope = Scope(provider=stage.organization_id, stage=stage.pk)
    span = Span(since, at + timedelta(seconds=1))
    parts: dict[str, Part] = {each.key: each for each in breakdown(scope=scope, span=span, by="canary")}
    base = parts["base"].totals if "base" in parts else NONE
    canary = parts["canary"].totals if "canary" in parts else NONE
    return Comparison(since, base, canary, *judge(base, canary))


def judge(base: Summary, canary: Summary) -> tuple[str, str]:
    """Say what the numbers show; pure."""
    if canary.calls < FEWEST:
        return (
            "",
            f"Too few calls to tell: the canary has answered {canary.calls} so far, {FEWEST} are needed.",
        )
    if base.calls < FEWEST:
        return "", f"Nothing to compare with: the rest of the stage answered {base.calls} calls since then."
    worse = [
        name
        for name, theirs, ours in (
            ("5xx", canary.errors_5xx, base.errors_5xx),
            ("4xx", canary.errors_4xx, base.errors_4xx),
        )
        if beyond_chance(theirs, canary.calls, ours, base.calls)
    ]
    if worse:
        return "error", f"The canary answers with more {' and '.join(worse)} than chance explains."
    if base.p90 and canary.p90 and canary.p90 > SLOWER * base.p90:
        slower = 100 * (canary.p90 / base.p90 - 1)
        return "warning", f"The canary is slower: its p90 is {slower:.0f} % above the others'."
    return "good", "The canary does as well as the rest of the stage."


def beyond_chance(errors: int, calls: int, other_errors: int, other_calls: int) -> bool:
    """Whether a share of errors is greater than another by more than chance gives (two proportions, z)."""
    pooled = (errors + other_errors) / (calls + other_calls)
    spread = sqrt(pooled * (1 - pooled) * (1 / calls + 1 / other_calls))
    return spread > 0 and (errors / calls - other_errors / other_calls) / spread > BEYOND_CHANCE


def _since(stage: Stage) -> datetime:
    changes = AuditEvent.objects.filter(
        target_kind="stage", target_id=stage.pk, changes__has_key="canary_deployment_id"
    )
    found = changes.order_by("-at").values_list("at", flat=True).first()
    return found or stage.updated_at
