-- Gateway responses: how a stage wants its refusals to look, by AWS's types and in AWS's order: the type's own,
-- else DEFAULT_4XX or DEFAULT_5XX, else the built-in.

local context = require "context"
local field = require "field"
local given = require "given"

local ngx = ngx
local var, header = ngx.var, ngx.header
local find, gsub, match, lower, byte, format = string.find, string.gsub, string.match, string.lower, string.byte, string.format

local response = {}

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

local function json_character(character)
    return format("\\u%04x", byte(character))
end

local function escape_json(value, name)
    if name == "context.error.messageString" then
        return value -- is JSON already
    end
    return (gsub(gsub(value, '[\\"]', "\\%0"), "%c", json_character))
end

local function escape_markup(value)
    return (gsub(value, "[&<>\"']", ENTITIES))
end

local function as_it_is(value)
    return value
end

local function escape_for(media_type)
    if find(media_type, "json", 1, true) then
        return escape_json
    elseif find(media_type, "html", 1, true) or find(media_type, "xml", 1, true) then
        return escape_markup
    end
    return as_it_is
end

-- The template for the first type of Accept, else the one for JSON, else the first by name.
local function choose(templates)
    local wanted = lower(match(var.http_accept or "", "^%s*([^,;%s]*)"))
    local names = {}
    for name in pairs(templates) do
        if lower(name) == wanted then
            return name
        end
        names[#names + 1] = name
    end
    table.sort(names)
    return templates["application/json"] and "application/json" or names[1]
end

local function write_headers(headers, call)
    for name, expression in pairs(headers) do
        local value = field.may_answer(name) and context.evaluate(expression, call)
        if value then
            header[name] = field.line(value)
        end
    end
end

-- Returns the customised response for a verdict whose built-in status is `status`; nil when there is none.
function response.find(stage, verdict, status)
    local responses = given(stage.responses)
    return responses and (responses[verdict] or responses[status < 500 and "DEFAULT_4XX" or "DEFAULT_5XX"])
end

-- Writes a customised response's status and headers over the built-in ones. Returns its body and media type, or
-- nothing when the built-in body stays.
function response.write(custom, call)
    local status = tonumber(given(custom.status))
    if status and status >= 200 and status <= 599 then
        ngx.status = status
    end
    local templates = given(custom.templates) or {}
    local media_type = choose(templates)
    local body
    if media_type then
        header["Content-Type"] = media_type
        body = context.fill(templates[media_type], call, escape_for(lower(media_type)), "")
    end
    write_headers(given(custom.headers) or {}, call)
    return body
end

return response
