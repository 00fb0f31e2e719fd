-- Canary releases: another deployment of a stage that gets a share of its calls, drawn for each call anew.

local given = require "given"

local random = math.random
local seeded = false

local canary = {}

-- The stage as the canary's calls see it: own operations, tree and variables, all else (limits too) the stage's.
local function view(stage, data)
    local variables = {}
    for name, value in pairs(given(stage.variables) or {}) do
        variables[name] = value
    end
    for name, value in pairs(given(data.variables) or {}) do
        variables[name] = value
    end
    return setmetatable({
        share = (given(data.percent) or 0) / 100,
        deployment = data.deployment,
        operations = data.operations,
        trie = data.trie,
        kinds = {},
        variables = variables,
        authorizers = given(data.authorizers) or {},
        caches = given(data.use_cache) or false,
    }, { __index = stage })
end

-- Prepares stage.canary; nil when there is none.
function canary.prepare(stage)
    local data = given(stage.canary)
    stage.canary = data and view(stage, data)
end

-- Returns the canary of a stage that has one when this call falls to it, else the stage.
function canary.draw(stage)
    if not seeded then
        -- Workers are copies of one process: each needs a row of numbers of its own.
        math.randomseed(ngx.worker.pid() * 1000003 + ngx.now() * 1000)
        seeded = true
    end
    if random() < stage.canary.share then
        ngx.var.gatehouse_flags = "c"
        return stage.canary
    end
    return stage
end

return canary
