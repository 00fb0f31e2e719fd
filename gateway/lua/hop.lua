-- What is between this gate and its neighbours: headers that a client's `Connection` names (RFC 9110, section 7.6.1),
-- Upgrade, the host that the client named, and how many gates a call went through.

local clear_header, get_method = ngx.req.clear_header, ngx.req.get_method
local find, lower, sub = string.find, string.lower, string.sub
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

-- Upgrade is for WebSockets alone, which begin with a GET of HTTP/1.1. nginx would make a tunnel of any connection whose
-- client sent that header as soon as a backend says 101, also of an HTTP/2 connection, where it then writes over the
-- frames of other calls.
-- wanted: the value of the header, not nil.
function hop.upgrade(wanted)
    if lower(wanted) == "websocket" and get_method() == "GET" and var.server_protocol == "HTTP/1.1" then
        var.gatehouse_upgrade, var.gatehouse_connection = "websocket", "upgrade"
    else
        clear_header("Upgrade")
    end
end

-- The backend is told the host by which the call was routed, with the port and in the letters that the client sent; but
-- a target such as `http://a/x` counts more than the header Host. host: nginx's, in lower case and without the port.
function hop.host(host)
    local sent = var.http_host
    if not sent or sent == host or lower(sub(sent, 1, #host)) ~= host then
        return
    elseif #sent == #host or find(sent, "^:%d+$", #host + 1) then
        var.gatehouse_forwarded_host = sent
    end
end

local NEXT = { ["1"] = "2", ["2"] = "3", ["3"] = "4", ["4"] = "5" }

-- hops: how many gates the call went through before this one, as they say; not nil.
function hop.count(hops)
    var.gatehouse_hops = NEXT[hops] or "1"
end

return hop
