-- The provider's access log of a stage: one line a call in her format, in `{folder}/{stage id}.log`. Written in the
-- log phase of locations that only such stages use. Whatever goes wrong here, no call notices.

local complain = require "complain"
local context = require "context"
local current = require "current"

local ngx = ngx
local ring = ngx.shared.gatehouse_ring
local byte, find, format, gsub, match, sub = string.byte, string.find, string.format, string.gsub, string.match, string.sub
local HANDLES = 64     -- open files a worker keeps
local TROUBLE = "an access log cannot be written: "

local access_log = {}
local settings
local handles, count = {}, 0

-- of = {folder, size (bytes of a file before the next begins), files (how many are kept, the current one too)}
function access_log.init(of)
    settings = of
end

local function escaped(character)
    return format("\\u%04x", byte(character))
end

-- Well-formed UTF-8 stays, other bytes become \u00XX: what is JSON stays JSON.
-- No surrogates, nothing longer than it need be: strict readers refuse the whole line for one such byte.
local SEQUENCES = {
    "^[\194-\223][\128-\191]",
    "^\224[\160-\191][\128-\191]", "^[\225-\236\238\239][\128-\191][\128-\191]", "^\237[\128-\159][\128-\191]",
    "^\240[\144-\191][\128-\191][\128-\191]", "^[\241-\243][\128-\191][\128-\191][\128-\191]",
    "^\244[\128-\143][\128-\191][\128-\191]",
}

local function escape_high(text)
    local parts, at = {}, 1
    while at <= #text do
        local good = match(text, "^[%z\1-\127]+", at)
        for index = 1, good and 0 or #SEQUENCES do
            good = good or match(text, SEQUENCES[index], at)
        end
        parts[#parts + 1] = good or escaped(sub(text, at, at))
        at = at + (good and #good or 1)
    end
    return table.concat(parts)
end

local function escape(value)
    local text = gsub(gsub(value, '[\\"]', "\\%0"), "[%c\127]", escaped)
    return find(text, "[\128-\255]") and escape_high(text) or text
end

-- A whole number as JSON writes it, and short enough for every reader.
local function is_number(text)
    return text == "0" or #text < 16 and find(text, "^[1-9]%d*$") ~= nil
end

local function shown(piece, call)
    local value = context.value(piece.name, call)
    if value == nil then
        return piece.bare and '"-"' or "-"
    elseif piece.name == "error.messageString" then
        return piece.bare and value or (match(value, '^"(.*)"$') or value)
    end
    value = tostring(value)
    if piece.bare and not is_number(value) and value ~= "true" and value ~= "false" then
        return '"' .. escape(value) .. '"'
    end
    return escape(value)
end

local function line_of(pieces, call)
    local parts = {}
    for index, piece in ipairs(pieces) do
        parts[index] = type(piece) == "string" and piece or shown(piece, call)
    end
    parts[#parts + 1] = "\n"
    return table.concat(parts)
end

local function forget(id)
    local handle = handles[id]
    if handle then
        handle.file:close()
        handles[id], count = nil, count - 1
    end
end

local function open(id, turn)
    forget(id)
    if count >= HANDLES then
        for other in pairs(handles) do
            forget(other)
        end
    end
    local file, problem = io.open(settings.folder .. "/" .. id .. ".log", "a")
    if not file then
        return complain(TROUBLE, problem)
    end
    file:setvbuf("full", 65536) -- a line is written whole, by one call of the system
    handles[id], count = { file = file, turn = turn }, count + 1
    return handles[id]
end

-- Moves the files on by one number. One worker does it; the others open the new file at their next line.
local function rotate(id, turn)
    local name = "log:" .. id
    if not ring:add(name .. ":" .. turn, true, 60) then
        return
    end
    local path = settings.folder .. "/" .. id .. ".log"
    os.remove(path .. "." .. settings.files - 1)
    for number = settings.files - 2, 1, -1 do
        os.rename(path .. "." .. number, path .. "." .. number + 1)
    end
    if settings.files > 1 then
        os.rename(path, path .. ".1")
    else
        os.remove(path)
    end
    ring:set(name, turn + 1)
end

local function write(id, line)
    local turn = ring:get("log:" .. id) or 0
    local handle = handles[id]
    if not handle or handle.turn ~= turn then
        handle = open(id, turn)
    end
    if not handle then
        return
    end
    local ok, problem = handle.file:write(line)
    if ok then
        ok, problem = handle.file:flush()
    end
    if not ok then
        forget(id)
        return complain(TROUBLE, problem)
    end
    if (handle.file:seek("end") or 0) >= settings.size then
        rotate(id, turn)
    end
end

-- The log phase.
function access_log.log()
    local stage, operation = current.call()
    local pieces = stage and stage.log_format
    if pieces and find(stage.id, "^[%w_-]+$") then
        write(stage.id, line_of(pieces, { stage = stage, operation = operation }))
    end
end

return access_log
