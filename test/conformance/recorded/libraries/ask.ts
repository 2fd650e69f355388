/**
 * Questions for Kubernetes's own libraries (patches, apply, decoding, quantities, selectors, times), as `main.go` beside this takes them, and
 * what Skiff answers to them.
 */
import { decodeBody } from '../../../../src/apiserver/encoding/decode.ts'
import { applyConfiguration, updateManagedFields } from '../../../../src/machinery/apply.ts'
import { isApiError, type ApiError } from '../../../../src/machinery/errors.ts'
import { parseFieldSelector } from '../../../../src/machinery/fields.ts'
import { decodeObject } from '../../../../src/machinery/json.ts'
import { bad, scalarDecoders } from '../../../../src/machinery/json/scalars.ts'
import { fromLabelSelector, parseLabelSelector } from '../../../../src/machinery/labels.ts'
import { applyStrategicMergePatch } from '../../../../src/machinery/patch.ts'
import { parseQuantity } from '../../../../src/machinery/quantity.ts'
import { goldens } from '../../../../src/machinery/testing.ts'
import { shortAge } from '../../../../src/machinery/time.ts'
import type { ApiObject } from '../../../../src/client/client.ts'
import type { StructType } from '../../../../src/api/index.ts'

/** One request of a sequence: by whom, through which subresource, and the object as JSON. */
interface Step { readonly Op: string; readonly Manager: string; readonly Force: boolean; readonly Sub: string; readonly Obj: string }
export interface Question {
  readonly Op: string
  /** Group, version, kind. */
  readonly GVK?: readonly [string, string, string]
  readonly Original?: ApiObject
  readonly Patch?: string
  readonly Type?: string
  readonly Validation?: string
  readonly Data?: string
  readonly Steps?: readonly Step[]
  readonly A?: string
  readonly B?: string
  readonly Labels?: Readonly<Record<string, string>>
}
/** What came of it: an object, values, or why it was refused. */
export interface Answer { readonly object?: unknown; readonly warnings?: readonly string[]; readonly values?: readonly string[]; readonly refused?: string; readonly code?: number; readonly causes?: readonly unknown[]; readonly steps?: readonly Answer[] }

/** Go tells a list that is not there from an empty one, where fields are always written; and times are of now. */
const shown = (object: unknown): unknown => JSON.parse(JSON.stringify(object), (key, value: unknown) => {
  if (key === 'time' && typeof value === 'string') return 'NOW'
  if (key === 'fieldsV1' || key === 'managedFields') return value
  return value === null || (Array.isArray(value) && value.length === 0) ? undefined : value
}) as unknown

/** An answer, ready to be compared: owners in the order of their names, for times are of seconds. Kubernetes finds some faults in the order of a Go map. */
export function settled({ object, refused, ...rest }: Answer): Answer {
  const tidy = object === undefined ? undefined : shown(object) as { metadata?: { managedFields?: Record<string, string>[] } }
  const name = (entry: Record<string, string>): string => ['operation', 'manager', 'subresource'].map((part) => entry[part]).join(' ')
  tidy?.metadata?.managedFields?.sort((a, b) => (name(a) < name(b) ? -1 : 1))
  return { ...rest, ...(tidy === undefined ? {} : { object: tidy }), ...(refused === undefined ? {} : { refused: refused.split('\n').toSorted().join('\n') }), ...(rest.steps ? { steps: rest.steps.map(settled) } : {}) }
}

const refusal = ({ code, message, status }: ApiError): Answer => ({ code, refused: message, ...(code === 409 ? { causes: status.details?.causes ?? [] } : {}) })
function attempt(act: () => Answer): Answer {
  try {
    return act()
  } catch (error) {
    if (isApiError(error)) return refusal(error)
    throw error
  }
}

const types = new Map(goldens().map(({ name, type }) => [name, type as StructType<ApiObject>]))
const typeOf = ([group, version, kind]: readonly [string, string, string]): StructType<ApiObject> => types.get(`${group || 'core'}.${version}.${kind}`) as StructType<ApiObject>
const versionOf = ([group, version]: readonly [string, string, string]): string => (group ? `${group}/${version}` : version)

function strategic({ GVK, Original, Patch = '' }: Question): Answer {
  const type = typeOf(GVK as [string, string, string])
  return attempt(() => ({ object: decodeObject(type, applyStrategicMergePatch(type, Original, JSON.parse(Patch))).object }))
}

function decoded({ GVK = ['', '', ''], Data = '', Validation }: Question): Answer {
  const warnings: string[] = []
  const expected = { kind: GVK[2], apiVersion: versionOf(GVK), type: typeOf(GVK) }
  return attempt(() => ({ object: decodeBody(Buffer.from(Data), expected, { media: 'json', validation: Validation as 'Warn', warn: (text) => void warnings.push(text) }), ...(warnings.length > 0 ? { warnings } : {}) }))
}

function sequence({ GVK = ['', '', ''], Steps = [] }: Question): Answer {
  const type = typeOf(GVK)
  let current: ApiObject | undefined
  const steps = Steps.map(({ Op, Manager, Force, Sub, Obj }) => attempt(() => {
    const object = JSON.parse(Obj) as ApiObject
    const next = Op === 'apply' ? applyConfiguration(type, current, object, { manager: Manager, now: Date.now(), force: Force, subresource: Sub })
      : updateManagedFields(type, current, decodeObject(type, object).object, { manager: Manager, now: Date.now(), subresource: Sub })
    // Whoever exists has a uid.
    current = decodeObject(type, { ...next, metadata: { ...next.metadata, uid: 'u' } }).object
    return { object: current }
  }))
  return { steps }
}

const values = (...list: readonly unknown[]): Answer => ({ values: list.map(String) })
function scalar(name: 'duration' | 'time' | 'microTime', text: string): Answer {
  const value = scalarDecoders[name]?.(JSON.parse(text))
  return value === bad ? { refused: 'bad' } : values(JSON.stringify(value))
}

/** By operation. */
const answering: Readonly<Record<string, (question: Question) => Answer>> = {
  patch: strategic,
  decode: decoded,
  ssa: sequence,
  quantity: ({ A = '', B = '' }) => attempt(() => {
    const a = parseQuantity(A)
    if (B === '') return values(a, a.value(), a.milliValue(), a.format)
    const b = parseQuantity(B)
    return values(a, a.value(), a.milliValue(), a.format, a.add(b), a.sub(b), a.compare(b))
  }),
  labels: ({ A = '', Labels }) => attempt(() => values(parseLabelSelector(A), parseLabelSelector(A).matches(Labels))),
  labelselector: ({ A = '', Labels }) => attempt(() => values(fromLabelSelector(JSON.parse(A)), fromLabelSelector(JSON.parse(A)).matches(Labels))),
  fields: ({ A = '', Labels = {} }) => attempt(() => values(parseFieldSelector(A), parseFieldSelector(A).matches(Labels))),
  human: ({ A = '' }) => values(shortAge(Number.parseInt(A, 10) * 1000)),
  duration: ({ A = '' }) => scalar('duration', A),
  time: ({ A = '' }) => scalar('time', A),
  microtime: ({ A = '' }) => scalar('microTime', A),
}

/** What Skiff answers. */
export const ask = (question: Question): Answer => settled((answering[question.Op] as (question: Question) => Answer)(question))
