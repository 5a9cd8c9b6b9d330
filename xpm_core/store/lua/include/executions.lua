-- Executions: one attempt each, named by an id that the caller makes (the fencing token). The id of one that
-- ended is remembered for ten minutes, so that a late or repeated call is recognised.
-- include: clock edges ends holdings jobs keys needs wake
local executions = {}

local REMEMBER_S = 600
local ended = {} -- jobs that this call has ended because their workers were lost

function executions.note(w, e, j)
  redis.call('HSET', keys.execution(w, e), 'job', j)
end

-- End an execution, for whatever reason: its tokens become free, its id is remembered.
local function close(w, rec, how)
  local key = keys.execution(w, rec.execution)
  redis.call('HSET', key, 'job', rec.id, 'ended', how)
  redis.call('EXPIRE', key, REMEMBER_S)
  redis.call('HDEL', keys.job(w, rec.id), 'progress')
  holdings.give(w, rec)
end

-- End a running job's execution and move the job on. `how` is one of
-- done, failed, retry, cancelled, lost, released.
function executions.finish(w, rec, how, to, now, set, ...)
  close(w, rec, how)
  if how == 'lost' or how == 'released' then events.tell(w, how, rec, now, ...) end
  jobs.move(w, rec, to, now, set, ...)
  if needs.meaning(to) ~= 'p' then edges.announce(w, rec.id) end
  if to == 'ready' then wake.queue(w, rec.queue, now) end
end

-- The state of a job, for a worker whose execution had ended before. Empty if another execution has the job since: its
-- worker says how that ends.
function executions.heard(rec, execution) return rec.execution == execution and rec.state or '' end

-- A lease is over, so the worker is gone. The job runs again, or fails if that has happened too often.
function executions.lose(w, rec, now)
  local losses = rec.losses + 1
  if rec.cancel then
    executions.finish(w, rec, 'lost', 'cancelled', now, { ended = now, losses = losses, reason = 'cancelled' })
  elseif losses > rec.max_losses then
    local error = cjson.encode({ type = 'WorkerLost', message = 'worker ' .. (rec.worker or '?') ..
      ' was lost, as were ' .. rec.losses .. ' before it' })
    executions.finish(w, rec, 'lost', 'failed', now,
      { ended = now, losses = losses, reason = 'lost', error = error }, 'reason', 'lost', 'error', error)
  else
    executions.finish(w, rec, 'lost', 'ready', now, { losses = losses, reason = 'lost' }, 'reason', 'lost')
  end
  wake.tokens(rec.demand, now)
end

-- The jobs that `tend` has ended in this call, in one text with spaces between. Their workers are gone, so the caller
-- writes these ends into the index.
function executions.ended() return table.concat(ended, ' ') end

-- Do what is due: end leases that are over, begin retries whose back-off has passed. Returns whether more is left.
function executions.tend(w, now, lease_ms)
  local due = redis.call('ZRANGEBYSCORE', keys.delayed(w), '-inf', now, 'LIMIT', 0, 100)
  for _, j in ipairs(due) do
    local rec = jobs.load(w, j)
    jobs.move(w, rec, jobs.place(rec), now)
    wake.queue(w, rec.queue, now)
  end
  local may_expire, beat, back = clock.may_expire(w, now, lease_ms)
  if beat then ends.mend(w, now, lease_ms) end
  if back then ends.forget(w, now, lease_ms) end
  local over = {}
  local next_end = redis.call('ZRANGE', keys.leases(w), 0, 0, 'WITHSCORES')[2]
  if may_expire and next_end and tonumber(next_end) <= now then
    over = redis.call('ZRANGEBYSCORE', keys.leases(w), '-inf', now, 'LIMIT', 0, 100)
    for _, j in ipairs(over) do
      local rec = jobs.load(w, j)
      executions.lose(w, rec, now)
      if rec.state ~= 'ready' then ended[#ended + 1] = j end
    end
  end
  local more = edges.work(w, now)
  return more or #due == 100 or #over == 100
end
