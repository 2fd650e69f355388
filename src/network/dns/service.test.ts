import { describe, expect, it } from 'vitest'
import { core } from '../../api/index.ts'
import { createMemoryClient } from '../../client/testing/memory-client.ts'
import { FakeClock } from '../../machinery/clock.ts'
import { notFound } from '../../machinery/errors.ts'
import { quiet } from '../../machinery/log.ts'
import { ensureDnsService, isDnsService } from './service.ts'

describe('the Service of cluster DNS', () => {
  it('is created under its address once the namespace is there, and left alone from then on', async () => {
    const clock = new FakeClock()
    const client = createMemoryClient(clock)
    let refusals = 2
    client.onCall = () => { if (refusals-- > 0) throw notFound(core.namespaces, 'kube-system') }
    const done = ensureDnsService({ client, clock, log: quiet, addresses: ['10.96.0.10'], signal: new AbortController().signal })
    await clock.advance(2000)
    await done
    const service = client.stored(core.services).get('kube-system/kube-dns') as core.Service
    expect(service.spec).toMatchObject({ clusterIP: '10.96.0.10', ports: [{ name: 'dns', protocol: 'UDP', port: 53 }, { name: 'dns-tcp', protocol: 'TCP', port: 53 }] })
    expect(service.metadata.labels).toMatchObject({ 'k8s-app': 'kube-dns' })
    expect(isDnsService(service, ['10.96.0.10'])).toBe(true)
    const writes = client.calls.length
    await ensureDnsService({ client, clock, log: quiet, addresses: ['10.96.0.10'], signal: new AbortController().signal })
    expect(client.calls.length).toBe(writes)
  })

  it('stops trying when asked to', async () => {
    const clock = new FakeClock()
    const client = createMemoryClient(clock)
    client.onCall = () => { throw new Error('down') }
    const abort = new AbortController()
    const done = ensureDnsService({ client, clock, log: quiet, addresses: ['10.96.0.10'], signal: abort.signal })
    await clock.advance(5000)
    abort.abort()
    await done
    expect(client.stored(core.services).size).toBe(0)
  })
})
