/** Admission: what the cluster has to say about a write before it is validated, and after. One plugin, one file. */
import type { Resource, StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import type { RequestContext } from '../strategy.ts'
import type { Reinvocation } from './reinvocation.ts'

export interface AdmissionAttributes<T extends ApiObject = ApiObject> {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'
  /** In the version that admission works in, which is the objects'. */
  readonly resource: Resource
  /** In the version the client asked for; left out when it is `resource`. */
  readonly requested?: Resource | undefined
  /** The other versions, and names in other groups, that the objects can be shown in: what `matchPolicy: Equivalent` is about. Left out: none. */
  others?(): readonly OtherVersion[]
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  /** The object as it would be stored; undefined for DELETE. */
  readonly object: T | undefined
  /** The object as it is stored; undefined for CREATE. */
  readonly old: T | undefined
  readonly options: Readonly<Record<string, unknown>>
  readonly context: RequestContext
  /** What is sent to a subresource, where that is no object of the resource: a Binding, an Eviction, options of a connection. */
  readonly type?: StructType<ApiObject> | undefined
  /** Given by the chain to plugins that mutate. */
  readonly reinvocation?: Reinvocation | undefined
}

/** A way between the version that admission works in and another one. Both reject with `ApiError` when the object cannot be converted. */
export interface OtherVersion {
  readonly resource: Resource
  to(object: ApiObject): Promise<ApiObject> | ApiObject
  from(object: ApiObject): Promise<ApiObject> | ApiObject
}

/** Throws `ApiError` (403, mostly) to refuse. */
export interface AdmissionPlugin {
  readonly name: string
  /** Cheap test that keeps plugins off requests that are none of theirs. */
  handles(attributes: AdmissionAttributes): boolean
  /** `mutate` hears of deletions and connections too. Of a deletion there is no object. */
  readonly hearsOfAll?: boolean
  /** Returns the object to go on with: the same one when nothing is to change. */
  mutate?(attributes: AdmissionAttributes): Promise<ApiObject | undefined> | ApiObject | undefined
  validate?(attributes: AdmissionAttributes): Promise<void> | void
}

/** Both answer at once unless a plugin has to ask somebody, and throw, or reject with, what the refusing plugin said. */
export interface AdmissionChain {
  mutate(attributes: AdmissionAttributes): Promise<ApiObject | undefined> | ApiObject | undefined
  validate(attributes: AdmissionAttributes): Promise<void> | void
}
