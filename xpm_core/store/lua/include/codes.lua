-- Which snapshot of the code a job names. It stands in the job's options, because these are signed.
local codes = {}

local known = {} -- cache of this call: many jobs have the same options

-- The snapshot that options name; empty if they name none, or are malformed: others can write into Redis.
function codes.of(options)
  if not known[options] then
    local fine, map = pcall(cjson.decode, options)
    local found = fine and type(map) == 'table' and map.snapshot
    known[options] = type(found) == 'string' and #found == 64 and not found:find('%X') and found or ''
  end
  return known[options]
end

-- What becomes of the snapshot of a job that is there, in two words: `replaced` or `kept`, and which one it had. nil if
-- the submission names the same one. It is asked before a submission that is `taken` is written.
function codes.fate(had, submitted, taken)
  if had == submitted or codes.of(had) == codes.of(submitted) then return nil end
  return (taken and 'replaced ' or 'kept ') .. codes.of(had)
end
