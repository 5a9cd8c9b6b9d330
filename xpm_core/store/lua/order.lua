#!lua flags=allow-oom
--[[ order: order a worker to leave, or take that back. It learns of it by the reply to its next call.

KEYS[1]  xpm:W:workers  zset  name -> alive until, ms
ARGV[1]  workspace id
ARGV[2]  worker name
ARGV[3]  drain (finish the job), stop (hand the job back within the grace), stop_now (at once), or resume
ARGV[4]  who orders it

Returns {code, order}: the order that stands now; empty for none
   1  ORDERED    it stands in the worker's hash, and the worker is woken
   2  ALREADY    the same or a stricter order stood before; or there is none to take back
  -1  DEAF       the worker's version of xpm takes no orders from afar
  -2  SIGNALLED  it leaves because of a signal, or because its time is over: that cannot be taken back from afar
  -3  UNKNOWN    no such worker
  -4  STOPPING   it was ordered to stop: only a drain can be taken back
Invariant  an order stays until the worker has left, also while the worker cannot be reached.
Cost O(queues of the worker). Safe to repeat: yes.
]]
-- include: clock commands events guard keys typed wake
local workers_key = KEYS[1]
local w, name, order, by = unpack(ARGV)
guard.type(workers_key, 'zset')
typed.workspace(w)
guard.one_of('order', order, { drain = true, stop = true, stop_now = true, resume = true })
local hash = keys.worker(w, guard.named('worker', name))
guard.named('by', by)
guard.type(hash, 'hash')
guard.type(keys.wake(w, name), 'list')
local found = redis.call('HMGET', hash, 'queues', 'orders', 'signalled', 'lease_ms')
if not found[1] then return { -3, '' } end
for queue in string.gmatch(found[1], '[^,]+') do typed.queue(w, queue) end
if not found[2] then return { -1, '' } end
local stands, now, lease_ms = commands.of(w, name), clock.now(), tonumber(found[4] or '') or 30000
if order == 'resume' then
  if found[3] then return { -2, stands } end
  if stands == '' then return { 2, '' } end
  if stands ~= 'drain' then return { -4, stands } end
  redis.call('HDEL', hash, 'order', 'ordered_by', 'leaving')
else
  if commands.strictness(stands) >= commands.strictness(order) then return { 2, stands } end
  redis.call('HSET', hash, 'order', order, 'ordered_by', by)
  redis.call('HSETNX', hash, 'leaving', now)
  redis.call('PEXPIRE', hash, commands.kept(order, lease_ms))
end
events.ordered(w, name, order, by, now)
wake.worker(w, name)
redis.call('PUBLISH', keys.rq_pubsub(name), cjson.encode({ command = 'xpm-order' }))
return { 1, order ~= 'resume' and order or '' }
