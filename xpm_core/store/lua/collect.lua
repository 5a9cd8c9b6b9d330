#!lua flags=allow-oom
--[[ collect: begin or end a collection, the time in which one `xpm gc` removes jobs. There is at most one at a time.

KEYS[1]  xpm:W:collection  hash  id, until (ms), about (JSON), going (the job whose directory is being removed)
ARGV[1]  workspace id
ARGV[2]  the collection's id, made by the caller
ARGV[3]  how long it lasts from now, ms, unless `forget` is called meanwhile; 0 to end it
ARGV[4]  facts to show, as JSON: host, pid, user

Returns {code, about}
   1  BEGUN  from now on, jobs that somebody names are noted
   2  ENDED  it is over
   0  BUSY   another collection goes on; `about` says whose it is
Invariant  what somebody names after the begin is not removed.
Cost O(1). Safe to repeat: yes, with the same id.
]]
-- include: clock guard keys removals
local collection_key = KEYS[1]
local w, id, lease_ms, about = unpack(ARGV)
guard.named('workspace', w)
guard.named('id', id)
guard.integer('lease_ms', lease_ms, 0, 10 ^ 9)
guard.type(collection_key, 'hash')
removals.check(w)
local now, lease = clock.now(), tonumber(lease_ms)
local found = redis.call('HMGET', collection_key, 'id', 'until', 'about')
local goes_on = found[1] and tonumber(found[2]) > now
if lease == 0 then
  if found[1] == id then redis.call('DEL', collection_key, keys.named(w)) end
  return { 2, '' }
end
if goes_on and found[1] ~= id then return { 0, found[3] or '' } end
if not goes_on then redis.call('DEL', collection_key, keys.named(w)) end
redis.call('HSET', collection_key, 'id', id, 'until', now + lease, 'about', about or '')
redis.call('PEXPIRE', collection_key, lease)
return { 1, '' }
