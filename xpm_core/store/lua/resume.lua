#!lua flags=allow-oom
--[[ resume: let jobs of a paused queue be claimed again.

KEYS[1]  xpm:W:paused  hash  queue -> JSON {since (ms), by, why}
ARGV[1]  workspace id
ARGV[2]  queue
ARGV[3]  who resumes it

Returns {code, ready, pause}
   1  RESUMED  it is not paused any more, and an idle worker was woken
   2  ALREADY  it was not paused; nothing changed
  ready counts the jobs that stand in its lines; pause is the JSON of the pause that has ended.
Invariant  the worker that is woken wakes the next one, as long as there are jobs.
Cost O(lines of the queue). Safe to repeat: yes.
]]
-- include: clock events guard keys pauses typed wake
local paused_key = KEYS[1]
local w, queue, by = unpack(ARGV)
guard.type(paused_key, 'hash')
typed.workspace(w)
typed.queue(w, guard.named('queue', queue))
guard.named('by', by)
local now, ready = clock.now(), 0
for _, demand in ipairs(redis.call('ZRANGE', keys.lines(w, queue), 0, -1)) do
  guard.type(keys.line(w, queue, demand), 'zset')
  ready = ready + redis.call('ZCARD', keys.line(w, queue, demand))
end
local said = pauses.said(w, queue)
if not said then return { 2, ready, '' } end
redis.call('HDEL', paused_key, queue)
events.queue(w, 'queue_resumed', queue, now, 'by', by)
wake.queue(w, queue, now)
return { 1, ready, said }
