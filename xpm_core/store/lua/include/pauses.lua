-- Pauses: nothing is claimed from a paused queue. `rq suspend` pauses all queues of the server.
-- include: keys tokens
local pauses = {}

local known = {} -- cache of this call: one command for both kinds, because every claim asks for them

local function of(w)
  if not known[w] then
    known[w] = { suspended = false }
    if redis.call('EXISTS', keys.suspended, keys.paused(w)) > 0 then
      known[w].suspended = redis.call('EXISTS', keys.suspended) == 1
      for _, queue in ipairs(redis.pcall('HKEYS', keys.paused(w))) do known[w]['=' .. queue] = true end
    end
  end
  return known[w]
end

function pauses.suspended(w) return of(w).suspended end

function pauses.paused(w, queue) return of(w)['=' .. queue] == true end

-- What is known of the pause of a queue, as JSON; nil if it is not paused. A key of another type counts as no pause.
function pauses.said(w, queue)
  local found = redis.pcall('HGET', keys.paused(w), queue)
  return type(found) == 'string' and (found ~= '' and found or '{}') or nil
end

-- No token is kept any more for the jobs of a line.
function pauses.keep_nothing(w, queue, demand)
  for _, want in ipairs(tokens.parse(demand)) do
    local reserved = keys.token_reserved(want.name)
    for _, member in ipairs(redis.call('HKEYS', reserved)) do
      local j = string.match(member, '^' .. w .. ':(.*)$')
      if j and redis.call('ZSCORE', keys.line(w, queue, demand), j) then redis.call('HDEL', reserved, member) end
    end
  end
end
