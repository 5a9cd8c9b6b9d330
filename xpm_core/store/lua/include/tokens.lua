-- Counting tokens: a demand is met whole or not at all. Held plus free equals capacity, at every instant.
-- include: keys
local tokens = {}

local parsed, known = {}, {} -- caches of this call

-- 'cpu=2,gpu=1' -> { {name='cpu', n=2}, {name='gpu', n=1} }; '' -> {}
function tokens.parse(demand)
  local list = parsed[demand]
  if not list then
    list = {}
    for name, n in string.gmatch(demand, '([^=,]+)=(%d+)') do list[#list + 1] = { name = name, n = tonumber(n) } end
    parsed[demand] = list
  end
  return list
end

-- The facts of a token, read once a call. `host` counts only for a token whose units belong to each host.
function tokens.read(name, host)
  local at = name .. '@' .. (host or '')
  local token = known[at]
  if not token then
    local v = redis.call('HMGET', keys.token(name), 'capacity', 'scope', 'units', 'env')
    token = { capacity = tonumber(v[1] or '0'), units = v[3] == '1', env = v[4] or '' }
    token.at = v[2] == 'host' and host or ''
    token.field = v[2] == 'host' and 'used@' .. (host or '') or 'used'
    token.used = tonumber(redis.call('HGET', keys.token(name), token.field) or '0')
    known[at] = token
  end
  return token
end

-- Counts have changed: the next call reads them again.
function tokens.forget() known = {} end

function tokens.share(a, b)
  for _, x in ipairs(tokens.parse(a)) do
    for _, y in ipairs(tokens.parse(b)) do
      if x.name == y.name then return true end
    end
  end
  return false
end
