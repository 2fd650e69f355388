/** The audit edge: asks the policy what a request is worth, and hands its events to every backend. */
import { Counter, type Metric } from 'prom-client'
import { internal } from '../../machinery/errors.ts'
import type { Clock } from '../../machinery/clock.ts'
import type { Component, Logger } from '../../machinery/log.ts'
import type { AuditedRequest, AuditEdge, AuditTrail } from '../options.ts'
import type { AuditBackend } from './backend.ts'
import type { AuditEvent } from './event.ts'
import type { Policy } from './policy.ts'
import { createTrail, type OpenTrail } from './trail.ts'

export interface AuditOptions {
  readonly policy: Policy
  /** All of them get every event. */
  readonly backends: readonly AuditBackend[]
  readonly clock: Clock
  readonly log: Logger
}

export interface Audit extends AuditEdge, Component {
  /** What it counts, for `/metrics`. */
  readonly metrics: readonly Metric[]
}

/** Puts a policy and its backends together. */
export function createAudit({ policy, backends, clock, log }: AuditOptions): Audit {
  const events = new Counter({ name: 'apiserver_audit_event_total', help: 'Audit events that were handed to the backends.', registers: [] })
  const requests = new Counter({ name: 'apiserver_audit_level_total', help: 'Audited requests, by the level of their events.', labelNames: ['level'], registers: [] })
  const failures = new Counter({ name: 'apiserver_audit_error_total', help: 'Audit events that could not be written, by backend.', labelNames: ['plugin'], registers: [] })
  const rejected = new Counter({ name: 'apiserver_audit_requests_rejected_total', help: 'Requests that were refused because they could not be written down.', registers: [] })
  const problem = (backend: string, error: unknown): void => {
    failures.inc({ plugin: backend })
    log.error({ backend, error: error instanceof Error ? error.message : String(error) }, 'an audit event could not be written')
  }
  /** Settles when every backend that wants to be waited for is done; rejects when a strict one failed. */
  const emit = (event: AuditEvent): Promise<void> | void => {
    events.inc()
    const line = JSON.stringify(event)
    let waiting: Promise<void>[] | undefined
    for (const backend of backends) {
      const wait = tell(backend, event, line)
      if (wait) (waiting ??= []).push(wait)
    }
    return waiting && Promise.all(waiting).then(() => undefined)
  }
  const tell = (backend: AuditBackend, event: AuditEvent, line: string): Promise<void> | undefined => {
    const strict = backend.strict && event.stage === 'RequestReceived'
    const complain = (error: unknown): void => {
      problem(backend.name, error)
      if (strict) throw error
    }
    try {
      return backend.write(fitting(event, line, backend.maxEventSize))?.catch(complain)
    } catch (error) {
      complain(error)
      return undefined
    }
  }
  const open = (request: AuditedRequest): OpenTrail | undefined => {
    const wish = policy.evaluate(request.user, request.info)
    requests.inc({ level: wish?.level ?? 'None' })
    return wish && createTrail({ request, wish, now: () => clock.now(), emit, problem: () => undefined /* said where it happened */ })
  }
  return {
    metrics: [events, requests, failures, rejected],
    begin: (request) => begun(open(request), () => rejected.inc()),
    unauthenticated(request, status, annotations = {}) {
      const trail = open({ ...request, user: nobody })
      if (!trail) return
      for (const [key, value] of Object.entries(annotations)) trail.annotate(key, value)
      trail.failed({ ...status, message: attemptOf(request) })
      trail.started(status.code)
    },
    async stop() {
      await Promise.all(backends.map((backend) => backend.stop()))
    },
  }
}

/** The event as a backend takes it: whole, or without its bodies. Throws when it is too large even then. */
function fitting(event: AuditEvent, line: string, most = Infinity): string {
  if (line.length <= most && Buffer.byteLength(line) <= most) return line
  const { requestObject: _request, responseObject: _response, ...rest } = event
  const shorter = JSON.stringify({ ...rest, annotations: { ...event.annotations, 'audit.k8s.io/truncated': 'true' } })
  if (Buffer.byteLength(shorter) > most) throw new Error(`the event is larger than ${most} bytes, even without its bodies`)
  return shorter
}

/** Whoever it was did not come in: not even as anonymous. */
const nobody = { name: '', groups: [] }

/** A trail whose first event is written as far as somebody waits for it. Throws `ApiError` 500 when it had to be and could not. */
function begun(trail: OpenTrail | undefined, rejected: () => void): Promise<AuditTrail> | AuditTrail | undefined {
  if (!trail) return undefined
  const refuse = (): never => {
    rejected()
    throw internal('failed to store audit event')
  }
  try {
    const wait = trail.received()
    return wait ? wait.then(() => trail, refuse) : trail
  } catch {
    return refuse()
  }
}

/** How somebody tried to say who they are, never what they said. */
function attemptOf({ headers }: AuditedRequest): string {
  const scheme = headers.authorization?.split(' ')[0]?.toLowerCase()
  const methods = scheme === 'bearer' || scheme === 'basic' ? [scheme] : ['x509']
  return `Authentication failed, attempted: ${methods.join(', ')}`
}
