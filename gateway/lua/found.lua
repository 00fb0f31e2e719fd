-- What route.lua found before: mappings by host and path, operations by route tree, method and path. A path that comes
-- again costs two look-ups instead of a walk. Forgotten when a mapping or a stage changes.
--
-- A cache has two generations of at most LIMIT paths, so nobody can fill the memory. Only one miss of SAMPLE is kept:
-- paths that come often get in all the same, and a flood of different ones costs little more than without a cache.

local entries = require "entries"
local route = require "route"

local LIMIT, LONGEST, SAMPLE = 4096, 256, 5

local found = {}
local young, old, count, misses = {}, {}, 0, 0
local moves = -1

local function forget()
    young, old, count = {}, {}, 0
    moves = entries.moves
end

local function branch(tree, key)
    local child = tree[key]
    if not child then
        child = {}
        tree[key] = child
    end
    return child
end

-- first is a host (its leaves are by path alone, second is "") or a route tree (second is the method).
local function keep(first, second, path, leaf)
    if count >= LIMIT then
        old, young, count = young, {}, 0
    end
    branch(branch(young, first), second)[path] = leaf
    count = count + 1
end

local function look(tree, first, second, path)
    local leaves = tree[first]
    leaves = leaves and leaves[second]
    return leaves and leaves[path]
end

-- text: the host or the method, which a client may make as long as a path.
local function is_kept(text, path)
    misses = misses + 1
    return misses % SAMPLE == 1 and #text + #path <= LONGEST
end

-- Returns what route.mapping() returns, and true; or nil, nil, false for a path that must not be routed.
function found.mapping(host, path)
    if moves ~= entries.moves then
        forget()
    end
    local leaf = look(young, host, "", path)
    if leaf then
        return leaf.mapping, leaf.from, true
    end
    leaf = look(old, host, "", path)
    if not leaf then
        if not route.is_safe(path) then
            return nil, nil, false
        end
        local mapping, from = route.mapping(host, path)
        if not mapping or not is_kept(host, path) then
            return mapping, from, true
        end
        leaf = { mapping = mapping, from = from }
    end
    keep(host, "", path, leaf)
    return leaf.mapping, leaf.from, true
end

-- The captures from `index` on. No loop, as in route.lua.
local function copy(captures, index, number, into)
    if index > number then
        return into
    end
    into[index] = captures[index]
    return copy(captures, index + 1, number, into)
end

-- Returns what route.operation() returns.
function found.operation(stage, path, from, method)
    local trie = stage.trie
    local leaf = look(young, trie, method, path)
    if leaf and leaf.from == from then
        return leaf.operation, leaf.captures, leaf.number
    end
    leaf = look(old, trie, method, path)
    if not leaf or leaf.from ~= from then
        local operation, captures, number = route.operation(stage, path, from, method)
        if not operation or not is_kept(method, path) then
            return operation, captures, number
        end
        leaf = { operation = operation, from = from, captures = copy(captures, 1, number, {}), number = number }
    end
    keep(trie, method, path, leaf)
    return leaf.operation, leaf.captures, leaf.number
end

return found
