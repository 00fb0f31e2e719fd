-- What the agent says and asks on the control socket about this node's parts of limits.

local cjson = require "cjson.safe"
local lock = require "lock"
local page = require "page"
local shares = require "shares"
local throttle = require "throttle"

local min = math.min
local MOST = 500 -- buckets that one answer tells of

local share_push = {}

local function number(value)
    return type(value) == "number" and value >= 0 and value
end

-- Under the lock. Tokens stay as they are: a greater share makes none, and those that do not fit into a smaller one
-- are returned, so that the control plane can give them to another node. share nil = back to the equal part.
local function move(name, share, add, limit)
    local now = throttle.now()
    local rate, burst = shares.part(limit, shares.of(name))
    shares.keep(name, share)
    page.shares = page.shares + 1
    if rate <= 0 or burst < 1 then
        return 0
    end
    local full_at = throttle.get(name)
    local left = burst + add
    if full_at > now then
        left = left - min((full_at - now) * rate, burst)
    end
    rate, burst = shares.part(limit, shares.of(name))
    local stays = min(left, burst)
    throttle.put(name, now + (burst - stays) / rate)
    return left - stays
end

local function move_all(list)
    local freed = {}
    for _, one in ipairs(list) do
        local limit = { rate = number(one.rate), burst = number(one.burst) }
        local share = number(one.share) or nil
        if type(one.name) == "string" and limit.rate and limit.burst then
            freed[one.name] = lock.with(move, one.name, share, number(one.add) or 0, limit)
        end
    end
    return freed
end

local function set_default(share)
    if page.share ~= share then
        page.share = share
        page.shares = page.shares + 1
    end
end

local function counts(names)
    local taken = {}
    for _, name in ipairs(names) do
        local _, count = throttle.get(name)
        taken[name] = count
    end
    return taken
end

local function list(value)
    return type(value) == "table" and value or {}
end

-- said = {"default": share, "set": [{"name", "share" or null, "add", "rate", "burst"}], "watch": [names], "tell": true},
-- all of them optional. Returns {"default" and "changes" before this, "freed", "taken", "hungry", "shares" where it was
-- to tell them}, or nil and what is wrong.
function share_push.step(text)
    local said = cjson.decode(text)
    if type(said) ~= "table" then
        return nil, "not a JSON object"
    end
    local before, changes = page.share, page.shares
    local default = number(said.default)
    if default then
        lock.with(set_default, min(default, 1))
    end
    local freed = move_all(list(said.set))
    return {
        shares = said.tell == true and shares.all() or nil,
        default = before,
        changes = changes,
        freed = freed,
        taken = counts(list(said.watch)),
        hungry = lock.with(shares.take_refused, MOST),
    }
end

return share_push
