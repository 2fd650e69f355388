/** The classic first application: Flask, kustomize overlays, a ConfigMap and a Secret. The image is made from Debian's packages. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildExample, root, startCluster } from '../support/cluster.ts'
import type { TestCluster } from '../support/cluster.ts'
import { eventually } from '../support/host.ts'

const overlay = (name: string) => `${root}/examples/flask/k8s/overlays/${name}`
let cluster: TestCluster

beforeAll(async () => {
  cluster = await startCluster('flask')
  await buildExample(cluster, 'flask-hello:1.0', 'examples/flask')
}, 400_000)
afterAll(() => cluster?.destroy())

describe('the Flask example', () => {
  it('runs one replica in dev', async () => {
    await cluster.kubectl('apply', '-k', overlay('dev'))
    await cluster.kubectl('rollout', 'status', 'deployment/flask-deployment', '--timeout=60s')
    expect(await cluster.kubectl('get', 'deploy', 'flask-deployment', '-o', 'jsonpath={.status.readyReplicas}')).toBe('1')
  })

  it('runs three in prod, with its settings in the environment', async () => {
    await cluster.kubectl('apply', '-k', overlay('prod'))
    await cluster.kubectl('rollout', 'status', 'deployment/flask-deployment', '--timeout=60s')
    await cluster.kubectl('wait', '--for=condition=Ready', 'pod', '-l', 'app=flask-app', '--timeout=30s')
    const env = await cluster.kubectl('exec', 'deploy/flask-deployment', '--', 'env')
    expect(env).toMatch(/^FLASK_ENV=production$/m)
    expect(env).toMatch(/^SECRET_KEY=change-me$/m)
  })

  it('says hello on the node port, from all three', async () => {
    const ask = async (path: string) => (await cluster.host.run('curl', ['-sS', '--max-time', '5', `http://${cluster.host.address}:30080${path}`])).stdout
    expect(await ask('/')).toBe('Hello World from Kubernetes!\n')
    const answered = new Set<string>()
    await eventually('an answer of every pod', async () => {
      answered.add(await ask('/pod'))
      return answered.size === 3 ? true : undefined
    })
  })

  it('brings pods and replica sets back that are deleted by their label', async () => {
    const deleted = await cluster.kubectl('delete', 'all', '-l', 'app=flask-app', '--wait=false')
    expect(deleted).toContain('replicaset.apps "flask-deployment-')
    await cluster.kubectl('rollout', 'status', 'deployment/flask-deployment', '--timeout=60s')
    await eventually('three ready', async () => ((await cluster.kubectl('get', 'deploy', 'flask-deployment', '-o', 'jsonpath={.status.readyReplicas}')) === '3' ? true : undefined), 60_000)
  })

  it('goes away with its overlay', async () => {
    await cluster.kubectl('delete', '-k', overlay('prod'), '--timeout=60s')
    await eventually('no pods', async () => ((await cluster.kubectl('get', 'pods', '-l', 'app=flask-app', '-o', 'name')).trim() === '' ? true : undefined), 60_000)
  })
})
