/** What must not be in an audit log, whatever its policy says: tokens, and the values of secrets. */
import type { RequestInfo } from '../http/request.ts'

/** Stands where a value stood. */
export const hidden = '[hidden]'

type Fields = Readonly<Record<string, unknown>>
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

/** What was sent or answered, without the values nobody but its reader may see. The same object when there is nothing to hide. */
export function censored(info: Pick<RequestInfo, 'group' | 'resource' | 'subresource'>, value: unknown): unknown {
  if (info.group === '' && info.resource === 'secrets') return Array.isArray(value) ? value.map(censoredOperation) : censoredSecrets(value)
  if (info.group === 'authentication.k8s.io' && info.resource === 'tokenreviews') return within(value, 'spec', 'token')
  if (info.group === '' && info.resource === 'serviceaccounts' && info.subresource === 'token') return within(value, 'status', 'token')
  return value
}

/** `value` with `value[part][field]` hidden. */
function within(value: unknown, part: string, field: string): unknown {
  const inner = isFields(value) ? value[part] : undefined
  return isFields(inner) && inner[field] ? { ...(value as Fields), [part]: { ...inner, [field]: hidden } } : value
}

/** A secret, a list of them, a table of them, or a merge patch of one. */
function censoredSecrets(value: unknown): unknown {
  if (!isFields(value)) return value
  const { items, data, stringData, metadata } = value
  if (Array.isArray(items)) return { ...value, items: items.map(censoredSecrets) }
  return {
    ...value,
    ...(isFields(metadata) ? { metadata: censoredMetadata(metadata) } : {}),
    ...(data === undefined ? {} : { data: censoredValues(data) }),
    ...(stringData === undefined ? {} : { stringData: censoredValues(stringData) }),
  }
}

function censoredMetadata(metadata: Fields): Fields {
  const { annotations } = metadata
  return isFields(annotations) && annotations[lastApplied] ? { ...metadata, annotations: { ...annotations, [lastApplied]: hidden } } : metadata
}

/** Which keys there are may be told; null in a patch means that one goes. */
const censoredValues = (values: unknown): unknown =>
  isFields(values) ? Object.fromEntries(Object.entries(values).map(([key, value]) => [key, value === null || key.startsWith('$') ? value : hidden])) : hidden

/** One step of a JSON patch: its value is told only where it cannot be a secret's. */
function censoredOperation(step: unknown): unknown {
  if (!isFields(step) || step['value'] === undefined) return step
  const at = typeof step['path'] === 'string' ? step['path'] : ''
  const harmless = (at.startsWith('/metadata/') && !at.startsWith('/metadata/annotations')) || at === '/type' || at === '/immutable'
  return harmless ? step : { ...step, value: hidden }
}
