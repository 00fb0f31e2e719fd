-- From host and path to a mapping, and from the path below it to an operation.
-- Works on the raw path as the client sent it; literals are compared percent-decoded.

local entries = require "entries"
local page = require "page"

local find, sub, gsub, byte = string.find, string.sub, string.gsub, string.byte
local char, tonumber = string.char, tonumber
local hosts = ngx.shared.gatehouse_entries
local SLASH = 47
local EXECUTE_API = ".execute-api."
local ID = 10
-- Percent-encoded characters that give a path its structure.
local STRUCTURE = {}
for hex, character in pairs({ ["2e"] = ".", ["2f"] = "/", ["5c"] = "/", ["3b"] = ";" }) do
    STRUCTURE["%" .. hex], STRUCTURE["%" .. hex:upper()] = character, character
end

local route = {}

local function unescape(hex)
    return char(tonumber(hex, 16))
end

local function decode(segment)
    if find(segment, "%", 1, true) then
        return (gsub(segment, "%%(%x%x)", unescape))
    end
    return segment
end

-- Tells whether a path may be routed: it starts with a slash, has no fragment and no segment that some server would
-- read as `.` or `..`, which would let a call out of its base path or of the operation that it was checked for. So
-- encoded dots, slashes and semicolons count as what they stand for, a backslash as a slash, and `..;x` as `..`.
function route.is_safe(path)
    if byte(path, 1) ~= SLASH or find(path, "#", 1, true) then
        return false
    end
    local is_encoded = find(path, "%", 1, true)
    if not is_encoded and not find(path, ".", 1, true) then
        return true
    end
    local plain = path
    if is_encoded then
        plain = gsub(path, "%%[235][EFCBefcb]", STRUCTURE)
    end
    if find(plain, "\\", 1, true) then
        plain = gsub(plain, "\\", "/")
    end
    if not find(plain, "/.", 1, true) then
        return true
    end
    return not find(plain .. "/", "/%.%.?[/;]")
end

-- Returns the position of the last character of the path's first `number` segments, or nil if it has fewer.
local function end_of(path, number)
    local position = 1
    for _ = 1, number do
        if position > #path then
            return nil
        end
        position = (find(path, "/", position + 1, true) or #path + 1)
    end
    return position - 1
end

local function canonical(host, path)
    if sub(host, ID + 1, ID + #EXECUTE_API) ~= EXECUTE_API or find(sub(host, 1, ID), "[^a-z0-9]") then
        return nil
    end
    return true, entries.get("mapping", sub(host, 1, ID + #EXECUTE_API - 1) .. "|" .. sub(path, 2, end_of(path, 1)))
end

-- Returns the host of mappings that a host belongs to: itself, else the wildcard above its first label; nil for the
-- shared host.
local function claim(host)
    if page.hosts == 0 then
        return nil
    elseif hosts:get("host:" .. host) then
        return host
    end
    local dot = find(host, ".", 1, true)
    local wildcard = dot and "*" .. sub(host, dot)
    return wildcard and hosts:get("host:" .. wildcard) and wildcard or nil
end

-- Tells whether a host is a custom domain or a canonical address, not the shared host.
function route.claims(host)
    return canonical(host, "/") or claim(host) ~= nil
end

-- Returns the mapping at which host and path answer and where the path below it starts; or nil and whether some
-- mapping claims the host.
function route.mapping(host, path)
    local is_canonical, mapping = canonical(host, path)
    if is_canonical then
        return mapping, mapping and end_of(path, 1) + 1 or true
    end
    local claimed = claim(host)
    local prefix = (claimed or "*") .. "|"
    for number = page.depth, 1, -1 do
        local last = end_of(path, number)
        if last then
            mapping = entries.get("mapping", prefix .. sub(path, 2, last))
            if mapping then
                return mapping, last + 1
            end
        end
    end
    mapping = entries.get("mapping", prefix)
    return mapping, mapping and 1 or claimed
end

-- The walk through the route tree. These are of the call at hand; a walk never yields.
local path, segments, decoded, starts, count = "", {}, {}, {}, 0
local captures = {}

local function split(from)
    count = 0
    local position = from + 1
    while position <= #path + 1 do
        local slash = find(path, "/", position, true) or #path + 1
        count = count + 1
        local segment = sub(path, position, slash - 1)
        segments[count], starts[count], decoded[count] = segment, position, decode(segment)
        position = slash + 1
    end
end

-- Where each decoded character of a raw segment starts in it.
local function positions(raw)
    local found, at = {}, 1
    while at <= #raw do
        found[#found + 1] = at
        at = at + (find(raw, "^%%%x%x", at) and 3 or 1)
    end
    found[#found + 1] = #raw + 1
    return found
end

-- Matches literal pieces around variables; adds the captures after the first `number`. Returns how many there are then.
local function match(pieces, index, number)
    local text, raw = decoded[index], segments[index]
    local first, last = pieces[1], pieces[#pieces]
    if sub(text, 1, #first) ~= first or (last ~= "" and sub(text, -#last) ~= last) then
        return nil
    end
    local where = raw ~= text and positions(raw)
    local from, final = #first + 1, #text - #last
    for piece = 2, #pieces do
        local to = final
        if piece < #pieces then
            local found = find(text, pieces[piece], from + 1, true)
            to = found and found - 1 or -1
        end
        if to < from or to > final then
            return nil
        end
        local inner = sub(text, from, to)
        if inner == "." or inner == ".." then
            return nil -- put into a path of the backend, it would climb
        end
        number = number + 1
        captures[number] = where and sub(raw, where[from], where[to + 1] - 1) or inner
        from = to + 1 + #pieces[piece]
    end
    return number
end

local function pick(methods, method)
    return methods and (methods[method] or methods.ANY or (method == "HEAD" and methods.GET)) or nil
end

local function walk(node, index, method, number)
    if index > count then
        return pick(node.m, method), number
    end
    local child, found, total = node.s and node.s[decoded[index]], nil, nil
    if child then
        found, total = walk(child, index + 1, method, number)
        if found then
            return found, total
        end
    end
    for _, pattern in ipairs(node.p or {}) do
        local captured = match(pattern[1], index, number)
        if captured then
            found, total = walk(pattern[2], index + 1, method, captured)
            if found then
                return found, total
            end
        end
    end
    if node.v and segments[index] ~= "" then
        captures[number + 1] = segments[index]
        found, total = walk(node.v, index + 1, method, number + 1)
        if found then
            return found, total
        end
    end
    if node.g and starts[index] <= #path then
        captures[number + 1] = sub(path, starts[index])
        return pick(node.g, method), number + 1
    end
end

-- Returns the id of the operation for the path from position `from` on, the captured variables (raw; valid until the
-- next call) and their number; nil when there is none. One slash at the end does not matter.
function route.operation(trie, whole, from, method)
    path = whole
    split(from)
    if count == 1 and segments[1] == "" then
        count = 0
    end
    local found, number = walk(trie, 1, method, 0)
    if not found and count > 0 and segments[count] == "" then
        count = count - 1
        found, number = walk(trie, 1, method, 0)
    end
    return found, captures, number
end

return route
