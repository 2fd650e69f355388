import { describe, expect, it } from 'vitest'
import { apps, core } from '../api/index.ts'
import { applyDefaults } from './defaults.ts'
import { decodeObject } from './json.ts'
import { zeroOf } from './zero.ts'

describe('applyDefaults', () => {
  const service = (port: object) => decodeObject(core.Service, { spec: { ports: [port] } }).object

  it('fills in the schema defaults deep in the object, in schema order', () => {
    const out = applyDefaults(core.Service, service({ port: 80, name: 'http' }))
    expect(JSON.stringify(out.spec.ports)).toBe('[{"name":"http","protocol":"TCP","port":80,"targetPort":0}]')
  })
  it('gives the same object back when nothing is missing, and keeps what was sent', () => {
    const object = service({ port: 80, protocol: 'UDP' })
    expect(applyDefaults(core.Service, object)).toBe(object)
  })
  it('fills in fields that stand out of their order', () => {
    const container = { name: 'c', ports: [{ containerPort: 1 }] }
    const out = applyDefaults(core.Pod, { kind: 'Pod', apiVersion: 'v1', spec: { containers: [container], initContainers: [container] }, metadata: {} } as never)
    for (const list of [out.spec.containers, out.spec.initContainers]) expect(list?.[0]?.ports).toEqual([{ containerPort: 1, protocol: 'TCP' }])
  })
  it('leaves the given object as it was', () => {
    const object = service({ port: 80 })
    applyDefaults(core.Service, object)
    expect(object.spec.ports?.[0]?.protocol).toBeUndefined()
  })
  it('sets a default of 1 where a pointer was not sent, and keeps 0 where it was', () => {
    const of = (spec: object) => applyDefaults(core.ReplicationController, decodeObject(core.ReplicationController, { spec }).object).spec.replicas
    expect([of({}), of({ replicas: 0 })]).toEqual([1, 0])
  })
})

describe('zeroOf', () => {
  it('has what is always there and nothing else', () => {
    expect(zeroOf(apps.DeploymentSpec)).toEqual({ template: { metadata: {}, spec: { containers: [] } }, strategy: {} })
  })
  it('is shared, so it is frozen', () => expect(Object.isFrozen((zeroOf(core.PodSpec) as core.PodSpec).containers)).toBe(true))
})
