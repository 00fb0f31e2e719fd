-- API keys: `gh_{live|test}_{32 random base62 characters}_{checksum}`. The checksum is the CRC-32 of what stands
-- before the last underscore, so a mistyped or invented key is refused without a look-up.

local ffi = require "ffi"
local entries = require "entries"

ffi.cdef [[
unsigned char *SHA256(const unsigned char *data, size_t length, unsigned char *digest);
]]

local C = ffi.C
local crc32, floor = ngx.crc32_short, math.floor
local sub, byte, find, char = string.sub, string.byte, string.find, string.char
local concat = table.concat
local digest = ffi.new("unsigned char[32]")
local LENGTH, PREFIX, CHECKSUM = 47, 8, 6   -- gh_live_ + 32 + _ + 6
local LIMIT = 100000                        -- hashes that a worker remembers, twice

local DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
local HEX = {}
for value = 0, 255 do
    HEX[value] = string.format("%02x", value)
end

local key = {}

local function checksum(text)
    local rest, out = crc32(text), ""
    for _ = 1, CHECKSUM do
        local digit = rest % 62
        out = char(byte(DIGITS, digit + 1)) .. out
        rest = floor(rest / 62)
    end
    return out
end

local function well_formed(text)
    local start = sub(text, 1, PREFIX)
    return #text == LENGTH
        and (start == "gh_live_" or start == "gh_test_")
        and sub(text, LENGTH - CHECKSUM, LENGTH - CHECKSUM) == "_"
        and find(text, "^[0-9A-Za-z]+_[0-9A-Za-z]+$", PREFIX + 1)
        and checksum(sub(text, 1, LENGTH - CHECKSUM - 1)) == sub(text, -CHECKSUM)
end

local function sha256(text)
    C.SHA256(text, #text, digest)
    local parts = {}
    for index = 0, 31 do
        parts[index + 1] = HEX[digest[index]]
    end
    return concat(parts)
end

local young, old, count = {}, {}, 0

local function remember(text, hash)
    if count >= LIMIT then
        old, young, count = young, {}, 0
    end
    young[text] = hash
    count = count + 1
end

key.is_well_formed, key.sha256 = well_formed, sha256

-- Returns the entry of a key's text, or nil. Only hashes of known keys are remembered.
function key.find(text)
    local hash = young[text] or old[text]
    if hash then
        return entries.get("key", hash)
    elseif not well_formed(text) then
        return nil
    end
    hash = sha256(text)
    local entry = entries.get("key", hash)
    if entry then
        remember(text, hash)
    end
    return entry
end

-- Returns the subscription and plan by which the key opens the stage at this moment; nil = refused.
function key.opens(entry, stage, now)
    if not entry.active or now < entry.starts or now >= entry.ends then
        return nil
    end
    local subscriptions = entry.subscriptions
    for index = 1, #subscriptions do
        local subscription = entries.get("subscription", subscriptions[index])
        if subscription and subscription.active then
            local plan = entries.get("plan", subscription.plan)
            if plan and plan.opens[stage] then
                return subscription, plan
            end
        end
    end
end

return key
