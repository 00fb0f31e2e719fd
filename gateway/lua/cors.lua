-- Cross-origin calls of browsers: the gate answers preflights, and its headers take the place of the backend's.

local given = require "given"

local ngx = ngx
local var, header = ngx.var, ngx.header
local concat, sub, lower, find, gsub = table.concat, string.sub, string.lower, string.find, string.gsub
local TOKENS = "[^%w!#$%%&'*+.^_`|~, -]" -- what cannot stand in a list of methods or header names

local cors = {}

local FROM_BACKENDS = {
    "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Expose-Headers",
    "Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Max-Age",
}

local function list(values)
    values = given(values)
    return values and #values > 0 and concat(values, ", ") or nil
end

local function has_star(values)
    for _, value in ipairs(given(values) or {}) do
        if value == "*" then
            return true
        end
    end
    return false
end

-- data: the policy's `cors`. Returns nil when there is none.
function cors.prepare(data)
    data = given(data)
    if not data then
        return nil
    end
    local made = {
        exact = {}, everybody = has_star(data.origins), credentials = given(data.credentials) or false,
        methods = list(data.methods), headers = list(data.headers), expose = list(data.expose),
        every_method = has_star(data.methods), every_header = has_star(data.headers),
        max_age = given(data.max_age),
    }
    for _, origin in ipairs(given(data.origins) or {}) do
        local star = find(origin, "*.", 1, true)
        if star then
            made[#made + 1] = { start = lower(sub(origin, 1, star - 1)), ending = lower(sub(origin, star + 1)) }
        else
            made.exact[lower(origin)] = true
        end
    end
    return made
end

-- What Access-Control-Allow-Origin must say to this origin; nil = not allowed.
local function allowed(rules, origin)
    if rules.everybody then
        return rules.credentials and origin or "*" -- browsers refuse the star together with credentials
    end
    local text = lower(origin)
    if rules.exact[text] then
        return origin
    end
    for index = 1, #rules do
        local start, ending = rules[index].start, rules[index].ending
        if #text > #start + #ending and sub(text, 1, #start) == start and sub(text, -#ending) == ending
            and not find(sub(text, #start + 1, -#ending - 1), "[^%w.-]") then
            return origin
        end
    end
end

local function vary(name)
    local value = header["Vary"]
    value = type(value) == "table" and concat(value, ", ") or value
    if value and value ~= "" then
        for each in value:gmatch("[^%s,]+") do
            if each == "*" or lower(each) == lower(name) then
                return
            end
        end
        name = value .. ", " .. name
    end
    header["Vary"] = name
end

local function grant(rules, origin)
    local value = origin and allowed(rules, origin)
    if value then
        header["Access-Control-Allow-Origin"] = value
        if rules.credentials then
            header["Access-Control-Allow-Credentials"] = "true"
        end
    end
    if not rules.everybody or rules.credentials then
        vary("Origin")
    end
    return value
end

-- Puts the headers of an answer in place: one of the backend (in the header filter), or a refusal of our own.
function cors.write(rules)
    for index = 1, #FROM_BACKENDS do
        header[FROM_BACKENDS[index]] = nil
    end
    if grant(rules, var.http_origin) and rules.expose then
        header["Access-Control-Expose-Headers"] = rules.expose
    end
end

-- The method that a preflight asks about, nil when the call is no preflight. For OPTIONS only.
function cors.asked_method()
    return var.http_origin and var.http_access_control_request_method
end

-- Ends the call with the answer to a preflight for `method`.
function cors.answer_preflight(rules, method)
    ngx.req.discard_body()
    ngx.status = 204
    header["Server"] = nil
    if grant(rules, var.http_origin) then
        local asked = var.http_access_control_request_headers
        local literal = not rules.credentials
        header["Access-Control-Allow-Methods"] = (not rules.every_method or literal) and rules.methods or method
        if rules.every_header and asked then
            header["Access-Control-Allow-Headers"] = gsub(asked, TOKENS, "") -- a star would not cover Authorization
            vary("Access-Control-Request-Headers")
        elseif literal or not rules.every_header then
            header["Access-Control-Allow-Headers"] = rules.headers
        end
        header["Access-Control-Max-Age"] = rules.max_age
    end
    return ngx.exit(204)
end

return cors
