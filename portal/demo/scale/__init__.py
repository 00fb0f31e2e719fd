"""The demo at scale: a year of believable usage for many subscriptions, so that pages are judged full.

`generate.py` makes it, in the order of its parts: `provider.py` (APIs and plans, by the verbs that people use),
`customers.py` (rows in bulk: nobody presses a button a thousand times), `rhythm.py` (pure: who calls when), `usage.py`
(records, by COPY), `money.py` (closed months, payments, budgets) and `around.py` (webhooks, tokens, credit notes,
what alerts told).
"""
