/** Images without a registry: built from Dockerfiles, imported from archives, listed, run. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCluster } from '../support/cluster.ts'
import type { TestCluster } from '../support/cluster.ts'
import { run } from '../support/host.ts'

let cluster: TestCluster
const dir = mkdtempSync(join(tmpdir(), 'skiff-images-'))
beforeAll(async () => void (cluster = await startCluster('images')))
afterAll(async () => {
  rmSync(dir, { recursive: true, force: true })
  await cluster?.destroy()
})

function context(files: Record<string, string>): string {
  const place = mkdtempSync(join(dir, 'context-'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(place, name, '..'), { recursive: true })
    writeFileSync(join(place, name), text)
  }
  return place
}
const build = (tag: string, place: string, ...more: string[]) => cluster.skiff('image', 'build', '-t', tag, place, ...more)

/** What a pod made from the image prints, run to its end. */
async function output(image: string, ...command: string[]): Promise<string> {
  const name = `run-${image.replaceAll(/[^a-z0-9]/g, '-')}-${Math.floor(performance.now())}`
  await cluster.kubectl('run', name, `--image=${image}`, '--restart=Never', ...(command.length > 0 ? ['--command', '--', ...command] : []))
  await cluster.kubectl('wait', '--for=jsonpath={.status.phase}=Succeeded', `pod/${name}`, '--timeout=30s')
  const text = await cluster.kubectl('logs', name)
  await cluster.kubectl('delete', 'pod', name)
  return text
}

describe('skiff image build', () => {
  it('understands stages, arguments, environment, working directory, user and ignored files', async () => {
    const place = context({
      Dockerfile: `
ARG GREETING=unset
FROM busybox AS base
ARG GREETING
ENV WHO="the  harbour" FROM_ARG=\${GREETING}
WORKDIR /srv/app
RUN echo "built: $GREETING" > made && mkdir -p /out && cp made /out/
FROM base
COPY --from=base /out/made ./copied
COPY . ./all/
COPY --chmod=755 run.sh /usr/bin/
USER 1000:1000
LABEL org.example.a=1
ENTRYPOINT ["run.sh"]
CMD ["first", "second"]
`,
      'run.sh': '#!/bin/sh\necho "$@"; echo "$WHO"; echo "$FROM_ARG"; cat copied; pwd; id -u; ls all\n',
      '.dockerignore': 'secret\n',
      secret: 'no',
      'sub/file': 'x',
    })
    const built = await build('stages:1', place, '--build-arg', 'GREETING=ahoy')
    expect(built.stderr).toBe('')
    expect(built.stdout).toContain('built docker.io/library/stages:1')
    expect((await output('stages:1')).trim().split('\n')).toEqual(['first second', 'the  harbour', 'ahoy', 'built: ahoy', '/srv/app', '1000', 'Dockerfile', 'run.sh', 'sub'])
  })

  it('starts from an image the cluster has', async () => {
    const place = context({ Dockerfile: 'FROM stages:1\nUSER 0\nENTRYPOINT []\nCMD ["cat", "/srv/app/copied"]\n' })
    expect((await build('on-top:1', place)).code).toBe(0)
    expect(await output('on-top:1')).toBe('built: ahoy\n')
  })
})

describe('skiff image import and list', () => {
  it('brings an archive of another tool in, under its name', async () => {
    const archive = join(dir, 'archive.tar')
    const socket = `/run/skiff/${cluster.name}/containerd/containerd.sock`
    const ctr = (...args: string[]) => run('ctr', ['-a', socket, '-n', 'k8s.io', ...args])
    expect((await ctr('images', 'export', archive, 'docker.io/library/on-top:1')).code).toBe(0)
    expect((await ctr('images', 'remove', '--sync', 'docker.io/library/on-top:1')).code).toBe(0)
    expect((await cluster.skiff('image', 'list')).stdout).not.toContain('on-top:1')
    const imported = await cluster.skiff('image', 'import', archive)
    expect(imported).toMatchObject({ code: 0, stdout: 'imported docker.io/library/on-top:1\n' })
    expect((await cluster.skiff('image', 'list')).stdout).toMatch(/^docker\.io\/library\/on-top:1 +sha256:[0-9a-f]{12} +[\d.]+ MiB$/m)
    expect(await output('on-top:1')).toBe('built: ahoy\n')
  })

  it('refuses what is no archive', async () => {
    const file = join(dir, 'text.tar')
    writeFileSync(file, 'this is no archive')
    const imported = await cluster.skiff('image', 'import', file)
    expect(imported.code).toBe(1)
    expect(imported.stderr.trim().split('\n')).toHaveLength(1)
  })
})

describe('the rest of the command line', () => {
  it('says where the kubeconfig is, prints it, prints versions and the log', async () => {
    expect((await cluster.skiff('kubeconfig', '--path')).stdout.trim()).toBe(cluster.kubeconfig)
    expect((await cluster.skiff('kubeconfig')).stdout).toContain('current-context:')
    expect((await cluster.skiff('logs', '--tail', '50')).stdout).toContain('the cluster is up')
    expect((await run(`${import.meta.dirname}/../../skiff`, ['version'])).stdout).toBe('skiff 0.1.0\nKubernetes v1.36.0\n')
    expect((await cluster.skiff('version')).stdout).toBe(`skiff 0.1.0\nKubernetes v1.36.0\ncluster ${cluster.name}: v1.36.0+skiff.0.1.0\n`)
    const status = JSON.parse((await cluster.skiff('status', '-o', 'json')).stdout)
    expect(status).toMatchObject({ state: 'up', nodes: [{ ready: true, address: cluster.host.address }] })
  })
})
