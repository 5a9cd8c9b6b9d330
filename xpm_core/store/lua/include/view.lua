-- The keys that RQ's own tools read. Scripts write them beside our own keys, and never read them. So no job is lost or
-- doubled, whatever somebody does to them (docs/internals/view.md).
-- include: clock keys listing rq
local view = {}

local DONE_TTL_S, FAILED_TTL_S = 86400, 31536000 -- the second as RQ's own DEFAULT_FAILURE_TTL
local STATUS = { waiting = 'deferred', blocked = 'deferred', ready = 'queued', delayed = 'scheduled',
  running = 'started', done = 'finished', failed = 'failed', cancelled = 'canceled' }
local REGISTRY = { waiting = 'deferred', blocked = 'deferred', delayed = 'scheduled', done = 'finished',
  failed = 'failed', cancelled = 'canceled' }
local TIME = { running = 'started_at', done = 'ended_at', failed = 'ended_at', cancelled = 'ended_at' }
-- A call of `xpm.job` without arguments, in the form that RQ's default serializer reads, because RQ's tools take a job
-- without `data` for missing. Nothing ever runs it.
local DATA = '\128\4(\140\7xpm.jobN)}t.'

local function leave_running(w, rec, execution)
  local member = keys.rq_id(w, rec.id) .. ':' .. execution
  rq.put('zset', 'ZREM', keys.rq_registry('wip', w, rec.queue), member)
  redis.call('DEL', keys.rq_execution(w, rec.id, execution), keys.rq_executions(w, rec.id))
  rq.put('set', 'SREM', keys.rq_worker_executions(rec.worker), member)
end

local function enter_running(w, rec, now)
  local member, seconds = keys.rq_id(w, rec.id) .. ':' .. rec.execution, now / 1000
  rq.put('zset', 'ZADD', keys.rq_registry('wip', w, rec.queue), '+inf', member)
  rq.put('hash', 'HSET', keys.rq_execution(w, rec.id, rec.execution), 'id', rec.execution, 'job_id',
    keys.rq_id(w, rec.id), 'created_at', seconds, 'last_heartbeat', seconds, 'worker_name', rec.worker)
  rq.put('zset', 'ZADD', keys.rq_executions(w, rec.id), '+inf', rec.execution)
  rq.put('set', 'SADD', keys.rq_worker_executions(rec.worker), member)
end

-- Registry scores as RQ means them: when a finished job's entry ends, when a scheduled one is due.
local function register(w, rec, to, now, id, hash)
  local seconds, key = math.floor(now / 1000), keys.rq_registry(REGISTRY[to], w, rec.queue)
  if to == 'done' or to == 'failed' or to == 'cancelled' then
    local ttl = to == 'failed' and FAILED_TTL_S or DONE_TTL_S
    rq.put('zset', 'ZADD', key, seconds + ttl, id)
    redis.call('EXPIRE', hash, ttl)
    rq.put('zset', 'ZREMRANGEBYSCORE', key, 0, seconds)
  else
    rq.put('zset', 'ZADD', key, to == 'delayed' and math.floor(rec.due / 1000) or seconds, id)
  end
end

-- What review.lua compares with, and writes anew.
view.facts = { status = STATUS, registry = REGISTRY, time = TIME, data = DATA, done_s = DONE_TTL_S, failed_s = FAILED_TTL_S }
view.enter_running = enter_running

-- Move a job in the view. `rec.state` is the state that it leaves (nil for a new job), `execution` the one that it had
-- there, because an adopted result names another one.
function view.move(w, rec, to, now, execution)
  local from, id, hash, iso = rec.state, keys.rq_id(w, rec.id), keys.rq_job(w, rec.id), clock.iso(now)
  if from == 'ready' then
    listing.leave(w, rec.queue, id)
  elseif from == 'running' then
    leave_running(w, rec, execution)
  elseif from and REGISTRY[from] ~= REGISTRY[to] then
    rq.put('zset', 'ZREM', keys.rq_registry(REGISTRY[from], w, rec.queue), id)
  end
  if from and REGISTRY[from] then redis.call('PERSIST', hash) end
  rq.put('hash', 'HSET', hash, 'data', DATA, 'origin', keys.rq_name(w, rec.queue), 'description', rec.task,
    'status', STATUS[to], 'worker_name', to == 'running' and rec.worker or '', TIME[to] or 'enqueued_at', iso,
    from and 'last_heartbeat' or 'created_at', iso)
  if to == 'ready' then
    listing.enter(w, rec.queue, id)
  elseif to == 'running' then
    enter_running(w, rec, now)
  else
    register(w, rec, to, now, id, hash)
  end
end

-- Take a settled job out of the view.
function view.forget(w, rec)
  rq.put('zset', 'ZREM', keys.rq_registry(REGISTRY[rec.state], w, rec.queue), keys.rq_id(w, rec.id))
  redis.call('DEL', keys.rq_job(w, rec.id))
end
