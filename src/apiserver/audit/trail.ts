/** The trail of one request: collects what the policy wants, and hands out an event at each stage. */
import type { Status } from '../../machinery/errors.ts'
import type { Identity } from '../identity.ts'
import type { AuditedRequest, AuditTrail } from '../options.ts'
import { rfc3339Micro } from '../../machinery/time.ts'
import { censored } from './censor.ts'
import { completed, headOf, userOf, type AuditEvent, type EventStatus, type Head } from './event.ts'
import type { Stage, Wish } from './policy.ts'

/** Takes an event; what it returns settles when the request may go on. */
export type Emit = (event: AuditEvent) => Promise<void> | void

export interface TrailOptions {
  readonly request: AuditedRequest
  readonly wish: Wish
  /** Milliseconds since the epoch. */
  now(): number
  readonly emit: Emit
  /** What becomes of a failure to write that nobody waits for. */
  problem(error: unknown): void
}

export interface OpenTrail extends AuditTrail {
  /** The first stage. What it returns settles when the request may go on. */
  received(): Promise<void> | void
}

/** Begins a trail. */
export function createTrail({ request, wish, now, emit, problem }: TrailOptions): OpenTrail {
  let head: Head = headOf(request, wish.level, now())
  let status: EventStatus | undefined
  let requestObject: unknown
  let responseObject: unknown
  let annotations: Record<string, string> | undefined
  let impersonated: { readonly user: Identity; readonly constraint: string | undefined } | undefined
  let over = false
  const wantsRequest = wish.level === 'Request' || wish.level === 'RequestResponse'
  const wantsResponse = wish.level === 'RequestResponse'
  const kept = (value: unknown): unknown => censored(request.info, wish.omitManagedFields ? withoutManagers(value) : value)

  const event = (stage: Stage): AuditEvent => {
    const { kind, apiVersion, level, auditID, requestReceivedTimestamp, ...rest } = head
    return {
      kind, apiVersion, level, auditID, stage,
      ...rest,
      ...(impersonated ? { impersonatedUser: userOf(impersonated.user), ...(impersonated.constraint ? { authenticationMetadata: { impersonationConstraint: impersonated.constraint } } : {}) } : {}),
      ...(status ? { responseStatus: status } : {}),
      ...(requestObject === undefined ? {} : { requestObject }),
      ...(responseObject === undefined ? {} : { responseObject }),
      requestReceivedTimestamp,
      stageTimestamp: rfc3339Micro(now()),
      ...(annotations ? { annotations: { ...annotations } } : {}),
    }
  }
  const tell = (stage: Stage): Promise<void> | void => (wish.omitStages.has(stage) ? undefined : emit(event(stage)))
  const later = (stage: Stage): void => {
    try {
      tell(stage)?.catch(problem)
    } catch (error) {
      problem(error)
    }
  }
  return {
    wantsRequest,
    wantsResponse,
    received: () => tell('RequestReceived'),
    impersonated: (user, constraint) => void (impersonated = { user, constraint }),
    annotate(key, value, from) {
      if (from && !wantsRequest) return
      annotations ??= {}
      annotations[key] ??= value
    },
    requestObject(object) {
      if (head.objectRef) head = { ...head, objectRef: completed(head.objectRef, object) }
      if (wantsRequest) requestObject = kept(object)
    },
    responseObject(object) {
      if ((object as { kind?: unknown } | null)?.kind === 'Status') status = statusOf(object as Status)
      if (wantsResponse) responseObject = kept(object)
    },
    failed(given) {
      // What is answered as plain text, or in no form that the client takes, is no Status in Kubernetes either.
      if (given.code === 406 || given.message === noPage) return void (status = { metadata: {}, code: given.code })
      status = statusOf(given)
      if (wantsResponse) responseObject = given
    },
    started(code) {
      if (over) return
      status = { ...status, metadata: {}, code }
      later('ResponseStarted')
    },
    panicked(error) {
      if (over) return
      over = true
      status = panicStatus(error)
      later('Panic')
    },
    finished(code) {
      if (over) return
      over = true
      status = status ? { ...status, code } : { metadata: {}, code }
      later('ResponseComplete')
    },
  }
}

const noPage = '404 page not found'

/** Events have no kind within them. */
function statusOf({ kind: _kind, apiVersion: _version, ...rest }: Status): EventStatus {
  return rest
}

const panicStatus = (error: unknown): EventStatus =>
  ({ metadata: {}, status: 'Failure', message: `APIServer panic'd: ${error instanceof Error ? error.message : String(error)}`, reason: 'InternalError', code: 500 })

/** An object, or a list of them, without the book-keeping of apply. */
function withoutManagers(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const { items, metadata } = value as { items?: unknown; metadata?: { managedFields?: unknown } }
  if (Array.isArray(items)) return { ...value, items: items.map(withoutManagers) }
  if (!metadata?.managedFields) return value
  const { managedFields: _left, ...rest } = metadata
  return { ...value, metadata: rest }
}
