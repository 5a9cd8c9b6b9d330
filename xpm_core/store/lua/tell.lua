#!lua flags=allow-oom
--[[ tell: pass on what a running job says: how far it is, or a result that it has already.

KEYS[1]  xpm:W:events  stream  all events, in order
ARGV[1]  workspace id
ARGV[2]  identity
ARGV[3]  execution id
ARGV[4]  event: progress or output
ARGV[5]  its words, as JSON

Returns {code}
   1  TOLD   it is in the stream; the job also holds its latest progress
  -2  STALE  the execution does not hold the job: nothing was written
Invariant  only words of the execution that holds the job count.
Cost O(1). Safe to repeat: a repeated call makes a second event.
]]
-- include: clock events guard jobs keys
local events_key = KEYS[1]
local w, identity, execution, event, said = unpack(ARGV)
guard.type(events_key, 'stream')
guard.type(keys.job(w, guard.named('identity', identity)), 'hash')
guard.one_of('event', event, { progress = true, output = true })
local rec = jobs.load(w, identity)
if not rec or rec.state ~= 'running' or rec.execution ~= execution then return { -2 } end
if event == 'progress' then redis.call('HSET', keys.job(w, identity), 'progress', said) end
events.tell(w, event, rec, clock.now(), 'data', said)
return { 1 }
