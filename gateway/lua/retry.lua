-- The backend's side of calls in rich.lua's locations: which address, how long, whether once more.
--
-- All tries of a call share one deadline. nginx itself never tries again what must not run twice: POST, LOCK and
-- PATCH once something was sent, and bodies that it did not keep. What is decided here is only what a policy leaves out.

local balancer = require "ngx.balancer"
local complain = require "complain"
local health = require "health"
local pool = require "pool"
local secure = require("peer").secure

local ngx = ngx
local var = ngx.var
local find, match = string.find, string.match
local min, max = math.min, math.max
local set_peer, set_timeouts, set_more_tries = balancer.set_current_peer, balancer.set_timeouts, balancer.set_more_tries
local get_last_failure = balancer.get_last_failure
local MOST_TRIES = 3      -- without a policy
local LEAST_SECONDS = 0.05 -- a try with less time would be in vain

local retry = {}

-- What nginx is told of the server that a try goes to.
local function show(call, server)
    var.gatehouse_host = call.host or server.host_header
    if server.tls_name then
        secure(server)
    end
end

local function choose(call)
    local entry = pool.pick(call.list, call.peer, call.tried, call.timeout + 1)
    call.entry, call.tried[entry] = entry, true
    return entry
end

-- Chooses the first address and starts the call's clock. Returns false when the backend has no address.
function retry.start(call)
    local list = pool.of(call.peer)
    if #list == 0 then
        return false
    end
    call.list, call.tried = list, {}
    call.deadline = ngx.now() + call.timeout
    show(call, choose(call).server)
    var.gatehouse_target = list.base .. call.target
    return true
end

-- The part of a time variable that is of the try before this one: the last, for this one has none yet.
local function before(text)
    return match(text or "", "([%d.-]+)[^%d.-]*$") or "-"
end

-- Whether a policy wants another try after what happened. `status` is what nginx would answer.
local function wanted(call, status)
    if find(before(var.upstream_header_time), "^%d") then
        return true -- a status of the backend: the location holds which ones
    end
    local on = call.operation.retries and call.operation.retries.on
    local connected = find(before(var.upstream_connect_time), "^%d")
    if status == 504 and connected then
        return on and on.timeout
    elseif status == 504 then
        return on and (on.error or on.timeout)
    end
    return not on or on.error
end

-- Ends a call in the balancer phase, where ngx.exit returns; verdict.lua reads the variable.
function retry.give_up(verdict)
    var.gatehouse_failure = verdict
    ngx.exit(ngx.ERROR)
end

-- Returns the address for another try, or nil when there is none.
local function again(call, status)
    local last = call.entry
    if call.peer.health then
        health.failed(last.name)
        var.gatehouse_health = ""
    end
    if not wanted(call, status) then
        return retry.give_up(status == 504 and "INTEGRATION_TIMEOUT" or "INTEGRATION_FAILURE")
    elseif ngx.now() + LEAST_SECONDS > call.deadline then
        return retry.give_up("INTEGRATION_TIMEOUT")
    end
    local entry = choose(call)
    if entry.server.host_header ~= last.server.host_header then
        show(call, entry.server)
        balancer.recreate_request()
    end
    return entry
end

-- How many more tries nginx may make.
local function more_tries(call)
    local retries = call.operation.retries
    return min(#call.list, retries and retries.attempts + 1 or MOST_TRIES) - 1
end

-- Seconds for the try that begins: all that is left, or its part of it if another try is to follow a time-out.
local function time_for_try(call)
    local left = max(call.deadline - ngx.now(), 0.001)
    local retries = call.operation.retries
    if retries and retries.on.timeout then
        call.tries = call.tries or more_tries(call) + 1
        left = left / max(call.tries, 1)
        call.tries = call.tries - 1
    end
    return left
end

-- The balancer phase of a call that retry.start() began.
function retry.balancer(call)
    local state, status = get_last_failure()
    local entry = call.entry
    if state then
        entry = again(call, status)
        if not entry then
            return
        end
    elseif #call.list > 1 then
        set_more_tries(more_tries(call))
    end
    local left = time_for_try(call)
    local pause = call.pause or left
    set_timeouts(min(call.peer.connect, left), pause, pause)
    if call.peer.health then
        var.gatehouse_health = entry.name
    end
    local ok, problem = set_peer(entry.ip, entry.server.port)
    if not ok then
        complain("a backend's address cannot be used: ", problem)
        return retry.give_up("INTEGRATION_FAILURE")
    end
end

-- The header filter: the address of the last try has answered.
function retry.answered(call)
    if not call.peer.health or not call.entry then
        return
    end
    local retries = call.operation.retries
    if retries and retries.on[tostring(ngx.status)] then
        health.failed(call.entry.name)
    else
        health.good(call.entry.name)
    end
    var.gatehouse_health = ""
end

-- nginx found no answer of the backend (502, 504).
function retry.failed()
    local name = var.gatehouse_health
    if name ~= "" then
        health.failed(name)
    end
end

return retry
