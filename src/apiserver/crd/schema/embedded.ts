/** Embedded resources (`x-kubernetes-embedded-resource`): they need a kind and apiVersion, and valid metadata. */
import type { meta } from '../../../api/index.ts'
import { found, path, type FieldError, type Path } from '../../../machinery/field.ts'
import { dns1035Label, pathSegmentName, validateObjectMeta } from '../../../machinery/names.ts'
import { isEmbedded, isObject, type Schema } from './props.ts'
import { compileLook } from './walk.ts'

/** The check of all embedded resources in a schema, `itself` included; undefined when there are none. */
export function compileEmbeddedChecks(schema: Schema, itself = false): ((object: unknown, at?: Path) => readonly FieldError[]) | undefined {
  const look = compileLook(schema, (place, root) => (!root && isEmbedded(place) ? resource : undefined), !itself)
  return look && ((object, at = path()) => look(object, at))
}

function resource(object: unknown, at: Path): FieldError[] {
  if (!isObject(object)) return []
  const { apiVersion, kind, metadata } = object
  return [...versionErrors(apiVersion, at.at('apiVersion')), ...kindErrors(kind, at.at('kind')), ...metadataErrors(metadata, at.at('metadata'))]
}

function versionErrors(value: unknown, at: Path): FieldError[] {
  if (value === undefined || value === '') return [at.required()]
  if (typeof value !== 'string') return [at.invalid(value, 'must be a string')]
  return value.split('/').length > 2 ? [at.invalid(value, `unexpected GroupVersion string: ${value}`)] : []
}

function kindErrors(value: unknown, at: Path): FieldError[] {
  if (value === undefined || value === '') return [at.required()]
  if (typeof value !== 'string') return [at.invalid(value, 'must be a string')]
  const problems = dns1035Label(value.toLowerCase())
  return problems.length === 0 ? [] : [at.invalid(value, `may have mixed case, but should otherwise match: ${problems.join(',')}`)]
}

function metadataErrors(value: unknown, at: Path): FieldError[] {
  if (!isObject(value)) return []
  const metadata = value as Partial<meta.ObjectMeta>
  return found((here) => validateObjectMeta({ ...metadata, name: metadata.name || 'fakename' }, here, { namespaced: Boolean(metadata.namespace), nameRule: pathSegmentName, anyFinalizers: true }), at.text)
}
