/** Every field that `kubectl explain` can show says what it is. */
import { expect, it } from 'vitest'
import { declared, resolve, type AnyType, type StructType } from './index.ts'

it('every field of every kind has a description', () => {
  const seen = new Set<StructType>()
  const bare: string[] = []
  const walk = (of: AnyType): void => {
    const type = resolve(of)
    if (type.form === 'list' || type.form === 'map') return walk(type.of)
    if (type.form !== 'struct' || seen.has(type)) return
    seen.add(type)
    for (const [name, field] of Object.entries(type.fields)) {
      if (!field.doc && !field.inline) bare.push(`${type.name}.${name}`)
      walk(field.type)
    }
  }
  for (const { type } of declared) walk(type)
  expect(bare).toEqual([])
  expect(seen.size).toBeGreaterThan(400)
})
