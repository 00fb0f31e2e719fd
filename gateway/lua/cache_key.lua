-- Under which key an answer is kept. Each part says its length, so no two calls with different parts have one key.

local ngx = ngx
local var = ngx.var
local ROUTE = require("hot").ROUTE
local gsub, lower, match = string.gsub, string.lower, string.match
local concat, sort, type, tostring = table.concat, table.sort, type, tostring

local function put(parts, name, value)
    if type(value) == "table" then
        for index = 1, #value do
            put(parts, name, value[index])
        end
        return
    end
    local text = value == true and "" or "=" .. value
    parts[#parts + 1] = #name .. ":" .. name .. #text .. ":" .. text
end

-- The values of listed headers, under whichever spelling a backend may take for the same one.
local function put_headers(parts, names)
    local wanted = {}
    for index = 1, #names do
        wanted[names[index]] = {}
    end
    for name, value in pairs(ngx.req.get_headers(0, true)) do
        local list = wanted[gsub(lower(name), "_", "-")]
        if list then
            list[#list + 1] = name .. "\n" .. (type(value) == "table" and concat(value, "\n") or tostring(value))
        end
    end
    for index = 1, #names do
        local list = wanted[names[index]]
        sort(list)
        for number = 1, #list do
            put(parts, names[index], #list > 1 and list[number] or match(list[number], "\n(.*)$"))
        end
    end
end

-- Returns the key of a call of rich.lua.
return function(call)
    local stage, policy = call.stage, call.operation.cache
    local parts = {}
    put(parts, "stage", stage.id)
    put(parts, "epoch", stage.cache_epoch or 0)
    put(parts, "deployment", stage.deployment)
    put(parts, "operation", call.operation[ROUTE])
    put(parts, "path", call.path)
    -- what the backend is told of the address, by which it may write links and redirects
    put(parts, "host", var.gatehouse_forwarded_host or "")
    put(parts, "scheme", var.gatehouse_scheme or var.scheme)
    put(parts, "port", var.gatehouse_port or var.server_port)
    local names = policy.query
    if #names > 0 then
        local arguments = ngx.req.get_uri_args(0)
        for index = 1, #names do
            local value = arguments[names[index]]
            if value ~= nil then
                put(parts, names[index], value)
            end
        end
    end
    parts[#parts + 1] = "|"
    if #policy.header > 0 then
        put_headers(parts, policy.header)
    end
    return concat(parts, " ")
end
