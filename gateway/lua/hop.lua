-- Headers that a client's `Connection` names are for this hop alone (RFC 9110, section 7.6.1).

local clear_header = ngx.req.clear_header
local lower = string.lower
local var = ngx.var
local MOST = 50 -- names

local hop = {
    -- Values that name nothing more, as nearly all are.
    USUAL = { close = true, ["keep-alive"] = true, ["Keep-Alive"] = true, Upgrade = true, upgrade = true },
}

-- What nginx minds itself, or no client may take away.
local LEFT = { close = true, ["keep-alive"] = true, upgrade = true, te = true, host = true, ["content-length"] = true,
    ["content-type"] = true, ["transfer-encoding"] = true, connection = true, authorization = true }

-- connection: the value of the header, not nil. Each name costs a look at all headers, so there is an end to them.
function hop.drop(connection)
    local seen, count = {}, 0
    for name in connection:gmatch("[%w!#$%%&'*+.^_`|~-]+") do
        name = lower(name)
        if not LEFT[name] and not seen[name] then
            if count >= MOST then
                return
            end
            seen[name], count = true, count + 1
            clear_header(name)
        end
    end
end

-- Upgrade is for WebSockets alone. nginx would make a tunnel of any connection whose client sent that header as soon as
-- a backend says 101, also of an HTTP/2 connection, where it then writes over the frames of other calls.
function hop.upgrade()
    if var.gatehouse_upgrade == "" then
        clear_header("Upgrade")
    end
end

return hop
