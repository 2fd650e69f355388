/**
 * Decides which request begins, and when. Two resources are scarce: a level's seats, as in Kubernetes, and the event loop that all requests
 * share. Seats alone would not be fair: six hundred requests may begin at once, and a get that comes after them waits until the loop has
 * been through them all. So requests also begin only as fast as the loop can serve them: `turns` milliseconds' worth in each iteration, and
 * only enough at a time to keep it busy, without a queue of its own.
 */
import type { Clock } from '../../machinery/clock.ts'
import { inTurn, shareLoop } from '../../machinery/loop-sharing.ts'
import type { Commits } from '../registry/commits.ts'
import type { Flow, Level, Ticket } from './level.ts'

export interface DispatcherOptions {
  readonly clock: Clock
  readonly levels: () => readonly Level[]
  readonly commits: Commits
  /** Seats of the whole server, the upper limit of requests in progress. */
  readonly total: () => number
  /** Replaced in tests: the time in milliseconds, and the loop's utilization since the last call, 0 to 1. */
  readonly now?: () => number
  readonly busy?: () => number
  /**
   * Called in the iteration of the loop after a user's only request has been answered while others' requests wait: a good moment for work that would
   * otherwise make that user wait.
   */
  readonly respite?: () => void
}

export interface Dispatcher {
  /** Begins the request and returns true, or returns false when it must wait. */
  begin(ticket: Ticket): boolean
  /** A request has been queued. */
  waiting(): void
  /** The request has finished. */
  finish(ticket: Ticket): void
}

/** How long after its first start or end of a request an iteration of the event loop starts more, in milliseconds: when several flows have requests, and when one is alone. */
const turns = { shared: 0.1, alone: 1 }
/** A flow is alone when no other has started a request for so long, in milliseconds. */
const solitude = 100
/** Places: seats in progress on the loop at a time, while it is busy. */
const fewest = 8
/** At most this many writes that wait for the disk take no place: they all resume at once when it answers, and each keeps some kilobytes until then. */
const afloat = { shared: 8, alone: 32 }
/** Flows with nothing in progress may exceed the places by this factor. */
const newcomers = 4
/** The interval of the check whether the loop could take more, in milliseconds. */
const look = 5
/** At a utilization below this, requests wait for the disk, webhooks or slow readers: more may begin. */
const idle = 0.95
/** A check older than this is ignored, in milliseconds. */
const forget = 1000

/** Cheaper than `queueMicrotask`, which creates an async hooks resource for each call. */
const settled = Promise.resolve()

function loopUse(): () => number {
  let last = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, last)
    last = now
    return utilization
  }
}

/** How long a turn is, in milliseconds: it depends on who has started requests lately. */
function createTurn() {
  let last: Flow | undefined
  let changed = -Infinity
  const isShared = (at: number): boolean => at - changed <= solitude
  return {
    isShared,
    started(flow: Flow, at: number) {
      if (flow === last) return
      last = flow
      changed = at
      shareLoop(solitude)
    },
    length: (at: number): number => (isShared(at) ? turns.shared : turns.alone),
  }
}

/** Returns a function that has `callback` called in this iteration of the event loop, once. */
function onceAnIteration(callback: () => void): () => void {
  let asked = false
  const call = () => {
    asked = false
    callback()
  }
  return () => {
    if (!asked) setImmediate(call)
    asked = true
  }
}

/** The next request of the level that was served least for its share, among those with free seats. */
function leastServed(levels: readonly Level[], hasPlace: (ticket: Ticket) => boolean): Ticket | undefined {
  let best: Ticket | undefined
  for (const level of levels) {
    const ticket = level.next(hasPlace)
    if (ticket && (!best || level.served < best.level.served)) best = ticket
  }
  return best
}

/** Whether any of the level's requests could begin if there were a place, as of the last `next`. */
const isReady = ({ ready }: Level): boolean => ready

export function createDispatcher({ clock, levels, commits, total, now = () => performance.now(), busy = loopUse(), respite = () => undefined }: DispatcherOptions): Dispatcher {
  /** When the first request of this iteration started or ended. */
  let turnBegan = -Infinity
  /** The turn: an iteration of the loop, or, while the loop is shared, those until the next that no other step has. Counted only while needed. */
  let round = 0
  /** Whether `nextTurn` is scheduled. */
  let marked = false
  /** Whether a request could begin if there were room on the loop. */
  let backlog = false
  let stepping = false
  let looking = false
  let looked = -Infinity
  let places = fewest
  let onLoop = 0
  const turn = createTurn()
  /** The value of `served` for levels that were idle. */
  let served = 0

  const rest = onceAnIteration(respite)

  const nextTurn = () => {
    marked = false
    round++
    if (backlog) step()
  }
  /** A request starts or ends: if it is the first in this iteration, its turn begins. */
  const happens = (at: number): void => {
    if (marked) return
    marked = true
    turnBegan = at
    inTurn(nextTurn)
  }
  const inTime = (at: number): boolean => {
    happens(at)
    return at - turnBegan < turn.length(at)
  }
  /** Seats of requests that are not waiting for the disk. */
  const awake = (): number => onLoop - Math.min(commits.pending, turn.isShared(now()) ? afloat.shared : afloat.alone)
  const hasPlace = ({ seats, flow }: Ticket): boolean =>
    awake() + seats <= places || onLoop === 0 || (flow.executing === 0 && onLoop < places * newcomers)
  /** Whether the flow has nothing in progress, nothing waiting, and began nothing in this iteration: it is next in fair order anyway. */
  const isNext = ({ flow }: Ticket): boolean =>
    flow.executing === 0 && flow.waiting === 0 && flow.round !== round && onLoop < places * newcomers

  const start = (ticket: Ticket, at: number) => {
    const { level } = ticket
    if (level.executing === 0) level.served = Math.max(level.served, served)
    served = Math.max(served, level.served)
    onLoop += ticket.seats
    ticket.flow.round = round
    turn.started(ticket.flow, at)
    level.begin(ticket, at)
  }

  /** Begins one request. The next is considered when that one reaches its first await, so that its cost is known. */
  function step(): void {
    stepping = false
    const at = now()
    const ticket = leastServed(levels(), hasPlace)
    backlog = levels().some(isReady)
    if (!ticket) return void (backlog && lookAround())
    if (!inTime(at)) return
    // Extra places, added while the loop was idle, are removed when it is busy again, even if nobody waits for one.
    if (places > fewest) lookAround()
    ticket.level.leaveQueue(ticket)
    start(ticket, at)
    ticket.go?.()
    again()
  }
  const afterwards = () => process.nextTick(step)
  const again = () => {
    if (stepping) return
    stepping = true
    // A request runs in microtasks until its first wait; ticks come when there are none left.
    void settled.then(afterwards)
  }

  /** Measures whether the requests in progress keep the loop busy or wait for something else, and adapts the places. */
  const lookAround = () => {
    if (looking) return
    looking = true
    if (now() - looked > forget) places = fewest
    busy()
    clock.after(look, () => {
      looking = false
      looked = now()
      places = busy() < idle ? Math.min(total(), Math.ceil(places * 1.5)) : Math.max(fewest, Math.floor(places * 0.8))
      step()
    })
  }

  // One more write waits for the disk: its place is free meanwhile.
  commits.watch(() => { if (backlog) again() })

  return {
    begin(ticket) {
      const { level, arrived: at } = ticket
      if (!level.fits(ticket.seats)) return false
      if (isNext(ticket)) happens(at)
      else {
        if (backlog || level.waiting > 0) return false
        if (!hasPlace(ticket) || !inTime(at)) {
          backlog = true
          again()
          return false
        }
      }
      start(ticket, at)
      return true
    },
    waiting: again,
    finish(ticket) {
      const at = now()
      const { level, flow } = ticket
      onLoop -= ticket.seats
      if (backlog) happens(at)
      level.served += level.finish(ticket, at) / Math.max(1, level.limits.nominal)
      if (backlog || level.waiting > 0) again()
      if (onLoop > 0 && flow.executing === 0 && flow.waiting === 0 && turn.isShared(at)) rest()
    },
  }
}
