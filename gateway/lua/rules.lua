-- Parameter mappings of an integration, from their texts in an entry to lists that mapping.lua works through.

local field = require "field"
local given = require "given"

local match, lower = string.match, string.lower

local rules = {}

-- {"integration.request.header.X": source}: returns a list of {place, name, source} for headers and the query, nil
-- when there are none. Mappings into the path already stand in the integration's `path`.
function rules.of_request(parameters)
    local made = {}
    for target, source in pairs(given(parameters) or {}) do
        local place, name = match(target, "^integration%.request%.(%a+)%.(.+)$")
        if place == "querystring" or place == "header" and field.may_ask(name) then
            made[#made + 1] = { place = place, name = name, source = source }
        end
    end
    table.sort(made, function(one, other) return one.name < other.name end)
    return #made > 0 and made or nil
end

local ORDER = { remove = 1, overwrite = 2, append = 3, status = 4 }

local function of_target(target, value)
    if target == "overwrite:statuscode" then
        return { action = "status", value = value }
    end
    local action, name = match(target, "^(%a+):header%.(.+)$")
    if ORDER[action] and field.may_answer(name) and lower(name) ~= "content-encoding" then
        return { action = action, name = name, value = value }
    end
end

-- {status or "default": {"overwrite:header.X": value}}: returns {status or "default": list of {action, name, value}},
-- nil when there are none. Removals come first, the status last.
function rules.of_answer(parameters)
    local made
    for status, targets in pairs(given(parameters) or {}) do
        local list = {}
        for target, value in pairs(targets) do
            list[#list + 1] = of_target(target, value)
        end
        table.sort(list, function(one, other) return ORDER[one.action] < ORDER[other.action] end)
        made = made or {}
        made[status] = list
    end
    return made
end

return rules
