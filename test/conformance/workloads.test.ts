/** What kubectl users see of the controllers: rollouts, scaling, deletion, jobs, services, namespaces. The nodes only say that pods run. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { TestControlPlane } from '../support/control-plane.ts'
import { eventually } from '../support/host.ts'
import { pretendCluster } from '../support/pretend-cluster.ts'
import type { PretendNode } from '../support/pretend-node.ts'

let cluster: TestControlPlane
let node: PretendNode
const started = pretendCluster()
beforeAll(() => { ({ cluster, node } = started()) })

interface Listed { readonly items: { readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> }; readonly [part: string]: unknown }[] }
const kubectl = (...args: string[]) => cluster.kubectl(...args)
const list = async (...args: string[]) => (JSON.parse(await kubectl('get', '-o', 'json', ...args)) as Listed).items
const jsonpath = (path: string, ...args: string[]) => kubectl('get', ...args, '-o', `jsonpath=${path}`)
const template = (app: string, spec: object = {}) => ({ metadata: { labels: { app } }, spec: { containers: [{ name: 'c', image: 'web:1', ports: [{ name: 'http', containerPort: 8080 }] }], ...spec } })
const workload = (kind: string, app: string, spec: object) => ({ apiVersion: 'apps/v1', kind, metadata: { name: app, labels: { app } }, spec: { selector: { matchLabels: { app } }, template: template(app), ...spec } })
/** Until the check no longer throws. */
const soon = (check: () => Promise<void>) => eventually('what is expected', async () => { await check(); return true })
const rolledOut = (what: string) => kubectl('rollout', 'status', what, '--timeout=60s')

describe('a deployment', () => {
  it('is rolled out, changed, and rolled back to what it was', async () => {
    await cluster.apply(workload('Deployment', 'web', { replicas: 3 }))
    expect(await rolledOut('deployment/web')).toContain('successfully rolled out')
    await kubectl('set', 'image', 'deployment/web', 'c=web:2')
    await rolledOut('deployment/web')
    expect(await jsonpath('{.items[*].spec.containers[0].image}', 'pods', '-l', 'app=web', '--field-selector=status.phase=Running')).toBe('web:2 web:2 web:2')
    await kubectl('rollout', 'undo', 'deployment/web')
    await rolledOut('deployment/web')
    expect((await kubectl('rollout', 'history', 'deployment/web')).trim().split('\n').slice(2).map((row) => row.split(/\s+/)[0])).toEqual(['2', '3'])
    expect(await list('replicasets', '-l', 'app=web')).toHaveLength(2)
    expect(await kubectl('get', 'deployment', 'web', '--no-headers')).toMatch(/^web +3\/3 +3 +3 /)
  })

  it('keeps the old pods when the new ones never get ready', async () => {
    node.broken.add('web:broken')
    await kubectl('patch', 'deployment', 'web', '--type=merge', '-p', '{"spec":{"progressDeadlineSeconds":2}}')
    await kubectl('set', 'image', 'deployment/web', 'c=web:broken')
    const status = await cluster.tryKubectl(['rollout', 'status', 'deployment/web', '--timeout=60s'])
    expect(status.stderr).toContain('error: deployment "web" exceeded its progress deadline')
    expect(await jsonpath('{.status.availableReplicas}', 'deployment', 'web')).toBe('3')
    await kubectl('rollout', 'undo', 'deployment/web')
    await rolledOut('deployment/web')
  })

  it('scales, and makes again what someone deletes', async () => {
    await kubectl('scale', 'deployment/web', '--replicas=5')
    await rolledOut('deployment/web')
    const before = (await list('pods', '-l', 'app=web')).map((pod) => pod.metadata.name)
    expect(before).toHaveLength(5)
    await kubectl('delete', 'pod', '-l', 'app=web')
    await soon(async () => expect(await jsonpath('{.status.availableReplicas}', 'deployment', 'web')).toBe('5'))
    expect((await list('pods', '-l', 'app=web')).filter((pod) => before.includes(pod.metadata.name))).toEqual([])
  })

  it('tells of what it does', async () => {
    const text = await kubectl('describe', 'deployment', 'web')
    expect(text).toMatch(/Available +True +MinimumReplicasAvailable/)
    expect(text).toMatch(/Progressing +True +NewReplicaSetAvailable/)
    expect(text).toMatch(/Normal +ScalingReplicaSet .* deployment-controller +Scaled up replica set web-\w+ from 0 to 3/)
  })

  it('takes its replica sets and pods along when it is deleted, or leaves them', async () => {
    await kubectl('delete', 'deployment', 'web', '--cascade=foreground', '--timeout=60s')
    expect([...await list('replicasets', '-l', 'app=web'), ...await list('pods', '-l', 'app=web')]).toEqual([])
    await cluster.apply(workload('Deployment', 'orphans', { replicas: 2 }))
    await rolledOut('deployment/orphans')
    await kubectl('delete', 'deployment', 'orphans', '--cascade=orphan', '--timeout=60s')
    expect(await list('replicasets', '-l', 'app=orphans')).toHaveLength(1)
    await kubectl('delete', 'replicaset', '-l', 'app=orphans', '--timeout=60s')
    await soon(async () => expect(await list('pods', '-l', 'app=orphans')).toEqual([]))
  })
})

describe('a stateful set and a daemon set', () => {
  it('roll out and back, with their history', async () => {
    await cluster.apply(workload('StatefulSet', 'db', { replicas: 2, serviceName: 'db' }))
    await cluster.apply(workload('DaemonSet', 'agent', {}))
    for (const what of ['statefulset/db', 'daemonset/agent']) {
      await rolledOut(what)
      await kubectl('set', 'image', what, 'c=web:2')
      await rolledOut(what)
      await kubectl('rollout', 'undo', what)
      await rolledOut(what)
      expect((await kubectl('rollout', 'history', what)).trim().split('\n').slice(2).map((row) => row.split(/\s+/)[0])).toEqual(['2', '3'])
    }
    expect((await list('pods', '-l', 'app=db')).map((pod) => pod.metadata.name)).toEqual(['db-0', 'db-1'])
    expect(await list('pods', '-l', 'app=agent')).toHaveLength(1)
    await kubectl('delete', 'statefulset/db', 'daemonset/agent', '--timeout=60s')
  })
})

describe('jobs', () => {
  it('run to their end', async () => {
    await cluster.apply({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'sum' }, spec: { completions: 3, parallelism: 2, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } } } })
    await kubectl('wait', '--for=condition=complete', 'job/sum', '--timeout=60s')
    expect(await kubectl('get', 'job', 'sum', '--no-headers')).toMatch(/^sum +Complete +3\/3 /)
    await kubectl('delete', 'job', 'sum', '--timeout=60s')
    await soon(async () => expect(await list('pods', '-l', 'batch.kubernetes.io/job-name=sum')).toEqual([]))
  })

  it('come from cron jobs, also by hand', async () => {
    await cluster.apply({ apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'tick' }, spec: { schedule: '0 0 1 1 *', jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } } } } } })
    await kubectl('create', 'job', 'now', '--from=cronjob/tick')
    await kubectl('wait', '--for=condition=complete', 'job/now', '--timeout=60s')
    await kubectl('delete', 'cronjob', 'tick', '--timeout=60s')
    await soon(async () => expect(await list('jobs')).toEqual([]))
  })
})

describe('a service', () => {
  it('leads to its ready pods', async () => {
    await cluster.apply(workload('Deployment', 'shop', { replicas: 2 }))
    await kubectl('expose', 'deployment', 'shop', '--port=80', '--target-port=http')
    await rolledOut('deployment/shop')
    const ips = (await jsonpath('{.items[*].status.podIP}', 'pods', '-l', 'app=shop')).split(' ').sort()
    await soon(async () => expect((await jsonpath('{.subsets[*].addresses[*].ip}', 'endpoints', 'shop')).split(' ').sort()).toEqual(ips))
    await soon(async () => expect((await jsonpath('{.items[*].endpoints[?(@.conditions.ready==true)].addresses[0]}', 'endpointslices', '-l', 'kubernetes.io/service-name=shop')).split(' ').sort()).toEqual(ips))
    expect(await jsonpath('{.items[0].ports[0].port}', 'endpointslices', '-l', 'kubernetes.io/service-name=shop')).toBe('8080')
    await kubectl('delete', 'service', 'shop')
    await soon(async () => expect([...await list('endpoints', '--field-selector=metadata.name=shop'), ...await list('endpointslices', '-l', 'kubernetes.io/service-name=shop')]).toEqual([]))
  })
})

describe('a disruption budget', () => {
  it('holds up a drain', async () => {
    await cluster.apply({ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'shop' }, spec: { minAvailable: 2, selector: { matchLabels: { app: 'shop' } } } })
    await soon(async () => expect(await jsonpath('{.status.currentHealthy} {.status.disruptionsAllowed}', 'pdb', 'shop')).toBe('2 0'))
    const drain = await cluster.tryKubectl(['drain', 'node-1', '--ignore-daemonsets', '--timeout=3s'])
    expect(drain.stderr).toContain("Cannot evict pod as it would violate the pod's disruption budget.")
    await kubectl('delete', 'pdb', 'shop')
    await kubectl('drain', 'node-1', '--ignore-daemonsets', '--timeout=60s')
    expect(await kubectl('get', 'node', 'node-1', '--no-headers')).toContain('Ready,SchedulingDisabled')
    await kubectl('uncordon', 'node-1')
    await rolledOut('deployment/shop')
  })
})

describe('a namespace', () => {
  it('has its account and authority, and takes everything along when it goes', async () => {
    await kubectl('create', 'namespace', 'team')
    await soon(async () => expect(await kubectl('-n', 'team', 'get', 'serviceaccount/default', 'configmap/kube-root-ca.crt', '-o', 'name')).toBe('serviceaccount/default\nconfigmap/kube-root-ca.crt\n'))
    await kubectl('-n', 'team', 'create', 'deployment', 'x', '--image=web:1', '--replicas=2')
    await kubectl('-n', 'team', 'rollout', 'status', 'deployment/x', '--timeout=60s')
    await kubectl('delete', 'namespace', 'team', '--timeout=60s')
    expect((await cluster.tryKubectl(['get', 'namespace', 'team'])).stderr).toContain('NotFound')
    expect(await list('pods', '-n', 'team')).toEqual([])
  })
})

describe('events of the controllers', () => {
  const source = async (namespace: string, kind: string, name: string) => (await jsonpath('{range .items[*]}{.source.component} {.reason}{"\\n"}{end}', 'events', '-n', namespace, '--field-selector', `involvedObject.kind=${kind},involvedObject.name=${name}`)).split('\n')
  const claim = (name: string, spec: object) => cluster.apply({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec } })

  it('say why a claim waits', async () => {
    await claim('lonely', { storageClassName: '' })
    await claim('classless', { storageClassName: 'none' })
    await soon(async () => expect(await source('default', 'PersistentVolumeClaim', 'lonely')).toContain('persistentvolume-controller FailedBinding'))
    await soon(async () => expect(await source('default', 'PersistentVolumeClaim', 'classless')).toContain('persistentvolume-controller ProvisioningFailed'))
    await kubectl('delete', 'pvc', 'lonely', 'classless')
  })

  it('are told under the names that Kubernetes gives them', async () => {
    await cluster.apply(workload('DaemonSet', 'everywhere', {}))
    await soon(async () => expect(await source('default', 'DaemonSet', 'everywhere')).toContain('daemonset-controller SuccessfulCreate'))
    await kubectl('delete', 'daemonset', 'everywhere')
    await cluster.apply({ apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'nobody' }, spec: { minAvailable: 1, selector: { matchLabels: { app: 'nobody' } } } })
    await soon(async () => expect(await source('default', 'PodDisruptionBudget', 'nobody')).toContain('controllermanager NoPods'))
    await kubectl('delete', 'pdb', 'nobody')
  })
})

describe('persistent volumes', () => {
  it('are bound to claims, and the claims stay while pods use them', async () => {
    await cluster.apply({ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'disk' }, spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], storageClassName: 'manual', hostPath: { path: '/tmp/none' } } })
    await cluster.apply({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' }, spec: { storageClassName: 'manual', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } })
    await kubectl('wait', '--for=jsonpath={.status.phase}=Bound', 'pvc/data', '--timeout=60s')
    await cluster.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'user' }, spec: { containers: [{ name: 'c', image: 'x' }], volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }] } })
    await kubectl('wait', '--for=condition=Ready', 'pod/user', '--timeout=60s')
    await kubectl('delete', 'pvc', 'data', '--wait=false')
    expect(await kubectl('get', 'pvc', 'data', '--no-headers')).toContain('Terminating')
    await kubectl('delete', 'pod', 'user', '--timeout=60s')
    await soon(async () => expect(await jsonpath('{.status.phase}', 'pv', 'disk')).toBe('Released'))
  })
})
