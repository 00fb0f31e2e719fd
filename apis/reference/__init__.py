"""An OpenAPI document as a reader meets it: operations with parameters, bodies, answers, schemas and examples.

Pure functions over a document of OpenAPI 3.x (`apis.openapi.upgrade` makes one of Swagger 2.0), which may be
wrong in any place: what cannot be read is left out. Does not own: how a page shows it, code samples.
"""

from apis.reference.listing import Line, listing
from apis.reference.model import Answer, Body, Credential, Operation, Parameter
from apis.reference.operation import read_operation

__all__ = ["Answer", "Body", "Credential", "Line", "Operation", "Parameter", "listing", "read_operation"]
