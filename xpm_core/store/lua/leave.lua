#!lua flags=allow-oom
--[[ leave: a worker leaves. It runs no job any more.

KEYS[1]  xpm:W:workers  zset  name -> alive until, ms
ARGV[1]  workspace id
ARGV[2]  worker name

Returns {1} if it left, {0} if it was not there.
Invariant  nobody waits for a worker that left.
Cost O(queues). Safe to repeat: yes.
]]
-- include: clock events guard keys typed wake
local workers_key = KEYS[1]
local w, name = unpack(ARGV)
guard.type(workers_key, 'zset')
typed.workspace(w)
local hash = keys.worker(w, name)
local queues = redis.call('HGET', hash, 'queues')
if not queues then return { 0 } end
local list = {}
for queue in string.gmatch(queues, '[^,]+') do typed.queue(w, queue) end
for queue in string.gmatch(queues, '[^,]+') do
  list[#list + 1] = queue
  redis.call('ZREM', keys.serving(w, queue), name)
end
wake.forget(w, list, name)
redis.call('ZREM', workers_key, name)
redis.call('DEL', hash, keys.wake(w, name))
local now = clock.now()
events.worker(w, 'worker_down', name, now)
for _, queue in ipairs(list) do wake.queue(w, queue, now) end -- a wake-up may have been sent to the worker that left
return { 1 }
