-- What may be wrong with what is submitted: all of it is looked for before anything is written.
-- include: guard keys tokens
local faults = {}

-- What is wrong with a submission, or nil. `batch` are the identities that come before it in this call.
function faults.of(w, job, batch)
  for _, want in ipairs(tokens.parse(job.demand)) do
    local capacity = redis.call('HGET', keys.token(want.name), 'capacity')
    if not capacity or want.n > tonumber(capacity) or want.n < 1 then
      return { -1, job.id, want.name, want.n, tonumber(capacity or '0') }
    end
  end
  for _, need in ipairs(job.needs) do
    if not batch[need] and redis.call('EXISTS', keys.job(w, need)) == 0 then return { -2, job.id, need } end
  end
  guard.integer('priority', job.priority, -100, 100)
  guard.type(keys.job(w, job.id), 'hash')
  guard.type(keys.line(w, job.queue, job.demand), 'zset')
  guard.type(keys.lines(w, job.queue), 'zset')
  return nil
end
