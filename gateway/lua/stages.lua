-- Finds the stage that keys/verify is asked about by its names. Only stages of the caller's own organization are there.

local asked = require "asked"
local entries = require "entries"
local judge = require "judge"

local get = entries.get

local stages = {}

local function fits(names, id, version, stage)
    return (stage == id or stage == names[1]) and (not version or version == names[2] or version == names[3])
end

-- Returns the id of the stage of an API; or nil; or nil and the field that must be named.
local function search(api, version, stage)
    local found
    for id, names in pairs(api.stages) do
        if fits(names, id, version, stage) then
            if found then
                return nil, version and "stage" or "version"
            end
            found = id
        end
    end
    return found
end

local function of_api(caller, name, version, stage)
    local api = get("api", name)
    if not api or not judge.sees(caller, api.organization) then
        api = get("api", "~" .. name)
    end
    if not api or not judge.sees(caller, api.organization) then
        return nil
    end
    local names = (version or "") .. "|" .. stage
    local id = api.found[names]
    if not id then
        local ambiguous
        id, ambiguous = search(api, version, stage)
        if not id then
            return nil, ambiguous
        end
        api.found[names] = id
    end
    return get("stage", id)
end

local function of_version(version, stage)
    local mapping = get("mapping", version .. ".execute-api|" .. stage)
    local found = get("stage", mapping and mapping.stage or stage)
    return found and found.version_id == version and found or nil
end

-- read: as asked.check() returns it. Returns the stage; nil when none is named; false when there is none; or false and the
-- field at fault when several fit.
function stages.find(caller, read)
    local found, ambiguous
    if read.api then
        found, ambiguous = of_api(caller, read.api, read.version, read.stage)
    elseif read.version then
        found = of_version(read.version, read.stage)
    elseif asked.names_a_stage(read) then
        found = get("stage", read.stage)
    else
        return nil
    end
    if found and judge.sees(caller, found.organization) then
        return found
    end
    return false, ambiguous
end

return stages
