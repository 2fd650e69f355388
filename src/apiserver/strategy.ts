/**
 * What is particular to a resource. The generic registry (`registry/`) does everything else, and never asks which
 * resource it has before it. One file per kind in `registry/<group>/<plural>.ts` exports a `Strategy`.
 */
import type { ApiObject, Client } from '../client/client.ts'
import type { Place } from '../machinery/field.ts'
import type { Stretch } from './audit/latency.ts'
import type { Identity } from './identity.ts'

/** Who waits for the answer. */
export interface Caller {
  /** Why they do not wait any more: the reason of an abort; undefined while they do. */
  readonly gone: unknown
  /** When they are told that it took too long, in milliseconds of the clock; left out: never. */
  readonly deadline?: number
  /** Aborts when they are gone. */
  readonly signal?: AbortSignal
  /** Told how many milliseconds a part of the way took, where somebody wants to know. */
  spent?(stretch: Stretch, ms: number): void
}

export interface RequestContext {
  readonly user: Identity
  readonly verb: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly dryRun: boolean
  /** The group version that the request is in, which need not be the stored one. */
  readonly apiVersion?: string
  /** Now, in milliseconds: never `Date.now()` in a strategy. */
  readonly now: number
  /** Warning headers for the client. */
  warn(text: string): void
  /**
   * A note in the audit log about this request, under a qualified name; the first value of a key stays. Costs nothing when there is no audit.
   * `from` keeps notes that repeat what was sent out of events that are not to have that.
   */
  annotate(key: string, value: string, from?: 'Request'): void
  /** Who waits for the answer, and until when; left out where nobody can say. */
  readonly caller?: Caller | undefined
}

/** A cell of a table row: text, number or boolean. */
export type Cell = string | number | bigint | boolean | null

export interface Column {
  readonly name: string
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  readonly format?: 'name' | ''
  readonly description: string
  /** 0 is always shown; higher only with `-o wide`. */
  readonly priority?: number
}

/** The columns of `kubectl get` and the cells of one object under them, in the same order. `now` is for ages. */
export interface Printer<T> {
  readonly columns: readonly Column[]
  row(object: T, now: number): readonly Cell[]
}

export interface Strategy<T extends ApiObject = ApiObject> {
  /** Defaults that depend on other fields; simple ones are in the schema. Runs on every decode of a request body and of stored bytes of an older shape: must be idempotent. */
  default?(object: T): T
  /** What must be loaded before an object of this kind is looked at; undefined when nothing is missing. */
  ready?(object: T): Promise<void> | undefined
  /** Before a create is validated: what the client may not set is cleared (status), what the system sets is set. */
  prepareForCreate?(object: T, ctx: RequestContext): T
  /** Before an update is validated: status is kept from `current`, generation is counted by the registry when `spec` changed. */
  prepareForUpdate?(next: T, current: T, ctx: RequestContext): T
  /** Tells the places of an object (`root` is the whole of it) what is wrong with a create: everything but its metadata, which the registry checks for all kinds. */
  validate?(object: T, root: Place, ctx: RequestContext): void
  /** Everything about an update but its metadata, `validate` included where it holds; without it the registry runs `validate` on `next`. */
  validateUpdate?(next: T, current: T, root: Place, ctx: RequestContext): void
  /** The same two for the `status` subresource; without them the registry keeps everything but `status` from `current`. */
  prepareForStatusUpdate?(next: T, current: T, ctx: RequestContext): T
  validateStatusUpdate?(next: T, current: T, root: Place, ctx: RequestContext): void
  /** Warnings for the client about an accepted object; `current` is what it was before an update. */
  warnings?(object: T, current?: T): readonly string[]
  /** Finalizers need no domain. */
  readonly anyFinalizers?: boolean
  /** How object names of this kind must look; the default is a DNS-1123 subdomain. Returns what is wrong with it. */
  validateName?(name: string): readonly string[]
  /** Seconds of grace for a deletion of this object; undefined: it goes at once. */
  gracePeriodSeconds?(object: T, requested: number | undefined): number | undefined
  /** Whether an update may carry no resourceVersion and still win. Default true, as most kinds of Kubernetes. */
  readonly unconditionalUpdate?: boolean
  /** Whether PUT to a name that is not there creates it. Default false. */
  readonly createOnUpdate?: boolean
  /** False: `metadata.generation` is not counted for this kind. Default true where the kind has a `spec`. */
  readonly counted?: boolean
  /** Whether what `metadata.generation` counts has changed; without it the spec, of a kind without one everything but metadata and status. */
  moved?(next: T, current: T): boolean
  /** The paths a field selector may name beyond metadata.name and metadata.namespace, with their values. */
  selectableFields?(object: T): Readonly<Record<string, string>>
  readonly printer?: Printer<T>
  /** Reserves what the object needs outside itself (cluster IPs, node ports) before it is stored; `release` undoes it when the write fails or the object goes. */
  readonly allocation?: Allocation<T>
}

export interface Allocation<T> {
  /** Of an update that was stored, `commit` gives back what the object no longer needs. */
  allocate(object: T, current: T | undefined, ctx: RequestContext): Promise<{ readonly object: T; rollback(): Promise<void>; commit?(): Promise<void> }>
  release(object: T): Promise<void>
}

/** What strategies are made with: those that must look at other objects get a client with the server's own identity. */
export interface StrategyEnvironment { readonly client: Client; readonly serviceCidr: string; readonly nodePorts: readonly [from: number, to: number] }
