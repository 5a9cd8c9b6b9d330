-- What the end of an execution means for its job.
-- include: ends executions jobs keys rq wake
local outcomes = {}

local CODE = { ACCEPTED = 1, ALREADY = 2, STALE = -2, UNKNOWN = -3 }
local ENDED = { done = true, failed = true, retry = true, cancelled = true }
local UNCLAIMED = { ready = true, delayed = true, failed = true }

-- Whether this execution still counts for its job: it holds the lease, or lost it and no other has taken the job.
local function speaks(rec, execution, ended)
  if rec.execution ~= execution then return false end
  if rec.state == 'running' then return true end
  return ended == 'lost' and UNCLAIMED[rec.state] and (rec.state ~= 'failed' or rec.reason == 'lost')
end

local function done(w, rec, adopted, now)
  rq.count(rec.worker, 'successful_job_count')
  executions.finish(w, rec, 'done', 'done', now,
    { ended = now, reason = '', execution = adopted ~= '' and adopted or rec.execution })
end

-- An execution has failed: the job runs again, or has failed.
function outcomes.fail(w, rec, error_json, now)
  local failures = rec.failures + 1
  rq.count(rec.worker, 'failed_job_count')
  local set = { ended = now, failures = failures, reason = 'failed', error = error_json }
  if failures > rec.max_retries then
    executions.finish(w, rec, 'failed', 'failed', now, set, 'error', error_json)
    return
  end
  set.due = now + ends.backoff(rec.backoff_ms, failures)
  executions.finish(w, rec, 'retry', 'delayed', now, set, 'error', error_json, 'due', set.due)
end

function outcomes.accept(w, identity, execution, outcome, error_json, adopted, now)
  local ended = redis.call('HGET', keys.execution(w, execution), 'ended')
  local rec = jobs.load(w, identity)
  if not rec then return CODE.UNKNOWN, '' end
  if ended and ENDED[ended] then
    return CODE.ALREADY, executions.heard(rec, adopted ~= '' and adopted or execution)
  end
  if not speaks(rec, execution, ended) then return CODE.STALE, rec.state end
  if outcome == 'done' then
    done(w, rec, adopted, now)
  elseif outcome == 'cancelled' or rec.cancel then
    executions.finish(w, rec, 'cancelled', 'cancelled', now, { ended = now, reason = 'cancelled' })
  else
    outcomes.fail(w, rec, error_json, now)
  end
  wake.tokens(rec.demand, now)
  return CODE.ACCEPTED, rec.state
end
