-- The addresses behind a backend: all IP addresses of all its servers, shared out by smooth weighted round robin.
-- A worker has its own row; a server's weight is divided among its addresses.

local entries = require "entries"
local health = require "health"

local get = entries.get
local ipairs, next = ipairs, next

local pool = {}

local function addresses(server)
    local address = server.address or get("address", server.host)
    return address and address.list
end

local function is_current(kept, servers)
    for index, server in ipairs(servers) do
        if addresses(server) ~= kept.of[index] then
            return false
        end
    end
    return true
end

local function build(peer, servers)
    local made = { of = {} }
    for index, server in ipairs(servers) do
        local list = addresses(server)
        made.of[index] = list
        for _, ip in ipairs(list or {}) do
            made[#made + 1] = {
                ip = ip,
                server = server,
                weight = (server.weight or 1) / #list,
                turn = 0,
                name = (peer.id or "") .. "|" .. ip .. ":" .. server.port,
            }
        end
    end
    return made
end

-- Returns the list of addresses, and as `base` the upstream block that peer.base lacks, if any.
function pool.of(peer)
    local servers = peer.servers or { peer }
    local kept = peer.pool
    if not kept or not is_current(kept, servers) then
        kept = build(peer, servers)
        peer.pool = kept
        kept.base = peer.set and peer.set:base(kept) or ""
    end
    return kept
end

-- One turn of the round robin among the addresses that `usable` admits.
local function turn(list, usable)
    local best, total = nil, 0
    for index = 1, #list do
        local entry = list[index]
        if usable(entry) then
            entry.turn = entry.turn + entry.weight
            total = total + entry.weight
            if not best or entry.turn > best.turn then
                best = entry
            end
        end
    end
    if best then
        best.turn = best.turn - total
    end
    return best
end

local function healthy(list, peer, tried, fresh, seconds)
    local rests, resting = {}, false
    for index = 1, #list do
        local entry = list[index]
        local state = fresh(entry) and health.state(entry.name, seconds) or "well"
        if state == "trial" then
            return entry
        elseif state == "rests" then
            rests[entry], resting = true, true
        end
    end
    if not resting then
        if not next(tried) then
            health.all_well(peer.id)
        end
        return nil
    end
    return turn(list, function(entry)
        return fresh(entry) and not rests[entry]
    end)
end

-- Returns the address for the next try: one that was not tried and does not rest, else one that was not tried, else
-- any; nil when there is none. tried: set of addresses; seconds: how long the try may take.
function pool.pick(list, peer, tried, seconds)
    local function fresh(entry)
        return not tried[entry]
    end
    local found = peer.health and health.is_troubled(peer.id) and healthy(list, peer, tried, fresh, seconds)
    return found or turn(list, fresh) or turn(list, function() return true end)
end

return pool
