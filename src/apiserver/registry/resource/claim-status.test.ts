import { describe, expect, it } from 'vitest'
import { core, dra, type Resource } from '../../../api/index.ts'
import type { ApiObject, Client } from '../../../client/client.ts'
import { notFound } from '../../../machinery/errors.ts'
import type { Strategy } from '../../strategy.ts'
import { strategyFor } from '../strategies.ts'
import { complete, context, environment, statusErrors } from '../testing.ts'

const claims = dra.resourceclaims as unknown as Resource<ApiObject>
const templates = dra.resourceclaimtemplates as unknown as Resource<ApiObject>
const metadata = { name: 'a', namespace: 'default' }
const spec = { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'c' } }] } }
const result = { request: 'r', driver: 'd.example.com', pool: 'p', device: 'gpu' }
const onNode = (name: string) => ({ nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] }] })
const allocated = { allocation: { devices: { results: [result] }, nodeSelector: onNode('n') } }
const said = { driver: 'd.example.com', pool: 'p', device: 'gpu', conditions: [] }
const withStatus = (status: object) => complete(claims, { metadata, spec, status })

interface Asked { readonly user?: string; readonly extra?: object; readonly resourceAttributes: { readonly verb: string; readonly subresource: string; readonly namespace: string; readonly name: string } }

/** A cluster whose namespace has these labels, and whose roles allow these actions. */
function cluster(labels: Record<string, string>, allowed: readonly string[] = []) {
  const asked: string[] = []
  const client = {
    get: (_: unknown, name: string) => (name === 'default' ? Promise.resolve({ metadata: { name, labels } }) : Promise.reject(notFound(core.namespaces, name))),
    create: (_: unknown, { spec: { resourceAttributes: r } }: { spec: Asked }) => {
      asked.push(`${r.verb} ${r.subresource} ${r.namespace}/${r.name}`)
      return Promise.resolve({ status: { allowed: allowed.includes(asked.at(-1) ?? '') } })
    },
  } as unknown as Client
  const strategy = (resource: Resource<ApiObject>) => strategyFor(resource as never, { ...environment, client }) as unknown as Strategy<ApiObject>
  return { asked, strategy }
}

const texts = async (errors: ReturnType<NonNullable<Strategy['consult']>>) => (await errors ?? []).map(String)

describe('access of administrators', () => {
  const wanted = { devices: { requests: [{ name: 'q', exactly: { deviceClassName: 'c' } }, { name: 'r', exactly: { deviceClassName: 'c', adminAccess: true } }] } }
  const refused = 'admin access to devices requires the `resource.kubernetes.io/admin-access: true` label on the containing namespace'

  it.each([
    ['is refused where the namespace is not marked', {}, [`spec.devices.requests[1].adminAccess: Forbidden: ${refused}`]],
    ['is refused where the mark says no', { 'resource.kubernetes.io/admin-access': 'True' }, [`spec.devices.requests[1].adminAccess: Forbidden: ${refused}`]],
    ['is had where it is', { 'resource.kubernetes.io/admin-access': 'true' }, []],
  ])('%s', async (_, labels, errors) => {
    const { strategy } = cluster(labels)
    expect(await texts(strategy(claims).consult?.(complete(claims, { metadata, spec: wanted }), undefined, context()))).toEqual(errors)
    expect(await texts(strategy(templates).consult?.(complete(templates, { metadata, spec: { spec: wanted } }), undefined, context()))).toEqual(errors)
  })
  it('is not looked into when nobody wants it', () => {
    expect(cluster({}).strategy(claims).consult?.(complete(claims, { metadata, spec }), undefined, context())).toBeUndefined()
  })
  it('is refused where the namespace cannot be seen', async () => {
    const { strategy } = cluster({})
    expect((await texts(strategy(claims).consult?.(complete(claims, { metadata: { ...metadata, namespace: 'gone' }, spec: wanted }), undefined, context())))[0])
      .toMatch(/^spec.devices.requests\[1\].adminAccess: Internal error: could not retrieve namespace to verify admin access: /)
  })
  it('is not given by the status either', async () => {
    const { strategy } = cluster({}, ['update binding /'])
    const next = withStatus({ allocation: { devices: { results: [result, { ...result, adminAccess: true }] } } })
    const ctx = context({ verb: 'update', subresource: 'status' })
    expect(await texts(strategy(claims).consult?.(next, withStatus({}), ctx))).toEqual([`status.allocation.devices.results[1].adminAccess: Forbidden: ${refused}`])
    expect(await texts(strategy(claims).consult?.(next, next, ctx))).toEqual([])
  })
})

describe('the status of a claim', () => {
  const agent = (node: string) => ({ user: { name: 'system:serviceaccount:kube-system:agent', groups: [], extra: { 'authentication.kubernetes.io/node-name': [node] } } })
  const written = async (next: object, current: object, allowed: readonly string[], user: object = {}) => {
    const { strategy, asked } = cluster({}, allowed)
    const errors = await texts(strategy(claims).consult?.(withStatus(next), withStatus(current), context({ verb: 'patch', subresource: 'status', ...user })))
    return { errors, asked }
  }

  it('is bound by those who may bind claims anywhere', async () => {
    expect(await written(allocated, {}, ['patch binding /'])).toEqual({ errors: [], asked: ['patch binding /'] })
    expect((await written(allocated, {}, [])).errors).toEqual([
      'status: Forbidden: changing status.allocation or status.reservedFor requires resource="resourceclaims/binding", verb="patch" permission: '
      + 'resourceclaims.resource.k8s.io is forbidden: User "tester" cannot patch resource "resourceclaims/binding" in API group "resource.k8s.io" at the cluster scope',
    ])
  })
  it('is nobody’s question when it stays', async () => {
    expect(await written({ ...allocated, devices: [said] }, { ...allocated, devices: [said] }, [])).toEqual({ errors: [], asked: [] })
  })
  it('has what a driver says from those who may speak for it', async () => {
    const any = 'patch driver default/d.example.com'
    expect(await written({ ...allocated, devices: [said] }, allocated, [`arbitrary-node:${any}`])).toEqual({ errors: [], asked: [`arbitrary-node:${any}`] })
    expect((await written(allocated, { ...allocated, devices: [said] }, [`associated-node:${any}`])).errors).toEqual([
      'status.devices: Forbidden: changing status.devices requires resource="resourceclaims/driver", verb="[arbitrary-node:patch]" permission: '
      + 'resourceclaims.resource.k8s.io "d.example.com" is forbidden: User "tester" cannot arbitrary-node:patch resource "resourceclaims/driver" in API group "resource.k8s.io" in the namespace "default"',
    ])
  })
  it('has it from an agent on the node of the devices, and from no other node', async () => {
    const own = 'associated-node:patch driver default/d.example.com'
    expect(await written({ ...allocated, devices: [said] }, allocated, [own], agent('n'))).toEqual({ errors: [], asked: [own] })
    expect((await written({ ...allocated, devices: [said] }, allocated, [own], agent('m'))).errors).toHaveLength(1)
  })
  it('loses what drivers said of devices that are given back', () => {
    const strategy = cluster({}).strategy(claims)
    const after = strategy.prepareForStatusUpdate?.(withStatus({ devices: [said] }), withStatus({ ...allocated, devices: [said] }), context())
    expect((after as unknown as dra.ResourceClaim).status.devices).toBeUndefined()
  })

  const wrong = (next: object, current: object = {}) => statusErrors(cluster({}).strategy(claims), withStatus(next), withStatus(current))

  it('has devices that answer requests, as drivers name them', () => {
    expect(wrong(allocated)).toEqual([])
    expect(wrong({ allocation: { devices: { results: [{ request: 'x', driver: '', pool: '', device: 'G', shareID: 'A' }], config: [{ source: 'Here', requests: ['r'], opaque: { driver: 'd', parameters: { x: 'x'.repeat(10_240) } } }] } } })).toEqual([
      expect.stringContaining('results[0].request: Invalid value: "x": must be the name of a request'),
      'status.allocation.devices.results[0].driver: Required value', expect.stringContaining('results[0].driver: Invalid value: ""'),
      'status.allocation.devices.results[0].pool: Required value', expect.stringContaining('results[0].device: Invalid value: "G"'),
      expect.stringContaining('results[0].shareID: Invalid value: "A": uid must be in RFC 4122 normalized form'),
      'status.allocation.devices.config[0].source: Unsupported value: "Here": supported values: "FromClaim", "FromClass"',
      'status.allocation.devices.config[0].opaque.parameters: Too long: may not be more than 10240 bytes',
    ])
    expect(wrong({ allocation: { devices: { results: Array.from({ length: 33 }, () => result) } } })).toEqual(['status.allocation.devices.results: Too many: 33: must have at most 32 items'])
  })
  it('says only of its own devices how they are', () => {
    expect(wrong({ ...allocated, devices: [{ ...said, device: 'other', data: { x: 'x'.repeat(10_240) }, networkData: { interfaceName: 'i'.repeat(257), ips: ['10.0.0.1', '10.0.0.1/24', '2001:DB8::1/64', '10.0.0.1/24'] } }] }, allocated)).toEqual([
      'status.devices[0]: Invalid value: "d.example.com/p/other": must be an allocated device in the claim',
      'status.devices[0].data: Too long: may not be more than 10240 bytes',
      'status.devices[0].networkData.interfaceName: Too long: may not be more than 256 bytes',
      'status.devices[0].networkData.ips[0]: Invalid value: "10.0.0.1": must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)',
      'status.devices[0].networkData.ips[2]: Invalid value: "2001:DB8::1/64": must be in canonical form ("2001:db8::1/64")',
      'status.devices[0].networkData.ips[3]: Duplicate value: "10.0.0.1/24"',
    ])
  })
})
