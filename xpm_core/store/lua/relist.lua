#!lua
--[[ relist: put jobs into the lists of their states. A worker of an earlier xpm does not keep these lists.

KEYS[1]  xpm:W:counts  hash  state -> number of jobs
ARGV[1]  workspace id
ARGV[2]  identities, in one text with spaces between

Returns how many of the jobs were missing from the list of their state, or stood in one of another state
Invariant  changes no job.
Cost O(log n) a job. Safe to repeat: yes.
]]
-- include: guard keys typed
local counts_key = KEYS[1]
local w, list = unpack(ARGV)
guard.type(counts_key, 'hash')
typed.workspace(w)
local wrong = 0
for identity in string.gmatch(list, '%S+') do
  guard.type(keys.job(w, identity), 'hash')
  local job = redis.call('HMGET', keys.job(w, identity), 'state', 'ended', 'submitted')
  local changed = 0
  for _, state in ipairs(keys.LISTED) do
    local there = redis.call('ZSCORE', keys.listed(w, state), identity)
    if job[1] == state and not there then
      redis.call('ZADD', keys.listed(w, state), tonumber(job[2] or job[3] or '0'), identity)
      changed = 1
    elseif job[1] ~= state and there then
      redis.call('ZREM', keys.listed(w, state), identity)
      changed = 1
    end
  end
  wrong = wrong + changed
end
return wrong
