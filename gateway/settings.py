"""What the operator of a node sets, by environment. nginx and the agent read the same."""

import ipaddress
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# The longest address of a unix socket that Linux takes is 107 bytes; `control.sock` is the longest of ours.
_LONGEST_FOLDER = 107 - len("/control.sock")
_SIZE = re.compile(r"[1-9][0-9]{0,11}[kKmMgG]?")
_UNITS = {"k": 2**10, "m": 2**20, "g": 2**30}


class SettingError(ValueError):
    """A setting that cannot be used; the text names it and says what it must be."""


@dataclass(frozen=True)
class NodeSettings:
    """The settings of one gateway node. Sizes are in bytes. Raises SettingError for what cannot be used."""

    folder: Path
    control_url: str = "http://127.0.0.1:8000"
    token: str = ""
    host: str = "127.0.0.1"
    port: int = 8080
    workers: str = "auto"
    entries_memory: int = 128 * 2**20
    counters_memory: int = 32 * 2**20
    ca_bundle: Path = Path("/etc/ssl/certs/ca-certificates.crt")
    max_body: int = 10 * 2**20
    journal_size: int = 2**30  # the most that lines may take that are not counted yet
    request_log_rate: int = 20  # lines a second; 0 = no request log
    request_log_size: int = 16 * 2**20  # the most that lines may take that are not sent yet
    max_timeout: int = 29  # seconds
    cache_memory: int = 64 * 2**20
    verify_rate: int = 10_000
    # Whose X-Forwarded-For tells the client's address: networks (CIDR). Nobody's by default.
    trusted_proxies: tuple[str, ...] = ()
    access_log_dir: Path | None = None  # None = `access` in the folder
    access_log_size: int = 10 * 2**20  # of a file, before the next begins
    access_log_files: int = 5  # kept for each stage
    tls_port: int = 0  # 0 = no TLS listener
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 0  # 0 = no metrics
    metered_payload: str = "both"  # whose bytes count for http_requests
    lambda_endpoint: str = ""  # of Lambda's API; '' = AWS's own, in the region of each function
    nginx: str = "/usr/sbin/nginx"

    def __post_init__(self) -> None:
        """Refuse what would not be safe or would not work in nginx.conf."""
        if not self.folder.is_absolute() or len(os.fsencode(self.folder)) > _LONGEST_FOLDER:
            raise SettingError(
                f"GATEHOUSE_NODE_DIR must be a full path of at most {_LONGEST_FOLDER} bytes, "
                f"because unix sockets lie in it; it is {str(self.folder)!r}"
            )
        paths = {
            "GATEHOUSE_NODE_DIR": self.folder,
            "GATEHOUSE_CA_BUNDLE": self.ca_bundle,
            "GATEHOUSE_ACCESS_LOG_DIR": self.access_log_dir or "",
            "GATEHOUSE_TLS_CERTIFICATE": self.tls_certificate or "",
            "GATEHOUSE_TLS_KEY": self.tls_key or "",
        }
        for name, path in paths.items():
            if re.search(r"[\"'\\${};\x00-\x1f]", str(path)):
                raise SettingError(f"{name} must not contain quotes, backslashes, $, braces or semicolons")
        if not re.fullmatch(r"[0-9A-Za-z.-]+|\[[0-9A-Fa-f:.]+\]", self.host):
            raise SettingError(
                f"GATEHOUSE_GATEWAY_HOST must be a host name or an IP address, not {self.host!r}"
            )
        if not 1 <= self.port <= 65535:
            raise SettingError(f"GATEHOUSE_GATEWAY_PORT must be between 1 and 65535, not {self.port}")
        self._check_tls()
        self._check_networks()
        self._check_lambda()
        self._check_payload()
        self._check_request_log()
        if not 1 <= self.access_log_files <= 100:
            raise SettingError(
                f"GATEHOUSE_ACCESS_LOG_FILES must be between 1 and 100, not {self.access_log_files}"
            )
        if not re.fullmatch(r"auto|[1-9][0-9]{0,2}", self.workers):
            raise SettingError(
                f"GATEHOUSE_WORKERS must be auto or a number from 1 to 999, not {self.workers!r}"
            )
        if min(self.entries_memory, self.counters_memory, self.cache_memory, self.journal_size) < 2**20:
            raise SettingError(
                "GATEHOUSE_ENTRIES_MEMORY, GATEHOUSE_COUNTERS_MEMORY, GATEHOUSE_CACHE_MEMORY and "
                "GATEHOUSE_JOURNAL_SIZE must be 1m or more"
            )
        if not 1 <= self.max_timeout <= 3600:
            raise SettingError(
                f"GATEHOUSE_MAX_TIMEOUT must be between 1 and 3600 seconds, not {self.max_timeout}"
            )

    def _check_networks(self) -> None:
        for network in self.trusted_proxies:
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                raise SettingError(
                    f"GATEHOUSE_TRUSTED_PROXIES must be networks such as 10.0.0.0/8, with commas: {error}"
                ) from error

    def _check_payload(self) -> None:
        if self.metered_payload not in ("both", "request", "response"):
            raise SettingError(
                f"GATEHOUSE_METERED_PAYLOAD must be both, request or response, not {self.metered_payload!r}"
            )

    def _check_request_log(self) -> None:
        if self.request_log_rate > 10_000 or not 2**16 <= self.request_log_size <= 2**30:
            raise SettingError(
                "GATEHOUSE_REQUEST_LOG_RATE must be at most 10000 lines a second, and "
                "GATEHOUSE_REQUEST_LOG_SIZE between 64k and 1g"
            )

    def _check_lambda(self) -> None:
        if self.lambda_endpoint and not re.fullmatch(
            r"https?://[^\s/?#@]+(/[^\s?#]*)?", self.lambda_endpoint
        ):
            raise SettingError("GATEHOUSE_LAMBDA_ENDPOINT must be an address such as http://127.0.0.1:9001")

    def _check_tls(self) -> None:
        if not 0 <= self.metrics_port <= 65535 or (self.metrics_port and self.metrics_port == self.port):
            raise SettingError(
                f"GATEHOUSE_METRICS_PORT must be a port of its own, or 0 for no metrics, not {self.metrics_port}"
            )
        if self.tls_port and not 1 <= self.tls_port <= 65535:
            raise SettingError(f"GATEHOUSE_TLS_PORT must be between 1 and 65535, not {self.tls_port}")
        if self.tls_port == self.port:
            raise SettingError(
                "GATEHOUSE_TLS_PORT and GATEHOUSE_GATEWAY_PORT are the same; choose another one"
            )
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise SettingError("set both GATEHOUSE_TLS_CERTIFICATE and GATEHOUSE_TLS_KEY, or neither")
        if self.tls_certificate and not self.tls_port:
            raise SettingError("GATEHOUSE_TLS_CERTIFICATE is set but GATEHOUSE_TLS_PORT is not")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "NodeSettings":
        """Read the settings; raises SettingError with the variable's name and the way out."""
        env = os.environ if environment is None else environment
        if not env.get("GATEHOUSE_NODE_DIR"):
            raise SettingError("GATEHOUSE_NODE_DIR is not set: name a folder for this node's files")
        return cls(
            folder=Path(env["GATEHOUSE_NODE_DIR"]).absolute(),
            control_url=env.get("GATEHOUSE_CONTROL_URL") or cls.control_url,
            token=env.get("GATEHOUSE_NODE_TOKEN", ""),
            host=_bracketed(env.get("GATEHOUSE_GATEWAY_HOST") or cls.host),
            port=_number(env, "GATEHOUSE_GATEWAY_PORT", cls.port),
            workers=env.get("GATEHOUSE_WORKERS") or cls.workers,
            entries_memory=_size(env, "GATEHOUSE_ENTRIES_MEMORY", cls.entries_memory),
            counters_memory=_size(env, "GATEHOUSE_COUNTERS_MEMORY", cls.counters_memory),
            ca_bundle=Path(env.get("GATEHOUSE_CA_BUNDLE") or cls.ca_bundle).absolute(),
            max_body=_size(env, "GATEHOUSE_MAX_BODY", cls.max_body),
            journal_size=_size(env, "GATEHOUSE_JOURNAL_SIZE", cls.journal_size),
            request_log_rate=_number(env, "GATEHOUSE_REQUEST_LOG_RATE", cls.request_log_rate),
            request_log_size=_size(env, "GATEHOUSE_REQUEST_LOG_SIZE", cls.request_log_size),
            max_timeout=_number(env, "GATEHOUSE_MAX_TIMEOUT", cls.max_timeout),
            cache_memory=_size(env, "GATEHOUSE_CACHE_MEMORY", cls.cache_memory),
            verify_rate=_number(env, "GATEHOUSE_VERIFY_RATE", cls.verify_rate),
            trusted_proxies=tuple(re.findall(r"[^\s,]+", env.get("GATEHOUSE_TRUSTED_PROXIES", ""))),
            access_log_dir=_path(env, "GATEHOUSE_ACCESS_LOG_DIR"),
            access_log_size=_size(env, "GATEHOUSE_ACCESS_LOG_SIZE", cls.access_log_size),
            access_log_files=_number(env, "GATEHOUSE_ACCESS_LOG_FILES", cls.access_log_files),
            tls_port=_number(env, "GATEHOUSE_TLS_PORT", cls.tls_port),
            tls_certificate=_path(env, "GATEHOUSE_TLS_CERTIFICATE"),
            tls_key=_path(env, "GATEHOUSE_TLS_KEY"),
            metrics_host=env.get("GATEHOUSE_METRICS_HOST") or cls.metrics_host,
            metrics_port=_number(env, "GATEHOUSE_METRICS_PORT", cls.metrics_port),
            metered_payload=env.get("GATEHOUSE_METERED_PAYLOAD") or cls.metered_payload,
            lambda_endpoint=env.get("GATEHOUSE_LAMBDA_ENDPOINT", "").rstrip("/"),
            nginx=env.get("GATEHOUSE_NGINX") or shutil.which("nginx") or cls.nginx,
        )

    @property
    def entries_file(self) -> Path:
        """The append log of entries."""
        return self.folder / "entries.jsonl"

    @property
    def control_socket(self) -> Path:
        """Where nginx listens for the agent."""
        return self.folder / "control.sock"

    @property
    def agent_socket(self) -> Path:
        """Where the agent listens for the gate."""
        return self.folder / "agent.sock"

    @property
    def runtime_socket(self) -> Path:
        """Where the runtime listens for the gate."""
        return self.folder / "runtime.sock"

    @property
    def journal(self) -> Path:
        """The folder of the usage log: the write-ahead log of calls."""
        return self.folder / "journal"

    @property
    def request_log(self) -> Path:
        """The ring of the request log."""
        return self.folder / "requests.ring"

    @property
    def access_log_folder(self) -> Path:
        """Where the access logs of stages are."""
        return self.access_log_dir or self.folder / "access"

    @property
    def spool(self) -> Path:
        """Where the agent keeps its batches."""
        return self.folder / "spool"

    @property
    def configuration(self) -> Path:
        """The rendered nginx.conf."""
        return self.folder / "nginx.conf"

    @property
    def pid_file(self) -> Path:
        """nginx's process id."""
        return self.folder / "nginx.pid"

    @property
    def error_log(self) -> Path:
        """nginx's own log."""
        return self.folder / "logs" / "error.log"

    @property
    def temporary(self) -> Path:
        """Where nginx puts request bodies that do not fit into memory."""
        return self.folder / "tmp"


def _number(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name) or str(default)
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise SettingError(f"{name} must be a number, not {text!r}")
    return int(text)


def _path(env: Mapping[str, str], name: str) -> Path | None:
    return Path(env[name]).absolute() if env.get(name) else None


def _size(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name) or str(default)
    if not _SIZE.fullmatch(text):
        raise SettingError(f"{name} must be a size such as 10m, 512k or 1g, not {text!r}")
    unit = text[-1].lower()
    return int(text[:-1]) * _UNITS[unit] if unit in _UNITS else int(text)


def _bracketed(host: str) -> str:
    """An IPv6 address as nginx wants it."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
