-- Networks in CIDR form, prepared once; a call compares bytes (`$binary_remote_addr`), it parses no text.

local ffi = require "ffi"
local given = require "given"

ffi.cdef [[
int inet_pton(int family, const char *text, void *bytes);
]]

local C = ffi.C
local sub, byte, match = string.sub, string.byte, string.match
local floor = math.floor
local INET, INET6 = 2, 10
local MAPPED = ("\0"):rep(10) .. "\255\255" -- an IPv4 address in an IPv6 socket
local bytes = ffi.new("unsigned char[16]")

local ip = {}

-- Returns an address's 4 or 16 bytes, or nil for what is no address. IPv4 in IPv6 is IPv4.
function ip.parse(text)
    if C.inet_pton(INET, text, bytes) == 1 then
        return ffi.string(bytes, 4)
    elseif C.inet_pton(INET6, text, bytes) == 1 then
        return ip.plain(ffi.string(bytes, 16))
    end
end

-- The same address, as 4 bytes when it is an IPv4 one in IPv6 form.
function ip.plain(address)
    if #address == 16 and sub(address, 1, 12) == MAPPED then
        return sub(address, 13)
    end
    return address
end

local function network(text)
    local host, length = match(text, "^([^/]+)/?(%d*)$")
    local address = host and ip.parse(host)
    if not address then
        return nil
    end
    local most = #address * 8
    length = length == "" and most or tonumber(length)
    if most == 32 and match(host, ":") then
        length = length - 96 -- written as ::ffff:10.0.0.0/104
    end
    if length < 0 or length > most then
        return nil
    end
    return address, length
end

-- Returns networks prepared for ip.contains(), nil for an empty list. What is no network matches nobody.
function ip.networks(list)
    list = given(list)
    if not list or #list == 0 then
        return nil
    end
    local made = { exact = {} }
    for _, text in ipairs(list) do
        local address, length = network(text)
        if not address then
            ngx.log(ngx.WARN, "not a network, ignored: ", text)
        elseif length == #address * 8 then
            made.exact[address] = true
        else
            local full, rest = floor(length / 8), length % 8
            local step = 2 ^ (8 - rest)
            made[#made + 1] = {
                size = #address, full = full, head = sub(address, 1, full),
                step = rest > 0 and step, part = rest > 0 and floor(byte(address, full + 1) / step),
            }
        end
    end
    return made
end

-- Tells whether an address, as bytes in the form of ip.plain(), lies in one of the networks.
function ip.contains(networks, address)
    if networks.exact[address] then
        return true
    end
    for index = 1, #networks do
        local each = networks[index]
        if #address == each.size and sub(address, 1, each.full) == each.head then
            if not each.step or floor(byte(address, each.full + 1) / each.step) == each.part then
                return true
            end
        end
    end
    return false
end

-- rules = {allow, deny} of an entry; returns them prepared, nil when they let everybody pass.
function ip.rules(rules)
    rules = given(rules)
    local allow, deny = ip.networks(rules and rules.allow), ip.networks(rules and rules.deny)
    return (allow or deny) and { allow = allow, deny = deny } or nil
end

-- Tells whether rules admit an address: denied wins, an empty allow list admits everybody else.
function ip.admits(rules, address)
    if rules.deny and ip.contains(rules.deny, address) then
        return false
    end
    return not rules.allow or ip.contains(rules.allow, address)
end

return ip
