/** Runs a reconciler: informers fill its queue, workers empty it, failures are retried with growing delays. */
import type { Clock } from '../machinery/clock.ts'
import { isAlreadyExists, isApiError, isConflict, isNotFound } from '../machinery/errors.ts'
import type { Component, Logger } from '../machinery/log.ts'
import type { Reconciler } from './controller.ts'
import type { Change, Informer } from './informer.ts'
import { createQueue } from './queue.ts'

/** Which changes cause which keys to be reconciled. */
export interface Watch<T = never> {
  readonly informer: Informer<T>
  /** The keys that an object concerns. Called for the old object, too, after an update. */
  keys(object: T, change: Change<T>): readonly string[]
}

/** Makes a watch, keeping its object's type. */
export const watch = <T>(informer: Informer<T>, keys: Watch<T>['keys']): Watch => ({ informer, keys }) as unknown as Watch

export interface ControllerOptions {
  readonly name: string
  readonly reconciler: Reconciler
  readonly watches: readonly Watch[]
  readonly clock: Clock
  readonly log: Logger
  /** How many keys are worked on at once (5). */
  readonly concurrency?: number
  readonly signal?: AbortSignal | undefined
  /** Awaited by the workers, besides the informers. */
  readonly ready?: { synced(): Promise<void> }
}

export interface Controller extends Component {
  /** Queues the key. */
  enqueue(key: string): void
  /** Queues the key after `ms` milliseconds. */
  enqueueAfter(key: string, ms: number): void
  /** Whether nothing is queued or worked on. */
  readonly idle: boolean
}

/** The namespace is being deleted: nothing can be created in it, and nothing needs to be. */
export const isNamespaceTerminating = (error: unknown): boolean =>
  isApiError(error) && (error.status.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating') ?? false)

/** Starts a controller. Its workers begin when every informer it watches has synced; `stop` waits for the busy ones. */
export function runController(options: ControllerOptions): Controller {
  const { name, reconciler, watches, clock, concurrency = 5 } = options
  const log = options.log.child({ controller: name })
  const stopping = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, stopping.signal]) : stopping.signal
  const queue = createQueue({ clock })

  const unsubscribe = (watches as readonly Watch<unknown>[]).map(({ informer, keys }) => informer.onChange((change) => {
    for (const key of keys(change.object, change)) queue.add(key)
    if (change.old !== undefined) for (const key of keys(change.old, change)) queue.add(key)
  }))

  async function reconcile(key: string): Promise<void> {
    try {
      const result = await reconciler.reconcile(key, signal)
      queue.forget(key)
      if (result?.requeueAfter !== undefined) queue.addAfter(key, result.requeueAfter)
    } catch (error) {
      if (signal.aborted) return
      const expected = isConflict(error) || isNotFound(error) || isAlreadyExists(error) || isNamespaceTerminating(error)
      const fields = { key, failures: queue.failures(key) + 1, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
      if (expected) log.debug(fields, 'will be tried again')
      else log.warn(fields, 'reconcile failed, will be tried again')
      queue.addRateLimited(key)
    }
  }

  async function work(): Promise<void> {
    for (;;) {
      const key = await queue.take()
      if (key === undefined) return
      await reconcile(key)
      queue.done(key)
    }
  }

  async function run(): Promise<void> {
    // On the next turn, so that what its caller sets up after this call counts, too.
    await Promise.resolve()
    const sources = [...(watches as readonly Watch<unknown>[]).map((w) => w.informer), ...(options.ready ? [options.ready] : [])]
    await Promise.race([Promise.all(sources.map((source) => source.synced())), aborted(signal)])
    if (signal.aborted) return
    await Promise.all(Array.from({ length: concurrency }, work))
  }

  const end = () => {
    for (const stop of unsubscribe) stop()
    queue.shutDown()
  }
  if (signal.aborted) end()
  else signal.addEventListener('abort', end, { once: true })
  const running = run()
  return {
    enqueue: (key) => queue.add(key),
    enqueueAfter: (key, ms) => queue.addAfter(key, ms),
    get idle() { return queue.idle },
    async stop() {
      stopping.abort()
      await running
    },
  }
}

const aborted = (signal: AbortSignal): Promise<void> => new Promise((resolve) => {
  if (signal.aborted) resolve()
  else signal.addEventListener('abort', () => resolve(), { once: true })
})
