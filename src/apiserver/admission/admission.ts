/** Admission: what the cluster has to say about a write before it is validated, and after. One plugin, one file. */
import type { Resource } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import type { RequestContext } from '../strategy.ts'

export interface AdmissionAttributes<T extends ApiObject = ApiObject> {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'
  readonly resource: Resource
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  /** The object as it would be stored; undefined for DELETE. */
  readonly object: T | undefined
  /** The object as it is stored; undefined for CREATE. */
  readonly old: T | undefined
  readonly options: Readonly<Record<string, unknown>>
  readonly context: RequestContext
}

/** Throws `ApiError` (403, mostly) to refuse. */
export interface AdmissionPlugin {
  readonly name: string
  /** Cheap test that keeps plugins off requests that are none of theirs. */
  handles(attributes: AdmissionAttributes): boolean
  /** Returns the object to go on with: the same one when nothing is to change. */
  mutate?(attributes: AdmissionAttributes): Promise<ApiObject> | ApiObject
  validate?(attributes: AdmissionAttributes): Promise<void> | void
}

export interface AdmissionChain {
  mutate(attributes: AdmissionAttributes): Promise<ApiObject | undefined>
  validate(attributes: AdmissionAttributes): Promise<void>
}
