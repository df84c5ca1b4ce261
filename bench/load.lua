-- Shared by all loads of the bench: prints one line at the end, "RESULT per_second p50_ms p99_ms failed".
-- failed: answers other than 2xx and 3xx, broken connections, missing answers.
function done(summary, latency, requests)
	local e = summary.errors
	io.write(string.format("RESULT %.0f %.3f %.3f %d\n", summary.requests / (summary.duration / 1e6),
		latency:percentile(50) / 1000, latency:percentile(99) / 1000, e.status + e.connect + e.read + e.write + e.timeout))
end
