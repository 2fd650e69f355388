/** Assignability of types, with binding of type parameters. */
import type { Overload } from './functions.ts'
import { DYN, param, sameType, type CelType } from './types.ts'

export interface Typing {
  /** A parameter that is not bound yet (the element of `[]`). */
  fresh(): CelType
  /** What a parameter is bound to, outermost only. */
  resolve(type: CelType): CelType
  resolveDeep(type: CelType): CelType
  /** The type with every unbound parameter replaced by `dyn`. */
  final(type: CelType): CelType
  same(a: CelType, b: CelType): boolean
  /** Whether `given` is assignable; binds parameters only if it is. */
  assignable(wanted: CelType, given: CelType): boolean
  assignableAll(wanted: readonly CelType[], given: readonly CelType[]): boolean
  /** The overload with parameters of its own. */
  instantiate(overload: Overload): { readonly args: readonly CelType[]; readonly result: CelType }
}

export function createTyping(): Typing {
  const bindings = new Map<string, CelType>()
  /** What was bound, in order: taken back when an attempt fails. */
  const trail: string[] = []
  let count = 0
  const fresh = () => param(`%${++count}`)

  const resolve = (type: CelType): CelType => {
    let found = type
    for (let next; found.kind === 'param' && (next = bindings.get(found.name)) !== undefined;) found = next
    return found
  }
  const mapped = (type: CelType, leaf: (type: CelType) => CelType): CelType => {
    const found = leaf(type)
    switch (found.kind) {
      case 'list': return { ...found, element: mapped(found.element, leaf) }
      case 'map': return { ...found, key: mapped(found.key, leaf), value: mapped(found.value, leaf) }
      case 'optional': case 'type': return { kind: found.kind, value: mapped(found.value, leaf) }
      default: return found
    }
  }
  const occurs = (name: string, type: CelType): boolean => {
    const found = resolve(type)
    if (found.kind === 'param') return found.name === name
    if (found.kind === 'list') return occurs(name, found.element)
    if (found.kind === 'map') return occurs(name, found.key) || occurs(name, found.value)
    return (found.kind === 'optional' || found.kind === 'type') && occurs(name, found.value)
  }
  const bind = (name: string, type: CelType): boolean => {
    if (occurs(name, type)) return false
    bindings.set(name, type)
    trail.push(name)
    return true
  }

  const nullable = new Set<CelType['kind']>(['null', 'object', 'opaque', 'optional', 'timestamp', 'duration'])
  const fits = (wantedType: CelType, givenType: CelType): boolean => {
    const [wanted, given] = [resolve(wantedType), resolve(givenType)]
    if (wanted === given) return true
    if (wanted.kind === 'param') {
      return (given.kind === 'param' && given.name === wanted.name) || bind(wanted.name, given)
    }
    if (given.kind === 'param') return bind(given.name, wanted)
    if (wanted.kind === 'dyn' || given.kind === 'dyn' || wanted.kind === 'error' || given.kind === 'error') return true
    if (given.kind === 'null') return nullable.has(wanted.kind)
    if (wanted.kind === 'null') return nullable.has(given.kind)
    if (wanted.kind !== given.kind) return false
    switch (wanted.kind) {
      case 'list': return fits(wanted.element, (given as typeof wanted).element)
      case 'map': return fits(wanted.key, (given as typeof wanted).key) && fits(wanted.value, (given as typeof wanted).value)
      case 'optional': return fits(wanted.value, (given as typeof wanted).value)
      case 'type': return true
      default: return sameType(wanted, given)
    }
  }
  const trying = (run: () => boolean): boolean => {
    const before = trail.length
    if (run()) return true
    for (const name of trail.splice(before)) bindings.delete(name)
    return false
  }

  return {
    fresh,
    resolve,
    resolveDeep: (type) => mapped(type, resolve),
    final: (type) => mapped(type, (each) => { const found = resolve(each); return found.kind === 'param' ? DYN : found }),
    same: (a, b) => sameType(mapped(a, resolve), mapped(b, resolve)),
    assignable: (wanted, given) => trying(() => fits(wanted, given)),
    assignableAll: (wanted, given) => trying(() => wanted.every((each, i) => fits(each, given[i] as CelType))),
    instantiate({ args, result }) {
      const own = new Map<string, CelType>()
      const leaf = (type: CelType): CelType => {
        if (type.kind !== 'param' || type.name.startsWith('%')) return type
        let replacement = own.get(type.name)
        if (!replacement) own.set(type.name, replacement = fresh())
        return replacement
      }
      return { args: args.map((each) => mapped(each, leaf)), result: mapped(result, leaf) }
    },
  }
}
