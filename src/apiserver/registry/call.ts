/** One request for a resource, over HTTP or from a client in this process. */
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
import type { CommitCount } from './commits.ts'
import type { Served } from './served.ts'

/** A caller whose abort signal says that they have gone. */
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

/** What the registry's calls work with. */
export interface RegistryEnvironment {
  readonly cache: Cache
  readonly store: Store
  readonly clock: Clock
  readonly admission: AdmissionChain
  readonly commits: CommitCount
  /** Checks that the user of a call to change an object may also create it. Throws `ApiError` 403. */
  checkMayCreate(call: Call): Promise<void> | void
  /** The stored resource of that name, for rules that need another than the call's own. */
  find(group: string, version: string, plural: string): Served | undefined
}

/** The path of the object a call is about. */
export const callPath = (call: Pick<Call, 'served' | 'namespace' | 'name'>): string => pathOf(call.served.resource.namespaced ? call.namespace : '', call.name)

/**
 * The call on what is served now: a custom kind that was replaced since the call began has another cache, and the old one is no longer
 * fed. Throws `ApiError` 404 when the kind is gone.
 */
export function renewed(env: Pick<RegistryEnvironment, 'find'>, call: Call): Call {
  const { resource, custom } = call.served
  if (!custom) return call
  const served = env.find(resource.group, resource.version, resource.plural)
  if (!served) throw notFound(resource, call.name)
  return served === call.served ? call : { ...call, served }
}

/** What admission is told of a write. `type`: the type of `object`, when it is not the resource's. */
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
 * Refuses what admission must not do: change an object's kind or namespace to one its author was not authorized for.
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

/** Throws when the caller has gone or its deadline has passed. */
export function checkAborted(call: Call): void {
  const gone = call.caller?.gone
  if (gone === undefined) return
  throw gone instanceof ApiError ? gone : new ApiError(499, 'ClientClosedRequest', 'the client closed the request')
}

export type CallOptions = Partial<Pick<Call, 'subresource' | 'namespace' | 'name' | 'dryRun' | 'fieldManager' | 'fieldValidation' | 'options' | 'caller'>> & {
  /** Collects warnings for the client. */
  readonly warnings?: string[]
  /** Collects audit annotations. */
  readonly trail?: AuditTrail | undefined
}

/** More than fit into the head of an answer. An object can be written so that there is something to say of each of its many parts. */
const mostWarnings = 500

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
    warn: (text) => void (o.warnings && o.warnings.length < mostWarnings && !o.warnings.includes(text) && o.warnings.push(text)),
    annotate: (key, value, from) => o.trail?.annotate(key, value, from),
    apiVersion: served.resource.apiVersion,
  }
}
