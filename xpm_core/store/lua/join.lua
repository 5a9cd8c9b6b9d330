#!lua flags=allow-oom
--[[ join: register a worker, with the queues that it serves. Its machine may have a place for code again.

KEYS[1]  xpm:W:workers  zset  name -> alive until, ms
ARGV[1]  workspace id
ARGV[2]  worker name
ARGV[3]  lease in ms
ARGV[4]  queue names joined by commas
ARGV[5]  host
ARGV[6]  pid
ARGV[7]  path of the workspace on that host
ARGV[8]  version of xpm
ARGV[9]  devices, as claim.lua has them
ARGV[10]  how long the worker will live, ms; empty for ever
ARGV[11]  the worker that died and whose place it takes; empty for none. It inherits the order of that one.

Returns {1}
Invariant  a worker that makes no call for a lease counts as gone.
Cost O(queues). Safe to repeat: yes.
]]
-- include: asks clock commands events guard keys refusals typed
local workers_key = KEYS[1]
local w, name, lease_ms, queues, host, pid, path, version, devices, left_ms, before = unpack(ARGV)
guard.type(workers_key, 'zset')
typed.workspace(w)
guard.integer('lease', lease_ms, 1)
guard.named('worker', name)
local ask = asks.ask(w, name, host, lease_ms, '', queues, '0', left_ms)
for _, queue in ipairs(ask.queues) do typed.queue(w, queue) end
local hash, now = keys.worker(w, name), clock.now()
guard.type(hash, 'hash')
if before and before ~= '' then guard.type(keys.worker(w, before), 'hash') end
if redis.call('EXISTS', hash) == 0 then events.worker(w, 'worker_up', name, now) end
redis.call('HSET', hash, 'name', name, 'host', host, 'pid', pid, 'queues', queues, 'path', path, 'version', version,
  'lease_ms', lease_ms, 'started', now, 'devices', devices or '', 'orders', 1)
if before and before ~= '' then commands.inherit(w, before, name) end
local refused = keys.refusals(w, refusals.daemon(name))
local found = redis.pcall('HGETALL', refused)
for number = 1, #found, 2 do
  local fine, about = pcall(cjson.decode, found[number + 1])
  if fine and type(about) == 'table' and about.trouble then redis.call('HDEL', refused, found[number]) end
end
asks.note_end(ask, now)
asks.alive(ask, now)
return { 1 }
