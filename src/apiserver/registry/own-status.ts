/** A kind's status belongs to the system: clients write it through the `status` subresource only. */
import { resolve, type Resource } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { zeroOf } from '../../machinery/zero.ts'
import type { Strategy } from '../strategy.ts'

/** Clears the status of a new object and keeps it through updates, for kinds that have the subresource; nothing for others. */
export function ownStatus<T extends ApiObject>(resource: Resource<T>): Pick<Strategy<T>, 'prepareForCreate' | 'prepareForUpdate'> {
  const field = resource.type.fields['status']
  if (!field || !resource.subresources.includes('status')) return {}
  const empty: unknown = field.presence === 'fill' || field.presence === 'req' ? zeroOf(resolve(field.type)) : undefined
  return {
    prepareForCreate: (object) => ({ ...object, status: empty }),
    prepareForUpdate: (next, current) => ({ ...next, status: statusOf(current) }),
  }
}

const statusOf = (object: object): unknown => ('status' in object ? object.status : undefined)
