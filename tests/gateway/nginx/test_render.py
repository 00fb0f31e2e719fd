"""nginx.conf is made of checked settings only."""

import re
from pathlib import Path

import pytest

from gateway.nginx.render import UnsafeTextError, render
from gateway.settings import NodeSettings, SettingError

FOLDER = Path("/srv/node")


def test_the_settings_stand_where_they_belong():
    settings = NodeSettings(folder=FOLDER, host="0.0.0.0", port=8081, workers="3", max_body=1000)  # noqa: S104
    text = render(settings, modules=[Path("/m/ndk.so"), Path("/m/lua.so")], user="nobody nogroup")
    for line in (
        'load_module "/m/ndk.so";\nload_module "/m/lua.so";\nuser nobody nogroup;',
        "worker_processes 3;",
        "listen 0.0.0.0:8081 default_server;",
        'listen "unix:/srv/node/control.sock";',
        'journal = "/srv/node/journal", journal_size = 1073741824',
        "client_max_body_size 1000;",
        'proxy_ssl_trusted_certificate "/etc/ssl/certs/ca-certificates.crt";',
        'folder = "/srv/node"',
    ):
        assert line in text
    assert not re.search(r"@\w+@", text)


def test_an_ordinary_user_and_built_in_lua_need_no_such_lines():
    text = render(NodeSettings(folder=FOLDER), modules=[])
    assert "load_module" not in text
    assert "\nuser " not in text


def test_without_a_tls_port_there_is_no_tls_listener():
    text = render(NodeSettings(folder=FOLDER), modules=[])
    assert "ssl_certificate" not in text.replace("proxy_ssl_certificate", "")


def test_the_tls_port_belongs_to_the_same_server():
    settings = NodeSettings(
        folder=FOLDER, tls_port=8443, tls_certificate=Path("/c/own.pem"), tls_key=Path("/c/own.key")
    )
    text = render(settings, modules=[])
    assert "listen 127.0.0.1:8443 ssl http2 default_server;" in text
    assert 'ssl_certificate "/c/own.pem";' in text
    assert 'ssl_certificate_key "/c/own.key";' in text
    assert "keepalive_requests 1000;" in text  # HTTP/2 streams count, too
    assert text.count("default_server;") == 2
    assert text.count("server {\n") == 2  # the second one is the agent's


def test_headers_of_our_own_are_cleared_in_every_spelling():
    text = render(NodeSettings(folder=FOLDER), modules=[])
    for name in ("X_Api_Key", "X-Api_Key", "X_Gatehouse-Subscription", "X_Forwarded_For"):
        assert f'proxy_set_header {name} "";' in text


def test_nobody_is_a_trusted_proxy_until_named():
    text = render(NodeSettings(folder=FOLDER), modules=[])
    assert "real_ip" not in text
    assert 'proxy_set_header X-Forwarded-For "$remote_addr";' in text
    env = {"GATEHOUSE_NODE_DIR": "/srv/node", "GATEHOUSE_TRUSTED_PROXIES": "10.0.0.0/8, 2001:db8::/32"}
    text = render(NodeSettings.from_environment(env), modules=[])
    assert "set_real_ip_from 10.0.0.0/8;\n        set_real_ip_from 2001:db8::/32;" in text


def test_access_logs_lie_in_the_nodes_folder_or_where_the_operator_says():
    text = render(NodeSettings(folder=FOLDER), modules=[])
    assert 'access_log = { folder = "/srv/node/access", size = 10485760, files = 5 }' in text
    env = {
        "GATEHOUSE_NODE_DIR": "/srv/node",
        "GATEHOUSE_ACCESS_LOG_DIR": "/var/log/gate",
        "GATEHOUSE_ACCESS_LOG_SIZE": "1m",
        "GATEHOUSE_ACCESS_LOG_FILES": "2",
    }
    text = render(NodeSettings.from_environment(env), modules=[])
    assert 'access_log = { folder = "/var/log/gate", size = 1048576, files = 2 }' in text


def test_a_module_path_that_could_leave_its_quotes_is_refused():
    with pytest.raises(UnsafeTextError, match="characters"):
        render(NodeSettings(folder=FOLDER), modules=[Path('/a"; user root;')])


@pytest.mark.parametrize(
    ("env", "named"),
    [
        ({}, "GATEHOUSE_NODE_DIR"),
        ({"GATEHOUSE_NODE_DIR": "/" + "x" * 100}, "at most"),
        ({"GATEHOUSE_NODE_DIR": '/a"b'}, "GATEHOUSE_NODE_DIR"),
        ({"GATEHOUSE_NODE_DIR": "/a$b"}, "GATEHOUSE_NODE_DIR"),
        ({"GATEHOUSE_CA_BUNDLE": "/a;b"}, "GATEHOUSE_CA_BUNDLE"),
        ({"GATEHOUSE_GATEWAY_HOST": "a b"}, "GATEHOUSE_GATEWAY_HOST"),
        ({"GATEHOUSE_GATEWAY_PORT": "eighty"}, "GATEHOUSE_GATEWAY_PORT"),
        ({"GATEHOUSE_GATEWAY_PORT": "70000"}, "GATEHOUSE_GATEWAY_PORT"),
        ({"GATEHOUSE_TRUSTED_PROXIES": "10.0.0.0/8, everybody"}, "GATEHOUSE_TRUSTED_PROXIES"),
        ({"GATEHOUSE_TRUSTED_PROXIES": "10.0.0.1/8"}, "host bits"),
        ({"GATEHOUSE_ACCESS_LOG_DIR": "/a;b"}, "GATEHOUSE_ACCESS_LOG_DIR"),
        ({"GATEHOUSE_ACCESS_LOG_SIZE": "much"}, "GATEHOUSE_ACCESS_LOG_SIZE"),
        ({"GATEHOUSE_ACCESS_LOG_FILES": "0"}, "GATEHOUSE_ACCESS_LOG_FILES"),
        ({"GATEHOUSE_TLS_PORT": "70000"}, "GATEHOUSE_TLS_PORT"),
        ({"GATEHOUSE_TLS_PORT": "8080"}, "choose another"),
        ({"GATEHOUSE_TLS_PORT": "8443", "GATEHOUSE_TLS_KEY": "/k"}, "both"),
        ({"GATEHOUSE_TLS_CERTIFICATE": "/c", "GATEHOUSE_TLS_KEY": "/k"}, "GATEHOUSE_TLS_PORT is not"),
        (
            {"GATEHOUSE_TLS_PORT": "8443", "GATEHOUSE_TLS_CERTIFICATE": "/c", "GATEHOUSE_TLS_KEY": "/k;"},
            "GATEHOUSE_TLS_KEY must not",
        ),
        ({"GATEHOUSE_METRICS_PORT": "70000"}, "GATEHOUSE_METRICS_PORT"),
        ({"GATEHOUSE_METRICS_PORT": "8080"}, "a port of its own"),
        ({"GATEHOUSE_WORKERS": "0"}, "GATEHOUSE_WORKERS"),
        ({"GATEHOUSE_ENTRIES_MEMORY": "128 MB"}, "GATEHOUSE_ENTRIES_MEMORY"),
        ({"GATEHOUSE_ENTRIES_MEMORY": "1k"}, "1m or more"),
        ({"GATEHOUSE_MAX_BODY": "0"}, "GATEHOUSE_MAX_BODY"),
        ({"GATEHOUSE_CACHE_MEMORY": "512k"}, "GATEHOUSE_CACHE_MEMORY"),
        ({"GATEHOUSE_CACHE_MEMORY": "much"}, "GATEHOUSE_CACHE_MEMORY"),
        ({"GATEHOUSE_MAX_TIMEOUT": "0"}, "GATEHOUSE_MAX_TIMEOUT"),
        ({"GATEHOUSE_MAX_TIMEOUT": "3601"}, "GATEHOUSE_MAX_TIMEOUT"),
        ({"GATEHOUSE_MAX_TIMEOUT": "29s"}, "GATEHOUSE_MAX_TIMEOUT"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(env, named):
    folder = {"GATEHOUSE_NODE_DIR": "/srv/node"} if env else {}
    with pytest.raises(SettingError, match=named):
        NodeSettings.from_environment({**folder, **env})


def test_sizes_and_ipv6_hosts_are_understood():
    env = {"GATEHOUSE_NODE_DIR": "/n", "GATEHOUSE_MAX_BODY": "6M", "GATEHOUSE_GATEWAY_HOST": "::1"}
    settings = NodeSettings.from_environment(env)
    assert (settings.max_body, settings.host) == (6 * 2**20, "[::1]")


def test_calls_that_need_more_have_a_location_for_each_set_of_statuses():
    text = render(NodeSettings(folder=FOLDER, cache_memory=2**21), modules=[])
    found = re.findall(r"location @(\w+) \{(.*?)\n        \}", text, re.DOTALL)
    again = {name: re.search(r"proxy_next_upstream (.*);", body)[1] for name, body in found}
    assert len(again) == 18
    assert again["rich_0"] == again["stream_0"] == again["upload"] == "error timeout"
    assert again["rich_5"] == "error timeout http_502 http_504"
    assert "non_idempotent" not in text
    bodies = dict(found)
    assert "proxy_request_buffering off;" in bodies["upload"]
    assert "proxy_request_buffering on;" in bodies["rich_7"]
    assert "proxy_buffering off;" in bodies["stream_7"]
    assert "lua_shared_dict gatehouse_cache 2097152;" in text
