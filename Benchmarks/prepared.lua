-- Sends the requests of a file, each of two threads its half, one after the other. Arguments: the file, which has one request a line:
-- the target, then headers as name=value, separated by tabs; and one more, the file to write the challenges of the answers to, if any.
local threads = {}

function setup(thread)
    thread:set("number", #threads)
    table.insert(threads, thread)
end

function init(arguments)
    requests = {}
    position = 0
    local index = 0
    for line in io.lines(arguments[1]) do
        if index % 2 == number then
            local target, headers = nil, {}
            for part in line:gmatch("[^\t]+") do
                if target then
                    local name, value = part:match("^([^=]+)=(.*)$")
                    headers[name] = value
                else
                    target = part
                end
            end
            table.insert(requests, wrk.format("GET", target, headers))
        end
        index = index + 1
    end
    if arguments[2] then
        output = io.open(arguments[2] .. "." .. number, "w")
        response = function(_, headers)
            output:write(headers["WWW-Authenticate"] or "", "\n")
            -- Nothing tells a thread that it is about to end.
            output:flush()
        end
    end
end

function request()
    position = position % #requests + 1
    return requests[position]
end
