-- What a worker learns of the job that a claim gives it.
-- include: keys
local leases = {}

local MOST = 200 -- experiments that are looked at: a claim must not take long where there are thousands

-- The experiment that people know a job by: of those that it belongs to, the one whose run began last. Most jobs belong
-- to one of the last experiments, so few are read at first. It is only told, so a key of another type is no fault here.
local function experiment_of(w, j)
  local from, size, names = 0, 8, nil
  repeat
    names = redis.pcall('ZREVRANGE', keys.experiments(w), from, math.min(from + size, MOST) - 1)
    for _, name in ipairs(names) do
      if redis.pcall('SISMEMBER', keys.experiment_jobs(w, name), j) == 1 then return name end
    end
    from, size = from + size, size * 4
  until #names == 0 or from >= MOST
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
