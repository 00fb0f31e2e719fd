-- Calls that need more than nginx's plain proxy: work on the answer's headers or body, other proxy settings, retries.
-- gate.lua sends them with one ngx.exec into a location of their own; all others never see this file.
--
-- The locations are rendered by render.py. `@rich_N` buffers the answer, `@stream_N` sends it on as it comes; N is the
-- sum of the backend's statuses after which nginx tries another address (502 = 1, 503 = 2, 504 = 4). `@upload` and
-- `@upload_stream` send the request's body on as it comes, so they try no second time once something was sent.

local ngx = ngx

local rich = {}

-- ngx.exec forgets ngx.ctx, and the access phase of the location follows within the same step of the worker.
local handed

-- Sends a call to its location. call = {stage, operation, peer, …}: ngx.ctx of all phases that follow.
function rich.enter(location, call)
    handed = call
    return ngx.exec(location)
end

-- The access phase.
function rich.access()
    ngx.ctx, handed = handed, nil
end

-- The header filter: of the backend's answers, and of those from the cache. Not of refusals (verdict.lua).
function rich.header()
end

-- The body filter of `@rich_N`: the answer as the backend sent it, not yet compressed.
function rich.body()
end

return rich
