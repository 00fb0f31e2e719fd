-- Where a caller's key is, when a stage does not take it from the header x-api-key. The place is exclusive, and the
-- backend never sees the key.

local blank = require "blank"
local given = require "given"

local ngx = ngx
local var = ngx.var
local find, sub, gsub, lower, match = string.find, string.sub, string.gsub, string.lower, string.match
local unescape, clear_header = ngx.unescape_uri, ngx.req.clear_header
local SPELLINGS = 16
local SHORTEST = 40 -- no key is shorter

local key_source = {}

-- Every spelling of a header's name with dashes or underscores, which nginx's variables do not tell apart.
local function spellings(name)
    local made = { (gsub(name, "_", "-")) }
    local at = find(made[1], "-", 1, true)
    while at do
        for index = 1, #made do
            if #made < SPELLINGS then
                made[#made + 1] = sub(made[index], 1, at - 1) .. "_" .. sub(made[index], at + 1)
            end
        end
        at = find(made[1], "-", at + 1, true)
    end
    return made
end

-- source = {place, name} of a stage's entry. Returns nil for the usual header.
function key_source.prepare(source)
    source = given(source)
    if not source then
        return nil
    end
    local place, name = given(source.place) or "header", given(source.name) or "x-api-key"
    if place == "header" then
        if lower(name) == "x-api-key" then
            return nil
        end
        return { place = place, spellings = spellings(name), variable = "http_" .. gsub(lower(name), "-", "_") }
    end
    return { place = place, name = name }
end

local function from_header(source)
    local text = var[source.variable]
    if text then
        for index = 1, #source.spellings do
            clear_header(source.spellings[index])
        end
    end
    return text
end

local function from_bearer(required)
    local value = var.http_authorization
    local text = value and match(value, "^[Bb][Ee][Aa][Rr][Ee][Rr] +(%S+)%s*$")
    if text and (required or find(text, "^gh_%l%l%l%l_")) then
        clear_header("Authorization")
    end
    return text
end

-- query: '' or '?...' as the client sent it. Returns the first value of the parameter and the query without it.
local function from_query(name, query)
    local text
    local kept = {}
    for pair in (sub(query, 2) .. "&"):gmatch("([^&]*)&") do
        local equals = find(pair, "=", 1, true)
        if unescape(sub(pair, 1, (equals or #pair + 1) - 1)) == name then
            local raw = equals and sub(pair, equals + 1) or ""
            text = text or unescape(raw)
            if #raw >= SHORTEST then
                blank.url(raw)
            end
        else
            kept[#kept + 1] = pair
        end
    end
    if not text then
        return nil, query
    end
    return text, #kept > 0 and "?" .. table.concat(kept, "&") or ""
end

-- Takes the key out of the request. required: whether the operation needs one (a bearer token of somebody else may
-- pass where it does not). Returns the key's text or nil, and the query for the backend.
function key_source.take(source, query, required)
    if source.place == "header" then
        return from_header(source), query
    elseif source.place == "bearer" then
        return from_bearer(required), query
    elseif source.place == "query" then
        return from_query(source.name, query)
    end
    return nil, query
end

return key_source
