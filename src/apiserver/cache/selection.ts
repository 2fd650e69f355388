/** Which objects of a resource a list or a watch selects. */
import type { ApiObject } from '../../client/client.ts'
import { badRequest } from '../../machinery/errors.ts'
import { everyField, parseFieldSelector, type FieldSelector } from '../../machinery/fields.ts'
import { everything, parseLabelSelector, type LabelSelector } from '../../machinery/labels.ts'
import { pathOf } from './keys.ts'

export interface Selection {
  /** The prefix of the objects' paths: '' or `namespace/`. */
  readonly path: string
  /** Set when only one object can match: its path. */
  readonly single: string | undefined
  /** Whether the path alone decides, without labels or fields. */
  readonly all: boolean
  /** Whether field values decide. */
  readonly byFields: boolean
  matches(object: ApiObject): boolean
}

export interface SelectionOptions {
  readonly namespace: string
  /** The name in the URL of a watch of one object. */
  readonly name?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
}

/** What selecting needs to know of a resource. */
export interface Selectable {
  readonly resource: { readonly namespaced: boolean; readonly kind: string }
  readonly custom?: object | undefined
  fields(object: ApiObject): Readonly<Record<string, string>>
  fieldPaths(): ReadonlySet<string>
}

const one = (selector: FieldSelector, path: string): string | undefined => selector.requirements.find((r) => r.path === path && r.op === '=')?.value

function checkFields(selector: FieldSelector, of: Selectable): void {
  const unknown = selector.requirements.find((r) => !of.fieldPaths().has(r.path))
  if (!unknown) return
  if (of.resource.kind === 'Job' && !of.custom) throw badRequest(`field label ${JSON.stringify(unknown.path)} not supported for batchv1.Job`)
  // Kinds without selectable fields have a message of their own.
  throw badRequest(of.fieldPaths().size > 2 || of.custom ? `field label not supported: ${unknown.path}` : `${JSON.stringify(unknown.path)} is not a known field selector: only "metadata.name", "metadata.namespace"`)
}

/** Parses the selectors of a request. Throws `ApiError` 400 for a selector that is malformed or names a field that is not selectable. */
export function selectionOf(of: Selectable, options: SelectionOptions): Selection {
  const labels: LabelSelector = options.labelSelector ? parseLabelSelector(options.labelSelector) : everything
  const fields: FieldSelector = options.fieldSelector ? parseFieldSelector(options.fieldSelector) : everyField
  if (!fields.empty) checkFields(fields, of)
  const { namespaced } = of.resource
  const inNamespace = options.namespace || (namespaced ? (one(fields, 'metadata.namespace') ?? '') : '')
  const name = options.name ?? one(fields, 'metadata.name')
  const path = inNamespace && namespaced ? `${inNamespace}/` : ''
  const onlyName = options.name === undefined ? undefined : options.name
  const all = labels.empty && fields.empty && onlyName === undefined
  return {
    path,
    single: name && (!namespaced || inNamespace) ? pathOf(namespaced ? inNamespace : '', name) : undefined,
    all,
    byFields: !fields.empty,
    matches: (object) =>
      (onlyName === undefined || object.metadata.name === onlyName) && labels.matches(object.metadata.labels) && (fields.empty || fields.matches(of.fields(object))),
  }
}
