#!lua
--[[ recall: let done jobs belong to an experiment. The caller has seen `done` markers in their directories.

KEYS[1]  xpm:W:experiment:NAME:jobs  set  identities of the experiment's jobs
ARGV[1]  workspace id
ARGV[2]  identities, in one text with spaces between

Returns {cursor, found}: the last event so far, and for each job '1' if it is done; else '0': submit it
Invariant  changes no job.
Cost O(1) a job. Safe to repeat: yes.
]]
-- include: clock events guard keys removals typed
local experiment_key = KEYS[1]
local w, list = unpack(ARGV)
guard.type(experiment_key, 'set')
typed.workspace(w)
removals.check(w)
local found, done = {}, {}
for identity in string.gmatch(list, '%S+') do
  local key = keys.job(w, identity)
  local same = redis.call('TYPE', key).ok == 'hash' and redis.call('HGET', key, 'state') == 'done'
  found[#found + 1] = same and '1' or '0'
  if same then done[#done + 1] = identity end
end
removals.note(w, done, clock.now())
for _, identity in ipairs(done) do redis.call('SADD', experiment_key, identity) end
return { events.last(w), table.concat(found) }
