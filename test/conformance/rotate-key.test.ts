/** `skiff secrets rotate-key`, as people call it: for a control plane that runs, that was killed, and that is not theirs to rotate. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { freePort } from '../support/control-plane.ts'
import { run } from '../support/host.ts'
import { killHard } from '../support/killed.ts'

const directory = mkdtempSync(join(tmpdir(), 'skiff-rotate-'))
const data = join(directory, 'data')
const name = `rotate-${process.pid}`
const program = join(import.meta.dirname, '../../src/cli/main.ts')
let child: ChildProcess | undefined

const skiff = (...args: string[]) => run(process.execPath, [program, ...args, '--name', name, '--data-dir', data], { timeoutMs: 60_000 })
const kubectl = (...args: string[]) => run('kubectl', ['--kubeconfig', join(data, 'kubeconfig'), ...args])
const keys = () => readdirSync(join(data, 'encryption')).filter((file) => file.startsWith('key'))

async function start(...args: string[]): Promise<string> {
  const starting = spawn(process.execPath, [program, 'server', '--no-node', '--name', name, '--data-dir', data, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  child = starting
  let said = ''
  return new Promise((resolve) => {
    for (const stream of [starting.stdout, starting.stderr]) stream.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.includes('the cluster is up')) resolve(said)
    })
    starting.once('close', () => resolve(said))
  })
}
async function kill(): Promise<void> {
  await killHard(child)
  child = undefined
}
afterAll(async () => {
  await kill()
  rmSync(directory, { recursive: true, force: true })
  rmSync(join('/run/skiff', name), { recursive: true, force: true })
})

it('encrypts every secret anew, whether the cluster is up or down', async () => {
  expect((await skiff('secrets', 'rotate-key')).stderr).toContain(`there is no cluster "${name}"`)
  const port = String(await freePort())
  expect(await start('--port', port)).toContain('the cluster is up')
  expect((await kubectl('create', 'secret', 'generic', 's', '--from-literal=password=hush-hush')).code).toBe(0)
  const [first] = keys()

  const up = await skiff('secrets', 'rotate-key')
  expect(up).toMatchObject({ code: 0, stderr: '' })
  expect(up.stdout).toMatch(/^1 secret is encrypted with key2-[0-9a-f]{6}\nthe old key is removed in a few minutes/)
  expect(keys()).toContain(first)

  await kill()
  const down = await skiff('secrets', 'rotate-key')
  expect(down).toMatchObject({ code: 0, stderr: '' })
  expect(down.stdout).toMatch(/^1 secret is encrypted with key3-[0-9a-f]{6}; the old key is gone\n$/)
  expect(keys()).toHaveLength(1)
  expect(keys()[0]).toMatch(/^key3-/)

  // A configuration that takes secrets over.
  const configuration = join(directory, 'encryption.json')
  writeFileSync(configuration, JSON.stringify({
    apiVersion: 'apiserver.config.k8s.io/v1', kind: 'EncryptionConfiguration',
    resources: [{ resources: ['secrets'], providers: [{ secretbox: { keys: [{ name: 'mine', secret: Buffer.alloc(32, 1).toString('base64') }] } }] }],
  }))
  expect(await start('--kube-apiserver-arg', `encryption-provider-config=${configuration}`)).toContain('the cluster is up')
  expect((await kubectl('get', 'secret', 's', '-o', 'jsonpath={.data.password}')).stdout).toBe(Buffer.from('hush-hush').toString('base64'))
  expect(await skiff('secrets', 'rotate-key')).toMatchObject({ code: 1, stderr: expect.stringContaining(`secrets are encrypted as ${configuration} says`) as string })
  expect(keys()).toHaveLength(1)
  await kill()
  for (const file of ['data.mdb', 'journal.0', 'journal.1']) {
    expect(readFileSync(join(data, 'store', file)).includes(Buffer.from('hush-hush').toString('base64')), file).toBe(false)
  }
})
