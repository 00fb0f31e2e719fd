-- Where a proxied call goes: the upstream block, the Host header, the time-outs.
--
-- Kept connections of an nginx upstream block are found by address alone. For http that is right (the Host header
-- says the rest), for TLS it is not: so each worker gives a TLS name, with the client certificate that is shown to it,
-- a block of its own for good, and those that come after the last block share one that keeps no connection.

local given = require "given"

local peer = { LONGEST_MS = 29000 }

local ngx = ngx
local var = ngx.var
local PLAIN, REST = "http://gate_plain", "https://gate_tls_rest"
local slots, used = {}, 0
local min = math.min

-- count: how many upstream blocks `gate_tls_N` nginx.conf has; longest_ms: the operator's bound of all time-outs.
function peer.init(count, longest_ms)
    peer.slots, peer.LONGEST_MS = count, longest_ms
end

-- client: how we show ourselves, or nil.
local function upstream(scheme, host, client)
    if scheme ~= "https" then
        return PLAIN
    end
    local name = client and host .. " " .. client.id or host
    if not slots[name] and used < peer.slots then
        used = used + 1
        slots[name] = "https://gate_tls_" .. used
    end
    return slots[name] or REST
end

-- The client certificate of a backend's `tls`, as nginx's proxy takes it; or nil.
local function client_of(tls)
    local certificate, key = tls and given(tls.certificate) or "", tls and given(tls.private_key) or ""
    if certificate ~= "" and key ~= "" then
        return { certificate = "data:" .. certificate, key = "data:" .. key, id = ngx.md5(certificate .. key) }
    end
end

-- Tells nginx's proxy of a TLS server whom it must find there, and who we are.
function peer.secure(server)
    var.gatehouse_tls_name = server.tls_name
    local client = server.client
    if client then
        var.gatehouse_client_certificate = client.certificate
        var.gatehouse_client_key = client.key
    end
end

local function literal(host)
    if host:find("^%d+%.%d+%.%d+%.%d+$") then
        return { list = { host }, next = 0 }
    elseif host:find(":", 1, true) then
        return { list = { host:find("^%[") and host or "[" .. host .. "]" }, next = 0 }
    end
end

local function server_of(target, connect_ms, timeout_ms, client)
    local scheme, host, port = target.scheme, target.host:lower(), target.port
    local usual = (scheme == "https" and 443 or 80) == port
    local address = literal(host)
    local name = address and address.list[1] or host
    return {
        host = host,
        tls_name = scheme == "https" and host or nil,
        client = client,
        host_header = usual and name or name .. ":" .. port,
        port = port,
        path = target.path or "",
        base = upstream(scheme, host, client) .. (target.path or ""),
        address = address,
        connect = min(connect_ms, peer.LONGEST_MS) / 1000,
        timeout = min(timeout_ms, peer.LONGEST_MS) / 1000,
    }
end

-- target = {scheme, host, port, path}; time-outs in milliseconds; client: how we show ourselves, or nil.
function peer.make(target, connect_ms, timeout_ms, client)
    local made = server_of(target, connect_ms, timeout_ms, client)
    made.base = upstream(target.scheme, made.host, client) .. made.path
    return made
end

-- A set of TLS names that share an upstream block. Two of them at one address could share a connection there: from
-- then on the set gets the block that keeps none.
local sets = {}
local Set = {}
Set.__index = Set

local function set_of(servers, client)
    local names, known = {}, {}
    for _, server in ipairs(servers) do
        if server.tls_name and not known[server.tls_name] then
            known[server.tls_name] = true
            names[#names + 1] = server.tls_name
        end
    end
    if #names < 2 then
        return nil
    end
    table.sort(names)
    local key = table.concat(names, ",")
    local name = client and key .. " " .. client.id or key
    sets[name] = sets[name] or setmetatable({ key = key, names = {}, client = client }, Set)
    return sets[name]
end

-- Returns the upstream block for a list of addresses (pool.lua).
function Set:base(list)
    for _, entry in ipairs(list) do
        local place, name = entry.ip .. ":" .. entry.server.port, entry.server.tls_name
        self.mixed = self.mixed or (self.names[place] or name) ~= name
        self.names[place] = name
    end
    return self.mixed and REST or upstream("https", self.key, self.client)
end

-- Prepares a backend with all its servers. `rich`: the plain proxy cannot serve it; `set`: the upstream block is
-- known only when its addresses are, so `base` lacks it.
function peer.backend(id, data)
    local client = client_of(given(data.tls))
    local made = server_of(data.target, data.connect_timeout_ms, data.timeout_ms, client)
    made.id = id
    made.health = given(data.health)
    local targets = given(data.targets) or {}
    if #targets > 0 then
        made.servers = {}
        for index, weighted in ipairs(targets) do
            local server = server_of(weighted.target, data.connect_timeout_ms, data.timeout_ms, client)
            server.weight = given(weighted.weight) or 1
            made.servers[index] = server
        end
        made.set = set_of(made.servers, client)
    end
    local first = made.servers and made.servers[1] or made
    made.base = (made.set and "" or upstream(data.target.scheme, first.host, client)) .. made.path
    made.rich = made.health ~= nil or #targets > 0
    return made
end

return peer
