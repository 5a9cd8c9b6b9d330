-- Who holds how many units of a token, and which ones where units are numbered.
-- include: keys tokens
local holdings = {}

-- Numbered units in use, as a set. A holding is 'n|host|u1,u2'.
local function taken(name, host)
  local set = {}
  for _, held in ipairs(redis.call('HVALS', keys.token_holders(name))) do
    local at, units = string.match(held, '^%d+|([^|]*)|(.*)$')
    if at == host then
      for unit in string.gmatch(units, '%d+') do set[tonumber(unit)] = true end
    end
  end
  return set
end

local function pick(name, host, n, capacity)
  local used, units, unit = taken(name, host), {}, 0
  while #units < n and unit < capacity do
    if not used[unit] then units[#units + 1] = unit end
    unit = unit + 1
  end
  return table.concat(units, ',')
end

-- 'cpu=2', or 'gpu=1:0:CUDA_VISIBLE_DEVICES': name=n, then numbered units, then the variable that names them, if any.
local function said(name, n, units, env)
  if units == '' then return name .. '=' .. n end
  return name .. '=' .. n .. ':' .. units .. (env ~= '' and ':' .. env or '')
end

-- Take the whole demand for an execution. Returns what the job is told, joined by ';'.
function holdings.take(w, rec, host)
  local told = {}
  for _, want in ipairs(tokens.parse(rec.demand)) do
    local v = redis.call('HMGET', keys.token(want.name), 'capacity', 'scope', 'units', 'env')
    local at = v[2] == 'host' and host or ''
    local units = v[3] == '1' and pick(want.name, at, want.n, tonumber(v[1])) or ''
    redis.call('HINCRBY', keys.token(want.name), v[2] == 'host' and 'used@' .. at or 'used', want.n)
    redis.call('HSET', keys.token_holders(want.name), w .. ':' .. rec.id .. ':' .. rec.execution,
      want.n .. '|' .. at .. '|' .. units)
    told[#told + 1] = said(want.name, want.n, units, v[4] or '')
  end
  tokens.forget()
  return table.concat(told, ';')
end

-- Give back what an execution holds. Nothing happens twice: a holding is given back once.
function holdings.give(w, rec)
  for _, want in ipairs(tokens.parse(rec.demand)) do
    local holders, member = keys.token_holders(want.name), w .. ':' .. rec.id .. ':' .. rec.execution
    local held = redis.call('HGET', holders, member)
    if held then
      local n, at = string.match(held, '^(%d+)|([^|]*)|')
      redis.call('HDEL', holders, member)
      redis.call('HINCRBY', keys.token(want.name), at ~= '' and 'used@' .. at or 'used', -n)
    end
  end
  tokens.forget()
end

-- What a repeated claim is told: the same as the first.
function holdings.told(w, rec)
  local told = {}
  for _, want in ipairs(tokens.parse(rec.demand)) do
    local held = redis.call('HGET', keys.token_holders(want.name), w .. ':' .. rec.id .. ':' .. rec.execution)
    local units = held and string.match(held, '|([%d,]*)$') or ''
    told[#told + 1] = said(want.name, want.n, units, redis.call('HGET', keys.token(want.name), 'env') or '')
  end
  return table.concat(told, ';')
end
