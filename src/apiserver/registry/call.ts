/** One request for a resource, whoever brought it: over HTTP or from a client in this process. */
import type { StructType } from '../../api/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import type { Store } from '../../store/store.ts'
import type { AdmissionAttributes, AdmissionChain } from '../admission/admission.ts'
import type { Cache } from '../cache/cache.ts'
import { pathOf } from '../cache/keys.ts'
import type { ApiObject } from '../../client/client.ts'
import { ApiError, badRequest, internal, invalid, notFound } from '../../machinery/errors.ts'
import type { FieldError } from '../../machinery/field.ts'
import type { Identity } from '../identity.ts'
import type { AuditTrail } from '../options.ts'
import type { Caller, RequestContext } from '../strategy.ts'
import type { Served } from './served.ts'

/** A caller who says by a signal that they have gone. */
export const callerOf = (signal: AbortSignal | undefined): Caller | undefined => signal && { signal, get gone() { return signal.aborted ? signal.reason as unknown : undefined } }

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict'

export interface Call extends RequestContext {
  readonly served: Served
  readonly fieldManager: string
  readonly fieldValidation: FieldValidation
  /** The options of the request as admission sees them. */
  readonly options: Readonly<Record<string, unknown>>
  readonly caller: Caller | undefined
}

/** What the registry works with. */
export interface RegistryEnvironment {
  readonly cache: Cache
  readonly store: Store
  readonly clock: Clock
  readonly admission: AdmissionChain
  /** Settles when the user of a call that came to change an object may also create it. Throws `ApiError` 403. */
  checkMayCreate(call: Call): Promise<void> | void
  /** The stored resource of the name, wherever a rule needs another one than it was called for. */
  find(group: string, version: string, plural: string): Served | undefined
}

/** The path of the object a call is about. */
export const callPath = (call: Pick<Call, 'served' | 'namespace' | 'name'>): string => pathOf(call.served.resource.namespaced ? call.namespace : '', call.name)

/**
 * The call on what is served now: a custom kind that was served anew since the call was made has another cache, and the old one stands
 * still. Throws `ApiError` 404 when it is served no longer.
 */
export function renewed(env: Pick<RegistryEnvironment, 'find'>, call: Call): Call {
  const { resource, custom } = call.served
  if (!custom) return call
  const served = env.find(resource.group, resource.version, resource.plural)
  if (!served) throw notFound(resource, call.name)
  return served === call.served ? call : { ...call, served }
}

/** What admission is told of a write. `type`: what `object` is, when it is no object of the resource. */
export const attributes = (call: Call, operation: 'CREATE' | 'UPDATE' | 'DELETE', object: ApiObject | undefined, old: ApiObject | undefined, type?: StructType<ApiObject>): AdmissionAttributes => ({
  operation,
  resource: call.served.storage,
  requested: call.served.resource,
  others: call.served.others,
  type,
  subresource: call.subresource,
  namespace: call.namespace,
  name: object?.metadata.name ?? call.name,
  object,
  old,
  options: call.options.kind === 'PatchOptions' ? { ...call.options, kind: operation === 'CREATE' ? 'CreateOptions' : 'UpdateOptions' } : call.options,
  context: call,
})

/**
 * What admission may not make of an object: one of another kind or in another namespace, which its author was not authorized for.
 * Throws `ApiError` 400, 500.
 */
export function checkAdmitted(before: ApiObject, after: ApiObject): void {
  if (after === before) return
  if (after.kind !== before.kind || after.apiVersion !== before.apiVersion) throw internal(`admission made a ${String(after.apiVersion)} ${String(after.kind)} of a ${before.apiVersion} ${before.kind}`)
  if ((after.metadata.namespace ?? '') !== (before.metadata.namespace ?? '')) throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
}

/** Throws `ApiError` 422 when there are errors. */
export function refuse(call: Call, name: string, errors: readonly FieldError[]): void {
  if (errors.length) throw invalid(call.served.storage, name, errors)
}

/** Throws when the caller has gone or its time is up. */
export function checkAborted(call: Call): void {
  const gone = call.caller?.gone
  if (gone === undefined) return
  throw gone instanceof ApiError ? gone : new ApiError(499, 'ClientClosedRequest', 'the client closed the request')
}

export type CallOptions = Partial<Pick<Call, 'subresource' | 'namespace' | 'name' | 'dryRun' | 'fieldManager' | 'fieldValidation' | 'options' | 'caller'>> & {
  /** Where warnings for the client are collected. */
  readonly warnings?: string[]
  /** Where annotations go. */
  readonly trail?: AuditTrail | undefined
}

/** A call by `user` to do `verb` on `served`. */
export function makeCall(env: Pick<RegistryEnvironment, 'clock'>, served: Served, user: Identity, verb: string, o: CallOptions): Call {
  return {
    served,
    user,
    verb,
    subresource: o.subresource ?? '',
    namespace: o.namespace ?? '',
    name: o.name ?? '',
    dryRun: o.dryRun ?? false,
    fieldManager: o.fieldManager ?? '',
    fieldValidation: o.fieldValidation ?? 'Ignore',
    options: o.options ?? {},
    caller: o.caller,
    now: env.clock.now(),
    warn: (text) => void (o.warnings && !o.warnings.includes(text) && o.warnings.push(text)),
    annotate: (key, value, from) => o.trail?.annotate(key, value, from),
    apiVersion: served.resource.apiVersion,
  }
}
