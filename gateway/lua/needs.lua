-- What an operation asks of the answer and of the backend, read once from its policy, its integration and its stage.

local given = require "given"

local BITS = { ["502"] = 1, ["503"] = 2, ["504"] = 4 }
local BODIES_AGAIN = { PUT = true, DELETE = true, OPTIONS = true, TRACE = true }

local needs = {
    -- Methods other than GET and HEAD whose bodies are kept for another try.
    BODIES_AGAIN = BODIES_AGAIN,
}

local function retries(policy)
    local asked = given(policy.retries)
    if not asked or asked.attempts < 1 then
        return nil
    end
    local on, number = {}, 0
    for _, condition in ipairs(asked.on) do
        on[condition] = true
        number = number + (BITS[condition] or 0)
    end
    return { attempts = asked.attempts, on = on, number = number }
end

local function cached(stage, kind, policy)
    local asked = given(policy.cache)
    local method = kind.verb
    if not asked or asked.ttl < 1 or stage.caches == false or (method ~= "GET" and method ~= "ANY") then
        return nil
    end
    local keys = { query = {}, header = {} }
    for _, name in ipairs(given(asked.keys) or {}) do
        local place, rest = name:match("^(%a+)%.(.+)$")
        if keys[place] then
            table.insert(keys[place], place == "header" and rest:lower():gsub("_", "-") or rest)
        end
    end
    table.sort(keys.query)
    table.sort(keys.header)
    return { ttl = asked.ttl, query = keys.query, header = keys.header, invalidation = given(asked.invalidation) or "warn" }
end

-- Writes into a kind of operations (prepare.lua) what rich.lua and its parts go by; `rich` says that it needs them at
-- all. stage: the stage, or the view of it that its canary has.
function needs.prepare(stage, kind, integration)
    local policy = kind.policy or {}
    kind.stream = given(integration.stream) or nil
    kind.retries = retries(policy)
    kind.patience = given(policy.timeout_ms) and policy.timeout_ms / 1000
    if not kind.stream then -- as AWS: what is streamed is neither kept nor encoded
        kind.cache = cached(stage, kind, policy)
        kind.compress_from = given(stage.compress_from)
    end
    kind.inflates = given(stage.compress_from) ~= nil
    kind.rich = kind.rich or kind.stream or kind.retries or kind.patience or kind.cache or kind.inflates or nil
end

return needs
