-- Removing jobs for good. A collection is the time in which one `xpm gc` removes jobs. Meanwhile, the scripts that name
-- jobs note them, because a job that somebody has named since the collection began is not removed.
-- include: events guard keys needs view
local removals = {}

local REMEMBER_S = 3600 -- longer than a network file system shows a directory that is gone
local NAMED_S = 3600 -- for a collection that is never ended; each call of a living one sets it anew

function removals.check(w)
  guard.type(keys.collection(w), 'hash')
  guard.type(keys.named(w), 'set')
end

-- Whether this collection goes on. If it does, it lasts so many ms from now.
function removals.renew(w, id, now, lease_ms)
  local found = redis.call('HMGET', keys.collection(w), 'id', 'until')
  if found[1] ~= id or tonumber(found[2]) <= now then return false end
  redis.call('HSET', keys.collection(w), 'until', now + lease_ms)
  redis.call('PEXPIRE', keys.collection(w), lease_ms)
  redis.call('EXPIRE', keys.named(w), NAMED_S)
  return true
end

-- The job whose directory is being removed just now, and for how many ms at most; nil if there is none.
function removals.going(w, now)
  local found = redis.call('HMGET', keys.collection(w), 'going', 'until')
  if not found[1] or tonumber(found[2]) <= now then return nil end
  return found[1], tonumber(found[2]) - now
end

-- Somebody names these jobs.
function removals.note(w, identities, now)
  local till = redis.call('HGET', keys.collection(w), 'until')
  if not till or tonumber(till) <= now then return end
  for _, identity in ipairs(identities) do redis.call('SADD', keys.named(w), identity) end
  redis.call('EXPIRE', keys.named(w), NAMED_S)
end

-- The marker of a submission does not count if the job was removed with that execution: a network file system may still
-- show its directory. Nor may a worker believe it.
function removals.unmark(w, job)
  local gone = redis.call('GET', keys.forgotten(w, job.id))
  job.replaces = gone or nil
  if gone and job.marker == gone then job.marker = '' end
end

-- Forget a settled job. `list` holds the jobs that it needs, as far as its directory says.
function removals.forget(w, rec, list, now)
  for _, need in ipairs(redis.call('HKEYS', keys.needs(w, rec.id))) do list[#list + 1] = need end
  needs.drop(w, rec.id)
  for _, need in ipairs(list) do redis.call('LREM', keys.dependents(w, need), 0, rec.id) end
  redis.call('ZREM', keys.listed(w, rec.state), rec.id)
  redis.call('HINCRBY', keys.counts(w), rec.state, -1)
  for _, name in ipairs(redis.call('ZRANGE', keys.experiments(w), 0, -1)) do
    redis.call('SREM', keys.experiment_jobs(w, name), rec.id)
  end
  redis.call('DEL', keys.job(w, rec.id), keys.dependents(w, rec.id))
  if rec.execution then redis.call('SET', keys.forgotten(w, rec.id), rec.execution, 'EX', REMEMBER_S) end
  view.forget(w, rec)
  events.tell(w, 'removed', rec, now)
end
