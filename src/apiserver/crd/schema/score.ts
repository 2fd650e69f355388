/** How far a value gets in a schema: the number of checks that looked at it. Among branches that all fail, the furthest is the one that is told of. */
import { additionalOf, isObject, itemsOf, type Schema } from './props.ts'
import { jsonTypeOf } from './scalars.ts'

export type Score = (value: unknown) => number

/** Counts as Kubernetes does: a type that fits, every kind of check that applies, and all of that in the parts. */
export const compileScore = (schema: Schema): Score => (value) => score(schema, value)

function score(schema: Schema, value: unknown): number {
  const is = jsonTypeOf(value)
  const fits = schema.type === undefined || schema.type === is || (schema.type === 'number' && is === 'integer')
  if (value === null) return fits ? 1 : 0
  const typed = schema.type === undefined ? 0 : fits ? 2 : 1
  const junctors = 2 + sum(schema.allOf, value) + most(schema.anyOf, value) + most(schema.oneOf, value)
  // The enum, and the end of the schema itself.
  return typed + junctors + 2 + partsOf(schema, value)
}

function partsOf(schema: Schema, value: unknown): number {
  if (typeof value === 'string') return 1
  if (typeof value === 'number' || typeof value === 'bigint') return 2
  if (Array.isArray(value)) {
    const items = itemsOf(schema)
    return 2 + (items ? value.reduce<number>((total, item) => total + score(items, item), 0) : 0)
  }
  return isObject(value) ? 1 + properties(schema, value) : 0
}

function properties(schema: Schema, value: Readonly<Record<string, unknown>>): number {
  const additional = additionalOf(schema)
  let total = 0
  for (const [name, item] of Object.entries(value)) {
    const child = schema.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : additional
    if (child) total += score(child, item)
  }
  return total
}

const sum = (schemas: readonly Schema[] = [], value: unknown): number => schemas.reduce((total, schema) => total + score(schema, value), 0)
const most = (schemas: readonly Schema[] = [], value: unknown): number => schemas.reduce((best, schema) => Math.max(best, score(schema, value)), 0)
