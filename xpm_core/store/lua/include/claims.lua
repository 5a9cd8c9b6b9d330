-- Claiming: the one place where a ready job becomes running.
-- include: asks edges executions heads holdings jobs keys leases pauses refusals rq wake
local claims = {}

local CODE = { CLAIMED = 1, EMPTY = 0, SUSPENDED = -1, STALE = -2, UNWANTED = -3, ORDERED = -4 }

local function reply(code, wait_ms, more, ask, rest)
  local open = redis.call('HMGET', keys.counts(ask.w), 'ready', 'delayed', 'running')
  local out = { code, wait_ms, more and 1 or 0, tonumber(open[1] or 0), tonumber(open[2] or 0), tonumber(open[3] or 0) }
  out[7], out[8], out[9] = ask.registered, ask.order, executions.ended()
  for _, value in ipairs(rest or {}) do out[#out + 1] = value end
  return out
end

local function take(ask, head, now)
  local rec = jobs.load(ask.w, head.id)
  rec.execution, rec.worker = ask.execution, ask.worker
  jobs.move(ask.w, rec, 'running', now, { execution = ask.execution, worker = ask.worker, host = ask.host,
    lease_ms = ask.lease_ms, started = now, attempts = rec.attempts + 1 }, 'attempt', rec.attempts + 1)
  redis.call('ZADD', keys.leases(ask.w), now + ask.lease_ms, rec.id)
  executions.note(ask.w, ask.execution, rec.id)
  return leases.told(ask, rec, ask.lease_ms, holdings.take(ask, rec))
end

-- The same claim again, because its reply was lost: the same job, with the rest of its lease.
local function again(ask, now)
  local seen = redis.call('HMGET', keys.execution(ask.w, ask.execution), 'job', 'ended')
  if not seen[1] then return nil end
  local rec = not seen[2] and jobs.load(ask.w, seen[1])
  if not rec or rec.state ~= 'running' or rec.execution ~= ask.execution then return CODE.STALE end
  local left = tonumber(redis.call('ZSCORE', keys.leases(ask.w), rec.id)) - now
  return CODE.CLAIMED, leases.told(ask, rec, math.min(left, rec.lease_ms), holdings.told(ask.w, rec))
end

local HEADS = 100 -- heads that one call looks at while the work list is not empty

-- The next head, as `heads.pick` finds it. While the work list is not empty, a job may be ready although a job that it
-- needs runs again. `edges.ready` finds that out.
local function pick(ask, now, more)
  for _ = 1, HEADS do
    local head, waiting = heads.pick(ask, ask.queues, now, now + ask.lease_ms)
    if not head or not more or edges.ready(ask.w, head.id, now) then return head, waiting end
  end
  return nil, {}
end

-- Claim the next job for `ask`. Returns the reply described in claim.lua.
function claims.try(ask, now, more)
  if ask.execution == '' then
    rq.worker(ask.worker, 'state', 'idle')
    return reply(CODE.UNWANTED, 0, more, ask)
  end
  local code, rest = again(ask, now)
  if code then return reply(code, 0, more, ask, rest) end
  if ask.order ~= '' then return reply(CODE.ORDERED, 0, more, ask) end
  if pauses.suspended(ask.w) then return reply(CODE.SUSPENDED, 1000, more, ask) end
  if refusals.any(ask) then refusals.keep(ask) end
  local head, waiting = pick(ask, now, more)
  if not head then
    local wait = more and 0 or asks.look_again(ask, now)
    if ask.listen then wake.listen(ask, now, now + wait + 2000) end
    rq.worker(ask.worker, 'state', 'idle')
    return reply(CODE.EMPTY, wait, more, ask)
  end
  for _, other in ipairs(heads.elsewhere(head, ask.queues, ask, now)) do waiting[#waiting + 1] = other end
  local job = take(ask, head, now)
  heads.pass(waiting, head.demand)
  wake.forget(ask.w, ask.queues, ask.worker)
  for _, queue in ipairs(ask.queues) do wake.queue(ask.w, queue, now) end
  rq.worker(ask.worker, 'state', 'busy')
  return reply(CODE.CLAIMED, 0, more, ask, job)
end
