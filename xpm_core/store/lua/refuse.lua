#!lua flags=allow-oom
--[[ refuse: hand a job back because this worker lacks a module, does not know an option, or has no place for its code.

KEYS[1]  xpm:W:leases  zset  identity -> end of its lease, ms
ARGV[1]  workspace id
ARGV[2]  worker name
ARGV[3]  lease in ms
ARGV[4]  identity
ARGV[5]  execution id
ARGV[6]  tag of what the worker lacks
ARGV[7]  why, as JSON {worker, host, module, looked, said}, or with option; or with trouble,
         then the worker gets no job of the project until it joins again. No attempt is counted.
ARGV[8]  the error of the job, as JSON {type, message, ...}, if no other worker can run it

Returns {code, state}
   1  REFUSED   the job is ready again (cancelled, if that was asked for), and its project is offered to others
   3  FAILED    every living worker that serves its queue has refused it: that is a failure of the job
   2  ALREADY   the same was done before; state is empty if another execution has the job since
  -2  STALE     the execution does not hold the job
  -3  UNKNOWN   no such job
Invariant  a refusal goes soon after its daemon; a job fails only when no living worker is left that has not refused.
Cost O(workers of the queue). Safe to repeat: yes.
]]
-- include: clock edges executions guard jobs keys lines outcomes refusals typed wake
local leases_key = KEYS[1]
local w, worker, lease_ms, identity, execution, module, said, error_json = unpack(ARGV)
local NAMED, LOOK_AGAIN_MS = 5, 120000 -- daemons that an error names; more than a worker rests (worker/slot/code/opening.py), in case it dies meanwhile
local function said_by_others(need, now)
  local list = {}
  for _, daemon in ipairs(refusals.daemons(need, now)) do
    for tag in string.gmatch(daemon ~= refusals.daemon(worker) and need.missing or '', '[^.]+') do
      local told = redis.call('HGET', keys.refusals(w, daemon), need.project .. '.' .. tag)
      local fine, about = pcall(cjson.decode, told or '')
      if fine and about.said then list[#list + 1] = about.said end
    end
  end
  table.sort(list)
  local more = #list > NAMED and '; and ' .. #list - NAMED .. ' more' or ''
  return table.concat(list, '; ', 1, math.min(#list, NAMED)) .. more
end
guard.type(leases_key, 'zset')
typed.workspace(w)
typed.job(w, identity)
guard.type(keys.execution(w, guard.named('execution', execution)), 'hash')
guard.integer('lease', lease_ms, 1)
if not string.match(guard.named('module', module), '^%x+$') then guard.refuse('module: no tag') end
local refusals_key = keys.refusals(w, refusals.daemon(guard.named('worker', worker)))
guard.type(refusals_key, 'hash')
local now, failure, about = clock.now(), cjson.decode(error_json), cjson.decode(said)
if type(failure) ~= 'table' or type(failure.message) ~= 'string' then guard.refuse('error: no message') end
if type(about) ~= 'table' or type(about.said) ~= 'string' then guard.refuse('said: nothing') end
local rec = jobs.load(w, identity)
if not rec then return { -3, '' } end
local ended = redis.call('HGET', keys.execution(w, execution), 'ended')
if ended == 'released' or ended == 'retry' or ended == 'failed' then return { 2, executions.heard(rec, execution) } end
if rec.state ~= 'running' or rec.execution ~= execution then return { -2, rec.state } end
local need = { w = w, queue = rec.queue, project = rec.project or '', missing = lines.lacking(rec, module) }
if about.trouble then -- the machine may have a place soon
  need.missing = rec.missing or ''
  said = string.format('%s,"look_again_ms":%d}', string.sub(said, 1, -2), now + LOOK_AGAIN_MS)
end
local line = lines.name({ demand = rec.demand, project = need.project, missing = need.missing })
guard.type(keys.line(w, rec.queue, line), 'zset')
redis.call('HSET', refusals_key, need.project .. '.' .. module, said)
redis.call('PEXPIRE', refusals_key, lease_ms * 4)
local code, heard = 1, clock.may_expire(w, now, tonumber(lease_ms)) -- if not, living workers may seem dead
if rec.cancel then
  executions.finish(w, rec, 'released', 'cancelled', now, { ended = now, reason = 'cancelled' })
elseif heard and refusals.complete(need, now) then
  local others = said_by_others(need, now)
  if others ~= '' then failure.message = failure.message .. ' Nor can the others that serve its queue: ' .. others end
  code = 3
  outcomes.fail(w, rec, cjson.encode(failure), now)
else
  executions.finish(w, rec, 'released', 'ready', now,
    { attempts = rec.attempts - 1, reason = 'refused', missing = need.missing }, 'reason', 'refused', 'said', said)
end
wake.tokens(rec.demand, now)
edges.work(w, now)
return { code, rec.state }
