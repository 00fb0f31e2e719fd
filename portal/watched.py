"""A webhook's delivery that somebody waits for: how it is going, in words."""

from dataclasses import dataclass
from datetime import datetime

from accounts.models import WebhookDelivery
from accounts.webhooks.models import DeliveryState


@dataclass(frozen=True, slots=True)
class Watched:
    """`tone` is success, warning, error or '' (it is on its way); `next_try_at` where an attempt failed."""

    delivery: WebhookDelivery
    tone: str
    words: str
    next_try_at: datetime | None = None

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self.delivery.state != DeliveryState.PENDING


def watch(delivery: WebhookDelivery) -> Watched:
    """Say how a delivery is going; load its event with it."""
    what = delivery.event.type
    last = delivery.attempts[-1] if delivery.attempts else {}
    if delivery.state == DeliveryState.PENDING and (
        not last.get("problem") or not delivery.tries or len(delivery.attempts) < delivery.tries
    ):  # tries count when they begin, attempts when they end
        return Watched(delivery, "", f"{what} is on its way to the receiver.")
    if delivery.state == DeliveryState.DELIVERED:
        answer = f"the receiver answered {last['status']} in {last['ms']} ms" if last else "it arrived"
        return Watched(delivery, "success", f"{what} is delivered: {answer}.")
    problem = str(last.get("problem") or "There was no answer.")
    if delivery.state == DeliveryState.FAILED:
        return Watched(delivery, "error", f"{what} failed, and is not tried again. {problem}")
    return Watched(delivery, "warning", f"{what} did not arrive yet. {problem}", delivery.next_try_at)
