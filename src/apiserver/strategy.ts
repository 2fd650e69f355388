/**
 * What is particular to a resource. The generic registry (`registry/`) does everything else, without knowing which
 * resource it handles. One file per kind in `registry/<group>/<plural>.ts` exports a `Strategy`.
 */
import type { ApiObject, Client } from '../client/client.ts'
import type { FieldError, Place } from '../machinery/field.ts'
import type { Stretch } from './audit/latency.ts'
import type { Identity } from './identity.ts'

/** The client that waits for the answer. */
export interface Caller {
  /** Why the client no longer waits: the reason of an abort; undefined while it does. */
  readonly gone: unknown
  /** When the request times out, in milliseconds of the clock; left out: never. */
  readonly deadline?: number
  /** Aborts when the client is gone. */
  readonly signal?: AbortSignal
  /** Records how many milliseconds a part of the way took. */
  spent?(stretch: Stretch, ms: number): void
}

export interface RequestContext {
  readonly user: Identity
  readonly verb: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly dryRun: boolean
  /** The request's group version, which may differ from the stored one. */
  readonly apiVersion?: string
  /** Now, in milliseconds: never `Date.now()` in a strategy. */
  readonly now: number
  /** Warning headers for the client. */
  warn(text: string): void
  /**
   * Annotates this request in the audit log, under a qualified name; the first value of a key wins. Costs nothing without audit.
   * `from` keeps annotations that repeat the request body out of events without it.
   */
  annotate(key: string, value: string, from?: 'Request'): void
  /** Who waits for the answer, and until when, where that is known. */
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

/** What is true of an object that its row stands for, as tools can read it. */
export interface RowCondition {
  /** The object has run to its end: nothing of it changes any more. */
  readonly type: 'Completed'
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason?: string
  readonly message?: string
}

/** The columns of `kubectl get` and the cells of one object under them, in the same order. `now` is for ages. */
export interface Printer<T> {
  readonly columns: readonly Column[]
  row(object: T, now: number): readonly Cell[]
  conditions?(object: T): readonly RowCondition[]
  /** The order of the rows of a list; without it that of the list. */
  order?(a: T, b: T): number
}

export interface Strategy<T extends ApiObject = ApiObject> {
  /** Defaults that depend on other fields; simple ones are in the schema. Runs on every request body, and on stored objects that lack newer defaults: must be idempotent. */
  default?(object: T): T
  /** Loads what is needed before an object of this kind is processed; undefined when everything is there. */
  ready?(object: T): Promise<void> | undefined
  /** Before a create is validated: clears what the client may not set (status), and sets what the system sets. */
  prepareForCreate?(object: T, ctx: RequestContext): T
  /** Before an update is validated. The registry keeps the status of `current`, and counts the generation when `spec` changed. */
  prepareForUpdate?(next: T, current: T, ctx: RequestContext): T
  /** Reports what is wrong with a create to the places of the object (`root` is all of it). Metadata is checked by the registry. */
  validate?(object: T, root: Place, ctx: RequestContext): void
  /** Checks everything about an update but metadata, calling `validate` where it applies; without it the registry runs `validate` on `next`. */
  validateUpdate?(next: T, current: T, root: Place, ctx: RequestContext): void
  /** The same two for the `status` subresource; without them the registry keeps everything but `status` from `current`. */
  prepareForStatusUpdate?(next: T, current: T, ctx: RequestContext): T
  validateStatusUpdate?(next: T, current: T, root: Place, ctx: RequestContext): void
  /** Whether what writes the status leaves all metadata as it is. Default false: it may change labels, annotations and finalizers, as for most kinds of Kubernetes. */
  readonly statusOnly?: boolean
  /** What is wrong that only other objects or the authorizer know, said before what validation says; `current` is undefined at a create. Asked about the object and its status. */
  consult?(next: T, current: T | undefined, ctx: RequestContext): Promise<readonly FieldError[]> | undefined
  /** Warnings for the client about an accepted object; `current` is what it was before an update. */
  warnings?(object: T, current?: T): readonly string[]
  /** Finalizers may have names without a domain. */
  readonly anyFinalizers?: boolean
  /** Checks an object's name; the default is a DNS-1123 subdomain. Returns what is wrong with it. */
  validateName?(name: string): readonly string[]
  /** Seconds of grace for a deletion of this object; undefined: it goes at once. */
  gracePeriodSeconds?(object: T, requested: number | undefined): number | undefined
  /** Whether an update may leave out resourceVersion. Default true, as for most kinds of Kubernetes. */
  readonly unconditionalUpdate?: boolean
  /** Whether PUT creates an object that does not exist. Default false. */
  readonly createOnUpdate?: boolean
  /** False: `metadata.generation` is not counted for this kind. Default true where the kind has a `spec`. */
  readonly counted?: boolean
  /** Whether `metadata.generation` must count up. Default: the spec changed, or for a kind without one anything but metadata and status. */
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

/** What strategies are given; `client` has the server's own identity, for those that must look at other objects. */
export interface StrategyEnvironment { readonly client: Client; readonly serviceCidr: string; readonly nodePorts: readonly [from: number, to: number] }
