/** Connections that are taken over: exec, attach, port-forward, logs and watches over WebSockets and SPDY. */
import { createServer, type Server } from 'node:https'
import type { IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect, type TLSSocket } from 'node:tls'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { attempt, issue } from '../../support/attackers.ts'
import { startTestControlPlane, type TestControlPlane } from '../../support/control-plane.ts'

let cluster: TestControlPlane
/** A node's agent that takes what `accepts` says, echoes what comes after, and counts what it was asked. */
let agent: Server
let asked: { readonly method: string; readonly url: string; readonly headers: IncomingHttpHeaders }[]
let accepts: boolean
const open = new Set<Duplex>()
const dir = mkdtempSync(join(tmpdir(), 'skiff-streams-'))

beforeAll(async () => {
  writeFileSync(join(dir, 'tokens.csv'), 'mallory-token,mallory,,\nlooker-token,looker,,\nrunner-token,runner,,\nmaker-token,maker,,\nwatcher-token,watcher,,\n')
  writeFileSync(join(dir, 'audit.yaml'), 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: RequestResponse}]\n')
  cluster = await startTestControlPlane({ apiServerArguments: { 'token-auth-file': join(dir, 'tokens.csv'), 'audit-policy-file': join(dir, 'audit.yaml'), 'audit-log-path': join(dir, 'audit.log') } })
  agent = createServer({ cert: cluster.pki.node.cert, key: cluster.pki.node.key }, (request, response) => {
    asked.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers })
    response.end('a log')
  })
  agent.on('upgrade', (request, socket: Duplex) => {
    asked.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers })
    open.add(socket)
    socket.on('close', () => open.delete(socket)).on('error', () => socket.destroy()).on('end', () => socket.destroy())
    if (!accepts) return void socket.write('HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno')
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: SPDY/3.1\r\n\r\n')
    socket.pipe(socket)
  })
  await new Promise<void>((resolve) => agent.listen(0, '127.0.0.1', resolve))
  await cluster.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } })
  const status = { status: { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: (agent.address() as AddressInfo).port } } } }
  expect((await attempt(cluster, '/api/v1/nodes/node-1/status', { method: 'PATCH', cert: cluster.pki.admin, body: status, contentType: 'application/merge-patch+json' })).code).toBe(200)
  await cluster.kubectl('create', 'serviceaccount', 'default').catch(() => '')
  await cluster.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'default' }, spec: { nodeName: 'node-1', containers: [{ name: 'c', image: 'x' }] } })
  const role = (name: string, user: string, verbs: string[], resources: string[]) => cluster.apply(`
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: ${name}, namespace: default}
rules: [{apiGroups: [""], resources: ${JSON.stringify(resources)}, verbs: ${JSON.stringify(verbs)}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: ${name}, namespace: default}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: ${name}}
subjects: [{kind: User, apiGroup: rbac.authorization.k8s.io, name: ${user}}]
`)
  const streams = ['pods/exec', 'pods/attach', 'pods/portforward']
  await role('look', 'looker', ['get'], [...streams, 'pods/log', 'pods/proxy'])
  await role('run', 'runner', ['get', 'create'], [...streams, 'pods/log'])
  await role('make', 'maker', ['create'], streams)
  await role('watch', 'watcher', ['watch', 'list'], ['configmaps'])
  // Every right to the proxy of nodes but the one to create.
  await cluster.kubectl('create', 'clusterrole', 'nodes', '--verb=get,list,update,patch,delete', '--resource=nodes/proxy')
  await cluster.kubectl('create', 'clusterrolebinding', 'nodes', '--clusterrole=nodes', '--user=looker')
}, 60_000)
beforeEach(() => {
  asked = []
  accepts = true
})
afterAll(async () => {
  for (const socket of open) socket.destroy()
  await cluster?.stop()
  agent?.close()
  agent?.closeAllConnections()
  rmSync(dir, { recursive: true })
})

const pod = '/api/v1/namespaces/default/pods/p'
const streams = [`${pod}/exec?command=id&stdout=1`, `${pod}/attach?stdout=1`, `${pod}/portforward?ports=80`]
const prefix = 'base64url.bearer.authorization.k8s.io.'
const asProtocol = (token: string) => `${prefix}${Buffer.from(token).toString('base64url')}`
const upgrade = (protocol?: string, to = 'websocket') => ['connection', 'Upgrade', 'upgrade', to, 'sec-websocket-version', '13', 'sec-websocket-key', 'x3JJHMbDL1EzLkh9GBhXDw==', ...(protocol === undefined ? [] : ['sec-websocket-protocol', protocol])]
const bearer = (token: string) => ['authorization', `Bearer ${token}`]
const codeOf = async (path: string, headers: readonly string[], method = 'GET') => (await attempt(cluster, path, { method, headers })).code

/** A connection whose every byte is the attacker's; what comes back, until it is closed or nothing more comes. */
async function raw(bytes: string | Buffer, then?: (socket: TLSSocket) => void): Promise<string> {
  const { hostname, port } = new URL(cluster.url)
  const socket = connect({ host: hostname, port: Number(port), ca: cluster.pki.ca.cert, ALPNProtocols: ['http/1.1'] })
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => void chunks.push(chunk)).on('error', () => undefined)
  await new Promise((resolve) => socket.once('secureConnect', resolve))
  socket.write(bytes)
  then?.(socket)
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve())
    const quiet = setInterval(() => {
      if (chunks.length === lastCount && lastCount > 0) resolve()
      lastCount = chunks.length
    }, 300)
    let lastCount = 0
    socket.once('close', () => clearInterval(quiet))
    setTimeout(resolve, 5000).unref()
  })
  socket.destroy()
  return Buffer.concat(chunks).toString('latin1')
}
const head = (method: string, path: string, ...headers: string[]) => `${[`${method} ${path} HTTP/1.1`, 'host: x', ...headers].join('\r\n')}\r\n\r\n`

describe('a token among the protocols of a WebSocket', () => {
  it('is one that holds, once, beside a protocol to speak: then it counts, and goes no further', async () => {
    for (const path of streams) {
      expect(await codeOf(path, upgrade(`${asProtocol('runner-token')}, v4.channel.k8s.io`)), path).toBe(101)
      expect(asked.at(-1)?.headers['sec-websocket-protocol'], path).toBe('v4.channel.k8s.io')
      expect(JSON.stringify(asked.at(-1))).not.toContain(Buffer.from('runner-token').toString('base64url'))
    }
  })

  it.each<[string, string]>([
    ['that nobody has', `${asProtocol('nobody')}, v4.channel.k8s.io`],
    ['that is not encoded', `${prefix}runner-token!, v4.channel.k8s.io`],
    ['that is no text', `${prefix}${Buffer.from([0xff, 0xfe, 0x80]).toString('base64url')}, v4.channel.k8s.io`],
    ['alone', asProtocol('runner-token')],
    ['twice', `${asProtocol('runner-token')}, ${asProtocol('runner-token')}, v4.channel.k8s.io`],
    ['with another before it', `${asProtocol('mallory-token')}, ${asProtocol('runner-token')}, v4.channel.k8s.io`],
  ])('%s opens nothing', async (_, protocols) => {
    for (const path of streams) expect(await codeOf(path, upgrade(protocols)), path).toBe(401)
    expect(asked).toEqual([])
  })

  it('means nothing where no WebSocket is asked for, nor do cookies and parameters of the URL', async () => {
    const offered = ['sec-websocket-protocol', `${asProtocol('runner-token')}, v4.channel.k8s.io`]
    expect(await codeOf(streams[0] as string, offered)).toBe(403)
    expect(await codeOf(streams[0] as string, ['connection', 'Upgrade', 'upgrade', 'SPDY/3.1', ...offered], 'POST')).toBe(403)
    for (const header of ['cookie', 'x-auth-token', 'proxy-authorization', 'x-forwarded-access-token']) expect(await codeOf(`${pod}/log`, [header, 'Bearer runner-token']), header).toBe(403)
    for (const parameter of ['token', 'access_token', 'authorization', 'bearer']) expect(await codeOf(`${pod}/log?${parameter}=watcher-token`, []), parameter).toBe(403)
    expect(asked).toEqual([])
  })
})

describe('the right to look', () => {
  it('runs nothing, whatever the protocol and the method', async () => {
    for (const path of streams) {
      for (const to of ['websocket', 'SPDY/3.1', 'WebSocket', 'h2c', 'anything']) {
        expect(await codeOf(path, [...upgrade('v4.channel.k8s.io', to), ...bearer('looker-token')]), `${path} ${to}`).toBe(403)
        expect(await codeOf(path, [...upgrade('v4.channel.k8s.io', to), ...bearer('looker-token')], 'POST'), `${path} ${to}`).toBe(403)
      }
      expect(await codeOf(path, bearer('looker-token'))).toBeGreaterThanOrEqual(400)
      for (const method of ['PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']) expect(await codeOf(path, [...upgrade('v4.channel.k8s.io'), ...bearer('looker-token')], method), `${method} ${path}`).toBeGreaterThanOrEqual(400)
    }
    expect(asked).toEqual([])
  })

  it('through the proxy of a node runs nothing either, by any method', async () => {
    const path = '/api/v1/nodes/node-1/proxy/exec/default/p/c?command=id&output=1'
    for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'POST']) {
      expect(await codeOf(path, [...upgrade('v4.channel.k8s.io'), ...bearer('looker-token')], method), method).toBe(403)
    }
    expect(asked).toEqual([])
  })

  it('is needed beside the right to run for what comes with GET, and not for what comes with POST', async () => {
    for (const path of streams) {
      expect(await codeOf(path, [...upgrade('v4.channel.k8s.io'), ...bearer('maker-token')]), path).toBe(403)
      expect(await codeOf(path, [...upgrade(undefined, 'SPDY/3.1'), ...bearer('maker-token')], 'POST'), path).toBe(101)
      expect(await codeOf(path, [...upgrade('v4.channel.k8s.io'), ...bearer('runner-token')]), path).toBe(101)
    }
  })

  it('at a log reads it, and takes no protocol that the language has a word for', async () => {
    expect(await codeOf(`${pod}/log`, [...upgrade(), ...bearer('looker-token')])).toBe(101)
    for (const protocol of ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'v4.channel.k8s.io']) {
      expect(await codeOf(`${pod}/log`, [...upgrade(protocol), ...bearer('looker-token')]), protocol).toBe(403)
    }
    expect(await codeOf(`${pod}/log`, [...upgrade(), ...bearer('mallory-token')])).toBe(403)
    // Nor is it read by a right to anything else of it.
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) expect((await attempt(cluster, `${pod}/log`, { method, cert: cluster.pki.admin, headers: upgrade() })).code, method).not.toBe(101)
  })
})

describe('an upgrade', () => {
  it('of what is not taken over is a request like any other', async () => {
    const { admin } = cluster.pki
    for (const [path, code] of [['/api/v1/namespaces/default/configmaps', 200], ['/version', 200], ['/api/v1/namespaces/default/pods/p', 200], ['/nowhere', 404], ['/api/v1/namespaces/default/pods/p/status', 200], ['/openapi/v2', 200]] as const) {
      for (const to of ['websocket', 'SPDY/3.1', 'h2c', 'TLS/1.0, HTTP/1.1']) expect((await attempt(cluster, path, { cert: admin, headers: upgrade(undefined, to) })).code, `${path} ${to}`).toBe(code)
    }
    // Nor is one taken over for somebody whose connection does not say so.
    expect((await attempt(cluster, streams[0] as string, { cert: admin, headers: ['upgrade', 'websocket', 'sec-websocket-version', '13', 'sec-websocket-key', 'x3JJHMbDL1EzLkh9GBhXDw=='] })).code).toBe(400)
  })

  it('that the node refuses takes no second request along', async () => {
    accepts = false
    const second = head('GET', '/pods', 'x-second: yes')
    for (const extra of [[], ['content-length: 5'], ['transfer-encoding: chunked'], ['content-length: 0', 'transfer-encoding: chunked'], ['expect: 100-continue']]) {
      for (const method of ['GET', 'POST']) {
        const answer = await raw(head(method, `${pod}/exec?command=id&stdout=1`, 'connection: Upgrade', 'upgrade: SPDY/3.1', 'authorization: Bearer runner-token', ...extra) + second + second)
        expect(answer, `${method} ${extra.join()}`).not.toMatch(/^HTTP\/1\.1 (?:2|101)/)
      }
    }
    expect(asked.filter(({ url }) => !url.startsWith('/exec/'))).toEqual([])
    expect(asked.filter(({ headers }) => 'x-second' in headers)).toEqual([])
  })

  it('that is refused here ends its connection: what was sent after it is not read', async () => {
    const answer = await raw(head('GET', streams[0] as string, 'connection: Upgrade', 'upgrade: websocket', 'authorization: Bearer mallory-token') + head('GET', '/version'))
    expect(answer).toMatch(/^HTTP\/1\.1 403 /)
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1)
    expect(asked).toEqual([])
  })

  it('in the hundreds holds up nobody, and leaves nothing when its callers are gone', async () => {
    const { hostname, port } = new URL(cluster.url)
    const callers = await Promise.all(Array.from({ length: 300 }, () => new Promise<TLSSocket>((resolve) => {
      const socket = connect({ host: hostname, port: Number(port), ca: cluster.pki.ca.cert, ALPNProtocols: ['http/1.1'] }, () => socket.write(head('POST', streams[0] as string, 'connection: Upgrade', 'upgrade: SPDY/3.1', 'authorization: Bearer runner-token')))
      socket.on('error', () => undefined)
      socket.once('data', () => resolve(socket))
    })))
    expect(open.size).toBe(300)
    expect((await attempt(cluster, '/version')).code).toBe(200)
    for (const socket of callers) socket.destroy()
    await expect.poll(() => open.size, { timeout: 10_000 }).toBe(0)
  }, 60_000)

  it('whose caller does not read is not read for: the node waits', async () => {
    const { hostname, port } = new URL(cluster.url)
    const socket = connect({ host: hostname, port: Number(port), ca: cluster.pki.ca.cert, ALPNProtocols: ['http/1.1'] })
    socket.on('error', () => undefined)
    await new Promise((resolve) => socket.once('secureConnect', resolve))
    socket.write(head('POST', streams[0] as string, 'connection: Upgrade', 'upgrade: SPDY/3.1', 'authorization: Bearer runner-token'))
    await new Promise((resolve) => socket.once('data', resolve))
    socket.pause()
    let sent = 0
    for (let i = 0; i < 96; i++) socket.write(Buffer.alloc(1024 * 1024), (error) => { if (!error) sent++ })
    let before = -1
    let since = 0
    await expect.poll(() => {
      if (sent !== before) since = performance.now()
      before = sent
      return performance.now() - since > 2000
    }, { interval: 100, timeout: 20_000 }).toBe(true)
    expect(sent).toBeLessThan(64)
    expect((await attempt(cluster, '/version')).code).toBe(200)
    socket.destroy()
  }, 30_000)
})

describe('a watch over a WebSocket', () => {
  const path = '/api/v1/namespaces/default/configmaps?watch=true'
  const opening = (...more: string[]) => head('GET', path, 'connection: Upgrade', 'upgrade: websocket', 'sec-websocket-version: 13', 'sec-websocket-key: x3JJHMbDL1EzLkh9GBhXDw==', ...more)

  it('is for those who may watch', async () => {
    expect(await codeOf(path, upgrade())).toBe(403)
    expect(await codeOf(path, [...upgrade(), ...bearer('mallory-token')])).toBe(403)
    expect(await codeOf(path, upgrade(`${asProtocol('mallory-token')}, x`))).toBe(403)
    expect(await codeOf(path, upgrade(`${asProtocol('watcher-token')}, x`))).toBe(101)
    expect(await codeOf(path.replace('configmaps', 'secrets'), [...upgrade(), ...bearer('watcher-token')])).toBe(403)
    // The token is never chosen as the protocol, and is not said again.
    const { headers } = await attempt(cluster, path, { headers: upgrade(`${asProtocol('watcher-token')}, x`) })
    expect(headers['sec-websocket-protocol']).toBe('x')
  })

  it.each<[string, Buffer]>([
    ['without a mask', Buffer.from([0x82, 1, 0])],
    ['with bits that mean nothing here', Buffer.from([0xf2, 0x81, 0, 0, 0, 0, 0])],
    ['of a kind that there is not', Buffer.from([0x8b, 0x80, 0, 0, 0, 0])],
    ['longer than anything', Buffer.from([0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])],
    ['larger than anybody needs', Buffer.concat([Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0]), Buffer.alloc(128 * 1024)])],
    ['of control in pieces', Buffer.from([0x09, 0x80, 0, 0, 0, 0])],
  ])('is ended by a frame %s, and others watch on', async (_, frame) => {
    let ended = false
    const answer = await raw(opening('authorization: Bearer watcher-token'), (socket) => {
      socket.once('data', () => socket.write(frame))
      socket.once('close', () => (ended = true))
    })
    expect(answer).toMatch(/^HTTP\/1\.1 101 /)
    expect(ended).toBe(true)
    expect((await attempt(cluster, '/version')).code).toBe(200)
  })
})

describe('the page of another site', () => {
  const evil = ['origin', 'https://evil.example', 'referer', 'https://evil.example/']

  it('is told nothing that a browser would show it, and no preflight is answered', async () => {
    const cert = await issue(cluster.pki.ca, { name: 'somebody', groups: ['system:masters'] })
    for (const path of ['/version', '/api/v1/namespaces/default/secrets', `${pod}/log`, '/openapi/v2', '/nowhere']) {
      const answer = await attempt(cluster, path, { cert, headers: evil })
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control-')), path).toEqual([])
      const preflight = await attempt(cluster, path, { method: 'OPTIONS', headers: [...evil, 'access-control-request-method', 'POST', 'access-control-request-headers', 'authorization'] })
      expect(preflight.code, path).toBeGreaterThanOrEqual(400)
      expect(Object.keys(preflight.headers).filter((name) => name.startsWith('access-control-')), path).toEqual([])
    }
  })

  it('writes nothing by a form: what a browser sends without asking first is no body that is read', async () => {
    const cert = await issue(cluster.pki.ca, { name: 'somebody', groups: ['system:masters'] })
    const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'forged' } })
    for (const contentType of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      expect((await attempt(cluster, '/api/v1/namespaces/default/configmaps', { cert, headers: evil, body, contentType })).code, contentType).toBe(415)
    }
    expect((await attempt(cluster, '/api/v1/namespaces/default/configmaps/forged', { cert })).code).toBe(404)
  })
})

it('no token of any of these is in what was written down', async () => {
  const { readFileSync } = await import('node:fs')
  const audit = readFileSync(join(dir, 'audit.log'), 'utf8')
  expect(audit).toContain('"subresource":"exec"')
  for (const token of ['runner-token', 'mallory-token', 'looker-token']) for (const text of [token, Buffer.from(token).toString('base64url')]) expect(audit).not.toContain(text)

})
