-- The control socket: the agent pushes entries and addresses, asks for the state, and takes unspent leases back.

local cjson = require "cjson.safe"
local page = require "page"
local quota = require "quota"
local share_push = require "share_push"
local store = require "store"

local ngx = ngx
local texts = ngx.shared.gatehouse_entries

local control = {}

local function answer(status, body)
    ngx.status = status
    ngx.header["Content-Type"] = "application/json"
    ngx.print(type(body) == "string" and body or cjson.encode(body))
    return ngx.exit(200)
end

local function body()
    ngx.req.read_body()
    local text = ngx.req.get_body_data()
    local path = not text and ngx.req.get_body_file()
    if path then
        local file = assert(io.open(path, "rb"))
        text = file:read("*a")
        file:close()
    end
    return text or ""
end

local function accept(line, number)
    local entry, malformed = cjson.decode(line)
    local problem = entry == nil and malformed or store.check(entry)
    if problem then
        return answer(400, { error = problem, line = number })
    end
    local ok, full = store.put(entry, line)
    if not ok then
        ngx.log(ngx.ERR, "an entry does not fit: ", full, "; raise GATEHOUSE_ENTRIES_MEMORY")
        return answer(507, { error = "full", kind = entry.kind, key = entry.key })
    end
end

local function push_entries()
    local number = 0
    for line in body():gmatch("[^\n]+") do
        number = number + 1
        accept(line, number)
    end
    page.ready = 1
    return answer(200, { generation = page.generation })
end

local function sweep()
    local keep = {}
    for _, name in ipairs(cjson.decode(body()) or {}) do
        keep[name] = true
    end
    store.sweep(keep)
    return answer(200, {})
end

local function start_over()
    store.start_over()
    return answer(200, {})
end

local function push_addresses()
    local hosts = cjson.decode(body())
    if type(hosts) ~= "table" then
        return answer(400, { error = "not a JSON object of host -> list of addresses" })
    end
    for host, addresses in pairs(hosts) do
        if type(host) ~= "string" or type(addresses) ~= "table" then
            return answer(400, { error = "not a JSON object of host -> list of addresses" })
        end
        if not store.put_addresses(host, addresses) then
            return answer(507, { error = "full", kind = "address", key = host })
        end
    end
    return answer(200, {})
end

-- 1022001 -> 1.22.1
local function dotted(number)
    return ("%d.%d.%d"):format(number / 1000000, number / 1000 % 1000, number % 1000)
end

local function status()
    return answer(200, {
        generation = page.generation,
        entries = page.entries,
        started = page.started,
        capacity_bytes = texts:capacity(),
        free_bytes = texts:free_space(),
        workers = ngx.worker.count(),
        connections = tonumber(ngx.var.connections_active), -- absent where nginx is built without stub_status
        version = "nginx " .. dotted(ngx.config.nginx_version) .. ", lua " .. dotted(ngx.config.ngx_lua_version),
    })
end

-- The body: nothing, for all leases; or {"leases": [names], "idle": seconds without a call}.
local function take_leases()
    local asked = cjson.decode(body())
    asked = type(asked) == "table" and asked or {}
    local taken = quota.take(type(asked.leases) == "table" and asked.leases or nil, tonumber(asked.idle))
    local lines = {}
    for index, lease in ipairs(taken) do
        lines[index] = cjson.encode(lease)
    end
    return answer(200, '{"leases":[' .. table.concat(lines, ",") .. "]}") -- cjson writes an empty list as {}
end

local function push_shares()
    local found, problem = share_push.step(body())
    return answer(found and 200 or 400, found or { error = problem })
end

local calls = {
    ["POST /entries"] = push_entries,
    ["POST /entries/start-over"] = start_over,
    ["POST /entries/sweep"] = sweep,
    ["POST /addresses"] = push_addresses,
    ["GET /status"] = status,
    ["POST /leases/take"] = take_leases,
    ["POST /shares"] = push_shares,
}

-- The content phase of the control server.
function control.content()
    local call = calls[ngx.req.get_method() .. " " .. ngx.var.uri]
    if not call then
        return answer(404, { error = "no such call" })
    end
    return call()
end

return control
