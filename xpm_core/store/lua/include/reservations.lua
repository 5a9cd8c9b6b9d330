-- Bounded overtaking: if a head was passed too often, the tokens of its demand are kept for it.
-- include: keys tokens units
local reservations = {}

local PASSES = 200 -- how often a head may be passed, unless `keys.passes` says otherwise; see docs/internals/tokens.md
local listed, over = {}, {} -- caches of this call: reservations in force, and members whose reservation is over

-- Whether a job was passed so often that its tokens must be kept for it.
function reservations.due(w, j)
  local passed = tonumber(redis.call('HGET', keys.job(w, j), 'passed') or '0')
  return passed > 0 and passed >= (tonumber(redis.call('GET', keys.passes) or '') or PASSES)
end

-- Reservations in force: { {member, order} }. One counts only while a worker that can run its job makes claims.
local function of(name, now)
  if not listed[name] then
    listed[name], over[name] = {}, {}
    local flat = redis.call('HGETALL', keys.token_reserved(name))
    for i = 1, #flat, 2 do
      local order, till = string.match(flat[i + 1], '^(%S+) (%S+)$')
      if tonumber(till) > now then
        table.insert(listed[name], { member = flat[i], order = tonumber(order) })
      else
        table.insert(over[name], flat[i])
      end
    end
  end
  return listed[name]
end

-- Whether the units that are wanted of a token are free, whoever they may be kept for.
function reservations.unheld(want, who)
  local token = tokens.read(want.name, who.host)
  return token.used + want.n <= token.capacity and units.fits(want, token, who)
end

local function earlier(list, member, order)
  for _, other in ipairs(list) do
    if other.member ~= member and other.order < order then return other.member end
  end
end

-- An earlier job than `member`, whose place is `order`, for which a token is kept or `foreseen` to be; nil for none.
function reservations.keeper(name, member, order, now, foreseen)
  return earlier(of(name, now), member, order) or foreseen and earlier(foreseen[name] or {}, member, order)
end

-- Whether the whole demand is free for the job `member` whose place is `order`: nothing earlier reserves it.
function reservations.free(demand, who, member, order, now, foreseen)
  for _, want in ipairs(tokens.parse(demand)) do
    if not reservations.unheld(want, who) then return false end
    if reservations.keeper(want.name, member, order, now, foreseen) then return false end
  end
  return true
end

-- Note in `foreseen` what would be kept.
function reservations.foresee(demand, member, order, foreseen)
  for _, want in ipairs(tokens.parse(demand)) do
    foreseen[want.name] = foreseen[want.name] or {}
    table.insert(foreseen[want.name], { member = member, order = order })
  end
end

-- Keep tokens until `till`, ms.
function reservations.make(demand, member, order, now, till)
  for _, want in ipairs(tokens.parse(demand)) do
    table.insert(of(want.name, now), { member = member, order = order })
    for _, gone in ipairs(over[want.name]) do redis.call('HDEL', keys.token_reserved(want.name), gone) end
    over[want.name] = {} -- one of them may get a new reservation in this call
    redis.call('HSET', keys.token_reserved(want.name), member, string.format('%.0f %.0f', order, till))
  end
end

function reservations.drop(demand, member)
  for _, want in ipairs(tokens.parse(demand)) do
    redis.call('HDEL', keys.token_reserved(want.name), member)
    listed[want.name] = nil
  end
end
