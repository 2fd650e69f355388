import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Server, ServerCredentials, status } from '@grpc/grpc-js'
import type { sendUnaryData } from '@grpc/grpc-js'
import { expect, it } from 'vitest'
import { quiet } from '../../machinery/log.ts'
import { renderContainerdConfig } from './containerd-config.ts'
import { startContainerd } from './containerd.ts'

const config = {
  rootDir: '/data/c', stateDir: '/run/c/state', socket: '/run/c/c.sock', sandboxImage: 'skiff.local/pause:1', cniConfDir: '/run/c/cni', cniBinDir: '/usr/lib/cni', snapshotter: 'overlayfs',
  cgroupDriver: 'cgroupfs', restrictOomScoreAdj: true, registryConfigDir: '/data/c/certs.d', logLevel: 'warn',
} as const
const options = { cluster: 'x', rootDir: '/nowhere', runDir: '/nowhere', cniConfDir: '/nowhere', cniBinDir: '/nowhere', log: quiet }

it('keeps everything that containerd writes under the directories it is given', () => {
  const text = renderContainerdConfig(config)
  const paths = [...text.matchAll(/"(\/[^"]*)"/g)].map((m) => m[1] as string)
  expect(paths.filter((p) => !p.startsWith('/data/c') && !p.startsWith('/run/c'))).toEqual(['/usr/lib/cni'])
  expect(text).toContain('restrict_oom_score_adj = true')
  expect(text).toContain('netns_mounts_under_state_dir = true')
  expect(text).toContain('stream_server_address = "127.0.0.1"')
})

it('refuses a run directory whose socket nobody could connect to', async () => {
  await expect(startContainerd({ ...options, runDir: `/tmp/${'x'.repeat(100)}` })).rejects.toThrow('too long for a unix socket')
})

it('says what is wrong with a socket that no runtime answers at', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'skiff-cri-'))
  const socket = join(directory, 'x.sock')
  await expect(startContainerd({ ...options, socket })).rejects.toThrow(`no container runtime answers at ${socket}`)
  const deaf = createServer((connection) => connection.destroy())
  await new Promise<void>((resolve) => { deaf.listen(socket, resolve) })
  await expect(startContainerd({ ...options, socket })).rejects.toThrow('no container runtime answers')
  deaf.close()
  await rm(directory, { recursive: true })
}, 15_000)

it('waits for a runtime that is still coming up, and not for one whose plugin is missing', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'skiff-cri-'))
  const socket = join(directory, 'x.sock')
  const bytes = (value: Buffer) => value
  const version = { path: '/runtime.v1.RuntimeService/Version', requestStream: false, responseStream: false, requestSerialize: bytes, requestDeserialize: bytes, responseSerialize: bytes, responseDeserialize: bytes }
  let asked = 0
  const server = new Server()
  server.addService({ version }, {
    version: (_call: unknown, answer: sendUnaryData<Buffer>) => (++asked < 4 ? answer({ code: status.UNKNOWN, details: 'server is not initialized yet' }) : answer(null, Buffer.alloc(0))),
  })
  await new Promise<void>((resolve, reject) => { server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve())) })
  expect(await startContainerd({ ...options, socket })).toMatchObject({ socket, pid: 0 })
  expect(asked).toBe(4)
  server.removeService({ version })
  await expect(startContainerd({ ...options, socket })).rejects.toThrow('no container runtime answers')
  server.forceShutdown()
  await rm(directory, { recursive: true })
}, 15_000)
