-- What keys/verify is asked, read from JSON: fields, checks and codes are those of rest/serializers/verify.py.

local cjson = require "cjson.safe"
local ip = require "ip"

local null = cjson.null
local byte, find, match, sub, upper = string.byte, string.find, string.match, string.sub, string.upper
local format = string.format
local type = type

local asked = { LIVE = "live" }

-- name -> the most characters that it may have
local LENGTHS = {
    key = 512, api = 60, version = 40, stage = 128, method = 20, path = 2000, mode = 20, client_ip = 45, referrer = 2000,
}
local UNTRIMMED = { key = true }
local MODES = { check = true, consume = true }
local METHODS = { GET = true, HEAD = true, POST = true, PUT = true, PATCH = true, DELETE = true, OPTIONS = true }
local OTHER_MODES = { reserve = true, report = true }

local function add(errors, field, code, message)
    errors[#errors + 1] = { field = field, code = code, message = message }
end

local function text_of(errors, field, value)
    if value == null then
        return add(errors, field, "null", "This field may not be null.")
    elseif type(value) == "number" then
        value = format("%.14g", value)
    elseif type(value) ~= "string" then
        return add(errors, field, "invalid", "Not a valid string.")
    end
    if not UNTRIMMED[field] and ((byte(value) or 33) < 33 or (byte(value, -1) or 33) < 33) then
        value = match(value, "^%s*(.-)%s*$")
    end
    if value == "" and field ~= "key" then
        return add(errors, field, "blank", "This field may not be blank.")
    elseif #value > LENGTHS[field] then
        return add(errors, field, "max_length", "Ensure this field has no more than " .. LENGTHS[field] .. " characters.")
    end
    return value
end

local checks = {}

function checks.method(errors, value)
    if METHODS[value] then
        return value
    elseif not find(value, "^%a+$") then
        add(errors, "method", "invalid", "This value does not match the required pattern.")
    end
    return upper(value)
end

function checks.path(errors, value)
    if sub(value, 1, 1) ~= "/" then
        add(errors, "path", "invalid", "Begin the path with a slash.")
    end
    return value
end

function checks.mode(errors, value)
    if OTHER_MODES[value] then
        add(errors, "mode", "not_offered", "The mode " .. value .. " is not offered; use `check` or `consume`.")
    elseif not MODES[value] then
        add(errors, "mode", "invalid_choice", "Unknown mode; use `check` or `consume`.")
    end
    return value
end

function checks.client_ip(errors, value)
    if not ip.parse(value) then
        add(errors, "client_ip", "invalid", "Enter a valid IPv4 or IPv6 address.")
    end
    return value
end

-- Checks decoded fields. Returns them as text with stage and mode set, and the list of what is wrong (or nil).
function asked.check(given, mode)
    local read, errors = {}, {}
    for field, value in pairs(given) do
        if not LENGTHS[field] then
            add(errors, field, "unknown_field", "Unknown field.")
        else
            local text = text_of(errors, field, value)
            if text and checks[field] then
                text = checks[field](errors, text)
            end
            read[field] = text
        end
    end
    if given.key == nil then
        add(errors, "key", "required", "This field is required.")
    end
    read.stage, read.mode = read.stage or asked.LIVE, read.mode or mode
    if read.mode == "consume" and #errors == 0 and not asked.names_a_stage(read) then
        add(errors, "api", "required", "Name the API (or version, or stage) whose limits the call consumes.")
    end
    return read, #errors > 0 and errors or nil
end

-- Tells whether a stage is meant, or the key alone.
function asked.names_a_stage(read)
    return read.api or read.version or read.stage ~= asked.LIVE
end

return asked
