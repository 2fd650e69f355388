/** What a host can have wrong with it: each gets one line that says what and how to mend it, and nothing is half-done. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { prepareCluster, root } from '../support/cluster.ts'
import type { TestCluster } from '../support/cluster.ts'
import { run } from '../support/host.ts'

const skiff = (...args: string[]) => run(join(root, 'skiff'), args)

describe('the command line', () => {
  it.each([
    [['up', '--name', 'Bad_Name'], /^skiff: "Bad_Name" cannot be a cluster's name: use lower-case letters, digits and "-", at most 40\n$/],
    [['up', '--port', '70000'], /a port is a number from 1 to 65535/],
    [['frobnicate'], /unknown command 'frobnicate'/],
    [['up', '--log-level', 'loud'], /argument 'loud' is invalid: allowed choices are debug, info, warn, error; run "skiff up --help"\n$/],
    [['agent', '--kubeconfig', '/nowhere', '--port', '7000'], /unknown option '--port'/],
    [['kubeconfig', '--bootstrap', '--for-node', 'n'], /cannot be used with option/],
    [['down', '--name', 'not-there', '--data-dir', '/proc/self', '--port', '7000'], /there is no cluster "not-there"/],
    [['status', '--name', 'not-there'], /^skiff: there is no cluster "not-there" in \/var\/lib\/skiff\/not-there; create it with "skiff up"\n$/],
    [['kubeconfig', '--name', 'not-there'], /there is no cluster "not-there"/],
    [['image', 'build', '-t', 'x', '/nowhere', '--name', 'not-there'], /\/nowhere is not a directory/],
    [['image', 'import', '/nowhere.tar', '--name', 'not-there'], /there is no \/nowhere\.tar; give the path of an archive/],
    [['agent', '--kubeconfig', '/nowhere'], /there is no \/nowhere; make one with "skiff kubeconfig --for-node"/],
  ])('%j', async (args, message) => {
    const finished = await skiff(...args)
    expect(finished.code).toBe(1)
    expect(finished.stderr).toMatch(message)
    expect(finished.stderr).not.toContain('    at ')
  })

  it('down where there is no cluster says so, and is no error', async () => {
    const finished = await skiff('down', '--name', 'not-there')
    expect(finished).toMatchObject({ code: 0, stdout: 'there is no cluster "not-there" here\n' })
  })
})

describe('a host with something wrong', () => {
  let cluster: TestCluster
  beforeEach(() => void (cluster = prepareCluster('badhost')))
  afterEach(() => cluster.destroy())
  const oneLine = (text: string) => expect(text.trim().split('\n')).toHaveLength(1)

  it('a port in use', async () => {
    const taken = await new Promise<import('node:net').Server>((resolve) => {
      const server = createServer().listen(0, () => resolve(server))
    })
    const { port } = taken.address() as { port: number }
    const dir = mkdtempSync(join(tmpdir(), 'skiff-taken-'))
    const up = await skiff('up', '--name', 'taken', '--data-dir', dir, '--no-merge', '--port', String(port))
    taken.close()
    expect(up).toMatchObject({ code: 1, stderr: `skiff: port ${port} is in use; stop what listens there, or choose another with --port\n` })
    expect(readdirSync(dir)).toEqual([])
    rmSync(dir, { recursive: true, force: true })
  })

  it('a flag that cannot be followed is not remembered', async () => {
    const policy = join(cluster.dataDir, 'policy.yaml')
    writeFileSync(policy, 'kind: Wrong\n')
    const up = await cluster.up('--kube-apiserver-arg', `audit-policy-file=${policy}`, '--kube-apiserver-arg', `audit-log-path=${cluster.dataDir}/audit.log`)
    expect(up).toMatchObject({ code: 1, stderr: expect.stringContaining(`audit-policy-file: ${policy}: `) as string })
    expect(JSON.parse(readFileSync(join(cluster.dataDir, 'cluster.json'), 'utf8'))).not.toHaveProperty('apiServerArguments')
  })

  it('a data directory that is a file', async () => {
    const file = join(cluster.dataDir, 'file')
    writeFileSync(file, '')
    const up = await cluster.host.run(join(root, 'skiff'), ['up', '--name', cluster.name, '--data-dir', file, '--no-merge'])
    expect(up.code).toBe(1)
    oneLine(up.stderr)
    expect(up.stderr).toMatch(/not a directory.*choose another place with --data-dir/)
  })

  it('a read-only data directory', async () => {
    const place = join(cluster.dataDir, 'readonly')
    mkdirSync(place)
    await run('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', place])
    try {
      const up = await cluster.host.run(join(root, 'skiff'), ['up', '--name', cluster.name, '--data-dir', join(place, 'data'), '--no-merge'])
      expect(up.code).toBe(1)
      oneLine(up.stderr)
      expect(up.stderr).toMatch(/read-only file system.*--data-dir/i)
    } finally {
      await run('umount', [place])
    }
  })

  it('a containerd that is not there, when told to use it', async () => {
    const up = await cluster.up('--container-runtime-endpoint', '/run/nowhere.sock')
    expect(up.code).toBe(1)
    oneLine(up.stderr)
    expect(up.stderr).toContain('no container runtime answers at /run/nowhere.sock')
  })

  it('a damaged store is refused, not repaired by guessing; a key that others can read too', async () => {
    expect((await cluster.up()).code).toBe(0)
    expect((await cluster.skiff('down')).code).toBe(0)
    chmodSync(join(cluster.dataDir, 'pki/ca.key'), 0o644)
    const readable = await cluster.up()
    expect(readable.code).toBe(1)
    expect(readable.stderr).toMatch(/ca\.key can be read by others \(mode 644\); run "chmod go= /)
    chmodSync(join(cluster.dataDir, 'pki/ca.key'), 0o600)
    const data = readdirSync(join(cluster.dataDir, 'store')).find((name) => name.endsWith('.mdb') && !name.includes('lock')) as string
    truncateSync(join(cluster.dataDir, 'store', data), 5000)
    const damaged = await cluster.up()
    expect(damaged.code).toBe(1)
    oneLine(damaged.stderr)
    expect(damaged.stderr).toMatch(/^skiff: cannot open the store: .*store/)
    expect(existsSync(join(cluster.dataDir, 'store', data))).toBe(true)
  })

  it('an image that does not build leaves nothing behind', async () => {
    expect((await cluster.up()).code).toBe(0)
    const builds = () => readdirSync(tmpdir()).filter((name) => name.startsWith('skiff-build-'))
    const before = builds()
    const context = mkdtempSync(join(tmpdir(), 'skiff-context-'))
    const build = (dockerfile: string) => {
      writeFileSync(join(context, 'Dockerfile'), dockerfile)
      return cluster.skiff('image', 'build', '-t', 'x:1', context)
    }
    const fails = async (dockerfile: string, message: RegExp) => {
      const finished = await build(dockerfile)
      expect(finished.code).toBe(1)
      expect(finished.stderr).toMatch(message)
    }
    await fails('FROM nowhere:1\n', /line 1: FROM nowhere:1: the cluster has no such image; bring it with "skiff image import"/)
    await fails('FROM busybox\nRUN exit 3\n', /line 2: .*ended with exit code 3/)
    await fails('FROM scratch\nCOPY ../../etc/passwd /\n', /line 2: .*lies outside the build context/)
    await fails('FROM scratch\nCOPY missing /\n', /line 2: missing is not in the build context/)
    await fails('FORM scratch\n', /line 1: FORM is not supported/)
    rmSync(context, { recursive: true, force: true })
    expect((await cluster.skiff('image', 'list')).stdout).not.toContain('x:1')
    expect(builds()).toEqual(before)
  })
})
