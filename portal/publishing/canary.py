"""A canary beside the rest of its stage, since it has the deployment that it has now.

Usage records tell a canary's calls from the others (`canary`), not which deployment answered; so the comparison
begins when the canary got its deployment, as the audit trail knows. In that minute itself an earlier canary's calls
count along.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.timezone import now

from accounts.models import AuditEvent
from apis.models import Stage
from metering.queries import Part, Scope, Span, Summary, breakdown
from metering.side_by_side import by_operation
from portal.publishing.canary_operations import FEWEST, SHOWN, SLOWER, Row, beyond_chance, rows_of

LONGEST = timedelta(days=30)
NONE = Summary(0, 0, 0, 0, 0, 0, None, None, None, None)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`words` is what can be said of it: the tone (good, warning, error, '' = nothing yet) and a sentence.

    `operations` are the SHOWN most called ones, `more` how many others there are.
    """

    since: datetime
    base: Summary
    canary: Summary
    tone: str
    words: str
    operations: list[Row]
    more: int

    @property
    def share(self) -> float:
        """The canary's part of the calls, in percent."""
        calls = self.base.calls + self.canary.calls
        return 100 * self.canary.calls / calls if calls else 0.0


def compare(stage: Stage, at: datetime | None = None) -> Comparison:
    """Compare a stage's canary with its other calls. Six queries."""
    at = at or now()
    since = max(_since(stage), at - LONGEST).replace(second=0, microsecond=0)
    scope = Scope(provider=stage.organization_id, stage=stage.pk)
    span = Span(since, at + timedelta(seconds=1))
    parts: dict[str, Part] = {each.key: each for each in breakdown(scope=scope, span=span, by="canary")}
    base = parts["base"].totals if "base" in parts else NONE
    canary = parts["canary"].totals if "canary" in parts else NONE
    pairs = by_operation(provider=stage.organization_id, stage=stage.pk, span=span)
    return Comparison(
        since,
        base,
        canary,
        *judge(base, canary),
        operations=rows_of(pairs[:SHOWN]),
        more=max(len(pairs) - SHOWN, 0),
    )


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


def _since(stage: Stage) -> datetime:
    changes = AuditEvent.objects.filter(
        target_kind="stage", target_id=stage.pk, changes__has_key="canary_deployment_id"
    )
    found = changes.order_by("-at").values_list("at", flat=True).first()
    return found or stage.updated_at
