#!lua flags=no-writes
--[[ why: the facts from which follows why a job does not run, all of one moment.

KEYS[1]  xpm:W:leases  zset  identity -> end of its lease, ms
ARGV[1]  workspace id
ARGV[2]  identity

Returns JSON; empty if the server does not know the job
  now (ms), state, execution, suspended, pause (of its queue, absent without one); of a running job lease_end (ms) and
  lease_ms; of a waiting one steps and pending (include/chains.lua); of any that has not started, what
  include/prospects.lua and include/witnesses.lua find, in_line (it is ready, or its retry is due), ready and ahead
  (jobs in its queue's lines; those before it), and of a ready one place, of and before (its place in its line, how
  many jobs stand there, the first of those before it).
Invariant  nothing is written.
Cost O(workers of the queue + running jobs + lines of their queues). Safe to repeat: yes.
]]
-- include: chains clock guard keys lines pauses prospects typed witnesses
local leases_key = KEYS[1]
local w, identity = unpack(ARGV)
local UNSTARTED = { waiting = true, blocked = true, ready = true, delayed = true }
local FIRST = 3 -- jobs before it that are named
guard.type(leases_key, 'zset')
typed.workspace(w)
typed.job(w, identity)
local now = clock.now()
local v = redis.call('HMGET', keys.job(w, identity), 'state', 'execution', 'lease_ms', 'queue', 'demand', 'project',
  'missing', 'order', 'due')
local state, execution, lease_ms, queue, order = v[1], v[2], tonumber(v[3] or ''), v[4], tonumber(v[8] or '0')
if not state then return '' end
local facts = {}
if UNSTARTED[state] then
  local name = lines.name({ demand = v[5] or '', project = v[6] or nil, missing = v[7] or nil })
  local head = { w = w, id = identity, queue = queue or '', demand = name, order = order }
  facts = prospects.of(head, now)
  facts.workers, facts.refusals = witnesses.workers(head, now), witnesses.refusals(head, now)
  for _, token in ipairs(facts.tokens) do token.holders = witnesses.holders(token) end
  facts.in_line = state == 'ready' or state == 'delayed' and tonumber(v[9] or '0') <= now
  facts.ahead, facts.ready = 0, 0
  for _, each in ipairs(redis.call('ZRANGE', keys.lines(w, head.queue), 0, -1)) do
    local before = redis.call('ZCOUNT', keys.line(w, head.queue, each), '-inf', '(' .. string.format('%.0f', order))
    facts.ahead = facts.ahead + before
    facts.ready = facts.ready + redis.call('ZCARD', keys.line(w, head.queue, each))
    if each == name and state == 'ready' then
      facts.place, facts.of = before + 1, redis.call('ZCARD', keys.line(w, head.queue, name))
      facts.before = redis.call('ZRANGE', keys.line(w, head.queue, name), 0, math.min(before, FIRST) - 1)
      if before == 0 then facts.before = {} end
    end
  end
end
if state == 'waiting' then facts.steps, facts.pending = chains.of(w, identity) end
if state == 'running' then
  facts.lease_end, facts.lease_ms = tonumber(redis.call('ZSCORE', leases_key, identity) or '0'), lease_ms
end
facts.now, facts.state, facts.execution = now, state, execution or ''
facts.suspended, facts.pause = pauses.suspended(w), pauses.said(w, queue or '')
return cjson.encode(facts)
