/** Paths that a definition names: where a rule's error stands, what field selectors may ask for, where replicas are counted. */
import type { apiextensions } from '../../../../api/index.ts'
import { path, type Path, type Place } from '../../../../machinery/field.ts'
import { additionalOf, type Schema } from '../props.ts'

type Version = apiextensions.CustomResourceDefinitionVersion

/** What stands at a path, and how errors name it; or why the path leads nowhere. */
export type Found = { readonly schema: Schema; readonly name: string } | { readonly problem: string }

interface PathOptions {
  /** Whether a name may stand in brackets: `['a.b']`. Default true. */
  readonly brackets?: boolean
}

const token = /'(?:[^\\']|\\.)*'|[.[\]]|[^.[\]]+/gsu
const escapes: Readonly<Record<string, string>> = { a: '\u0007', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', "'": "'", '\\': '\\' }

/** Follows a path of fields and keys of maps (`.spec.labels['a.b']`) through a schema. */
export function schemaAtPath(root: Schema, text: string, { brackets = true }: PathOptions = {}): Found {
  const tokens = [...text.matchAll(token)].map(([found]) => found)
  let at: Path = path()
  let schema = root
  for (let i = 0; i < tokens.length;) {
    const step = stepAt(tokens, i, brackets)
    if ('problem' in step) return step
    const next = below(schema, step.name)
    if (!next) return { problem: 'does not refer to a valid field' }
    at = next.named ? at.at(step.name) : at.key(step.name)
    schema = next.schema
    i = step.next
  }
  return { schema, name: at.text }
}

type Step = { readonly name: string; readonly next: number } | { readonly problem: string }

function stepAt(tokens: readonly string[], i: number, brackets: boolean): Step {
  const [first, name, close] = [tokens[i], tokens[i + 1], tokens[i + 2]]
  if (first === '.') return name === undefined ? { problem: 'unexpected end of JSON path' } : { name, next: i + 2 }
  if (first !== '[') return { problem: `expected [ or . but got: ${first}` }
  if (!brackets) return { problem: 'array notation is not allowed' }
  if (name === undefined) return { problem: 'unexpected end of JSON path' }
  if (name.length < 2 || !name.startsWith("'") || !name.endsWith("'")) return { problem: `expected single quoted string but got ${name}` }
  const unknown = [...name.slice(1, -1).matchAll(/\\(.)/gsu)].find(([, c]) => !((c as string) in escapes))
  if (unknown) return { problem: `invalid string literal: invalid escape char ${unknown[0]}` }
  if (close !== ']') return { problem: close === undefined ? 'unexpected end of JSON path' : `expected ] but got ${close}` }
  return { name: name.slice(1, -1).replaceAll(/\\(.)/gsu, (_, c: string) => escapes[c] as string), next: i + 3 }
}

function below(schema: Schema, name: string): { readonly schema: Schema; readonly named: boolean } | undefined {
  if (schema.properties) {
    const child = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined
    return child && { schema: child, named: true }
  }
  const additional = additionalOf(schema)
  return additional && { schema: additional, named: false }
}

/** A path of names with dots, under one of some fields. */
function simplePath(at: Place, text: string | undefined, prefixes: readonly string[], why: string): void {
  if (!text) at.required()
  else if (!text.startsWith('.')) at.invalid(text, 'must be a simple json path starting with .')
  else if (!prefixes.some((prefix) => text.startsWith(prefix))) at.invalid(text, why)
}

/** Where a version's number of replicas stands; `at` is its `subresources`. */
export function scalePaths(at: Place, version: Pick<Version, 'subresources'>): void {
  const scale = version.subresources?.scale
  if (!scale) return
  simplePath(at.at('scale.specReplicasPath'), scale.specReplicasPath, ['.spec.'], 'should be a json path under .spec')
  simplePath(at.at('scale.statusReplicasPath'), scale.statusReplicasPath, ['.status.'], 'should be a json path under .status')
  if (scale.labelSelectorPath) simplePath(at.at('scale.labelSelectorPath'), scale.labelSelectorPath, ['.spec.', '.status.'], 'should be a json path under either .spec or .status')
}

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string']
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']

/** A column of `kubectl get`. */
export function printerColumn(at: Place, column: apiextensions.CustomResourceColumnDefinition): void {
  if (!column.name) at.at('name').required()
  const oneOf = `must be one of ${columnTypes.join(',')}`
  if (!column.type) at.at('type').required(oneOf)
  else if (!columnTypes.includes(column.type)) at.at('type').invalid(column.type, oneOf)
  if (column.format && !columnFormats.includes(column.format)) at.at('format').invalid(column.format, `must be one of ${columnFormats.join(',')}`)
  simplePath(at.at('JSONPath'), column.jsonPath, ['.'], '')
}

const mostSelectable = 8
const selectableTypes = ['string', 'boolean', 'integer']

/** The fields that field selectors may ask for. */
export function selectableFields(at: Place, fields: readonly apiextensions.SelectableField[] | undefined, schema: Schema | undefined): void {
  if (!fields || fields.length === 0) return
  if (!schema) return at.invalid('', 'selectableFields may only be set when versions.schema.openAPIV3Schema is included')
  const names = new Set<string>()
  for (const [i, { jsonPath }] of fields.entries()) {
    const place = at.index(i).at('jsonPath')
    if (!jsonPath) {
      place.required()
      continue
    }
    const found = schemaAtPath(schema, jsonPath, { brackets: false })
    if ('problem' in found) {
      place.invalid(jsonPath, `is an invalid path: ${found.problem}`)
      continue
    }
    if (/^metadata(?:$|[.[])/.test(found.name)) place.invalid(jsonPath, 'must not point to fields in metadata')
    if (!selectableTypes.includes(found.schema.type ?? '')) {
      place.invalid(jsonPath, 'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.')
    }
    if (names.has(found.name)) place.duplicate(jsonPath)
    names.add(found.name)
  }
  if (names.size > mostSelectable) at.tooMany(names.size, mostSelectable)
}
