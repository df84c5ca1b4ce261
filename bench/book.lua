-- Bookings: the n-th books car n mod 1,000 for the (n div 1,000)-th available hour, for customer n mod 20,000 with their
-- token and saved card. No two are for the same hour of the same car. The argument is the first n of this run.
package.path = (debug.getinfo(1, "S").source:match("^@(.*/)") or "./") .. "?.lua;" .. package.path
require("load")

local n, first_start, hours = 0, 0, {}

function init(args)
	n = tonumber(args[1])
	first_start = math.floor(os.time() / 86400) * 86400 + 75 * 86400
	wrk.method = "POST"
end

local function hour(k)
	if not hours[k] then
		hours[k] = { os.date("!%Y-%m-%dT%H:%MZ", first_start + k * 7200), os.date("!%Y-%m-%dT%H:%MZ", first_start + k * 7200 + 3600) }
	end
	return hours[k]
end

function request()
	local h, customer = hour(math.floor(n / 1000)), 1 + n % 20000
	local body = string.format('{"car_id":%d,"starts_at":"%s","ends_at":"%s","card_id":%d}', 1 + n % 1000, h[1], h[2], customer)
	local headers = {
		["Authorization"] = string.format("Bearer bench-token-%08d", customer), ["Content-Type"] = "application/json",
		["Accept"] = "application/json", ["Idempotency-Key"] = "bench-" .. n,
	}
	n = n + 1
	return wrk.format("POST", "/bookings", headers, body)
end
