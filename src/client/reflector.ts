/** List and watch, forever: the base of informers, and of components that keep their own picture of the cluster. */
import type { Resource } from '../api/index.ts'
import type { Clock } from '../machinery/clock.ts'
import { isExpired } from '../machinery/errors.ts'
import type { Logger } from '../machinery/log.ts'
import type { ApiObject, Client, WatchEvent } from './client.ts'

/** Which objects to follow. */
export interface Selection {
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
}

/** Receives the changes. Calls are synchronous, in the server's order. */
export interface Sink<T> {
  /** The full list: whatever is not among `objects` is gone. */
  replace(objects: readonly T[]): void
  change(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T): void
}

export interface ReflectOptions<T> extends Selection {
  readonly client: Client
  readonly resource: Resource<T>
  readonly sink: Sink<T>
  readonly clock: Clock
  readonly log: Logger
  readonly signal: AbortSignal
}

const firstDelay = 100
const longestDelay = 30_000

/** Delays after failures: doubling from 100 ms to 30 s with jitter, back to the start after a success. */
function backOff() {
  let delay = firstDelay
  return {
    next(): number {
      const now = delay * (1 + Math.random() * 0.2)
      delay = Math.min(longestDelay, delay * 2)
      return now
    },
    reset(): void { delay = firstDelay },
  }
}

/**
 * Lists, then watches from the list's revision, resuming where a watch ended and listing again only when the server
 * says that the history is gone (410). Resolves when the signal aborts; never rejects.
 */
export async function reflect<T extends ApiObject>(options: ReflectOptions<T>): Promise<void> {
  const { client, resource, sink, clock, log, signal, ...selection } = options
  const wait = backOff()
  const pause = () => clock.sleep(wait.next(), signal).catch(() => undefined)
  while (!signal.aborted) {
    let revision: string
    try {
      const list = await client.list(resource, { ...selection, signal })
      if (signal.aborted) return
      sink.replace(list.items)
      revision = list.metadata.resourceVersion ?? ''
    } catch (error) {
      if (signal.aborted) return
      log.warn({ resource: resource.groupResource, error: String(error) }, 'list failed, trying again')
      await pause()
      continue
    }
    const started = clock.now()
    await follow(options, revision, wait, pause)
    // A server that lists but refuses watches is not asked in a tight loop.
    if (clock.now() - started < 1000) await pause()
  }
}

/** Watches from `revision` until history is gone or the signal aborts. */
async function follow<T extends ApiObject>(
  options: ReflectOptions<T>, revision: string, wait: ReturnType<typeof backOff>, pause: () => Promise<void>,
): Promise<void> {
  const { client, resource, sink, clock, log, signal, ...selection } = options
  while (!signal.aborted) {
    const started = clock.now()
    try {
      const timeoutSeconds = Math.floor(300 + Math.random() * 300)
      const events = client.watch(resource, { ...selection, resourceVersion: revision, allowBookmarks: true, timeoutSeconds, signal })
      for await (const event of events as AsyncIterable<WatchEvent<T>>) {
        if (signal.aborted) return
        revision = event.object.metadata.resourceVersion ?? revision
        wait.reset()
        if (event.type !== 'BOOKMARK') sink.change(event.type, event.object)
      }
      if (clock.now() - started < 1000) await pause()
    } catch (error) {
      if (signal.aborted) return
      if (isExpired(error)) return
      log.debug({ resource: resource.groupResource, error: String(error) }, 'watch ended, resuming')
      await pause()
    }
  }
}
