"""Celery: broker, schedules and how tasks are kept."""

from celery.schedules import crontab

from portal.settings.environment import MODE, env, required

CELERY_BROKER_URL = required("CELERY_BROKER_URL", "redis://:password@host:6379/0") or "memory://"
CELERY_TASK_ALWAYS_EAGER = MODE == "test"
CELERY_TASK_EAGER_PROPAGATES = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A killed worker's task comes back after the visibility timeout, found by a sweep every 2 seconds.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": env.int("GATEHOUSE_TASK_TIMEOUT", 600),
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
    # enqueueing must fail fast when the broker is down; beat sweeps up what was not enqueued
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TIMEZONE = "UTC"
# How often spend caps are looked at, in seconds.
SPEND_INTERVAL = env.float("GATEHOUSE_SPEND_INTERVAL", 10.0)
CELERY_BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    "add up usage that was not announced": {
        "task": "metering.tasks.process_batches",
        "schedule": 5.0,
    },
    "change and end subscriptions as planned": {
        "task": "access.tasks.apply_planned_changes",
        "schedule": 5.0,
    },
    "go on with announcements": {
        "task": "access.tasks.go_on_with_announcements",
        "schedule": 60.0,
    },
    "make partitions of usage, and drop old ones": {
        "task": "metering.tasks.maintain",
        "schedule": 3600.0,
    },
    "count cache-hours": {
        "task": "metering.tasks.count_cache_hours",
        "schedule": 600.0,
    },
    "reconcile usage": {
        "task": "metering.tasks.reconcile_usage",
        "schedule": crontab(hour=0, minute=20),
    },
    "seal usage": {
        "task": "metering.tasks.seal_usage",
        "schedule": crontab(minute=5),
    },
    "close the last billing period": {
        "task": "billing.tasks.close_period",
        "schedule": 3600.0,
    },
    "go on with closings that lost their workers": {
        "task": "billing.tasks.resume_runs",
        "schedule": 60.0,
    },
    "expire credits": {
        "task": "billing.tasks.expire_credits",
        "schedule": 3600.0,
    },
    "send webhooks that are due": {
        "task": "accounts.tasks.deliver_due_webhooks",
        "schedule": 10.0,
    },
    "end looks at the site whose time is over": {
        "task": "accounts.tasks.end_overdue_help",
        "schedule": 60.0,
    },
    "forget old webhook events": {
        "task": "accounts.tasks.forget_old_webhooks",
        "schedule": 86_400.0,
    },
    "mail invoices": {
        "task": "billing.tasks.mail_invoices",
        "schedule": 60.0,
    },
    "charge saved cards, and follow up late payment": {
        "task": "billing.tasks.collect_and_dun",
        "schedule": 3600.0,
    },
    "send mails about late payment": {
        "task": "billing.tasks.send_dunning_mails",
        "schedule": 60.0,
    },
}
CELERY_BEAT_SCHEDULE |= {
    "tell of budgets": {"task": "billing.tasks.look_at_budgets", "schedule": 60.0},
    "tell of quotas": {"task": "nodes.tasks.alert_quotas", "schedule": 60.0},
    "tell of crossed thresholds": {"task": "metering.tasks.check_alerts", "schedule": 60.0},
    "hold spend caps": {"task": "billing.tasks.hold_caps", "schedule": SPEND_INTERVAL},
}
# A month is billed this long after it is over, so that late counts are in.
BILLING_GRACE_SECONDS = env.int("GATEHOUSE_BILLING_GRACE", 3600)
# How many tasks work on one closing of a month at the same time.
BILLING_WORKERS = env.int("GATEHOUSE_BILLING_WORKERS", 2)
# A task that closes a month makes room for others after so long, and goes on behind them.
BILLING_TASK_SECONDS = 60.0
# Days from an invoice's issue until payment is late, where no terms with the customer say otherwise.
INVOICE_DUE_DAYS = env.int("GATEHOUSE_INVOICE_DUE_DAYS", 14)
# Whether invoices are sent by mail, with their PDF, when they are issued.
INVOICE_MAIL = env.bool("GATEHOUSE_INVOICE_MAIL", True)
