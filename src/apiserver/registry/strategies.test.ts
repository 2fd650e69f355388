import { describe, expect, it } from 'vitest'
import { declared, resolve, type Resource } from '../../api/index.ts'
import { found } from '../../machinery/field.ts'
import type { ApiObject } from '../../client/client.ts'
import { decodeObject } from '../../machinery/json.ts'
import { goldens } from '../../machinery/testing.ts'
import { zeroOf } from '../../machinery/zero.ts'
import { storageOf } from './conversions.ts'
import { strategyFor } from './strategies.ts'
import { context, environment, now } from './testing.ts'

const stored = declared.filter((resource) => resource.verbs.includes('create') && resource.verbs.includes('get') && storageOf(resource) === resource)
const zeroObject = (resource: Resource) => ({ kind: resource.kind, apiVersion: resource.apiVersion, ...(zeroOf(resolve(resource.type) as never) as object) }) as unknown as ApiObject
const golden = new Map(goldens().map((g) => [g.name, g]))
const goldenOf = (resource: Resource) => golden.get(`${resource.group || 'core'}.${resource.version}.${resource.kind}`)

describe.each(stored.map((resource) => [`${resource.plural} of ${resource.apiVersion}`, resource] as const))('%s', (_, resource) => {
  const strategy = strategyFor(resource, environment)
  const objects = () => {
    const object = goldenOf(resource)
    const decoded = object ? [decodeObject(resource.type, JSON.parse(object.json)).object as ApiObject] : []
    return [zeroObject(resource), ...decoded]
  }

  it('shows every object in its columns', () => {
    expect(strategy.printer?.columns.length).toBeGreaterThan(1)
    for (const object of objects()) {
      const cells = strategy.printer?.row(object, now) ?? []
      expect(cells).toHaveLength(strategy.printer?.columns.length ?? 0)
      expect(cells).not.toContain(undefined)
    }
  })

  it('defaults an object once and for all, and changes nothing in place', () => {
    for (const object of objects()) {
      const before = JSON.stringify(object)
      const once = strategy.default?.(object) ?? object
      expect(strategy.default?.(once) ?? once).toEqual(once)
      expect(JSON.stringify(object)).toBe(before)
    }
  })

  it('finds words for any object, however wrong', async () => {
    for (const object of objects()) {
      await strategy.ready?.(object)
      const prepared = strategy.prepareForCreate?.(strategy.default?.(object) ?? object, context()) ?? object
      for (const error of found((root) => strategy.validate?.(prepared, root, context()))) expect(error.toString()).toMatch(/^[^:]*: \S/)
      for (const error of found((root) => strategy.validateUpdate?.(prepared, prepared, root, context()))) expect(error.toString()).toMatch(/^[^:]*: \S/)
      for (const value of Object.values(strategy.selectableFields?.(object) ?? {})) expect(value).toBeTypeOf('string')
      strategy.warnings?.(prepared)
      strategy.gracePeriodSeconds?.(prepared, undefined)
    }
  })
})

describe('a status subresource', () => {
  const withStatus = stored.filter((resource) => resource.subresources.includes('status'))
  it.each(withStatus.map((resource) => [resource.groupResource, resource] as const))('of %s keeps clients from the status', (_, resource) => {
    const strategy = strategyFor(resource, environment)
    const empty = zeroObject(resource) as ApiObject & { readonly status: object }
    const current = { ...empty, status: { ...empty.status, mark: 'current' } }
    const next = { ...empty, status: { ...empty.status, mark: 'next' } }
    const updated = strategy.prepareForUpdate?.(next, current, context()) as typeof current
    expect(updated.status).toMatchObject({ mark: 'current' })
  })
})
