"""After a new key was put in front of GATEHOUSE_ENCRYPTION_KEYS: every secret encrypted with it."""

from django.db import transaction

from accounts.encryption import reencrypt
from accounts.second_factors import reencrypt_second_factors
from accounts.webhooks.models import WebhookEndpoint
from apis.models import Backend, DomainName
from apis.signals import backends_changed, domains_changed


@transaction.atomic
def reencrypt_private_keys() -> int:
    """Encrypt all private keys anew, in entries too, webhooks' secrets and second factors; returns how many.

    Older keys can go then.

    Raises accounts.encryption.UnreadableError, and changes nothing, when one of them cannot be read.
    """
    domains = list(DomainName.objects.select_for_update().order_by("pk"))
    for domain in domains:
        domain.sealed_key = reencrypt(domain.sealed_key)
    DomainName.objects.bulk_update(domains, ["sealed_key"])
    backends = list(Backend.objects.select_for_update().exclude(sealed_client_key="").order_by("pk"))
    for backend in backends:
        backend.sealed_client_key = reencrypt(backend.sealed_client_key)
    Backend.objects.bulk_update(backends, ["sealed_client_key"])
    hooks = _reencrypt_webhooks()
    domains_changed.send(sender=DomainName, hosts=[domain.host for domain in domains])
    backends_changed.send(sender=Backend, backend_ids=[backend.pk for backend in backends])
    return len(domains) + len(backends) + hooks + reencrypt_second_factors()


def _reencrypt_webhooks() -> int:
    endpoints = list(WebhookEndpoint.objects.select_for_update().order_by("pk"))
    for endpoint in endpoints:
        endpoint.sealed_secret = reencrypt(endpoint.sealed_secret)
        if endpoint.sealed_old_secret:
            endpoint.sealed_old_secret = reencrypt(endpoint.sealed_old_secret)
    WebhookEndpoint.objects.bulk_update(endpoints, ["sealed_secret", "sealed_old_secret"])
    return len(endpoints)
