#!lua flags=no-writes
--[[ waits: what keeps the heads of a queue's lines from running, for a page of lines.

KEYS[1]  xpm:W:lines:QUEUE  zset  name of each line -> order of its head
ARGV[1]  workspace id
ARGV[2]  queue
ARGV[3]  how many lines to leave out
ARGV[4]  how many lines to look at

Returns JSON {now (ms), suspended, pause, more, lines}
  pause is that of the queue, absent without one; more says whether there are further lines. A line has what include/prospects.lua finds for its head, the head's
  identity, and jobs: how many stand in it.
Invariant  nothing is written.
Cost O(ARGV[4] * workers of the queue + running jobs). Safe to repeat: yes.
]]
-- include: clock guard keys pauses prospects typed
local lines_key = KEYS[1]
local w, queue, start, count = unpack(ARGV)
guard.type(lines_key, 'zset')
typed.workspace(w)
typed.queue(w, guard.named('queue', queue))
start, count = guard.integer('start', start, 0), guard.integer('count', count, 1)
local now, list = clock.now(), {}
local flat = redis.call('ZRANGE', lines_key, start, start + count - 1, 'WITHSCORES')
for i = 1, #flat, 2 do
  local line = keys.line(w, queue, flat[i])
  local head = { w = w, queue = queue, demand = flat[i], order = tonumber(flat[i + 1]) }
  head.id = redis.call('ZRANGE', line, 0, 0)[1]
  local facts = prospects.of(head, now)
  facts.head, facts.jobs = head.id, redis.call('ZCARD', line)
  list[#list + 1] = facts
end
local more = redis.call('ZCARD', lines_key) > start + count
local suspended, pause = pauses.suspended(w), pauses.said(w, queue)
return cjson.encode({ now = now, suspended = suspended, pause = pause, more = more, lines = list })
