/** The scheduler: watches for pods without a node and gives each the best one. `README.md` has the picture. */
import { core, policy, storage } from '../api/index.ts'
import type { Client } from '../client/client.ts'
import { createRecorder } from '../client/events.ts'
import type { EventRecorder } from '../client/events.ts'
import { createInformers } from '../client/informer.ts'
import type { Informers } from '../client/informer.ts'
import type { Clock } from '../machinery/clock.ts'
import type { Component, Logger } from '../machinery/log.ts'
import { createAttempts } from './attempts.ts'
import type { Attempts } from './attempts.ts'
import { createCycle } from './cycle.ts'
import { followCluster } from './follow.ts'
import { createNominations } from './nominations.ts'
import { plugins } from './plugins/index.ts'
import { createQueue } from './queue.ts'
import type { Queue } from './queue.ts'
import { createReporter } from './report.ts'
import { createSiblings } from './siblings.ts'
import { createState } from './state.ts'
import { createVolumes } from './volumes.ts'

const defaultSchedulerName = 'default-scheduler'

export interface SchedulerOptions {
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  /** Stops the scheduler, as `stop` does. */
  readonly signal?: AbortSignal
  /** Shared informers, which their owner starts; default: informers of its own. */
  readonly informers?: Informers
  /** The scheduler's name: it schedules pods with this `spec.schedulerName`. */
  readonly name?: string
  /** Chooses among equal nodes; for tests. */
  readonly random?: () => number
}

/** Milliseconds of scheduling after which the event loop gets a turn. */
const patience = 5

/** Starts the scheduler; resolves when the first pods can be scheduled. */
export async function startScheduler(options: SchedulerOptions): Promise<Component> {
  const { client, clock, log, name = defaultSchedulerName } = options
  const stopping = new AbortController()
  options.signal?.addEventListener('abort', () => stopping.abort(), { once: true })
  const informers = options.informers ?? createInformers(client, { clock, log })
  const recorder = createRecorder(client, { component: name, clock, log })
  const run = createRun({ ...options, name, signal: stopping.signal }, informers, recorder)
  if (!options.informers) informers.start(stopping.signal)
  await informers.synced()
  run.start()
  return {
    async stop() {
      stopping.abort()
      await run.stop()
      await recorder.flush()
    },
  }
}

/** Assembles the parts. */
function createRun(options: SchedulerOptions & { readonly name: string; readonly signal: AbortSignal }, informers: Informers, recorder: EventRecorder) {
  const { client, clock, log, name, signal, random = Math.random } = options
  const namespaces = informers.for(core.namespaces)
  const claims = informers.for(core.persistentvolumeclaims)
  const persistentVolumes = informers.for(core.persistentvolumes)
  const volumes = createVolumes({ client, clock, claims, volumes: persistentVolumes, signal })
  const classes = informers.for(storage.storageclasses)
  const budgets = informers.for(policy.poddisruptionbudgets)
  const state = createState({
    namespaceLabels: (namespace) => namespaces.get(namespace)?.metadata.labels,
    claim: claims.get,
    volume: volumes.get,
    volumes: volumes.list,
    storageClass: classes.get,
    siblings: createSiblings(informers),
  })
  const nominations = createNominations()
  const queue = createQueue({ clock, plugins, ready: () => loop.wake() })
  const attempts = createAttempts({
    client, clock, log, name, recorder, state, queue, nominations, plugins, volumes, signal,
    reporter: createReporter(client, recorder, clock, log),
    cycle: createCycle({ plugins, nominations, random }),
    budgets: () => budgets.list(),
  })
  const loop = createLoop(queue, attempts, signal)
  followCluster({ informers, state, queue, nominations, name, classes, claims, volumes: persistentVolumes, namespaces })
  return loop
}

/** Schedules pod after pod while there are any, yielding in between. */
function createLoop(queue: Queue, attempts: Attempts, signal: AbortSignal) {
  let running = false
  let awake = false
  const work = () => {
    const began = performance.now()
    for (let queued = signal.aborted ? undefined : queue.next(); queued; queued = queue.next()) {
      attempts.attempt(queued)
      if (performance.now() - began > patience) return void setImmediate(work)
    }
    awake = false
  }
  const wake = () => {
    if (awake || !running || signal.aborted) return
    awake = true
    queueMicrotask(work)
  }
  return {
    wake,
    start() {
      running = !signal.aborted
      wake()
    },
    async stop() {
      queue.stop()
      await attempts.settled()
    },
  }
}
