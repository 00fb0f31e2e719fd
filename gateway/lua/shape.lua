-- The shapes of entries, as gateway/entries.py tells them: what a call reads must be there and of its type. A push of
-- anything else is refused, so that no entry can make a worker fail at every call.
--
-- A check is a function of (value, name): it returns nil when the value is good, else the name of what is wrong in it.

local null = require("cjson.safe").null

local type, pairs, tostring = type, pairs, tostring

local function of_type(kind)
    return function(value, name)
        return type(value) ~= kind and name or nil
    end
end

local text, flag, object = of_type("string"), of_type("boolean"), of_type("table")

local function number(value, name)
    return not (type(value) == "number" and value >= 0 and value < 1e15) and name or nil
end

local function positive(value, name)
    return number(value, name) or value == 0 and name or nil
end

-- May be left out or null.
local function maybe(check)
    return function(value, name)
        if value ~= nil and value ~= null then
            return check(value, name)
        end
    end
end

-- May be left out, but not null.
local function unless_left_out(check)
    return function(value, name)
        if value ~= nil then
            return check(value, name)
        end
    end
end

local function below(name, field)
    return name and name .. "." .. tostring(field) or tostring(field)
end

local function record(fields)
    return function(value, name)
        local wrong = object(value, name)
        for field, check in pairs(wrong and {} or fields) do
            wrong = wrong or check(value[field], below(name, field))
        end
        return wrong
    end
end

local function each(kind, check)
    return function(value, name)
        local wrong = object(value, name)
        for field, item in pairs(wrong and {} or value) do
            wrong = wrong or type(field) ~= kind and name or check(item, below(name, field))
        end
        return wrong
    end
end

local function list(check) return each("number", check) end
local function map(check) return each("string", check) end

local texts = list(text)
local throttle = record { rate = number, burst = number }

local quota = record { limit = number, period = text, offline_allowance = number, scope = maybe(text) }

local policy = record {
    ip = maybe(record { allow = maybe(texts), deny = maybe(texts) }),
    cors = maybe(record {
        origins = maybe(texts), methods = maybe(texts), headers = maybe(texts), expose = maybe(texts),
        max_age = maybe(number), credentials = maybe(flag),
    }),
    cache = maybe(record { ttl = number, keys = maybe(texts), invalidation = maybe(text) }),
    retries = maybe(record { attempts = number, on = texts }),
    timeout_ms = maybe(number),
    max_body = maybe(number),
}

local target = record { scheme = text, host = text, port = positive, path = maybe(text) }

local integration = record {
    type = text, backend = maybe(text), target = maybe(target), query = maybe(text), method = maybe(text),
    timeout_ms = maybe(number), stream = maybe(flag), path = maybe(object),
    request_parameters = maybe(map(text)), response_parameters = maybe(map(map(text))),
}

-- A piece of the path at the backend: a text, the number of a variable that the operation's path has, or a source.
local function piece(variables)
    return function(value, name)
        if type(value) == "table" then
            return text(value.source, below(name, "source"))
        elseif type(value) == "number" then
            return not (value >= 0 and value < variables and value % 1 == 0) and name or nil
        end
        return text(value, name)
    end
end

local operation_fields = record {
    method = text, path = text, integration = integration, key_required = maybe(flag),
    throttle = maybe(throttle), policy = maybe(policy), authorizer = maybe(text),
}

local function operation(value, name)
    local wrong = operation_fields(value, name)
    if wrong then
        return wrong
    end
    local place = value.integration
    if place.type ~= "http_proxy" then
        return nil
    elseif (place.backend == nil or place.backend == null or place.backend == "") and type(place.target) ~= "table" then
        return below(name, "integration.target")
    end
    local _, variables = value.path:gsub("{", "")
    return maybe(list(piece(variables)))(place.path, below(name, "integration.path"))
end

local methods = map(text)

local function node(value, name)
    local wrong = object(value, name)
        or unless_left_out(methods)(value.m, below(name, "m")) or unless_left_out(methods)(value.g, below(name, "g"))
        or unless_left_out(map(node))(value.s, below(name, "s")) or unless_left_out(node)(value.v, below(name, "v"))
        or unless_left_out(object)(value.p, below(name, "p"))
    for index, pattern in pairs(not wrong and value.p or {}) do
        local place = below(name, "p." .. tostring(index))
        wrong = wrong or object(pattern, place) or texts(pattern[1], place)
            or (#pattern[1] < 2 and place or nil) or node(pattern[2], place)
    end
    return wrong
end

local operations = map(operation)

local authorizer_fields = record {
    kind = text, ["function"] = text, identity = maybe(texts), validation = maybe(text), ttl = maybe(number),
}

local function authorizer(value, name)
    local wrong = authorizer_fields(value, name)
    if wrong then
        return wrong
    elseif value.kind == "token" then -- its one source is its token
        return (type(value.identity) ~= "table" or #value.identity ~= 1) and below(name, "identity") or nil
    end
    return value.kind ~= "request" and below(name, "kind") or nil
end

local authorizers = maybe(map(authorizer))

local SHAPES = {
    mapping = record { stage = text },
    stage = record {
        operations = operations, trie = node, state = text, name = text, deployment = text, version_id = text,
        throttle = maybe(throttle), policy = maybe(policy), suspended = maybe(flag), organization = maybe(text),
        key_source = maybe(record { place = maybe(text), name = maybe(text) }),
        responses = maybe(map(record {
            status = maybe(number), headers = maybe(map(text)), templates = maybe(map(text)),
        })),
        variables = maybe(map(text)), compress_from = maybe(number), access_log = maybe(text),
        deprecated_at = maybe(number), sunset_at = maybe(number), cache_epoch = unless_left_out(number),
        canary = maybe(record {
            percent = maybe(number), deployment = text, operations = operations, trie = node,
            use_cache = maybe(flag), variables = maybe(map(text)), authorizers = authorizers,
        }),
        authorizers = authorizers,
        about = maybe(object), request_log = maybe(text),
    },
    backend = record {
        target = target, connect_timeout_ms = positive, timeout_ms = positive,
        targets = maybe(list(record { target = target, weight = maybe(positive) })),
        health = maybe(record { failures = number, rest_ms = number }),
        tls = maybe(record { certificate = maybe(text), private_key = maybe(text), trust = maybe(text) }),
    },
    plan = record {
        stages = texts, throttle = maybe(throttle), about = maybe(object), request_log = maybe(text),
        quota = maybe(quota),
        operation_throttles = maybe(map(map(throttle))),
    },
    subscription = record {
        plan = text, active = flag, about = maybe(object), quota_epochs = unless_left_out(map(number)),
        quota = maybe(quota), stopped_until = maybe(number), stopped = maybe(text),
    },
    key = record {
        id = text, active = flag, subscriptions = texts, not_before = maybe(number), expires_at = maybe(number),
        grace_until = maybe(number), ips = maybe(texts), referrers = maybe(texts), counts_as = maybe(text),
        about = maybe(record {
            application = unless_left_out(object), account = unless_left_out(object), providers = unless_left_out(texts),
        }),
    },
    caller = record {
        id = text, organization = text, read_only = maybe(flag), everything = maybe(flag), expires_at = maybe(number),
    },
    api = record { organization = text, stages = map(texts) },
    certificate = record { certificate = text, private_key = text, client_ca = maybe(text) },
    installation = record { throttle = maybe(throttle) },
}

local shape = {}

-- Tells whether there are entries of this kind.
function shape.is_kind(kind)
    return SHAPES[kind] ~= nil
end

-- Returns the field of an entry's data that is missing or of the wrong type, such as `target.port`; nil when all is well.
function shape.problem(kind, data)
    return SHAPES[kind](data)
end

return shape
