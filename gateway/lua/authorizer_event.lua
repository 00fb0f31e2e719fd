-- What a Lambda authorizer is told of a call, as AWS has it: of type TOKEN little, of type REQUEST all but the body.

local cjson = require "cjson.safe"
local context = require "context"

local ngx = ngx
local sub = string.sub
local null = cjson.null
local CONTEXT = {
    "accountId", "apiId", "deploymentId", "domainName", "domainPrefix", "extendedRequestId", "httpMethod", "path",
    "protocol", "requestId", "requestTime", "requestTimeEpoch", "resourceId", "resourcePath", "stage",
}
local CERTIFICATE = { "subjectDN", "issuerDN", "serialNumber" }

local authorizer_event = {}

local function object(values)
    return next(values) and values or null
end

local function text(value)
    return value == true and "" or value
end

-- Returns the last value of each name, and all of them; null where there is none.
local function single_and_all(values)
    local single, all = {}, {}
    for name, given in pairs(values) do
        local list = type(given) == "table" and given or { given }
        for index = 1, #list do
            list[index] = text(list[index])
        end
        single[name], all[name] = list[#list], list
    end
    return object(single), object(all)
end

local function decoded(variables)
    local made = {}
    for name, value in pairs(variables) do
        made[name] = ngx.unescape_uri(value)
    end
    return object(made)
end

local function identity(call)
    local certificate = {}
    for _, name in ipairs(CERTIFICATE) do
        certificate[name] = context.value("identity.clientCert." .. name, call)
    end
    return {
        sourceIp = ngx.var.remote_addr,
        userAgent = ngx.var.http_user_agent or null,
        apiKey = ngx.var.http_x_api_key or null,
        clientCert = object(certificate),
    }
end

local function request_context(call)
    local made = { identity = identity(call) }
    for _, name in ipairs(CONTEXT) do
        made[name] = context.value(name, call)
    end
    return made
end

function authorizer_event.of_token(arn, token)
    return { type = "TOKEN", methodArn = arn, authorizationToken = token }
end

-- call = {stage, operation, path_variables}; path, from: of the URL, and where it begins below the base path.
function authorizer_event.of_request(arn, call, path, from)
    local headers, all_headers = single_and_all(ngx.req.get_headers(0, true))
    local arguments, all_arguments = single_and_all(ngx.req.get_uri_args(0))
    local below = sub(path, from)
    return {
        type = "REQUEST",
        methodArn = arn,
        resource = call.operation.template,
        path = below == "" and "/" or below,
        httpMethod = ngx.var.request_method,
        headers = headers,
        multiValueHeaders = all_headers,
        queryStringParameters = arguments,
        multiValueQueryStringParameters = all_arguments,
        pathParameters = decoded(call.path_variables),
        stageVariables = object(call.stage.variables or {}),
        requestContext = request_context(call),
    }
end

return authorizer_event
