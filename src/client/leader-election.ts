/** Leader election: of several candidates, the one that holds a Lease does the work. */
import { coordination, type In } from '../api/index.ts'
import type { Clock } from '../machinery/clock.ts'
import { isNotFound } from '../machinery/errors.ts'
import type { Component, Logger } from '../machinery/log.ts'
import type { Client } from './client.ts'

export interface LeaderElectionOptions {
  readonly client: Client
  readonly lease: { readonly namespace: string; readonly name: string }
  /** Identifies this candidate: unique among them. */
  readonly identity: string
  readonly clock: Clock
  readonly log: Logger
  /** Milliseconds after which others may take over a lease that was not renewed (15 s). */
  readonly leaseDuration?: number
  /** Milliseconds after which a leader that cannot renew gives up (10 s): less than the lease's duration. */
  readonly renewDeadline?: number
  /** Milliseconds between attempts (2 s). */
  readonly retryPeriod?: number
  readonly signal?: AbortSignal
  /** Called when leadership begins; the signal aborts when it ends. */
  onStartedLeading(signal: AbortSignal): void
  /** Called when leadership was lost or released. */
  onStoppedLeading?(): void
  onNewLeader?(identity: string): void
}

type Lease = coordination.Lease
const microTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z')

/** The lease as this candidate sees it, and what it does with it. */
function createCandidate(options: LeaderElectionOptions, signal: AbortSignal) {
  const { client, lease, identity, clock, log, leaseDuration = 15_000 } = options
  /** The lease as last seen, and when: other clocks are not trusted, only how long nothing changed here. */
  let seen: { readonly lease: Lease; readonly at: number } | undefined
  let known = ''

  function observe(current: Lease): void {
    if (seen?.lease.metadata.resourceVersion !== current.metadata.resourceVersion) seen = { lease: current, at: clock.now() }
    const holder = current.spec.holderIdentity ?? ''
    if (holder === known) return
    known = holder
    if (holder) options.onNewLeader?.(holder)
  }

  const spec = (before: Lease['spec'] | undefined): In<typeof coordination.LeaseSpec> => {
    const mine = before?.holderIdentity === identity
    const transitions = before?.leaseTransitions ?? 0
    const now = microTime(clock.now())
    return {
      ...before,
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseDuration / 1000),
      acquireTime: mine ? before.acquireTime : now,
      renewTime: now,
      leaseTransitions: before && !mine ? transitions + 1 : transitions,
    }
  }

  /** Takes or renews the lease; false when another candidate holds it. Throws when the server cannot be reached or a rival was faster. */
  async function acquire(): Promise<boolean> {
    let current: Lease
    try {
      current = await client.get(coordination.leases, lease.name, { namespace: lease.namespace, signal })
    } catch (error) {
      if (!isNotFound(error)) throw error
      observe(await client.create(coordination.leases, { metadata: { ...lease }, spec: spec(undefined) }, { signal }))
      return true
    }
    observe(current)
    const holder = current.spec.holderIdentity
    const lasts = (current.spec.leaseDurationSeconds ?? 0) * 1000
    if (holder && holder !== identity && seen && seen.at + lasts > clock.now()) return false
    observe(await client.update(coordination.leases, { ...current, spec: spec(current.spec) }, { signal }))
    return true
  }

  const holds = () => seen?.lease.spec.holderIdentity === identity
  return {
    holds,
    attempt: () => acquire().catch((error: unknown) => {
      if (!signal.aborted) log.debug({ lease: lease.name, error: String(error) }, 'lease not acquired')
      return false
    }),
    async release() {
      if (!seen || !holds()) return
      const released = { ...seen.lease, spec: { ...seen.lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(clock.now()) } }
      await client.update(coordination.leases, released).catch((error: unknown) => log.debug({ lease: lease.name, error: String(error) }, 'lease not given back'))
    },
  }
}

/** Takes part in the election until stopped; then releases the lease, so that others need not wait for it to expire. */
export function runLeaderElection(options: LeaderElectionOptions): Component {
  const { lease, identity, clock, log, leaseDuration = 15_000, renewDeadline = 10_000, retryPeriod = 2_000 } = options
  if (renewDeadline >= leaseDuration) throw new Error('leader election: renewDeadline must be less than leaseDuration')
  const stopping = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, stopping.signal]) : stopping.signal
  const candidate = createCandidate(options, signal)
  const pause = (ms: number) => clock.sleep(ms, signal).catch(() => undefined)

  /** Renews until that failed for `renewDeadline`, or another candidate holds the lease. */
  async function hold(): Promise<void> {
    let renewed = clock.now()
    while (!signal.aborted && clock.now() - renewed < renewDeadline) {
      await pause(retryPeriod)
      if (signal.aborted) return
      if (await candidate.attempt()) renewed = clock.now()
      else if (!candidate.holds()) return
    }
  }

  async function lead(): Promise<void> {
    const leading = new AbortController()
    log.info({ lease: lease.name, identity }, 'leading')
    options.onStartedLeading(leading.signal)
    await hold()
    leading.abort()
    options.onStoppedLeading?.()
    log.info({ lease: lease.name, identity }, 'no longer leading')
    if (signal.aborted) await candidate.release()
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      if (await candidate.attempt()) await lead()
      else await pause(retryPeriod * (1 + Math.random() * 0.2))
    }
  }

  const running = run()
  return {
    async stop() {
      stopping.abort()
      await running
    },
  }
}
