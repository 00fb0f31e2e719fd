"""Money: credits, payments, and those who do not pay (docs/payments.md)."""

from portal.settings.environment import env

# Expired credits are written off this long after their expiry: until then, the month's invoice may use them.
CREDIT_EXPIRY_DELAY_SECONDS = env.int("GATEHOUSE_CREDIT_EXPIRY_DELAY", 172_800)
