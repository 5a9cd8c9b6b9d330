-- What may be wrong with what is submitted: all of it is looked for before anything is written.
-- include: guard keys tokens typed
local faults = {}

local WORDS = { 'id', 'task', 'name', 'directory', 'queue', 'demand', 'marker', 'options', 'tags' }
local NUMBERS = { 'max_retries', 'max_losses', 'backoff_ms' }

local function shape(w, job)
  for _, name in ipairs(WORDS) do
    if type(job[name]) ~= 'string' then guard.refuse('job: ' .. name .. ' is no string') end
  end
  for _, name in ipairs(NUMBERS) do guard.integer('job: ' .. name, job[name], 0) end
  guard.integer('job: priority', job.priority, -100, 100)
  if type(job.needs) ~= 'table' then guard.refuse('job: needs is no list') end
  typed.job(w, job.id)
  typed.queue(w, job.queue)
  typed.demand(job.demand)
  guard.type(keys.line(w, job.queue, job.demand), 'zset')
end

-- What is wrong with a submission, or nil. `batch` are the identities that come before it in this call.
function faults.of(w, job, batch)
  shape(w, job)
  for _, want in ipairs(tokens.parse(job.demand)) do
    local capacity = redis.call('HGET', keys.token(want.name), 'capacity')
    if not capacity or want.n > tonumber(capacity) or want.n < 1 then
      return { -1, job.id, want.name, want.n, tonumber(capacity or '0') }
    end
  end
  for _, need in ipairs(job.needs) do
    if not batch[need] and redis.call('EXISTS', keys.job(w, need)) == 0 then return { -2, job.id, need } end
  end
  return nil
end
