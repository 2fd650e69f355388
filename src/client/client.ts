/**
 * How every component speaks to the API server. There are two implementations: in one process a direct call
 * (`apiserver/local-client.ts`), across machines HTTPS (`client/https.ts`). No caller knows which it has.
 * Returned objects are shared with caches: they are immutable, and frozen in tests.
 */
import type { In, JsonObject, Of, Resource } from '../api/index.ts'
import type { meta } from '../api/index.ts'

export interface CallOptions { readonly signal?: AbortSignal }

export interface GetOptions extends CallOptions { readonly namespace?: string; readonly resourceVersion?: string }

export interface ListOptions extends CallOptions {
  /** Left out: all namespaces, or a cluster-scoped resource. */
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly limit?: number
  readonly continue?: string
  readonly resourceVersion?: string
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan'
}

export interface WatchOptions extends CallOptions {
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly resourceVersion?: string
  readonly allowBookmarks?: boolean
  readonly sendInitialEvents?: boolean
  readonly timeoutSeconds?: number
}

export interface WriteOptions extends CallOptions {
  readonly namespace?: string
  readonly dryRun?: boolean
  readonly fieldManager?: string
}

export interface UpdateOptions extends WriteOptions { readonly subresource?: string }
export interface DeleteOptions extends WriteOptions {
  readonly gracePeriodSeconds?: number
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground'
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
}

export type Patch =
  | { readonly type: 'json'; readonly body: readonly JsonObject[] }
  | { readonly type: 'merge' | 'strategic'; readonly body: JsonObject }
  /** Server-side apply; `force` takes over conflicting fields. */
  | { readonly type: 'apply'; readonly body: JsonObject; readonly force?: boolean }

export interface List<T> {
  readonly metadata: meta.ListMeta
  readonly items: readonly T[]
}

export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  /** Only `metadata.resourceVersion` (and the initial-events-end annotation) are filled in. */
  | { readonly type: 'BOOKMARK'; readonly object: T }

/** What objects of all resources have in common: enough for generic code. */
export interface ApiObject { readonly kind: string; readonly apiVersion: string; readonly metadata: meta.ObjectMeta }

/** Every call rejects with an `ApiError` when the server refuses. `namespace` defaults to the object's. */
export interface Client {
  get<O, I>(resource: Resource<O, I>, name: string, options?: GetOptions): Promise<O>
  list<O, I>(resource: Resource<O, I>, options?: ListOptions): Promise<List<O>>
  /** Ends when the signal aborts, the server closes it, or throws an `ApiError` (410: list again). */
  watch<O, I>(resource: Resource<O, I>, options?: WatchOptions): AsyncIterable<WatchEvent<O>>
  create<O, I>(resource: Resource<O, I>, object: I, options?: WriteOptions): Promise<O>
  update<O, I>(resource: Resource<O, I>, object: I, options?: UpdateOptions): Promise<O>
  updateStatus<O, I>(resource: Resource<O, I>, object: I, options?: WriteOptions): Promise<O>
  patch<O, I>(resource: Resource<O, I>, name: string, patch: Patch, options?: UpdateOptions): Promise<O>
  /** Resolves with the object as it was, or as it is while finalizers or a grace period keep it. */
  delete<O, I>(resource: Resource<O, I>, name: string, options?: DeleteOptions): Promise<O | undefined>
  deleteCollection<O, I>(resource: Resource<O, I>, options?: DeleteOptions & Pick<ListOptions, 'labelSelector' | 'fieldSelector'>): Promise<void>
  /** POST to a subresource: `binding`, `eviction`, `token`. */
  createSubresource<B, A = unknown>(resource: Resource, name: string, subresource: string, body: B, options?: WriteOptions): Promise<A>
  /** `GET` of any path, as text: health, version, discovery. */
  raw(path: string, options?: CallOptions): Promise<string>
}

export type { In, Of }
