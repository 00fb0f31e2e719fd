-- What a policy asks of a request before its key is looked at: where it comes from; and how large its body is.

local ip = require "ip"
local refuse = require("verdict").refuse

local ngx = ngx
local var = ngx.var
local format = string.format
local get_method = ngx.req.get_method
local DENIAL = "User: anonymous is not authorized to perform: execute-api:Invoke on resource: execute-api:/%s/%s%s"
local TOO_LARGE = "HTTP content length exceeded %d bytes"

local guard = {}

-- The client's address as bytes, for ip.lua and key_limits.lua.
function guard.address()
    return ip.plain(var.binary_remote_addr)
end

-- Refuses the call, in AWS's words, when the policy does not admit the client's address.
function guard.origin(policy, stage, path)
    if policy.ip and not ip.admits(policy.ip, guard.address()) then
        return refuse("ACCESS_DENIED", nil, format(DENIAL, stage.name, get_method(), path), "networks")
    end
end

-- Nothing is charged yet: what nginx refuses while it reads has no unit to give back (verdict.lua).
local function read_body()
    local lease = var.gatehouse_lease
    var.gatehouse_lease = "-"
    ngx.req.read_body()
    var.gatehouse_lease = lease
end

local function size_of_body()
    read_body()
    local text = ngx.req.get_body_data()
    if text then
        return #text
    end
    local path = ngx.req.get_body_file()
    local file = path and io.open(path, "rb")
    local size = file and file:seek("end") or 0
    if file then
        file:close()
    end
    return size
end

local function is_too_large(most)
    local length = tonumber(var.http_content_length)
    if length then
        return length > most
    elseif var.http_transfer_encoding or ngx.req.http_version() >= 2 then
        return size_of_body() > most
    end
    return false
end

-- Refuses the call when its body is larger than the policy allows. One that does not tell its length is read whole
-- first, up to the node's own limit. May yield then.
function guard.body(policy)
    if policy.max_body and is_too_large(policy.max_body) then
        return refuse("REQUEST_TOO_LARGE", nil, format(TOO_LARGE, policy.max_body))
    end
end

return guard
