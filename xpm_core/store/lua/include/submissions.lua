-- One submitted job: new, or attached to what is there.
-- include: codes edges events jobs keys lines needs replans retries wake
local submissions = {}

local CODE = { NEW = 1, ATTACHED = 2, DONE = 3, RETRIED = 4, UNMARKED = 5 }
local UNSTARTED = { waiting = true, blocked = true, ready = true, delayed = true }
local ADOPTING = { waiting = true, blocked = true, ready = true, delayed = true, failed = true, cancelled = true }

local function record(w, job, now)
  local rec = { id = job.id, task = job.task, queue = job.queue, demand = job.demand,
    project = job.project, passed = 0, attempts = 0, failures = 0, losses = 0, ended = 0 }
  rec.order = lines.order(job.priority, redis.call('INCR', keys.seq))
  needs.link(w, rec, job.needs)
  redis.call('HSET', keys.job(w, job.id), 'task', job.task, 'name', job.name, 'directory', job.directory, 'payload',
    job.payload, 'options', job.options, 'tags', job.tags, 'queue', job.queue, 'demand', job.demand, 'project',
    job.project, 'priority', job.priority, 'order', string.format('%.0f', rec.order), 'pending', rec.pending,
    'broken', rec.broken,
    'max_retries', job.max_retries, 'max_losses', job.max_losses, 'backoff_ms', job.backoff_ms, 'submitted', now)
  if job.replaces then redis.call('HSET', keys.job(w, job.id), 'replaces', job.replaces) end
  redis.call('SADD', keys.queues(w), job.queue)
  return rec
end

local function adopt(w, rec, execution, now)
  local before = rec.state and needs.meaning(rec.state)
  jobs.move(w, rec, 'done', now, { ended = now, reason = 'adopted', execution = execution }, 'reason', 'adopted')
  if before then edges.announce(w, rec.id) end
end

local function create(w, job, now)
  local rec = record(w, job, now)
  events.tell(w, 'submitted', rec, now)
  if job.marker ~= '' then
    adopt(w, rec, job.marker, now)
    return CODE.DONE, rec
  end
  local to = jobs.place(rec)
  if to == 'blocked' then
    local root = needs.root(w, rec)
    jobs.move(w, rec, to, now, { root = root }, 'root', root)
  else
    jobs.move(w, rec, to, now)
  end
  if to == 'ready' then wake.queue(w, rec.queue, now) end
  return CODE.NEW, rec
end

-- Whether a job ended before a run began. If it ended later than now, the clock has gone back since.
local function ended_before(rec, run_started, now)
  return rec.ended < run_started or (rec.ended > now and run_started <= now)
end

-- Take one submission. A job that failed before `run_started` (ms) runs again; a later failure is of this run. A job that
-- has not begun takes the newest submission: it was made after the job came, and none that was made later was taken.
-- `rec.code` says what became of its snapshot.
function submissions.take(w, job, run_started, now)
  local rec = not job.new and jobs.load(w, job.id)
  if not rec then return create(w, job, now) end
  if rec.state == 'done' then return job.marker ~= '' and CODE.DONE or CODE.UNMARKED, rec end
  if job.marker ~= '' and job.marker ~= rec.replaces and ADOPTING[rec.state] then
    adopt(w, rec, job.marker, now)
    return CODE.DONE, rec
  end
  local at = redis.call('HMGET', keys.job(w, job.id), 'submitted', 'planned', 'options')
  local made = job.made or run_started
  local newest = tonumber(at[1] or 0) < made and tonumber(at[2] or 0) <= made
  local again = (rec.state == 'failed' or rec.state == 'cancelled') and ended_before(rec, run_started, now)
  local taken = again or (UNSTARTED[rec.state] and newest)
  rec.code = codes.fate(at[3] or '', job.options, taken)
  if taken then replans.take(w, rec, job, made, now) end
  if not again then return CODE.ATTACHED, rec end
  retries.start(w, rec, now)
  return CODE.RETRIED, rec
end
