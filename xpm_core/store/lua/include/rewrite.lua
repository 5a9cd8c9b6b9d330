-- Write anew what RQ's tools read of a job, from the job.
-- include: clock keys review view
local rewrite = {}

-- Remove a key of the view that has another type than RQ's tools read.
function rewrite.sound(key, wanted)
  local found = redis.call('TYPE', key).ok
  if found ~= wanted and found ~= 'none' then redis.call('DEL', key) end
  return key
end

local function write_hash(w, rec)
  local hash, flat = rewrite.sound(keys.rq_job(w, rec.id), 'hash'), {}
  for i, value in ipairs(review.wanted(w, rec)) do
    flat[#flat + 1], flat[#flat + 2] = review.required[i], value
  end
  local since = rec.state == 'delayed' and rec.ended or rec.submitted
  local known = { created_at = rec.submitted, enqueued_at = since, started_at = rec.started,
    ended_at = review.until_s(rec, 0) and rec.ended or 0, last_heartbeat = math.max(rec.started, rec.ended) }
  for name, ms in pairs(known) do
    local there = redis.call('HGET', hash, name)
    if ms > 0 and not (there and string.find(there, review.date)) then
      flat[#flat + 1], flat[#flat + 2] = name, clock.iso(ms)
    end
  end
  redis.call('HSET', hash, unpack(flat))
end

local function enter(w, rec, till)
  local id, kind = keys.rq_id(w, rec.id), view.facts.registry[rec.state]
  if rec.state == 'running' then
    rewrite.sound(keys.rq_registry('wip', w, rec.queue), 'zset')
    rewrite.sound(keys.rq_execution(w, rec.id, rec.execution), 'hash')
    rewrite.sound(keys.rq_worker_executions(rec.worker), 'set')
    view.enter_running(w, rec, rec.started)
  elseif kind then
    local key = rewrite.sound(keys.rq_registry(kind, w, rec.queue), 'zset')
    local at = till or math.floor((rec.state == 'delayed' and rec.due or rec.submitted) / 1000)
    if till or rec.state == 'delayed' then redis.call('ZADD', key, at, id) else redis.call('ZADD', key, 'NX', at, id) end
  end
end

-- A ready job's place is in a list, which view_list.lua writes.
function rewrite.job(w, rec, now)
  local hash, till = keys.rq_job(w, rec.id), review.until_s(rec, now)
  redis.call('DEL', keys.rq_executions(w, rec.id))
  if till and till * 1000 <= now then
    redis.call('DEL', hash)
    return
  end
  write_hash(w, rec)
  if till then redis.call('EXPIRE', hash, math.ceil(till - now / 1000)) else redis.call('PERSIST', hash) end
  enter(w, rec, till)
end
