import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { core } from '../../api/index.ts'
import { startTestServer, type TestServer } from '../testing.ts'

let started: TestServer | undefined
const sockets: WebSocket[] = []
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate()
  await started?.server.close()
})

const path = '/api/v1/namespaces/default/configmaps'
async function start(): Promise<TestServer> {
  const server = await startTestServer()
  await server.server.listen()
  return server
}
interface Told { readonly type: string; readonly object: { readonly kind: string; readonly metadata: { readonly name: string } } }

/** Opens a watch; messages come one after the other from `next`. */
function watch(query: string, headers: Record<string, string> = {}, protocols: string[] = []) {
  const socket = new WebSocket(`${started!.server.url.replace(/^http/, 'ws')}${path}?watch=true&${query}`, protocols, { headers })
  sockets.push(socket)
  // One that is refused, or ended before it began, says so by its other events.
  socket.on('error', () => undefined)
  const told: { data: Buffer; binary: boolean }[] = []
  let wake = () => {}
  socket.on('message', (data: Buffer, binary) => {
    told.push({ data, binary })
    wake()
  })
  const next = async () => {
    while (told.length === 0) await new Promise<void>((resolve) => (wake = resolve))
    return told.shift()!
  }
  return {
    socket,
    next,
    event: async () => JSON.parse((await next()).data.toString()) as Told,
    closed: new Promise<number>((resolve) => socket.once('close', resolve)),
    refused: new Promise<number>((resolve) => socket.once('unexpected-response', (_, response) => resolve(response.statusCode ?? 0))),
  }
}
const map = (name: string) => ({ metadata: { name, namespace: 'default' } })

describe('a watch over a WebSocket', () => {
  it('tells what is there and what comes, one message each', async () => {
    started = await start()
    await started.client.create(core.configmaps, map('first'))
    const { event, socket } = watch('')
    expect(await event()).toMatchObject({ type: 'ADDED', object: { kind: 'ConfigMap', metadata: { name: 'first' } } })
    await started.client.create(core.configmaps, map('second'))
    expect(await event()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'second' } } })
    await started.client.delete(core.configmaps, 'first', { namespace: 'default' })
    expect(await event()).toMatchObject({ type: 'DELETED', object: { metadata: { name: 'first' } } })
    socket.close()
  })

  it('speaks protobuf to those who ask for it, without the lengths of a stream', async () => {
    started = await start()
    await started.client.create(core.configmaps, map('first'))
    const { data, binary } = await watch('', { accept: 'application/vnd.kubernetes.protobuf;stream=watch' }).next()
    expect([binary, data[0], data.subarray(2, 7).toString()]).toEqual([true, 0x0a, 'ADDED'])
  })

  it('ends after timeoutSeconds, and when the server closes', async () => {
    started = await start()
    expect(await watch('timeoutSeconds=1').closed).toBe(1000)
    const endless = watch('')
    await new Promise((resolve) => endless.socket.once('open', resolve))
    await started.server.close()
    expect(await endless.closed).toBe(1000)
    started = undefined
  })

  it('chooses a protocol that is not the token of the client', async () => {
    started = await start()
    const { socket } = watch('', {}, ['base64url.bearer.authorization.k8s.io.c2VjcmV0', 'base64.binary.k8s.io'])
    await new Promise((resolve) => socket.once('open', resolve))
    expect(socket.protocol).toBe('base64.binary.k8s.io')
  })

  it('is refused before it begins when the request makes no sense', async () => {
    started = await start()
    expect(await watch('labelSelector=!!').refused).toBe(400)
    expect(await watch('resourceVersion=x').refused).toBe(400)
  })

  it('says of a revision that is gone what an ordinary watch says', async () => {
    started = await start()
    for (let i = 0; i < 5; i++) await started.client.create(core.configmaps, map(`m${i}`))
    const late = watch('resourceVersion=999999')
    expect(await late.event()).toMatchObject({ type: 'ERROR', object: { kind: 'Status' } })
    expect(await late.closed).toBe(1000)
  })
})
