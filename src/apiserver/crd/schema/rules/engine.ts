/** The part of schemas that needs CEL, loaded when the first schema with rules comes. */
import { additionalOf, itemsOf, type Schema } from '../props.ts'

type Engine = typeof import('./index.ts')
let engine: Engine | undefined

/** Whether a schema has rules anywhere in it. */
export function hasRules(schema: Schema | undefined): boolean {
  if (!schema) return false
  return (schema['x-kubernetes-validations']?.length ?? 0) > 0 || hasRules(additionalOf(schema)) || hasRules(itemsOf(schema)) || Object.values(schema.properties ?? {}).some(hasRules)
}

/** Loads what the rules of these schemas need; undefined when that is nothing, or there already. Await it before schemas are compiled or checked. */
export function loadRules(schemas: Iterable<Schema | undefined>): Promise<void> | undefined {
  if (engine || ![...schemas].some(hasRules)) return undefined
  return import('./index.ts').then((loaded) => { engine = loaded })
}

/** What has been loaded. Throws when `loadRules` was not awaited. */
export function rulesEngine(): Engine {
  if (!engine) throw new Error('a schema with rules was used before loadRules')
  return engine
}
