"""A call as a Go program with `net/http`."""

import json

from apis.samples.call import Call
from apis.samples.text import literal

CHECK = "\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n"


def write(call: Call) -> str:
    """Return a whole `main.go` that prints the status and the body of the answer. Formatted as gofmt does."""
    imports = {"fmt", "io", "log", "net/http"}
    before, body, media_type = _body(call, imports)
    headers = [(name, literal(value)) for name, value in call.headers]
    if media_type:
        headers.append(("Content-Type", media_type))
    listed = "".join(f"\t{literal(each)}\n" for each in sorted(imports))
    return (
        f"package main\n\nimport (\n{listed})\n\nfunc main() {{\n{before}"
        f"\trequest, err := http.NewRequest({literal(call.method)}, {literal(call.url)}, {body})\n{CHECK}"
        + "".join(f"\trequest.Header.Add({literal(name)}, {value})\n" for name, value in headers)
        + f"\tresponse, err := http.DefaultClient.Do(request)\n{CHECK}"
        f"\tdefer response.Body.Close()\n\ttext, err := io.ReadAll(response.Body)\n{CHECK}"
        "\tfmt.Println(response.StatusCode)\n\tfmt.Println(string(text))\n}\n"
    )


def long_text(text: str) -> str:
    """Return text of several lines as a raw string where Go takes it as it is, else as an ordinary one."""
    ordinary = literal(text)
    plain = "\\u" not in ordinary and "\\b" not in ordinary and "\\f" not in ordinary
    return f"`{text}`" if "\n" in text and "`" not in text and "\r" not in text and plain else ordinary


def _body(call: Call, imports: set[str]) -> tuple[str, str, str]:
    """Lines before the call, the body's expression, and the expression of its media type ('' = none)."""
    media_type = literal(call.media_type) if call.media_type else ""
    if call.has_json:
        imports.add("strings")
        text = json.dumps(call.json, indent=2, ensure_ascii=False)
        return f"\tbody := strings.NewReader({long_text(text)})\n", "body", media_type
    if call.text is not None:
        imports.add("strings")
        return f"\tbody := strings.NewReader({long_text(call.text)})\n", "body", media_type
    if not call.form:
        return "", "nil", ""
    if call.is_multipart:
        imports |= {"bytes", "mime/multipart"}
        return _multipart(call), "&body", "form.FormDataContentType()"
    imports |= {"net/url", "strings"}
    fields = "".join(f"\tform.Add({literal(each.name)}, {literal(each.value)})\n" for each in call.form)
    return f"\tform := url.Values{{}}\n{fields}", "strings.NewReader(form.Encode())", media_type


def _multipart(call: Call) -> str:
    lines = ["\tvar body bytes.Buffer\n\tform := multipart.NewWriter(&body)\n"]
    for number, each in enumerate(call.form, 1):
        if each.filename:
            file = f"file{number}"
            lines.append(
                f"\t{file}, err := form.CreateFormFile({literal(each.name)}, {literal(each.filename)})\n{CHECK}"
                f"\tio.WriteString({file}, {literal(each.value)})\n"
            )
        else:
            lines.append(f"\tform.WriteField({literal(each.name)}, {literal(each.value)})\n")
    lines.append("\tform.Close()\n")
    return "".join(lines)
