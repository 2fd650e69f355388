/** The selectors of lists, watches and collection deletes, as authorizers see them. */
import type { authorization } from '../../api/index.ts'
import { parseFieldSelector } from '../../machinery/fields.ts'
import { parseLabelSelector } from '../../machinery/labels.ts'
import type { Action } from './authorizer.ts'

/** Whether the action is restricted to objects whose field has this value. A malformed selector restricts nothing. */
export function requiresField(action: Pick<Action, 'fieldSelector'>, field: string, value: string): boolean {
  if (!action.fieldSelector) return false
  try {
    return parseFieldSelector(action.fieldSelector).requirements.some((r) => r.path === field && r.op === '=' && r.value === value)
  } catch {
    return false // the request is rejected for it later, with an error about the selector
  }
}

type Sent = Pick<authorization.ResourceAttributes, 'fieldSelector' | 'labelSelector'>

/** The selectors of an action, for a review: the requirements that all of several parsings agree on; omitted when malformed. */
export function sentSelectors(action: Pick<Action, 'fieldSelector' | 'labelSelector'>): Sent {
  return { ...fieldsOf(action.fieldSelector), ...labelsOf(action.labelSelector) }
}

function fieldsOf(text: string | undefined): Sent {
  if (!text) return {}
  try {
    const requirements = parseFieldSelector(text).requirements.map(({ path, op, value }) => ({ key: path, operator: op === '=' ? 'In' : 'NotIn', values: [value] }))
    return requirements.length > 0 ? { fieldSelector: { requirements } } : {}
  } catch {
    return {} // omitted, it restricts nothing: the stricter choice
  }
}

function labelsOf(text: string | undefined): Sent {
  if (!text) return {}
  try {
    const requirements = parseLabelSelector(text).requirements.flatMap(({ key, operator: op, values }) => {
      const operator = labelOperators[op]
      return operator ? [{ key, operator, ...(values.length > 0 ? { values: [...values] } : {}) }] : []
    })
    return requirements.length > 0 ? { labelSelector: { requirements } } : {}
  } catch {
    return {}
  }
}

const labelOperators: Readonly<Record<string, string>> = { '=': 'In', '==': 'In', in: 'In', '!=': 'NotIn', notin: 'NotIn', exists: 'Exists', '!': 'DoesNotExist' }

/** The selectors of a review, as text. A requirement without a text form (a field in several values) is omitted, and restricts nothing. */
export function askedSelectors({ fieldSelector, labelSelector }: Sent): Pick<Action, 'fieldSelector' | 'labelSelector'> {
  const fields = fieldSelector?.rawSelector || (fieldSelector?.requirements ?? []).flatMap(({ key, operator, values = [] }) =>
    (values.length === 1 && (operator === 'In' || operator === 'NotIn') ? [`${key}${operator === 'In' ? '=' : '!='}${(values[0] as string).replace(/[\\,=]/g, (c) => `\\${c}`)}`] : [])).join(',')
  const labels = labelSelector?.rawSelector || (labelSelector?.requirements ?? []).map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key
    return operator === 'DoesNotExist' ? `!${key}` : `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`
  }).join(',')
  return { ...(fields ? { fieldSelector: fields } : {}), ...(labels ? { labelSelector: labels } : {}) }
}
