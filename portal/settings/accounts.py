"""Sign-up and sign-in (django-allauth), and mail."""

from portal.settings.environment import MODE, PRODUCTION, VAR, env, required

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = False
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Gatehouse] "
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/console/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"

DEFAULT_FROM_EMAIL = env.str("GATEHOUSE_MAIL_FROM", "Gatehouse <gatehouse@localhost>")
EMAIL_URL = required("EMAIL_URL", "smtp+tls://user:password@host:587, or consolemail://")
# Without a mail server, messages go to the console and to files that the outbox page shows.
OUTBOX_DIR = VAR / "outbox"
if EMAIL_URL:
    vars().update(env.dj_email_url("EMAIL_URL"))
elif MODE == "test":
    EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
elif not PRODUCTION:
    EMAIL_BACKEND = "portal.outbox.OutboxBackend"
