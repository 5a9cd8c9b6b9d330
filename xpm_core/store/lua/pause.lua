#!lua
--[[ pause: let nothing be claimed from a queue. Jobs that run go on, and others can be submitted.

KEYS[1]  xpm:W:paused  hash  queue -> JSON {since (ms), by, why}
ARGV[1]  workspace id
ARGV[2]  queue
ARGV[3]  who pauses it
ARGV[4]  why; may be empty

Returns {code, known, pause}
   1  PAUSED   it is paused now
   2  ALREADY  it was paused before; nothing changed
  known is 1 if a job was ever submitted to the queue, or a worker serves it; pause is its JSON.
Invariant  no token is kept for a job of a paused queue.
Cost O(lines of the queue + reservations of their tokens). Safe to repeat: yes.
]]
-- include: clock events guard keys pauses tokens typed wake
local paused_key = KEYS[1]
local w, queue, by, why = unpack(ARGV)
guard.type(paused_key, 'hash')
typed.workspace(w)
typed.queue(w, guard.named('queue', queue))
guard.named('by', by)
local demands = redis.call('ZRANGE', keys.lines(w, queue), 0, -1)
for _, demand in ipairs(demands) do
  guard.type(keys.line(w, queue, demand), 'zset')
  for _, want in ipairs(tokens.parse(demand)) do typed.token(want.name) end
end
local now = clock.now()
local known = redis.call('SISMEMBER', keys.queues(w), queue) + redis.call('ZCOUNT', keys.serving(w, queue), now, '+inf')
local said = pauses.said(w, queue)
if said then return { 2, math.min(known, 1), said } end
said = cjson.encode({ since = now, by = by, why = why or '' })
redis.call('HSET', paused_key, queue, said)
events.queue(w, 'queue_paused', queue, now, 'by', by, 'why', why or '')
for _, demand in ipairs(demands) do pauses.keep_nothing(w, queue, demand) end
for _, demand in ipairs(demands) do wake.tokens(demand, now) end
return { 1, math.min(known, 1), said }
