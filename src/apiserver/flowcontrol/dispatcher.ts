/**
 * Who may begin, and when. Two things are short: a level's seats, as in Kubernetes; and the one event loop on which all requests
 * are worked on. Kubernetes's seats alone would not make it fair: six hundred requests may begin at once, and a get that comes
 * after them waits until the loop has been through them all. So requests also begin only as fast as the loop gets done with them:
 * `turn` milliseconds' worth in each of its rounds, and so many at a time that it has work, not a queue of its own.
 */
import type { Clock } from '../../machinery/clock.ts'
import type { Commits } from '../registry/commits.ts'
import type { Level, Ticket } from './level.ts'

export interface DispatcherOptions {
  readonly clock: Clock
  readonly levels: () => readonly Level[]
  readonly commits: Commits
  /** Seats of the whole server: never more are worked on. */
  readonly total: () => number
  /** Replaced in tests: milliseconds; how busy the loop has been since it was last asked, 0 to 1. */
  readonly now?: () => number
  readonly busy?: () => number
}

export interface Dispatcher {
  /** Begins the request if it need not wait; false when it must. */
  begin(ticket: Ticket): boolean
  /** It has been put into a queue. */
  waiting(): void
  /** It is done. */
  finish(ticket: Ticket): void
}

/** Milliseconds of work that begin in one round of the event loop before everything else gets its turn. */
const turn = 0.3
/** Seats of work on the loop at a time, while it is busy. */
const fewest = 8
/** As many that wait for the disk take no place: when it answers, all of them have something to do at once. */
const afloat = 32
/** Those with nothing under way may exceed that so many times: they have waited for nothing yet. */
const newcomers = 4
/** How often it is looked at whether the loop could take more, in milliseconds. */
const look = 5
/** Below this the loop waits for the disk, for webhooks, for slow readers: more may begin. */
const idle = 0.95
/** What was found out that long ago says nothing about now, in milliseconds. */
const forget = 1000

/** Cheaper than `queueMicrotask`, which makes a resource for async hooks each time. */
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

/** Of all levels that have seats, the one that was given least by its share: its next request. */
function leastServed(levels: readonly Level[], hasPlace: (ticket: Ticket) => boolean): Ticket | undefined {
  let best: Ticket | undefined
  for (const level of levels) {
    const ticket = level.next(hasPlace)
    if (ticket && (!best || level.served < best.level.served)) best = ticket
  }
  return best
}

/** Whether any of its requests could begin, were there a place; as `next` found it. */
const isReady = ({ ready }: Level): boolean => ready

export function createDispatcher({ clock, levels, commits, total, now = () => performance.now(), busy = loopUse() }: DispatcherOptions): Dispatcher {
  let turnBegan = -Infinity
  /** Of the loop: counted only while somebody has to know. */
  let round = 0
  /** The next round of the loop is waited for. */
  let marked = false
  /** Somebody could begin, were there room on the loop. */
  let backlog = false
  let stepping = false
  let looking = false
  let looked = -Infinity
  let places = fewest
  let onLoop = 0
  /** What levels that come back from idleness start from. */
  let served = 0

  const nextTurn = () => {
    marked = false
    round++
    turnBegan = -Infinity
    if (backlog) step()
  }
  const mark = () => {
    if (marked) return
    marked = true
    setImmediate(nextTurn)
  }
  const inTime = (at: number): boolean => {
    if (at - turnBegan < turn) {
      mark()
      return true
    }
    if (marked) return false
    turnBegan = at
    return true
  }
  /** Seats of requests that do not wait for the disk just now. */
  const awake = (): number => onLoop - Math.min(commits.pending, afloat)
  const hasPlace = ({ seats, flow }: Ticket): boolean =>
    awake() + seats <= places || onLoop === 0 || (flow.executing === 0 && onLoop < places * newcomers)
  /** Has nothing under way and nothing waiting, and was given nothing in this round: next in fair order, there is no turn to wait for. */
  const isNext = ({ flow }: Ticket): boolean =>
    flow.executing === 0 && flow.waiting === 0 && flow.round !== round && onLoop < places * newcomers

  const start = (ticket: Ticket, at: number) => {
    const { level } = ticket
    if (level.executing === 0) level.served = Math.max(level.served, served)
    served = Math.max(served, level.served)
    onLoop += ticket.seats
    ticket.flow.round = round
    level.begin(ticket, at)
  }

  const choose = (): Ticket | undefined => {
    const ticket = leastServed(levels(), hasPlace)
    backlog = levels().some(isReady)
    return ticket
  }

  /** Lets one begin; the next is looked at when that one has come to its first wait, so that its cost is known. */
  function step(): void {
    stepping = false
    const at = now()
    const ticket = choose()
    if (!ticket) return void (backlog && lookAround())
    if (!inTime(at)) return mark()
    // Places that were made while the loop had nothing to do go again when it has, though nobody wants for one.
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
    // Microtasks are what a request consists of until it waits; ticks come when there are none left.
    void settled.then(afterwards)
  }

  /** Finds out whether those under way keep the loop busy, or wait for something else. */
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

  // One more waits for the disk: its place is somebody else's until then.
  commits.watch(() => { if (backlog) again() })

  return {
    begin(ticket) {
      const { level, arrived: at } = ticket
      if (!level.fits(ticket.seats)) return false
      if (isNext(ticket)) {
        inTime(at)
        mark()
      } else {
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
      const { level } = ticket
      onLoop -= ticket.seats
      level.served += level.finish(ticket, at) / Math.max(1, level.limits.nominal)
      if (at - turnBegan >= turn) mark()
      if (backlog || level.waiting > 0) again()
    },
  }
}
