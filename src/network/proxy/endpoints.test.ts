import { describe, expect, it } from 'vitest'
import type { discovery } from '../../api/index.ts'
import { targetsOf } from './endpoints.ts'

type Conditions = discovery.EndpointConditions
interface Given { readonly ip: string; readonly node?: string; readonly conditions?: Conditions; readonly zones?: string[]; readonly nodes?: string[] }

const slice = (endpoints: Given[], over: Partial<discovery.EndpointSlice> = {}): discovery.EndpointSlice => ({
  kind: 'EndpointSlice', apiVersion: 'discovery.k8s.io/v1', metadata: {}, addressType: 'IPv4', ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  endpoints: endpoints.map((e) => ({
    addresses: [e.ip], conditions: e.conditions ?? { ready: true }, nodeName: e.node ?? 'other',
    ...(e.zones || e.nodes ? { hints: { forZones: e.zones?.map((name) => ({ name })), forNodes: e.nodes?.map((name) => ({ name })) } } : {}),
  })),
  ...over,
})
const port = { name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' } as const
const here = { node: 'here', zone: 'z1' }
const targets = (endpoints: Given[], place = here) => targetsOf(port, [slice(endpoints)], 'IPv4', place)
const ips = (list: readonly { ip: string }[]) => list.map((t) => t.ip)

const ready = { ready: true, serving: true, terminating: false }
const leaving = { ready: false, serving: true, terminating: true }
const unready = { ready: false, serving: false, terminating: false }

describe('the targets of a service port', () => {
  it('are the ready endpoints, wherever they are; the local ones are told apart', () => {
    const found = targets([{ ip: '10.0.0.2', node: 'here', conditions: ready }, { ip: '10.0.0.1' }, { ip: '10.0.0.3', conditions: unready }])
    expect(ips(found.cluster)).toEqual(['10.0.0.1', '10.0.0.2'])
    expect(ips(found.local)).toEqual(['10.0.0.2'])
  })

  it('count an endpoint without conditions as ready', () => {
    expect(ips(targets([{ ip: '10.0.0.1', conditions: {} }]).cluster)).toEqual(['10.0.0.1'])
  })

  it('are those that are leaving but still serve, when nothing is ready', () => {
    expect(ips(targets([{ ip: '10.0.0.1', conditions: leaving }, { ip: '10.0.0.2', conditions: unready }]).cluster)).toEqual(['10.0.0.1'])
    expect(ips(targets([{ ip: '10.0.0.1', conditions: leaving }, { ip: '10.0.0.2' }]).cluster)).toEqual(['10.0.0.2'])
  })

  it('fall back to leaving ones locally, even if others are ready elsewhere', () => {
    const found = targets([{ ip: '10.0.0.1', node: 'here', conditions: leaving }, { ip: '10.0.0.2' }])
    expect(ips(found.local)).toEqual(['10.0.0.1'])
    expect(ips(found.cluster)).toEqual(['10.0.0.2'])
  })

  it('come from all slices once, by the name of the port', () => {
    const other = slice([{ ip: '10.0.0.9' }], { ports: [{ name: 'metrics', port: 9090, protocol: 'TCP' }] })
    const again = slice([{ ip: '10.0.0.1', conditions: unready }])
    expect(targetsOf(port, [again, slice([{ ip: '10.0.0.1' }]), other], 'IPv4', here).cluster).toEqual([{ ip: '10.0.0.1', port: 8080, local: false }])
  })

  it('leave out slices of the other family', () => {
    expect(targetsOf(port, [slice([{ ip: 'fd00::1' }], { addressType: 'IPv6' })], 'IPv4', here).cluster).toEqual([])
  })

  it('are those meant for this zone, if every endpoint carries a hint', () => {
    expect(ips(targets([{ ip: '10.0.0.1', zones: ['z1'] }, { ip: '10.0.0.2', zones: ['z2'] }]).cluster)).toEqual(['10.0.0.1'])
    expect(ips(targets([{ ip: '10.0.0.1', zones: ['z1'] }, { ip: '10.0.0.2' }]).cluster)).toEqual(['10.0.0.1', '10.0.0.2'])
    expect(ips(targets([{ ip: '10.0.0.1', zones: ['z3'] }, { ip: '10.0.0.2', zones: ['z2'] }]).cluster)).toEqual(['10.0.0.1', '10.0.0.2'])
  })

  it('prefer this node over this zone where hints name nodes', () => {
    expect(ips(targets([{ ip: '10.0.0.1', zones: ['z1'], nodes: ['other'] }, { ip: '10.0.0.2', zones: ['z1'], nodes: ['here'] }]).cluster)).toEqual(['10.0.0.2'])
  })
})
