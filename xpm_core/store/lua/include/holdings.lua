-- How many units of a token each execution holds, and which ones, if they are numbered.
-- include: keys tokens units
local holdings = {}

-- 'cpu=2', or 'gpu=1:0:CUDA_VISIBLE_DEVICES': name=n, then numbered units, then the variable that names them, if any.
local function said(name, n, units, env)
  if units == '' then return name .. '=' .. n end
  return name .. '=' .. n .. ':' .. units .. (env ~= '' and ':' .. env or '')
end

-- Take the whole demand for an execution of a worker. Returns what the job holds, as `said` writes it, joined by ';'.
function holdings.take(who, rec)
  local told = {}
  for _, want in ipairs(tokens.parse(rec.demand)) do
    local token = tokens.read(want.name, who.host)
    local picked = token.units and units.pick(want.name, token.at, want.n, units.most(token, who)) or {}
    local numbers = table.concat(picked, ',')
    redis.call('HINCRBY', keys.token(want.name), token.field, want.n)
    redis.call('HSET', keys.token_holders(want.name), who.w .. ':' .. rec.id .. ':' .. rec.execution,
      want.n .. '|' .. token.at .. '|' .. numbers)
    told[#told + 1] = said(want.name, want.n, numbers, token.env)
  end
  tokens.forget()
  return table.concat(told, ';')
end

-- Give back what an execution holds. A second call finds nothing to give back.
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

-- What the job holds already, for the reply to a repeated claim.
function holdings.told(w, rec)
  local told = {}
  for _, want in ipairs(tokens.parse(rec.demand)) do
    local held = redis.call('HGET', keys.token_holders(want.name), w .. ':' .. rec.id .. ':' .. rec.execution)
    local units = held and string.match(held, '|([%d,]*)$') or ''
    told[#told + 1] = said(want.name, want.n, units, redis.call('HGET', keys.token(want.name), 'env') or '')
  end
  return table.concat(told, ';')
end
