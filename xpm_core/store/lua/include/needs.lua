-- What a dependency's state means for what needs it: p (not done), d (done), b (failed, blocked or cancelled).
-- include: keys
local needs = {}

local MEANS = { done = 'd', failed = 'b', blocked = 'b', cancelled = 'b' }

function needs.meaning(state) return MEANS[state] or 'p' end

-- Let a job need others: each of the two remembers the other. `again`: they may do so already, and one that the
-- server does not know was done when the job last ran.
function needs.link(w, rec, list, again)
  rec.pending, rec.broken = 0, 0
  for _, need in ipairs(list) do
    local state, dependents = redis.call('HGET', keys.job(w, need), 'state'), keys.dependents(w, need)
    local means = needs.meaning(state)
    if state or not again then
      local new = redis.call('HSET', keys.needs(w, rec.id), need, means) == 1
      if not again or not redis.call('LPOS', dependents, rec.id) then redis.call('RPUSH', dependents, rec.id) end
      if new and means ~= 'd' then rec.pending = rec.pending + 1 end
      if new and means == 'b' then rec.broken = rec.broken + 1 end
    end
  end
end

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
