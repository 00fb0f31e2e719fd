-- Headers that a client's `Connection` names are for this hop alone (RFC 9110, section 7.6.1).

local clear_header = ngx.req.clear_header
local lower = string.lower

local hop = {
    -- Values that name nothing more, as nearly all are.
    USUAL = { close = true, ["keep-alive"] = true, ["Keep-Alive"] = true, Upgrade = true, upgrade = true },
}

-- What nginx minds itself, or no client may take away.
local LEFT = { close = true, ["keep-alive"] = true, upgrade = true, te = true, host = true, ["content-length"] = true,
    ["content-type"] = true, ["transfer-encoding"] = true, connection = true, authorization = true }

-- connection: the value of the header, not nil.
function hop.drop(connection)
    for name in connection:gmatch("[%w!#$%%&'*+.^_`|~-]+") do
        if not LEFT[lower(name)] then
            clear_header(name)
        end
    end
end

return hop
