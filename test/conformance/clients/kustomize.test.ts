/** kustomize, and the newest kubectl's own: what they build is applied, compared and taken away. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestControlPlane } from '../../support/control-plane.ts'
import type { TestControlPlane } from '../../support/control-plane.ts'
import { genuine } from '../../support/genuine.ts'
import { run } from '../../support/host.ts'

const clients = await genuine()

const base = {
  'kustomization.yaml': 'resources: [shop.yaml]\nconfigMapGenerator: [{name: settings, literals: [tea=green]}]\nsecretGenerator: [{name: hidden, literals: [word=open]}]\n',
  'shop.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: c, image: shop, envFrom: [{configMapRef: {name: settings}}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{port: 80}]}
`,
}
const overlay = {
  'kustomization.yaml': `namespace: tea
namePrefix: dev-
resources: [../base]
labels: [{pairs: {team: leaves}, includeSelectors: true}]
images: [{name: shop, newName: example.com/shop, newTag: '2'}]
replicas: [{name: shop, count: 0}]
patches: [{target: {kind: Deployment}, patch: '[{"op":"add","path":"/spec/template/spec/containers/0/resources","value":{"limits":{"cpu":"1"}}}]'}]
`,
}

describe.skipIf(clients === undefined)('kustomize', () => {
  const directory = mkdtempSync(join(tmpdir(), 'skiff-kustomize-'))
  const built = join(directory, 'overlay')
  let cluster: TestControlPlane
  beforeAll(async () => {
    for (const [folder, files] of Object.entries({ base, overlay })) {
      mkdirSync(join(directory, folder))
      for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, folder, name), text)
    }
    cluster = await startTestControlPlane({ kubectl: clients!.kubectl })
    await cluster.kubectl('create', 'namespace', 'tea')
  })
  afterAll(async () => {
    await cluster?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  it('builds what is applied, again without a change', async () => {
    const { code, stdout, stderr } = await run(clients!.kustomize, ['build', built])
    expect([code, stderr]).toEqual([0, ''])
    expect((await cluster.apply(stdout)).replaceAll(/-[a-z0-9]{10} /g, '-HASH ').trim().split('\n').toSorted()).toEqual([
      'configmap/dev-settings-HASH created', 'deployment.apps/dev-shop created', 'secret/dev-hidden-HASH created', 'service/dev-shop created',
    ])
    expect(await cluster.kubectl('diff', '-k', built)).toBe('')
    expect(await cluster.kubectl('apply', '-k', built)).not.toMatch(/created|configured/)
    const { metadata, spec } = JSON.parse(await cluster.kubectl('get', 'deployment', 'dev-shop', '-n', 'tea', '-o', 'json'))
    expect(metadata.labels).toEqual({ team: 'leaves' })
    expect(spec).toMatchObject({ replicas: 0, selector: { matchLabels: { app: 'shop', team: 'leaves' } } })
    expect(spec.template.spec.containers[0]).toMatchObject({ image: 'example.com/shop:2', resources: { limits: { cpu: '1' } }, envFrom: [{ configMapRef: { name: expect.stringMatching(/^dev-settings-/) } }] })
  })

  it('is applied on the server, and taken away', async () => {
    expect(await cluster.kubectl('apply', '-k', built, '--server-side')).toContain('deployment.apps/dev-shop serverside-applied')
    expect(await cluster.kubectl('delete', '-k', built)).toContain('deployment.apps "dev-shop" deleted from tea namespace')
    expect((await cluster.tryKubectl(['get', '-k', built])).stderr).toContain('NotFound')
  })
})
