-- Sends one chat completion again and again, spread over 64 rollouts, and prints what wrk counted as a line of JSON.
-- Arguments: the path (`{}` stands for the rollout's number), the file of the body, the client's key.
local requests, turn = {}, 0

function init(arguments)
   local file = assert(io.open(arguments[2], "rb"))
   local body = file:read("*a")
   file:close()
   wrk.headers["Content-Type"] = "application/json"
   wrk.headers["Authorization"] = "Bearer " .. arguments[3]
   for number = 1, 64 do
      requests[number] = wrk.format("POST", (arguments[1]:gsub("{}", tostring(number))), wrk.headers, body)
   end
end

function request()
   turn = turn % #requests + 1
   return requests[turn]
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format('{"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "max": %f, "bad_status": %d, "broken": %d}\n',
      summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3,
      errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
