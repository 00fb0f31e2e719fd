"""`domain-names`."""

from typing import Any

from apis import domains
from apis.models import DomainName
from rest.filtersets import DomainFilters
from rest.serializers.domains import DomainChange, DomainInput, DomainSerializer
from rest.views.base import Changeable, Creatable, Listed, Made, Readable, Removable, Resource


class DomainViews(Listed, Readable, Creatable, Changeable, Removable, Resource):
    """Hosts with certificates of their own. A new certificate holds at the next handshake on every node."""

    model, noun, nouns, tag = DomainName, "domain name", "domain names", "deployments"
    serializer_class = DomainSerializer
    create_input, change_input = DomainInput, DomainChange
    filterset_class = DomainFilters
    ordering_fields = ("host", "expires_at", "created_at")
    search_fields = ("host",)

    def make(self, data: dict[str, Any]) -> Made:
        organization = data.pop("organization", self.caller.organization)
        return domains.create_domain(organization=organization, actor=self.caller.user, **data)

    def change(self, row: DomainName, data: dict[str, Any]) -> None:
        domains.change_domain(domain=row, actor=self.caller.user, **data)

    def remove(self, row: DomainName) -> None:
        domains.delete_domain(domain=row, actor=self.caller.user)
