"""What happened to one call, with names: check by check, by which rules, how long it took, and whether it is billed.

Rules are shown as they are now; `changed` says when they were changed after the call.
"""

from dataclasses import dataclass
from datetime import datetime

from access.models import ApiKey, Subscription
from apis.models import Operation, Stage
from metering.billable_rules import DEFAULT, Rule, rules_of
from metering.models import RequestLine
from metering.request_log.facts import Subject, facts_of
from metering.request_log.steps import Step, outcome_of, steps_of, words_of


@dataclass(frozen=True, slots=True)
class Took:
    """A part of the call's time, milliseconds."""

    name: str
    ms: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that is known of a call. What was deleted since is None; `changed` = the stage's settings, after the call."""

    line: RequestLine
    headline: str
    steps: list[Step]
    times: list[Took]
    stage: Stage | None
    operation: Operation | None
    key: ApiKey | None
    subscription: Subscription | None
    not_billed_because: str
    changed: datetime | None

    @property
    def state(self) -> str:
        """`answered`, `refused` or `failed`."""
        return outcome_of(self.line)

    @property
    def billable(self) -> bool:
        return not self.not_billed_because


def explain(line: RequestLine, *, for_provider: bool) -> Explanation:
    """Explain a call to its caller, or to the API's provider, who is also shown her own rules. At most 6 queries."""
    stages = Stage.objects.select_related("version__api", "version__backend", "deployment")
    subscriptions = Subscription.objects.select_related("plan", "application", "organization", "provider")
    keys = ApiKey.objects.select_related("application", "organization")
    stage = stages.filter(pk=line.stage_id).first() if line.stage_id else None
    operation = Operation.objects.filter(pk=line.operation_id).first() if line.operation_id else None
    key = keys.filter(pk=line.key_id).first() if line.key_id else None
    subscription = subscriptions.filter(pk=line.subscription_id).first() if line.subscription_id else None
    return Explanation(
        line=line,
        headline=words_of(line),
        steps=steps_of(line, facts_of(Subject(line, stage, operation, key, subscription, for_provider))),
        times=times_of(line),
        stage=stage,
        operation=operation,
        key=key,
        subscription=subscription,
        not_billed_because=_not_billed_because(line),
        changed=stage.updated_at if stage and stage.updated_at > line.at else None,
    )


def times_of(line: RequestLine) -> list[Took]:
    """Divide the call's time; what cannot be told apart is the gate's, and the way to and from the caller."""
    gate = "Gateway, and way to the caller"
    backend = line.backend_ms
    if backend is None:
        return [Took(gate, line.latency_ms)]
    connect = line.connect_ms or 0
    header = max(backend if line.header_ms is None else line.header_ms, connect)
    return [
        Took(gate, max(line.latency_ms - backend, 0)),
        Took("Connecting to the backend", connect),
        Took("Waiting for the backend's answer", header - connect),
        Took("Receiving the backend's answer", max(backend - header, 0)),
    ]


def rule_at(subscription_id: str, at: datetime) -> Rule:
    """Return which calls of a subscription's provider were billed at a moment."""
    holds = DEFAULT
    for since, rule in rules_of([subscription_id]).get(subscription_id, ()):
        if since <= at:
            holds = rule
    return holds


def _not_billed_because(line: RequestLine) -> str:
    if not line.subscription_id:
        return "It was made on no subscription, so nobody pays for it."
    verdicts, classes = rule_at(line.subscription_id, line.at)
    if line.verdict not in verdicts:
        return "Calls with this outcome are not billed."
    if (min(line.status // 100, 5) or 4) not in classes:
        return "This provider does not bill calls with this status."
    return ""
