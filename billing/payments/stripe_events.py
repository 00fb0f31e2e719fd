"""Stripe's messages in our words (pure). What we do not use becomes an event that says nothing."""

from typing import Any

from billing.models import PaymentState
from billing.payments.base import Event, SavedMethod
from billing.payments.stripe_amounts import from_minor


def read_event(event: dict[str, Any]) -> Event:
    """Turn a verified event of Stripe's API into ours."""
    about = event["data"]["object"]
    reader = _READERS.get(event["type"])
    return Event(id=event["id"], kind=event["type"], **(reader(about) if reader else {}))


def _session(about: dict[str, Any]) -> dict[str, Any]:
    """A Checkout page: done, and paid unless the bank takes days."""
    if about.get("mode") == "setup":
        return {}
    found = _of_session(about)
    if about.get("payment_status") == "paid":
        found |= {"state": PaymentState.SUCCEEDED} | _amount(about, "amount_total")
    return found


def _session_failed(about: dict[str, Any]) -> dict[str, Any]:
    return _of_session(about) | {"state": PaymentState.FAILED, "error": "The bank did not pay."}


def _session_expired(about: dict[str, Any]) -> dict[str, Any]:
    return _of_session(about) | {"state": PaymentState.FAILED, "error": "It was not paid in time."}


def _intent(about: dict[str, Any]) -> dict[str, Any]:
    paid = {"state": PaymentState.SUCCEEDED} | _amount(about, "amount_received")
    return _of_intent(about) | paid


def _intent_failed(about: dict[str, Any]) -> dict[str, Any]:
    """A refused card. On a Checkout page the customer may try another, so that is not the end."""
    error = (about.get("last_payment_error") or {}).get("message") or "The card was refused."
    return _of_intent(about) | {"state": PaymentState.FAILED, "error": error[:300], "final": False}


def _charge_refunded(about: dict[str, Any]) -> dict[str, Any]:
    currency = about["currency"].upper()
    return {
        "payment_id": (about.get("metadata") or {}).get("payment", ""),
        "reference": about.get("payment_intent") or "",
        "refunded": from_minor(about["amount_refunded"], currency),
        "amount": from_minor(about["amount"], currency),
        "currency": currency,
    }


def _refund(about: dict[str, Any]) -> dict[str, Any]:
    """A refund that a bank took days for, or gave back."""
    states = {
        "succeeded": PaymentState.SUCCEEDED,
        "failed": PaymentState.FAILED,
        "canceled": PaymentState.FAILED,
    }
    found = {"refund_id": (about.get("metadata") or {}).get("refund", "")}
    error = about.get("failure_reason") or "The bank did not take it."
    return found | {"refund_state": states.get(about.get("status") or ""), "error": error}


def _set_up(about: dict[str, Any]) -> dict[str, Any]:
    method = about.get("payment_method")
    if not isinstance(method, str) or not about.get("customer"):
        return {}
    return {"method": SavedMethod(about["customer"], method, "Card at Stripe")}


def _of_session(about: dict[str, Any]) -> dict[str, Any]:
    return {
        "payment_id": (about.get("metadata") or {}).get("payment", ""),
        "session_id": about["id"],
        "reference": about.get("payment_intent") or "",
    }


def _of_intent(about: dict[str, Any]) -> dict[str, Any]:
    return {
        "payment_id": (about.get("metadata") or {}).get("payment", ""),
        "reference": about["id"],
    }


def _amount(about: dict[str, Any], name: str) -> dict[str, Any]:
    currency = about["currency"].upper()
    return {"amount": from_minor(about[name], currency), "currency": currency}


_READERS = {
    "checkout.session.completed": _session,
    "checkout.session.async_payment_succeeded": _session,
    "checkout.session.async_payment_failed": _session_failed,
    "checkout.session.expired": _session_expired,
    "payment_intent.succeeded": _intent,
    "payment_intent.payment_failed": _intent_failed,
    "charge.refunded": _charge_refunded,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "setup_intent.succeeded": _set_up,
}
