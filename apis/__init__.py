"""What is published: APIs, their versions, deployments, stages, addresses and backends."""
