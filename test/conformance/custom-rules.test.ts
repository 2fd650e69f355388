/** Rules in CEL and the structure of schemas, with the real kubectl. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestControlPlane } from '../support/control-plane.ts'
import type { TestControlPlane } from '../support/control-plane.ts'
import { run } from '../support/host.ts'
import { kubectls } from '../support/kubectls.ts'

let cluster: TestControlPlane
beforeAll(async () => void (cluster = await startTestControlPlane()))
afterAll(() => cluster?.stop())

const definition = (kind: string, spec: object, more: object = {}) => ({
  apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: `${kind.toLowerCase()}s.rules.example.com` },
  spec: {
    group: 'rules.example.com', scope: 'Namespaced', names: { plural: `${kind.toLowerCase()}s`, kind },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties: { spec }, ...more } } }],
  },
})
const object = (kind: string, name: string, spec: object) => ({ apiVersion: 'rules.example.com/v1', kind, metadata: { name }, spec })
const create = (manifest: object) => cluster.tryKubectl(['create', '-f', '-'], JSON.stringify(manifest))
const apply = (manifest: object) => cluster.tryKubectl(['apply', '-f', '-'], JSON.stringify(manifest))

async function define(kind: string, spec: object, more: object = {}): Promise<void> {
  await cluster.apply(definition(kind, spec, more))
  await cluster.kubectl('wait', '--for', 'condition=Established', `crd/${kind.toLowerCase()}s.rules.example.com`, '--timeout=10s')
}

describe('rules', () => {
  it('hold for new objects and for updates', async () => {
    await define('Scaler', {
      type: 'object', required: ['min', 'max'],
      properties: { min: { type: 'integer' }, max: { type: 'integer' }, class: { type: 'string', 'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'class is immutable' }] }, ports: { type: 'array', maxItems: 10, items: { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self < 65536', messageExpression: '"port %d is too large".format([self])' }] } } },
      'x-kubernetes-validations': [{ rule: 'self.min <= self.max', message: 'min must not be above max', fieldPath: '.min' }],
    }, { 'x-kubernetes-validations': [{ rule: 'self.metadata.name.startsWith("scale-")' }] })
    expect((await create(object('Scaler', 'scale-a', { min: 2, max: 1, ports: [80, 70000] }))).stderr).toBe([
      'The Scaler "scale-a" is invalid: ', '* spec.min: Invalid value: min must not be above max', '* spec.ports[1]: Invalid value: 70000: port 70000 is too large', ''].join('\n'))
    expect((await create(object('Scaler', 'other', { min: 1, max: 1 }))).stderr).toContain('<nil>: Invalid value: failed rule: self.metadata.name.startsWith("scale-")')
    expect((await create(object('Scaler', 'scale-a', { min: 1, max: 2, class: 'x' }))).code).toBe(0)
    expect((await apply(object('Scaler', 'scale-a', { min: 1, max: 2, class: 'y' }))).stderr).toContain('spec.class: Invalid value: "y": class is immutable')
    expect((await apply(object('Scaler', 'scale-a', { min: 1, max: 3, class: 'x' }))).code).toBe(0)
  })

  it('that do not compile, or could cost too much, keep a definition from being accepted', async () => {
    const broken = await create(definition('Broken', { type: 'object', properties: { list: { type: 'array', items: { type: 'string' } } }, 'x-kubernetes-validations': [{ rule: 'self.lst.size() > 0' }, { rule: 'self.list.all(x, self.list.all(y, x == y))' }] }))
    expect(broken.stderr).toContain(`spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule: Invalid value: {"Rule":"self.lst.size() \\u003e 0","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: compilation failed: ERROR: <input>:1:5: undefined field 'lst'`)
    expect(broken.stderr).toContain('spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[1].rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x')
    expect((await cluster.tryKubectl(['get', 'crd', 'brokens.rules.example.com'])).code).toBe(1)
  })

  it('that come later do not lock objects that broke them before', async () => {
    const spec = (more: object) => ({ type: 'object', properties: { name: { type: 'string', ...more }, note: { type: 'string' } } })
    await define('Late', spec({}))
    await create(object('Late', 'a', { name: 'UPPER' }))
    await define('Late', spec({ maxLength: 3, 'x-kubernetes-validations': [{ rule: 'self.lowerAscii() == self' }] }))
    await expect.poll(async () => (await create(object('Late', 'b', { name: 'UP' }))).stderr, { timeout: 10_000 }).toContain('spec.name: Invalid value: "UP": failed rule: self.lowerAscii() == self')
    expect(await cluster.kubectl('patch', 'late', 'a', '--type=merge', '-p', '{"spec":{"note":"still"}}')).toContain('patched')
    expect((await cluster.tryKubectl(['patch', 'late', 'a', '--type=merge', '-p', '{"spec":{"name":"LONGER"}}'])).stderr).toContain('spec.name: Too long: may not be more than 3 bytes')
  })
})

describe('definitions', () => {
  it('are held to the rules of structural schemas', async () => {
    const { stderr } = await create(definition('Loose', { type: 'object', default: { other: 1 }, properties: { a: {}, list: { type: 'array', items: { type: 'object', properties: { name: { type: 'string' } } }, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] } } }))
    expect(stderr).toContain('spec.validation.openAPIV3Schema.properties[spec].properties[a].type: Required value: must not be empty for specified object fields')
    expect(stderr).toContain('properties[list].items.properties[name].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property')
  })

  it('are warned of formats that mean nothing', async () => {
    expect((await create(definition('Formal', { type: 'object', properties: { a: { type: 'string', format: 'poem' }, b: { type: 'integer', format: 'int64' } } }))).stderr).toBe('Warning: unrecognized format "poem"\n')
  })
})

describe('a schema with everything in it', () => {
  beforeAll(() => define('Everything', {
    type: 'object', description: 'All there is.', required: ['must'],
    properties: {
      must: { type: 'string', nullable: true, description: 'May be null.' }, port: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }], description: 'A port.' },
      open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { known: { type: 'string' } }, description: 'Open to all.' },
      pod: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true }, map: { type: 'object', additionalProperties: { type: 'array', items: { type: 'integer' } } },
      list: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'], items: { type: 'object', required: ['name'], properties: { name: { type: 'string', maxLength: 10 }, n: { type: 'number', multipleOf: 0.5, default: 1.5 } } } },
      anything: { 'x-kubernetes-preserve-unknown-fields': true },
    },
    not: { required: ['never'] }, 'x-kubernetes-validations': [{ rule: 'has(self.must)' }],
  }))

  it.each(kubectls)('is understood by kubectl $version', async ({ version, path }) => {
    const name = `x-${version.replace('.', '-')}`
    const kubectl = (args: readonly string[], input?: string) => run(path, args, { env: { KUBECONFIG: cluster.kubeconfig, HOME: `${cluster.kubeconfig}-${version}` }, ...(input === undefined ? {} : { input }) })
    const spec = { must: 'x', port: '80%', open: { known: 'x', more: { deep: [1] } }, pod: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec: {} }, map: { a: [1] }, list: [{ name: 'a' }], anything: [1, { a: 'b' }] }
    expect(await kubectl(['apply', '--validate=true', '-f', '-'], JSON.stringify(object('Everything', name, spec)))).toEqual({ code: 0, stderr: '', stdout: `everything.rules.example.com/${name} created\n` })
    expect(JSON.parse((await kubectl(['get', 'everything', name, '-o', 'json'])).stdout)).toMatchObject({ spec: { ...spec, list: [{ name: 'a', n: 1.5 }] } })
    const explained = await kubectl(['explain', 'everything.spec'])
    expect([explained.code, explained.stderr]).toEqual([0, ''])
    for (const field of ['must', 'port', 'open', 'pod', 'map', 'list', 'anything']) expect(explained.stdout).toMatch(new RegExp(`^\\s+${field}\\s`, 'm'))
    expect(explained.stdout).toContain('A port.')
    const unknown = await kubectl(['apply', '--validate=true', '-f', '-'], JSON.stringify(object('Everything', `${name}-b`, { ...spec, stranger: 1 })))
    expect(unknown.code).toBe(1)
    expect(unknown.stderr).toMatch(/unknown field "(spec\.)?stranger"/)
  })
})
