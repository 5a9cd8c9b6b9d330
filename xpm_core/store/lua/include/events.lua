-- The faithful history: each transition appends one event to the stream of its workspace.
-- include: keys
local events = {}

local BOUND = 200000 -- entries kept; a subscriber that is behind reads the jobs themselves

-- Append an event of a job, with its execution and worker if they are known.
function events.tell(w, name, rec, now, ...)
  local entry = { 'event', name, 'job', rec.id, 'task', rec.task, 'at', now }
  if rec.execution then
    entry[#entry + 1], entry[#entry + 2] = 'execution', rec.execution
  end
  if rec.worker then
    entry[#entry + 1], entry[#entry + 2] = 'worker', rec.worker
  end
  for i = 1, select('#', ...) do entry[#entry + 1] = (select(i, ...)) end
  redis.call('XADD', keys.events(w), 'MAXLEN', '~', BOUND, '*', unpack(entry))
end

function events.worker(w, name, worker, now)
  redis.call('XADD', keys.events(w), 'MAXLEN', '~', BOUND, '*', 'event', name, 'worker', worker, 'at', now)
end

function events.ordered(w, worker, order, by, now)
  redis.call('XADD', keys.events(w), 'MAXLEN', '~', BOUND, '*', 'event', 'worker_ordered', 'worker', worker, 'at', now,
    'order', order, 'by', by)
end

function events.queue(w, name, queue, now, ...)
  redis.call('XADD', keys.events(w), 'MAXLEN', '~', BOUND, '*', 'event', name, 'at', now, 'queue', queue, ...)
end

-- The id of the last event so far.
function events.last(w)
  local entry = redis.call('XREVRANGE', keys.events(w), '+', '-', 'COUNT', 1)[1]
  return entry and entry[1] or '0-0'
end
