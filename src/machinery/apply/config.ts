/** An applied configuration: what its author stated, in canonical values, and nothing that was filled in. */
import type { StructType } from '../../api/schema.ts'
import { badRequest } from '../errors.ts'
import { decodeObject, parseExactly } from '../json.ts'
import { withKey } from '../patch/json.ts'
import { misfits } from './fit.ts'
import { shapeFor, type List, type Obj, type Target } from './shape.ts'

/**
 * Checks a configuration. That of a built-in kind is taken as it stands, so that what it says in other words than the object (`1000m` for `1`, a null)
 * is a change; that of a custom kind is brought into canonical form. Throws `ApiError` 400 when it does not fit the schema.
 */
export function readConfig(type: StructType, config: unknown): Obj {
  const about = describe(type, config as Obj | null)
  refuse(misfits(type, config, () => undefined, true), about)
  const { object, unknownFields } = decodeObject(type, config)
  refuse(unknownFields.map((text) => `.${/"(.*)"$/.exec(text)?.[1] ?? ''}: field not declared in schema`), about)
  const metadata = (config as { metadata?: { managedFields?: unknown } }).metadata
  if (Array.isArray(metadata?.managedFields)) throw badRequest('metadata.managedFields must be nil')
  return type.codec ? (stated(type, config, object, '', about) as Obj) : (config as Obj)
}

function refuse(lines: readonly string[], about: string): void {
  if (lines.length > 0) throw badRequest(`failed to create typed patch object (${about}): ${lines.length === 1 ? lines[0] : `errors:\n${lines.map((line) => `  ${line}`).join('\n')}`}`)
}

function describe(type: StructType, config: Obj | null): string {
  const { metadata, apiVersion } = config ?? {}
  const { namespace, name } = (metadata ?? {}) as { readonly namespace?: unknown; readonly name?: unknown }
  const text = (value: unknown): string => (typeof value === 'string' ? value : '')
  const version = text(apiVersion)
  return `${text(namespace)}/${text(name)}; ${version.includes('/') ? '' : '/'}${version}, Kind=${type.name}`
}

/** An element as messages call it: `[="value"]`, or `[key="value"]`. */
export function elementText(element: string): string {
  const json = element.slice(2)
  if (!json.startsWith('{')) return `[=${json}]`
  return `[${Object.entries(parseExactly(json) as Obj).map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`
}

/** The parts of `decoded` that `config` states. Values that are owned whole are taken in their normal form. */
function stated(type: Target, config: unknown, decoded: unknown, path: string, about: string): unknown {
  const shape = shapeFor(type, config, decoded)
  if (config === null) return decoded
  if (shape.form === 'leaf') return decoded === undefined ? config : decoded
  if (shape.form === 'list') {
    const list = (decoded ?? []) as List
    const seen = new Set<string>()
    return list.map((item, i) => {
      const element = shape.elementOf(item)
      if (seen.has(element)) throw badRequest(`failed to create typed patch object (${about}): ${path}: duplicate entries for key ${elementText(element)}`)
      seen.add(element)
      return stated(shape.of, (config as List)[i], item, `${path}[${i}]`, about)
    })
  }
  let out: Record<string, unknown> = {}
  const object = (decoded ?? {}) as Obj
  for (const name of Object.keys(config as Obj)) {
    const child = shape.child(name)
    const value = (config as Obj)[name]
    if (!child || value === undefined) continue
    const own = Object.hasOwn(object, name) ? object[name] : undefined
    if (value === null && !(own === null && shape.takesNull(name))) continue
    out = withKey(out, name, stated(child, value, own, `${path}.${name}`, about))
  }
  return out
}
