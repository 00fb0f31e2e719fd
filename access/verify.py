"""Is this key valid? Judged from the rows, at one moment; nothing is consumed."""

from dataclasses import dataclass
from datetime import datetime

from access.models import ApiKey, Application, Subscription, UsagePlan
from access.verdicts import KeyVerdict
from accounts.models import Organization
from apis.models import Stage


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of a key, and the rows it was judged from (None where judging did not get that far)."""

    code: KeyVerdict
    message: str
    key: ApiKey | None = None
    application: Application | None = None
    subscription: Subscription | None = None
    plan: UsagePlan | None = None

    @property
    def valid(self) -> bool:
        return self.code is KeyVerdict.VALID


def verify_key(
    text: str, *, stage: Stage | None, viewer: Organization | None, at: datetime | None = None
) -> Verdict:
    """Judge the key for calls to `stage` at the moment `at` (default: now).

    `stage` None = judge key, application and organization only. `viewer` is the organization that asks:
    a key that is neither its own nor of one of its subscribers is NOT_FOUND for it; None = Gatehouse or
    a superuser, who sees every key. Judged in the order existence, state, expiry, scope.
    """
    raise NotImplementedError
