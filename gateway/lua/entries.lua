-- Entries as this worker sees them: decoded when first needed, kept until they change.
--
-- The text of an entry lies in shared memory under `kind:key` (see store.lua). Changed names lie in a ring, numbered
-- by page.version; a worker that sees the version move drops just those, or everything if it fell too far behind.

local cjson = require "cjson.safe"
local page = require "page"
local prepare = require "prepare"

local texts, ring = ngx.shared.gatehouse_entries, ngx.shared.gatehouse_ring
local cut = require("compiled").cut
local find, sub = string.find, string.sub
local decode = cjson.decode
local RING = 4096          -- changes that the ring remembers
local LIMIT = 100000       -- decoded entries per generation of the cache; there are two

-- Keys are kept by key.lua, which says here what to do when one changed (its hash), or any may have (nil).
local entries = { RING = RING, on_key_change = nil, version = page.version }

local function fresh()
    local cache = {}
    for _, kind in ipairs(prepare.KINDS) do
        cache[kind] = {}
    end
    return cache
end

local young, old, count = fresh(), fresh(), 0

local function keep(kind, key, data)
    if count >= LIMIT then
        old, young, count = young, fresh(), 0
    end
    young[kind][key] = data
    count = count + 1
    return data
end

local function read(kind, key)
    local text = texts:get(kind .. ":" .. key)
    if not text then
        return nil
    end
    cut(0)
    local line = sub(text, find(text, "\n", 1, true) + 1)
    return line ~= "" and decode(line).data or nil
end

-- What is not there costs one look into shared memory and is not remembered: nobody can fill the cache with it.
local function fetch(kind, key)
    local kept = old[kind][key]
    if kept then
        return keep(kind, key, kept)
    end
    local data = read(kind, key)
    return data and keep(kind, key, prepare[kind](key, data))
end

-- Returns an entry's data as it came, which may be newer than what get() returns; nil when there is none.
entries.read = read

-- Returns the prepared entry or nil.
function entries.get(kind, key)
    return young[kind][key] or fetch(kind, key)
end

local function forget_all()
    young, old, count = fresh(), fresh(), 0
    entries.on_key_change(nil)
end

local function catch_up(version)
    local seen = entries.version
    if version - seen < RING then
        for number = seen + 1, version do
            local name = ring:get(number % RING)
            local colon = name and find(name, ":", 1, true)
            if not colon then
                forget_all()
                break
            end
            local kind, key = sub(name, 1, colon - 1), sub(name, colon + 1)
            young[kind][key], old[kind][key] = nil, nil
            if kind == "key" then
                entries.on_key_change(key)
            end
        end
    end
    -- The ring may have been overtaken while it was read.
    if page.version - seen >= RING then
        version = page.version
        forget_all()
    end
    entries.version = version
end

-- Forgets what changed since the last call. The first line of every phase that reads entries.
function entries.refresh()
    local version = page.version
    if version ~= entries.version then
        catch_up(version)
    end
end

return entries
