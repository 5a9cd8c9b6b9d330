-- Dependencies: each edge remembers the last state that its dependent has learned, so that learning it twice changes
-- nothing.
-- include: jobs keys needs wake
local edges = {}

local STEP = 500 -- dependents handled in one call; the rest stays on the work list

-- Put a job on the work list, because its dependents have to learn its state.
function edges.announce(w, j)
  if redis.call('EXISTS', keys.dependents(w, j)) == 1 then redis.call('RPUSH', keys.worklist(w), j .. ' 0') end
end

-- Let a job go where it belongs now. `before` is what the edge from its parent meant until now.
local function settle(w, rec, parent, before, now)
  local to = jobs.place(rec)
  local unsettled = rec.state == 'waiting' or rec.state == 'blocked' or rec.state == 'ready' or rec.state == 'delayed'
  if to == 'blocked' and rec.state == 'blocked' and before == 'b' and needs.reroot(w, rec, parent) then
    edges.announce(w, rec.id) -- those behind it learn the new root
  end
  if not unsettled or to == rec.state or (to == 'ready' and rec.state == 'delayed') then return end
  local was_blocked = rec.state == 'blocked'
  if to == 'blocked' then
    local root = parent.state == 'blocked' and parent.root or parent.id
    jobs.move(w, rec, to, now, { root = root }, 'root', root)
  else
    jobs.move(w, rec, to, now)
  end
  if to == 'blocked' or was_blocked then edges.announce(w, rec.id) end
  if to == 'ready' then wake.queue(w, rec.queue, now) end
end

local function apply(w, parent, d, now)
  local means, key = needs.meaning(parent.state), keys.job(w, d)
  local before = redis.call('HGET', keys.needs(w, d), parent.id)
  if not before or (before == means and means ~= 'b') then return end -- what is 'b' still may have another root
  redis.call('HSET', keys.needs(w, d), parent.id, means)
  local pending = (before == 'd' and 1 or 0) - (means == 'd' and 1 or 0)
  local broken = (means == 'b' and 1 or 0) - (before == 'b' and 1 or 0)
  if pending ~= 0 then redis.call('HINCRBY', key, 'pending', pending) end
  if broken ~= 0 then redis.call('HINCRBY', key, 'broken', broken) end
  local rec = jobs.load(w, d)
  if rec then settle(w, rec, parent, before, now) end
end

-- Let one job learn the states of its dependencies now, ahead of the work list. Returns whether it is still ready.
function edges.ready(w, d, now)
  local flat = redis.call('HGETALL', keys.needs(w, d))
  for i = 1, #flat, 2 do
    local parent = jobs.load(w, flat[i])
    if parent and needs.meaning(parent.state) ~= flat[i + 1] then apply(w, parent, d, now) end
  end
  return redis.call('HGET', keys.job(w, d), 'state') == 'ready'
end

-- Let up to STEP dependents learn. Returns whether some are left for the next call.
function edges.work(w, now)
  local budget, list = STEP, keys.worklist(w)
  while budget > 0 do
    local entry = redis.call('LINDEX', list, 0)
    if not entry then return false end
    local j, cursor = string.match(entry, '^(%S+) (%d+)$')
    local parent = jobs.load(w, j)
    local dependents = redis.call('LRANGE', keys.dependents(w, j), cursor, cursor + budget - 1)
    for _, d in ipairs(dependents) do
      if parent then apply(w, parent, d, now) end
    end
    if #dependents < budget then
      redis.call('LPOP', list)
    else
      redis.call('LSET', list, 0, j .. ' ' .. (cursor + #dependents))
    end
    budget = budget - #dependents - 1
  end
  return redis.call('EXISTS', list) == 1
end
