-- What a worker learns of the job that a claim gives it.
-- include: keys
local leases = {}

-- The experiment that people know a job by: of those that it belongs to, the one whose run began last. It is only told,
-- so a key of another type is no fault here.
local function experiment_of(w, j)
  local names = redis.pcall('ZREVRANGE', keys.experiments(w), 0, -1)
  for _, name in ipairs(names) do
    if redis.pcall('SISMEMBER', keys.experiment_jobs(w, name), j) == 1 then return name end
  end
  return ''
end

-- What a worker is told of a job that it has got: the end of the reply of claim.lua.
function leases.told(ask, rec, lease_left_ms, units)
  local v = redis.call('HMGET', keys.job(ask.w, rec.id), 'name', 'directory', 'payload', 'options', 'tags')
  return { rec.id, rec.execution, lease_left_ms, rec.attempts, rec.task, v[1] or '', v[2] or '', v[3] or '',
    v[4] or '{}', rec.queue, units, rec.replaces or '', rec.cancel or '',
    table.concat(redis.call('HKEYS', keys.needs(ask.w, rec.id)), ','), rec.max_retries, rec.max_losses,
    rec.backoff_ms, v[5] or '{}', experiment_of(ask.w, rec.id) }
end
