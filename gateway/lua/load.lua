-- What the master does before it makes workers: settings, verdicts, and the last good entries from disk.

local cjson = require "cjson.safe"
local page = require "page"
local store = require "store"

local load = {}

local function read(path)
    local file = assert(io.open(path, "rb"))
    local text = file:read("*a")
    file:close()
    return text
end

-- A line that is no entry ends the reading only if it is the last one (torn by a crash); others are named in the log.
local function load_entries(path)
    local file = io.open(path, "rb")
    if not file then
        return
    end
    local newest, order = {}, {}
    for line in file:lines() do
        local entry = cjson.decode(line)
        local problem = store.check(entry)
        if problem then
            ngx.log(ngx.WARN, "entries.jsonl: a line is skipped: ", problem)
        else
            local name = entry.kind .. ":" .. entry.key
            order[#order + 1] = not newest[name] and name or nil
            newest[name] = line
        end
    end
    file:close()
    for _, name in ipairs(order) do
        local entry = cjson.decode(newest[name])
        local ok, problem = store.put(entry, newest[name])
        if not ok then
            ngx.log(ngx.ERR, "entries.jsonl: ", name, " is not loaded: ", problem, "; raise GATEHOUSE_ENTRIES_MEMORY")
        end
    end
    page.ready = 1
end

-- The agent's last look-ups, so that backends with a host name are found before it pushes newer ones.
local function load_addresses(path)
    local file = io.open(path, "rb")
    local hosts = file and cjson.decode(file:read("*a"))
    if file then
        file:close()
    end
    for host, addresses in pairs(type(hosts) == "table" and hosts or {}) do
        store.put_addresses(host, addresses)
    end
end

-- settings = {folder, verdicts (a path), max_body (bytes), max_timeout (seconds), tls_slots, verify_rate (calls a second),
-- access_log = {folder, size, files}, journal (a folder), journal_size (bytes),
-- request_log = {path, rate (lines a second)}}
function load.init(settings)
    require("verdicts").init(cjson.decode(read(settings.verdicts)), settings.max_body)
    require("access_log").init(settings.access_log)
    require("agent").init(settings.folder)
    require("authorizer").init(settings.folder)
    require("peer").init(settings.tls_slots, settings.max_timeout * 1000)
    require("compress").init(settings.max_body)
    require("journal").init(settings.journal, settings.journal_size)
    require("quota").init(settings.folder)
    require("request_log").init(settings.request_log.path, settings.request_log.rate)
    require("caller").init(settings.verify_rate)
    load_entries(settings.folder .. "/entries.jsonl")
    load_addresses(settings.folder .. "/addresses.json")
    -- Workers may not be allowed to read our files: load everything now.
    for _, name in ipairs({ "gate", "balance", "control", "verify", "authorize" }) do
        require(name)
    end
    collectgarbage()
end

-- What each worker does before its first call.
function load.worker()
    -- A full collection goes through all that the worker remembers: rather seldom, for half as much memory again.
    collectgarbage("setpause", 300)
    require("compiled").start()
    require("request_id").start()
    require("journal").start()
    require("request_log").start()
    require("huge_pages").start()
end

return load
