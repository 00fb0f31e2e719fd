-- TLS to clients: the certificate that a name gets, and who must show one of their own.
--
-- A domain is the entry of kind `certificate` for an exact host, else for `*.` and what follows its first label.
-- It is parsed once per worker and change, at its first handshake; no reload is needed.

local ssl = require "ngx.ssl"
local complain = require "complain"
local entries = require "entries"

local ngx = ngx
local var = ngx.var
local find, sub, lower = string.find, string.sub, string.lower
local LONGEST_CHAIN = 4 -- certificates above a client's own, as AWS has it

local tls = {}

-- Returns the domain that a host name belongs to, or nil.
function tls.domain(host)
    local domain = entries.get("certificate", host)
    if domain then
        return domain
    end
    local dot = find(host, ".", 1, true)
    return dot and entries.get("certificate", "*" .. sub(host, dot)) or nil
end

-- Returns what is wrong with the data of an entry, or nil.
function tls.problem(data)
    for _, name in ipairs({ "certificate", "client_ca" }) do
        local pem = data[name]
        if type(pem) == "string" and pem ~= "" and not ssl.parse_pem_cert(pem) then
            return "data." .. name .. " is no certificate in PEM"
        end
    end
    if not ssl.parse_pem_priv_key(data.private_key) then
        return "data.private_key is no private key in PEM"
    end
end

local function parsed(domain)
    if not domain.chain then
        domain.chain = assert(ssl.parse_pem_cert(domain.certificate))
        domain.key = assert(ssl.parse_pem_priv_key(domain.private_key))
        domain.trusted = domain.client_ca and assert(ssl.parse_pem_cert(domain.client_ca))
    end
    return domain
end

local function fail(problem)
    complain("TLS handshake: ", problem)
    return ngx.exit(ngx.ERROR)
end

-- The certificate phase. A name without a domain keeps the operator's certificate; without one it gets no handshake.
function tls.handshake()
    entries.refresh()
    local name = ssl.server_name()
    local domain = name and tls.domain(lower(name))
    if not domain then
        return
    end
    parsed(domain)
    ssl.clear_certs()
    local ok, problem = ssl.set_cert(domain.chain)
    if ok then
        ok, problem = ssl.set_priv_key(domain.key)
    end
    if ok and domain.trusted then
        ok, problem = ssl.verify_client(domain.trusted, LONGEST_CHAIN)
    end
    if not ok then
        return fail(problem)
    end
    ngx.ctx.domain = domain -- the calls of this connection find it there
end

-- Whether the call may go on. A client certificate counts for the one domain whose handshake asked for it: a call for
-- that domain must come over such a connection, with a certificate that its trust store of now vouches for, and a
-- connection with such a handshake serves no other host. So what $ssl_client_* says is always meant for this domain.
function tls.admits(host)
    local domain = tls.domain(host)
    local shown = var.https == "on" and ngx.ctx.domain or nil
    local wanted, asked = domain and domain.client_ca, shown and shown.client_ca
    if not wanted and not asked then
        return true
    end
    return domain ~= nil and shown ~= nil and shown.name == domain.name and (not wanted or wanted == asked)
        and var.ssl_client_verify == "SUCCESS"
end

-- `$context.identity.clientCert.*`
local CLIENT = {
    clientCertPem = "ssl_client_raw_cert",
    subjectDN = "ssl_client_s_dn",
    issuerDN = "ssl_client_i_dn",
    serialNumber = "ssl_client_serial",
    ["validity.notBefore"] = "ssl_client_v_start",
    ["validity.notAfter"] = "ssl_client_v_end",
}

-- Returns a field of the client's certificate by AWS's name (after `clientCert.`), or nil when there is no good one.
function tls.client(name)
    local variable = CLIENT[name]
    return variable and var.ssl_client_verify == "SUCCESS" and var[variable] or nil
end

return tls
