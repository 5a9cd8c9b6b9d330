-- Numbered units of tokens: which are free, and which of them a worker's machine has.
-- include: keys tokens
local units = {}

-- Numbered units in use, as a set. A holding is 'n|host|u1,u2'.
local function taken(name, host)
  local set = {}
  for _, held in ipairs(redis.call('HVALS', keys.token_holders(name))) do
    local at, numbers = string.match(held, '^%d+|([^|]*)|(.*)$')
    if at == host then
      for unit in string.gmatch(numbers, '%d+') do set[tonumber(unit)] = true end
    end
  end
  return set
end

function units.pick(name, at, n, most)
  local used, list, unit = taken(name, at), {}, 0
  while #list < n and unit < most do
    if not used[unit] then list[#list + 1] = unit end
    unit = unit + 1
  end
  return list
end

-- How many units of a token the machine of a worker has: as many as the worker's own variable lists, if it has one.
-- `who.devices` is 'CUDA_VISIBLE_DEVICES=2,...'.
function units.most(token, who)
  local own = token.env ~= '' and string.match(',' .. who.devices, ',' .. token.env .. '=(%d+)')
  return own and math.min(tonumber(own), token.capacity) or token.capacity
end

-- Whether the machine of a worker has as many units as are wanted, free or not.
function units.possible(demand, who)
  for _, want in ipairs(tokens.parse(demand)) do
    if want.n > units.most(tokens.read(want.name, who.host), who) then return false end
  end
  return true
end

-- Whether the machine has as many free units as are wanted.
function units.fits(want, token, who)
  local there = units.most(token, who)
  return there == token.capacity or #units.pick(want.name, token.at, want.n, there) == want.n
end
