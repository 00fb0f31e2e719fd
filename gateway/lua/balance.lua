-- Picks the backend's address: round robin over what the agent resolved, another one if a connection cannot be made.

local balancer = require "ngx.balancer"
local complain = require "complain"
local entries = require "entries"
local retry = require "retry"

local ngx = ngx
local min = math.min
local set_peer, set_timeouts, set_more_tries = balancer.set_current_peer, balancer.set_timeouts, balancer.set_more_tries
local get_last_failure = balancer.get_last_failure
local MOST_TRIES = 3

local balance = {}

-- The balancer phase; the access phase left the peer in ngx.ctx, or a call of rich.lua.
balance.balancer = require("compiled").phase(function(real)
    if not real then
        return
    end
    local peer = ngx.ctx
    if peer.tried then
        return retry.balancer(peer)
    end
    local address = peer.address or entries.get("address", peer.host)
    local list = address and address.list
    local number = list and #list or 0
    if number == 0 then
        return retry.give_up("INTEGRATION_FAILURE") -- the name lost its addresses while the call was on its way
    end
    if number > 1 then
        address.next = address.next % number + 1
        if not get_last_failure() then
            set_more_tries(min(number, MOST_TRIES) - 1)
        end
    end
    set_timeouts(peer.connect, peer.timeout, peer.timeout)
    local ok, problem = set_peer(list[number > 1 and address.next or 1], peer.port)
    if not ok then
        complain("a backend's address cannot be used: ", problem)
        return retry.give_up("INTEGRATION_FAILURE")
    end
end)

return balance
