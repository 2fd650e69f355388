/** `kubectl get` of every kind that can be listed: it works, and its columns are those that Kubernetes prints. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { declared } from '../../src/api/index.ts'
import { startTestControlPlane } from '../support/control-plane.ts'
import type { TestControlPlane } from '../support/control-plane.ts'
import { json, send } from '../support/requests.ts'

let cluster: TestControlPlane
beforeAll(async () => void (cluster = await startTestControlPlane()))
afterAll(() => cluster?.stop())

interface Table { readonly kind: string; readonly columnDefinitions: readonly { readonly name: string; readonly priority: number; readonly type: string }[]; readonly rows: readonly { readonly cells: readonly unknown[]; readonly object: { readonly kind: string } | null }[] }
const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'

/** The columns of `kubectl get`, in capitals as kubectl writes them; those of `-o wide` after a bar. */
const columns: Readonly<Record<string, string>> = {
  'componentstatuses': 'NAME,STATUS,MESSAGE,ERROR',
  'configmaps': 'NAME,DATA,AGE',
  'endpoints': 'NAME,ENDPOINTS,AGE',
  'events': 'LAST SEEN,TYPE,REASON,OBJECT,MESSAGE | SUBOBJECT,SOURCE,FIRST SEEN,COUNT,NAME',
  'limitranges': 'NAME,CREATED AT',
  'namespaces': 'NAME,STATUS,AGE',
  'nodes': 'NAME,STATUS,ROLES,AGE,VERSION | INTERNAL-IP,EXTERNAL-IP,OS-IMAGE,KERNEL-VERSION,CONTAINER-RUNTIME',
  'persistentvolumeclaims': 'NAME,STATUS,VOLUME,CAPACITY,ACCESS MODES,STORAGECLASS,VOLUMEATTRIBUTESCLASS,AGE | VOLUMEMODE',
  'persistentvolumes': 'NAME,CAPACITY,ACCESS MODES,RECLAIM POLICY,STATUS,CLAIM,STORAGECLASS,VOLUMEATTRIBUTESCLASS,REASON,AGE | VOLUMEMODE',
  'pods': 'NAME,READY,STATUS,RESTARTS,AGE | IP,NODE,NOMINATED NODE,READINESS GATES',
  'podtemplates': 'NAME,CONTAINERS,IMAGES,POD LABELS',
  'replicationcontrollers': 'NAME,DESIRED,CURRENT,READY,AGE | CONTAINERS,IMAGES,SELECTOR',
  'resourcequotas': 'NAME,REQUEST,LIMIT,AGE',
  'secrets': 'NAME,TYPE,DATA,AGE',
  'serviceaccounts': 'NAME,SECRETS,AGE',
  'services': 'NAME,TYPE,CLUSTER-IP,EXTERNAL-IP,PORT(S),AGE | SELECTOR',
  'controllerrevisions.apps': 'NAME,CONTROLLER,REVISION,AGE',
  'daemonsets.apps': 'NAME,DESIRED,CURRENT,READY,UP-TO-DATE,AVAILABLE,NODE SELECTOR,AGE | CONTAINERS,IMAGES,SELECTOR',
  'deployments.apps': 'NAME,READY,UP-TO-DATE,AVAILABLE,AGE | CONTAINERS,IMAGES,SELECTOR',
  'replicasets.apps': 'NAME,DESIRED,CURRENT,READY,AGE | CONTAINERS,IMAGES,SELECTOR',
  'statefulsets.apps': 'NAME,READY,AGE | CONTAINERS,IMAGES',
  'horizontalpodautoscalers.autoscaling': 'NAME,REFERENCE,TARGETS,MINPODS,MAXPODS,REPLICAS,AGE',
  'cronjobs.batch': 'NAME,SCHEDULE,TIMEZONE,SUSPEND,ACTIVE,LAST SCHEDULE,AGE | CONTAINERS,IMAGES,SELECTOR',
  'jobs.batch': 'NAME,STATUS,COMPLETIONS,DURATION,AGE | CONTAINERS,IMAGES,SELECTOR',
  'certificatesigningrequests.certificates.k8s.io': 'NAME,AGE,SIGNERNAME,REQUESTOR,REQUESTEDDURATION,CONDITION',
  'leases.coordination.k8s.io': 'NAME,HOLDER,AGE',
  'endpointslices.discovery.k8s.io': 'NAME,ADDRESSTYPE,PORTS,ENDPOINTS,AGE',
  'events.events.k8s.io': 'LAST SEEN,TYPE,REASON,OBJECT,MESSAGE | SUBOBJECT,SOURCE,FIRST SEEN,COUNT,NAME',
  'flowschemas.flowcontrol.apiserver.k8s.io': 'NAME,PRIORITYLEVEL,MATCHINGPRECEDENCE,DISTINGUISHERMETHOD,AGE,MISSINGPL',
  'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io': 'NAME,TYPE,NOMINALCONCURRENCYSHARES,QUEUES,HANDSIZE,QUEUELENGTHLIMIT,AGE',
  'ingressclasses.networking.k8s.io': 'NAME,CONTROLLER,PARAMETERS,AGE',
  'ingresses.networking.k8s.io': 'NAME,CLASS,HOSTS,ADDRESS,PORTS,AGE',
  'networkpolicies.networking.k8s.io': 'NAME,POD-SELECTOR,AGE',
  'ipaddresses.networking.k8s.io': 'NAME,PARENTREF,AGE',
  'servicecidrs.networking.k8s.io': 'NAME,CIDRS,AGE',
  'runtimeclasses.node.k8s.io': 'NAME,HANDLER,AGE',
  'poddisruptionbudgets.policy': 'NAME,MIN AVAILABLE,MAX UNAVAILABLE,ALLOWED DISRUPTIONS,AGE',
  'clusterrolebindings.rbac.authorization.k8s.io': 'NAME,ROLE,AGE | USERS,GROUPS,SERVICEACCOUNTS',
  'clusterroles.rbac.authorization.k8s.io': 'NAME,CREATED AT',
  'rolebindings.rbac.authorization.k8s.io': 'NAME,ROLE,AGE | USERS,GROUPS,SERVICEACCOUNTS',
  'roles.rbac.authorization.k8s.io': 'NAME,CREATED AT',
  'priorityclasses.scheduling.k8s.io': 'NAME,VALUE,GLOBAL-DEFAULT,AGE,PREEMPTIONPOLICY',
  'csidrivers.storage.k8s.io': 'NAME,ATTACHREQUIRED,PODINFOONMOUNT,STORAGECAPACITY,TOKENREQUESTS,REQUIRESREPUBLISH,MODES,AGE',
  'csinodes.storage.k8s.io': 'NAME,DRIVERS,AGE',
  'csistoragecapacities.storage.k8s.io': 'NAME,STORAGECLASSNAME,CAPACITY',
  'storageclasses.storage.k8s.io': 'NAME,PROVISIONER,RECLAIMPOLICY,VOLUMEBINDINGMODE,ALLOWVOLUMEEXPANSION,AGE',
  'volumeattachments.storage.k8s.io': 'NAME,ATTACHER,PV,NODE,ATTACHED,AGE',
  'volumeattributesclasses.storage.k8s.io': 'NAME,DRIVERNAME,AGE',
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': 'NAME,WEBHOOKS,AGE',
  'validatingwebhookconfigurations.admissionregistration.k8s.io': 'NAME,WEBHOOKS,AGE',
  'validatingadmissionpolicies.admissionregistration.k8s.io': 'NAME,VALIDATIONS,PARAMKIND,AGE',
  'validatingadmissionpolicybindings.admissionregistration.k8s.io': 'NAME,POLICYNAME,PARAMREF,AGE',
  'customresourcedefinitions.apiextensions.k8s.io': 'NAME,CREATED AT',
  'apiservices.apiregistration.k8s.io': 'NAME,SERVICE,AVAILABLE,AGE',
}

const listed = declared.filter((resource) => resource.verbs.includes('list'))

describe('kubectl get of every kind', () => {
  it.each(listed.map((resource) => [`${resource.plural} ${resource.apiVersion}`, resource] as const))('%s', async (_, resource) => {
    const path = `${resource.group ? '/apis' : '/api'}/${resource.apiVersion}/${resource.plural}`
    const reply = await send(cluster, 'GET', path, undefined, { accept })
    expect(reply.code).toBe(200)
    const table = json<Table>(reply)
    expect(table.kind).toBe('Table')
    const always = table.columnDefinitions.filter(({ priority }) => priority === 0).map(({ name }) => name.toUpperCase())
    const wide = table.columnDefinitions.filter(({ priority }) => priority > 0).map(({ name }) => name.toUpperCase())
    for (const { cells } of table.rows) expect(cells).toHaveLength(table.columnDefinitions.length)
    const wanted = columns[resource.groupResource]
    if (wanted === undefined) return expect(always.length).toBeGreaterThan(1)
    const [first = '', second = ''] = wanted.split(' | ')
    expect(always.join(',')).toBe(first)
    expect(wide.join(',')).toBe(second)
  })
})

describe('tables', () => {
  it('are printed by kubectl, of every kind at once', async () => {
    const names = (await cluster.kubectl('api-resources', '--verbs=list', '-o', 'name')).trim().split('\n')
    expect(names.length).toBeGreaterThan(50)
    const all = await cluster.tryKubectl(['get', names.join(','), '-A', '-o', 'wide'])
    expect(all).toMatchObject({ code: 0 })
    expect(all.stderr.split('\n').filter((line) => line && !line.startsWith('Warning:'))).toEqual([])
  })

  it('carry as much of the objects as was asked for', async () => {
    const rows = async (query: string) => json<Table>(await send(cluster, 'GET', `/api/v1/namespaces${query}`, undefined, { accept })).rows
    expect((await rows(''))[0]!.object).toMatchObject({ kind: 'PartialObjectMetadata' })
    expect((await rows('?includeObject=Object'))[0]!.object).toMatchObject({ kind: 'Namespace' })
    expect((await rows('?includeObject=None'))[0]!.object).toBeNull()
  })

  it('of one object and of a watch have rows of one', async () => {
    const one = json<Table>(await send(cluster, 'GET', '/api/v1/namespaces/default', undefined, { accept }))
    expect(one.rows.map(({ cells }) => cells[0])).toEqual(['default'])
  })

  it('show component statuses, and that they are old', async () => {
    const shown = await cluster.tryKubectl(['get', 'componentstatuses'])
    expect(shown.stderr).toContain('Warning: v1 ComponentStatus is deprecated in v1.19+')
    expect(shown.stdout.trim().split('\n').map((row) => row.trim().split(/\s+/))).toEqual([
      ['NAME', 'STATUS', 'MESSAGE', 'ERROR'], ['scheduler', 'Healthy', 'ok'], ['controller-manager', 'Healthy', 'ok'], ['etcd-0', 'Healthy', 'ok'],
    ])
    expect(await cluster.kubectl('get', 'cs', 'scheduler', '-o', 'jsonpath={.conditions[0].type}')).toBe('Healthy')
  })
})
