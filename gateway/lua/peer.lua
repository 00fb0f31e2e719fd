-- Where a proxied call goes: the upstream block, the Host header, the time-outs.
--
-- Kept connections of an nginx upstream block are found by address alone. For http that is right (the Host header
-- says the rest), for TLS it is not: so each worker gives a TLS name a block of its own for good, and the names
-- that come after the last block share one that keeps no connection.

local peer = { LONGEST_MS = 29000 }

local PLAIN, REST = "http://gate_plain", "https://gate_tls_rest"
local slots, used = {}, 0

-- slots: how many upstream blocks `gate_tls_N` nginx.conf has.
function peer.init(count)
    peer.slots = count
end

local function upstream(scheme, host)
    if scheme ~= "https" then
        return PLAIN
    end
    if not slots[host] and used < peer.slots then
        used = used + 1
        slots[host] = "https://gate_tls_" .. used
    end
    return slots[host] or REST
end

local function literal(host)
    if host:find("^%d+%.%d+%.%d+%.%d+$") then
        return { list = { host }, next = 0 }
    elseif host:find(":", 1, true) then
        return { list = { host:find("^%[") and host or "[" .. host .. "]" }, next = 0 }
    end
end

-- target = {scheme, host, port, path}; time-outs in milliseconds.
function peer.make(target, connect_ms, timeout_ms)
    local scheme, host, port = target.scheme, target.host:lower(), target.port
    local usual = (scheme == "https" and 443 or 80) == port
    local address = literal(host)
    local name = address and address.list[1] or host
    return {
        host = host,
        tls_name = scheme == "https" and host or nil,
        host_header = usual and name or name .. ":" .. port,
        port = port,
        path = target.path or "",
        base = upstream(scheme, host) .. (target.path or ""),
        address = address,
        connect = connect_ms / 1000,
        timeout = timeout_ms / 1000,
    }
end

return peer
