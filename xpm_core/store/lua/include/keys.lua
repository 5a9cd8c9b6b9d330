-- The keys that scripts build. store/keys.py is the glossary; a test holds the two equal.
local keys = {}

keys.seq = 'xpm:seq'
keys.tokens = 'xpm:tokens'
keys.passes = 'xpm:passes'
keys.suspended = 'rq:suspended'
keys.rq_queues = 'rq:queues'

-- States whose jobs stand in no other place (a line, delayed, leases). Jobs that are done are listed nowhere: they are
-- the rest, and there are many.
keys.LISTED = { 'waiting', 'blocked', 'failed', 'cancelled' }

function keys.token(name) return 'xpm:token:' .. name end
function keys.token_holders(name) return 'xpm:token:' .. name .. ':holders' end
function keys.token_queues(name) return 'xpm:token:' .. name .. ':queues' end
function keys.token_reserved(name) return 'xpm:token:' .. name .. ':reserved' end

function keys.job(w, j) return 'xpm:' .. w .. ':job:' .. j end
function keys.needs(w, j) return 'xpm:' .. w .. ':job:' .. j .. ':needs' end
function keys.dependents(w, j) return 'xpm:' .. w .. ':job:' .. j .. ':dependents' end
function keys.queues(w) return 'xpm:' .. w .. ':queues' end
function keys.paused(w) return 'xpm:' .. w .. ':paused' end
function keys.lines(w, queue) return 'xpm:' .. w .. ':lines:' .. queue end
function keys.line(w, queue, demand) return 'xpm:' .. w .. ':line:' .. queue .. ':' .. demand end
function keys.delayed(w) return 'xpm:' .. w .. ':delayed' end
function keys.listed(w, state) return 'xpm:' .. w .. ':listed:' .. state end
function keys.leases(w) return 'xpm:' .. w .. ':leases' end
function keys.execution(w, e) return 'xpm:' .. w .. ':execution:' .. e end
function keys.clock(w) return 'xpm:' .. w .. ':clock' end
function keys.worklist(w) return 'xpm:' .. w .. ':worklist' end
function keys.events(w) return 'xpm:' .. w .. ':events' end
function keys.counts(w) return 'xpm:' .. w .. ':counts' end
function keys.workers(w) return 'xpm:' .. w .. ':workers' end
function keys.worker(w, name) return 'xpm:' .. w .. ':worker:' .. name end
function keys.refusals(w, daemon) return 'xpm:' .. w .. ':refusals:' .. daemon end
function keys.serving(w, queue) return 'xpm:' .. w .. ':serving:' .. queue end
function keys.idle(w, queue) return 'xpm:' .. w .. ':idle:' .. queue end
function keys.wake(w, name) return 'xpm:' .. w .. ':wake:' .. name end
function keys.origins(w) return 'xpm:' .. w .. ':origins' end
function keys.experiments(w) return 'xpm:' .. w .. ':experiments' end
function keys.experiment(w, name) return 'xpm:' .. w .. ':experiment:' .. name end
function keys.experiment_jobs(w, name) return 'xpm:' .. w .. ':experiment:' .. name .. ':jobs' end
function keys.collection(w) return 'xpm:' .. w .. ':collection' end
function keys.named(w) return 'xpm:' .. w .. ':named' end
function keys.forgotten(w, j) return 'xpm:' .. w .. ':forgotten:' .. j end
function keys.view_stale(w, queue) return 'xpm:' .. w .. ':view:' .. queue .. ':stale' end
function keys.view_missing(w, queue) return 'xpm:' .. w .. ':view:' .. queue .. ':missing' end

function keys.rq_name(w, queue) return queue .. '@' .. w end
function keys.rq_id(w, j) return w .. '-' .. j end
function keys.rq_job(w, j) return 'rq:job:' .. w .. '-' .. j end
function keys.rq_queue(w, queue) return 'rq:queue:' .. queue .. '@' .. w end
function keys.rq_registry(kind, w, queue) return 'rq:' .. kind .. ':' .. queue .. '@' .. w end
function keys.rq_execution(w, j, e) return 'rq:execution:' .. w .. '-' .. j .. ':' .. e end
function keys.rq_executions(w, j) return 'rq:executions:' .. w .. '-' .. j end
function keys.rq_worker(name) return 'rq:worker:' .. name end
function keys.rq_worker_executions(name) return 'rq:worker:' .. name .. ':executions' end
function keys.rq_pubsub(name) return 'rq:pubsub:' .. name end
