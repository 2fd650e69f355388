import { describe, expect, it } from 'vitest'
import { FakeClock } from '../../machinery/clock.ts'
import { forbidden } from '../../machinery/errors.ts'
import { parseRequestInfo } from '../http/request-info.ts'
import type { ApiRequest, ApiResponse } from '../http/request.ts'
import type { AdmissionAttributes, AdmissionChain } from './admission.ts'
import { admitConnections } from './connect.ts'

/** What reaches the node, or the target, when a client asks for `url`. */
async function reached(url: string, chain: Partial<AdmissionChain> = {}): Promise<{ readonly seen: AdmissionAttributes[]; readonly request?: ApiRequest; readonly error?: string }> {
  const seen: AdmissionAttributes[] = []
  const admission: AdmissionChain = { mutate: async ({ object }) => object, ...chain, validate: async (a) => { seen.push(a); await chain.validate?.(a) } }
  let request: ApiRequest | undefined
  const routes = admitConnections({ subresource: () => async (given) => void (request = given), upgrade: () => async (given) => void (request = given) }, admission, new FakeClock())
  const [path = '', search = ''] = url.split('?')
  const query = new URLSearchParams(search)
  const info = parseRequestInfo('GET', path, query)
  const sent = { info, method: 'GET', query, headers: {}, user: { name: 'ana', groups: [] }, early: [], sent: 0, signal: new AbortController().signal, gone: undefined } as unknown as ApiRequest
  const { resource, subresource } = info
  try {
    if (subresource === 'proxy') await routes.subresource?.(resource, subresource)?.(sent, {} as ApiResponse)
    else await routes.upgrade?.(resource, subresource)?.(sent, {} as never, Buffer.alloc(0))
    return { seen, ...(request ? { request } : {}) }
  } catch (error) {
    return { seen, error: (error as Error).message }
  }
}
const pod = '/api/v1/namespaces/x/pods/p'

describe('connections', () => {
  it('come before admission as what was asked for', async () => {
    const { seen, request } = await reached(`${pod}/exec?command=sh&command=-c&stdin=true&stdout=1&tty=false&container=c`)
    expect(seen).toMatchObject([{ operation: 'CONNECT', subresource: 'exec', namespace: 'x', name: 'p', old: undefined, resource: { plural: 'pods' },
      object: { kind: 'PodExecOptions', apiVersion: 'v1', command: ['sh', '-c'], stdin: true, stdout: true, container: 'c' }, context: { user: { name: 'ana' } } }])
    expect(seen[0]?.object).not.toHaveProperty('tty')
    expect(request?.query.getAll('command')).toEqual(['sh', '-c'])
    expect((await reached(`${pod}/attach?stdout=true`)).seen[0]?.object).toEqual({ kind: 'PodAttachOptions', apiVersion: 'v1', stdout: true })
    expect((await reached(`${pod}/portforward?ports=80&ports=81`)).seen[0]?.object).toEqual({ kind: 'PodPortForwardOptions', apiVersion: 'v1', ports: [80, 81] })
    expect((await reached('/api/v1/nodes/n/proxy/a/b?x=y')).seen[0]?.object).toEqual({ kind: 'NodeProxyOptions', apiVersion: 'v1', path: '/a/b' })
  })

  it('hide nothing behind escapes', async () => {
    expect((await reached('/api/v1/namespaces/x/services/s/proxy/%73ecret%2Fkey')).seen[0]?.object).toMatchObject({ path: '/secret/key' })
    expect((await reached('/api/v1/namespaces/x/services/s/proxy/%252e')).seen[0]?.object).toMatchObject({ path: '/%2e' })
  })

  it('are not made when admission refuses', async () => {
    const validate = async () => { throw forbidden({ group: '', plural: 'pods' }, 'p', 'no') }
    expect(await reached(`${pod}/exec?command=sh`, { validate })).toMatchObject({ error: 'pods "p" is forbidden: no' })
    expect((await reached(`${pod}/exec?command=sh`, { validate })).request).toBeUndefined()
  })

  it('are made as admission changes them', async () => {
    const set = (more: object): Partial<AdmissionChain> => ({ mutate: async ({ object }) => ({ ...object, ...more }) as typeof object })
    expect((await reached(`${pod}/exec?command=sh&stdin=true`, set({ command: ['ls'], stdin: false }))).request?.query.toString()).toBe('command=ls')
    expect((await reached(`${pod}/portforward?ports=80`, set({ ports: [443] }))).request?.query.toString()).toBe('ports=443')
    expect((await reached(`${pod}/proxy/a`, set({ path: '/b c/d' }))).request?.info.rest).toBe('b%20c/d')
  })
})
