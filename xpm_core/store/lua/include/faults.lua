-- Faults of submissions: all are looked for before anything is written.
-- include: guard keys lines tokens typed
local faults = {}

local WORDS = { 'task', 'name', 'queue', 'demand', 'options' }
local NUMBERS = { 'max_retries', 'max_losses', 'backoff_ms' }
local seen = {} -- cache of this call: kinds that were checked

local function shape(w, kind)
  for _, name in ipairs(WORDS) do
    if type(kind[name]) ~= 'string' then guard.refuse('job: ' .. name .. ' is no string') end
  end
  for _, name in ipairs(NUMBERS) do guard.integer('job: ' .. name, kind[name], 0) end
  guard.integer('job: priority', kind.priority, -100, 100)
  guard.integer('job: made', kind.made or 0, 0)
  kind.project = kind.project or ''
  if type(kind.project) ~= 'string' or not string.match(kind.project, '^%x*$') then guard.refuse('job: project') end
  typed.queue(w, kind.queue)
  typed.demand(kind.demand)
  guard.type(keys.line(w, kind.queue, lines.name(kind)), 'zset')
end

-- Why a demand cannot be met: token, units asked, capacity; or nil.
local function excess(demand)
  for _, want in ipairs(tokens.parse(demand)) do
    local capacity = redis.call('HGET', keys.token(want.name), 'capacity')
    if not capacity or want.n > tonumber(capacity) or want.n < 1 then
      return want.name, want.n, tonumber(capacity or '0')
    end
  end
end

-- The fault of a submission, or nil. `batch` holds the identities that come before it in this call. Sets `job.new` if
-- the job has no keys yet.
function faults.of(w, job, batch)
  if not seen[job.kind] then
    shape(w, job.kind)
    local token, asked, capacity = excess(job.demand)
    if token then return { -1, job.id, token, asked, capacity } end
    seen[job.kind] = true
  end
  local own = { keys.job(w, job.id), keys.needs(w, job.id), keys.dependents(w, job.id) }
  job.new = not batch[job.id] and redis.call('EXISTS', unpack(own)) == 0
  if not job.new then typed.job(w, job.id) end
  if job.marker ~= '' then guard.type(keys.forgotten(w, job.id), 'string') end
  for _, need in ipairs(job.needs) do
    if not batch[need] and redis.call('EXISTS', keys.job(w, need)) == 0 then return { -2, job.id, need } end
  end
end
