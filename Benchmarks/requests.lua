-- The load of P11. Arguments: address of an account, its API key.
local prepared
local turn = 0

function init(arguments)
    local address, key = arguments[1], arguments[2]
    local headers = { ["From"] = "sip:" .. address, ["x-api-key"] = key }
    local info = wrk.format("GET", "/api/accounts/" .. address .. "/info")
    prepared = {
        wrk.format("GET", "/api/ping"),
        info,
        wrk.format("GET", "/api/accounts/me", headers),
        info,
    }
end

function request()
    turn = turn % #prepared + 1
    return prepared[turn]
end
