-- Small parts of a route tree, folded when they are first reached so that a call at any of thousands of operations
-- touches little memory that is its own.
--
-- A bundle is a list: a shape, then operations (their ids, until route.lua puts the prepared operations there). A shape
-- is a part of the tree with numbers into the bundle in place of ids. Parts of one shape share it, so that it stays in
-- the processor's cache: most resources of an API differ in their first segment and in their operations only.

local cjson = require "cjson.safe"

local cut = require("compiled").cut
local pairs, ipairs, encode = pairs, ipairs, cjson.encode
local MOST = 33 -- the length of a bundle: a shape and 32 operations

local bundle = {}
local shapes = setmetatable({}, { __mode = "v" }) -- JSON -> the shape; one that no stage uses goes away

local function leaves(methods, list)
    local made = {}
    for method, id in pairs(methods) do
        list[#list + 1] = id
        made[method] = #list
    end
    return made
end

local copy

local function children(nodes, list)
    local made = {}
    for text, node in pairs(nodes) do
        made[text] = copy(node, list)
    end
    return made
end

local function patterns(nodes, list)
    local made = {}
    for index, pattern in ipairs(nodes) do
        made[index] = { pattern[1], copy(pattern[2], list) }
    end
    return made
end

-- Returns a node as it is in a shape and adds its operations to the list. Stops somewhere when these are too many.
function copy(node, list)
    if #list > MOST then
        return nil
    end
    return {
        m = node.m and leaves(node.m, list),
        g = node.g and leaves(node.g, list),
        s = node.s and children(node.s, list),
        p = node.p and patterns(node.p, list),
        v = node.v and copy(node.v, list),
    }
end

local function fold(node)
    local made = { false }
    local shape = copy(node, made)
    if #made > MOST then
        return nil
    end
    local text = encode(shape)
    made[1] = text and shapes[text] or shape
    if text then
        shapes[text] = made[1]
    end
    return made
end

-- Returns nodes[name], a node of the tree: a bundle in its place, or the node where that would be too large.
function bundle.enter(nodes, name)
    local node = nodes[name]
    if not node[1] and not node.is_large then
        cut(0)
        local folded = fold(node)
        if folded then
            nodes[name] = folded
            return folded
        end
        node.is_large = true
    end
    return node
end

return bundle
