-- The stage and the operation of the call at hand, for the phases after access: they are found by what the usage
-- line says of the call, so they survive ngx.exec and error_page.

local entries = require "entries"
local prepare = require "prepare"
local route = require "route"

local ngx = ngx
local var = ngx.var
local find, sub, match = string.find, string.sub, string.match

local current = {}

-- Returns the stage, as its canary sees it when the call fell to that (nil = the call reached none), and the operation
-- (nil = it reached none).
function current.call()
    local text = var.gatehouse_route
    local space = find(text, " ", 1, true)
    local stage = entries.get("stage", sub(text, 1, space - 1))
    if stage and stage.canary and find(var.gatehouse_flags, "c", 1, true) then
        stage = stage.canary
    end
    local id = stage and sub(text, space + 1)
    if not stage or id == "-" then
        return stage
    end
    return stage, prepare.operation(stage, id)
end

-- The path of the call as the client sent it, without the query.
function current.path()
    return match(var.request_uri or "", "^[^?]*")
end

-- The captured path variables of the call by their names, percent-encoded as sent; nil where no operation matched.
function current.path_variables(operation)
    local stage = current.call()
    local path = current.path()
    local mapping, from = route.mapping(var.host, path)
    if not mapping or not stage then
        return nil
    end
    local found, captures = route.operation(stage, path, from, ngx.req.get_method())
    return found and current.named(operation, captures)
end

-- The names of an operation's path variables, in order.
local function names(operation)
    local made = {}
    for name in operation.template:gmatch("{([^{}]+)}") do
        made[#made + 1] = match(name, "^(.-)%+?$")
    end
    return made
end

-- captures by name. Reads at once: captures are valid until the worker yields.
function current.named(operation, captures)
    operation.names = operation.names or names(operation)
    local made = {}
    for index = 1, #operation.names do
        made[operation.names[index]] = captures[index]
    end
    return made
end

return current
