-- Problem documents (RFC 9457), as the management API writes them: faults of who asks, not of the judged key.

local cjson = require "cjson.safe"

local ngx = ngx
local var, header = ngx.var, ngx.header

local TITLES = {
    malformed = { 400, "Malformed request" },
    unauthenticated = { 401, "Not signed in" },
    forbidden = { 403, "Not allowed" },
    ["method-not-allowed"] = { 405, "Method not allowed" },
    ["too-large"] = { 413, "Body too large" },
    ["unsupported-media-type"] = { 415, "Unsupported media type" },
    ["invalid-input"] = { 422, "Invalid input" },
    ["too-many-requests"] = { 429, "Too many requests" },
    unavailable = { 503, "Unavailable" },
}

-- Answers with a problem. errors: a list of {field, code, message}, or nil. Returns what the content phase returns.
return function(slug, detail, errors)
    local status, title = TITLES[slug][1], TITLES[slug][2]
    if errors then
        local first = errors[1]
        detail = first.field == "" and first.message or first.field .. ": " .. first.message
        if #errors > 1 then
            detail = detail .. " (" .. #errors - 1 .. " more in errors)"
        end
    end
    local body = cjson.encode({
        type = "/api/v1/problems/" .. slug, title = title, status = status, detail = detail,
        instance = var.uri, request_id = var.gatehouse_request_id, errors = errors,
    })
    ngx.status = status
    header["Content-Type"] = "application/problem+json"
    header["Content-Length"] = #body
    header["Cache-Control"] = "no-store"
    header["Server"] = nil
    ngx.print(body)
    return ngx.exit(200)
end
