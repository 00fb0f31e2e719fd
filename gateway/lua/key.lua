-- API keys: `gh_{live|test}_{32 random base62 characters}_{checksum}`. The checksum is the CRC-32 of what stands
-- before the last underscore, so a mistyped or invented key is refused without a look-up.

local ffi = require "ffi"
local cut = require("compiled").cut
local entries = require "entries"
local hot = require "hot"
local prepare = require "prepare"

ffi.cdef [[
unsigned char *SHA256(const unsigned char *data, size_t length, unsigned char *digest);
]]

local C = ffi.C
local crc32, floor, huge = ngx.crc32_short, math.floor, math.huge
local sub, byte, find, char = string.sub, string.byte, string.find, string.char
local concat = table.concat
local digest = ffi.new("unsigned char[32]")
local FOUND_AT, STAGE, SUBSCRIPTION, PLAN = hot.FOUND_AT, hot.STAGE, hot.SUBSCRIPTION, hot.PLAN
local OLD = -1                              -- as FOUND_AT: its entry changed
local LENGTH, PREFIX, CHECKSUM = 47, 8, 6   -- gh_live_ + 32 + _ + 6
local LIMIT = 150000                        -- keys that a worker remembers, twice
local SHARDS = 256

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

-- Known keys: text -> entry, and mark -> entry to find what changed. In two generations, and in many small tables each:
-- the garbage collector goes through a table in one step, which would hold up calls.
local function fresh()
    local tables = {}
    for number = 0, SHARDS - 1 do
        tables[number] = {}
    end
    return tables
end

local young, old, young_marks, old_marks, count = fresh(), fresh(), fresh(), fresh(), 0

local function shard(text)
    return (byte(text, PREFIX + 1) * 61 + byte(text, PREFIX + 2)) % SHARDS
end

-- 52 bits of a hash: a number costs the garbage collector nothing.
local function mark_of(hash)
    return tonumber(sub(hash, 1, 13), 16)
end

local function keep(text, mark, entry)
    local place = mark % SHARDS
    local same = young_marks[place][mark] or old_marks[place][mark]
    if same and same ~= entry then
        return entry -- another key of the same mark: this one is not kept
    elseif count >= LIMIT then
        old, young, old_marks, young_marks, count = young, fresh(), young_marks, fresh(), 0
    end
    entry.mark = mark
    young[shard(text)][text], young_marks[place][mark] = entry, entry
    count = count + 1
    return entry
end

function entries.on_key_change(hash)
    if not hash then
        young, old, young_marks, old_marks, count = fresh(), fresh(), fresh(), fresh(), 0
        return
    end
    local mark = mark_of(hash)
    local place = mark % SHARDS
    local entry = young_marks[place][mark] or old_marks[place][mark]
    if entry then -- this key, or another one of the same mark: that is read anew
        entry[FOUND_AT] = OLD
        young_marks[place][mark], old_marks[place][mark] = nil, nil
    end
end

key.is_well_formed, key.sha256 = well_formed, sha256

-- Reads the entry of a key that is not known.
local function fetch(text)
    local kept = old[shard(text)][text]
    if kept and kept[FOUND_AT] ~= OLD then
        return keep(text, kept.mark, kept)
    end
    cut(0)
    if not well_formed(text) then
        return nil
    end
    local hash = sha256(text)
    local data = entries.read("key", hash)
    return data and keep(text, mark_of(hash), prepare.key(hash, data))
end

-- Returns the entry of a key's text, or nil. Only known keys are remembered.
function key.find(text)
    if #text ~= LENGTH then
        return nil
    end
    local entry = young[shard(text)][text]
    if entry and entry[FOUND_AT] ~= OLD then
        return entry
    end
    return fetch(text)
end

-- What keys/verify tells of a key: {application, account, start, name, state, providers, ...}. Calls do not need it, so
-- it is read when first asked for.
function key.about(entry)
    local about = entry.about
    if not about then
        local data = entries.read("key", entry.hash)
        about = prepare.about(data and data.about)
        entry.about = about
    end
    return about
end

local function search(entry, stage, now)
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

-- Returns the subscription and plan by which the key opens the stage at this moment; nil = refused. What was found holds
-- until an entry changes, if no date is near: there may be so many keys that each table to look into is out of the
-- processor's caches.
function key.opens(entry, stage, now)
    if entry[FOUND_AT] == entries.version and entry[STAGE] == stage then
        return entry[SUBSCRIPTION], entry[PLAN]
    end
    local subscription, plan = search(entry, stage, now)
    if subscription and entry.starts == 0 and entry.ends == huge then
        entry[SUBSCRIPTION], entry[PLAN], entry[STAGE], entry[FOUND_AT] = subscription, plan, stage, entries.version
    end
    return subscription, plan
end

return key
