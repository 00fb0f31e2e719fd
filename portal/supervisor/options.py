"""What an operator may choose for `manage.py up` (docs/settings.md)."""

from dataclasses import dataclass
from pathlib import Path

from portal.settings.environment import VAR, env


@dataclass(frozen=True)
class Options:
    """Read from the environment once, at start."""

    var: Path
    host: str
    portal_port: int
    gateway_port: int
    tls_port: int  # 0 = no https
    metrics_port: int  # 0 = no metrics of nodes
    nodes: int
    demo: bool
    database_url: str
    broker_url: str

    @classmethod
    def from_environment(cls) -> "Options":
        return cls(
            var=VAR,
            host=env.str("GATEHOUSE_HOST", "127.0.0.1"),
            portal_port=env.int("GATEHOUSE_PORTAL_PORT", 8000),
            gateway_port=env.int("GATEHOUSE_GATEWAY_PORT", 8080),
            tls_port=env.int("GATEHOUSE_TLS_PORT", 0),
            metrics_port=env.int("GATEHOUSE_METRICS_PORT", 0),
            nodes=max(env.int("GATEHOUSE_NODES", 1), 1),
            demo=env.bool("GATEHOUSE_DEMO", True),
            database_url=env.str("DATABASE_URL", ""),
            broker_url=env.str("CELERY_BROKER_URL", ""),
        )
