-- Running a settled job again.
-- include: edges handed jobs keys needs wake
local retries = {}

-- A running job that needs this one, if there is any. Running jobs are few, dependents may be many.
function retries.user(w, identity)
  for _, j in ipairs(redis.call('ZRANGE', keys.leases(w), 0, -1)) do
    if redis.call('HEXISTS', keys.needs(w, j), identity) == 1 then return j end
  end
  return nil
end

-- From done, failed or cancelled to ready, waiting or blocked. Counts start anew; what needs it is told.
-- `job` is what was handed to whoever ran it, where that has left.
function retries.start(w, rec, now, job)
  local before = needs.meaning(rec.state)
  local set = { failures = 0, losses = 0, reason = 'retry' }
  if rec.state == 'done' then set.replaces = rec.execution end
  if job then handed.come(w, rec, job) end
  redis.call('HDEL', keys.job(w, rec.id), 'cancel', 'error', 'ended', 'root')
  rec.cancel = nil
  local to = jobs.place(rec)
  if to == 'blocked' then set.root = needs.root(w, rec) end
  jobs.move(w, rec, to, now, set, 'reason', 'retry')
  if needs.meaning(rec.state) ~= before then edges.announce(w, rec.id) end
  if rec.state == 'ready' then wake.queue(w, rec.queue, now) end
end
