#!lua flags=allow-oom
--[[ forget: take a settled job out of the server, because its directory is removed. A later submission runs it anew.

KEYS[1]  xpm:W:counts  hash  state -> number of jobs
ARGV[1]  workspace id
ARGV[2]  the collection, as in collect.lua
ARGV[3]  how long the collection lasts from now, ms
ARGV[4]  identity; empty to say that the directory of the last one is gone
ARGV[5]  its latest execution that the caller saw; empty if it saw none
ARGV[6]  identities of the jobs that it needs by its directory, in one text with spaces between

Returns {code, word}
   1  TAKEN      the server does not know the job (any more). Nobody can submit it until the next call, or until the
                 collection is over: the caller removes the directory before
   0  UNSETTLED  it is `word`
  -1  NEEDED     `word` needs it, a job that is not done; empty if that one is not found soon
  -2  STALE      another execution has ended since the caller looked
  -4  NAMED      somebody has submitted it since the collection began
  -5  OVER       the collection is over
Invariant  no job that is not done needs a job that the server does not know.
Cost O(experiments + dependents of the jobs that it needs). Safe to repeat: yes.
]]
-- include: clock guard jobs keys needs removals typed
local counts_key = KEYS[1]
local w, id, lease_ms, identity, execution, text = unpack(ARGV)
local LOOKED = 500
guard.type(counts_key, 'hash')
typed.workspace(w)
removals.check(w)
guard.named('collection', id)
local lease, list = guard.integer('lease_ms', lease_ms, 1, 10 ^ 9), {}
guard.type(keys.experiments(w), 'zset')
for _, name in ipairs(redis.call('ZRANGE', keys.experiments(w), 0, -1)) do
  guard.type(keys.experiment_jobs(w, name), 'set')
end
for need in string.gmatch(text or '', '%S+') do
  guard.type(keys.dependents(w, need), 'list')
  list[#list + 1] = need
end
if identity ~= '' then
  typed.job(w, identity)
  guard.type(keys.forgotten(w, identity), 'string')
end
local now = clock.now()
if not removals.renew(w, id, now, lease) then return { -5, '' } end
redis.call('HDEL', keys.collection(w), 'going')
if identity == '' then return { 1, '' } end
if redis.call('SISMEMBER', keys.named(w), identity) == 1 then return { -4, '' } end
local rec = jobs.load(w, identity)
if rec then
  if rec.state ~= 'done' and rec.state ~= 'failed' and rec.state ~= 'cancelled' then return { 0, rec.state } end
  local user = needs.user(w, identity, LOOKED)
  if user then return { -1, user } end
  if (rec.execution or '') ~= execution then return { -2, '' } end
  removals.forget(w, rec, list, now)
end
redis.call('HSET', keys.collection(w), 'going', identity)
return { 1, '' }
