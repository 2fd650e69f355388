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

export interface AskedSelectors {
  readonly selectors: Pick<Action, 'fieldSelector' | 'labelSelector'>
  /** What of them says nothing here, in Kubernetes's words. */
  readonly problems: readonly string[]
}

type Requirement = { readonly key: string; readonly operator: string; readonly values?: readonly string[] | undefined }

/** The selectors of a review, as text. A requirement without a text form (a field in several values, an unknown operator) is omitted, and restricts nothing. */
export function askedSelectors({ fieldSelector, labelSelector }: Sent): AskedSelectors {
  const problems: string[] = []
  const read = (name: 'fieldSelector' | 'labelSelector', { rawSelector, requirements = [] }: { readonly rawSelector?: string | undefined; readonly requirements?: readonly Requirement[] | undefined }, parse: (text: string) => unknown, textOf: (requirement: Requirement) => string | undefined): string => {
    const texts = rawSelector ? [readable(rawSelector, parse)] : requirements.map(textOf)
    const good = texts.filter((text) => text !== undefined)
    if (good.length < texts.length) problems.push(`spec.resourceAttributes.${name} ${good.length > 0 ? 'partially ignored' : 'ignored'} due to parse error`)
    return good.join(',')
  }
  const fields = fieldSelector ? read('fieldSelector', fieldSelector, parseFieldSelector, fieldText) : ''
  const labels = labelSelector ? read('labelSelector', labelSelector, parseLabelSelector, labelText) : ''
  return { selectors: { ...(fields ? { fieldSelector: fields } : {}), ...(labels ? { labelSelector: labels } : {}) }, problems }
}

function readable(text: string, parse: (text: string) => unknown): string | undefined {
  try {
    parse(text)
    return text
  } catch {
    return undefined // said in the answer, and restricting nothing
  }
}

function fieldText({ key, operator, values = [] }: Requirement): string | undefined {
  if (values.length !== 1 || (operator !== 'In' && operator !== 'NotIn')) return undefined
  return `${key}${operator === 'In' ? '=' : '!='}${(values[0] as string).replace(/[\\,=]/g, (c) => `\\${c}`)}`
}

function labelText({ key, operator, values = [] }: Requirement): string | undefined {
  switch (operator) {
    case 'In': return `${key} in (${values.join(',')})`
    case 'NotIn': return `${key} notin (${values.join(',')})`
    case 'Exists': return key
    case 'DoesNotExist': return `!${key}`
    default: return undefined
  }
}
