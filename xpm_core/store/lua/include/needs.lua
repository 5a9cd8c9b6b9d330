-- What the state of a job means for the jobs that need it: p (not done), d (done), b (failed, blocked or cancelled).
-- include: keys
local needs = {}

local DEPENDENTS_TTL_S = 86400 -- as RQ's view of a done job
local MEANS = { done = 'd', failed = 'b', blocked = 'b', cancelled = 'b' }

function needs.meaning(state) return MEANS[state] or 'p' end

-- Let a job need others: each of the two remembers the other. With `again`, they may remember each other already, and
-- a job that the server does not know was done when this job last ran. `needed` counts the jobs that need a job and are
-- not done. While it is not 0, the list of dependents stays.
function needs.link(w, rec, list, again)
  rec.pending, rec.broken = 0, 0
  for _, need in ipairs(list) do
    local state, dependents = redis.call('HGET', keys.job(w, need), 'state'), keys.dependents(w, need)
    local means = needs.meaning(state)
    if state or not again then
      local new = redis.call('HSET', keys.needs(w, rec.id), need, means) == 1
      local first = new and redis.call('HINCRBY', keys.job(w, need), 'needed', 1) == 1
      if not again or not redis.call('LPOS', dependents, rec.id) then redis.call('RPUSH', dependents, rec.id) end
      if first then redis.call('PERSIST', dependents) end
      if new and means ~= 'd' then rec.pending = rec.pending + 1 end
      if new and means == 'b' then rec.broken = rec.broken + 1 end
    end
  end
end

-- A job is done, so it needs no job any more. A list whose dependents are all done is only for people, and expires.
function needs.drop(w, j)
  local list = redis.call('HKEYS', keys.needs(w, j))
  for _, need in ipairs(list) do
    local left = redis.call('HINCRBY', keys.job(w, need), 'needed', -1)
    if left <= 0 then redis.call('HDEL', keys.job(w, need), 'needed') end
    if left == 0 then redis.call('EXPIRE', keys.dependents(w, need), DEPENDENTS_TTL_S) end
  end
  if list[1] then redis.call('DEL', keys.needs(w, j)) end
end

-- A job that is not done and needs this one; '' if it is not among the first `most` dependents; nil if there is none.
function needs.user(w, j, most)
  if not redis.call('HGET', keys.job(w, j), 'needed') then return nil end
  for _, d in ipairs(redis.call('LRANGE', keys.dependents(w, j), 0, most - 1)) do
    if redis.call('HEXISTS', keys.needs(w, d), j) == 1 then return d end
  end
  return ''
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

-- Name the root of a blocked job anew, unless this parent still leads to it. Returns whether it is another one.
function needs.reroot(w, rec, parent)
  local through = parent.state == 'blocked' and parent.root or parent.id
  if needs.meaning(parent.state) == 'b' and through == rec.root then return false end
  local root = needs.root(w, rec)
  if root ~= rec.root then redis.call('HSET', keys.job(w, rec.id), 'root', root) end
  return root ~= rec.root
end
