import { describe, expect, it } from 'vitest'
import { core } from '../../api/index.ts'
import { decodeObject } from '../../machinery/json.ts'
import { ipv4, ipv6 } from '../nft/family.ts'
import { planHostPorts } from './host-ports.ts'

const pod = (ports: object[], over: object = {}, spec: object = {}): core.Pod => decodeObject(core.Pod, {
  metadata: { name: 'p', namespace: 'x' }, spec: { containers: [{ name: 'c', ports }], ...spec }, status: { phase: 'Running', podIP: '10.244.0.5', podIPs: [{ ip: '10.244.0.5' }, { ip: 'fd00::5' }], ...over },
}).object

describe('host ports', () => {
  it('lead to the pod on every address, or on the one that is named', () => {
    expect(planHostPorts(pod([{ containerPort: 80, hostPort: 8080 }, { containerPort: 53, hostPort: 53, protocol: 'UDP', hostIP: '192.0.2.1' }, { containerPort: 9 }]), ipv4)?.elements).toEqual([
      { in: 'host-ports', key: 'tcp . 8080', value: '10.244.0.5 . 80' },
      { in: 'host-port-ips', key: '192.0.2.1 . udp . 53', value: '10.244.0.5 . 53' },
      { in: 'hairpin', key: '10.244.0.5 . 10.244.0.5' },
    ])
    expect(planHostPorts(pod([{ containerPort: 80, hostPort: 8080 }]), ipv6)?.elements?.[0]?.value).toBe('fd00::5 . 80')
  })

  it('are none without an address, on the host network, and when the pod is over', () => {
    const ports = [{ containerPort: 80, hostPort: 8080 }]
    expect(planHostPorts(pod(ports, { podIP: '', podIPs: [] }), ipv4)).toBeUndefined()
    expect(planHostPorts(pod(ports, {}, { hostNetwork: true }), ipv4)).toBeUndefined()
    expect(planHostPorts(pod(ports, { phase: 'Succeeded' }), ipv4)).toBeUndefined()
    expect(planHostPorts(pod([{ containerPort: 80 }]), ipv4)).toBeUndefined()
  })
})
