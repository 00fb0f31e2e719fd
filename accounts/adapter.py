"""How django-allauth signs people up here."""

from allauth.account.adapter import DefaultAccountAdapter


class AccountAdapter(DefaultAccountAdapter):
    """Gatehouse's hooks into allauth."""
