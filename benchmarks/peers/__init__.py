"""The gate against other proxies and gateways, in one run on one machine."""
