"""The demo's API: httpbin, published from the OpenAPI document that it serves itself."""

from accounts.models import Organization, User
from apis.backends import change_backend, create_backend
from apis.import_document import fetch_document
from apis.models import LIVE, Api, ApiVersion, Backend, Operation, Stage
from apis.publish import deploy
from apis.versions import create_api, create_version, set_key_required

OPEN_PATH = "/robots.txt"
DESCRIPTION = """\
**httpbin** answers with what it was asked: methods, headers, bodies, status codes, delays.
It is a good place to see what a gateway does to a call.

Every operation needs a key, except `GET /robots.txt`, which is published without one.
"""


def publish_httpbin(*, organization: Organization, actor: User, url: str) -> Stage:
    """Publish httpbin's v1 on its live stage, or lead it to where httpbin listens this time."""
    backend = Backend.objects.filter(organization=organization, name="httpbin").first()
    if backend is None:
        backend = create_backend(organization=organization, name="httpbin", url=url, actor=actor)
    elif backend.url != url:
        change_backend(backend=backend, url=url, actor=actor)
    stage = Stage.objects.filter(version__api__slug="httpbin", version__name="v1", name=LIVE).first()
    if stage is not None:
        return stage
    version = _make_version(organization=organization, backend=backend, actor=actor)
    deployment = deploy(version=version, stage_name=LIVE, note="First deployment", actor=actor)
    return deployment.stages.get()


def _make_version(*, organization: Organization, backend: Backend, actor: User) -> ApiVersion:
    api = Api.objects.filter(slug="httpbin").first() or create_api(
        organization=organization,
        name="httpbin",
        slug="httpbin",
        summary="A simple HTTP request and response service.",
        description=DESCRIPTION,
        category="Testing",
        tags=["http", "echo"],
        actor=actor,
    )
    version = create_version(
        api=api,
        name="v1",
        document=fetch_document(url=f"{backend.url}/spec.json"),
        backend=backend,
        actor=actor,
    )
    robots = Operation.objects.get(version=version, method="GET", path=OPEN_PATH)
    set_key_required(operation=robots, required=False, actor=actor)
    version.refresh_from_db()
    return version
