"""The form by which a reader calls an operation: a field for each of its parameters."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlencode

from django import forms
from django.core.files.uploadedfile import UploadedFile
from urllib3.filepost import encode_multipart_formdata

from apis.reference import Body, Credential, Operation, Parameter
from apis.reference.operation import pretty
from apis.samples import Call, Field, call_of
from apis.samples.from_operation import BODYLESS, as_text

LONGEST_VALUE = 4_000
LONGEST_BODY = 100_000
LARGEST_FILE = 2**20


class TryForm(forms.Form):
    """Fields are named by place and number, since names of parameters may be anything: p0, c0, f0, body."""

    def __init__(
        self, operation: Operation, data: Mapping[str, Any] | None = None, files: Any = None, *, key: str = ""
    ) -> None:
        super().__init__(data, files, auto_id="try-%s")
        self.operation = operation
        self.parameters = {f"p{number}": each for number, each in enumerate(operation.parameters)}
        self.credentials = {f"c{number}": each for number, each in enumerate(operation.shown)}
        body = operation.bodies[0] if operation.bodies and operation.method not in BODYLESS else None
        self.body: Body | None = body
        self.form_fields = {f"f{number}": each for number, each in enumerate(body.fields)} if body else {}
        for name, credential in self.credentials.items():
            self.fields[name] = _credential_field(credential, key)
        for name, parameter in self.parameters.items():
            self.fields[name] = _parameter_field(parameter)
        if body and not body.fields:
            self.fields["body"] = _body_field(body)
        for name, (label, required, is_file) in self.form_fields.items():
            self.fields[name] = _form_field(body, label, required, is_file)

    def clean(self) -> dict[str, Any]:
        """A path variable must not climb out of its path."""
        cleaned = super().clean() or {}
        for name, parameter in self.parameters.items():
            parts = unquote(str(cleaned.get(name, ""))).replace("\\", "/").split("/")
            if parameter.place == "path" and {".", ".."} & set(parts):
                self.add_error(name, "A part of a path cannot be . or .. alone.")
        return cleaned

    def call(self, address: str) -> Call:
        """The call with what was filled in; its body is `payload`."""
        shown = {each.name: self.cleaned_data[name].strip() for name, each in self.credentials.items()}
        return call_of(self.operation, address, values=self._values(), credentials=shown)

    def sample(self, address: str) -> Call:
        """The same call to be written as code: with placeholders for what the caller shows."""
        call = call_of(self.operation, address, values=self._values())
        if "body" not in self.fields:
            fields = [
                Field(label, "example", "example.txt") if is_file else Field(label, self.cleaned_data[name])
                for name, (label, _, is_file) in self.form_fields.items()
                if self.cleaned_data[name]
            ]
            return replace(call, form=tuple(fields))
        text = self.cleaned_data["body"].replace("\r\n", "\n")
        if not text:
            return replace(call, has_json=False, text=None, media_type="")
        try:
            return (
                replace(call, has_json=True, json=json.loads(text))
                if call.has_json
                else replace(call, text=text)
            )
        except ValueError:
            return replace(call, has_json=False, text=text)

    def _values(self) -> dict[tuple[str, str], str]:
        return {
            (each.place, each.name): self.cleaned_data[name].replace("\r\n", "\n")
            for name, each in self.parameters.items()
        }

    def payload(self) -> tuple[bytes | None, str]:
        """Return the body's bytes (None = no body) and its media type."""
        if self.body is None:
            return None, ""
        if not self.form_fields:
            text = self.cleaned_data["body"]
            return (text.replace("\r\n", "\n").encode(), self.body.media_type) if text else (None, "")
        texts = [
            (label, self.cleaned_data[name])
            for name, (label, _, is_file) in self.form_fields.items()
            if not is_file and self.cleaned_data[name]
        ]
        if self.body.media_type != "multipart/form-data":
            return urlencode(texts).encode(), self.body.media_type
        files = [
            (label, _part(self.cleaned_data[name]))
            for name, (label, _, is_file) in self.form_fields.items()
            if is_file and self.cleaned_data[name]
        ]
        return encode_multipart_formdata([*texts, *files])


def key_field(operation: Operation) -> str:
    """The name of the form's field for the gateway's key; '' = the operation needs none."""
    shown = enumerate(operation.shown)
    return next((f"c{number}" for number, each in shown if each.is_key), "")


def _credential_field(credential: Credential, key: str) -> forms.Field:
    plain = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
    if credential.is_key:
        return forms.CharField(
            label="Your key",
            max_length=LONGEST_VALUE,
            initial=key,
            widget=forms.TextInput(plain | {"data-key": ""}),
        )
    where = {"bearer": "Bearer token", "basic": "User and password, as user:password"}
    label = where.get(credential.place, f"{credential.field or credential.name}")
    return forms.CharField(
        label=label,
        required=False,
        max_length=LONGEST_VALUE,
        help_text=credential.description[:200] or f"The API itself asks for this ({credential.name}).",
        widget=forms.TextInput(plain),
    )


def _parameter_field(parameter: Parameter) -> forms.Field:
    is_list = isinstance(parameter.example, list)
    value = "\n".join(map(as_text, parameter.example)) if is_list else as_text(parameter.example)
    told: dict[str, Any] = {
        "label": parameter.name,
        "required": parameter.required,
        "initial": value if parameter.shown else "",
    }
    hint = f"In the {parameter.place}{'; one a line' if is_list else ''}."
    if parameter.choices and not is_list:
        choices = [(each, each) for each in parameter.choices]
        empty = [] if parameter.required else [("", "not sent")]
        return forms.ChoiceField(choices=[*empty, *choices], help_text=hint, **told)
    widget = forms.Textarea({"rows": 2}) if is_list else forms.TextInput({"autocomplete": "off"})
    return forms.CharField(max_length=LONGEST_VALUE, help_text=hint, widget=widget, strip=False, **told)


def _body_field(body: Body) -> forms.Field:
    text = pretty(body.example) if body.is_json else as_text(body.example)
    return forms.CharField(
        label="Body",
        required=body.required,
        max_length=LONGEST_BODY,
        initial=text,
        strip=False,
        help_text=body.media_type,
        widget=forms.Textarea({"rows": min(max(text.count("\n") + 2, 4), 16), "spellcheck": "false"}),
    )


def _form_field(body: Body | None, label: str, required: bool, is_file: bool) -> forms.Field:
    if is_file and body and body.media_type == "multipart/form-data":
        return _File(label=label, required=required, help_text="A file of at most 1 MiB.")
    example = body.example.get(label, "") if body and isinstance(body.example, dict) else ""
    return forms.CharField(
        label=label, required=required, max_length=LONGEST_BODY, strip=False, initial=as_text(example)
    )


class _File(forms.FileField):
    def clean(self, data: Any, initial: Any = None) -> Any:
        found = super().clean(data, initial)
        if found and found.size > LARGEST_FILE:
            raise forms.ValidationError("This file is larger than 1 MiB; use a sample for larger ones.")
        return found


def _part(file: UploadedFile) -> tuple[str, bytes, str]:
    return file.name or "file", file.read(), file.content_type or "application/octet-stream"
