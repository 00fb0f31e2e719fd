"""Ways to sign in besides the password: passkeys, second factors, and accounts at other providers."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from portal.settings.environment import PRODUCTION, env, given

# Passkeys, authenticator apps and recovery codes. Secrets are encrypted by the adapter.
MFA_ADAPTER = "accounts.second_factors.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = MFA_PASSKEY_SIGNUP_ENABLED = env.bool("GATEHOUSE_PASSKEYS", True)
MFA_TOTP_ISSUER = "Gatehouse"
# a clock that is half a minute off is common
MFA_TOTP_TOLERANCE = 1
MFA_FORMS = {
    "add_webauthn": "accounts.signin_forms.AddPasskeyForm",
    "signup_webauthn": "accounts.signin_forms.FirstPasskeyForm",
}
# Browsers make passkeys for https and for localhost only; the second has no https in development.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not PRODUCTION

# Whose members and staff must have a second factor before they come in.
MFA_GROUPS = ("staff", "providers", "everybody")
GATEHOUSE_REQUIRE_MFA: list[str] = env.list("GATEHOUSE_REQUIRE_MFA", [])
if unknown := set(GATEHOUSE_REQUIRE_MFA) - set(MFA_GROUPS):
    raise ImproperlyConfigured(
        f"GATEHOUSE_REQUIRE_MFA names {', '.join(sorted(unknown))}; use {', '.join(MFA_GROUPS)}."
    )

# The list of sessions is kept by portal.signed_in.Sessions, which writes more rarely than allauth's.
USERSESSIONS_TRACK_ACTIVITY = False

SOCIALACCOUNT_ADAPTER = "accounts.social.SocialAdapter"
# Nobody gets into an account because another provider says that she has its address: she signs in there first.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_LOGIN_ON_GET = False
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10

KNOWN_PROVIDERS: dict[str, dict[str, Any]] = {
    "google": {"SCOPE": ["openid", "profile", "email"], "OAUTH_PKCE_ENABLED": True},
    "github": {"SCOPE": ["read:user", "user:email"]},
    "gitlab": {"SCOPE": ["read_user"]},
    "microsoft": {},
}


def _secret(name: str) -> str:
    found = given(name)
    if not found:
        raise ImproperlyConfigured(f"Set {name}: the client has an id and no secret (docs/signin.md).")
    return found


def known_providers() -> dict[str, dict[str, Any]]:
    """Those of KNOWN_PROVIDERS that have a client id, as allauth wants them."""
    found = {}
    for name, options in KNOWN_PROVIDERS.items():
        client = given(f"GATEHOUSE_{name.upper()}_CLIENT_ID")
        if client:
            secret = _secret(f"GATEHOUSE_{name.upper()}_CLIENT_SECRET")
            found[name] = options | {"APP": {"client_id": client, "secret": secret, "key": ""}}
    return found


def oidc_app(provider_id: str) -> dict[str, Any]:
    """One provider of GATEHOUSE_OIDC from its own four settings."""
    prefix = f"GATEHOUSE_OIDC_{provider_id.upper().replace('-', '_')}"
    missing = [name for name in (f"{prefix}_URL", f"{prefix}_CLIENT_ID") if not given(name)]
    if missing:
        raise ImproperlyConfigured(f"Set {' and '.join(missing)} for {provider_id} (docs/signin.md).")
    url = given(f"{prefix}_URL")
    if PRODUCTION and not url.startswith("https://"):
        raise ImproperlyConfigured(f"{prefix}_URL must begin with https://: identities travel over it.")
    return {
        "provider_id": provider_id,
        "name": given(f"{prefix}_NAME") or provider_id.capitalize(),
        "client_id": given(f"{prefix}_CLIENT_ID"),
        "secret": _secret(f"{prefix}_CLIENT_SECRET"),
        "settings": {"server_url": url, "oauth_pkce_enabled": True},
    }


_OIDC: list[str] = env.list("GATEHOUSE_OIDC", [])
_KNOWN = known_providers()
SOCIALACCOUNT_PROVIDERS: dict[str, dict[str, Any]] = _KNOWN | {
    "openid_connect": {"APPS": [oidc_app(name) for name in _OIDC]}
}
SIGNIN_APPS = [
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    *(f"allauth.socialaccount.providers.{name}" for name in _KNOWN),
]
