"""Money: credits, payments, and those who do not pay (docs/payments.md)."""

from django.core.exceptions import ImproperlyConfigured

from portal.settings.environment import MODE, env, given

# Expired credits are written off this long after their expiry: until then, the month's invoice may use them.
CREDIT_EXPIRY_DELAY_SECONDS = env.int("GATEHOUSE_CREDIT_EXPIRY_DELAY", 172_800)
# How customers pay by themselves: "stripe", "null" (pays at once, for demonstrations), or "" = only by bank transfer.
PAYMENT_PROCESSOR = env.str("GATEHOUSE_PAYMENTS", "null" if MODE == "development" else "")
if PAYMENT_PROCESSOR not in ("", "null", "stripe"):
    raise ImproperlyConfigured("GATEHOUSE_PAYMENTS is stripe, null or empty (docs/settings.md).")
STRIPE_SECRET_KEY = given("GATEHOUSE_STRIPE_SECRET_KEY")
# several while one is replaced; messages of either are taken
STRIPE_WEBHOOK_SECRETS = [
    text.strip() for text in given("GATEHOUSE_STRIPE_WEBHOOK_SECRETS").split(",") if text.strip()
]
STRIPE_API_BASE = env.str("GATEHOUSE_STRIPE_API_BASE", "")
if PAYMENT_PROCESSOR == "stripe" and not (STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRETS):
    raise ImproperlyConfigured(
        "Set GATEHOUSE_STRIPE_SECRET_KEY and GATEHOUSE_STRIPE_WEBHOOK_SECRETS (docs/payments.md)."
    )
# Late payment: mails go out so many days after the due date, and subscriptions are suspended (-1 = never).
DUNNING_WARNING_DAYS = sorted(env.list("GATEHOUSE_DUNNING_WARNING_DAYS", [1, 7, 14], subcast=int))
DUNNING_SUSPEND_DAYS = env.int("GATEHOUSE_DUNNING_SUSPEND_DAYS", 21)
