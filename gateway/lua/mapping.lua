-- Parameter mapping of proxied calls: AWS's `integration.request.…` on the way in, the `overwrite:header.…` of
-- HTTP APIs on the way back.

local context = require "context"
local current = require "current"
local field = require "field"

local ngx = ngx
local var, header = ngx.var, ngx.header
local match, lower = string.match, string.lower
local escape_uri, set_header = ngx.escape_uri, ngx.req.set_header

local mapping = {}

local function set_request_header(name, value)
    value = field.line(value)
    if lower(name) == "x-api-key" then
        var.gatehouse_backend_key = value
    else
        set_header(name, value)
    end
end

local function add_to(query, name, values)
    for index = 1, #values do
        query = query .. (#query > 1 and "&" or query == "" and "?" or "")
            .. escape_uri(name) .. "=" .. escape_uri(tostring(values[index]))
    end
    return query
end

local function call_of(stage, operation, captures)
    return { stage = stage, operation = operation, path_variables = current.named(operation, captures) }
end

-- list: rules.of_request(). Sets the mapped headers; returns the query ('' or '?...') with the mapped parameters behind
-- the client's, and the mapped Host header or nil.
function mapping.request(list, stage, operation, captures, query)
    local call = call_of(stage, operation, captures)
    local values, host = {}, nil
    for index = 1, #list do
        local rule = list[index]
        values[index] = rule.place == "querystring" and context.evaluate_all(rule.source, call)
            or { context.evaluate(rule.source, call) }
    end
    for index = 1, #list do
        local rule, value = list[index], values[index][1]
        if value and rule.place == "header" and lower(rule.name) == "host" then
            host = field.line(value)
        elseif value and rule.place == "header" then
            set_request_header(rule.name, value)
        else
            query = add_to(query, rule.name, values[index])
        end
    end
    return query, host
end

-- The text of a piece {source} of an integration's path, percent-encoded. Nothing can climb out of the path.
function mapping.path_piece(piece, stage, operation, captures)
    local value = context.evaluate(piece.source, call_of(stage, operation, captures))
    if not value or value == "." or value == ".." then
        return ""
    end
    return escape_uri(value)
end

local function of_answer(name)
    local place, rest = match(name, "^(%a+)%.(.+)$")
    if place == "integration" then
        rest = match(rest, "^response%.(.+)$")
        place = rest and "response"
    end
    local wanted = place == "response" and match(rest, "^header%.(.+)$")
    local value = wanted and header[wanted]
    return type(value) == "table" and table.concat(value, ", ") or value or nil
end

local function of_request(name, call)
    local rest = match(name, "^request%.(.+)$")
    return rest and context.evaluate("method.request." .. rest, call)
end

local function text_of(value, call)
    local static = match(value, "^'(.*)'$")
    if static then
        return static
    end
    local text = context.fill(value, call, field.line, "", function(name)
        return of_answer(name) or of_request(name, call)
    end)
    return text ~= "" and text or nil
end

local function apply(rule, call)
    if rule.action == "remove" then
        header[rule.name] = nil
        return
    end
    local text = text_of(rule.value, call)
    if rule.action == "status" then
        local status = tonumber(text)
        if status and status >= 200 and status <= 599 then
            ngx.status = status
        end
    elseif text and rule.action == "overwrite" then
        header[rule.name] = text
    elseif text then
        local before = header[rule.name]
        local values = type(before) == "table" and before or { before }
        values[#values + 1] = text
        header[rule.name] = values
    end
end

-- In the header filter of a proxied answer: the rules of its status, else those of `default`.
function mapping.answer(by_status, call)
    local chosen = by_status[tostring(ngx.status)] or by_status.default
    for index = 1, chosen and #chosen or 0 do
        apply(chosen[index], call)
    end
end

return mapping
