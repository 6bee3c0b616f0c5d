-- What wrk does beyond asking for its URL, and what it tells. Arguments behind `--`:
--
--     (none)          asks for the URL
--     files COUNT     asks for COUNT files in turn: the URL, and a number of six digits with .html
--     upload BYTES    posts a JSON document of that size
--     put BYTES       puts it under the URL and a number, a new one each time

local threads = 0

function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

local function document(bytes)
  local item = '{"name": "Ada Lovelace", "born": 1815, "works": ["Note G", "Letters"]}, '
  local text = '[' .. item:rep(math.floor(bytes / #item)) .. '""]'
  return text .. (' '):rep(bytes - #text)
end

local function ask_for_files(count)
  local requests = {}
  local base = wrk.path
  for i = 0, count - 1 do
    requests[i] = wrk.format(nil, string.format("%s%06d.html", base, i))
  end
  local next = math.floor(id * count / 2)
  request = function()
    next = (next + 1) % count
    return requests[next]
  end
end

local function put_anew()
  local base = wrk.path .. id .. "-"
  local count = 0
  request = function()
    count = count + 1
    return wrk.format(nil, base .. count .. ".json")
  end
end

function init(args)
  if args[1] == "files" then
    ask_for_files(tonumber(args[2]))
  elseif args[1] then
    wrk.body = document(tonumber(args[2]))
    wrk.headers["Content-Type"] = "application/json"
    wrk.method = args[1] == "put" and "PUT" or "POST"
    if args[1] == "put" then
      put_anew()
    end
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %.6f, "bytes": %d, "errors": %d, ' ..
    '"p50_us": %.0f, "p99_us": %.0f}\n',
    summary.requests - errors.status, summary.duration / 1e6, summary.bytes,
    errors.connect + errors.read + errors.write + errors.timeout + errors.status,
    latency:percentile(50), latency:percentile(99)))
end
