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

-- What is known of a token, read once a call. `host` counts only for a token whose units belong to each host.
local function read(name, host)
  local at = name .. '@' .. (host or '')
  local token = known[at]
  if not token then
    local v = redis.call('HMGET', keys.token(name), 'capacity', 'scope', 'units')
    token = { capacity = tonumber(v[1] or '0'), units = v[3] == '1', reserved = nil }
    token.field = v[2] == 'host' and 'used@' .. (host or '') or 'used'
    token.used = tonumber(redis.call('HGET', keys.token(name), token.field) or '0')
    known[at] = token
  end
  return token
end

-- Reservations in force: { {member, order} }. One counts only while a worker able to run its job claims.
local function reservations(name, token, now)
  if not token.reserved then
    token.reserved = {}
    local flat = redis.call('HGETALL', keys.token_reserved(name))
    for i = 1, #flat, 2 do
      local order, till = string.match(flat[i + 1], '^(%S+) (%S+)$')
      if tonumber(till) > now then
        token.reserved[#token.reserved + 1] = { member = flat[i], order = tonumber(order) }
      else
        redis.call('HDEL', keys.token_reserved(name), flat[i])
      end
    end
  end
  return token.reserved
end

-- Whether the whole demand is free for the job `member` whose place is `order`: nothing earlier reserves it.
function tokens.free(demand, host, member, order, now)
  for _, want in ipairs(tokens.parse(demand)) do
    local token = read(want.name, host)
    if token.used + want.n > token.capacity then return false end
    for _, other in ipairs(reservations(want.name, token, now)) do
      if other.member ~= member and other.order < order then return false end
    end
  end
  return true
end

function tokens.reserve(demand, host, member, order, now, till)
  for _, want in ipairs(tokens.parse(demand)) do
    local list = reservations(want.name, read(want.name, host), now)
    list[#list + 1] = { member = member, order = order }
    redis.call('HSET', keys.token_reserved(want.name), member, string.format('%.0f %.0f', order, till))
  end
end

function tokens.unreserve(demand, member)
  for _, want in ipairs(tokens.parse(demand)) do redis.call('HDEL', keys.token_reserved(want.name), member) end
end

-- Counts changed: read them again.
function tokens.forget() known = {} end

function tokens.share(a, b)
  for _, x in ipairs(tokens.parse(a)) do
    for _, y in ipairs(tokens.parse(b)) do
      if x.name == y.name then return true end
    end
  end
  return false
end
