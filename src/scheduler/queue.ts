/**
 * Pods that wait for a node, in one of three places:
 *
 *   active         to be tried now: highest priority first, then the one that is new or was tried longest ago
 *   back-off       tried in vain a moment ago: 1 s after the first try, doubling to 10 s
 *   unschedulable  no node would do; waits for an event that may change that, or five minutes
 */
import type { core } from '../api/index.ts'
import type { Clock, Timer } from '../machinery/clock.ts'
import { keyOf } from '../machinery/meta.ts'
import { createHeap } from './heap.ts'
import type { ClusterEvent, Plugin } from './plugin.ts'

const firstBackOff = 1_000
const longestBackOff = 10_000
const longestWait = 300_000
const flushEvery = 30_000

export interface QueuedPod {
  pod: core.Pod
  readonly key: string
  /** When it came into the queue first. */
  readonly since: number
  attempts: number
  /** When it was tried last. */
  triedAt: number
  /** The plugins that refused it last; empty after an error. */
  refusedBy: ReadonlySet<string>
}

export interface Queue {
  /** A pod that is to be scheduled: new, or changed. A change of what it asks for is another chance. */
  set(pod: core.Pod): void
  remove(key: string): void
  /** Takes out a pod that was tried, unless another of the same name has come in its place. */
  done(pod: QueuedPod): void
  /** The next pod to try; undefined when there is none now. It has left the queue. */
  next(): QueuedPod | undefined
  /** Puts a pod back that no node would take: it waits for events. */
  refuse(pod: QueuedPod, refusedBy: ReadonlySet<string>): void
  /** Puts a pod back whose try failed for another reason: it is tried again after its back-off. */
  fail(pod: QueuedPod): void
  /** Something happened: pods that it may help get another try. */
  happened(event: ClusterEvent): void
  counts(): { readonly active: number; readonly backOff: number; readonly unschedulable: number }
  stop(): void
}

type Place = 'active' | 'backOff' | 'unschedulable' | 'trying'
interface Item extends QueuedPod { place: Place; movedAt: number }

const backOffOf = (attempts: number) => Math.min(longestBackOff, firstBackOff * 2 ** Math.max(0, attempts - 1))

/** Whether a change of a waiting pod may make it schedulable: anything but its status and bookkeeping. */
function asksForElse(before: core.Pod, now: core.Pod): boolean {
  return before.spec !== now.spec && JSON.stringify(before.spec) !== JSON.stringify(now.spec)
    || JSON.stringify(before.metadata.labels ?? {}) !== JSON.stringify(now.metadata.labels ?? {})
}

export interface QueueOptions {
  readonly clock: Clock
  readonly plugins: readonly Plugin[]
  /** Called when there is something to try. */
  readonly ready: () => void
}

/** The three places and the moves between them. */
function createPlaces(clock: Clock, ready: () => void) {
  const items = new Map<string, Item>()
  const priority = (i: Item) => i.pod.spec.priority ?? 0
  const queuedAt = (i: Item) => Math.max(i.since, i.triedAt)
  const backOffEnd = (i: Item) => i.triedAt + backOffOf(i.attempts)
  const active = createHeap<Item>((a, b) => (priority(a) !== priority(b) ? priority(a) > priority(b) : queuedAt(a) < queuedAt(b)))
  const backOff = createHeap<Item>((a, b) => backOffEnd(a) < backOffEnd(b))
  const unschedulable = new Set<Item>()
  let timer: Timer | undefined
  let due = Infinity

  const wake = () => {
    timer = undefined
    due = Infinity
    for (let item = backOff.peek(); item && backOffEnd(item) <= clock.now(); item = backOff.peek()) move(item, 'active')
    arm()
  }
  const arm = () => {
    const next = backOff.peek()
    if (!next || backOffEnd(next) >= due) return
    timer?.cancel()
    due = backOffEnd(next)
    timer = clock.after(Math.max(0, due - clock.now()), wake)
  }
  const leave = (item: Item) => {
    if (item.place === 'active') active.remove(item)
    if (item.place === 'backOff') backOff.remove(item)
    unschedulable.delete(item)
  }
  const move = (item: Item, place: Place) => {
    leave(item)
    item.place = place
    item.movedAt = clock.now()
    if (place === 'active') {
      active.push(item)
      ready()
    } else if (place === 'backOff') {
      backOff.push(item)
      arm()
    } else if (place === 'unschedulable') unschedulable.add(item)
  }
  /** To the active ones, or first to the end of its back-off. */
  const retry = (item: Item) => move(item, item.attempts > 0 && backOffEnd(item) > clock.now() ? 'backOff' : 'active')
  return { items, active, backOff, unschedulable, move, retry, leave, cancel: () => timer?.cancel() }
}

export function createQueue({ clock, plugins, ready }: QueueOptions): Queue {
  const { items, active, backOff, unschedulable, move, retry, leave, cancel } = createPlaces(clock, ready)
  const wakes = new Map(plugins.map((p) => [p.name, new Set(p.wakes)]))
  let flush: Timer

  const helped = (item: Item, event: ClusterEvent) => [...item.refusedBy].some((plugin) => wakes.get(plugin)?.has(event))
  const remove = (item: Item | undefined) => {
    if (!item) return
    leave(item)
    items.delete(item.key)
  }
  const putBack = (queued: QueuedPod, refusedBy: ReadonlySet<string>, place: Place) => {
    const item = queued as Item
    if (items.get(item.key) !== item) return
    item.refusedBy = refusedBy
    item.triedAt = clock.now()
    move(item, place)
  }
  const flushOld = () => {
    for (const item of unschedulable) if (clock.now() - item.movedAt >= longestWait) retry(item)
    flush = clock.after(flushEvery, flushOld)
  }
  flush = clock.after(flushEvery, flushOld)

  return {
    set(pod) {
      const key = keyOf(pod)
      const there = items.get(key)
      if (!there || there.pod.metadata.uid !== pod.metadata.uid) {
        if (there) leave(there)
        const item: Item = { pod, key, since: clock.now(), attempts: 0, triedAt: 0, refusedBy: new Set(), place: 'trying', movedAt: 0 }
        items.set(key, item)
        return move(item, 'active')
      }
      const before = there.pod
      there.pod = pod
      if (there.place === 'unschedulable' && asksForElse(before, pod)) retry(there)
    },
    remove: (key) => remove(items.get(key)),
    done: (queued) => { if (items.get(queued.key) === queued) remove(queued as Item) },
    next() {
      const item = active.pop()
      if (!item) return undefined
      item.place = 'trying'
      item.attempts++
      item.triedAt = clock.now()
      return item
    },
    refuse: (queued, refusedBy) => putBack(queued, refusedBy, 'unschedulable'),
    fail: (queued) => putBack(queued, new Set(), 'backOff'),
    happened(event) {
      for (const item of unschedulable) if (helped(item, event)) retry(item)
    },
    counts: () => ({ active: active.size, backOff: backOff.size, unschedulable: unschedulable.size }),
    stop() {
      cancel()
      flush.cancel()
    },
  }
}
