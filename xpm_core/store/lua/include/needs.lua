-- What a dependency's state means for what needs it: p (not done), d (done), b (failed, blocked or cancelled).
-- include: keys
local needs = {}

local MEANS = { done = 'd', failed = 'b', blocked = 'b', cancelled = 'b' }

function needs.meaning(state) return MEANS[state] or 'p' end

-- The job that keeps this one blocked.
function needs.root(w, rec)
  local flat = redis.call('HGETALL', keys.needs(w, rec.id))
  for i = 1, #flat, 2 do
    if flat[i + 1] == 'b' then
      local parent = redis.call('HMGET', keys.job(w, flat[i]), 'state', 'root')
      return parent[1] == 'blocked' and parent[2] or flat[i]
    end
  end
  return ''
end
