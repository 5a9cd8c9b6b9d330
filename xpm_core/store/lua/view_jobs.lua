#!lua
--[[ view_jobs: compare what RQ's tools read of jobs with the jobs, and write it anew if asked.

KEYS[1]  xpm:W:counts  hash  state -> number of jobs
ARGV[1]  workspace id
ARGV[2]  identities, in one text with spaces between
ARGV[3]  1 to write anew what is wrong, 0 to look only

Returns the identities of the jobs that the view showed wrongly
Invariant  changes no job; writes nothing that view.lua does not write.
Cost O(log n) a job. Safe to repeat: yes.
]]
-- include: clock guard keys review rewrite typed
local counts_key = KEYS[1]
local w, list, repair = unpack(ARGV)
guard.type(counts_key, 'hash')
typed.workspace(w)
guard.one_of('repair', repair, { ['0'] = true, ['1'] = true })
for identity in string.gmatch(list, '%S+') do guard.type(keys.job(w, identity), 'hash') end
local now, wrong = clock.now(), {}
for identity in string.gmatch(list, '%S+') do
  local rec = review.load(w, identity)
  if rec and not review.is_right(w, rec, now) then
    wrong[#wrong + 1] = identity
    if repair == '1' then rewrite.job(w, rec, now) end
  end
end
return wrong
