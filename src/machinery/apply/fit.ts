/** Whether values are of the types that a schema has for them: custom resources are otherwise not asked before they are validated. */
import { resolve, type AnyType, type ListType, type ScalarName } from '../../api/schema.ts'
import { slotTable } from '../slots.ts'
import { elementText } from './config.ts'
import { keyDefault, shapeOf, type Obj, type Target } from './shape.ts'

/** A value that JSON has no word for, as Go calls its type, prints it, and writes it in a program. */
export interface GoForm { readonly type: string; readonly text: string; readonly syntax: string }

/** What is at `key` of `container` and fits nowhere: a null that is a value (others are nothing, and fit), or what JSON has no word for. */
export type WrittenAt = (container: object, key: string | number) => GoForm | null | undefined

/**
 * What in `value` is not of its type, each with its path, worded as structured-merge-diff words it. `whole`: so are fields that the schema does
 * not know, and elements that stand twice in a list; otherwise they are not looked at.
 */
export function misfits(type: AnyType, value: unknown, writtenAt: WrittenAt, whole = false): readonly string[] {
  const found: string[] = []
  walk(resolve(type), value, '', undefined)
  return found

  function walk(target: Target, at: unknown, path: string, written: GoForm | null | undefined): void {
    if (at === undefined || (at === null && written !== null)) return
    const bad = (what: string) => { found.push(`${path}: expected ${what}`) }
    if (written) return bad(foreign(target, written))
    switch (target.form) {
      case 'scalar': {
        if (at === null && (target.deduced || target.name === 'intOrString')) return bad(`map, got ${shown(at)}`)
        const what = scalar(target.name, at)
        return what === undefined ? undefined : bad(what)
      }
      case 'list': return Array.isArray(at) ? items(target, at, path) : bad(`list, got ${shown(at)}`)
      case 'map': case 'struct': {
        if (at === null || typeof at !== 'object' || Array.isArray(at)) return bad(`map, got ${shown(at)}`)
        for (const [name, item] of Object.entries(at as Obj)) {
          const child = childOf(target, name)
          if (!child && whole) found.push(`${path}.${name}: field not declared in schema`)
          if (child) walk(child, item, `${path}.${name}`, writtenAt(at, name))
        }
      }
    }
  }

  function items(target: ListType, list: readonly unknown[], path: string): void {
    const of = resolve(target.of)
    const shape = shapeOf(target)
    const seen = new Set<string>()
    for (const [i, item] of list.entries()) {
      const unnamed = target.kind === 'map' ? noElement(target, item) : undefined
      if (unnamed !== undefined) {
        found.push(`${path}: element ${i}: associative list with keys ${unnamed}`)
        return
      }
      if (whole && shape.form === 'list') {
        const element = shape.elementOf(item)
        if (seen.has(element)) found.push(`${path}: duplicate entries for key ${elementText(element)}`)
        seen.add(element)
      }
      walk(of, item, `${path}${shape.form === 'list' ? elementText(shape.elementOf(item)) : `[${i}]`}`, writtenAt(list, i))
    }
  }
}

function childOf(target: Target, name: string): Target | undefined {
  if (target.form === 'map') return resolve(target.of)
  if (target.form !== 'struct') return undefined
  const { slots, index } = slotTable(target)
  return slots[index.get(name) ?? -1]?.type ?? (target.others && resolve(target.others))
}

/** Why something cannot be an element of a list that has keys. */
function noElement({ of, keys = [] }: ListType, item: unknown): string | undefined {
  if (item === null) return 'may not have a null element'
  if (typeof item !== 'object' || Array.isArray(item)) return 'may not have non-map elements'
  const struct = resolve(of)
  if (struct.form !== 'struct') return undefined
  const { slots, index } = slotTable(struct)
  if (keys.some((key) => (item as Obj)[key] !== undefined || keyDefault(slots[index.get(key) ?? -1]) !== undefined)) return undefined
  return `has an element that omits all key fields [${keys.map((key) => JSON.stringify(key)).join(' ')}] (and doesn't have default values for any key fields)`
}

/** What is expected where there is something that fits nowhere. */
function foreign(target: Target, { type, text, syntax }: GoForm): string {
  if (target.form === 'list') return `list, got &{${text}}`
  if (target.form !== 'scalar' || target.deduced) return `map, got &{${text}}`
  switch (target.name) {
    case 'int32': case 'int64': case 'double': return `numeric (int or float), got ${type}`
    case 'string': case 'bytes': return `string, got &value.valueUnstructured{Value:${syntax}}`
    case 'bool': return `boolean, got &{${text}}`
    case 'time': case 'microTime': case 'duration': case 'quantity': return `any scalar, got &{${text}}`
    default: return `map, got &{${text}}`
  }
}

function scalar(name: ScalarName, value: unknown): string | undefined {
  switch (name) {
    case 'int32': case 'int64': case 'double': return typeof value === 'number' || typeof value === 'bigint' ? undefined : `numeric (int or float), got ${goType(value)}`
    case 'string': case 'bytes': return typeof value === 'string' ? undefined : `string, got &value.valueUnstructured{Value:${goSyntax(value)}}`
    case 'bool': return typeof value === 'boolean' ? undefined : `boolean, got ${shown(value)}`
    case 'time': case 'microTime': case 'duration': case 'quantity': return value === null || typeof value === 'object' ? `any scalar, got ${shown(value)}` : undefined
    default: return undefined
  }
}

function goType(value: unknown): string {
  if (value === null) return 'structpb.NullValue'
  if (typeof value === 'object') return Array.isArray(value) ? '[]interface {}' : 'map[string]interface {}'
  return typeof value === 'boolean' ? 'bool' : typeof value === 'bigint' ? 'int64' : typeof value
}

/** A value as Go writes it in a program. */
function goSyntax(value: unknown): string {
  if (value === null) return '0'
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`
  if (typeof value === 'object') return `map[string]interface {}{${sorted(value).map(([key, item]) => `${JSON.stringify(key)}:${goSyntax(item)}`).join(', ')}}`
  return JSON.stringify(value)
}

/** A value as Go prints it. */
const shown = (value: unknown): string => `&{${goText(value)}}`
function goText(value: unknown): string {
  if (value === null) return 'NULL_VALUE'
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (typeof value === 'object') return `map[${sorted(value).map(([key, item]) => `${key}:${goText(item)}`).join(' ')}]`
  return String(value)
}
const sorted = (value: object): [string, unknown][] => Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
