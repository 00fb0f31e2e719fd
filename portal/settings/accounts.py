"""Sign-up and sign-in (django-allauth), mail, and webhooks."""

from portal.settings.environment import MODE, PRODUCTION, VAR, env, required

GATEHOUSE_SIGNUP_OPEN = env.bool("GATEHOUSE_SIGNUP_OPEN", True)

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
# a code, typed where she signed up: it also works when the mail is read on another device
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_CHANGE = True
ALLAUTH_USER_CODE_FORMAT = {"numeric": True, "dashed": False, "length": 6}
# who changes her address, or connects another account, shows anew that it is her
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# a mail tells her of a new password, passkey, factor or connected account: it may not have been her
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_UNIQUE_EMAIL = True
# one address a person: a new one takes the old one's place once it is verified
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
# counted in each web process; `ip` is the client, `key` the address she types
ACCOUNT_RATE_LIMITS = {
    "signup": "20/m/ip",
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "confirm_email": "1/m/key",
    "reset_password": "20/m/ip,5/m/key",
    "reset_password_from_key": "20/m/ip",
    "change_password": "5/m/user",
    "manage_email": "10/m/user",
    "reauthenticate": "10/m/user",
}
# how many proxies before the portal append to X-Forwarded-For; 0 = the header is not believed
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("GATEHOUSE_TRUSTED_PROXIES", 0)
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Gatehouse] "
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/console/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"

DEFAULT_FROM_EMAIL = env.str("GATEHOUSE_MAIL_FROM", "Gatehouse <gatehouse@localhost>")
# a mail server that hangs holds up a sign-up for this long at most, seconds
EMAIL_TIMEOUT = 10
EMAIL_URL = required("EMAIL_URL", "smtp+tls://user:password@host:587, or consolemail://")
# Without a mail server, messages go to the console and to files that the outbox page shows.
OUTBOX_DIR = VAR / "outbox"
if EMAIL_URL:
    vars().update(env.dj_email_url("EMAIL_URL"))
elif MODE == "test":
    EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
elif not PRODUCTION:
    EMAIL_BACKEND = "portal.outbox.OutboxBackend"

# Whether webhooks may go to http, private and loopback addresses.
WEBHOOK_PRIVATE = env.bool("GATEHOUSE_WEBHOOK_PRIVATE", not PRODUCTION)
# An endpoint whose every delivery failed for so many days is switched off.
WEBHOOK_DISABLE_AFTER_DAYS = env.int("GATEHOUSE_WEBHOOK_DISABLE_AFTER_DAYS", 5)
# How long events and their deliveries are kept.
WEBHOOK_KEEP_DAYS = env.int("GATEHOUSE_WEBHOOK_KEEP_DAYS", 30)
