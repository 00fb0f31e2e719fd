-- Passive health: an address that failed several times in a row rests, then gets one trial call. Shared by workers.
--
-- Per address: `{name}` counts failures in a row, `rest:{name}` is the moment (Unix seconds) until which it rests,
-- `trial:{name}` says that a trial is under way. `troubled:{backend}` says that there is anything to look at.

local entries = require "entries"

local shared = ngx.shared.gatehouse_health
local ngx_now = ngx.now
local find, sub = string.find, string.sub

local health = {}

-- Tells whether some address of the backend may be at rest: one look for the usual case.
function health.is_troubled(backend)
    return shared:get("troubled:" .. backend) ~= nil
end

-- Returns `rests`, `well`, or `trial` when the caller may make the trial call, which it must then do.
-- name = backend id, a bar, and the address; seconds: how long a trial may take.
function health.state(name, seconds)
    local rests_until = shared:get("rest:" .. name)
    if not rests_until then
        return "well"
    elseif ngx_now() < rests_until or not shared:add("trial:" .. name, true, seconds) then
        return "rests"
    end
    return "trial"
end

function health.all_well(backend)
    shared:delete("troubled:" .. backend)
end

-- Notes that an address answered.
function health.good(name)
    if shared:get(name) then
        shared:delete(name)
        shared:delete("rest:" .. name)
        shared:delete("trial:" .. name)
    end
end

-- Notes that an address failed.
function health.failed(name)
    local backend = sub(name, 1, find(name, "|", 1, true) - 1)
    local peer = entries.get("backend", backend)
    local rules = peer and peer.health
    if not rules then
        return
    end
    if (shared:incr(name, 1, 0) or 0) >= rules.failures then
        shared:set("rest:" .. name, ngx_now() + rules.rest_ms / 1000)
        shared:set("troubled:" .. backend, true)
    end
    shared:delete("trial:" .. name)
end

return health
