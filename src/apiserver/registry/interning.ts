/** Keeps one copy of field sets that many objects share: pods of one template own the same fields. */
import type { meta } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { withMeta } from './meta.ts'

type Fields = NonNullable<meta.ManagedFieldsEntry['fieldsV1']>

/** By their JSON. Bounded: when full, it is emptied and fills again. */
const kept = new Map<string, Fields>()
const most = 2000
/** Longer ones are rarely shared. */
const longest = 8192
const shared = new WeakSet<Fields>()

function one(fields: Fields): Fields {
  if (shared.has(fields)) return fields
  const text = JSON.stringify(fields)
  if (text.length > longest) return fields
  const before = kept.get(text)
  if (before) return before
  if (kept.size >= most) kept.clear()
  kept.set(text, fields)
  shared.add(fields)
  return fields
}

const isShared = ({ fieldsV1 }: meta.ManagedFieldsEntry): boolean => fieldsV1 === undefined || shared.has(fieldsV1)
const interned = (entry: meta.ManagedFieldsEntry): meta.ManagedFieldsEntry => {
  const { fieldsV1 } = entry
  const fields = fieldsV1 && one(fieldsV1)
  return fields === fieldsV1 ? entry : { ...entry, fieldsV1: fields }
}

/** The entries with shared field sets; the same entries when there is nothing to share. */
export const internEntries = (entries: meta.ObjectMeta['managedFields']): meta.ObjectMeta['managedFields'] => (entries?.every(isShared) ? entries : entries?.map(interned))

/** The object with shared field sets; the same object when there is nothing to share. */
export function intern<T extends ApiObject>(object: T): T {
  const { managedFields } = object.metadata
  const entries = internEntries(managedFields)
  return entries === managedFields ? object : withMeta(object, { managedFields: entries })
}
