"""What the verbs of this room announce."""

import pytest

from access.signals import keys_changed, plans_changed, subscriptions_changed


@pytest.fixture
def heard():
    """A list that fills with (kind, ids) while the test runs."""
    calls = []
    listeners = {
        signal: _listener(calls, kind)
        for signal, kind in (
            (plans_changed, "plans"),
            (subscriptions_changed, "subscriptions"),
            (keys_changed, "keys"),
        )
    }
    for signal, listener in listeners.items():
        signal.connect(listener, weak=False)
    yield calls
    for signal, listener in listeners.items():
        signal.disconnect(listener)


def _listener(calls, kind):
    argument = {"plans": "plan_ids", "subscriptions": "subscription_ids", "keys": "key_ids"}[kind]

    def listen(sender, **arguments):
        calls.append((kind, list(arguments[argument])))

    return listen
