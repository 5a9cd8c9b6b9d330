#!lua
--[[ view_members: find members of one of RQ's registries that do not belong there, and remove them if asked.

KEYS[1]  rq:KIND:QUEUE@W  zset  the registry; a key of another type has no members
ARGV[1]  workspace id
ARGV[2]  queue
ARGV[3]  kind of the registry: wip, deferred, scheduled, finished, failed, canceled
ARGV[4]  members, as a list in JSON
ARGV[5]  1 to remove those that do not belong there, 0 to look only

Returns how many did not belong there
Invariant  changes no job.
Cost O(log n) a member. Safe to repeat: yes.
]]
-- include: guard keys review view
local registry_key = KEYS[1]
local w, queue, kind, list, repair = unpack(ARGV)
guard.named('workspace', w)
guard.one_of('repair', repair, { ['0'] = true, ['1'] = true })
local decoded, members = pcall(cjson.decode, list)
if not decoded or type(members) ~= 'table' then guard.refuse('members: malformed') end
for _, member in ipairs(members) do
  if type(member) ~= 'string' then guard.refuse('members: malformed') end
end
if redis.call('TYPE', registry_key).ok ~= 'zset' then return 0 end

local function belongs(member)
  local id, execution = string.match(member, '^(.-):(.*)$')
  local prefix = keys.rq_id(w, '')
  if string.sub(member, 1, #prefix) ~= prefix then return false end
  local identity = string.sub(kind == 'wip' and id or member, #prefix + 1)
  local job = keys.job(w, identity)
  if redis.call('TYPE', job).ok ~= 'hash' then return false end
  local rec = review.load(w, identity)
  if not rec or rec.queue ~= queue then return false end
  if kind == 'wip' then return rec.state == 'running' and rec.execution == execution end
  return view.facts.registry[rec.state] == kind
end

local wrong = 0
for _, member in ipairs(members) do
  if not belongs(member) then
    wrong = wrong + 1
    if repair == '1' then redis.call('ZREM', registry_key, member) end
  end
end
return wrong
