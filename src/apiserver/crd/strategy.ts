/** What the registry asks of one version of a custom kind. */
import type { apiextensions } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import type { FieldError, Place } from '../../machinery/field.ts'
import { compileJsonPath } from '../../machinery/jsonpath.ts'
import { deepEqual } from '../../machinery/meta.ts'
import { finalizerWarnings } from '../../machinery/names.ts'
import { bodyOf, withMeta } from '../registry/meta.ts'
import type { Strategy } from '../strategy.ts'
import { printerOf } from './columns.ts'
import { checkScale } from './scale.ts'
import type { CustomSchema } from './schema/compile.ts'

type Version = apiextensions.CustomResourceDefinitionVersion

/** The object with another status, or with none. */
function withStatus(object: ApiObject, status: unknown): ApiObject {
  if (bodyOf(object)['status'] === status) return object
  const { status: _, ...rest } = object as ApiObject & { status?: unknown }
  return (status === undefined ? rest : { ...rest, status }) as ApiObject
}

const statusOf = (object: ApiObject): unknown => bodyOf(object)['status']

/** Everything but metadata, and the status where it has an endpoint of its own, moves the generation. */
function countedPart(object: ApiObject, ownStatus: boolean): object {
  const { metadata: _, ...rest } = object as unknown as Record<string, unknown>
  if (ownStatus) delete rest['status']
  return rest
}

/** A version's strategy. */
export function customStrategy(version: Version, schema: CustomSchema): Strategy {
  const ownStatus = version.subresources?.status !== undefined
  const { scale } = version.subresources ?? {}
  const check = (root: Place, object: ApiObject, errors: readonly FieldError[]) => {
    for (const error of errors) root.say(error)
    if (scale) checkScale(scale, object, root)
  }
  const selectable = (version.selectableFields ?? []).map(({ jsonPath }) => ({ name: jsonPath.replace(/^\./, ''), find: compileJsonPath(jsonPath) }))
  return {
    unconditionalUpdate: false,
    counted: true,
    anyFinalizers: true,
    warnings: ({ metadata }, current) => finalizerWarnings(metadata.finalizers, current?.metadata.finalizers),
    default: (object) => schema.default(object),
    validate: (object, root) => check(root, object, schema.validate(object)),
    validateUpdate: (next, current, root) => check(root, next, schema.validateUpdate(next, current)),
    validateStatusUpdate: (next, current, root) => check(root, next, schema.validateStatusUpdate(next, current)),
    moved: (next, current) => !deepEqual(countedPart(next, ownStatus), countedPart(current, ownStatus)),
    ...(ownStatus && {
      // What a client says of the status is dropped; what the schema says of it is there from the beginning.
      prepareForCreate: (object: ApiObject) => schema.default(withStatus(object, undefined)),
      prepareForUpdate: (next: ApiObject, current: ApiObject) => withStatus(next, statusOf(current)),
    }),
    prepareForStatusUpdate: (next, current) => withStatus(withMeta(current, { managedFields: next.metadata.managedFields }), statusOf(next)),
    ...(selectable.length > 0 && {
      selectableFields: (object: ApiObject) => Object.fromEntries(selectable.map(({ name, find }) => [name, fieldText(find(object)[0])])),
    }),
    printer: printerOf(version.additionalPrinterColumns),
  }
}

/** A value as field selectors compare it; what is not there is empty. */
const fieldText = (value: unknown): string => (value === null || value === undefined || typeof value === 'object' ? '' : String(value))
