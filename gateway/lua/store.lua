-- The entries in shared memory, as text: `generation`, a newline, the line as it came (empty for a tombstone).
-- Nothing is ever evicted: a full memory refuses the entry and keeps what it had.

local cjson = require "cjson.safe"
local lock = require "lock"
local page = require "page"
local quota = require "quota"
local shape = require "shape"
local tls = require "tls"
local RING = require("entries").RING

local texts, ring = ngx.shared.gatehouse_entries, ngx.shared.gatehouse_ring
local TOMBSTONE = 3600 -- seconds that a tombstone guards against an older entry

local store = {}

-- Returns what is wrong with a decoded entry, or nil.
function store.check(entry)
    if type(entry) ~= "table" then
        return "not a JSON object"
    end
    if not shape.is_kind(entry.kind) then
        return "unknown kind"
    elseif type(entry.key) ~= "string" or entry.key == "" then
        return "key is missing"
    elseif type(entry.generation) ~= "number" or entry.generation < 1 or entry.generation % 1 ~= 0 then
        return "generation must be a positive number"
    elseif entry.data == cjson.null then
        return nil
    elseif type(entry.data) ~= "table" then
        return "data must be an object or null"
    end
    local wrong = shape.problem(entry.kind, entry.data)
    if wrong then
        return "data." .. wrong .. " is missing or of the wrong type"
    end
    return entry.kind == "certificate" and tls.problem(entry.data) or nil
end

local function announce(name)
    ring:set((page.version + 1) % RING, name)
    ring:get("page") -- a full ring throws out what was used longest ago: never what a reload must find
    ring:get("held")
    page.version = page.version + 1
end

local function segments(path)
    local _, slashes = path:gsub("/", "")
    return path == "" and 0 or slashes + 1
end

-- Keeps what the gate must know of addresses: which hosts are claimed, how deep base paths go.
local function mind_mapping(key, change)
    local host, path = key:match("^([^|]*)|(.*)$")
    if not host then
        return
    end
    page.depth = math.max(page.depth, segments(path))
    if host ~= "*" and not host:find("^%w+%.execute%-api$") then
        local claims = texts:incr("host:" .. host, change, 0)
        if claims == 1 and change == 1 then
            page.hosts = page.hosts + 1
        elseif claims == 0 then
            page.hosts = page.hosts - 1
            texts:delete("host:" .. host)
        end
    end
end

local function held(name)
    local value = texts:get(name)
    local newline = value and value:find("\n", 1, true)
    if newline then
        return tonumber(value:sub(1, newline - 1)), #value > newline, value
    end
    return 0, false
end

local function write(name, value, life, before)
    local ok, problem = texts:safe_set(name, value, life)
    if not ok and problem == "no memory" and texts:flush_expired() > 0 then
        ok, problem = texts:safe_set(name, value, life)
    end
    if not ok and before then
        texts:safe_set(name, before) -- a failed safe_set has dropped the old value
    end
    return ok, problem
end

local function put(entry, line)
    local name = entry.kind .. ":" .. entry.key
    local generation, was, before = held(name)
    if entry.generation <= generation then
        return true
    end
    local gone = entry.data == cjson.null
    local ok, problem = write(name, entry.generation .. "\n" .. (gone and "" or line), gone and TOMBSTONE or 0, before)
    if not ok then
        return nil, problem
    end
    local change = (gone and 0 or 1) - (was and 1 or 0)
    page.entries = page.entries + change
    if entry.kind == "mapping" and change ~= 0 then
        mind_mapping(entry.key, change)
    elseif entry.kind == "certificate" and not gone and (entry.data.client_ca or "") ~= "" then
        page.mutual = 1
    end
    announce(name)
    page.generation = math.max(page.generation, entry.generation)
    return true
end

-- Stores one checked entry (line: its JSON) unless one as new is held. Returns true, or nil and the problem.
function store.put(entry, line)
    local data = entry.data
    if entry.kind == "subscription" and data ~= cjson.null and type(data.quota_epochs) == "table" then
        -- first: who runs this generation spends no unit of an older epoch
        if not quota.void(entry.key, data.quota_epochs) then
            return nil, "no memory for a lease"
        end
    end
    return lock.with(put, entry, line)
end

-- An entry's name, not a host's claims or addresses, which have no generation.
local function is_entry(name)
    return shape.is_kind(name:match("^[^:]*"))
end

local function age(name)
    local _, is_live, value = held(name)
    if is_live then
        local newline = value:find("\n", 1, true)
        write(name, "0" .. value:sub(newline), 0, value)
    else
        texts:delete(name)
    end
end

-- Makes every entry older than any that will come, without taking it out of use. For a control plane whose
-- generations start anew, and for a node whose entries are not what they should be.
function store.start_over()
    for _, name in ipairs(texts:get_keys(0)) do
        if is_entry(name) then
            lock.with(age, name)
        end
    end
    page.generation = 0
end

local function drop_if_old(name)
    local generation, is_live = held(name)
    if generation ~= 0 or not is_live then
        return
    end
    texts:delete(name)
    page.entries = page.entries - 1
    local kind, key = name:match("^([^:]*):(.*)$")
    if kind == "mapping" then
        mind_mapping(key, -1)
    end
    announce(name)
end

-- Drops the entries that did not come again since start_over(), but for the names in `keep`.
function store.sweep(keep)
    for _, name in ipairs(texts:get_keys(0)) do
        if is_entry(name) and not keep[name] then
            lock.with(drop_if_old, name)
        end
    end
end

local function put_addresses(host, addresses)
    for index, address in ipairs(addresses) do
        local bare = address:find(":", 1, true) and not address:find("^%[")
        addresses[index] = bare and "[" .. address .. "]" or address
    end
    local name = "address:" .. host
    local value = "0\n" .. cjson.encode({ data = addresses })
    local before = texts:get(name)
    if value ~= before then
        local ok, problem = write(name, value, 0, before)
        if not ok then
            return nil, problem
        end
        announce(name)
    end
    return true
end

-- Stores the IP addresses of a host.
function store.put_addresses(host, addresses)
    return lock.with(put_addresses, host:lower(), addresses)
end

return store
