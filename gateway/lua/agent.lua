-- The client of the agent's socket: asks for a slice of a quota.

local cjson = require "cjson.safe"

local tcp = ngx.socket.tcp
local SECONDS = 2

local agent = {}

local function number(value)
    return type(value) == "number" and value
end

local function read_answer(socket)
    local line = socket:receive("*l")
    local status = line and tonumber(line:match("^HTTP/1%.%d (%d%d%d)"))
    local length
    while status do
        local header = socket:receive("*l")
        if not header then
            return nil
        elseif header == "" then
            break
        end
        length = tonumber(header:lower():match("^content%-length:%s*(%d+)")) or length
    end
    return status, status and length and socket:receive(length)
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
    local socket = tcp()
    socket:settimeouts(SECONDS * 1000, SECONDS * 1000, SECONDS * 1000)
    if not socket:connect(agent.address) then
        return nil
    end
    local status, text
    if socket:send("POST /lease HTTP/1.1\r\nHost: agent\r\nContent-Type: application/json\r\nConnection: close\r\n"
        .. "Content-Length: " .. #body .. "\r\n\r\n" .. body) then
        status, text = read_answer(socket)
    end
    socket:close()
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
