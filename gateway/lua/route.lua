-- From host and path to a mapping, and from the path below it to an operation.
-- Works on the raw path as the client sent it; literals are compared percent-decoded.
--
-- What every call does has no loops: LuaJIT makes no piece of a phase (compiled.lua) that has one, but goes through
-- functions that call themselves.

local bundle = require "bundle"
local entries = require "entries"
local page = require "page"
local prepare = require "prepare"

local find, sub, gsub, byte = string.find, string.sub, string.gsub, string.byte
local char, tonumber, type = string.char, tonumber, type
local hosts = ngx.shared.gatehouse_entries
local SLASH = 47
local EXECUTE_API = ".execute-api."
local ID = 10
local MOST_HOSTS, LONGEST_HOST = 1000, 255
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

-- Returns the position of the last character of the path's first `number` segments, or nil if it has fewer. from: 1.
local function end_of(path, number, from)
    if number == 0 then
        return from - 1
    elseif from > #path then
        return nil
    end
    return end_of(path, number - 1, find(path, "/", from + 1, true) or #path + 1)
end

local function canonical(host, path)
    if sub(host, ID + 1, ID + #EXECUTE_API) ~= EXECUTE_API or find(sub(host, 1, ID), "[^a-z0-9]") then
        return nil
    end
    return true, entries.get("mapping", sub(host, 1, ID + #EXECUTE_API - 1) .. "|" .. sub(path, 2, end_of(path, 1, 1)))
end

local claims, claims_of, count = {}, nil, 0 -- host -> claim or false, as of this version of the entries

local function look_up_claim(host)
    if hosts:get("host:" .. host) then
        return host
    end
    local dot = find(host, ".", 1, true)
    local wildcard = dot and "*" .. sub(host, dot)
    return wildcard and hosts:get("host:" .. wildcard) and wildcard or false
end

-- Returns the host of mappings that a host belongs to: itself, else the wildcard above its first label; nil for the
-- shared host.
local function claim(host)
    if page.hosts == 0 then
        return nil
    elseif claims_of ~= entries.version then
        claims, claims_of, count = {}, entries.version, 0
    end
    local known = claims[host]
    if known == nil then
        known = look_up_claim(host)
        if count < MOST_HOSTS and #host <= LONGEST_HOST then -- so nobody can fill the memory
            claims[host], count = known, count + 1
        end
    end
    return known or nil
end

-- Tells whether a host is a custom domain or a canonical address, not the shared host.
function route.claims(host)
    return canonical(host, "/") or claim(host) ~= nil
end

-- Returns the mapping with the longest base path of at most `number` segments, and where the path below it starts.
local function longest(prefix, path, number)
    local last = end_of(path, number, 1)
    local mapping = last and entries.get("mapping", prefix .. sub(path, 2, last))
    if mapping then
        return mapping, last + 1
    elseif number > 0 then
        return longest(prefix, path, number - 1)
    end
end

-- Returns the mapping at which host and path answer and where the path below it starts; or nil and whether some
-- mapping claims the host.
function route.mapping(host, path)
    local is_canonical, mapping = canonical(host, path)
    if is_canonical then
        return mapping, mapping and end_of(path, 1, 1) + 1 or true
    end
    local claimed, from = claim(host), nil
    mapping, from = longest((claimed or "*") .. "|", path, page.depth)
    return mapping, mapping and from or claimed
end

-- The walk through the route tree. These are of the call at hand; a walk never yields.
local path, last = "", 0 -- the walk ends behind the character `last`
local captures = {}

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

-- Matches literal pieces around variables with a segment, decoded and raw; adds the captures after the first `number`.
-- Returns how many there are then.
local function match(pieces, text, raw, number)
    local first, final = pieces[1], pieces[#pieces]
    if sub(text, 1, #first) ~= first or (final ~= "" and sub(text, -#final) ~= final) then
        return nil
    end
    local where = raw ~= text and positions(raw)
    local from, most = #first + 1, #text - #final
    for piece = 2, #pieces do
        local to = most
        if piece < #pieces then
            local found = find(text, pieces[piece], from + 1, true)
            to = found and found - 1 or -1
        end
        if to < from or to > most then
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

local walk

local function try_patterns(node, own, segment, text, after, method, number)
    for index = 1, #node.p do
        local captured = match(node.p[index][1], text, segment, number)
        if captured then
            local child = own and node.p[index][2] or bundle.enter(node.p[index], 2)
            local found, total, whose = walk(child, own, after, method, captured)
            if found then
                return found, total, whose
            end
        end
    end
end

-- node: of the tree or of a bundle; own: the bundle, nil in the tree itself; at: where the next segment starts.
-- Returns what the tree holds for the operation, the number of captures, and the bundle.
function walk(node, own, at, method, number)
    if node[1] then
        own, node = node, node[1]
    end
    if at > last + 1 then
        return pick(node.m, method), number, own
    end
    local slash = find(path, "/", at, true) or last + 1
    local segment = sub(path, at, slash - 1)
    local text = decode(segment)
    local child, found, total, whose = node.s and node.s[text], nil, nil, nil
    if child then
        found, total, whose = walk(own and child or bundle.enter(node.s, text), own, slash + 1, method, number)
        if found then
            return found, total, whose
        end
    end
    if node.p then
        found, total, whose = try_patterns(node, own, segment, text, slash + 1, method, number)
        if found then
            return found, total, whose
        end
    end
    if node.v and segment ~= "" then
        captures[number + 1] = segment
        found, total, whose = walk(own and node.v or bundle.enter(node, "v"), own, slash + 1, method, number + 1)
        if found then
            return found, total, whose
        end
    end
    if node.g and at <= #path then
        captures[number + 1] = sub(path, at)
        return pick(node.g, method), number + 1, own
    end
end

-- Returns the operation (prepared) for the path from position `from` on, the captured variables (raw; valid until the
-- next call) and their number; nil when there is none. One slash at the end does not matter.
function route.operation(stage, whole, from, method)
    path, last = whole, #whole
    if last == from then -- a slash and no more
        last = from - 1
    end
    local found, number, own = walk(stage.trie, nil, from + 1, method, 0)
    if not found and last > from and byte(path, last) == SLASH then
        last = last - 1
        found, number, own = walk(stage.trie, nil, from + 1, method, 0)
    end
    if not found then
        return nil
    end
    local operation = own and own[found] or found
    if type(operation) == "string" then
        operation = prepare.operation(stage, operation)
        if own and operation then
            own[found] = operation
        end
    end
    return operation, captures, number
end

return route
