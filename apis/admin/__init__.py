"""The admin console of this room. Everything is created and changed through the verbs."""

from apis.admin.catalogue import ApiInvitationAdmin, ApiPageAdmin
from apis.admin.domains import DomainNameAdmin
from apis.admin.grants import ApiGrantAdmin
from apis.admin.operations import OperationAdmin
from apis.admin.products import ApiAdmin, BackendAdmin
from apis.admin.stages import BasePathMappingAdmin, DeploymentAdmin, StageAdmin
from apis.admin.versions import ApiVersionAdmin

__all__ = [
    "ApiAdmin",
    "ApiGrantAdmin",
    "ApiInvitationAdmin",
    "ApiPageAdmin",
    "ApiVersionAdmin",
    "BackendAdmin",
    "BasePathMappingAdmin",
    "DeploymentAdmin",
    "DomainNameAdmin",
    "OperationAdmin",
    "StageAdmin",
]
