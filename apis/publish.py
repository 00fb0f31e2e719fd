"""Going live: deployments, the stages that point to them, and the addresses of stages."""

from typing import Any

from accounts.models import User
from apis.models import LIVE, ApiVersion, BasePathMapping, Deployment, Stage


def deploy(*, version: ApiVersion, stage_name: str = LIVE, note: str = "", actor: User | None) -> Deployment:
    """Freeze the version's operations and move the stage to them; makes the stage if it is missing.

    A new stage `live` gets the address /{api.slug}/{version.name} on the shared host; other stages have
    their canonical address until one is mapped. Refused when nothing could be served, or a backend is missing.
    """
    raise NotImplementedError


def promote(*, stage: Stage, to: Stage | str, actor: User | None) -> Stage:
    """Point stage `to` (a stage of the same version, or the name of one) to `stage`'s deployment; returns it."""
    raise NotImplementedError


def roll_back(*, stage: Stage, deployment: Deployment | None = None, actor: User | None) -> Stage:
    """Point the stage to an earlier deployment of its version; without one, to that before the current."""
    raise NotImplementedError


def change_stage(*, stage: Stage, actor: User | None, **settings: Any) -> Stage:
    """Change variables, throttle_rate, throttle_burst; holds at once, without a deployment."""
    raise NotImplementedError


def map_base_path(
    *, stage: Stage, host: str = "", base_path: str = "", actor: User | None
) -> BasePathMapping:
    """Give a stage an address more; '' as host = the shared host."""
    raise NotImplementedError


def unmap(*, mapping: BasePathMapping, actor: User | None) -> None:
    """Take an address away."""
    raise NotImplementedError
