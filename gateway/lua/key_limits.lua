-- Where a key may be used from: its own networks and referrers. For the gate's traffic and for keys/verify alike.

local given = require "given"
local ip = require "ip"

local lower, match, sub = string.lower, string.match, string.sub

local key_limits = {}

local function referrers(list)
    list = given(list)
    if not list or #list == 0 then
        return nil
    end
    local made = { exact = {} }
    for _, text in ipairs(list) do
        text = lower(text)
        if sub(text, 1, 2) == "*." then
            made[#made + 1] = sub(text, 2)
        else
            made.exact[text] = true
        end
    end
    return made
end

-- data: a key's entry. Returns nil when the key has no such limits.
function key_limits.prepare(data)
    local networks, hosts = ip.networks(data.ips), referrers(data.referrers)
    return (networks or hosts) and { networks = networks, referrers = hosts } or nil
end

-- The host of a Referer or Origin header, in lower case; nil for what is no http URL.
local function host_of(url)
    local authority = url and match(url, "^[Hh][Tt][Tt][Pp][Ss]?://([^/?#]*)")
    if authority then
        local host = match(authority, "^[^@]*@(.*)$") or authority
        return lower(match(host, "^%[.-%]") or match(host, "^[^:]*"))
    end
end

local function is_among(hosts, host)
    if not host then
        return false
    elseif hosts.exact[host] then
        return true
    end
    for index = 1, #hosts do
        local ending = hosts[index]
        if #host > #ending and sub(host, -#ending) == ending then
            return true
        end
    end
    return false
end

-- Returns why a key may not be used: IP_NOT_ALLOWED or REFERRER_NOT_ALLOWED; nil when it may.
-- limits: as prepared; address: bytes (ip.parse, ip.plain) or nil for unknown; referrer: a URL or nil.
function key_limits.refuses(limits, address, referrer)
    if limits.networks and not (address and ip.contains(limits.networks, address)) then
        return "IP_NOT_ALLOWED"
    elseif limits.referrers and not is_among(limits.referrers, host_of(referrer)) then
        return "REFERRER_NOT_ALLOWED"
    end
end

return key_limits
