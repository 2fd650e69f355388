/** What configurations of mutating policies do to a custom object in Kubernetes (k8s.io/apiserver v0.36.4), recorded: the `spec` that comes of it, or why not. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { ApiObject } from '../../../client/client.ts'
import { compileSchema } from '../../crd/schema/compile.ts'
import { loadCel } from './cel.ts'
import { changedBy, UnfitMutation } from './change.ts'
import { compileExpression, environmentOf, returnsObject } from './compile.ts'

const recorded = JSON.parse(readFileSync(new URL('recorded.json', import.meta.url), 'utf8')) as Record<string, { readonly error?: string; readonly spec?: object }>

const properties = {
  size: { type: 'integer' }, ratio: { type: 'number' }, name: { type: 'string' }, on: { type: 'boolean' }, nullable: { type: 'string', nullable: true },
  tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' }, m: { type: 'object', additionalProperties: { type: 'string' } },
  inner: { type: 'object', properties: { a: { type: 'integer' }, b: { type: 'string' } } },
  items: { type: 'array', items: { type: 'object', properties: { name: { type: 'string' }, n: { type: 'integer' } }, required: ['name'] }, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] },
  ios: { 'x-kubernetes-int-or-string': true }, free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
}
const { type } = compileSchema({ group: 'e.com', version: 'v1', kind: 'W', schema: { type: 'object', properties: { spec: { type: 'object', properties } } } as never })
const spec = { size: 1, name: 'n', on: true, tags: ['a'], m: { k: 'v' }, inner: { a: 1, b: 'x' }, items: [{ name: 'i', n: 1 }], ios: 1, free: { x: 1 }, nullable: 'q' }
const object = { apiVersion: 'e.com/v1', kind: 'W', metadata: { name: 'w' }, spec } as unknown as ApiObject

async function outcome(expression: string): Promise<{ error?: string; spec?: unknown }> {
  const cel = await loadCel()
  const compiled = compileExpression(cel, expression, environmentOf(cel, { params: false, authorizer: false, mutation: true }), returnsObject)
  if ('error' in compiled) return { error: compiled.error }
  const made = cel.toJson(compiled.program.evaluate({ object }).value)
  try {
    return { spec: (changedBy('ApplyConfiguration', type, object, made, cel.writtenAt) as { spec: unknown }).spec }
  } catch (error) {
    if (!(error instanceof UnfitMutation)) throw error
    return { error: error.message }
  }
}

it.each(Object.entries(recorded))('%s', async (expression, expected) => expect(await outcome(expression)).toEqual(expected))

it('takes nulls that were copied for nothing', async () => {
  const copied = { ...object, spec: { ...spec, inner: { a: null } } } as unknown as ApiObject
  const cel = await loadCel()
  const compiled = compileExpression(cel, 'Object{spec: Object.spec{inner: object.spec.inner}}', environmentOf(cel, { params: false, authorizer: false, mutation: true }), returnsObject)
  if ('error' in compiled) throw new Error(compiled.error)
  expect(() => changedBy('ApplyConfiguration', type, copied, cel.toJson(compiled.program.evaluate({ object: copied }).value), cel.writtenAt)).not.toThrow()
})
