-- Arguments are checked before the first write, because Redis rolls nothing back.
local guard = {}

function guard.refuse(text) error({ err = 'XPMARG ' .. text }) end

function guard.type(key, wanted)
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and found ~= wanted then guard.refuse(key .. ' is a ' .. found .. ', expected a ' .. wanted) end
end

function guard.integer(name, value, least, most)
  local number = tonumber(value)
  if not number or number ~= math.floor(number) or number < least or number > (most or 2 ^ 53) then
    guard.refuse(name .. ': expected an integer of at least ' .. least .. ', got ' .. tostring(value))
  end
  return number
end

function guard.one_of(name, value, allowed)
  if not allowed[value] then guard.refuse(name .. ': unknown value ' .. tostring(value)) end
  return value
end

function guard.named(name, value)
  if not value or value == '' then guard.refuse(name .. ': missing') end
  return value
end
