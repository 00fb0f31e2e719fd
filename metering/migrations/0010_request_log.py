"""The request log, partitioned by day; `…_rest` takes what no partition does (metering/partitions.py)."""

from django.db import migrations, models


TABLE = """
CREATE TABLE metering_requestline (
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    organization_id varchar(10) NOT NULL,
    developer_id varchar(10) NOT NULL,
    application_id varchar(10) NOT NULL,
    subscription_id varchar(10) NOT NULL,
    key_id varchar(10) NOT NULL,
    api_id varchar(10) NOT NULL,
    version_id varchar(10) NOT NULL,
    stage_id varchar(10) NOT NULL,
    operation_id varchar(10) NOT NULL,
    node_id varchar(10) NOT NULL,
    status smallint NOT NULL CHECK (status >= 0),
    verdict varchar(40) NOT NULL,
    why varchar(120) NOT NULL,
    flags varchar(10) NOT NULL,
    method varchar(20) NOT NULL,
    host varchar(253) NOT NULL,
    path varchar(1024) NOT NULL,
    query varchar(1024) NOT NULL,
    address varchar(45) NOT NULL,
    bytes_out bigint NOT NULL CHECK (bytes_out >= 0),
    bytes_in bigint NOT NULL CHECK (bytes_in >= 0),
    latency_ms integer NOT NULL CHECK (latency_ms >= 0),
    backend_ms integer CHECK (backend_ms >= 0),
    connect_ms integer CHECK (connect_ms >= 0),
    header_ms integer CHECK (header_ms >= 0),
    tries varchar(60) NOT NULL,
    limit_policy varchar(300) NOT NULL,
    limit_left varchar(300) NOT NULL,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
CREATE TABLE metering_requestline_rest PARTITION OF metering_requestline DEFAULT;
CREATE INDEX request_line_provider ON metering_requestline (organization_id, at, id);
CREATE INDEX request_line_developer ON metering_requestline (developer_id, at, id);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("metering", "0009_usage_alerts"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TABLE, "DROP TABLE metering_requestline")],
            state_operations=[
                migrations.CreateModel(
                    name="RequestLine",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "id", "at", blank=True, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        ("id", models.UUIDField(help_text="The request id that the caller was told.")),
                        ("at", models.DateTimeField(help_text="When the call ended.")),
                        (
                            "organization_id",
                            models.CharField(blank=True, help_text="The provider.", max_length=10),
                        ),
                        ("developer_id", models.CharField(blank=True, max_length=10)),
                        ("application_id", models.CharField(blank=True, max_length=10)),
                        ("subscription_id", models.CharField(blank=True, max_length=10)),
                        ("key_id", models.CharField(blank=True, max_length=10)),
                        ("api_id", models.CharField(blank=True, max_length=10)),
                        ("version_id", models.CharField(blank=True, max_length=10)),
                        ("stage_id", models.CharField(blank=True, max_length=10)),
                        ("operation_id", models.CharField(blank=True, max_length=10)),
                        ("node_id", models.CharField(max_length=10)),
                        (
                            "status",
                            models.PositiveSmallIntegerField(
                                help_text="0 = the caller left before there was one."
                            ),
                        ),
                        ("verdict", models.CharField(blank=True, max_length=40)),
                        (
                            "why",
                            models.CharField(
                                blank=True,
                                help_text="More than the verdict says; see docs/gate.md.",
                                max_length=120,
                            ),
                        ),
                        ("flags", models.CharField(blank=True, max_length=10)),
                        ("method", models.CharField(max_length=20)),
                        ("host", models.CharField(max_length=253)),
                        ("path", models.CharField(max_length=1024)),
                        ("query", models.CharField(blank=True, max_length=1024)),
                        ("address", models.CharField(blank=True, help_text="Of the client.", max_length=45)),
                        ("bytes_out", models.PositiveBigIntegerField()),
                        ("bytes_in", models.PositiveBigIntegerField()),
                        ("latency_ms", models.PositiveIntegerField()),
                        ("backend_ms", models.PositiveIntegerField(null=True)),
                        ("connect_ms", models.PositiveIntegerField(null=True)),
                        ("header_ms", models.PositiveIntegerField(null=True)),
                        (
                            "tries",
                            models.CharField(
                                blank=True, help_text="Statuses of the backend's answers.", max_length=60
                            ),
                        ),
                        (
                            "limit_policy",
                            models.CharField(
                                blank=True,
                                help_text="RateLimit-Policy, as the caller was told.",
                                max_length=300,
                            ),
                        ),
                        (
                            "limit_left",
                            models.CharField(
                                blank=True, help_text="RateLimit, as the caller was told.", max_length=300
                            ),
                        ),
                    ],
                    options={
                        "indexes": [
                            models.Index(
                                fields=["organization_id", "at", "id"], name="request_line_provider"
                            ),
                            models.Index(fields=["developer_id", "at", "id"], name="request_line_developer"),
                        ],
                    },
                ),
            ],
        ),
    ]
