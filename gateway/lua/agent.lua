-- The client of the agent's socket: asks for a slice of a quota.

local cjson = require "cjson.safe"
local unix_http = require "unix_http"

local SECONDS = 2

local agent = {}

local function number(value)
    return type(value) == "number" and value
end

local function understand(text)
    local grant = cjson.decode(text or "")
    if type(grant) ~= "table" or not (number(grant.granted) and number(grant.starts_at) and number(grant.ends_at)) then
        return nil
    end
    grant.limit = number(grant.limit) or 0
    grant.left = number(grant.left) or 0
    grant.slice = number(grant.slice) or grant.granted
    grant.epoch = number(grant.epoch) or 0
    return grant
end

-- Returns the HTTP status (nil when the agent is away) and, with 200, the grant:
-- {granted, starts_at, ends_at, limit, left, slice, epoch}. Yields, for at most a few seconds. `name` is the lease's:
-- subscription, or subscription:key; `epoch` the one that the gate knows.
function agent.lease(name, offline_spent, epoch)
    local subscription, key = name:match("^([^:]*):?(.*)$")
    local body = cjson.encode({
        subscription = subscription, key = key, offline_spent = offline_spent, epoch = epoch,
    })
    local status, text = unix_http.post(agent.address, "/lease", body, SECONDS)
    if status == 200 then
        local grant = understand(text)
        return grant and 200 or nil, grant
    end
    return status
end

-- folder: the node's folder, where the agent listens.
function agent.init(folder)
    agent.address = "unix:" .. folder .. "/agent.sock"
end

return agent
