-- Searches: 200 different one- to three-day intervals in the coming seven weeks, in turn. The same requests go to all three
-- (search page, memory, file: the path is the argument), so that wrk needs the same time for each.
package.path = (debug.getinfo(1, "S").source:match("^@(.*/)") or "./") .. "?.lua;" .. package.path
require("load")

local requests, n = {}, 0

function init(args)
	local noon = math.floor(os.time() / 86400) * 86400
	for i = 1, 200 do
		local from = noon + (1 + i * 37 % 1000) * 3600 + 3 * 86400
		local to = from + (1 + i % 3) * 86400 + (i % 4) * 3600
		requests[i] = wrk.format("GET", string.format("%s?from=%s&to=%s", args[1], os.date("!%Y-%m-%dT%H:%M", from), os.date("!%Y-%m-%dT%H:%M", to)))
	end
end

function request()
	n = n % 200 + 1
	return requests[n]
end
