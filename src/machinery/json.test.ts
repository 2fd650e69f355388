import { describe, expect, it } from 'vitest'
import { apps, core, rbac, apiextensions } from '../api/index.ts'
import { decodeObject, encodeObject, parseJson } from './json.ts'
import { goldens } from './testing.ts'

const decode = (type: Parameters<typeof decodeObject>[0], value: unknown) => decodeObject(type, value).object

describe('golden objects', () => {
  it.each(goldens())('$name keeps every byte', ({ type, json }) => {
    const { object, unknownFields } = decodeObject(type, JSON.parse(json))
    expect(unknownFields).toEqual([])
    expect(JSON.stringify(object)).toBe(json)
  })
  it.each(goldens())('$name does not depend on the order in which it was written', ({ type, json }) => {
    expect(JSON.stringify(decode(type, reversed(JSON.parse(json))))).toBe(JSON.stringify(decode(type, JSON.parse(json))))
  })
})

/** The same value with the properties of its structs the other way round; raw JSON values have an order of their own. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null || ('apiVersion' in value && value.apiVersion === 'example.com/v1')) return value
  return Object.fromEntries(Object.entries(value).reverse().map(([k, v]) => [k, reversed(v)]))
}

describe('decodeObject', () => {
  it('fills in what is always there, in the order of the schema', () => {
    expect(JSON.stringify(decode(apps.Deployment, { spec: { selector: {}, template: {} }, apiVersion: 'apps/v1', kind: 'Deployment' })))
      .toBe('{"kind":"Deployment","apiVersion":"apps/v1","metadata":{},"spec":{"selector":{},"template":{"metadata":{},"spec":{"containers":[]}},"strategy":{}},"status":{}}')
  })
  it('leaves out zero values and null', () => {
    expect(decode(core.ConfigMap, { metadata: { name: 'a', labels: {}, finalizers: [], generation: 0 }, data: null, immutable: false }))
      .toEqual({ metadata: { name: 'a' }, immutable: false })
  })
  it('gives the same object back when it is already in normal form', () => {
    const { object } = decodeObject(core.Pod, { kind: 'Pod', apiVersion: 'v1', spec: { containers: [{ name: 'a', image: 'b' }] } })
    expect(decode(core.Pod, object)).toBe(object)
  })
  it('comes to the same with an object that it shares parts with and without', () => {
    const { object: known } = decodeObject(core.Pod, { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'a', labels: { b: '1' } }, spec: { containers: [{ name: 'a', image: 'b' }], nodeName: 'n' } })
    const next = { ...known, metadata: { generation: 0, annotations: { z: '1', a: '2' }, ...known.metadata, name: 'c' }, spec: { hostname: 'h', unknown: 1, ...known.spec } }
    const { object, unknownFields } = decodeObject(core.Pod, next, known)
    expect(unknownFields).toEqual(['unknown field "spec.unknown"'])
    expect(JSON.stringify(object)).toBe(JSON.stringify(decode(core.Pod, next)))
    expect((object as core.Pod).spec.containers).toBe((known as core.Pod).spec.containers)
    expect(() => decodeObject(core.Pod, { ...known, spec: { ...(known as core.Pod).spec, nodeName: 1 } }, known)).toThrow(/nodeName/)
  })
  it('never changes what it was given', () => {
    const value = { status: {}, metadata: { labels: { b: '1', a: '2' } }, spec: { containers: [{ image: 'x', name: 'y', zzz: 1 }], volumes: [] } }
    const before = JSON.stringify(value)
    decode(core.Pod, value)
    expect(JSON.stringify(value)).toBe(before)
  })
  it('writes quantities and times as Kubernetes does, and sorts the keys of maps', () => {
    const pod = decode(core.Pod, {
      metadata: { creationTimestamp: '2026-01-01T02:00:00+02:00', labels: { b: 'x', a: 'y' } },
      spec: { containers: [{ name: 'a', resources: { limits: { memory: '1024Mi', cpu: 0.5 } } }] },
    }) as core.Pod
    expect(pod.metadata.creationTimestamp).toBe('2026-01-01T00:00:00Z')
    expect(JSON.stringify(pod.metadata.labels)).toBe('{"a":"y","b":"x"}')
    expect(JSON.stringify(pod.spec.containers[0]?.resources)).toBe('{"limits":{"cpu":"500m","memory":"1Gi"}}')
  })
  it('flattens inline structs', () => {
    const pod = decode(core.Pod, { spec: { volumes: [{ emptyDir: {}, name: 'v' }], containers: [] } }) as core.Pod
    expect(JSON.stringify(pod.spec.volumes)).toBe('[{"name":"v","emptyDir":{}}]')
  })
  it('reports unknown fields by their path and drops them', () => {
    const { object, unknownFields } = decodeObject(core.Pod, { foo: 1, spec: { containers: [{ name: 'a', imag: 'b' }], bar: {} } })
    expect(unknownFields).toEqual(['unknown field "foo"', 'unknown field "spec.containers[0].imag"', 'unknown field "spec.bar"'])
    expect(object.spec).toEqual({ containers: [{ name: 'a', resources: {} }] })
  })
  it('does not take inherited names for fields', () => {
    expect(decodeObject(core.ConfigMap, JSON.parse('{"__proto__":{"data":{"a":"b"}},"constructor":1}')).unknownFields)
      .toEqual(['unknown field "__proto__"', 'unknown field "constructor"'])
  })
  it('keeps a map key that is called __proto__', () => {
    const { object } = decodeObject(core.ConfigMap, JSON.parse('{"metadata":{},"data":{"z":"1","__proto__":"2"}}'))
    expect(JSON.stringify(object.data)).toBe('{"__proto__":"2","z":"1"}')
  })
  it.each([
    [{ spec: { replicas: 'three' } }, 'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32'],
    [{ spec: { replicas: 1.5 } }, 'json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32'],
    [{ spec: { replicas: 2 ** 31 } }, 'json: cannot unmarshal number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32'],
    [{ metadata: { generation: true } }, 'json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.generation of type int64'],
    [{ metadata: [] }, 'json: cannot unmarshal array into Go struct field Deployment.metadata of type v1.ObjectMeta'],
    [{ metadata: { labels: { a: 1 } } }, 'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string'],
    [{ spec: { template: { spec: { containers: [{ env: {} }] } } } }, 'json: cannot unmarshal object into Go struct field Container.spec.template.spec.containers.env of type []v1.EnvVar'],
    [{ spec: { template: { spec: { containers: [{ env: [{ name: 'a', value: 1 }] }] } } } }, 'json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of type string'],
    [{ spec: { template: { spec: { containers: [{ imagePullPolicy: 1 }] } } } }, 'json: cannot unmarshal number into Go struct field Container.spec.template.spec.containers.imagePullPolicy of type v1.PullPolicy'],
    [{ spec: { template: { spec: { volumes: [{ emptyDir: 1 }] } } } }, 'json: cannot unmarshal number into Go struct field Volume.spec.template.spec.volumes.VolumeSource.emptyDir of type v1.EmptyDirVolumeSource'],
    [{ spec: { strategy: { rollingUpdate: { maxSurge: true } } } }, 'json: cannot unmarshal bool into Go struct field RollingUpdateDeployment.spec.strategy.rollingUpdate.maxSurge of type int32'],
    // Of several values the first is named, but for one that has a reader of its own.
    [{ spec: { replicas: 'a', paused: 'b' } }, 'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32'],
    [{ spec: { replicas: 'a' }, metadata: { creationTimestamp: '2020-01-02' } }, 'parsing time "2020-01-02" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"'],
    [{ metadata: { creationTimestamp: 'now' } }, 'parsing time "now" as "2006-01-02T15:04:05Z07:00": cannot parse "now" as "2006"'],
    [{ metadata: { creationTimestamp: '2020-13-01T00:00:00Z' } }, 'parsing time "2020-13-01T00:00:00Z": month out of range'],
    [{ spec: { template: { spec: { overhead: { cpu: '1K' } } } } }, "unable to parse quantity's suffix"],
  ])('says where a value is of the wrong type: %j', (value, text) => {
    expect(() => decode(apps.Deployment, { apiVersion: 'apps/v1', ...value }))
      .toThrow(`Deployment in version "v1" cannot be handled as a Deployment: ${text}`)
  })
  it.each([null, 1, 'x', [], undefined])('refuses %j as an object', (value) => {
    expect(() => decode(core.Pod, value)).toThrow(/Pod cannot be handled as a Pod: json: cannot unmarshal \w+ into Go value of type v1\.Pod$/)
  })
  it('takes null among the elements of a list for their zero value', () => {
    expect(decode(rbac.Role, { rules: [null] })).toEqual({ metadata: {}, rules: [{ verbs: [] }] })
  })
  it('decodes the recursive schema of a custom resource definition', () => {
    const schema = { properties: { spec: { type: 'object', additionalProperties: true, items: [{ type: 'string' }] } }, type: 'object' }
    const { unknownFields } = decodeObject(apiextensions.CustomResourceDefinition, {
      spec: { versions: [{ name: 'v1', schema: { openAPIV3Schema: { ...schema, properties: { x: { nope: 1 } } } } }] },
    })
    expect(unknownFields).toEqual(['unknown field "spec.versions[0].schema.openAPIV3Schema.properties.x.nope"'])
  })
  it('encodes an object that a component built in any order', () => {
    expect(encodeObject(core.ConfigMap, { data: { b: '1', a: '2' }, metadata: { namespace: 'n', name: undefined } }))
      .toBe('{"metadata":{"namespace":"n"},"data":{"a":"2","b":"1"}}')
  })
})

describe('parseJson', () => {
  it('names fields that stand twice, only when asked', () => {
    const text = '{"spec":{"replicas":1,"a":[{"x":"\\"{"},{"x":1,"x":2}],"replicas":2},"k":{"\\u0061":1,"a":2}}'
    expect(parseJson(text, { duplicates: true }).duplicateFields)
      .toEqual(['duplicate field "spec.a[1].x"', 'duplicate field "spec.replicas"', 'duplicate field "k.a"'])
    expect(parseJson(text).duplicateFields).toEqual([])
  })
  it('refuses deep nesting before it can hurt, and allows what is wide', () => {
    expect(() => parseJson('['.repeat(10_000) + ']'.repeat(10_000))).toThrow(/max depth of 512/)
    expect(() => parseJson('{"a":'.repeat(513) + '1' + '}'.repeat(513))).toThrow(/max depth of 512/)
    expect(parseJson(`[${'[],'.repeat(5000)}"[[["]`).value).toHaveLength(5001)
    expect(parseJson('['.repeat(512) + ']'.repeat(512)).value).toBeTruthy()
  })
  it.each(['', '{', '{"a":1,}', 'nul', '\ufeff{}', '{"a":01}'])('refuses %j with 400', (text) => {
    expect(() => parseJson(text)).toThrow(expect.objectContaining({ code: 400 }))
  })
  it('reads UTF-8 bytes', () => {
    expect(parseJson(Buffer.from('{"a":"ü😀"}')).value).toEqual({ a: 'ü😀' })
  })
})
