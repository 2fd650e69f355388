/**
 * Events for people: what `kubectl describe` and `kubectl get events` show. Repeated events are counted in one object,
 * many similar ones are aggregated, and each source is rate-limited; the limits are those of Kubernetes.
 */
import { core, type In } from '../api/index.ts'
import type { Clock } from '../machinery/clock.ts'
import { isApiError, isNotFound } from '../machinery/errors.ts'
import type { Logger } from '../machinery/log.ts'
import type { Client } from './client.ts'

/** What an event can be about: any object, or a reference to one. */
export interface EventTarget {
  readonly kind?: string | undefined
  readonly apiVersion?: string | undefined
  readonly metadata: { readonly name?: string | undefined; readonly namespace?: string | undefined; readonly uid?: string | undefined; readonly resourceVersion?: string | undefined }
  /** Part of the object, such as `spec.containers{web}`. */
  readonly fieldPath?: string | undefined
}

export interface EventRecorder {
  /** Records that something happened to `object`. Returns at once and never throws; an event that cannot be written is dropped and logged. */
  event(object: EventTarget, type: 'Normal' | 'Warning', reason: string, message: string, action?: string): void
  /** Resolves when everything recorded so far is written or dropped. */
  flush(): Promise<void>
}

export interface RecorderOptions {
  readonly component: string
  readonly host?: string
  readonly clock: Clock
  readonly log: Logger
}

/** Events with one reason and different messages become one event, once there are this many within this time (ms). */
const aggregateWithin = 600_000
const aggregateFrom = 10
/** Events of one source about one object: a burst of this many, then one per this many milliseconds. */
const burst = 25
const refill = 300_000
const remembered = 4096
/** When the queue is this long, the server is not taking events; the newest are dropped. */
const longestQueue = 1000
const attempts = 12
const attemptDelay = 10_000

/** A map that forgets the least recently used entry. */
function createMemory<V>(limit: number) {
  const entries = new Map<string, V>()
  return {
    get: (key: string) => entries.get(key),
    set(key: string, value: V) {
      entries.delete(key)
      entries.set(key, value)
      if (entries.size > limit) for (const oldest of entries.keys()) return void entries.delete(oldest)
    },
    delete: (key: string) => void entries.delete(key),
  }
}

interface Happening {
  readonly object: core.ObjectReference
  readonly type: string
  readonly reason: string
  readonly message: string
  readonly action: string
  readonly at: number
}

interface Written { readonly name: string; readonly count: number; readonly first: number }

const time = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`

function referenceTo(target: EventTarget): core.ObjectReference {
  const { name, namespace, uid, resourceVersion } = target.metadata
  const parts = { kind: target.kind, namespace, name, uid, apiVersion: target.apiVersion, resourceVersion, fieldPath: target.fieldPath }
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value))
}

/** Similar events within ten minutes become one, whose message says so. */
function createAggregator() {
  const groups = createMemory<{ messages: Set<string>; last: number }>(remembered)
  return (happening: Happening, base: string): { readonly key: string; readonly message: string } => {
    const known = groups.get(base)
    const group = known && happening.at - known.last <= aggregateWithin ? known : { messages: new Set<string>(), last: 0 }
    group.last = happening.at
    group.messages.add(happening.message)
    groups.set(base, group)
    if (group.messages.size < aggregateFrom) return { key: `${base}\0${happening.message}`, message: happening.message }
    // One message is dropped, so that single events get through again after a quiet period.
    for (const oldest of group.messages) { group.messages.delete(oldest); break }
    return { key: base, message: `(combined from similar events): ${happening.message}` }
  }
}

/** A token bucket per object: false when the event must be dropped. */
function createSpamFilter() {
  const buckets = createMemory<{ tokens: number; at: number }>(remembered)
  return (key: string, now: number): boolean => {
    const before = buckets.get(key) ?? { tokens: burst, at: now }
    const tokens = Math.min(burst, before.tokens + (now - before.at) / refill)
    const passes = tokens >= 1
    buckets.set(key, { tokens: passes ? tokens - 1 : tokens, at: now })
    return passes
  }
}

/** The event recorder of a component. `client` must be allowed to create and patch events. */
export function createRecorder(client: Client, options: RecorderOptions): EventRecorder {
  const { component, host = '', clock, log } = options
  const aggregate = createAggregator()
  const passes = createSpamFilter()
  const written = createMemory<Written>(remembered)
  const queue: Happening[] = []
  let running: Promise<void> | undefined
  let serial = 0

  async function create(happening: Happening, message: string): Promise<Written> {
    const { object, at } = happening
    const namespace = object.namespace || 'default'
    const stamp = (BigInt(at) * 1_000_000n + BigInt(serial++ % 1_000_000)).toString(16)
    const body: In<typeof core.Event> = {
      metadata: { name: `${object.name}.${stamp}`, namespace },
      involvedObject: object,
      reason: happening.reason,
      message,
      source: { component, ...(host ? { host } : {}) },
      firstTimestamp: time(at),
      lastTimestamp: time(at),
      count: 1,
      type: happening.type,
      eventTime: null,
      ...(happening.action ? { action: happening.action } : {}),
      reportingComponent: component,
      reportingInstance: host,
    }
    const event = await client.create(core.events, body, { namespace })
    return { name: event.metadata.name ?? '', count: 1, first: at }
  }

  async function write(happening: Happening): Promise<void> {
    const { object, at } = happening
    const source = [object.kind, object.namespace, object.name, object.uid, object.apiVersion].join('\0')
    if (!passes(source, at)) return
    const { key, message } = aggregate(happening, [source, object.fieldPath, happening.type, happening.reason, happening.action].join('\0'))
    const before = written.get(key)
    if (before) {
      const count = before.count + 1
      try {
        await client.patch(core.events, before.name, { type: 'merge', body: { count, lastTimestamp: time(at), message } }, { namespace: object.namespace || 'default' })
        return written.set(key, { ...before, count })
      } catch (error) {
        if (!isNotFound(error)) throw error
        written.delete(key)
      }
    }
    written.set(key, await create(happening, message))
  }

  /** A refusal is final; when the server does not answer, writes are retried for two minutes. */
  async function deliver(happening: Happening): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await write(happening)
      } catch (error) {
        const final = (isApiError(error) && error.code < 500 && error.code !== 429) || attempt >= attempts
        if (final) return log.debug({ reason: happening.reason, object: happening.object.name, error: String(error) }, 'event dropped')
        await clock.sleep(attemptDelay)
      }
    }
  }

  async function drain(): Promise<void> {
    for (let next = queue.shift(); next; next = queue.shift()) await deliver(next)
    running = undefined
  }

  return {
    event(target, type, reason, message, action = '') {
      if (queue.length >= longestQueue) return log.debug({ reason, object: target.metadata.name }, 'event dropped: too many are waiting')
      queue.push({ object: referenceTo(target), type, reason, message, action, at: clock.now() })
      running ??= Promise.resolve().then(drain)
    },
    flush: () => running ?? Promise.resolve(),
  }
}
