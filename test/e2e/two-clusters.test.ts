/** Two clusters on one host do not get into each other's way. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildExample, root, startCluster } from '../support/cluster.ts'
import type { TestCluster } from '../support/cluster.ts'
import type { Finished } from '../support/host.ts'

let first: TestCluster
const second = `skiff-second-${process.pid}`
const dataDir = mkdtempSync(join(tmpdir(), 'skiff-second-'))
const onSecond = (command: string, ...args: string[]): Promise<Finished> =>
  first.host.run(join(root, 'skiff'), [command, '--name', second, '--data-dir', dataDir, ...args])
const kubectl = (...args: string[]) => first.host.run('kubectl', args, { env: { KUBECONFIG: join(dataDir, 'kubeconfig') } })

beforeAll(async () => void (first = await startCluster('first')))
afterAll(async () => {
  await onSecond('down', '--purge')
  rmSync(dataDir, { recursive: true, force: true })
  await first?.destroy()
})

describe('a second cluster on the host', () => {
  it('boots beside the first, with ports and networks of its own', async () => {
    const up = await onSecond('up', '--yes', '--no-merge', '--node-ip', first.host.address)
    expect(up.stderr).toBe('')
    expect(up.code).toBe(0)
    const read = (dir: string) => JSON.parse(readFileSync(join(dir, 'cluster.json'), 'utf8'))
    const [a, b] = [read(first.dataDir), read(dataDir)]
    for (const key of ['port', 'kubeletPort', 'clusterCidr', 'serviceCidr']) expect(a[key], key).not.toBe(b[key])
  })

  it('refuses a port that is taken', async () => {
    const { port } = JSON.parse(readFileSync(join(first.dataDir, 'cluster.json'), 'utf8'))
    const other = mkdtempSync(join(tmpdir(), 'skiff-third-'))
    const up = await first.host.run(join(root, 'skiff'), ['up', '--name', 'third', '--data-dir', other, '--no-merge', '--port', String(port)])
    expect(up.code).toBe(1)
    expect(up.stderr).toBe(`skiff: port ${port} is in use; stop what listens there, or choose another with --port\n`)
    rmSync(other, { recursive: true, force: true })
  })

  it('runs pods of its own, which the first knows nothing of', async () => {
    await buildExample({ ...first, name: second, dataDir }, 'hello:1.0', 'examples/hello')
    const run = await kubectl('run', 'alone', '--image=hello:1.0')
    expect(run.code).toBe(0)
    const ready = await kubectl('wait', '--for=condition=Ready', 'pod/alone', '--timeout=60s')
    expect(ready.stderr).toBe('')
    expect((await first.kubectl('get', 'pods', '-A', '-o', 'name')).trim()).toBe('')
  })

  it('goes down without disturbing the first', async () => {
    expect((await onSecond('down')).code).toBe(0)
    expect((await first.skiff('status')).code).toBe(0)
    expect((await first.kubectl('get', 'nodes', '--no-headers'))).toMatch(/\sReady\s/)
  })
})
