-- The newest submission decides how, when and where a job runs that has not started, with which code, and what people
-- call it. Parts of its parameters that an earlier payload names may be gone.
-- include: keys lines listing rq view wake
local replans = {}

-- Show a job under its new queue.
local function show(w, rec, from)
  local id, kind = keys.rq_id(w, rec.id), view.facts.registry[rec.state]
  if kind then
    local old, new = keys.rq_registry(kind, w, from), keys.rq_registry(kind, w, rec.queue)
    local score = rq.put('zset', 'ZSCORE', old, id)
    rq.put('zset', 'ZREM', old, id)
    if score then rq.put('zset', 'ZADD', new, score, id) end
  else
    listing.leave(w, from, id)
    listing.enter(w, rec.queue, id)
  end
  rq.put('hash', 'HSET', keys.rq_job(w, rec.id), 'origin', keys.rq_name(w, rec.queue))
end

-- Let a job stand in another queue, with another demand, or at another place in its line. A ready job leaves its line
-- and arrives in the other one with the number of its first arrival. Tokens that were kept for it are kept no more.
local function move(w, rec, job, order, now)
  local ready, from, kept = rec.state == 'ready', rec.queue, rec.passed > 0 and rec.demand
  if ready then lines.leave(w, rec) end
  rec.queue, rec.demand, rec.project, rec.order = job.queue, job.demand, job.project, order
  redis.call('HSET', keys.job(w, rec.id), 'queue', rec.queue, 'demand', rec.demand, 'project', rec.project,
    'order', string.format('%.0f', order))
  redis.call('SADD', keys.queues(w), rec.queue)
  if ready then lines.enter(w, rec) end
  if from ~= rec.queue then show(w, rec, from) end
  if ready then wake.queue(w, rec.queue, now) end
  if ready and kept then wake.tokens(kept, now) end
end

-- Take the plan of a submission, made at `made`, ms, for a job that is there, and that does not run.
function replans.take(w, rec, job, made, now)
  redis.call('HSET', keys.job(w, rec.id), 'payload', job.payload, 'options', job.options, 'tags', job.tags,
    'priority', job.priority, 'max_retries', job.max_retries, 'max_losses', job.max_losses,
    'backoff_ms', job.backoff_ms, 'planned', string.format('%.0f', made))
  rec.max_retries, rec.max_losses, rec.backoff_ms = job.max_retries, job.max_losses, job.backoff_ms
  local order = lines.order(job.priority, lines.arrival(rec.order))
  if rec.queue ~= job.queue or rec.demand ~= job.demand or (rec.project or '') ~= job.project or rec.order ~= order then
    move(w, rec, job, order, now)
  end
end
